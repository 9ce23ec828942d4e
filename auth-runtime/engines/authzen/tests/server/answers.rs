//! Responses without a valid decision.

use auth_runtime::objects::ObjectDecision;
use serde_json::{Value, json};

use crate::pdp::{Behaviour, Pdp};
use crate::{ask, assert_it_decides, assert_nothing_is_granted, engine, own};

/// Asserts that a behaviour grants nothing, and that the engine then decides again.
#[track_caller]
fn assert_refused(behaviour: Behaviour) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        assert_it_decides(&pdp, &engine).await;
        pdp.behave(behaviour);
        let seen = pdp.seen().len();
        assert_nothing_is_granted(&pdp, &engine).await;
        assert_eq!(pdp.seen().len(), seen + 2, "{caller}");
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&pdp, &engine).await;
    }
}

#[tokio::test]
async fn other_statuses_grant_nothing() {
    for status in [
        201, 202, 203, 204, 206, 300, 304, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 502,
        503, 504, 599,
    ] {
        assert_refused(Behaviour::Status(status)).await;
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        assert_refused(Behaviour::Redirect(status)).await;
    }
}

#[tokio::test]
async fn garbage_grants_nothing() {
    for garbage in [
        "",
        "true",
        "allow",
        "<html>true</html>",
        "{}",
        "[]",
        "[true]",
        r#"{"decision":"true"}"#,
        r#"{"decision":1}"#,
        r#"{"decision":null}"#,
        r#"{"decision":false,"decision":true}"#,
        r#"{"evaluations":[]}"#,
        r#"{"evaluations":[{"decision":true},{"decision":"true"}]}"#,
        r#"{"evaluations":[{"decision":true},{}]}"#,
        r#"{"evaluations":[{"decision":true},[true]]}"#,
        r#"{"evaluations":[true,true]}"#,
    ] {
        assert_refused(Behaviour::Send(garbage.to_owned())).await;
    }
}

#[tokio::test]
async fn half_a_response_grants_nothing() {
    assert_refused(Behaviour::Broken).await;
}

#[tokio::test]
async fn long_responses_grant_nothing() {
    assert_refused(Behaviour::Long(1024 * 1024)).await;
    assert_refused(Behaviour::Endless).await;
    let pdp = Pdp::start();
    pdp.behave(Behaviour::Long(1024 * 1024 - 100));
    assert!(ask(&engine(&pdp), &[own("read")]).await.unwrap()[0].is_allowed());
}

#[tokio::test]
async fn number_of_decisions_has_to_match() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    for found in [0, 1, 2, 4] {
        pdp.send(&json!({ "evaluations": vec![json!({ "decision": true }); found] }));
        let error = ask(&engine, &[own("a"), own("b"), own("c")])
            .await
            .unwrap_err();
        let expected = format!("the response has {found} decisions about 3 questions");
        assert_eq!(error.to_string(), expected);
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&pdp, &engine).await;
}

/// An outage of the data behind the server is not a denial of one object (§7.2.1). OpenFGA has the status 404 in all
/// of these errors.
#[tokio::test]
async fn error_about_one_question_is_outage() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    let answer = |status: u16| {
        let error = json!({ "status": status, "message": "a failure" });
        json!({ "evaluations": [
            { "decision": true },
            { "decision": false, "context": { "error": error } },
        ] })
    };
    for status in [404, 500, 503] {
        pdp.send(&answer(status));
        let error = ask(&engine, &[own("a"), own("b")]).await.unwrap_err();
        assert!(error.retry_time().is_some());
        let expected = "the server did not decide about a question: its error has the status";
        assert_eq!(error.to_string(), format!("{expected} {status}"));
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&pdp, &engine).await;
}

#[tokio::test]
async fn context_names_policy_and_login() {
    async fn decided(decision: bool, context: Value) -> ObjectDecision {
        let pdp = Pdp::start();
        let decision = json!({ "decision": decision, "context": context });
        pdp.send(&decision);
        let one = ask(&engine(&pdp), &[own("read")]).await.unwrap().remove(0);
        pdp.send(&json!({ "evaluations": [{ "decision": true }, decision] }));
        let several = ask(&engine(&pdp), &[own("read"), own("read")])
            .await
            .unwrap();
        assert_eq!(several, [ObjectDecision::allow(), one.clone()]);
        one
    }
    let denied = decided(
        false,
        json!({ "policy": "p7", "acr_values": "urn:a urn:b" }),
    )
    .await;
    let login = ObjectDecision::deny_until_login(["urn:a", "urn:b"]);
    assert_eq!(denied, login.by_policy("p7"));
    let denied = decided(false, json!({ "reason_admin": "no owner" })).await;
    assert_eq!(denied, ObjectDecision::deny().by_policy("no owner"));
    let allowed = decided(true, json!({ "id": "3", "acr_values": ["urn:a"] })).await;
    assert_eq!(allowed, ObjectDecision::allow().by_policy("3"));
}
