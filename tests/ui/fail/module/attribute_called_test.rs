use auth_runtime::requires as test;

#[auth_runtime::requires(role = "admin", hide_as = 404)]
mod admin {
    use super::test;

    #[test(scope = "users")]
    pub async fn list() {}
}

fn main() {}
