//! The places of both credentials, and other schemes beside them.

use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestSecret, Dpop, Sessions};
use auth_tests::digest::Login;
use auth_tests::proof::ProofKey;
use auth_tests::{token, verifier};

use super::*;
use crate::schemes::tokens::now;

#[requires(authenticated, schemes("ApiKey"))]
async fn machines(guard: Guard) -> String {
    names(guard.identity())
}

#[requires(authenticated, schemes("ApiKey"), hide_as = 404)]
async fn hidden_machines(guard: Guard) -> String {
    names(guard.identity())
}

/// Keys of applications, and keys of machines by themselves.
fn with_machines(scheme: impl Scheme) -> ProtectedRouter {
    let space = ProtectionSpace::builder().realm("api");
    let space = space.scheme(scheme).scheme(Keys::default()).build();
    let routes = routes()
        .route("/machines", get(machines))
        .route("/hidden-machines", get(hidden_machines));
    routes.protect(space.expect("a space")).expect("routes")
}

async fn seen(app: &ProtectedRouter, path: &str, fields: &Lines) -> (u16, String) {
    let response = send(app, path, fields).await;
    let status = response.status().as_u16();
    let lines = challenges(&response).join(" | ");
    match status {
        200 => (status, text(response).await),
        _ => (status, lines),
    }
}

