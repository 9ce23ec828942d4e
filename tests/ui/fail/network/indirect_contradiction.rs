use auth_runtime::requires;

#[requires(
    any(network = "10.0.0.0/8", acr = "gold"),
    any(network = "192.0.2.0/24", acr = "silver"),
    any(network = "198.51.100.0/24", acr = "bronze"),
)]
async fn handler() {}

fn main() {}
