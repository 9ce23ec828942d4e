//! Settings, and the fields of requests.

use std::time::Duration;

use auth_runtime::Identity;
use auth_runtime::objects::{DecisionPoint, EvaluationRequest};
use auth_runtime::resource::UrlProblem;
use auth_runtime_spicedb::{SpiceDb, SpiceDbBuilder, SpiceDbError};
use axum::http::HeaderValue;

use crate::pdp::Pdp;
use crate::{KEY, ask, assert_it_decides, engine, read};

fn valid() -> SpiceDbBuilder {
    SpiceDb::builder()
        .url("https://spicedb.example:50051")
        .preshared_key(KEY)
}

#[test]
fn invalid_settings_are_errors() {
    let url = |url: &str, problem| SpiceDbError::Url {
        url: url.to_owned(),
        problem,
    };
    for (builder, expected) in [
        (SpiceDb::builder().preshared_key(KEY), SpiceDbError::NoUrl),
        (
            SpiceDb::builder().url("https://s.example"),
            SpiceDbError::NoPresharedKey,
        ),
        (
            valid().url("http://s.example"),
            url("http://s.example", UrlProblem::NotHttps),
        ),
        (
            valid()
                .url("http://s.example")
                .url_over_plain_http("s.example"),
            url("s.example", UrlProblem::NotAbsolute),
        ),
        (
            valid()
                .url_over_plain_http("http://s.example")
                .url("http://s.example"),
            url("http://s.example", UrlProblem::NotHttps),
        ),
        (
            valid().url("https://s.example/v1"),
            SpiceDbError::Path("https://s.example/v1".to_owned()),
        ),
        (
            valid().url("https://s.example?a"),
            SpiceDbError::Path("https://s.example?…".to_owned()),
        ),
        (valid().preshared_key(""), SpiceDbError::PresharedKey),
        (valid().preshared_key("a b"), SpiceDbError::PresharedKey),
        (valid().preshared_key("a\r\nb"), SpiceDbError::PresharedKey),
        (
            valid().subject_type("User"),
            SpiceDbError::Type("User".to_owned()),
        ),
        (
            valid().subject_type("user#member"),
            SpiceDbError::Type("user#member".to_owned()),
        ),
        (
            valid().resource_type("Repository", ""),
            SpiceDbError::Type(String::new()),
        ),
        (
            valid().resource_type("Repository", "forge:repo"),
            SpiceDbError::Type("forge:repo".to_owned()),
        ),
        (
            valid().action("update", "*"),
            SpiceDbError::Permission("*".to_owned()),
        ),
        (
            valid().action("update", "forge/write"),
            SpiceDbError::Permission("forge/write".to_owned()),
        ),
        (
            valid().timeout(Duration::ZERO),
            SpiceDbError::Timeout(Duration::ZERO),
        ),
        (
            valid().timeout(Duration::from_secs(61)),
            SpiceDbError::Timeout(Duration::from_secs(61)),
        ),
        (
            valid().ca_certificates("no PEM"),
            SpiceDbError::CaCertificates,
        ),
        (valid().ca_certificates(""), SpiceDbError::CaCertificates),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
    let long = valid()
        .url("https://user:secret@s.example")
        .build()
        .unwrap_err();
    assert!(!long.to_string().contains("secret"), "{long}");
}

#[test]
fn valid_settings() {
    for builder in [
        valid(),
        valid().url("https://s.example/"),
        valid().url("http://localhost:50051"),
        valid().url_over_plain_http("http://s.example:50051"),
        valid()
            .resource_type("Repository", "forge/repo")
            .action("ls", "list"),
        valid().timeout(Duration::from_secs(60)),
    ] {
        let debug = format!("{builder:?}");
        let engine = builder.build().unwrap();
        assert!(!debug.contains(KEY) && !format!("{engine:?}").contains(KEY));
    }
}

#[test]
fn names_are_checked_at_start() {
    let engine = valid()
        .resource_type("Io", "input")
        .action("ls", "list")
        .build()
        .unwrap();
    for (action, resource_type, is_decided) in [
        ("read", "Repository", true),
        ("read", "Service", true),
        ("ls", "Io", true),
        ("rm", "Io", false),
        ("read", "Os", false),
        ("read", "Straße", false),
        ("issue:close", "Repository", false),
    ] {
        assert_eq!(
            engine.decides_about(action, resource_type),
            is_decided,
            "{action} {resource_type}"
        );
    }
}

#[tokio::test]
async fn questions_without_relationships_are_not_sent() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    let long = "a".repeat(1025);
    let denied = ask(&engine, &[read("*"), read(""), read(&long)])
        .await
        .unwrap();
    assert!(denied.iter().all(|decision| !decision.is_allowed()));
    assert_eq!(ask(&engine, &[]).await, Ok(Vec::new()));
    for subject in ["*", "", &long] {
        let everybody = Identity::new(subject);
        let evaluations = [read("own"), read("own")];
        let request = EvaluationRequest::new(&everybody, &evaluations);
        let denied = engine.evaluate(request).await.unwrap();
        assert!(denied.iter().all(|decision| !decision.is_allowed()));
    }
    assert!(pdp.seen().is_empty());
    assert_it_decides(&engine).await;
}

#[tokio::test]
async fn requests_name_key_and_id() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    let ann = Identity::new("ann");
    let evaluations = [read("own")];
    for id in [None, Some("r-7f3a")] {
        let id = id.map(HeaderValue::from_static);
        let mut request = EvaluationRequest::new(&ann, &evaluations);
        request.request_id = id.as_ref();
        assert!(engine.evaluate(request).await.is_ok());
        let seen = pdp.seen().pop().unwrap();
        assert_eq!(seen["authorization"], format!("Bearer {KEY}"));
        assert_eq!(seen.get("x-request-id"), id.as_ref());
        assert!(
            seen["user-agent"]
                .to_str()
                .unwrap()
                .starts_with("auth-runtime/")
        );
    }
}
