//! Configuration documents, and invalid settings.

use std::time::Duration;

use auth_runtime::resource::UrlProblem;
use auth_runtime_authzen::{AuthZen, AuthZenError};
use axum::http::Method;
use serde_json::{Value, json};

use crate::pdp::{Behaviour, Pdp};
use crate::{TIMEOUT, assert_it_decides};

async fn discover(url: impl Into<String>) -> Result<AuthZen, AuthZenError> {
    AuthZen::builder()
        .url(url)
        .timeout(TIMEOUT)
        .discover()
        .await
}

fn configuration(url: &str) -> Value {
    json!({
        "policy_decision_point": url,
        "access_evaluation_endpoint": format!("{url}/one"),
        "access_evaluations_endpoint": format!("{url}/several"),
        "search_subject_endpoint": format!("{url}/search"),
        "capabilities": [],
    })
}

#[tokio::test]
async fn document_names_the_endpoints() {
    let pdp = Pdp::start();
    for path in ["", "/tenants/7"] {
        let url = format!("{}{path}", pdp.url());
        pdp.send(&configuration(&url));
        let engine = discover(&url).await.unwrap();
        let seen = pdp.last();
        assert_eq!(seen.method, Method::GET);
        assert_eq!(
            seen.path,
            format!("/.well-known/authzen-configuration{path}")
        );
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&pdp, &engine).await;
        let paths: Vec<String> = pdp.seen().into_iter().map(|seen| seen.path).collect();
        let [.., one, other, several] = paths.as_slice() else {
            panic!("{paths:?}");
        };
        assert_eq!(*one, format!("{path}/one"));
        assert_eq!(*other, format!("{path}/one"));
        assert_eq!(*several, format!("{path}/several"));
    }
}

#[tokio::test]
async fn document_of_another_server_is_rejected() {
    let pdp = Pdp::start();
    for found in ["https://pdp.example".to_owned(), format!("{}/", pdp.url())] {
        let mut document = configuration(&pdp.url());
        document["policy_decision_point"] = found.as_str().into();
        pdp.send(&document);
        let url = pdp.url();
        let error = discover(&url).await.unwrap_err();
        assert_eq!(error, AuthZenError::AnotherDecisionPoint { url, found });
    }
}

#[tokio::test]
async fn endpoints_are_on_host_of_server() {
    let pdp = Pdp::start();
    let other = Pdp::start();
    for endpoint in [
        format!("{}/one", other.url()),
        pdp.url().replace("http:", "https:"),
        pdp.url().replace("127.0.0.1", "localhost"),
        pdp.url().replace("127.0.0.1", "ann@127.0.0.1"),
        format!("{}.example/one", pdp.url()),
        "/one".to_owned(),
        String::new(),
    ] {
        for member in [
            "access_evaluation_endpoint",
            "access_evaluations_endpoint",
            "search_resource_endpoint",
        ] {
            let mut document = configuration(&pdp.url());
            document[member] = endpoint.as_str().into();
            pdp.send(&document);
            let error = discover(pdp.url()).await.unwrap_err();
            assert_eq!(error, AuthZenError::Endpoint(endpoint.clone()));
        }
    }
}

#[tokio::test]
async fn endpoint_for_several_questions_is_required() {
    let pdp = Pdp::start();
    let mut document = configuration(&pdp.url());
    let members = document.as_object_mut().unwrap();
    members.remove("access_evaluations_endpoint");
    pdp.send(&document);
    let error = discover(pdp.url()).await.unwrap_err();
    assert_eq!(error, AuthZenError::NoEvaluationsEndpoint);
    assert!(error.to_string().contains("only one question"));
}

#[tokio::test]
async fn unreadable_documents_are_errors() {
    let mut pdp = Pdp::start();
    for behaviour in [
        Behaviour::Status(404),
        Behaviour::Status(500),
        Behaviour::Redirect(302),
        Behaviour::Never,
        Behaviour::Endless,
        Behaviour::Send("<html>".to_owned()),
        Behaviour::Send("{}".to_owned()),
        Behaviour::Send("[]".to_owned()),
    ] {
        pdp.behave(behaviour);
        let error = discover(pdp.url()).await.unwrap_err();
        assert!(matches!(error, AuthZenError::Configuration(_)), "{error}");
    }
    let url = pdp.url();
    pdp.send(&json!([
        url,
        format!("{url}/one"),
        format!("{url}/several")
    ]));
    assert!(discover(&url).await.is_err());
    pdp.stop();
    let error = discover(url).await.unwrap_err();
    assert!(matches!(error, AuthZenError::Configuration(_)), "{error}");
}

#[test]
fn invalid_settings_are_errors() {
    let url = || AuthZen::builder().url("https://pdp.example");
    let invalid = [
        (AuthZen::builder(), AuthZenError::NoUrl),
        (
            AuthZen::builder().url("https://pdp.example/?tenant=7"),
            AuthZenError::Query("https://pdp.example/?…".to_owned()),
        ),
        (url().bearer_token(""), AuthZenError::Credentials),
        (url().bearer_token("a b"), AuthZenError::Credentials),
        (url().bearer_token("a\r\nb: c"), AuthZenError::Credentials),
        (url().basic("", "s"), AuthZenError::Credentials),
        (url().basic("a:b", "s"), AuthZenError::Credentials),
        (url().basic("a", "s\n"), AuthZenError::Credentials),
        (url().subject_type(""), AuthZenError::SubjectType),
        (url().roles_property(""), AuthZenError::RolesProperty),
        (
            url().timeout(Duration::ZERO),
            AuthZenError::Timeout(Duration::ZERO),
        ),
        (
            url().timeout(Duration::MAX),
            AuthZenError::Timeout(Duration::MAX),
        ),
        (url().ca_certificates("none"), AuthZenError::CaCertificates),
    ];
    for (builder, expected) in invalid {
        assert_eq!(builder.build().unwrap_err(), expected);
    }
    for (url, problem) in [
        ("http://pdp.example", UrlProblem::NotHttps),
        ("ftp://pdp.example", UrlProblem::NotHttps),
        (
            "https://ann:secret@pdp.example",
            UrlProblem::UserInformation,
        ),
        ("https://pdp.example/#a", UrlProblem::Fragment),
        ("/access", UrlProblem::NotAbsolute),
    ] {
        let error = AuthZen::builder().url(url).build().unwrap_err();
        assert!(!error.to_string().contains("secret"));
        assert!(
            matches!(error, AuthZenError::Url { problem: found, .. } if found == problem),
            "{url}"
        );
    }
    let plain = AuthZen::builder().url_over_plain_http("http://pdp.example");
    assert!(plain.build().is_ok());
    let renamed = AuthZen::builder()
        .url_over_plain_http("http://pdp.example")
        .url("http://pdp.example");
    assert!(renamed.build().is_err());
}
