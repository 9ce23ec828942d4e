//! Container registries: tokens with the claim `access`, and challenges that name the scope of an object.

mod challenges;
mod decisions;
mod documents;
mod hiding;
mod names;
mod scopes;

use auth_runtime::objects::Resource;
use auth_runtime::routing::{self, get};
use auth_runtime::schemes::{AccessClaim, ApiKeys, Bearer, SchemeExt};
use auth_runtime::{
    CheckRequest, Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace,
    ProtectionSpaceBuilder, requires,
};
use auth_tests::{App, token, verifier};
use axum::body::Body;
use axum::extract::Request;
use http::Method;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The start of all challenges.
const CHALLENGE: &str = r#"Bearer realm="https://auth.example/token", service="registry.example""#;
const INSUFFICIENT: &str =
    r#"error="insufficient_scope", error_description="the access token lacks a required scope""#;

#[requires(authenticated)]
async fn base() -> &'static str {
    "{}"
}

#[requires(can = "pull", on = "Repository::{namespace}/{image}")]
async fn pull() -> &'static str {
    "pulled"
}

#[requires(can = "pull", can = "push", on = "Repository::{namespace}/{image}")]
async fn push() -> &'static str {
    "pushed"
}

#[requires(
    scope = "repository:ann/web:pull",
    can = "pull",
    can = "push",
    on = "Repository::{namespace}/{image}"
)]
async fn mirror() {}

#[requires(can = "delete", on = "Repository::{namespace}/{image}", hide_as = 404,
           hide_unless = can("pull"))]
async fn delete() -> &'static str {
    "deleted"
}

#[requires(can = "pull", on = "Repository::{namespace}/{image}", hide_as = 404)]
async fn secret() -> &'static str {
    "pulled"
}

#[requires(
    any(role = "admin", can = "pull"),
    on = "Repository::{namespace}/{image}"
)]
async fn by_role_or_token() -> &'static str {
    "listed"
}

#[requires(can = "pull", on = "Repository::{name}")]
async fn manifest() -> &'static str {
    "a manifest"
}

#[requires(scope = "garbage:collect")]
async fn collect() -> &'static str {
    "collected"
}

async fn of_query(request: CheckRequest<'_>) -> Option<Resource> {
    let name = request.query()?.strip_prefix("name=")?;
    Some(Resource::new("Repository", name))
}

#[requires(can = "pull", on = "Repository", resource = of_query)]
async fn by_query() -> &'static str {
    "found"
}

const PULL: auth_runtime::objects::Action = auth_runtime::objects::Action::new("pull");

#[requires(authenticated)]
async fn in_handler(guard: Guard) -> Result<&'static str, Denied> {
    in_handler_of(
        guard
            .can(PULL, Resource::new("Repository", "ann/web"))
            .await,
    )
}

#[requires(scope = "repo:read")]
async fn in_handler_with_scope(guard: Guard) -> Result<&'static str, Denied> {
    in_handler_of(
        guard
            .can(PULL, Resource::new("Repository", "ann/web"))
            .await,
    )
}

fn in_handler_of(allowed: Result<(), Denied>) -> Result<&'static str, Denied> {
    allowed.map(|()| "allowed")
}

#[requires(scope = "reports:read", scope = "reports:write")]
async fn reports() -> &'static str {
    "reports"
}

#[requires(authenticated)]
async fn catalogue(guard: Guard) -> Result<String, Denied> {
    let all = ["ann/web", "ann/db", "bob/web"].map(|name| Resource::new("Repository", name));
    let candidates = async { Ok::<Vec<Resource>, Denied>(Vec::new()) };
    let condition = guard
        .permitted(PULL, "Repository", Box::pin(candidates))
        .await?;
    let found = all.iter().filter(|one| condition.holds(one) == Some(true));
    Ok(found.map(Resource::id).collect::<Vec<_>>().join(" "))
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/v2/", get(base))
        .route(
            "/v2/{namespace}/{image}/manifests/{reference}",
            get(pull).put(push),
        )
        .route("/images/{namespace}/{image}", routing::delete(delete))
        .route("/mirror/{namespace}/{image}", get(mirror))
        .route("/secret/{namespace}/{image}", get(secret))
        .route("/any/{namespace}/{image}", get(by_role_or_token))
        .route("/by-name/{*name}", get(manifest))
        .route("/collect", get(collect))
        .route("/by-query", get(by_query))
        .route("/in-handler", get(in_handler))
        .route("/in-handler-with-scope", get(in_handler_with_scope))
        .route("/reports", get(reports))
        .route("/catalogue", get(catalogue))
}

fn bearer() -> Bearer {
    Bearer::jwt(verifier()).token_server("https://auth.example/token", "registry.example")
}

fn space_of(bearer: Bearer) -> ProtectionSpaceBuilder {
    let key = Identity::new("robot").with_roles(["robot"]);
    let keys = ApiKeys::builder()
        .key("a-long-random-key-of-a-robot", key)
        .build();
    ProtectionSpace::builder()
        .realm("registry")
        .scheme(bearer)
        .scheme(keys.expect("a scheme"))
        .decision_point(AccessClaim)
}

fn protect(space: ProtectionSpaceBuilder) -> ProtectedRouter {
    let space = space.build().expect("the space is in order");
    routes().protect(space).expect("the routes are in order")
}

fn app() -> ProtectedRouter {
    protect(space_of(bearer()))
}

/// A token that allows these actions on the repository.
fn granting(name: &str, actions: &[&str]) -> String {
    token(json!({ "access": [{ "type": "repository", "name": name, "actions": actions }] }))
}

/// A response: its status and the challenges of Bearer.
type Answer = (u16, String);

async fn ask(app: &impl App, method: Method, target: &str, token: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(target);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(app, request.body(Body::empty()).expect("a request")).await
}

async fn get_of(app: &impl App, target: &str, token: Option<&str>) -> Answer {
    ask(app, Method::GET, target, token).await
}

async fn send(app: &impl App, request: Request) -> Answer {
    let Ok(response) = app.clone().oneshot(request).await;
    let lines = response.headers().get_all("www-authenticate").iter();
    let lines = lines.map(|line| line.to_str().expect("visible ASCII"));
    let bearer: Vec<&str> = lines.filter(|line| line.starts_with("Bearer")).collect();
    (response.status().as_u16(), bearer.join("\n"))
}

fn claims(access: Value) -> String {
    token(json!({ "access": access }))
}
