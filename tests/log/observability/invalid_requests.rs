//! The reasons for a 400, which its body does not distinguish.

use auth_runtime::schemes::{Digest, Webhooks};
use futures_util::stream;

use super::*;

#[requires(role = "hook", hide_as = 404)]
async fn hook(_: String) {}

#[tokio::test]
async fn unreadable_bodies_have_a_reason() {
    listen();
    let hooks = Webhooks::github().secret("It's a Secret to Everybody");
    let hooks = hooks.identity(Identity::new("sender").with_roles(["hook"]));
    let space = ProtectionSpace::builder()
        .realm("hooks")
        .max_body(10)
        .scheme(hooks.build().expect("a scheme"));
    let routes = GuardedRouter::new().route("/hook", post(hook));
    let app = routes.protect(space.build().expect("a space"));
    let app = app.expect("the routes are in order");
    let stopped = || {
        let frames = [Ok("x"), Err(std::io::Error::other("the client is gone"))];
        Body::from_stream(stream::iter(frames))
    };
    for path in ["/hook", "/nowhere"] {
        for (body, expected) in [
            (
                Body::from("x".repeat(11)),
                Some("it is longer than `max_body`"),
            ),
            (stopped(), Some("it is incomplete")),
            (Body::from("x".repeat(10)), None),
        ] {
            let signature = format!("sha256={}", "0".repeat(64));
            let request = Request::post(path).header("x-hub-signature-256", signature);
            let request = request.body(body).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            let is_read = expected.is_none();
            assert_eq!(response.status(), if is_read { 401 } else { 400 }, "{path}");
            if !is_read {
                let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
                let body = String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8");
                let sentence = "The request has ambiguous or misplaced credentials, or a body \
                                that cannot be read.";
                assert!(body.contains(sentence), "{body}");
            }
            let message = "the body of a request cannot be read; the response is 400";
            let expected = expected.map(
                |reason| json!(["DEBUG", { "message": message, "max_body": 10, "reason": reason }]),
            );
            let events = events("auth_runtime_axum::request");
            assert_eq!(events, Vec::from_iter(expected), "{path}");
        }
    }
}

#[tokio::test]
async fn credentials_for_another_target_have_reason() {
    listen();
    let digest = Digest::builder("lab").look_up(async |_, _| Ok(None));
    let space = ProtectionSpace::builder()
        .realm("lab")
        .scheme(digest.build().expect("a scheme"));
    let app = reads(space.build().expect("a space"));
    for (uri, status, expected) in [
        ("/read", 401, None),
        (
            "/api/read?secret",
            400,
            Some(
                "the credentials of Digest are for another target than that of the request, as \
                 behind a proxy that changes it; the response is 400",
            ),
        ),
    ] {
        let login = format!(
            "Digest username=\"ann\", realm=\"lab\", nonce=\"n\", uri=\"{uri}\", nc=00000001, \
             cnonce=\"c\", qop=auth, algorithm=SHA-256, response=\"{}\"",
            "0".repeat(64)
        );
        let (answered, _) = send(&app, "/read", From::Lines(vec![login])).await;
        assert_eq!(answered, status, "{uri}");
        let messages = messages("::digest");
        assert_eq!(messages, Vec::from_iter(expected), "{uri}");
    }
}
