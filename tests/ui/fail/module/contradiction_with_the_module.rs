#[auth_runtime::requires(network = "10.0.0.0/8")]
mod inside {
    #[auth_runtime::requires(network = "192.0.2.0/24")]
    async fn outside() {}
}

fn main() {}
