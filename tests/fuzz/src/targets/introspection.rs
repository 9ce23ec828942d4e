//! Responses of an introspection endpoint (RFC 7662): each input is one.

use auth_runtime::schemes::{Bearer, Introspection};
use serde_json::Value;

use super::http_server::{Document, serve_document};
use super::jwt::{AUDIENCE, ISSUER};
use super::requests::Sent;
use super::service::{NOW, SHOWN, Service, clock, router_of};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "introspection",
    cost: 1,
    dictionary: &[
        "\"active\":true",
        "\"active\":false",
        "\"active\":\"true\"",
        "\"sub\":\"ann\"",
        "\"username\":\"ann\"",
        "\"client_id\":\"c\"",
        "\"iss\":\"https://issuer.example\"",
        "\"aud\":\"https://api.example\"",
        "\"aud\":[\"https://api.example\"]",
        "\"exp\":1800000600",
        "\"exp\":1",
        "\"nbf\":1800000000",
        "\"iat\":1800000000",
        "\"scope\":\"a b\"",
        "\"token_type\":\"Bearer\"",
        "\"token_type\":\"DPoP\"",
        "\"cnf\":{\"jkt\":\"x\"}",
        "\"acr\":\"1\"",
        "\"auth_time\":1800000000",
        "null",
        "{}",
        "[]",
        ",",
        "\\ud800",
    ],
    start,
};

fn start() -> Check {
    let document = Document::default();
    let server = serve_document(&document);
    let introspection = Introspection::builder()
        .endpoint_over_plain_http(format!("{server}/introspect"))
        .client_secret("service", "a secret of the service")
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .without_cache()
        .clock(clock());
    let bearer = Bearer::introspection(introspection.build().expect("an endpoint"));
    let service = Service::new(router_of(bearer));
    Box::new(move |input| {
        document.set(input);
        let sent = Sent::parse(b"GET\nauthorization: Bearer opaque", SHOWN).expect("a request");
        let answer = service.respond(sent.to_request());
        answer.check(&sent);
        if answer.status == 200 {
            check_granted(input, &answer.body);
        }
        Outcome::of((
            answer.status.as_u16(),
            answer.lines("www-authenticate").concat(),
        ))
        .of_decision(answer.status == 200)
    })
}

/// By the last member of each name, as most parsers read JSON.
fn check_granted(document: &[u8], subject: &[u8]) {
    let document: Value = serde_json::from_slice(document).expect("JSON");
    let audience = match &document["aud"] {
        Value::Array(several) => several.iter().any(|one| one == AUDIENCE),
        one => one == AUDIENCE,
    };
    assert_eq!(document["active"], true, "{document}");
    assert!(audience, "{document}");
    assert!(
        document["iss"].is_null() || document["iss"] == ISSUER,
        "{document}"
    );
    let expires = document["exp"].as_f64();
    assert!(
        expires.is_none_or(|time| time > NOW as f64 - 300.0),
        "{document}"
    );
    let begins = document["nbf"].as_f64();
    assert!(
        begins.is_none_or(|time| time < NOW as f64 + 300.0),
        "{document}"
    );
    assert!(
        document["cnf"].is_null(),
        "a bound token as Bearer: {document}"
    );
    assert_eq!(
        document["sub"].as_str().map(str::as_bytes),
        Some(subject),
        "{document}"
    );
}
