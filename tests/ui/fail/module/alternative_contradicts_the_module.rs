use auth_runtime::requires;

#[requires(network = "10.0.0.0/8")]
mod inside {
    use auth_runtime::requires;

    #[requires(any(scope = "a", network = "192.0.2.0/24"))]
    async fn handler() {}
}

fn main() {}
