use auth_runtime::{GuardedRouter, public, requires};
use auth_runtime::routing::get;

mod log;

pub use guarded::*;

#[requires(role = "admin", hide_as = 404)]
pub mod guarded {
    use auth_runtime::{public, requires};

    pub async fn users() {}

    #[requires(scope = "orders:write")]
    pub async fn delete_order() {}

    #[requires(role = "auditor", loosen = "auditors read the list, and nothing else")]
    pub async fn list() {}

    #[public(reason = "the form itself is no secret")]
    pub async fn login() {}

    pub mod inner {
        pub async fn deep() {}
    }

    async fn helper(name: &str) {}

    #[tokio::test]
    async fn not_a_handler() {}
}

pub fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/users", get(users))
        .route("/log", get(log::read))
}
