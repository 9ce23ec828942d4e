use auth_runtime::requires;

#[requires(can("read", on = "Repository::a%2F{repo}"))]
async fn handler() {}

fn main() {}
