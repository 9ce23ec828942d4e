//! Tokens under a name of the service.

use auth_runtime::schemes::Tokens;

use crate::schemes::*;

const CHALLENGE: &str = "Token realm=\"api\"";

fn scheme() -> Tokens {
    Tokens::new("Token", async |token: String| match token.as_str() {
        "ann 4711" => Caller::known(Identity::new("ann").with_scopes(["read"])),
        "expired" => Caller::Rejected(Rejection::Expired),
        "down" => Caller::unverifiable(),
        _ => Caller::rejected(),
    })
}

#[tokio::test]
async fn every_input_has_its_response() {
    let app = app(space(scheme()));
    let rows = vec![
        row("none", vec![], 401, &[CHALLENGE]),
        row("valid", authorization("Token ann 4711"), 200, &[]),
        row("another case", authorization("tOKEN ann 4711"), 200, &[]),
        row("more spaces", authorization("Token   ann 4711 "), 200, &[]),
        row("unknown", authorization("Token bob"), 401, &[CHALLENGE]),
        row(
            "the token in another case",
            authorization("Token Ann 4711"),
            401,
            &[CHALLENGE],
        ),
        row(
            "the token in quotes",
            authorization("Token \"ann 4711\""),
            401,
            &[CHALLENGE],
        ),
        row(
            "a part of the token",
            authorization("Token ann"),
            401,
            &[CHALLENGE],
        ),
        row(
            "another name before the token",
            authorization("Token Bearer ann 4711"),
            401,
            &[CHALLENGE],
        ),
        row("expired", authorization("Token expired"), 401, &[CHALLENGE]),
        row("empty", authorization("Token"), 401, &[CHALLENGE]),
        row(
            "a name that starts alike",
            authorization("Tokenann 4711"),
            401,
            &[CHALLENGE],
        ),
        row(
            "another scheme",
            authorization("Bearer ann 4711"),
            401,
            &[CHALLENGE],
        ),
        row("an outage", authorization("Token down"), 503, &[]),
    ];
    check(&app, "/read", rows).await;
    let twice = [authorization("Token ann 4711"), authorization("Token bob")].concat();
    assert_eq!(send(&app, "/read", &twice).await.status(), 400);
    // On an unknown path, only the credentials of an accepted scheme are rejected.
    for (value, status) in [
        ("Token", 401),
        ("Token bob", 401),
        ("Tokens bob", 404),
        ("Token\tbob", 404),
        ("Bearer bob", 404),
    ] {
        let unknown = send(&app, "/nowhere", &authorization(value)).await;
        assert_eq!(unknown.status(), status, "{value}");
    }
    let denied = send(&app, "/admin", &authorization("Token ann 4711")).await;
    assert_eq!(denied.status(), 403);
    assert_eq!(challenges(&denied), Vec::<&str>::new());
}

#[tokio::test]
async fn anonymous_denial_is_about_accepted_schemes() {
    let app = app(space(scheme()));
    let none = text(send(&app, "/read", &vec![]).await).await;
    assert!(none.contains("The request has no credentials of an accepted scheme."));
    let basic = authorization("Basic YW5uOmE=");
    assert_eq!(text(send(&app, "/read", &basic).await).await, none);
}

#[test]
fn name_is_checked() {
    for name in ["", "My Token", "T\u{f6}ken"] {
        let scheme = Tokens::new(name, async |_| Caller::rejected());
        assert_eq!(format!("{scheme:?}"), format!("Tokens({name:?})"));
        let space = ProtectionSpace::builder().realm("api").scheme(scheme);
        let error = space.build().expect_err("the name is invalid");
        assert!(matches!(error, SpaceError::Challenge { .. }), "{error}");
    }
}
