use auth_runtime::requires as inline;

#[auth_runtime::requires(role = "admin", hide_as = 404)]
mod admin {
    use super::inline;

    #[inline(scope = "users")]
    pub async fn list() {}
}

fn main() {}
