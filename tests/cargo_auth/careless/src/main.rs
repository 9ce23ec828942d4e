//! Everything that can be found.

mod handlers;
mod mistakes;

use auth_runtime::GuardedRouter;
use auth_runtime as access;
use auth_runtime::public as internal;
use handlers::*;
use web::routing::{self, MethodRouter, get, post as send};
use web::{Router, routing::any_service};

async fn bare() {}

fn app() -> Router {
    async fn local() {}

    Router::new()
        .route("/bare", get(bare)) // found
        .route("/chain", get(guarded).post(bare).layer(layer()).fallback(crate::handlers::open)) // found // found
        .route("/renamed", send(handlers::open)) // found
        .route("/path", web::routing::put(self::handlers::open)) // found
        .route("/module", routing::delete(open)) // found
        .route("/on", routing::on(MethodFilter::PATCH, open.layer(layer()))) // found
        .route("/local", get(local)) // found
        .route("/closure", get(|| async {})) // found
        .route("/method_router", MethodRouter::new().head(open)) // found
        .route("/elsewhere", get(other_crate::handler)) // found
        .route("/service", any_service(files())) // found
        .route_service("/files", files()) // found
        .nest_service("/more", files()) // found
        .merge(vec![Router::new().route("/in_a_macro", get(open))].remove(0)) // found
}

fn by_path(router: Router) -> Router {
    Router::nest_service(router, "/by_path", files()) // found
}

/// What is right is not found.
fn right() -> Router {
    Router::new()
        .route("/guarded", get(guarded).post(handlers::guarded))
        .route("/other", mine::get(bare))
        .route("/client", client.get(URL))
        .merge(GuardedRouter::nest_service(guarded_app(), "/by_path", Files, files()))
}

mod mine {
    pub fn get<T>(handler: T) -> T {
        handler
    }
}

fn guarded_app() -> GuardedRouter {
    let pages = Router::new().route("/pages", get(open));
    GuardedRouter::new()
        .route("/guarded", auth_runtime::routing::get(guarded))
        .nest_service("/files", Files, files())
        .merge_unguarded("the metrics are read from inside only", &["/metrics"], Router::new().route("/metrics", get(open)))
        .merge_unguarded("pages are for everybody", &["/pages"], pages)
        .merge_unguarded(REASON, &["/feeds"], feeds())
}

fn feeds() -> Router {
    Router::new().route("/feeds", get(open))
}

#[access::public(reason = "nobody looks here")]
async fn elsewhere() {}

struct App;

impl App {
    fn router(&self) -> Router {
        Router::new().route("/in_a_method", get(open)) // found
    }
}

fn reasons() -> Router {
    // unguarded:
    let front = get(open); // found
    // unguarded: this is guarded, as it should be
    let guarded = auth_runtime::routing::get(guarded);
    // unguarded: the front page is no secret
    let other = get(open);
    Router::new().merge(front)
}

fn open_pattern() -> GuardedRouter {
    let files = GuardedRouter::new()
        .route("/secret", auth_runtime::routing::get(guarded))
        .route("/{*path}", auth_runtime::routing::get(shown).put(shown));
    GuardedRouter::new().nest("/files", files)
}

#[cfg(test)]
mod tests {
    fn app() -> web::Router {
        web::Router::new().route("/", web::routing::get(super::bare))
    }
}

#[auth_runtime::requires(can("read", on = "Repository::{owner}/{repo}"))]
async fn repository() {}

fn objects() -> GuardedRouter {
    GuardedRouter::new()
        .route("/{owner}/{repo}", auth_runtime::routing::get(repository))
        .route("/{owner}", auth_runtime::routing::get(repository))
}

fn main() {}
