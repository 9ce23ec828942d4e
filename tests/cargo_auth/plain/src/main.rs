//! A service without access policies. Each route has the check that seems to be in its way.

mod caller;
mod notes;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_extractor, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, get, get_service, post};
use axum::{Json, Router};
use axum_login::{AuthSession, login_required};
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::trace::TraceLayer;
use tower_http::validate_request::ValidateRequestHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::{Caller, MaybeCaller, Stated};

const REPORTS: &str = "/reports";

struct App {
    is_debug: bool,
}

impl App {
    fn router(&self) -> Router {
        let admin = Router::new()
            .route("/users", get(users).delete(remove_users))
            .route_layer(from_fn_with_state((), require_admin))
            .fallback(missing);
        let mut app = Router::new()
            .route("/health", get(|| async { "ok" }))
            .route("/me", get(me).post(change).layer(TraceLayer::new_for_http()))
            .route(REPORTS, get(reports))
            .route(&format!("{REPORTS}/{{id}}"), routing::put(report))
            .nest("/admin", admin)
            .nest("/notes", with_bearer(notes::router()))
            .nest_service("/files", get_service(ServeDir::new("files")).layer(login_required!(Backend)))
            .merge(documented());
        if self.is_debug {
            app = app.route("/debug", post(debug)).layer(from_fn(log_authorized));
        }
        app
    }
}

#[tokio::main]
async fn main() {
    let app = App { is_debug: true }.router().layer(
        ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(from_fn(limit_auth_rate)),
    );
    tokio::select! {
        _ = axum::serve(listener().await, app) => {}
    }
}

/// The routes of other functions, behind a token.
fn with_bearer(router: Router) -> Router {
    router.layer(ValidateRequestHeaderLayer::bearer("secret"))
}

fn documented() -> OpenApiRouter {
    let (router, _) = OpenApiRouter::new().routes(routes!(list, add)).split_for_parts();
    router.layer(from_extractor::<Caller>())
}

#[utoipa::path(get, path = "/documented", responses((status = 200)))]
async fn list() {}

#[utoipa::path(method(post, put), path = "/documented")]
async fn add() {}

async fn users(State(_): State<()>) {}
async fn remove_users(caller: Caller) {}
async fn missing() {}
async fn me(caller: Caller) {}
async fn change(caller: MaybeCaller, Json(user): Json<User>) {}
async fn debug(Stated(_): Stated) {}

async fn reports(session: AuthSession<Backend>) -> Response {
    let Some(user) = session.user else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    user.reports().into_response()
}

#[protect("REPORTS")]
async fn report(Path(id): Path<u64>, caller: Option<Caller>) -> Result<(), Denied> {
    check_permission(&caller, id)?;
    Ok(())
}

async fn require_admin(request: Request, next: Next) -> Response {
    next.run(request).await
}

/// It refuses nobody.
async fn log_authorized(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn limit_auth_rate(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn routes_of_tests_are_left_out() {
        let _ = super::Router::new().route("/test", super::get(super::missing));
    }
}
