macro_rules! generate {
    () => {
        #[auth_runtime::requires(scope = "a")]
        pub async fn generated() {}
    };
}

#[auth_runtime::requires(role = "admin")]
mod admin {
    generate!();
    include!("/dev/null");
}

fn main() {}
