use auth_runtime::requires;

#[requires(scope = "a")]
#[auth_runtime::requires(scope = "b")]
pub enum Files {}

fn main() {}
