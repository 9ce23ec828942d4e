use auth_runtime::GuardedRouter;

async fn serve(listener: tokio::net::TcpListener, router: GuardedRouter) {
    axum::serve(listener, router).await.unwrap();
}

fn main() {}
