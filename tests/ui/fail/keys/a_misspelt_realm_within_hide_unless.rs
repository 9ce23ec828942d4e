use auth_runtime::requires;

#[requires(role = "editor", hide_as = 404, hide_unless = reelm("inside"))]
async fn handler() {}

fn main() {}