#[tokio::test]
async fn key_in_two_places_is_ambiguous() {
    let app = service(tokens().with_application(Keys::default()));
    let fields = |keys: &[(&'static str, &str)]| [bearer("ann"), lines(keys)].concat();
    for (path, fields, status) in [
        ("/both?key=web", fields(&[]), 200),
        ("/both?key=web", fields(&[("apikey", "web")]), 400),
        ("/both?key=web&key=web", fields(&[]), 400),
        (
            "/both",
            fields(&[("apikey", "web"), ("apikey", "web")]),
            400,
        ),
        (
            "/both",
            [bearer("ann"), fields(&[("apikey", "web")])].concat(),
            400,
        ),
        // A caller without a user learns nothing about the key.
        (
            "/both?key=web",
            [bearer("forged"), lines(&[("apikey", "web")])].concat(),
            401,
        ),
        (
            "/both?key=web",
            [bearer("down"), lines(&[("apikey", "web")])].concat(),
            503,
        ),
        // Without a token, no credentials of a user can be ambiguous.
        ("/both?key=web", lines(&[("apikey", "web")]), 401),
    ] {
        assert_eq!(
            seen(&app, path, &fields).await.0,
            status,
            "{path} {fields:?}"
        );
    }
    let long = "a".repeat(20 << 10);
    let (status, challenge) = seen(&app, "/both", &fields(&[("apikey", &long)])).await;
    assert_eq!((status, &*challenge), (431, ""));
}

#[tokio::test]
async fn keys_may_be_their_own_scheme() {
    let app = with_machines(tokens().with_application(Keys::default()));
    let key = |key: &str| lines(&[("apikey", key)]);
    let token = |token: &str| bearer(token);
    for (path, fields, status, expected) in [
        (
            "/both",
            [token("ann"), key("web")].concat(),
            200,
            "ann by web",
        ),
        ("/both", key("job"), 200, "job by none"),
        ("/both", token("ann"), 401, KEY),
        ("/both", key("forged"), 401, &*format!("{BEARER} | {KEY}")),
        ("/both", [token("ann"), key("forged")].concat(), 401, KEY),
        (
            "/both",
            [token("forged"), key("job")].concat(),
            401,
            &*format!("{INVALID} | {KEY}"),
        ),
        ("/both?key=job", key("job"), 400, TWICE),
        ("/machines", key("job"), 200, "job by none"),
        // Only the key counts here.
        (
            "/machines",
            [token("ann"), key("job")].concat(),
            200,
            "job by none",
        ),
        (
            "/hidden-machines",
            [token("ann"), key("job")].concat(),
            200,
            "job by none",
        ),
        ("/machines", token("ann"), 401, KEY),
    ] {
        let expected = (status, expected.to_owned());
        assert_eq!(
            seen(&app, path, &fields).await,
            expected,
            "{path} {fields:?}"
        );
    }
}

#[tokio::test]
async fn two_schemes_may_have_one_application() {
    let users = Basic::new(async |name, _| caller(&name));
    let keys = Keys::default();
    let space = ProtectionSpace::builder().realm("api");
    let space = space.scheme(tokens().with_application(keys.clone()));
    let space = space.scheme(users.with_application(keys)).build();
    let app = routes().protect(space.expect("a space")).expect("routes");
    let anonymous = send(&app, "/both", &Lines::new()).await;
    assert_eq!(challenges(&anonymous), [BEARER, KEY, BASIC]);
    for (user, name) in [
        (bearer("ann"), "ann by web"),
        (basic("bob:x"), "bob by web"),
    ] {
        let fields = [user, lines(&[("apikey", "web")])].concat();
        assert_eq!(seen(&app, "/both", &fields).await, (200, name.to_owned()));
    }
    // The other scheme of the client is offered as well.
    let without_key = send(&app, "/both", &basic("bob:x")).await;
    assert_eq!(challenges(&without_key), [BEARER, KEY]);
    let script = [lines(&[("sec-fetch-mode", "cors")]), basic("forged:x")].concat();
    let rejected = send(&app, "/both", &script).await;
    assert_eq!(challenges(&rejected), [BEARER, KEY]);
}

fn sessions() -> Sessions {
    let sessions = Sessions::look_up(async |value| caller(&value));
    let sessions = sessions.cookie("__Host-login").login_page("/login");
    sessions.build().expect("sessions")
}

fn cookie(value: &str) -> Lines {
    lines(&[("cookie", &format!("__Host-login={value}"))])
}

const COOKIE: &str = "Cookie realm=\"api\"";

#[tokio::test]
async fn sessions_need_a_key() {
    let app = service(sessions().with_application(Keys::default()));
    for (fields, status, expected) in [
        (
            [cookie("ann"), lines(&[("apikey", "web")])].concat(),
            200,
            "ann by web".to_owned(),
        ),
        (cookie("ann"), 401, KEY.to_owned()),
        (
            [cookie("forged"), lines(&[("apikey", "web")])].concat(),
            401,
            format!("{COOKIE} | {KEY}"),
        ),
        (
            lines(&[("apikey", "web")]),
            401,
            format!("{COOKIE} | {KEY}"),
        ),
    ] {
        assert_eq!(
            seen(&app, "/both", &fields).await,
            (status, expected),
            "{fields:?}"
        );
    }
    // Two live cookies are ambiguous, a dead one is ignored.
    for (value, status) in [
        ("ann; __Host-login=bob", 400),
        ("forged; __Host-login=bob", 200),
    ] {
        let fields = [cookie(value), lines(&[("apikey", "web")])].concat();
        assert_eq!(seen(&app, "/both", &fields).await.0, status, "{value}");
    }
}

/// The session is alive: it is not removed, and another login would not help.
#[tokio::test]
async fn missing_keys_end_no_session() {
    let app = service(sessions().with_application(Keys::default()));
    let page = lines(&[("accept", "text/html"), ("sec-fetch-mode", "navigate")]);
    let response = send(&app, "/both", &[cookie("ann"), page.clone()].concat()).await;
    assert_eq!(response.status(), 401);
    assert!(!response.headers().contains_key("set-cookie"));
    let response = send(&app, "/both", &page).await;
    assert_eq!(response.status(), 303, "without a session");
    let response = send(&app, "/both", &cookie("forged")).await;
    assert!(
        response.headers().contains_key("set-cookie"),
        "a dead session"
    );
}

/// The key beside a live session belongs to the application of the session.
#[tokio::test]
async fn sessions_count_beside_keys_of_machines() {
    let sessions = Sessions::look_up(async |value| match value.as_str() {
        "visitor" => Caller::Anonymous,
        value => caller(value),
    });
    let sessions = sessions.cookie("__Host-login").build().expect("sessions");
    let app = with_machines(sessions.with_application(Keys::default()));
    let key = || lines(&[("apikey", "web")]);
    for (fields, expected) in [
        ([cookie("ann"), key()].concat(), "ann by web"),
        ([cookie("forged"), key()].concat(), "web by none"),
        ([cookie("visitor"), key()].concat(), "web by none"),
        (key(), "web by none"),
    ] {
        let seen = seen(&app, "/both", &fields).await;
        assert_eq!(seen, (200, expected.to_owned()), "{fields:?}");
    }
}

#[tokio::test]
async fn bound_tokens_need_a_key() {
    let client = ProofKey::new();
    let token = token(json!({ "sub": "ann", "cnf": { "jkt": client.thumbprint() } }));
    let dpop = Dpop::jwt(verifier()).origin("https://api.example").build();
    let app = service(dpop.expect("DPoP").with_application(Keys::default()));
    for (key, status) in [(Some("web"), 200), (None, 401), (Some("forged"), 401)] {
        let claims = client.claims("GET", "https://api.example/both", &token, now());
        let proof = client.sign(&client.header(), &claims);
        let mut fields = authorization(format!("DPoP {token}"));
        fields.push(("dpop", proof.into_bytes()));
        fields.extend(key.map(|key: &str| ("apikey", key.as_bytes().to_vec())));
        let response = send(&app, "/both", &fields).await;
        assert_eq!(response.status(), status, "{key:?}");
        if status == 401 {
            assert_eq!(challenges(&response), [KEY]);
        }
    }
    let anonymous = send(&app, "/both", &Lines::new()).await;
    let offered = challenges(&anonymous);
    assert_eq!(offered.len(), 2);
    assert!(
        offered[0].starts_with("DPoP ") && offered[1] == KEY,
        "{offered:?}"
    );
}

/// A client that needs a token with a key of its own needs the key of the application as well.
#[tokio::test]
async fn bound_token_requests_ask_for_applications() {
    #[requires(sender_constrained)]
    async fn bound() {}

    let dpop = Dpop::jwt(verifier()).origin("https://api.example").build();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(tokens())
        .scheme(dpop.expect("DPoP").with_application(Keys::default()));
    let app = GuardedRouter::new()
        .route("/bound", get(bound))
        .protect(space.build().expect("a space"))
        .expect("routes");
    let response = send(&app, "/bound", &bearer("ann")).await;
    assert_eq!(response.status(), 401);
    let asked = challenges(&response);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked[0].starts_with("DPoP ") && asked[1] == KEY,
        "{asked:?}"
    );
}

/// A browser opens its prompt for the challenge of the application, too.
#[tokio::test]
async fn scripts_open_no_prompt_for_application() {
    let sessions = Sessions::look_up(async |value| caller(value.as_str()));
    let sessions = sessions.cookie("login").build().expect("sessions");
    let stage = Basic::new(async |_, _| Caller::rejected());
    let app = service(sessions.with_application(stage));
    let cookie = "Cookie realm=\"api\"";
    for (fields, to_pages, to_scripts) in [
        (&[][..], &[cookie, BASIC][..], &[cookie][..]),
        (&[("cookie", "login=forged")], &[cookie, BASIC], &[cookie]),
        // No other challenge is left.
        (&[("cookie", "login=ann")], &[BASIC], &[BASIC]),
    ] {
        for (mode, expected) in [("navigate", to_pages), ("cors", to_scripts)] {
            let fields = [lines(fields), lines(&[("sec-fetch-mode", mode)])].concat();
            let response = send(&app, "/both", &fields).await;
            assert_eq!(challenges(&response), expected, "{mode} {fields:?}");
        }
    }
}

/// Another login of the application would not help.
#[tokio::test]
async fn credentials_for_other_requests_are_400() {
    let secret = DigestSecret::of(DigestAlgorithm::Sha256, "web", "api", "secret");
    let stage = Digest::builder("api").user(secret.expect("a name"), Identity::new("web"));
    let app = service(sessions().with_application(stage.build().expect("a scheme")));
    for (user, uri, status) in [
        ("ann", "/both", 401),
        ("ann", "/other", 400),
        ("forged", "/other", 401),
    ] {
        let login = Login {
            uri: uri.to_owned(),
            ..Login::new("SHA-256", "web", "api", "secret")
        };
        let fields = [cookie(user), authorization(login.authorization())].concat();
        assert_eq!(
            send(&app, "/both", &fields).await.status(),
            status,
            "{user} {uri}"
        );
    }
}
