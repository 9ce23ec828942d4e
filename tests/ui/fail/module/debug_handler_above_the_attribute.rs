#[auth_runtime::requires(role = "admin")]
mod admin {
    #[axum::debug_handler]
    #[auth_runtime::requires(scope = "users")]
    pub async fn list() {}
}

fn main() {}
