use auth_runtime::requires as derive;

#[auth_runtime::requires(role = "admin", hide_as = 404)]
mod admin {
    use super::derive;

    #[derive(scope = "files")]
    pub struct Files;
}

fn main() {}
