#[auth_runtime::requires(role = "admin")]
mod admin {
    use auth_runtime::requires;

    #[requires(role = "admin", scope = "users")]
    async fn users() {}

    #[requires(authenticated)]
    async fn anybody() {}
}

fn main() {}
