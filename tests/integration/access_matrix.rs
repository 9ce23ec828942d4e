//! Requests of every kind of caller for every route, compared with the policies.

mod asking;
mod differences;
mod endings;
mod hiding;
mod objects;
mod settings;
mod shown;
mod snapshot;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use auth_runtime::routing::{any, get, post};
use auth_runtime::schemes::{Basic, Bearer, Dpop, Sessions};
use auth_runtime::{
    Caller, CheckRequest, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace,
    UnknownPaths, public, requires,
};
use auth_runtime_audit::{
    AccessMatrix, AccessMatrixBuilder, AccessMatrixError, Persona, assert_access_matrix,
};
use auth_tests::proof::ProofKey;
use auth_tests::{expired_token, space, space_builder, token, verifier};
use axum::Router;
use axum::extract::{Json, Request};
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[public(reason = "liveness probe")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404)]
async fn show(guard: Guard) -> Result<&'static str, auth_runtime::Denied> {
    guard.permit(guard.identity().subject() != "stranger")?;
    Ok("a repository")
}

#[requires(scope = "repo:write", hide_as = 404, hide_unless = scope("repo:read"))]
async fn change(Json(_): Json<Value>) -> StatusCode {
    StatusCode::NO_CONTENT
}

#[requires(any(role = "admin", network = "192.0.2.0/24"))]
async fn everything() {}

#[requires(role = "admin", acr = "gold")]
async fn payout() {}

#[requires(sender_constrained)]
async fn bound() {}

#[requires(check = is_ann)]
async fn ann_only() {}

async fn is_ann(request: CheckRequest<'_>) -> bool {
    request.identity().subject() == "ann"
}

#[requires(authenticated, schemes(Basic))]
async fn by_password() {}

#[requires(authenticated)]
struct Files;

#[requires(authenticated)]
async fn account() {}

#[requires(scope = "repo:write")]
async fn create() -> StatusCode {
    StatusCode::CREATED
}

#[public(reason = "there is nothing")]
async fn not_found(request: Request) -> (StatusCode, String) {
    (
        StatusCode::NOT_FOUND,
        format!("no {}", request.uri().path()),
    )
}

#[public(reason = "there is nothing here")]
async fn no_repo() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "no such repository")
}

fn routes() -> GuardedRouter {
    let files = tower::service_fn(|_request: Request| async {
        Ok::<_, std::convert::Infallible>((StatusCode::IM_A_TEAPOT, "a file"))
    });
    let repos = GuardedRouter::new()
        .route("/", any(everything).post(create))
        .route("/{id}", get(show).put(change))
        .nest_service("/{id}/files", Files, files)
        .fallback(no_repo);
    GuardedRouter::new()
        .route("/ann", get(ann_only))
        .route("/bound", get(bound))
        .route("/healthz", get(healthz))
        .route("/password", get(by_password))
        .route("/payout", post(payout))
        .nest("/repos", repos)
        .merge_unguarded("for the scraper", &["/*"], Router::new())
        .fallback(not_found)
}

/// Returns a space with Bearer, DPoP and Basic.
fn service_space() -> ProtectionSpace {
    let dpop = Dpop::jwt(verifier()).origin("https://api.example").build();
    let basic = Basic::new(async |user, _password| match user.as_str() {
        "paul" => Caller::known(Identity::new("paul")),
        _ => Caller::rejected(),
    });
    space_builder()
        .scheme(dpop.expect("it is in order"))
        .scheme(basic)
        .build()
        .expect("the space is in order")
}

fn app() -> ProtectedRouter {
    routes().protect(service_space()).expect("a router")
}

fn known(name: &str, identity: Identity) -> Persona {
    let list = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
    let token = token(json!({
        "sub": identity.subject(),
        "scope": list(&mut identity.scopes()).join(" "),
        "roles": list(&mut identity.roles()),
        "acr": identity.acr(),
    }));
    Persona::known(name, identity).header(AUTHORIZATION, format!("Bearer {token}"))
}

fn expired() -> Persona {
    let token = expired_token(json!({ "scope": "repo:read repo:write", "roles": ["admin"] }));
    Persona::rejected("expired").header(AUTHORIZATION, format!("Bearer {token}"))
}

fn reader() -> Persona {
    known("reader", Identity::new("rita").with_scopes(["repo:read"]))
}

