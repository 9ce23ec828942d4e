#[auth_runtime::requires(role = "admin")]
mod admin {
    use auth_runtime::{public as open, requires as needs};

    #[needs(scope = "users")]
    pub async fn list() {}

    #[open(reason = "the form is no secret")]
    pub async fn login() {}
}

fn main() {}
