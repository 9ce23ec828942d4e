use auth_runtime::{GuardedRouter, public};

#[public(reason = "liveness probe")]
async fn healthz() {}

fn main() {
    let secrets = axum::Router::<()>::new();
    let _: GuardedRouter =
        GuardedRouter::new().nest_service("/secrets", policy_of_healthz {}, secrets);
}
