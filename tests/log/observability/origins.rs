//! Requests with a cookie from another origin.

use auth_runtime::schemes::{Source, TrustedOrigins};

use super::*;

struct Login;

impl Scheme for Login {
    fn name(&self) -> &str {
        "Cookie"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Cookie("login".to_owned())]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(match TrustedOrigins::default().allow(credentials) {
            true => Caller::known(Identity::new("ann")),
            false => Caller::rejected(),
        })
    }
}

#[requires(authenticated)]
async fn own() {}

/// Behind a proxy that drops the port, the log names both values.
#[tokio::test]
async fn differing_origins_are_named() {
    listen();
    let space = ProtectionSpace::builder().realm("app").scheme(Login);
    let routes = GuardedRouter::new().route("/", auth_runtime::routing::post(own));
    let app = routes
        .protect(space.build().expect("a space"))
        .expect("a router");
    let long = format!("https://{}", "x".repeat(300));
    for (origin, status) in [
        ("https://app.example", 200),
        ("https://app.example:8443", 401),
        (long.as_str(), 401),
    ] {
        let request = Request::post("/")
            .header("host", "app.example")
            .header("origin", origin)
            .header("cookie", "login=k");
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{origin}");
        let mut lines = lines();
        lines.retain(|line| line["target"] == "auth_runtime_schemes::origin");
        match lines.as_slice() {
            [] => assert_eq!(status, 200, "{origin}"),
            [line] => {
                let fields = &line["fields"];
                assert_eq!(
                    fields["origin"],
                    origin.chars().take(256).collect::<String>()
                );
                assert_eq!(fields["host"], "app.example");
                assert_eq!(fields["sec_fetch_site"], "");
            }
            lines => panic!("{lines:?}"),
        }
    }
}
