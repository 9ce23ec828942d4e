use auth_runtime::{CheckRequest, requires};

fn owns_repo(_request: CheckRequest<'_>) -> bool {
    true
}

#[requires(check = owns_repo)]
async fn handler() {}

fn main() {}
