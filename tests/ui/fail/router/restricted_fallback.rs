use auth_runtime::{GuardedRouter, requires};

#[requires(role = "admin")]
async fn everything() {}

#[requires(role = "admin")]
struct Everything;

fn main() {
    let _: GuardedRouter = GuardedRouter::new().fallback(everything);
    let service = axum::Router::<()>::new();
    let _: GuardedRouter = GuardedRouter::new().fallback_service(Everything, service);
}
