//! Signed webhooks, with the examples that the senders publish.

mod formats;
mod other_handlers;

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::public;
use auth_runtime::routing::{any, post};
use auth_runtime::schemes::{Source, Webhooks, WebhooksBuilder, WebhooksError};
use axum::extract::Extension;
use hmac::{Hmac, KeyInit, Mac};
use http::header::LINK;
use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt;

use super::*;

#[requires(role = "hook")]
async fn pushed(body: String) -> String {
    body
}

#[requires(role = "hook", hide_as = 404)]
async fn hidden(body: String) -> String {
    body
}

fn at(seconds: u64) -> ManualClock {
    ManualClock::new(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn sender() -> Identity {
    Identity::new("sender").with_roles(["hook"])
}

fn app_with(hooks: WebhooksBuilder) -> ProtectedRouter {
    let hooks = hooks
        .identity(sender())
        .build()
        .expect("the scheme is in order");
    GuardedRouter::new()
        .route("/pushed", post(pushed))
        .route("/hidden", post(hidden))
        .protect(space(hooks))
        .expect("the routes are in order")
}

async fn post_to(
    app: &impl App,
    path: &str,
    lines: &[(&'static str, &str)],
    body: &str,
) -> Response {
    let mut request = Request::post(path).body(Body::from(body.to_owned()));
    let request = request.as_mut().expect("a request");
    for (name, value) in lines {
        let value = value.parse().expect("a field value");
        request.headers_mut().append(*name, value);
    }
    let request = std::mem::take(request);
    app.clone().oneshot(request).await.expect("infallible")
}

async fn status(app: &impl App, lines: &[(&'static str, &str)], body: &str) -> u16 {
    post_to(app, "/pushed", lines, body).await.status().as_u16()
}

fn hex_signature(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The example of GitHub's documentation, "Validating webhook deliveries".
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_BODY: &str = "Hello, World!";
const GITHUB_SIGNATURE: &str =
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[tokio::test]
async fn github_signs_the_body() {
    const FIELD: &str = "x-hub-signature-256";
    let app = app_with(Webhooks::github().secret(GITHUB_SECRET));
    let response = post_to(&app, "/pushed", &[(FIELD, GITHUB_SIGNATURE)], GITHUB_BODY).await;
    assert_eq!(response.status(), 200);
    assert_eq!(text(response).await, GITHUB_BODY);
    let upper = GITHUB_SIGNATURE.replace("757107ea", "757107EA");
    assert_eq!(status(&app, &[(FIELD, &upper)], GITHUB_BODY).await, 200);
    let altered = GITHUB_SIGNATURE.replace("757", "758");
    let sha1 = GITHUB_SIGNATURE.replace("sha256=", "sha1=");
    for (name, lines, body) in [
        ("no signature", &[][..], GITHUB_BODY),
        ("another body", &[(FIELD, GITHUB_SIGNATURE)], "Hello, World"),
        ("an empty body", &[(FIELD, GITHUB_SIGNATURE)], ""),
        ("altered", &[(FIELD, altered.as_str())], GITHUB_BODY),
        ("cut", &[(FIELD, &GITHUB_SIGNATURE[..70])], GITHUB_BODY),
        ("no hexadecimal", &[(FIELD, "sha256=+1")], GITHUB_BODY),
        ("another hash", &[(FIELD, sha1.as_str())], GITHUB_BODY),
    ] {
        let response = post_to(&app, "/pushed", lines, body).await;
        assert_eq!(response.status(), 401, "{name}");
        assert_eq!(challenges(&response), ["Webhook realm=\"api\""], "{name}");
    }
    let twice = [(FIELD, GITHUB_SIGNATURE), (FIELD, GITHUB_SIGNATURE)];
    assert_eq!(status(&app, &twice, GITHUB_BODY).await, 400);
}

#[tokio::test]
async fn stripe_signs_time_and_body() {
    const FIELD: &str = "stripe-signature";
    const SECRET: &str = "whsec_a_secret_of_stripe";
    const BODY: &str = r#"{"id": "evt_1", "object": "event"}"#;
    let time = at(1_492_774_577);
    let app = app_with(Webhooks::stripe().secret(SECRET).clock(time.clock()));
    let signature = hex_signature(SECRET, &format!("1492774577.{BODY}"));
    let old = hex_signature("another secret of stripe", &format!("1492774577.{BODY}"));
    let valid = format!("t=1492774577,v1={signature},v0=ignored");
    let rolled = format!("t=1492774577,v1={old},v1={signature}");
    let moved = format!("t=1492774578,v1={signature}");
    let two_times = format!("t=1492774577,t=1492774577,v1={signature}");
    let many = format!(
        "t=1492774577,{}v1={signature}",
        format!("v1={old},").repeat(16)
    );
    let of_other_versions = format!("t=1492774577,{}v1={signature}", "v0=ignored,".repeat(20));
    for (name, value, expected) in [
        ("valid", valid.as_str(), 200),
        ("signed with two secrets", &rolled, 200),
        ("another time", &moved, 401),
        ("two times", &two_times, 401),
        ("too many signatures", &many, 401),
        ("many of another version", &of_other_versions, 200),
        ("no time", &format!("v1={signature}"), 401),
        (
            "another version",
            &format!("t=1492774577,v0={signature}"),
            401,
        ),
        ("no pairs", "v1", 401),
    ] {
        assert_eq!(
            status(&app, &[(FIELD, value)], BODY).await,
            expected,
            "{name}"
        );
    }
    for (moved, expected) in [(300, 200), (1, 401)] {
        time.advance(Duration::from_secs(moved));
        assert_eq!(status(&app, &[(FIELD, &valid)], BODY).await, expected);
    }
    time.set_wall(UNIX_EPOCH + Duration::from_secs(1_492_774_577 - 301));
    assert_eq!(
        status(&app, &[(FIELD, &valid)], BODY).await,
        401,
        "from the future"
    );
}

/// The example of the specification of Standard Webhooks, and that of Svix.
#[tokio::test]
async fn standard_signs_id_time_and_body() {
    for (secret, id, seconds, body, signature) in [
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1_731_705_121,
            r#"{"event_type":"ping","data":{"success":true}}"#,
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        let clock = at(seconds).clock();
        // Supabase shows the version of the signatures before the secret.
        let with_version = Webhooks::standard().secret(format!("v1,{secret}"));
        let with_version = app_with(with_version.clock(clock.clone()));
        let app = app_with(Webhooks::standard().secret(secret).clock(clock));
        let seconds = seconds.to_string();
        let lines = |id, signature| {
            [
                ("webhook-id", id),
                ("webhook-timestamp", seconds.as_str()),
                ("webhook-signature", signature),
            ]
        };
        assert_eq!(status(&app, &lines(id, signature), body).await, 200);
        assert_eq!(
            status(&with_version, &lines(id, signature), body).await,
            200
        );
        let several = format!("v1a,x {signature}");
        assert_eq!(status(&app, &lines(id, &several), body).await, 200);
        assert_eq!(
            status(&app, &lines("msg_other", signature), body).await,
            401
        );
        assert_eq!(status(&app, &lines(id, signature), "{}").await, 401);
        assert_eq!(status(&app, &lines(id, "v1,!"), body).await, 401);
        assert_eq!(status(&app, &lines(id, signature)[1..], body).await, 401);
    }
}

/// Otherwise a recorded body could be split into another time and another body.
#[tokio::test]
async fn standard_webhooks_have_one_reading() {
    const SECRET: &str = "the secret of the sender";
    let (old, now) = ("1614265330", "1731705121");
    let clock = at(1_731_705_121).clock();
    let app = app_with(Webhooks::standard().secret(SECRET).clock(clock));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(format!("msg_1.{old}.{now}.other").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    for (id, time, body) in [
        ("msg_1", old, "1731705121.other"),
        ("msg_1.1614265330", now, "other"),
        ("msg_1", "1614265330.1731705121", "other"),
    ] {
        let lines = [
            ("webhook-id", id),
            ("webhook-timestamp", time),
            ("webhook-signature", &signature),
        ];
        assert_eq!(status(&app, &lines, body).await, 401, "{id} {time}");
    }
}

#[tokio::test]
async fn requests_of_every_method_are_verified() {
    const FIELD: &str = "x-hub-signature-256";
    let hooks = Webhooks::github().secret(GITHUB_SECRET).identity(sender());
    let app = GuardedRouter::new()
        .route("/pushed", any(pushed))
        .protect(space(hooks.build().expect("the scheme is in order")))
        .expect("the routes are in order");
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"] {
        for (body, expected) in [(GITHUB_BODY, 200), ("Hello, world!", 401), ("", 401)] {
            let request = Request::builder()
                .method(method)
                .uri("/pushed")
                .header(FIELD, GITHUB_SIGNATURE)
                .body(Body::from(body))
                .expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), expected, "{method} {body:?}");
            if expected == 200 {
                assert_eq!(text(response).await, GITHUB_BODY, "{method}");
            }
        }
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    const FIELD: &str = "x-hub-signature-256";
    let app = app_with(Webhooks::github().secret(GITHUB_SECRET));
    let longest = "x".repeat(ProtectionSpace::MAX_BODY);
    let signature = format!("sha256={}", hex_signature(GITHUB_SECRET, &longest));
    assert_eq!(status(&app, &[(FIELD, &signature)], &longest).await, 200);
    let longer = format!("{longest}x");
    let signature = format!("sha256={}", hex_signature(GITHUB_SECRET, &longer));
    assert_each_path_is_400(app, &[(FIELD, &signature)], &longer).await;
}

/// The body of the request is gone, so it is invalid on every path.
async fn assert_each_path_is_400(app: ProtectedRouter, lines: &[(&'static str, &str)], body: &str) {
    for path in ["/pushed", "/hidden", "/absent"] {
        let response = post_to(&app, path, lines, body).await;
        assert_eq!(response.status(), 400, "{path}");
    }
    let hidden = post_to(&app, "/hidden", lines, body).await;
    let unknown = post_to(&app, "/absent", lines, body).await;
    assert_eq!(hidden.headers(), unknown.headers());
    assert_eq!(text(hidden).await, text(unknown).await);
}

/// Rejected credentials of such a scheme count as none, and an unreadable body does not.
#[tokio::test]
async fn bodies_are_bounded_without_a_challenge() {
    /// Rejects every request, and panics without a body.
    struct Unchallenged;

    impl Scheme for Unchallenged {
        fn name(&self) -> &str {
            "Unchallenged"
        }

        fn sources(&self) -> Vec<Source> {
            vec![Source::Field(HeaderName::from_static("x-signature"))]
        }

        fn verify(&self, credentials: &Credentials<'_>) -> Verification {
            credentials.body().expect("a body");
            Verification::done(Caller::rejected())
        }

        fn has_challenge(&self) -> bool {
            false
        }

        fn signs_body(&self) -> bool {
            true
        }
    }

    #[public(reason = "shows that the request arrived", identity = optional)]
    async fn optional(body: String) -> String {
        body
    }

    let app = GuardedRouter::new()
        .route("/pushed", post(optional))
        .route("/hidden", post(hidden))
        .protect(space(Unchallenged))
        .expect("the routes are in order");
    let lines = [("x-signature", "none")];
    for (path, expected) in [("/pushed", 200), ("/hidden", 404), ("/absent", 404)] {
        let response = post_to(&app, path, &lines, "short").await;
        assert_eq!(response.status(), expected, "{path}");
    }
    let longer = "x".repeat(ProtectionSpace::MAX_BODY + 1);
    assert_each_path_is_400(app, &lines, &longer).await;
}

#[tokio::test]
async fn trailers_do_not_belong_to_body() {
    let app = app_with(Webhooks::github().secret(GITHUB_SECRET));
    for (body, expected) in [(GITHUB_BODY, 200), ("Hello, world!", 401)] {
        let trailers = HeaderMap::from_iter([(LINK, HeaderValue::from_static("</log>"))]);
        let trailers = std::future::ready(Some(Ok(trailers)));
        let request = Request::post("/pushed")
            .header("x-hub-signature-256", GITHUB_SIGNATURE)
            .body(Body::new(Body::from(body).with_trailers(trailers)))
            .expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), expected, "{body}");
        if expected == 200 {
            assert_eq!(text(response).await, GITHUB_BODY);
        }
    }
}

#[tokio::test]
async fn applications_set_the_body_bound() {
    const FIELD: &str = "x-hub-signature-256";
    const MAX: usize = 2 * ProtectionSpace::MAX_BODY;
    let builder = |max| {
        let hooks = Webhooks::github().secret(GITHUB_SECRET).identity(sender());
        let space = ProtectionSpace::builder().realm("hooks").max_body(max);
        space.scheme(hooks.build().expect("the scheme is in order"))
    };
    let space = |max| builder(max).build().expect("the space is in order");
    let small = GuardedRouter::new().route("/pushed", post(pushed));
    let large = GuardedRouter::new().route("/hidden", post(hidden));
    let small = small.protect(space(10)).expect("the routes are in order");
    let app = small.merge(large.protect(space(MAX)).expect("the routes are in order"));
    for (length, expected) in [(MAX, 200), (MAX + 1, 400)] {
        let body = "x".repeat(length);
        let signature = format!("sha256={}", hex_signature(GITHUB_SECRET, &body));
        for path in ["/pushed", "/hidden"] {
            let response = post_to(&app, path, &[(FIELD, &signature)], &body).await;
            assert_eq!(response.status(), expected, "{path}, {length}");
        }
        let wrong = signature.replace("sha256=", "sha256=0");
        let hidden = post_to(&app, "/hidden", &[(FIELD, &wrong)], &body).await;
        let unknown = post_to(&app, "/absent", &[(FIELD, &wrong)], &body).await;
        assert_eq!(hidden.status(), unknown.status(), "{length}");
        assert_eq!(hidden.headers(), unknown.headers(), "{length}");
    }
    for max in [0, 64 * ProtectionSpace::MAX_BODY + 1] {
        assert_eq!(builder(max).build().unwrap_err(), SpaceError::MaxBody(max));
    }
}

/// A wrong signature must not reveal a hidden path either.
#[tokio::test]
async fn hidden_and_unknown_paths_respond_alike() {
    const FIELD: &str = "x-hub-signature-256";
    let app = app_with(Webhooks::github().secret(GITHUB_SECRET));
    let wrong = GITHUB_SIGNATURE.replace("757", "758");
    for (lines, expected) in [(&[][..], 404), (&[(FIELD, wrong.as_str())], 401)] {
        let hidden = post_to(&app, "/hidden", lines, GITHUB_BODY).await;
        let unknown = post_to(&app, "/absent", lines, GITHUB_BODY).await;
        assert_eq!(hidden.status(), expected);
        assert_eq!(hidden.headers(), unknown.headers());
        assert_eq!(text(hidden).await, text(unknown).await);
    }
}

/// A layer behind the decision that changes the body changes the decision.
#[tokio::test]
async fn replaced_body_is_verified_anew() {
    const FIELD: &str = "x-hub-signature-256";
    // The second one is as long as the body that was signed.
    for body in ["another body", "Hello, world?"] {
        let layer = axum::middleware::map_request(move |mut request: Request| {
            *request.body_mut() = Body::from(body);
            std::future::ready(request)
        });
        let hooks = Webhooks::github().secret(GITHUB_SECRET).identity(sender());
        let hooks = hooks.build().expect("the scheme is in order");
        let app = GuardedRouter::new()
            .route("/pushed", post(pushed).layer(layer.clone()))
            .route("/hidden", post(hidden).layer(layer))
            .protect(space(hooks))
            .expect("the routes are in order");
        let lines = [(FIELD, GITHUB_SIGNATURE)];
        // An unknown path has no such layer.
        for (path, status) in [("/pushed", 401), ("/hidden", 404), ("/absent", 404)] {
            let response = post_to(&app, path, &lines, GITHUB_BODY).await;
            assert_eq!(response.status(), status, "{path} {body}");
        }
    }
}

#[tokio::test]
async fn plain_routers_reject_every_signature() {
    let hooks = Webhooks::github().secret(GITHUB_SECRET).identity(sender());
    let space = space(hooks.build().expect("the scheme is in order"));
    let app = Router::new().route("/pushed", axum::routing::post(pushed));
    let app = app.layer(Extension(space));
    // The body that is not read is not an empty one.
    let of_nothing = format!("sha256={}", hex_signature(GITHUB_SECRET, ""));
    for (signature, body) in [(GITHUB_SIGNATURE, GITHUB_BODY), (&of_nothing, "other")] {
        let lines = [("x-hub-signature-256", signature)];
        assert_eq!(status(&app, &lines, body).await, 401, "{body}");
    }
}

#[test]
fn invalid_secrets_are_build_errors() {
    // The decoded bytes count.
    let encoded = |secret: &str| format!("whsec_{}", STANDARD.encode(secret));
    for (builder, expected) in [
        (Webhooks::github(), WebhooksError::NoSecret),
        (
            Webhooks::stripe().secret("fifteen bytes.."),
            WebhooksError::ShortSecret,
        ),
        (
            Webhooks::standard().secret("whsec_?"),
            WebhooksError::Encoding,
        ),
        (
            Webhooks::standard().secret("v1,whsec_?"),
            WebhooksError::Encoding,
        ),
        (
            Webhooks::standard().secret("whsec_c2hvcnQ="),
            WebhooksError::ShortSecret,
        ),
        (
            Webhooks::standard().secret(encoded("fifteen bytes..")),
            WebhooksError::ShortSecret,
        ),
        (
            Webhooks::github().secret(format!("{GITHUB_SECRET}\n")),
            WebhooksError::Whitespace,
        ),
        (
            Webhooks::stripe().secret(" whsec_a_secret_of_stripe"),
            WebhooksError::Whitespace,
        ),
        (
            Webhooks::standard().secret(encoded("sixteen bytes...") + "\r\n"),
            WebhooksError::Whitespace,
        ),
        (
            Webhooks::svix().secret("the secret of the sender\n"),
            WebhooksError::Whitespace,
        ),
    ] {
        assert_eq!(builder.build().expect_err("an invalid secret"), expected);
    }
    for builder in [
        Webhooks::stripe().secret("sixteen bytes..."),
        Webhooks::standard().secret(encoded("sixteen bytes...")),
        // A decoded secret is bytes, and so is one that is not UTF-8.
        Webhooks::svix().secret(encoded("sixteen bytes..\n")),
        Webhooks::svix().secret([&[0xff; 16][..], b"\n"].concat()),
    ] {
        assert!(builder.build().is_ok());
    }
}
