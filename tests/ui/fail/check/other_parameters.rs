use auth_runtime::{Identity, requires};

async fn is_fine(_identity: &Identity) -> bool {
    true
}

#[requires(check = is_fine)]
async fn handler() {}

fn main() {}
