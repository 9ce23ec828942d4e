macro_rules! handler {
    (($($requirement:tt)*) twice $($more:tt)*) => {
        handler! { ($($requirement)*, $($requirement)*) $($more)* }
    };
    (($($requirement:tt)*)) => {
        #[auth_runtime::requires(any($($requirement)*))]
        async fn list() {}
    };
}

handler! { (scope = "users") twice twice twice twice twice twice twice twice twice twice twice }

fn main() {}
