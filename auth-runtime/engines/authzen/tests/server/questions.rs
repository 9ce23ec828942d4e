//! The requests that the server receives.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::Identity;
use auth_runtime::objects::{DecisionPoint, Evaluation, EvaluationRequest, Resource, Value};
use auth_runtime_authzen::AuthZen;
use axum::http::{HeaderValue, Method};
use serde_json::json;

use crate::pdp::{Behaviour, Pdp};
use crate::{ask, assert_it_decides, engine, own};

#[tokio::test]
async fn policy_decides() {
    let pdp = Pdp::start();
    assert_it_decides(&pdp, &engine(&pdp)).await;
}

#[tokio::test]
async fn no_questions_cause_no_request() {
    let pdp = Pdp::start();
    assert_eq!(ask(&engine(&pdp), &[]).await, Ok(Vec::new()));
    assert!(pdp.seen().is_empty());
}

#[tokio::test]
async fn one_question_has_all_data() {
    let pdp = Pdp::start();
    let identity = Identity::new("ann")
        .with_issuer("https://issuer.example")
        .with_scopes(["write", "read"])
        .with_roles(["editor"])
        .with_permissions(["publish"])
        .with_acr("urn:two")
        .with_amr(["otp", "pwd"])
        .with_auth_time(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let resource = Resource::new("Document", "d/1")
        .with_property("owner", "ann")
        .with_property("size", 7)
        .with_property("large", i64::MAX)
        .with_property("public", false)
        .with_property("tags", vec!["a", "b"])
        .with_property("folder", Value::Reference("Folder".into(), "f1".to_owned()));
    let evaluations = [Evaluation::new("update", resource)];
    let id = HeaderValue::from_static("r-17");
    let mut request = EvaluationRequest::new(&identity, &evaluations);
    request.method = &Method::PUT;
    request.path = "/documents/d%2F1";
    request.address = Some([192, 0, 2, 7].into());
    request.time = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    request.request_id = Some(&id);
    let decided = engine(&pdp).evaluate(request).await.unwrap();
    assert!(decided[0].is_allowed());
    let seen = pdp.last();
    assert_eq!(
        (seen.method, seen.path.as_str()),
        (Method::POST, "/access/v1/evaluation")
    );
    assert_eq!(seen.fields["content-type"], "application/json");
    assert_eq!(seen.fields["accept"], "application/json");
    assert_eq!(seen.fields["x-request-id"], "r-17");
    assert!(!seen.fields.contains_key("authorization"));
    let expected = json!({
        "subject": {
            "type": "user",
            "id": "ann",
            "properties": {
                "issuer": "https://issuer.example",
                "scopes": ["read", "write"],
                "roles": ["editor"],
                "permissions": ["publish"],
                "acr": "urn:two",
                "amr": ["otp", "pwd"],
                "auth_time": 1_700_000_000,
            },
        },
        "action": { "name": "update" },
        "resource": {
            "type": "Document",
            "id": "d/1",
            "properties": {
                "owner": "ann",
                "size": 7,
                "large": "9223372036854775807",
                "public": false,
                "tags": ["a", "b"],
                "folder": { "type": "Folder", "id": "f1" },
            },
        },
        "context": {
            "method": "PUT",
            "path": "/documents/d%2F1",
            "ip": "192.0.2.7",
            "time": "2026-01-01T00:00:00Z",
        },
    });
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn several_questions_are_one_request() {
    let pdp = Pdp::start();
    let identity = Identity::new("ann").with_roles(["admin"]);
    let engine = AuthZen::builder()
        .url(format!("{}/tenant/", pdp.url()))
        .subject_type("Person")
        .roles_property("cerbos.roles")
        .build()
        .unwrap();
    let service = Evaluation::new("read", Resource::new("Service", "shop"));
    let evaluations = [own("read"), service];
    let mut request = EvaluationRequest::new(&identity, &evaluations);
    request.time = UNIX_EPOCH;
    let decided = engine.evaluate(request).await.unwrap();
    assert_eq!(decided.len(), 2);
    assert_eq!(pdp.seen().len(), 1);
    let seen = pdp.last();
    assert_eq!(seen.path, "/tenant/access/v1/evaluations");
    assert!(!seen.fields.contains_key("x-request-id"));
    let expected = json!({
        "subject": {
            "type": "Person",
            "id": "ann",
            "properties": { "cerbos.roles": ["admin"] },
        },
        "context": { "method": "GET", "path": "/", "time": "1970-01-01T00:00:00Z" },
        "options": { "evaluations_semantic": "execute_all" },
        "evaluations": [
            {
                "action": { "name": "read" },
                "resource": { "type": "Document", "id": "d1", "properties": { "owner": "ann" } },
            },
            {
                "action": { "name": "read" },
                "resource": { "type": "Service", "id": "shop" },
            },
        ],
    });
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn service_is_authenticated() {
    let pdp = Pdp::start();
    let url = || AuthZen::builder().url(pdp.url());
    pdp.behave(Behaviour::Require("authorization", "Bearer abc.123=="));
    let bearer = url()
        .basic("a", "b")
        .bearer_token("abc.123==")
        .build()
        .unwrap();
    assert_it_decides(&pdp, &bearer).await;
    let wrong = url().bearer_token("abc.124==").build().unwrap();
    assert!(ask(&wrong, &[own("read")]).await.is_err());
    assert!(ask(&engine(&pdp), &[own("read")]).await.is_err());
    pdp.behave(Behaviour::Require(
        "authorization",
        "Basic c2hvcDpwOsOkIHM=",
    ));
    let basic = url()
        .bearer_token("a")
        .basic("shop", "p:ä s")
        .build()
        .unwrap();
    assert_it_decides(&pdp, &basic).await;
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let pdp = Pdp::start();
    let url = || AuthZen::builder().url(pdp.url());
    for builder in [url().bearer_token("s3cr3t"), url().basic("name", "s3cr3t")] {
        let mut texts = vec![format!("{builder:?}")];
        let engine = builder.build().unwrap();
        texts.push(format!("{engine:?}"));
        pdp.behave(Behaviour::Status(401));
        let error = ask(&engine, &[own("read")]).await.unwrap_err();
        texts.extend([error.to_string(), format!("{error:?}")]);
        pdp.send(&json!({ "decision": "s3cr3t" }));
        let error = ask(&engine, &[own("read")]).await.unwrap_err();
        texts.extend([error.to_string(), format!("{error:?}")]);
        for text in texts {
            assert!(
                !text.contains("s3cr3t") && !text.contains("czNjcjN0"),
                "{text}"
            );
            assert!(!text.contains("ann"), "{text}");
        }
    }
}