fn admin() -> Persona {
    let ann = Identity::new("ann").with_roles(["admin"]);
    known("admin", ann.with_scopes(["repo:read", "repo:write"]))
}

/// Returns a caller with a bound token and a new proof for each request.
fn holder() -> Persona {
    let key = ProofKey::new();
    let token = token(json!({ "sub": "dora", "cnf": { "jkt": key.thumbprint() } }));
    let identity = Identity::new("dora").with_sender_constraint();
    Persona::known("holder", identity).each_request(move |head| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = i64::try_from(now.expect("after 1970").as_secs()).expect("before 9999");
        let url = format!("https://api.example{}", head.uri.path());
        let proof = key.prove(head.method.as_str(), &url, &token, now);
        let field = |text: String| HeaderValue::try_from(text).expect("a field value");
        head.headers
            .insert(AUTHORIZATION, field(format!("DPoP {token}")));
        head.headers.insert("dpop", field(proof));
    })
}

fn matrix(routes: &GuardedRouter) -> AccessMatrixBuilder {
    AccessMatrix::builder(&routes.access_table(), &service_space()).path_value("id", "7")
}

fn everybody(builder: AccessMatrixBuilder) -> AccessMatrixBuilder {
    let paul = Persona::known("password", Identity::new("paul"));
    let two = Persona::rejected("two tokens").header(AUTHORIZATION, "Bearer one");
    let office = Persona::named("office", Caller::Anonymous);
    builder
        .persona(Persona::anonymous())
        .persona(office.with_address([192, 0, 2, 7].into()))
        .persona(expired())
        .persona(two.header(AUTHORIZATION, "Bearer two"))
        .persona(paul.header(AUTHORIZATION, "Basic cGF1bDpzZWNyZXQ="))
        .persona(reader())
        .persona(known(
            "stranger",
            Identity::new("stranger").with_scopes(["repo:read"]),
        ))
        .persona(admin())
        .persona(holder())
}

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

const MATRIX: &str = r#"- anonymous: no credentials
- office: no credentials
- expired: rejected credentials
- two tokens: rejected credentials
- password: known
- reader: known: scope "repo:read"
- stranger: known: scope "repo:read"
- admin: known: scope "repo:read", scope "repo:write", role "admin"
- holder: known: bound to a key

| method | path | anonymous | office | expired | two tokens | password | reader | stranger | admin | holder |
|---|---|---|---|---|---|---|---|---|---|---|
| fallback | `/*` | 404 unknown | 404 unknown | 401 unknown | 400 unknown | 404 unknown | 404 unknown | 404 unknown | 404 unknown | 404 unknown |
| unguarded | `/*` | - | - | - | - | - | - | - | - | - |
| GET | `/ann` | 401 | 401 | 401 | 400 | 403 | 403 | 403 | 200 | 403 |
| GET | `/bound` | 401 | 401 | 401 | 400 | 401 unbound | 401 unbound | 401 unbound | 401 unbound | 200 |
| GET | `/healthz` | 200 | 200 | 200 | 200 | 200 | 200 | 200 | 200 | 200 |
| GET | `/password` | 401 | 401 | 401 | 400 | 200 | 401 | 401 | 401 | 401 |
| POST | `/payout` | 401 | 401 | 401 | 400 | 403 | 403 | 403 | 401 step-up | 403 |
| POST | `/repos` | 401 | 401 | 401 | 400 | 403 | 403 scope | 403 scope | 201 | 403 scope |
| any | `/repos` | 401 | 200 | 401 | 400 | 403 | 403 | 403 | 200 | 403 |
| fallback | `/repos/*` | 404 unknown | 404 unknown | 401 unknown | 400 unknown | 404 unknown | 404 unknown | 404 unknown | 404 unknown | 404 unknown |
| GET | `/repos/{id}` | 404 hidden | 404 hidden | 401 hidden | 400 hidden | 404 hidden | 200 | 404 own | 200 | 404 hidden |
| PUT | `/repos/{id}` | 404 hidden | 404 hidden | 401 hidden | 400 hidden | 404 hidden | 403 scope | 403 scope | 204 | 404 hidden |
| any | `/repos/{id}/files/*` | 401 | 401 | 401 | 400 | 418 own | 418 own | 418 own | 418 own | 418 own |

