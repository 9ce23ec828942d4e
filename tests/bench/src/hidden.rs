//! Hidden and unknown paths of one router, for the measurements of the difference between their responses.

use std::time::{Duration, Instant};

use auth_runtime::routing::get;
use auth_runtime::schemes::{Bearer, Jwt, JwtKey, Scheme};
use auth_runtime::{
    Caller, CheckRequest, Denied, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace,
    requires,
};
use axum::extract::{Path, Request};
use http::{HeaderName, HeaderValue};
use tower::layer::util::Identity as NoLayer;

use crate::authority::{AUDIENCE, Authority, ISSUER, bearer};
use crate::contenders::{Table, USER};

/// A hidden and an unknown path of one router.
pub struct Case {
    /// The name in the table.
    pub name: &'static str,
    /// The router of both paths.
    pub router: ProtectedRouter,
    /// The credentials of a caller that the hidden path denies.
    pub credentials: Option<(HeaderName, HeaderValue)>,
    /// The hidden path.
    pub hidden: &'static str,
    /// A path that no route matches, of the same length, unless the name says something else.
    pub unknown: &'static str,
    /// Whether signatures are verified, which takes a more variable time.
    pub is_signed: bool,
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "the page"
}

#[requires(scope = "read")]
async fn shown() -> &'static str {
    "the page"
}

#[requires(scope = "admin", hide_as = 404)]
struct HiddenFiles;

async fn is_allowed(request: CheckRequest<'_>) -> bool {
    request.identity().subject().is_empty()
}

#[requires(check = is_allowed, hide_as = 404)]
async fn checked() -> &'static str {
    "the page"
}

/// One object exists, and belongs to another caller.
#[requires(scope = "read", hide_as = 404)]
async fn object(guard: Guard, Path(name): Path<String>) -> Result<&'static str, Denied> {
    let owner = (name == "theirs").then_some("ada");
    guard.permit(owner == Some(guard.identity().subject()))?;
    Ok("the object")
}

/// A scheme that verifies each token anew, and the credentials of a caller that the hidden path denies.
fn jwt() -> (Bearer, (HeaderName, HeaderValue)) {
    let authority = Authority::new();
    let key = JwtKey::rs256_pem(authority.public_key()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let jwt = Bearer::jwt(jwt.build().expect("a verifier"));
    (jwt, bearer(&authority.token("openid profile read write")))
}

fn routes() -> GuardedRouter {
    GuardedRouter::new().route("/shown", get(shown))
}

fn protect(routes: GuardedRouter, scheme: impl Scheme) -> ProtectedRouter {
    let space = ProtectionSpace::builder().realm("bench").scheme(scheme);
    let space = space.build().expect("the space is in order");
    routes.protect(space).expect("every state is there")
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let user = Some(bearer(USER));
    let by_table = |routes| protect(routes, Table::default());
    let of = |name, routes, hidden, unknown| Case {
        name,
        router: by_table(routes),
        credentials: user.clone(),
        hidden,
        unknown,
        is_signed: false,
    };
    let on_path = || routes().route("/hidden", get(hidden));
    let (jwt, token) = jwt();
    let looked_up = Bearer::new(async |_token| Caller::known(Identity::new("ann")));
    let files = tower::service_fn(async |_: Request| Ok::<_, std::convert::Infallible>("the page"));
    vec![
        Case {
            credentials: None,
            ..of("handler, no credentials", on_path(), "/hidden", "/absent")
        },
        of("handler, scope is missing", on_path(), "/hidden", "/absent"),
        Case {
            router: protect(on_path(), looked_up),
            ..of(
                "the same, asynchronous scheme",
                on_path(),
                "/hidden",
                "/absent",
            )
        },
        Case {
            router: protect(on_path(), jwt),
            credentials: Some(token),
            is_signed: true,
            ..of(
                "the same, JWT verified anew",
                on_path(),
                "/hidden",
                "/absent",
            )
        },
        of(
            "nested handler",
            routes().nest("/api", on_path()),
            "/api/hidden",
            "/api/absent",
        ),
        of(
            "handler with a layer of its own",
            routes().route("/hidden", get(hidden).layer(NoLayer::new())),
            "/hidden",
            "/absent",
        ),
        of(
            "`nest_service`",
            routes().nest_service("/hidden", HiddenFiles, files),
            "/hidden/page",
            "/absent/page",
        ),
        of(
            "`check` that denies",
            routes().route("/hidden", get(checked)),
            "/hidden",
            "/absent",
        ),
        of(
            "`permit` that denies",
            routes().route("/objects/{name}", get(object)),
            "/objects/theirs",
            "/absents/theirs",
        ),
        of(
            "`permit`, against an object that does not exist",
            routes().route("/objects/{name}", get(object)),
            "/objects/theirs",
            "/objects/absent",
        ),
    ]
}

/// The delays of [`controls`].
pub const DELAYS: [Duration; 3] = [
    Duration::from_micros(25),
    Duration::from_micros(100),
    Duration::from_micros(400),
];

/// Uses the processor for this time.
fn spin(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

async fn takes_25(_: CheckRequest<'_>) -> bool {
    spin(DELAYS[0]);
    false
}

async fn takes_100(_: CheckRequest<'_>) -> bool {
    spin(DELAYS[1]);
    false
}

async fn takes_400(_: CheckRequest<'_>) -> bool {
    spin(DELAYS[2]);
    false
}

#[requires(check = takes_25, hide_as = 404)]
async fn late_by_25() {}

#[requires(check = takes_100, hide_as = 404)]
async fn late_by_100() {}

#[requires(check = takes_400, hide_as = 404)]
async fn late_by_400() {}

/// Hidden paths that take a known time longer, which a measurement has to find.
pub fn controls() -> [Case; 3] {
    let of = |name, routes: GuardedRouter| Case {
        name,
        router: protect(routes, Table::default()),
        credentials: Some(bearer(USER)),
        hidden: "/hidden",
        unknown: "/absent",
        is_signed: false,
    };
    [
        of("control: 25 µs", routes().route("/hidden", get(late_by_25))),
        of(
            "control: 100 µs",
            routes().route("/hidden", get(late_by_100)),
        ),
        of(
            "control: 400 µs",
            routes().route("/hidden", get(late_by_400)),
        ),
    ]
}

async fn waits(_: CheckRequest<'_>) -> bool {
    tokio::time::sleep(Duration::from_millis(1)).await;
    false
}

#[requires(check = waits, hide_as = 404)]
async fn answered_late() {}

/// The step of [`in_steps`].
const STEP: Duration = Duration::from_millis(5);

/// Cases whose concealed responses, and those of unknown paths, wait for the end of a step.
pub fn in_steps() -> [Case; 3] {
    let of = |name, routes: GuardedRouter| Case {
        name,
        router: protect(routes, Table::default()).conceal_timing(STEP),
        credentials: Some(bearer(USER)),
        hidden: "/hidden",
        unknown: "/absent",
        is_signed: false,
    };
    let (jwt, token) = jwt();
    let scope_is_missing = routes().route("/hidden", get(hidden));
    [
        of(
            "`check` that denies, `conceal_timing` of 5 ms",
            routes().route("/hidden", get(checked)),
        ),
        of(
            "`check` that waits for 1 ms, the same",
            routes().route("/hidden", get(answered_late)),
        ),
        Case {
            router: protect(scope_is_missing, jwt).conceal_timing(STEP),
            credentials: Some(token),
            hidden: "/hidden",
            unknown: "/absent",
            name: "JWT verified anew, the same",
            is_signed: true,
        },
    ]
}
