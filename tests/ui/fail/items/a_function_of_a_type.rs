use auth_runtime::requires;

struct Service;

impl Service {
    #[requires(scope = "a")]
    async fn new() -> Self {
        Self
    }
}

trait Handlers {
    #[requires(scope = "a")]
    async fn list();
}

fn main() {}
