use auth_runtime::requires;

#[requires(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(all(role = "a"))))))))))))))))))))))))))))))))))]
async fn handler() {}

fn main() {}
