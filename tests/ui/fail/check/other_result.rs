use auth_runtime::{CheckRequest, requires};

async fn owner(_request: CheckRequest<'_>) -> String {
    String::new()
}

#[requires(check = owner)]
async fn handler() {}

fn main() {}
