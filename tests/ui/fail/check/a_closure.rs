use auth_runtime::requires;

#[requires(check = |request| true)]
async fn handler() {}

#[requires(check = |arg0| is_fine(/* &Identity */))]
async fn suggested_by_the_compiler() {}

#[requires(can = "read", resource = |request| None)]
async fn resource() {}

fn main() {}
