use auth_runtime::requires;

#[requires(colour = "blue")]
async fn handler() {}

fn main() {}
