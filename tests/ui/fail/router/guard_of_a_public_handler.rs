use auth_runtime::{Guard, public};

#[public(reason = "a test")]
async fn open(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn main() {}
