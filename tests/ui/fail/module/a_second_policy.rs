use auth_runtime::{public, requires};

#[requires(role = "admin")]
#[requires(scope = "users")]
mod twice {
    pub async fn list() {}
}

#[requires(role = "admin")]
mod outer {
    #[auth_runtime::requires(scope = "users")]
    #[auth_runtime::requires(scope = "keys")]
    mod inner {
        pub async fn list() {}
    }
}

#[requires(role = "admin")]
#[public(reason = "a contradiction")]
mod open {
    pub async fn list() {}
}

fn main() {}
