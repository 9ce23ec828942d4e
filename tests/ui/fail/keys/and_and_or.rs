use auth_runtime::requires;

#[requires(and(role = "editor", scope = "write"))]
async fn handler() {}

#[requires(or(role = "editor", scope = "write"))]
async fn other() {}

fn main() {}
