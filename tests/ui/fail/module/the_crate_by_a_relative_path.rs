mod auth {
    pub use auth_runtime::*;
}

#[auth_runtime::requires(crate = self::auth, role = "admin")]
mod admin {
    pub async fn users() {}

    pub mod keys {
        pub async fn create(guard: auth_runtime::Guard) -> String {
            guard.identity().subject().to_owned()
        }
    }
}

mod inner {
    #[auth_runtime::requires(crate = super::auth, role = "admin")]
    mod admin {
        pub async fn users() {}
    }
}

fn main() {}
