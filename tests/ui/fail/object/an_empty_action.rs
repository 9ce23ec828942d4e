use auth_runtime::requires;

#[requires(can = "")]
async fn handler() {}

#[requires(can)]
async fn without_value() {}

#[requires(can = " read ")]
async fn with_spaces() {}

fn main() {}
