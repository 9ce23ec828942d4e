use auth_runtime::requires as needs;

pub struct Next;

#[auth_runtime::requires(role = "admin", hide_as = 404)]
mod admin {
    use super::{Next, needs};

    #[needs(scope = "users")]
    pub async fn list(_next: Next) {}
}

fn main() {}
