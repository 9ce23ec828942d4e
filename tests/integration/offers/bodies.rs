//! The texts of policies and the missing requirements, in the bodies of denials.

use auth_runtime::testing::with_caller;
use auth_runtime::{CheckRequest, Denied, Guard, ProtectedRouter, UnknownPaths};
use auth_tests::send_raw;
use axum::extract::ConnectInfo;

use super::*;

const TEXT: &str = "Ask Tom & \"Jerry\" <team> for access.";

#[requires(scope = "a", says = "Ask Tom & \"Jerry\" <team> for access.")]
async fn scope() {}

#[requires(scope = "a", scope = "b", role = "r", says = "Ask.")]
async fn all() {}

#[requires(any(role = "r", scope = "a"), says = "Ask.")]
async fn any() {}

#[requires(any(role = "r", permission = "p"))]
async fn silent() {}

#[requires(role = "r", acr = "gold", says = "Ask.")]
async fn strong() {}

#[requires(scope = "a", max_age = "5m", says = "Ask.")]
async fn recent() {}

#[requires(setting = "off", says = "Closed.")]
async fn closed() {}

#[requires(
    any(setting = "off", all(network = "192.0.2.0/24", role = "r")),
    says = "Closed."
)]
async fn closed_or_near() {}

#[requires(check = fails_or_denies, says = "Ask.")]
async fn checked() {}

#[requires(sender_constrained, says = "Ask.")]
async fn bound() {}

#[requires(sender_constrained, max_age = "5m", says = "Ask.")]
async fn bound_and_recent() {}

#[requires(role = "r", hide_as = 404)]
async fn hidden() {}

#[requires(role = "r", hide_as = 404, hide_unless = scope("a"), says = "Ask.")]
async fn half_hidden() {}

