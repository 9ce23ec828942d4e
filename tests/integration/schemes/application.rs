//! Credentials of an application beside those of the user: both are required.

mod configuration;
mod hiding;
mod places;
mod visitors;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::public;
use auth_runtime::schemes::{SchemeExt, Source};

use crate::schemes::*;

/// The user and the application.
#[requires(authenticated)]
async fn both(guard: Guard) -> String {
    names(guard.identity())
}

#[requires(scope = "read")]
async fn scoped() {}

#[requires(role = "admin")]
async fn roled() {}

#[requires(acr = "mfa")]
async fn strong() {}

#[requires(role = "admin", hide_as = 404)]
async fn hidden() {}

#[public(reason = "for all")]
async fn plain() {}

#[public(reason = "for all; members see more", identity = optional)]
async fn optional(guard: Guard) -> String {
    guard.identity().map_or("nobody".to_owned(), names)
}

fn names(identity: &Identity) -> String {
    let application = identity.application().map_or("none", Identity::subject);
    format!("{} by {application}", identity.subject())
}

/// The caller with these credentials, of a user or of an application.
fn caller(value: &str) -> Caller {
    match value {
        "expired" => Caller::Rejected(Rejection::Expired),
        "forged" => Caller::rejected(),
        "down" => Caller::unverifiable(),
        "busy" => Caller::Unverifiable {
            retry_after: Some(Duration::from_secs(17)),
        },
        name => Caller::known(Identity::new(name)),
    }
}

/// Keys in the field `apikey`, and in the query.
#[derive(Clone, Default)]
struct Keys {
    verified: Arc<AtomicUsize>,
}

impl Scheme for Keys {
    fn name(&self) -> &str {
        "ApiKey"
    }

    fn sources(&self) -> Vec<Source> {
        vec![
            Source::Field(http::HeaderName::from_static("apikey")),
            Source::Query("key".to_owned()),
        ]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let caller = caller(credentials.value());
        Verification::pending(async move {
            tokio::task::yield_now().await;
            caller
        })
    }
}

fn tokens() -> Bearer {
    Bearer::new(async |token| caller(token.as_str()))
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/both", get(both))
        .route("/scoped", get(scoped))
        .route("/roled", get(roled))
        .route("/strong", get(strong))
        .route("/plain", get(plain))
        .route("/optional", get(optional))
}

fn service(scheme: impl Scheme) -> ProtectedRouter {
    routes().protect(space(scheme)).expect("routes")
}

