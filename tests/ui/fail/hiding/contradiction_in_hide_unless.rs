use auth_runtime::requires;

#[requires(role = "a", hide_as = 404, hide_unless = all(acr = "gold", acr = "silver"))]
async fn handler() {}

fn main() {}
