//! The service's own user, behind any scheme: `with_user`, `requires_user` and `CurrentUser`.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::routing::{FromIdentity, MissingUser, get};
use auth_runtime::schemes::{ApiKeys, Basic, Bearer, Scheme, SchemeExt, Sessions};
use auth_runtime::testing::{assert_hidden, with_identity};
use auth_runtime::{
    Caller, CheckRequest, CurrentUser, Guard, GuardedRouter, Identity, ProtectedRouter,
    ProtectionSpace, public, requires,
};
use auth_tests::{App, token, verifier};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use serde_json::json;
use tower::ServiceExt;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

/// It is not `Clone`.
#[derive(Debug)]
struct User {
    email: &'static str,
    roles: &'static [&'static str],
}

/// A database, with the number of queries.
#[derive(Clone, Default)]
struct Db(Arc<AtomicUsize>);

impl Db {
    async fn find(&self, name: &str) -> io::Result<Option<User>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let user = |email, roles| Some(User { email, roles });
        match name {
            "ann" => Ok(user("ann@shop.example", &[])),
            "ada" => Ok(user("ada@shop.example", &["admin"])),
            "down" => Err(io::Error::other("the database is down")),
            _ => Ok(None),
        }
    }
}

async fn load(db: Db, identity: Identity) -> io::Result<Option<(Identity, User)>> {
    let user = db.find(identity.subject()).await?;
    Ok(user.map(|user| (identity.with_roles(user.roles.iter().copied()), user)))
}

#[requires(authenticated)]
async fn email(CurrentUser(user): CurrentUser<User>) -> &'static str {
    user.email
}

/// With extractors of axum around it, and a guard.
#[requires(authenticated)]
async fn among_others(
    guard: Guard,
    State(greeting): State<&'static str>,
    user: CurrentUser<User>,
    body: String,
) -> String {
    let subject = guard.identity().subject();
    format!("{greeting} {subject} {} {body}", user.email)
}

#[requires(role = "admin", hide_as = 404)]
async fn hidden(user: CurrentUser<User>) -> &'static str {
    user.email
}

#[requires(authenticated, schemes("ApiKey"))]
async fn job() {}

#[public(reason = "for all; members see their address", identity = optional)]
async fn page(user: Option<CurrentUser<User>>) -> &'static str {
    user.map_or("nobody", |user| user.email)
}

async fn is_of_the_shop(request: CheckRequest<'_>) -> bool {
    let user = request.identity().user::<User>();
    user.is_some_and(|user| user.email.ends_with("@shop.example"))
}

#[requires(check = is_of_the_shop)]
async fn checked() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/email", get(email))
        .route("/others", get(among_others))
        .route("/hidden", get(hidden))
        .route("/page", get(page))
        .route("/checked", get(checked))
        .with_state("hello")
}

fn space(scheme: impl Scheme) -> ProtectionSpace {
    let space = ProtectionSpace::builder().realm("shop").scheme(scheme);
    space.build().expect("a space")
}

fn serve(scheme: impl Scheme) -> ProtectedRouter {
    routes()
        .protect(space(scheme))
        .expect("every user is there")
}

fn jwt(db: &Db) -> impl Scheme + Debug {
    Bearer::jwt(verifier()).with_user(db.clone(), load)
}

async fn ask(app: &impl App, target: &str, authorization: Option<String>) -> Response {
    let mut request = Request::get(target);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let request = request.body(Body::from("now")).expect("a request");
    app.clone().oneshot(request).await.expect("infallible")
}

fn of(subject: &str) -> Option<String> {
    Some(format!("Bearer {}", token(json!({ "sub": subject }))))
}

async fn text(response: Response) -> String {
    let body = to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8_lossy(&body.expect("a body")).into_owned()
}

#[tokio::test]
async fn handlers_receive_the_user() {
    let app = serve(jwt(&Db::default()));
    for (target, subject, expected) in [
        ("/email", "ann", "ann@shop.example"),
        ("/others", "ann", "hello ann ann@shop.example now"),
        ("/hidden", "ada", "ada@shop.example"),
        ("/page", "ada", "ada@shop.example"),
    ] {
        let response = ask(&app, target, of(subject)).await;
        assert_eq!(text(response).await, expected, "{target} {subject}");
    }
    assert_eq!(text(ask(&app, "/page", None).await).await, "nobody");
}

