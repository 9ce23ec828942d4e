//! Every route asked by every kind of caller, and compared with what its policy says.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_runtime::routing::{any, get, post};
use auth_runtime::{
    AccessMatrix, AccessMatrixBuilder, AccessMatrixError, Basic, Bearer, Caller, CheckRequest,
    Dpop, Guard, GuardedRouter, Identity, Persona, ProtectionSpace, Sessions, UnknownPaths,
    assert_access_matrix, public, requires,
};
use auth_tests::proof::ProofKey;
use auth_tests::{expired_token, space, space_builder, token, verifier};
use axum::extract::{Json, Request};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
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
        .merge_unguarded("for the scraper", Router::new())
        .fallback(not_found)
}

/// Takes tokens, also such as are bound to a key, and passwords.
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

fn app() -> Router {
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

/// Somebody whose token is bound to a key, and who proves to have it anew with each request.
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
        .persona(office.from_address([192, 0, 2, 7].into()))
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
- expired: credentials that are no good
- two tokens: credentials that are no good
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

`own`: let in: the handler itself answered so.  
`step-up`: denied: log in again, or more strongly.  
`unbound`: denied: the credentials have to be bound to a key.  
`scope`: denied: the credentials lack scopes.  
`hidden`: denied, by the very answer of a path that is not there.  
`unknown`: there is nothing.  
`-`: not asked.
"#;

#[tokio::test]
async fn everybody_is_answered_what_the_policies_say() {
    let builder = everybody(matrix(&routes()));
    let builder = builder.body(Method::PUT, "/repos/{id}", "application/json", "{}");
    let matrix = builder.send(&app()).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(matrix.to_markdown(), MATRIX);
}

#[tokio::test]
async fn a_handler_that_wants_a_body_lets_in_without_one() {
    let matrix = matrix(&routes()).persona(admin()).send(&app()).await;
    let markdown = matrix.expect("a matrix").to_markdown();
    assert!(
        markdown.contains("| PUT | `/repos/{id}` | 415 own |"),
        "{markdown}"
    );
}

/// What differs, a line for each cell; of a longer one the first line.
async fn differences(app: Router, builder: AccessMatrixBuilder) -> Vec<String> {
    let matrix = builder.send(&app).await.expect("a matrix");
    let differences = matrix.differences().map(|(row, persona, difference)| {
        let method = row.method().map_or("any", Method::as_str);
        let difference = difference.lines().next().expect("a line");
        format!("{method} {}, {}: {difference}", row.path(), persona.name())
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

fn short_app() -> Router {
    short().protect(space()).expect("a router")
}

#[tokio::test]
async fn a_layer_that_answers_in_place_of_a_handler_is_found() {
    let intercept = from_fn(async |request: Request, next: axum::middleware::Next| {
        if request.uri().path() == "/repos" {
            return StatusCode::OK.into_response();
        }
        next.run(request).await
    });
    let found = differences(
        short_app().layer(intercept),
        short_matrix()
            .persona(Persona::anonymous())
            .persona(reader()),
    );
    assert_eq!(
        found.await,
        [
            "POST /repos, anonymous: the policy says 401 for want of credentials (rule 2: unknown: scope = \
             \"repo:write\"), but something else answered 200: a layer, or a router around this one",
            "POST /repos, reader: the policy says 403 for want of the scopes \"repo:write\" (rule 3c: no: \
             scope = \"repo:write\"), but something else answered 200: a layer, or a router around this one",
        ]
    );
}

#[tokio::test]
async fn a_layer_that_makes_something_else_of_an_answer_is_found() {
    let without_challenge = map_response(async |mut response: Response| {
        response.headers_mut().remove(WWW_AUTHENTICATE);
        response
    });
    let builder = || {
        short_matrix()
            .persona(Persona::anonymous())
            .persona(admin())
    };
    assert_eq!(
        differences(short_app().layer(without_challenge), builder()).await,
        [
            "POST /repos, anonymous: the policy says 401 for want of credentials (rule 2: unknown: scope = \
             \"repo:write\"), but what arrived was 401 without a challenge in place of 401 with a \
             challenge of Bearer: a layer changed it"
        ]
    );
    let with_status = |status: StatusCode| {
        map_response(move |mut response: Response| {
            *response.status_mut() = status;
            std::future::ready(response)
        })
    };
    let found = differences(
        short_app().layer(with_status(StatusCode::FORBIDDEN)),
        builder(),
    )
    .await;
    // What is hidden is still what unknown paths are.
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found[0].ends_with("but a layer made 403 of the handler's 200"),
        "{found:#?}"
    );
    // 500 instead of 200 lets nobody in, and denies nobody; what is denied has to be told.
    let found = differences(
        short_app().layer(with_status(StatusCode::INTERNAL_SERVER_ERROR)),
        builder(),
    );
    let found = found.await;
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[tokio::test]
async fn a_verifier_that_grants_too_much_is_found() {
    let generous = Bearer::new(async |_token| {
        Caller::known(Identity::new("rita").with_scopes(["repo:read", "repo:write"]))
    });
    let space = ProtectionSpace::builder().realm("api").scheme(generous);
    let app = short().protect(space.build().expect("a space"));
    let found = differences(
        app.expect("a router"),
        short_matrix().persona(reader()).persona(expired()),
    );
    assert_eq!(
        found.await,
        [
            "POST /repos, reader: the policy says 403 for want of the scopes \"repo:write\" (rule 3c: no: \
             scope = \"repo:write\"), but was let in: 201",
            "POST /repos, expired: the policy says 401 for bad credentials (rule 2: unknown: scope = \
             \"repo:write\"), but was let in: 201",
            "GET /repos/{id}, expired: the policy says that nothing is there (rule 2: unknown: scope = \
             \"repo:read\"), but was let in: 200",
        ]
    );
}

#[tokio::test]
async fn a_verifier_that_refuses_what_is_good_is_found() {
    let strict = Bearer::new(async |_token| Caller::rejected());
    let space = ProtectionSpace::builder().realm("api").scheme(strict);
    let app = short().protect(space.build().expect("a space"));
    let found = differences(app.expect("a router"), short_matrix().persona(admin())).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].ends_with("but the answer was 401 for bad credentials"),
        "{found:#?}"
    );
    assert!(
        found[1].ends_with("but the answer was that of an unknown path: 401"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn a_403_for_somebody_nobody_knows_is_found() {
    // From the wrong network no credentials would help; the persona was to come from the right one.
    let routes = || GuardedRouter::new().route("/x", get(office_only));
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let lost = from_fn(async |mut request: Request, next: axum::middleware::Next| {
        let elsewhere = std::net::SocketAddr::from(([198, 51, 100, 1], 0));
        let elsewhere = axum::extract::ConnectInfo(elsewhere);
        request.extensions_mut().insert(elsewhere);
        next.run(request).await
    });
    let app = routes().protect(space()).expect("a router").layer(lost);
    let office = Persona::named("office", Caller::Anonymous).from_address([192, 0, 2, 7].into());
    assert_eq!(
        differences(app, matrix.persona(office)).await,
        [
            "GET /x, office: the policy says 401 for want of credentials (rule 2: unknown: all(unknown: \
             authenticated, yes: network = \"192.0.2.0/24\")), but the answer was 403"
        ]
    );
}

#[requires(authenticated, network = "192.0.2.0/24")]
async fn office_only() {}

#[requires(scope = "repo:write")]
async fn another() {}

#[tokio::test]
async fn another_handler_in_the_place_of_one_is_found() {
    let routes = GuardedRouter::new()
        .route("/repos", post(another))
        .route("/repos/{id}", get(show));
    let app = routes.protect(space()).expect("a router");
    let found = differences(app, short_matrix().persona(admin())).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    // `/healthz` is not there at all.
    assert!(
        found[0].starts_with("GET /healthz, admin: the policy lets in (rule 1: public")
            && found[0].ends_with("but what answers unknown paths answered, with 404"),
        "{found:#?}"
    );
    assert!(
        found[1].contains("but access_matrix::another (tests/tests/access_matrix.rs:")
            && found[1].ends_with(") answered, with 200"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn a_fallback_that_another_one_stands_in_for_is_found() {
    let nested = |inner: GuardedRouter| {
        GuardedRouter::new()
            .nest("/a", inner.route("/x", get(healthz)))
            .fallback(not_found)
    };
    let table = nested(GuardedRouter::new().fallback(no_repo)).access_table();
    let app = nested(GuardedRouter::new()).protect(space());
    let matrix = AccessMatrix::builder(&table, &space()).persona(Persona::anonymous());
    let found = differences(app.expect("a router"), matrix).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0]
            .contains("any /a/*, anonymous: the policy lets in, but access_matrix::not_found (")
            && found[0].ends_with("answered, with 404"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn a_hidden_path_that_can_be_told_apart_is_found() {
    let telltale = from_fn(async |request: Request, next: axum::middleware::Next| {
        let is_there = request.uri().path() == "/repos/7";
        let mut response = next.run(request).await;
        if is_there {
            let soon = HeaderValue::from_static("soon");
            response.headers_mut().insert("x-archived", soon);
        }
        response
    });
    let builder = short_matrix()
        .persona(Persona::anonymous())
        .persona(expired())
        .persona(reader());
    let matrix = builder.send(&short_app().layer(telltale)).await;
    let matrix = matrix.expect("a matrix");
    let found: Vec<_> = matrix.differences().collect();
    assert_eq!(found.len(), 2, "{found:#?}");
    let (row, persona, difference) = found[0];
    assert_eq!((row.path(), persona.name()), ("/repos/{id}", "anonymous"));
    assert!(
        difference.starts_with(
            "the policy says that nothing is there, but this can be told from a path that is not \
             there; it answers\n      HTTP/1.1 404 Not Found\n"
        ) && difference.contains("      x-archived: soon\n"),
        "{difference}"
    );
    assert!(
        matrix
            .to_markdown()
            .contains("| ≠ 404 hidden | ≠ 401 hidden | 200 |")
    );
}

#[public(reason = "it answers for itself")]
struct Elsewhere;

#[tokio::test]
async fn an_object_that_the_handler_hides_is_its_own_answer() {
    let space = space();
    let routes = || {
        let inner = GuardedRouter::new().route("/{id}", get(show));
        let inner = inner.layer(map_response(async |response: Response| response));
        // What answers in place of the handler has gates, too.
        let elsewhere = GuardedRouter::new()
            .fallback(no_repo)
            .protect(auth_tests::space());
        GuardedRouter::new()
            .nest("/n", inner)
            .fallback_service(Elsewhere, elsewhere.expect("a router"))
    };
    let table = routes().access_table();
    let app = routes().protect(space.clone()).expect("a router");
    let stranger = Identity::new("stranger").with_scopes(["repo:read"]);
    let matrix = AccessMatrix::builder(&table, &space)
        .path_value("id", "7")
        .persona(known("stranger", stranger))
        .persona(Persona::anonymous());
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let markdown = matrix.to_markdown();
    let row = "| GET | `/n/{id}` | 404 own | 404 hidden |";
    assert!(markdown.contains(row), "{markdown}");
}

#[tokio::test]
async fn what_changes_with_every_request_tells_nothing() {
    let count = Arc::new(AtomicUsize::new(0));
    let numbered = map_response(move |mut response: Response| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        response.headers_mut().insert("x-number", number.into());
        std::future::ready(response)
    });
    let space = || {
        let dpop = Dpop::jwt(verifier()).origin("https://api.example").nonces();
        ProtectionSpace::builder()
            .realm("api")
            .scheme(dpop.build().expect("it is in order"))
            .build()
            .expect("a space")
    };
    let app = short().protect(space()).expect("a router").layer(numbered);
    let matrix = AccessMatrix::builder(&short().access_table(), &space()).path_value("id", "7");
    let forged = Persona::rejected("forged").header(AUTHORIZATION, "DPoP forged");
    let found = differences(app, matrix.persona(Persona::anonymous()).persona(forged)).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn a_clock_that_ticks_tells_nothing() {
    // Whichever request it ticks before.
    for start in 0..5 {
        let count = Arc::new(AtomicUsize::new(start));
        let dated = map_response(move |mut response: Response| {
            let now = count.fetch_add(1, Ordering::Relaxed) / 5;
            response.headers_mut().insert("x-now", now.into());
            std::future::ready(response)
        });
        let builder = short_matrix().persona(Persona::anonymous());
        let found = differences(short_app().layer(dated), builder).await;
        assert!(found.is_empty(), "{start}: {found:#?}");
    }
}

#[tokio::test]
async fn what_tells_a_hidden_path_is_found_beside_what_changes() {
    let count = Arc::new(AtomicUsize::new(0));
    let described = from_fn(move |request: Request, next: axum::middleware::Next| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        async move {
            let error = match request.uri().path() {
                "/repos/7" => "not yours",
                _ => "not there",
            };
            match next.run(request).await {
                response if response.status() == StatusCode::NOT_FOUND => {
                    let body = Json(json!({ "error": error, "request": number }));
                    (StatusCode::NOT_FOUND, body).into_response()
                }
                response => response,
            }
        }
    });
    let builder = short_matrix().persona(Persona::anonymous());
    let found = differences(short_app().layer(described), builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[tokio::test]
async fn a_hidden_path_of_parameters_alone_has_something_beside_it() {
    let routes = || {
        GuardedRouter::new()
            .route("/{owner}", get(show))
            .route("/{owner}/{repo}", get(show).put(change))
            .route("/{owner}/{repo}/{branch}", get(show))
    };
    let matrix = AccessMatrix::builder(&routes().access_table(), &space())
        .path_value("owner", "ann")
        .path_value("repo", "maps")
        .path_value("branch", "main");
    let app = routes().protect(space()).expect("a router");
    let found = differences(app, matrix.persona(Persona::anonymous())).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn where_everything_is_there_nothing_is_hidden() {
    let routes = || {
        GuardedRouter::new()
            .route("/{*rest}", get(show))
            .route("/", get(healthz))
    };
    let matrix =
        AccessMatrix::builder(&routes().access_table(), &space()).path_value("rest", "a/b c");
    let app = routes().protect(space()).expect("a router");
    assert_eq!(
        differences(app, matrix.persona(Persona::anonymous())).await,
        [
            "GET /{*rest}, anonymous: the policy says that nothing is there, but every path beside it is"
        ]
    );
}

#[tokio::test]
async fn what_the_space_tells_of_unknown_paths_is_what_hidden_ones_tell() {
    let space = || {
        let builder = space_builder().unknown_paths(UnknownPaths::Challenge);
        builder.build().expect("a space")
    };
    let routes = || short().fallback(not_found);
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space()).path_value("id", "7");
    let matrix = matrix
        .persona(Persona::anonymous())
        .persona(known("nobody", Identity::new("bob")));
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let markdown = matrix.to_markdown();
    assert!(markdown.contains("| GET | `/repos/{id}` | 401 hidden | 404 hidden |"));
    assert!(markdown.contains("| fallback | `/*` | 401 unknown | 404 unknown |"));
    // The table of a service whose unknown paths tell nothing.
    let matrix = AccessMatrix::builder(&routes().access_table(), &auth_tests::space());
    let matrix = matrix.path_value("id", "7").persona(Persona::anonymous());
    let found = differences(app, matrix).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("any /*, anonymous"), "{found:#?}");
}

#[tokio::test]
async fn a_browser_that_is_sent_to_log_in_is_denied() {
    let sessions = Sessions::builder().login_page("/login").build();
    let sessions = sessions.expect("sessions");
    let space = ProtectionSpace::builder().realm("shop").scheme(sessions);
    let space = space.build().expect("a space");
    let routes = || GuardedRouter::new().route("/account", get(account).post(create));
    let app = routes().protect(space.clone()).expect("a router");
    let browser = Persona::named("browser", Caller::Anonymous)
        .header(ACCEPT, "text/html")
        .header(SEC_FETCH_MODE, "navigate");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space)
        .persona(Persona::anonymous())
        .persona(browser);
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(!matrix.rows()[0].answers()[1].is_let_in());
    let markdown = matrix.to_markdown();
    assert!(
        markdown.contains("| GET | `/account` | 401 | 303 login |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| POST | `/account` | 401 | 401 |"),
        "{markdown}"
    );
}

#[tokio::test]
async fn a_row_for_any_method_is_asked_by_one_that_has_no_other_row() {
    let routes = || GuardedRouter::new().route("/x", any(account).get(healthz).put(healthz));
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(matrix.to_markdown().contains("| any | `/x` | 401 |"));
}

#[tokio::test]
async fn a_row_for_any_method_is_asked_where_every_method_has_a_row() {
    let routes = || {
        let all = any(account).get(healthz).post(healthz).put(healthz);
        let all = all.patch(healthz).delete(healthz).options(healthz);
        GuardedRouter::new().route("/x", all.head(healthz).trace(healthz))
    };
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(matrix.to_markdown().contains("| any | `/x` | 401 |"));
}

#[public(reason = "a test")]
async fn panics() {
    panic!("the handler panics, as it should");
}

#[requires(authenticated)]
async fn never_answers() {
    std::future::pending().await
}

fn endless() -> GuardedRouter {
    GuardedRouter::new()
        .route("/panics", get(panics))
        .route("/waits", get(never_answers))
        .route("/healthz", get(healthz))
}

#[tokio::test]
async fn whoever_gets_to_a_handler_that_does_not_end_was_let_in() {
    let asked = || {
        let builder = AccessMatrix::builder(&endless().access_table(), &space());
        builder
            .persona(Persona::anonymous())
            .persona(reader())
            .time_limit(Duration::from_millis(50))
    };
    let app = || endless().protect(space()).expect("a router");
    let matrix = asked().send(&app()).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let shown = matrix.to_markdown();
    for row in [
        "| GET | `/panics` | unfinished | unfinished |\n",
        "| GET | `/waits` | 401 | unfinished |\n",
        "| GET | `/healthz` | 200 | 200 |\n",
        "`unfinished`: let in, but the handler did not come to an end.",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    let answers = matrix.rows()[2].answers();
    assert_eq!((answers[1].status(), answers[1].is_let_in()), (None, true));

    // A layer that cuts it off does not change that, unless it says something else.
    let cut_off = |status: StatusCode| {
        let layer = from_fn(
            move |request: Request, next: axum::middleware::Next| async move {
                let answer = tokio::spawn(next.run(request));
                match tokio::time::timeout(Duration::from_millis(20), answer).await {
                    Ok(Ok(response)) => response,
                    _ => status.into_response(),
                }
            },
        );
        app().layer(layer)
    };
    let app = cut_off(StatusCode::REQUEST_TIMEOUT);
    let matrix = asked().send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let shown = matrix.to_markdown();
    let row = "| GET | `/waits` | 401 | 408 unfinished |\n";
    assert!(shown.contains(row), "{shown}");
    assert_eq!(
        differences(cut_off(StatusCode::FORBIDDEN), asked()).await,
        [
            "GET /panics, anonymous: the policy lets in (rule 1: public(reason = \"a test\")), but a layer \
             answered 403 before the handler was done",
            "GET /panics, reader: the policy lets in (rule 1: public(reason = \"a test\")), but a layer \
             answered 403 before the handler was done",
            "GET /waits, reader: the policy lets in (rule 1: yes: authenticated), but a layer answered 403 \
             before the handler was done",
        ]
    );
}

#[tokio::test]
async fn that_nobody_answers_is_found() {
    let routes = || GuardedRouter::new().route("/x", get(account));
    let builder = |persona: Persona| {
        let builder = AccessMatrix::builder(&routes().access_table(), &space());
        builder
            .persona(persona)
            .time_limit(Duration::from_millis(20))
    };
    let with = |bearer: Bearer| {
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let space = space.build().expect("a space");
        routes().protect(space).expect("a router")
    };
    let slow = with(Bearer::new(async |_token| std::future::pending().await));
    assert_eq!(
        differences(slow, builder(reader())).await,
        [
            "GET /x, reader: the policy lets in (rule 1: yes: authenticated), but no answer came within 20ms"
        ]
    );
    let broken = with(Bearer::new(async |_token| {
        panic!("the verifier panics, as it should")
    }));
    let matrix = builder(expired()).send(&broken).await.expect("a matrix");
    assert!(matrix.to_string().contains("≠ unanswered"), "{matrix}");
    let (_, _, difference) = matrix.differences().next().expect("a difference");
    assert!(
        difference.ends_with("but there was a panic in place of an answer"),
        "{difference}"
    );
    // Who was not to be let in was, however long the handler takes.
    let generous = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::new(async |_token| {
            Caller::known(Identity::new("x"))
        }));
    let generous = endless().protect(generous.build().expect("a space"));
    let builder = AccessMatrix::builder(&endless().access_table(), &space());
    let builder = builder
        .persona(expired())
        .time_limit(Duration::from_millis(20));
    let found = differences(generous.expect("a router"), builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].ends_with("but was let in, and no answer came within 20ms"),
        "{found:#?}"
    );
}

async fn fails(_request: CheckRequest<'_>) -> Result<bool, std::io::Error> {
    Err(std::io::Error::other("the database is down"))
}

#[requires(check = fails)]
async fn checked() {}

#[tokio::test]
async fn a_check_that_fails_is_found() {
    let routes = || GuardedRouter::new().route("/x", get(checked));
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let found = differences(app, matrix.persona(reader()).persona(Persona::anonymous())).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("GET /x, reader: the policy lets in or says 403")
            && found[0].ends_with("but the answer was 503"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn whom_nobody_can_verify_is_told_to_come_back() {
    let down = Bearer::new(async |_token| Caller::Unverifiable {
        retry_after: Some(Duration::from_secs(30)),
    });
    let space = ProtectionSpace::builder().realm("api").scheme(down).build();
    let space = space.expect("a space");
    let app = short().protect(space.clone()).expect("a router");
    let matrix = AccessMatrix::builder(&short().access_table(), &space).path_value("id", "7");
    let persona = Persona::named("unlucky", Caller::unverifiable());
    let matrix = matrix.persona(persona.header(AUTHORIZATION, "Bearer x"));
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(matrix.to_markdown().contains("| POST | `/repos` | 503 |"));
}

#[tokio::test]
async fn what_is_removed_is_removed_last() {
    #[public(reason = "a test")]
    async fn note(Extension(seen): Extension<Arc<Mutex<Vec<String>>>>, method: Method) {
        seen.lock().expect("a list").push(method.to_string());
    }
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let routes =
        || GuardedRouter::new().route("/x", get(note).delete(note).post(note).options(note));
    let table = routes().route("/a", auth_runtime::routing::delete(note).put(note));
    let app = table.access_table();
    let service = routes().route("/a", auth_runtime::routing::delete(note).put(note));
    let service = service.protect(space()).expect("a router");
    let service = service.layer(Extension(Arc::clone(&seen)));
    let matrix = AccessMatrix::builder(&app, &space()).persona(Persona::anonymous());
    let matrix = matrix.send(&service).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let seen = seen.lock().expect("a list").clone();
    assert_eq!(seen, ["GET", "OPTIONS", "PUT", "POST", "DELETE", "DELETE"]);
}

#[tokio::test]
async fn everything_that_cannot_be_asked_for_is_said_at_once() {
    let routes = GuardedRouter::new()
        .route("/a/{id}/{other}", get(healthz))
        .route("/b/{id}", get(healthz))
        .route("/c d", get(healthz))
        .route("/e/{empty}", get(healthz));
    let builder = AccessMatrix::builder(&routes.access_table(), &space())
        .persona(Persona::anonymous())
        .persona(Persona::rejected("anonymous").header(AUTHORIZATION, "a\nb"))
        .persona(Persona::rejected(" "))
        .path_value("empty", "")
        .path_value("stale", "1")
        .target("/gone", "/gone")
        .target("/b/{id}", "no path")
        .body(Method::POST, "/b/{id}", "text/plain", "x")
        .body(Method::GET, "/b/{id}", "text\n", "x");
    let app = routes.protect(space()).expect("a router");
    let error = builder.send(&app).await.expect_err("mistakes");
    assert!(!error.is_difference());
    assert_eq!(
        error.to_string(),
        r#"the matrix cannot be asked for
  two personas have the name "anonymous"
  "anonymous" sends a `authorization` that is no field value
  a persona has no name
  no path has the parameter "stale"
  the table has no path `/gone`, so it needs no target
  nothing is asked by POST `/b/{id}`
  the media type for GET `/b/{id}` is none
  `/a/{id}/{other}` has a parameter without a value: add `.path_value("id", …)`
  `/a/{id}/{other}` has a parameter without a value: add `.path_value("other", …)`
  `/b/{id}` cannot be asked: `no\u{20}path` is no target of a request
  `/c\u{20}d` cannot be asked: `/c\u{20}d` is no target of a request
  `/e/{empty}` has a parameter without a value: add `.path_value("empty", …)`"#
    );
    assert_eq!(format!("{error:?}"), error.to_string());
    let nobody = AccessMatrix::builder(&short().access_table(), &space()).path_value("id", "7");
    let error = nobody.send(&short_app()).await.expect_err("nobody");
    assert!(error.to_string().contains("nobody asks"), "{error}");
}

#[tokio::test]
async fn names_that_look_the_same_are_one() {
    let matrix = short_matrix()
        .persona(Persona::anonymous())
        .persona(Persona::named("a\nb", Caller::Anonymous))
        .persona(Persona::named("a b", Caller::Anonymous));
    let error = matrix.send(&short_app()).await.expect_err("a mistake");
    assert!(
        error
            .to_string()
            .ends_with("two personas have the name \"a b\""),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_is_asked_by_the_target_that_was_named() {
    #[public(reason = "tells its target")]
    async fn tell(request: Request) -> Response {
        let is_meant = request.uri() == "/a/%C3%A9%2F/b/c?d=e";
        if is_meant {
            StatusCode::OK
        } else {
            StatusCode::CONFLICT
        }
        .into_response()
    }
    #[public(reason = "tells its target")]
    async fn tell_filled(request: Request) -> Response {
        let is_meant = request.uri() == "/f/%C3%A9%2F/b/c%20d";
        if is_meant {
            StatusCode::OK
        } else {
            StatusCode::CONFLICT
        }
        .into_response()
    }
    let routes = || {
        GuardedRouter::new()
            .route("/a/{x}/{*rest}", get(tell))
            .route("/f/{x}/{*rest}", get(tell_filled))
    };
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space())
        .persona(Persona::anonymous())
        .path_value("x", "é/")
        .path_value("rest", "b/c d")
        .target("/a/{x}/{*rest}", "/a/%C3%A9%2F/b/c?d=e");
    let matrix = matrix.send(&app).await.expect("a matrix");
    let shown: Vec<_> = matrix
        .rows()
        .iter()
        .map(|row| row.answers()[0].to_string())
        .collect();
    assert_eq!(shown, ["200", "200"]);
}

#[tokio::test]
async fn a_matrix_is_shown_in_columns_and_as_json() {
    let builder = short_matrix()
        .persona(Persona::anonymous())
        .persona(reader());
    let matrix = builder.send(&short_app()).await.expect("a matrix");
    assert_eq!(
        matrix.to_string(),
        "\
METHOD  PATH         anonymous   reader
GET     /healthz     200         200
POST    /repos       401         403 scope
GET     /repos/{id}  404 hidden  200
"
    );
    let json = serde_json::to_value(&matrix).expect("JSON");
    assert_eq!(
        json["personas"],
        json!([
            { "name": "anonymous", "is": "no credentials" },
            { "name": "reader", "is": "known: scope \"repo:read\"" },
        ])
    );
    assert_eq!(json["rows"][2]["row"]["path"], "/repos/{id}");
    assert_eq!(
        json["rows"][2]["answers"],
        json!([
            { "status": 404, "shown": "404 hidden", "let_in": false, "difference": null },
            { "status": 200, "shown": "200", "let_in": true, "difference": null },
        ])
    );
    let answers = matrix.rows()[2].answers();
    assert!(answers[0].is_hidden() && !answers[0].is_let_in());
    assert!(!answers[1].is_hidden() && answers[1].is_let_in());
}

#[tokio::test]
async fn nothing_in_a_name_is_markup() {
    let name = "a|b: `c`\n<script>";
    let matrix = short_matrix().persona(Persona::named(name, Caller::Anonymous));
    let matrix = matrix.send(&short_app()).await.expect("a matrix");
    let markdown = matrix.to_markdown();
    let plain = "a&#124;b&#58; &#96;c&#96; &#60;script&#62;";
    assert!(markdown.starts_with(&format!(
        "- {plain}: no credentials\n\n| method | path | {plain} |\n"
    )));
    let file = file("names.md");
    std::fs::write(&file, format!("# Who\n\n{markdown}")).expect("a file");
    matrix.check(&file).expect("the same");
}

#[test]
fn nothing_that_a_persona_sends_is_shown() {
    let persona = reader().header(CONTENT_LENGTH, "0");
    let shown = format!("{persona:?}");
    assert_eq!(
        shown,
        r#"Persona { name: "reader", is: "known: scope \"repo:read\"", .. }"#
    );
    let builder = format!("{:?}", short_matrix().persona(persona));
    assert!(!builder.contains("Bearer"), "{builder}");
}

/// Every policy that tells callers apart, asked by every kind of caller.
#[tokio::test]
async fn a_service_as_it_comes_never_differs() {
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
            0 => persona.from_address([192, 0, 2, 7].into()),
            1 => persona.from_address([198, 51, 100, 7].into()),
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

fn file(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Of an earlier run.
    let _ = std::fs::remove_file(&file);
    file
}

async fn short_asked(readers_scope: &'static str) -> AccessMatrix {
    let reader = known("reader", Identity::new("rita").with_scopes([readers_scope]));
    let builder = short_matrix().persona(Persona::anonymous()).persona(reader);
    builder.send(&short_app()).await.expect("a matrix")
}

#[tokio::test]
async fn a_matrix_without_a_file_is_a_failure() {
    let matrix = short_asked("repo:read").await;
    let file = file("missing.md");
    let expected = file.clone();
    let failure = catch_unwind(AssertUnwindSafe(|| assert_access_matrix!(matrix, file)))
        .expect_err("no file");
    assert_eq!(
        failure.downcast_ref::<String>().expect("a text"),
        &format!(
            "there is no `{}` that says who is answered what; write it by `ACCESS_MATRIX=overwrite cargo \
             test`, and commit it",
            expected.display()
        )
    );
    assert!(!expected.exists());
}

#[tokio::test]
async fn who_is_let_in_and_was_not_before_is_told_first() {
    let file = file("changed.md");
    let before = short_asked("repo:read").await.to_markdown();
    let before = before.replace(
        "| GET | `/healthz` | 200 | 200 |\n",
        "| GET | `/gone` | 200 | 200 |\n",
    );
    std::fs::write(&file, before).expect("a file");
    let report = short_asked("repo:write")
        .await
        .check(&file)
        .expect_err("a change");
    assert!(!report.is_difference());
    assert_eq!(
        report.to_string(),
        "\
who is answered what is not what `changed.md` says

let in, and was not before
  POST `/repos`
    reader: 403 scope → 201

added
  GET `/healthz`
    anonymous: nothing → 200
    reader: nothing → 200

no longer let in
  GET `/repos/{id}`
    reader: 200 → 404 hidden

removed
  GET `/gone`
    anonymous: 200 → nothing
    reader: 200 → nothing

personas that are others than before
  reader: known: scope \"repo:read\" → known: scope \"repo:write\"

If that is meant, accept it by `ACCESS_MATRIX=overwrite cargo test`, and commit `changed.md` with it."
    );
}

#[tokio::test]
async fn several_unguarded_routers_are_told_apart() {
    let routes = |reasons: &[&'static str]| {
        let short = GuardedRouter::new().route("/healthz", get(healthz));
        let routes = reasons.iter().fold(short, |routes, reason| {
            routes.merge_unguarded(reason, Router::new())
        });
        let matrix = AccessMatrix::builder(&routes.access_table(), &space());
        (matrix, routes.protect(space()).expect("a router"))
    };
    let file = file("unguarded.md");
    let (matrix, app) = routes(&["for the scraper", "for the proxy"]);
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    std::fs::write(&file, matrix.to_markdown()).expect("a file");
    matrix.check(&file).expect("the same");
    let (fewer, app) = routes(&["for the scraper"]);
    let fewer = fewer.persona(Persona::anonymous()).send(&app).await;
    let report = fewer.expect("a matrix").check(&file).expect_err("a change");
    let report = report.to_string();
    let removed = "removed\n  unguarded `/*`, another\n    anonymous: - → nothing\n";
    assert!(report.contains(removed), "{report}");
}

#[tokio::test]
async fn a_file_without_a_table_is_a_failure() {
    let matrix = short_asked("repo:read").await;
    let file = file("unreadable.md");
    std::fs::write(&file, "<<<<<<< HEAD\n").expect("a file");
    let report = matrix.check(&file).expect_err("no table").to_string();
    assert!(
        report.contains("has no table of who is answered what"),
        "{report}"
    );
    let folder = file.with_file_name("folder.md");
    std::fs::create_dir_all(&folder).expect("a folder");
    let report = matrix.check(&folder).expect_err("a folder").to_string();
    assert!(report.contains("cannot be read or written"), "{report}");
    std::fs::remove_dir(folder).expect("the folder");
}

#[tokio::test]
async fn a_change_is_accepted_by_the_environment_alone() -> Result<(), AccessMatrixError> {
    // Run by itself, in a process whose environment is its own.
    if let Some(file) = std::env::var_os("ACCESS_MATRIX_FILE") {
        let matrix = short_asked("repo:read").await;
        if std::env::var_os("ACCESS_MATRIX_DIFFERS").is_some() {
            // What is not as the policies say is never written.
            let app = short_app().layer(map_response(async |_: Response| StatusCode::OK));
            return short_matrix()
                .persona(Persona::anonymous())
                .send(&app)
                .await?
                .check(file);
        }
        assert_access_matrix!(matrix, file);
        return Ok(());
    }
    let file = file("accepted.md");
    let test = |accept: Option<&str>, differs: bool| {
        let mut test = Command::new(std::env::current_exe().expect("this program"));
        test.args(["--exact", "a_change_is_accepted_by_the_environment_alone"]);
        test.env("ACCESS_MATRIX_FILE", &file)
            .env_remove("ACCESS_MATRIX")
            .env_remove("CI");
        test.envs(accept.map(|value| ("ACCESS_MATRIX", value)));
        test.envs(differs.then_some(("ACCESS_MATRIX_DIFFERS", "")));
        test
    };
    let is_success = |mut test: Command| test.output().expect("a run").status.success();
    let run = |accept: Option<&str>, differs: bool| is_success(test(accept, differs));
    for value in [None, Some(""), Some("1"), Some("Overwrite")] {
        assert!(!run(value, false), "{value:?}");
        assert!(!file.exists());
    }
    assert!(!run(Some("overwrite"), true));
    assert!(!file.exists());
    // Nobody looks at what is accepted there.
    let mut in_ci = test(Some("overwrite"), false);
    in_ci.env("CI", "true");
    assert!(!is_success(in_ci));
    assert!(!file.exists());
    assert!(run(Some("overwrite"), false));
    let written = std::fs::read_to_string(&file).expect("a file");
    let start = "# Who is answered what\n\nNot to be edited: `assert_access_matrix!` compares it with what \
                 the service answers. A change is accepted by\n`ACCESS_MATRIX=overwrite cargo test`, and \
                 reviewed here.\n\n- anonymous: no credentials\n";
    assert!(written.starts_with(start), "{written}");
    assert!(run(None, false));
    std::fs::write(&file, written.replace("403 scope", "200")).expect("a file");
    assert!(!run(None, false));
    assert!(run(Some("overwrite"), false));
    Ok(())
}

#[tokio::test]
async fn a_difference_is_reported_before_the_file_is_looked_at() {
    let cached = from_fn(async |request: Request, next: axum::middleware::Next| {
        match request.uri().path() {
            "/repos" => (StatusCode::OK, "from a cache").into_response(),
            _ => next.run(request).await,
        }
    });
    let builder = short_matrix().persona(Persona::anonymous());
    let matrix = builder.send(&short_app().layer(cached)).await;
    let report = matrix.expect("a matrix").check(file("never-read.md"));
    let report = report.expect_err("a difference");
    assert!(report.is_difference());
    assert_eq!(
        report.to_string(),
        "\
the service answers something else than its policies say

  POST /repos, anonymous: the policy says 401 for want of credentials (rule 2: unknown: scope = \
         \"repo:write\"), but something else answered 200: a layer, or a router around this one"
    );
}
