use auth_runtime::public;

#[public(reason = liveness probe)]
async fn handler() {}

#[public(reason = PROBE)]
async fn constant() {}

fn main() {}
