use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;

mod users {
    #[auth_runtime::requires(scope = "users")]
    pub async fn list() {}
}

mod orders {
    #[auth_runtime::requires(scope = "orders")]
    pub async fn list() {}
}

pub(crate) fn main() {
    #[auth_runtime::requires(scope = "local")]
    async fn list() {}

    let _: GuardedRouter = GuardedRouter::new()
        .route("/users", get(users::list))
        .route("/orders", get(orders::list))
        .route("/local", get(list));
}
