use auth_runtime::requires;

struct Users;

impl Users {
    #[requires(scope = "users")]
    async fn list() {}
}

fn main() {}