fn lines(fields: &[(&'static str, &str)]) -> Lines {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| (*name, value.as_bytes().to_vec()));
    fields.collect()
}

const KEY: &str = "ApiKey realm=\"api\"";

#[tokio::test]
async fn both_are_required() {
    let app = service(tokens().with_application(Keys::default()));
    let bearer = |token: &str| format!("Bearer {token}");
    for (token, key, status, expected) in [
        (Some("ann"), Some("web"), 200, &[][..]),
        (None, None, 401, &[BEARER, KEY]),
        (None, Some("web"), 401, &[BEARER, KEY]),
        (None, Some("forged"), 401, &[BEARER, KEY]),
        (None, Some("down"), 401, &[BEARER, KEY]),
        // The token is valid: the client needs no other one.
        (Some("ann"), None, 401, &[KEY]),
        (Some("ann"), Some("forged"), 401, &[KEY]),
        (Some("ann"), Some("expired"), 401, &[KEY]),
        (Some("ann"), Some(""), 401, &[KEY]),
        (Some("ann"), Some("down"), 503, &[]),
        (Some("expired"), None, 401, &[EXPIRED, KEY]),
        (Some("expired"), Some("web"), 401, &[EXPIRED, KEY]),
        (Some("expired"), Some("forged"), 401, &[EXPIRED, KEY]),
        (Some("expired"), Some("down"), 401, &[EXPIRED, KEY]),
        (Some("down"), None, 503, &[]),
        (Some("down"), Some("web"), 503, &[]),
        (Some("down"), Some("forged"), 503, &[]),
    ] {
        let mut fields = Lines::new();
        fields.extend(token.map(|token| ("authorization", bearer(token).into_bytes())));
        fields.extend(key.map(|key| ("apikey", key.as_bytes().to_vec())));
        let response = send(&app, "/both", &fields).await;
        assert_eq!(response.status(), status, "{token:?} {key:?}");
        assert_eq!(challenges(&response), expected, "{token:?} {key:?}");
        if status == 200 {
            assert_eq!(text(response).await, "ann by web");
        }
    }
}

#[tokio::test]
async fn outages_have_time_of_their_verifier() {
    let app = service(tokens().with_application(Keys::default()));
    for (token, key, seconds) in [
        ("ann", "busy", "17"),
        ("busy", "web", "17"),
        ("busy", "down", "17"),
        ("ann", "down", "5"),
        ("down", "busy", "5"),
    ] {
        let fields = [bearer(token), lines(&[("apikey", key)])].concat();
        for path in ["/both", "/optional", "/nowhere"] {
            let response = send(&app, path, &fields).await;
            assert_eq!(response.status(), 503, "{path} {token} {key}");
            let after = &response.headers()["retry-after"];
            assert_eq!(after, seconds, "{path} {token} {key}");
        }
    }
}

#[tokio::test]
async fn bodies_name_the_missing_part() {
    let app = service(tokens().with_application(Keys::default()));
    for (key, expected) in [
        (None, "The request has no credentials of the application."),
        (
            Some("forged"),
            "The credentials of the application are invalid or expired.",
        ),
    ] {
        let mut fields = bearer("ann");
        fields.extend(key.map(|key: &str| ("apikey", key.as_bytes().to_vec())));
        let body = text(send(&app, "/both", &fields).await).await;
        assert!(body.contains(expected), "{body}");
    }
}

/// Neither the response nor the work tells a caller without a user whether a key is valid.
#[tokio::test]
async fn rejected_tokens_do_not_test_keys() {
    let (keys, users) = (Keys::default(), Arc::new(AtomicUsize::new(0)));
    let (verified, counted) = (Arc::clone(&keys.verified), Arc::clone(&users));
    let tokens = Bearer::new(move |token| {
        users.fetch_add(1, Ordering::Relaxed);
        async move { caller(token.as_str()) }
    });
    let app = service(tokens.with_application(keys));
    let mut seen = Vec::new();
    for key in ["web", "forged", "down"] {
        let fields = [bearer("expired"), lines(&[("apikey", key)])].concat();
        let response = send(&app, "/both", &fields).await;
        let head = format!("{} {:?}", response.status(), response.headers());
        seen.push((head, text(response).await));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    for key in ["forged", "expired"] {
        let fields = [bearer("down"), lines(&[("apikey", key)])].concat();
        assert_eq!(send(&app, "/both", &fields).await.status(), 503);
    }
    assert_eq!(counted.load(Ordering::Relaxed), 5);
    assert_eq!(verified.load(Ordering::Relaxed), 5);
    // A verifier with given keys decides at once.
    let keys = Keys::default();
    let verified = Arc::clone(&keys.verified);
    let app = service(Bearer::jwt(tokens::rsa_verifier()).with_application(keys));
    let expired = bearer(tokens::rs256(json!({ "exp": 1 })));
    for (calls, key) in (1..).zip(["web", "forged", "down"]) {
        let fields = [expired.clone(), lines(&[("apikey", key)])].concat();
        let response = send(&app, "/both", &fields).await;
        assert_eq!(challenges(&response), [EXPIRED, KEY], "{key}");
        assert_eq!(verified.load(Ordering::Relaxed), calls, "{key}");
    }
}

#[tokio::test]
async fn other_denials_ask_for_no_application() {
    let app = service(tokens().with_application(Keys::default()));
    let fields = [bearer("ann"), lines(&[("apikey", "web")])].concat();
    let scope = "Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"read\", \
                 error_description=\"the access token lacks a required scope\"";
    let login = "Bearer realm=\"api\", error=\"insufficient_user_authentication\", \
                 error_description=\"the login is too old or too weak\", acr_values=\"mfa\"";
    for (path, status, expected) in [
        ("/scoped", 403, scope),
        ("/roled", 403, BEARER),
        ("/strong", 401, login),
    ] {
        let response = send(&app, path, &fields).await;
        assert_eq!(response.status(), status, "{path}");
        let challenges = challenges(&response);
        assert_eq!(challenges.len(), 1, "{path}: {challenges:?}");
        let sorted = |challenge: &str| {
            let mut parts: Vec<_> = challenge.split(", ").map(str::to_owned).collect();
            parts[1..].sort();
            parts
        };
        assert_eq!(sorted(challenges[0]), sorted(expected), "{path}");
    }
    let anonymous = send(&app, "/scoped", &Lines::new()).await;
    let asked = ["Bearer realm=\"api\", scope=\"read\"", KEY];
    assert_eq!(challenges(&anonymous), asked);
}

/// The application has all that the policies require, and the user has nothing.
#[tokio::test]
async fn an_application_grants_its_user_nothing() {
    #[requires(any(sender_constrained, role = "auditor"))]
    async fn bound() {}

    /// Keys of one application.
    struct Granted;

    impl Scheme for Granted {
        fn name(&self) -> &str {
            "ApiKey"
        }

        fn sources(&self) -> Vec<Source> {
            vec![Source::Field(http::HeaderName::from_static("apikey"))]
        }

        fn verify(&self, _: &Credentials<'_>) -> Verification {
            let web = Identity::new("web").with_scopes(["read"]);
            let web = web.with_roles(["admin"]).with_acr("mfa");
            Verification::done(Caller::known(web.with_sender_constraint()))
        }
    }

    let app = routes().route("/bound", get(bound));
    let app = app.protect(space(tokens().with_application(Granted)));
    let app = app.expect("routes");
    let fields = [bearer("ann"), lines(&[("apikey", "web")])].concat();
    for (path, status) in [
        ("/both", 200),
        ("/scoped", 403),
        ("/roled", 403),
        ("/strong", 401),
        ("/bound", 403),
    ] {
        assert_eq!(send(&app, path, &fields).await.status(), status, "{path}");
    }
}

/// The new login needs the application too.
#[tokio::test]
async fn bound_logins_need_the_application() {
    #[requires(sender_constrained)]
    async fn bound() {}

    /// A login that is not bound to a key.
    struct Unbound;

    impl Scheme for Unbound {
        fn name(&self) -> &str {
            "Lock"
        }

        fn verify(&self, credentials: &Credentials<'_>) -> Verification {
            Verification::done(caller(credentials.value()))
        }

        fn constrains_sender(&self) -> bool {
            true
        }
    }

    let app = GuardedRouter::new().route("/bound", get(bound));
    let app = app.protect(space(Unbound.with_application(Keys::default())));
    let fields = [authorization("Lock ann"), lines(&[("apikey", "web")])].concat();
    let response = send(&app.expect("routes"), "/bound", &fields).await;
    assert_eq!(response.status(), 401);
    assert_eq!(challenges(&response), ["Lock realm=\"api\"", KEY]);
}

#[tokio::test]
async fn public_handlers_ignore_both() {
    let app = service(tokens().with_application(Keys::default()));
    for fields in [
        lines(&[]),
        lines(&[("apikey", "forged"), ("apikey", "web")]),
        [bearer("forged"), lines(&[("apikey", "forged")])].concat(),
    ] {
        assert_eq!(send(&app, "/plain", &fields).await.status(), 200);
    }
}

#[tokio::test]
async fn optional_identities_need_both() {
    let app = service(tokens().with_application(Keys::default()));
    for (fields, status, expected) in [
        (lines(&[]), 200, "nobody"),
        (lines(&[("apikey", "forged")]), 200, "nobody"),
        (
            [bearer("ann"), lines(&[("apikey", "web")])].concat(),
            200,
            "ann by web",
        ),
        (bearer("ann"), 401, ""),
        (
            [bearer("ann"), lines(&[("apikey", "forged")])].concat(),
            401,
            "",
        ),
        (
            [bearer("ann"), lines(&[("apikey", "down")])].concat(),
            503,
            "",
        ),
    ] {
        let response = send(&app, "/optional", &fields).await;
        assert_eq!(response.status(), status, "{fields:?}");
        if status == 200 {
            assert_eq!(response.headers()["vary"], "authorization, apikey");
            assert_eq!(text(response).await, expected);
        }
    }
}

#[tokio::test]
async fn hidden_paths_look_unknown() {
    let scheme = tokens().with_application(Keys::default());
    let app = routes().route("/hidden", get(hidden));
    let app = app.protect(space(scheme)).expect("routes");
    for token in [None, Some("ann"), Some("forged"), Some("down")] {
        for key in [&[][..], &["web"], &["forged"], &["down"], &["web", "web"]] {
            let mut fields = token.map(bearer).unwrap_or_default();
            fields.extend(key.iter().map(|key| ("apikey", key.as_bytes().to_vec())));
            let mut seen = Vec::new();
            for path in ["/hidden", "/nowhere"] {
                let response = send(&app, path, &fields).await;
                let head = format!("{} {:?}", response.status(), response.headers());
                seen.push((head, text(response).await));
            }
            assert_eq!(seen[0], seen[1], "{token:?} {key:?}");
            if token == Some("ann") && key != ["web"] {
                assert!(!seen[0].0.starts_with("404"), "{key:?}: {seen:?}");
            }
        }
    }
}
