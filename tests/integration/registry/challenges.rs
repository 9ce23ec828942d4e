//! The challenge names the token server, the service, and the actions on the object in the path.

use auth_runtime::SpaceError;
use auth_runtime::challenge::ChallengeError;
use auth_runtime::resource::UrlProblem;
use auth_tests::expired_token;

use super::*;

const MANIFEST: &str = "/v2/ann/web/manifests/latest";

#[tokio::test]
async fn clients_without_token_learn_object_scope() {
    let app = app();
    for (method, target, scope) in [
        (Method::GET, "/v2/", ""),
        (Method::GET, MANIFEST, "repository:ann/web:pull"),
        (Method::PUT, MANIFEST, "repository:ann/web:pull,push"),
        (Method::GET, "/any/ann/web", "repository:ann/web:pull"),
        (Method::GET, "/by-name/a/b/c", "repository:a/b/c:pull"),
        (Method::GET, "/collect", "garbage:collect"),
        // An action is named once.
        (
            Method::GET,
            "/mirror/ann/web",
            "repository:ann/web:pull,push",
        ),
        // Scopes of other forms are not joined.
        (Method::GET, "/reports", "reports:read reports:write"),
        // The function that returns the object runs for known callers only.
        (Method::GET, "/by-query?name=ann/web", ""),
    ] {
        let scope = match scope {
            "" => String::new(),
            scope => format!(r#", scope="{scope}""#),
        };
        let expected = (401, format!("{CHALLENGE}{scope}"));
        assert_eq!(ask(&app, method, target, None).await, expected, "{target}");
    }
}

#[tokio::test]
async fn rejected_tokens_request_the_same_scope() {
    let scope = r#"scope="repository:ann/web:pull""#;
    let expired = expired_token(json!({}));
    let error = r#"error="invalid_token", error_description="the access token expired""#;
    let expected = (401, format!("{CHALLENGE}, {scope}, {error}"));
    assert_eq!(get_of(&app(), MANIFEST, Some(&expired)).await, expected);
}

/// Rule 3c with a token server: a token with another scope would lead to a grant.
#[tokio::test]
async fn missing_grants_are_401_for_clients() {
    let app = app();
    let puller = granting("ann/web", &["pull"]);
    for (method, target, token, scope) in [
        (
            Method::PUT,
            MANIFEST,
            &puller,
            "repository:ann/web:pull,push",
        ),
        (
            Method::GET,
            "/v2/bob/db/manifests/1",
            &puller,
            "repository:bob/db:pull",
        ),
        (
            Method::GET,
            "/any/bob/db",
            &puller,
            "repository:bob/db:pull",
        ),
        (
            Method::GET,
            "/by-query?name=bob/db",
            &puller,
            "repository:bob/db:pull",
        ),
        (
            Method::GET,
            "/in-handler",
            &token(json!({})),
            "repository:ann/web:pull",
        ),
        // The scope that met the policy is requested again.
        (
            Method::GET,
            "/in-handler-with-scope",
            &token(json!({ "scope": "repo:read" })),
            "repo:read repository:ann/web:pull",
        ),
        (Method::GET, "/collect", &puller, "garbage:collect"),
        // A reader learns that it may not delete.
        (
            Method::DELETE,
            "/images/ann/web",
            &puller,
            "repository:ann/web:delete",
        ),
    ] {
        let expected = (
            401,
            format!(r#"{CHALLENGE}, scope="{scope}", {INSUFFICIENT}"#),
        );
        assert_eq!(
            ask(&app, method, target, Some(token)).await,
            expected,
            "{target}"
        );
    }
}

#[tokio::test]
async fn other_clients_receive_403() {
    let oauth = protect(space_of(Bearer::jwt(verifier())));
    let token = granting("ann/web", &["pull"]);
    let challenge = r#"Bearer realm="registry", scope="repository:ann/web:pull,push", "#;
    let challenge = challenge.replace("pull,push", "pull repository:ann/web:push");
    let expected = (403, format!("{challenge}{INSUFFICIENT}"));
    assert_eq!(
        ask(&oauth, Method::PUT, MANIFEST, Some(&token)).await,
        expected
    );

    // An application beside the token changes nothing.
    let keys = ApiKeys::builder().key("a-long-random-key-of-an-app", Identity::new("app"));
    let both = bearer().with_application(keys.build().expect("a scheme"));
    let space = ProtectionSpace::builder().realm("registry").scheme(both);
    let beside_key = protect(space.decision_point(AccessClaim));
    let request = Request::put(MANIFEST).header("x-api-key", "a-long-random-key-of-an-app");
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    let scope = r#"scope="repository:ann/web:pull,push""#;
    let expected = (401, format!("{CHALLENGE}, {scope}, {INSUFFICIENT}"));
    assert_eq!(send(&beside_key, request).await, expected);

    // An API key cannot be exchanged for a token with a scope.
    let request = Request::get(MANIFEST).header("x-api-key", "a-long-random-key-of-a-robot");
    let request = request.body(Body::empty()).expect("a request");
    assert_eq!(send(&app(), request).await, (403, String::new()));
}

#[test]
fn token_server_is_trusted_url() {
    let error = |url: &str, service: &str| {
        let bearer = Bearer::jwt(verifier()).token_server(url, service);
        let space = ProtectionSpace::builder().realm("registry").scheme(bearer);
        space.build().expect_err("an error")
    };
    let challenge = |error| SpaceError::Challenge {
        scheme: "Bearer".to_owned(),
        error,
    };
    let url = |problem| {
        challenge(ChallengeError::Url {
            name: "realm".to_owned(),
            problem,
        })
    };
    assert_eq!(
        error("http://auth.example/token", "r"),
        url(UrlProblem::NotHttps)
    );
    assert_eq!(error("/token", "r"), url(UrlProblem::NotAbsolute));
    assert_eq!(
        error("https://a.example/\"", "r"),
        url(UrlProblem::Character('"'))
    );
    assert_eq!(
        error("https://auth.example/token", "r\r\n"),
        challenge(ChallengeError::NotVisibleAscii {
            name: "service".to_owned(),
            character: '\r'
        }),
    );
    // The message has the cause already.
    assert!(std::error::Error::source(&url(UrlProblem::NotHttps)).is_none());
    assert_eq!(
        url(UrlProblem::NotHttps).to_string(),
        "the challenge of the scheme `Bearer` is invalid: the value of `realm` is not a URL: it has to be https (or http \
         on loopback, for tests)",
    );
}
