use auth_runtime::GuardedRouter;

struct Files;

fn main() {
    let files = tower::service_fn(|_: axum::extract::Request| async {
        Ok::<_, std::convert::Infallible>("a file")
    });
    let _: GuardedRouter = GuardedRouter::new().nest_service("/files", Files, files);
}
