#[auth_runtime::requires(role = "admin")]
mod admin {
    use auth_runtime::GuardedRouter;
    use auth_runtime::routing::get;

    pub fn routes() -> GuardedRouter {
        #[auth_runtime::requires(scope = "a")]
        async fn inside() {}

        GuardedRouter::new().route("/inside", get(inside))
    }

    macro_rules! generate {
        () => {
            #[auth_runtime::public(reason = "generated")]
            async fn generated() {}
        };
    }
}

fn main() {}
