use auth_runtime::{GuardedRouter, public, requires};

#[requires(any(network = "10.0.0.0/8", role = "admin"))]
async fn of_a_network() {}

#[requires(setting = "open")]
struct OfASetting;

#[public(reason = "the page shows the caller", identity = optional)]
async fn with_an_identity() {}

#[requires(role = "admin")]
async fn restricted() {}

async fn forgotten() {}

fn main() {
    let service = axum::Router::<()>::new();
    let _: GuardedRouter = GuardedRouter::new().fallback(of_a_network);
    let _: GuardedRouter = GuardedRouter::new().fallback_service(OfASetting, service);
    let _: GuardedRouter = GuardedRouter::new().fallback(with_an_identity);
    let _: GuardedRouter = GuardedRouter::new().method_not_allowed_fallback(of_a_network);
    let _: GuardedRouter = GuardedRouter::new().method_not_allowed_fallback(with_an_identity);
    let _: GuardedRouter = GuardedRouter::new().method_not_allowed_fallback(restricted);
    let _: GuardedRouter = GuardedRouter::new().method_not_allowed_fallback(forgotten);
}
