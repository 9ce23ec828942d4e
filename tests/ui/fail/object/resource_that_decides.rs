use auth_runtime::{CheckRequest, requires};

async fn of_query(_request: CheckRequest<'_>) -> bool {
    true
}

#[requires(can = "read", on = "Report", resource = of_query)]
async fn handler() {}

fn main() {}