#[requires(authenticated, says = "Ask the owner.")]
async fn object(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

#[requires(scope = "b", hide_as = 404, hide_unless = scope("a"), says = "Ask the owner.")]
async fn half_hidden_object(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

/// The text of the module, unless a handler has its own.
#[requires(role = "staff", says = "Staff only.")]
mod staff {
    #[auth_runtime::requires(scope = "a")]
    pub async fn inherited() {}

    #[auth_runtime::requires(scope = "a", says = "Staff with `a` only.")]
    pub async fn own() {}
}

async fn fails_or_denies(request: CheckRequest<'_>) -> Result<bool, std::io::Error> {
    match request.identity().subject() {
        "outage" => Err(std::io::Error::other("the database is down")),
        _ => Ok(false),
    }
}

/// No caller can turn the setting on.
#[requires(any(setting = "off", all(role = "r", permission = "z")))]
async fn either() {}

/// The service has the setting on, so that every login suffices.
#[requires(any(all(authenticated, setting = "on"), scope = "a"))]
async fn login_or_scope() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/scope", get(scope).post(scope))
        .route("/all", get(all))
        .route("/any", get(any))
        .route("/silent", get(silent))
        .route("/strong", get(strong))
        .route("/recent", get(recent))
        .route("/either", get(either))
        .route("/login-or-scope", get(login_or_scope))
        .route("/closed", get(closed))
        .route("/closed-or-near", get(closed_or_near))
        .route("/checked", get(checked))
        .route("/bound", get(bound))
        .route("/bound-and-recent", get(bound_and_recent))
        .route("/hidden", get(hidden))
        .route("/half-hidden", get(half_hidden))
        .route("/object", get(object))
        .route("/half-hidden-object", get(half_hidden_object))
        .route("/inherited", get(staff::inherited))
        .route("/own", get(staff::own))
}

/// Writes all parts of the details on one line.
fn render(denial: &DenialDetails<'_>, _: &RequestSnapshot) -> DenialBody {
    let missing: Vec<_> = denial.missing().iter().map(ToString::to_string).collect();
    let text = format!("{:?} [{}]", denial.says(), missing.join(", "));
    DenialBody::new(HeaderValue::from_static("text/plain"), text)
}

fn builder() -> ProtectionSpaceBuilder {
    let dpop = auth_runtime::schemes::Dpop::jwt(verifier()).origin("https://api.example");
    let builder = space_builder().scheme(dpop.build().expect("in order"));
    builder.setting("off", false).setting("on", true)
}

fn app(builder: ProtectionSpaceBuilder) -> ProtectedRouter {
    let space = builder.build().expect("the space is in order");
    routes().protect(space).expect("the routes are in order")
}

fn caller(scopes: &[&str], roles: &[&str]) -> Caller {
    let identity = Identity::new("ann").with_scopes(scopes.iter().copied());
    Caller::known(identity.with_roles(roles.iter().copied()))
}

#[tokio::test]
async fn a_renderer_sees_the_missing_requirements() {
    let app = app(builder().render(render));
    let outage = || Caller::known(Identity::new("outage"));
    for (target, caller, status, expected) in [
        (
            "/any",
            Caller::Anonymous,
            401,
            r#"Some("Ask.") [scope = "a"]"#,
        ),
        (
            "/all",
            Caller::Anonymous,
            401,
            r#"Some("Ask.") [scope = "a", scope = "b", role = "r"]"#,
        ),
        ("/silent", Caller::Anonymous, 401, r#"None [role = "r"]"#),
        // A login meets the policy without a scope.
        (
            "/login-or-scope",
            Caller::Anonymous,
            401,
            "None [authenticated]",
        ),
        // Their owner has to learn that the credentials are invalid.
        ("/any", Caller::rejected(), 401, r#"None [scope = "a"]"#),
        ("/any", Caller::unverifiable(), 503, "None []"),
        (
            "/any",
            caller(&[], &[]),
            403,
            r#"Some("Ask.") [scope = "a"]"#,
        ),
        (
            "/all",
            caller(&["b"], &["r"]),
            403,
            r#"Some("Ask.") [scope = "a"]"#,
        ),
        (
            "/all",
            caller(&["b"], &[]),
            403,
            r#"Some("Ask.") [scope = "a", role = "r"]"#,
        ),
        ("/silent", caller(&["a"], &[]), 403, r#"None [role = "r"]"#),
        (
            "/strong",
            caller(&[], &["r"]),
            401,
            r#"None [acr = "gold"]"#,
        ),
        (
            "/strong",
            caller(&[], &[]),
            403,
            r#"Some("Ask.") [role = "r", acr = "gold"]"#,
        ),
        // The login is not missing: the scope is requested first.
        (
            "/recent",
            caller(&[], &[]),
            403,
            r#"Some("Ask.") [scope = "a"]"#,
        ),
        (
            "/recent",
            Caller::Anonymous,
            401,
            r#"Some("Ask.") [scope = "a"]"#,
        ),
        (
            "/either",
            caller(&[], &[]),
            403,
            r#"None [role = "r", permission = "z"]"#,
        ),
        (
            "/closed",
            Caller::Anonymous,
            403,
            r#"Some("Closed.") [setting = "off"]"#,
        ),
        (
            "/closed-or-near",
            caller(&[], &["r"]),
            403,
            r#"Some("Closed.") [setting = "off"]"#,
        ),
        (
            "/checked",
            caller(&[], &[]),
            403,
            r#"Some("Ask.") [check = fails_or_denies]"#,
        ),
        ("/checked", outage(), 503, "None []"),
        ("/bound", caller(&[], &[]), 401, "None [sender_constrained]"),
        // The login of the bound token is a recent one.
        (
            "/bound-and-recent",
            caller(&[], &[]),
            401,
            r#"None [sender_constrained, max_age = "5m"]"#,
        ),
        (
            "/half-hidden",
            caller(&["a"], &[]),
            403,
            r#"Some("Ask.") [role = "r"]"#,
        ),
        (
            "/object",
            caller(&[], &[]),
            403,
            r#"Some("Ask the owner.") []"#,
        ),
        (
            "/half-hidden-object",
            caller(&["a", "b"], &[]),
            403,
            r#"Some("Ask the owner.") []"#,
        ),
        (
            "/inherited",
            caller(&["a"], &[]),
            403,
            r#"Some("Staff only.") [role = "staff"]"#,
        ),
        (
            "/own",
            caller(&["a"], &[]),
            403,
            r#"Some("Staff with `a` only.") [role = "staff"]"#,
        ),
        ("/nowhere", caller(&["a"], &[]), 404, "None []"),
    ] {
        let answer = send(&app, with_caller(request(target), caller.clone())).await;
        let seen = (answer.status.as_u16(), answer.body.as_str());
        assert_eq!(seen, (status, expected), "{target} {caller:?}");
    }
}

/// A renderer can write the sentence of the built-in body.
#[tokio::test]
async fn renderer_has_built_in_sentence() {
    let own = app(builder().render(|denial, _| {
        let sentence = denial.message().to_owned();
        DenialBody::new(HeaderValue::from_static("text/plain"), sentence)
    }));
    let built_in = app(builder());
    for (target, caller) in [
        ("/silent", Caller::Anonymous),
        ("/silent", Caller::rejected()),
        ("/silent", Caller::unverifiable()),
        ("/silent", caller(&[], &[])),
        ("/any", caller(&[], &[])),
        ("/nowhere", caller(&[], &[])),
    ] {
        let request = || with_caller(request(target), caller.clone());
        let body = send(&built_in, request()).await.body;
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let sentence = send(&own, request()).await.body;
        assert_eq!(body["detail"], sentence, "{target} {caller:?}");
    }
}

#[tokio::test]
async fn renderer_sees_status_and_request() {
    let app = app(builder().render(|denial, request| {
        let text = format!(
            "{} {} {} {:?} {:?} {}",
            denial.status().as_u16(),
            request.method(),
            request.uri(),
            request.accept(),
            request.accept_language(),
            request.is_from_script(),
        );
        DenialBody::new(HeaderValue::from_static("text/plain"), text)
    }));
    let language = ("accept-language", "de-CH, en;q=0.5");
    for (method, fields, status, expected) in [
        (Method::GET, &[][..], 401, "GET /scope?a=1 None None false"),
        (
            Method::GET,
            &[language, ("accept", "text/html")],
            401,
            r#"GET /scope?a=1 Some("text/html") Some("de-CH, en;q=0.5") false"#,
        ),
        (
            Method::GET,
            &[("sec-fetch-mode", "cors")],
            401,
            "GET /scope?a=1 None None true",
        ),
        (
            Method::GET,
            &[("sec-fetch-mode", "navigate"), ("x-known", "yes")],
            403,
            "GET /scope?a=1 None None false",
        ),
        (
            Method::POST,
            &[("x-known", "yes")],
            403,
            "POST /scope?a=1 None None false",
        ),
    ] {
        let mut request = with("/scope?a=1", fields);
        *request.method_mut() = method;
        if request.headers().contains_key("x-known") {
            request = with_caller(request, caller(&[], &[]));
        }
        let answer = send(&app, request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.body, format!("{status} {expected}"));
    }
}

/// Its body can depend on the path, since a hidden path has the body of an unknown one.
#[tokio::test]
async fn renderer_sees_target_as_sent() {
    let space = builder().render(|_, request: &RequestSnapshot| {
        let target = request.uri().to_string();
        DenialBody::new(HeaderValue::from_static("text/plain"), target)
    });
    let app = GuardedRouter::new().nest("/v2", routes());
    let app = app.protect(space.build().unwrap()).unwrap();
    let plain = Router::new().nest_service("/outer", app.clone());
    for (path, status) in [
        ("/v2/scope?a=1", 403),
        ("/v2/object", 403),
        ("/v2/hidden?a=1", 404),
        ("/v2/half-hidden", 404),
        ("/v2/nowhere?a=1", 404),
        ("/nowhere", 404),
    ] {
        let caller = || caller(&[], &[]);
        let answer = send(&app, with_caller(request(path), caller())).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (status, path));
        let target = format!("/outer{path}");
        let answer = send(&plain, with_caller(request(&target), caller())).await;
        assert_eq!((answer.status.as_u16(), answer.body), (status, target));
    }
}

#[tokio::test]
async fn concealed_denials_have_neither() {
    let plain = app(builder());
    let rendered = app(builder().render(render));
    for target in ["/hidden", "/half-hidden", "/half-hidden-object"] {
        for caller in [
            Caller::Anonymous,
            Caller::rejected(),
            caller(&[], &[]),
            caller(&["b"], &[]),
        ] {
            for app in [&plain, &rendered] {
                let request = || with_caller(request(target), caller.clone());
                if !matches!(caller, Caller::Rejected(_)) {
                    assert_hidden(app.clone(), request()).await;
                }
                let answer = send(app, request()).await;
                let body = answer.body;
                assert!(!body.contains("Ask") && !body.contains("role"), "{body}");
            }
        }
    }
}

/// A guard conceals an object on a plain router as well, without the text and the realm of the policy.
#[tokio::test]
async fn concealed_plain_router_objects_have_neither() {
    #[requires(
        any(network = "192.0.2.0/24", scope = "b"),
        hide_as = 404,
        hide_unless = scope("a"),
        says = "Ask the owner.",
        realm = "vault"
    )]
    async fn object(guard: Guard) -> Result<(), Denied> {
        guard.permit(false)
    }

    let space = builder().unknown_paths(UnknownPaths::Challenge);
    let space = space.render(render).build().expect("a space");
    let app = Router::new()
        .route("/", axum::routing::get(object))
        .layer(axum::Extension(space));
    for (caller, status) in [
        (Caller::Anonymous, 401),
        (Caller::rejected(), 401),
        (caller(&["b"], &[]), 404),
    ] {
        let mut request = with_caller(request("/"), caller);
        let peer = std::net::SocketAddr::from(([192, 0, 2, 7], 4711));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = send(&app, request).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (status, "None []"));
        let challenges = answer.challenges();
        assert_eq!(challenges.is_empty(), status == 404, "{challenges:?}");
        let is_of_space = |line: &&str| line.contains("realm=\"api\"");
        assert!(challenges.iter().all(is_of_space), "{challenges:?}");
    }
}

