#[auth_runtime::requires(role = "admin")]
mod admin {
    use auth_runtime::requires as needs;

    #[needs(scope = "files")]
    pub struct Files;
}

fn main() {}