#[tokio::test]
async fn lookups_decide_the_status() {
    let app = serve(jwt(&Db::default()));
    for (target, subject, status) in [
        ("/email", "ann", 200),
        ("/email", "gone", 401),
        ("/email", "down", 503),
        ("/hidden", "ada", 200),
        ("/hidden", "ann", 404),
        ("/hidden", "gone", 401),
        ("/nowhere", "gone", 401),
        ("/nowhere", "ann", 404),
        ("/page", "gone", 401),
        ("/page", "down", 503),
        ("/checked", "ann", 200),
    ] {
        let response = ask(&app, target, of(subject)).await;
        assert_eq!(response.status(), status, "{target} {subject}");
    }
    let gone = ask(&app, "/email", of("gone")).await;
    let challenge = gone.headers()["www-authenticate"].to_str();
    let expected = "Bearer realm=\"shop\", error=\"invalid_token\", \
                    error_description=\"the access token is not valid\"";
    assert_eq!(challenge.expect("ASCII"), expected);
    let down = ask(&app, "/email", of("down")).await;
    assert!(down.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn hidden_paths_stay_hidden() {
    let app = serve(jwt(&Db::default()));
    for subject in ["ann", "gone", "down"] {
        let request = Request::get("/hidden").header("authorization", of(subject).expect("some"));
        assert_hidden(app.clone(), request.body(Body::empty()).expect("a request")).await;
    }
}

#[tokio::test]
async fn only_valid_credentials_load_a_user() {
    let db = Db::default();
    let app = serve(jwt(&db));
    for authorization in [None, Some("Bearer forged".to_owned())] {
        assert_eq!(ask(&app, "/email", authorization).await.status(), 401);
    }
    assert_eq!(db.0.load(Ordering::SeqCst), 0);
    ask(&app, "/email", of("ann")).await;
    assert_eq!(db.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_function_serves_every_scheme() {
    let db = Db::default();
    let basic = Basic::new(async |user, _| Caller::known(Identity::new(user)));
    let sessions = Sessions::builder().build().expect("sessions");
    let space = ProtectionSpace::builder()
        .realm("shop")
        .scheme(jwt(&db))
        .scheme(basic.with_user(db.clone(), load))
        .scheme(sessions.with_user(db, load))
        .build();
    #[public(reason = "a test")]
    async fn log_in(session: Session) {
        let ada = Identity::new("ada");
        Sessions::log_in(&session, &ada).await.expect("the store");
    }
    let app = routes().route("/login", get(log_in));
    let app = app.protect(space.expect("a space")).expect("every user");
    let layer = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let app = app.layer(layer);
    let basic = format!("Basic {}", STANDARD.encode("ann:secret"));
    let response = ask(&app, "/email", Some(basic)).await;
    assert_eq!(text(response).await, "ann@shop.example");
    let logged_in = ask(&app, "/login", None).await;
    let cookie = logged_in.headers()["set-cookie"].to_str().expect("ASCII");
    let (cookie, _) = cookie.split_once(';').expect("attributes");
    let request = Request::get("/hidden").header("cookie", cookie);
    let request = request.body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    assert_eq!(text(response).await, "ada@shop.example");
}

/// A session has the roles of the login, which the user may have lost since.
#[tokio::test]
async fn loader_replaces_roles_of_login() {
    let sessions = Sessions::builder().build().expect("sessions");
    #[public(reason = "a test")]
    async fn log_in(session: Session) {
        let ann = Identity::new("ann").with_roles(["admin"]);
        Sessions::log_in(&session, &ann).await.expect("the store");
    }
    let load_anew = |db, identity: Identity| load(db, identity.without_roles());
    let app = routes().route("/login", get(log_in));
    let app = app.protect(space(sessions.with_user(Db::default(), load_anew)));
    let app = app.expect("every user");
    let layer = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let app = app.layer(layer);
    let logged_in = ask(&app, "/login", None).await;
    let cookie = logged_in.headers()["set-cookie"].to_str().expect("ASCII");
    let (cookie, _) = cookie.split_once(';').expect("attributes");
    for (path, status) in [("/email", 200), ("/hidden", 404)] {
        let request = Request::get(path).header("cookie", cookie);
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{path}");
    }
}

/// An extractor that is made of the user.
struct Domain(&'static str);

impl<S: Sync> FromIdentity<S> for Domain {
    type Rejection = MissingUser;

    async fn from_identity(
        identity: &Identity,
        head: &mut Parts,
        state: &S,
    ) -> Result<Self, MissingUser> {
        let user = CurrentUser::<User>::from_identity(identity, head, state).await?;
        let (_, domain) = user.email.split_once('@').unwrap_or_default();
        Ok(Self(domain))
    }

    fn needed_user() -> Option<auth_runtime::schemes::UserType> {
        Some(auth_runtime::schemes::UserType::of::<User>())
    }
}

#[tokio::test]
async fn extractors_are_made_of_the_user() {
    #[requires(authenticated)]
    async fn domain(Domain(domain): Domain) -> &'static str {
        domain
    }
    let router = || GuardedRouter::new().route("/", get(domain));
    let app = router().protect(space(jwt(&Db::default()))).expect("users");
    assert_eq!(text(ask(&app, "/", of("ann")).await).await, "shop.example");
    assert!(router().protect(auth_tests::space()).is_err());
}

#[tokio::test]
async fn missing_users_are_named_by_type() {
    let (mut head, ()) = Request::new(()).into_parts();
    let ann = Identity::new("ann");
    let missing = CurrentUser::<User>::from_identity(&ann, &mut head, &()).await;
    let error: Box<dyn std::error::Error> = Box::new(missing.expect_err("no user"));
    let of = format!(
        "an identity has no `{}::User`, which its handler takes",
        module_path!()
    );
    assert_eq!(error.to_string(), of);
}

fn keys() -> ApiKeys {
    let keys = ApiKeys::builder().key("a-long-random-key-of-a-job", Identity::new("job"));
    keys.build().expect("keys")
}

#[test]
fn schemes_without_the_user_are_mistakes() {
    struct Account;
    let load_account = async |(), identity| Ok::<_, io::Error>(Some((identity, Account)));
    let builder = || ProtectionSpace::builder().realm("shop").scheme(keys());
    let mistakes = |router: GuardedRouter, bearer| {
        let space = match bearer {
            Some(true) => builder().scheme(jwt(&Db::default())),
            Some(false) => builder().scheme(Bearer::jwt(verifier()).with_user((), load_account)),
            None => builder().scheme(Bearer::jwt(verifier())),
        };
        let protected = router.protect(space.build().expect("a space"));
        protected.err().map(|error| error.to_string())
    };
    #[requires(authenticated, schemes(Bearer))]
    async fn of_bearer(_: CurrentUser<User>) {}
    let of_bearer = || GuardedRouter::new().route("/", get(of_bearer));
    let of_all = || GuardedRouter::new().route("/", get(email));
    let of_optional = || GuardedRouter::new().route("/", get(page));
    let lacks = |handler: &str, schemes: &str| {
        let here = module_path!();
        Some(format!(
            "`{here}::{handler}` takes the user `{here}::User`, and callers by \
             `{schemes}` have none; add `.with_user(…)` to each of these schemes, or exclude them with \
             `schemes(…)`"
        ))
    };
    assert_eq!(mistakes(of_bearer(), Some(true)), None);
    assert_eq!(mistakes(of_bearer(), None), lacks("of_bearer", "Bearer"));
    assert_eq!(
        mistakes(of_bearer(), Some(false)),
        lacks("of_bearer", "Bearer")
    );
    assert_eq!(mistakes(of_all(), Some(true)), lacks("email", "ApiKey"));
    assert_eq!(mistakes(of_all(), None), lacks("email", "ApiKey`, `Bearer"));
    assert_eq!(mistakes(of_optional(), Some(true)), lacks("page", "ApiKey"));
    // The place among the parameters does not matter.
    let among_others = GuardedRouter::new().route("/", get(among_others));
    let among_others = among_others.with_state("hello");
    assert_eq!(
        mistakes(among_others, Some(true)),
        lacks("among_others", "ApiKey")
    );
    #[public(reason = "for all", identity = optional)]
    async fn before_body(_: Option<CurrentUser<User>>, _: String) {}
    let before_body = || GuardedRouter::new().route("/", get(before_body));
    let of_before_body = lacks("before_body", "ApiKey");
    assert_eq!(mistakes(before_body(), Some(true)), of_before_body);
    assert_eq!(
        mistakes(GuardedRouter::new().route("/", get(job)), None),
        None
    );
}

#[tokio::test]
async fn verifiers_find_the_user_themselves() {
    async fn look_up(token: String) -> Caller {
        let user = User {
            email: "ann@shop.example",
            roles: &[],
        };
        match token.as_str() {
            "with" => Caller::known(Identity::new("ann").with_user(user)),
            "without" => Caller::known(Identity::new("ann")),
            _ => Caller::rejected(),
        }
    }
    let bearer = Bearer::new(look_up).requires_user::<User>();
    let app = GuardedRouter::new().route("/", get(email));
    let app = app.protect(space(bearer)).expect("users");
    for (token, status) in [("with", 200), ("without", 503), ("forged", 401)] {
        let response = ask(&app, "/", Some(format!("Bearer {token}"))).await;
        assert_eq!(response.status(), status, "{token}");
    }
}

#[test]
fn a_user_is_not_printed() {
    let user = User {
        email: "ann@shop.example",
        roles: &[],
    };
    assert_eq!(format!("{:?}", CurrentUser(Arc::new(user))), "CurrentUser");
}

#[tokio::test]
async fn tests_set_the_user() {
    let app = serve(jwt(&Db::default()));
    let by = async |identity| {
        let request = Request::get("/email").body(Body::empty());
        let request = with_identity(request.expect("a request"), identity);
        app.clone().oneshot(request).await.expect("infallible")
    };
    let user = User {
        email: "test@shop.example",
        roles: &[],
    };
    let response = by(Identity::new("ann").with_user(user)).await;
    assert_eq!(text(response).await, "test@shop.example");
    assert_eq!(by(Identity::new("ann")).await.status(), 500);
}

/// A scheme with a value of its own for each property.
struct Unusual;

impl Scheme for Unusual {
    fn name(&self) -> &str {
        "Unusual"
    }

    fn sources(&self) -> Vec<auth_runtime::schemes::Source> {
        vec![auth_runtime::schemes::Source::Query("key".to_owned())]
    }

    fn verify(
        &self,
        _: &auth_runtime::schemes::Credentials<'_>,
    ) -> auth_runtime::schemes::Verification {
        auth_runtime::schemes::Verification::done(Caller::rejected())
    }

    fn granted_fields(&self, _: &http::HeaderMap) -> Vec<(http::HeaderName, http::HeaderValue)> {
        vec![(http::header::ETAG, http::HeaderValue::from_static("x"))]
    }

    fn triggers_browser_prompt(&self) -> bool {
        true
    }

    fn has_challenge(&self) -> bool {
        false
    }

    fn format(&self) -> Option<&str> {
        Some("unusual")
    }

    fn constrains_sender(&self) -> bool {
        true
    }

    fn signs_body(&self) -> bool {
        true
    }

    fn is_oauth(&self) -> bool {
        true
    }

    fn supports_step_up(&self) -> bool {
        false
    }

    fn login_page(&self) -> Option<&str> {
        Some("/login")
    }
}

#[test]
fn other_properties_are_those_of_scheme() {
    let with_user = Unusual.with_user(Db::default(), load);
    assert_eq!(with_user.name(), "Unusual");
    assert_eq!(with_user.sources(), Unusual.sources());
    let fields = http::HeaderMap::new();
    assert_eq!(
        with_user.granted_fields(&fields),
        Unusual.granted_fields(&fields)
    );
    assert!(with_user.triggers_browser_prompt());
    assert!(!with_user.has_challenge());
    assert_eq!(with_user.format(), Some("unusual"));
    assert!(with_user.constrains_sender());
    assert!(with_user.signs_body());
    assert!(with_user.is_oauth());
    assert!(!with_user.supports_step_up());
    assert_eq!(with_user.login_page(), Some("/login"));
}
