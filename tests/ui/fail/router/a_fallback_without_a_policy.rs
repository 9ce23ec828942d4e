use auth_runtime::GuardedRouter;

async fn everything() {}

struct Everything;

fn main() {
    let _: GuardedRouter = GuardedRouter::new().fallback(everything);
    let service = axum::Router::<()>::new();
    let _: GuardedRouter = GuardedRouter::new().fallback_service(Everything, service);
}
