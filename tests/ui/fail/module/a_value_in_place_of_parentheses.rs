#[auth_runtime::requires(role = "admin")]
mod admin {
    #[auth_runtime::requires = "users"]
    pub async fn list() {}
}

fn main() {}
