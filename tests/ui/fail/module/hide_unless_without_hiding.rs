#[auth_runtime::requires(role = "admin")]
mod shown {
    #[auth_runtime::requires(scope = "x", hide_unless = scope("y"))]
    async fn handler() {}
}

#[auth_runtime::requires(role = "admin", hide_as = 404)]
mod hidden {
    #[auth_runtime::requires(scope = "x", hide_unless = scope("y"))]
    async fn handler() {}
}

fn main() {}