#[tokio::test]
async fn built_in_bodies_have_the_text() {
    let app = app(builder());
    let escaped = "Ask Tom &amp; \"Jerry\" &lt;team&gt; for access.";
    for (accept, expected) in [
        ("application/json", json!(TEXT).to_string()),
        ("text/html", format!("<h1>Forbidden</h1><p>{escaped}</p>")),
        ("text/plain", format!("403 Forbidden\n{TEXT}\n")),
    ] {
        let mut asked = with("/scope", &[("accept", accept)]);
        asked = with_caller(asked, caller(&[], &[]));
        let answer = send(&app, asked).await;
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains(&expected), "{}", answer.body);
    }
    // The text changes neither the status nor the challenge.
    let anonymous = send(&app, request("/scope")).await;
    assert_eq!(anonymous.status, 401);
    assert!(anonymous.body.contains("Ask Tom"), "{}", anonymous.body);
    let challenges = anonymous.headers.get_all(WWW_AUTHENTICATE).iter();
    let challenges: Vec<_> = challenges.map(|line| line.to_str().unwrap()).collect();
    assert_eq!(challenges.len(), 2, "{challenges:?}");
    assert_eq!(challenges[0], "Bearer realm=\"api\", scope=\"a\"");
    let rejected = send(&app, with_caller(request("/scope"), Caller::rejected())).await;
    assert!(!rejected.body.contains("Ask"), "{}", rejected.body);
}

/// Without a web framework, the body is the same.
#[tokio::test]
async fn text_is_sent_without_a_framework() {
    let address = auth_tests::serve(app(builder())).await;
    let answer = send_raw(
        address,
        "GET /scope HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    let policy = auth_tests::policy_of::<policy_of_scope>();
    let (head, ()) = http::Request::get("/scope").body(()).unwrap().into_parts();
    let space = builder().build().unwrap();
    let denied = space.authorize(policy, &head).await.unwrap_err();
    let body = String::from_utf8(denied.into_body().to_vec()).unwrap();
    assert!(
        body.contains("Ask Tom") && answer.ends_with(&body),
        "{answer}"
    );
}
