use auth_runtime::requires;

#[requires(can("read", of = "Repository::{repo}"))]
async fn handler() {}

fn main() {}
