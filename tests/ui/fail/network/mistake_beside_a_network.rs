use auth_runtime::{Guard, requires};

#[requires(network = "10.0.0.0/8", hide_as =)]
async fn handler(guard: Guard) -> String {
    let name = guard.identity().map(|identity| identity.subject().to_owned());
    name.unwrap_or_default()
}

fn main() {}
