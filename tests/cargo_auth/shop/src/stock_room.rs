macro_rules! handlers {
    ($($name:ident)*) => {
        $(
            #[auth_runtime::requires(authenticated)]
            pub async fn $name() {}
        )*
    };
}

handlers! { shelves boxes }
