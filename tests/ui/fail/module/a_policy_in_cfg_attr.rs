#[auth_runtime::requires(role = "admin")]
mod admin {
    #[cfg_attr(all(), auth_runtime::requires(scope = "users"))]
    pub async fn list() {}

    #[cfg_attr(not(all()), auth_runtime::requires(scope = "files"))]
    pub struct Files;
}

fn main() {}
