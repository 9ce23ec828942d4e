#[auth_runtime::requires(role = "admin")]
mod admin {
    use auth_runtime::requires as needs;

    #[needs(scope = "files")]
    pub struct Files;

    /// A doc comment is an attribute as well.
    #[needs(scope = "pages")]
    #[must_use]
    pub struct Pages;
}

fn main() {}
