#[auth_runtime::requires(role = "admin", hide_as = 404)]
mod admin {
    use auth_runtime::GuardedRouter;
    use auth_runtime::requires as needs;
    use auth_runtime::routing::get;

    pub fn routes() -> GuardedRouter {
        #[needs(scope = "users")]
        async fn list() {}

        GuardedRouter::new().route("/users", get(list))
    }
}

fn main() {}
