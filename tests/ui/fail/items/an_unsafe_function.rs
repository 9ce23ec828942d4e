use auth_runtime::requires;

#[requires(scope = "users")]
async unsafe fn list() {}

fn main() {}
