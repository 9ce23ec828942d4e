//! Cookies that a scheme sets: several of them, beside those of the handler.

use axum::response::AppendHeaders;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderName};

use super::*;

/// A login in one cookie, with another cookie beside it.
struct TwoCookies;

fn set(values: [&'static str; 2]) -> Vec<(HeaderName, HeaderValue)> {
    values
        .map(|value| (SET_COOKIE, HeaderValue::from_static(value)))
        .into()
}

impl Scheme for TwoCookies {
    fn name(&self) -> &str {
        "TwoCookies"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Cookie("login".to_owned())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(match credentials.value() {
            "ann" => Caller::known(Identity::new("ann")),
            _ => Caller::rejected(),
        })
    }

    fn fields(&self, _context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        set(["login=; Max-Age=0", "seen=; Max-Age=0"])
    }

    fn granted_fields(&self, _headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        set(["login=ann; Secure", "seen=now; Secure"])
    }
}

#[requires(authenticated)]
async fn page() {}

#[requires(authenticated)]
async fn log_out() -> AppendHeaders<[(HeaderName, &'static str); 2]> {
    AppendHeaders([
        (SET_COOKIE, "language=en"),
        (SET_COOKIE, "login=; Max-Age=0"),
    ])
}

#[tokio::test]
async fn schemes_set_several_cookies() {
    let router = GuardedRouter::new()
        .route("/page", get(page))
        .route("/log-out", get(log_out));
    let builder = ProtectionSpace::builder().realm("api");
    let app = router
        .protect(builder.scheme(TwoCookies).build().unwrap())
        .unwrap();
    for (path, login, expected) in [
        (
            "/page",
            "ann",
            vec!["login=ann; Secure", "seen=now; Secure"],
        ),
        (
            "/page",
            "bob",
            vec!["login=; Max-Age=0", "seen=; Max-Age=0"],
        ),
        (
            "/log-out",
            "ann",
            // The handler's own cookie is kept.
            vec!["language=en", "login=; Max-Age=0", "seen=now; Secure"],
        ),
    ] {
        let cookie = vec![("cookie", format!("login={login}").into_bytes())];
        let response = send(&app, path, &cookie).await;
        let lines = response.headers().get_all(SET_COOKIE).iter();
        let cookies: Vec<&str> = lines.map(|line| line.to_str().unwrap()).collect();
        assert_eq!(cookies, expected, "{path} {login}");
        // A cache would send the cookies of this client to others.
        assert_eq!(
            response.headers()[CACHE_CONTROL],
            "no-store",
            "{path} {login}"
        );
    }
}
