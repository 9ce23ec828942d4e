//! Settings that cannot be right.

use auth_runtime::schemes::{SessionsError, TrustedOrigins};

use super::*;

#[test]
fn invalid_sessions_are_not_built() {
    let error = |sessions: SessionsBuilder| sessions.build().err();
    for name in ["", "a b", "a;b", "a=b", "größe"] {
        let wrong = Some(SessionsError::Cookie(name.to_owned()));
        assert_eq!(error(Sessions::builder().cookie(name)), wrong);
    }
    let origins = [
        "app.example",
        "https://app.example/",
        "https://app.example:443",
        "http://app.example:80",
        "https://App.example",
        "https://ann@app.example",
        "null",
        "file://",
        // A browser sends none of these.
        "https://*.app.example",
        "https://app.example:",
        "https://app.example:0443",
        "https://app.example:08443",
        "https://app.example:65536",
        "https://a,b",
        "https://(a)",
        "https://[::g]",
        "https://:8443",
        "chrome-extension://*",
        "*",
        "",
        "https://app.example/path",
        "https://app.example?a",
    ];
    let invalid = |origin: &str| {
        let trusted = TrustedOrigins::default().trust(origin);
        SessionsError::Origin(trusted.expect_err(origin))
    };
    for origin in origins {
        let sessions = Sessions::builder().trust_origin(origin);
        assert_eq!(error(sessions), Some(invalid(origin)));
    }
    for origin in [
        "https://app.example",
        "http://localhost:5173",
        "https://[::1]:8443",
        "https://192.0.2.1",
        "https://my_app.app-1.example",
        "tauri://localhost",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        // The default ports of browsers are those of http and https.
        "tauri://localhost:80",
    ] {
        assert_eq!(error(Sessions::builder().trust_origin(origin)), None);
    }
    let two = Sessions::builder().trust_origin("one").trust_origin("two");
    assert_eq!(error(two), Some(invalid("one")));
    let both = Sessions::builder().cookie("a b").trust_origin("one");
    assert_eq!(error(both), Some(invalid("one")));
    let pages = [
        "login",
        "",
        "//evil.example",
        "https://sso.example/login",
        "/log in",
        "/\\evil.example",
        "/login#form",
        "/größe",
    ];
    for page in pages {
        let space = shop(Sessions::builder().login_page(page)).build();
        assert_eq!(
            space.err(),
            Some(SpaceError::LoginPage(page.to_owned())),
            "{page}"
        );
    }
    let twice = shop(builder()).scheme(Other).build();
    assert_eq!(
        twice.err(),
        Some(SpaceError::PlaceTwice {
            earlier: "Cookie".to_owned(),
            later: "Other".to_owned(),
        })
    );
}

/// A second scheme for the same cookie.
struct Other;

impl Scheme for Other {
    fn name(&self) -> &str {
        "Other"
    }

    fn sources(&self) -> Vec<auth_runtime::schemes::Source> {
        vec![auth_runtime::schemes::Source::Cookie(NAME.to_owned())]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }
}

/// The name that `tower-sessions` has by default.
#[tokio::test]
async fn cookie_is_called_id_by_default() {
    let sessions = Sessions::look_up(async |value| match value.as_str() {
        "of-ann" => Caller::known(Identity::new("ann")),
        _ => Caller::rejected(),
    });
    let space = shop(sessions).build().expect("the space is in order");
    let app = GuardedRouter::new()
        .route("/account", get(account))
        .protect(space)
        .expect("routes");
    for (cookie, status) in [
        ("id=of-ann", 200),
        ("session=of-ann", 401),
        ("ID=of-ann", 401),
    ] {
        let lines: Lines = vec![("cookie", cookie.into())];
        let response = send(&app, "/account", &lines).await;
        assert_eq!(response.status(), status, "{cookie}");
    }
}