`own`: allowed: the response of the handler.  
`step-up`: denied: a newer or stronger login is required.  
`unbound`: denied: sender-constrained credentials are required.  
`scope`: denied: the credentials lack scopes.  
`hidden`: denied: concealed by the response of an unknown path.  
`unknown`: unknown path.  
`-`: not asked.
"#;

fn file(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A file of an earlier run.
    let _ = std::fs::remove_file(&file);
    file
}

#[tokio::test]
async fn responses_match_the_policies() {
    let builder = everybody(matrix(&routes()));
    let builder = builder.body(Method::PUT, "/repos/{id}", "application/json", "{}");
    let matrix = builder.send(&app()).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(matrix.to_markdown(), MATRIX);
}

#[tokio::test]
async fn missing_body_is_not_a_denial() {
    let matrix = matrix(&routes()).persona(admin()).send(&app()).await;
    let markdown = matrix.expect("a matrix").to_markdown();
    assert!(
        markdown.contains("| PUT | `/repos/{id}` | 415 own |"),
        "{markdown}"
    );
}

/// Returns the differences, one line for each cell.
async fn differences(app: ProtectedRouter, builder: AccessMatrixBuilder) -> Vec<String> {
    let matrix = builder.send(&app).await.expect("a matrix");
    let differences = matrix.differences().map(|(row, persona, difference)| {
        let difference = difference.lines().next().expect("a line");
        format!("{row}, {}: {difference}", persona.name())
    });
    differences.collect()
}

fn short() -> GuardedRouter {
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/repos", post(create))
        .route("/repos/{id}", get(show))
}

fn short_matrix() -> AccessMatrixBuilder {
    AccessMatrix::builder(&short().access_table(), &space()).path_value("id", "7")
}

fn short_app() -> ProtectedRouter {
    short().protect(space()).expect("a router")
}

/// Every kind of policy that distinguishes callers, requested by every kind of caller.
#[tokio::test]
async fn untouched_service_never_differs() {
    #[requires(any(scope = "a", role = "r"), hide_as = 404)]
    async fn one() {}
    #[requires(all(scope = "a", any(role = "r", network = "192.0.2.0/24")))]
    async fn two() {}
    #[requires(scope = "a", acr = "gold", max_age = "5m", hide_as = 404)]
    async fn three() {}
    #[requires(any(check = is_ann, scope = "b"), hide_as = 404, hide_unless = scope("a"))]
    async fn four() {}
    #[requires(sender_constrained, scope = "a")]
    async fn five() {}
    #[requires(network = "192.0.2.0/24", role = "r", hide_as = 404)]
    async fn six() {}
    #[requires(authenticated, schemes(DPoP), realm = "other")]
    async fn seven() {}
    let routes = || {
        let nested = GuardedRouter::new()
            .route("/one", get(one).post(two).put(healthz).delete(payout))
            .route("/three", any(three))
            .layer(map_response(async |response: Response| response));
        let deep = GuardedRouter::new()
            .route("/four/{id}", get(four).delete(five))
            .nest("/n", nested)
            .fallback(no_repo);
        GuardedRouter::new()
            .route("/six", post(six).get(seven))
            .nest("/deep", deep)
            .fallback(not_found)
    };
    let space = service_space();
    let app = routes().protect(space.clone()).expect("a router");
    let mut builder = AccessMatrix::builder(&routes().access_table(), &space).path_value("id", "7");
    builder = everybody(builder);
    for bits in 0..32_u32 {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let mut identity = Identity::new(if has(3) { "ann" } else { "bob" });
        for (bit, scope) in [(0, "a"), (1, "b")] {
            identity = if has(bit) {
                identity.with_scopes([scope])
            } else {
                identity
            };
        }
        identity = if has(2) {
            identity.with_roles(["r"])
        } else {
            identity
        };
        identity = if has(4) {
            identity.with_acr("gold")
        } else {
            identity
        };
        let persona = known(&format!("caller {bits}"), identity);
        let persona = match bits % 3 {
            0 => persona.with_address([192, 0, 2, 7].into()),
            1 => persona.with_address([198, 51, 100, 7].into()),
            _ => persona,
        };
        builder = builder.persona(persona);
    }
    let matrix = builder.send(&app).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let shown = matrix.to_markdown();
    for cell in ["401 step-up", "404 hidden", "403 scope", " 200 ", " 403 "] {
        assert!(shown.contains(cell), "{cell}\n{shown}");
    }
}
