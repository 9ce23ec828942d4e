//! A service without access policies. Its routers reach the server in less common ways.

mod downloads;
mod pages;
mod socket;
mod urls;

use axum::extract::Extension;
use axum::middleware::{from_fn, map_response};
use axum::routing::{MethodRouter, get};
use tower_http::services::ServeDir;
use utoipa_redoc::Redoc;

use crate::urls::{Health, Named, Profile, Urls};

type AppRouter = axum::Router<()>;

struct Server {
    router: AppRouter,
}

/// A router of this service has one more method.
trait Counted {
    fn counted(self) -> Self;
}

impl Counted for AppRouter {
    fn counted(self) -> Self {
        self.layer(from_fn(check_token_count))
    }
}

#[tokio::main]
async fn main() {
    let settings = settings();
    let inner = AppRouter::new()
        .route(Health::path(), get(health))
        .route(Profile::path(), get(profile))
        .route(Urls::Change.as_ref(), get(change))
        .nest_service("/downloads", downloads::router())
        .nest_service("/static", map_response(cached).layer(ServeDir::new("static")))
        .merge(pages::swagger())
        .merge(Redoc::with_url("/redoc", document()))
        .counted();
    let prefix = settings.server.prefix.as_str();
    let app = if prefix.is_empty() {
        inner
    } else {
        AppRouter::new().nest(prefix, inner)
    };
    let _ = AppRouter::new().route("/dropped", get(health));
    let mut server = Server { router: app };
    server.add_admin();
    axum::serve(listener().await, server.router).await;
}

impl Server {
    fn add_admin(&mut self) {
        self.router = self.router.clone().route("/admin", only_get(admin));
    }
}

fn only_get(handler: fn() -> &'static str) -> MethodRouter {
    get(handler).layer(from_fn(require_admin))
}

async fn health() {}
async fn change() {}

/// A member of the service checks the caller.
async fn profile(Extension(account): Extension<Account>) -> Result<String, Denied> {
    let name = account.verified_name()?;
    Ok(name)
}

struct Account {
    is_verified: bool,
}

impl Account {
    fn verified_name(&self) -> Result<String, Denied> {
        match self.is_verified {
            true => Ok(String::new()),
            false => Err(Denied::Forbidden),
        }
    }
}

/// Something else has tokens, too.
async fn check_token_count(request: Request, next: Next) -> Response {
    next.run(request).await
}
