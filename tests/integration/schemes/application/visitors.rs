//! supabase-js: the field `apikey` has the key of the application. `Authorization` has the token of the user, or
//! the key again while no user is logged in.

use auth_tests::{token, verifier};

use super::*;

/// A visitor sees the public notes, a user also the own ones.
#[public(reason = "visitors read public notes", identity = optional)]
async fn notes(guard: Guard) -> String {
    guard.identity().map_or("public notes".to_owned(), names)
}

#[requires(authenticated, schemes(Bearer))]
async fn own_notes(guard: Guard) -> String {
    names(guard.identity())
}

#[requires(authenticated, schemes("ApiKey"))]
async fn maintenance(guard: Guard) -> String {
    names(guard.identity())
}

const PUBLISHABLE: &str = "sb_publishable_4f1c0b6e9a8d47d2";
const UNKNOWN: &str = "sb_publishable_00000000000000";
const SECRET: &str = "sb_secret_0b6e9a8d47d24f1c";

fn keys(key: &str, name: &str) -> ApiKeys {
    let keys = ApiKeys::builder()
        .field("apikey")
        .key(key, Identity::new(name));
    keys.build().expect("keys")
}

/// The keys of applications, and those of the service's own programs, which have all rights.
fn app() -> ProtectedRouter {
    let applications = ApiKeys::builder()
        .field("apikey")
        .key(PUBLISHABLE, Identity::new("web"))
        .key(&legacy_key(), Identity::new("old-web"));
    let scheme = Bearer::jwt(verifier()).with_application(applications.build().expect("keys"));
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    let space = space.scheme(keys(SECRET, "service_role")).build();
    GuardedRouter::new()
        .route("/notes", get(notes))
        .route("/own-notes", get(own_notes))
        .route("/maintenance", get(maintenance))
        .protect(space.expect("a space"))
        .expect("routes")
}

/// The older keys are JWTs without a subject.
fn legacy_key() -> String {
    let claims =
        r#"{"iss":"supabase","ref":"abcdefghijklmnop","role":"anon","iat":1,"exp":9999999999}"#;
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.{}",
        part(r#"{"alg":"HS256","typ":"JWT"}"#),
        part(claims),
        part("signature")
    )
}

fn sent(key: &str, token: &str) -> Lines {
    [bearer(token), lines(&[("apikey", key)])].concat()
}

#[tokio::test]
async fn visitors_are_anonymous() {
    let app = app();
    let ann = token(json!({ "sub": "ann" }));
    let legacy = legacy_key();
    for (name, fields, notes, own_notes) in [
        ("a user", sent(PUBLISHABLE, &ann), "ann by web", 200),
        (
            "a visitor",
            sent(PUBLISHABLE, PUBLISHABLE),
            "public notes",
            401,
        ),
        ("an older user", sent(&legacy, &ann), "ann by old-web", 200),
        (
            "an older visitor",
            sent(&legacy, &legacy),
            "public notes",
            401,
        ),
        (
            "an unknown key twice",
            sent(UNKNOWN, UNKNOWN),
            "public notes",
            401,
        ),
        (
            "a program",
            sent(SECRET, SECRET),
            "service_role by none",
            401,
        ),
        // The owner of a token has to learn that it is invalid.
        ("another key as token", sent(PUBLISHABLE, &legacy), "", 401),
        ("a secret key as token", sent(PUBLISHABLE, SECRET), "", 401),
        (
            "a secret key as that of an application",
            sent(SECRET, &ann),
            "",
            401,
        ),
        ("an unknown key", sent(UNKNOWN, &ann), "", 401),
    ] {
        let response = send(&app, "/notes", &fields).await;
        let seen = match response.status().as_u16() {
            200 => text(response).await,
            status => {
                assert_eq!(status, 401, "{name}");
                String::new()
            }
        };
        assert_eq!(seen, notes, "{name}");
        let response = send(&app, "/own-notes", &fields).await;
        assert_eq!(response.status(), own_notes, "{name}");
    }
}

#[tokio::test]
async fn visitors_are_asked_to_log_in() {
    let app = app();
    for key in [PUBLISHABLE, UNKNOWN] {
        let visitor = send(&app, "/own-notes", &sent(key, key)).await;
        assert_eq!(challenges(&visitor), [BEARER, KEY], "{key}");
    }
}

/// A key with rights of its own is a scheme of its own. The client sends it in both places, too.
#[tokio::test]
async fn secret_keys_are_callers() {
    let app = app();
    for (fields, status) in [
        (sent(SECRET, SECRET), 200),
        (lines(&[("apikey", SECRET)]), 200),
        (sent(PUBLISHABLE, PUBLISHABLE), 401),
        (lines(&[("apikey", PUBLISHABLE)]), 401),
    ] {
        let response = send(&app, "/maintenance", &fields).await;
        assert_eq!(response.status(), status, "{fields:?}");
        if status == 200 {
            assert_eq!(text(response).await, "service_role by none");
        }
    }
}

/// A visitor is anonymous, and the key is not verified: the response does not tell whether it is valid.
#[tokio::test]
async fn keys_of_visitors_are_not_tested() {
    let keys = Keys::default();
    let verified = Arc::clone(&keys.verified);
    let app = service(tokens().with_application(keys));
    for key in ["web", "forged", "down"] {
        let fields = sent(key, key);
        for (path, status) in [("/both", 401), ("/optional", 200), ("/plain", 200)] {
            assert_eq!(
                send(&app, path, &fields).await.status(),
                status,
                "{key} {path}"
            );
        }
    }
    assert_eq!(verified.load(Ordering::Relaxed), 0);
}
