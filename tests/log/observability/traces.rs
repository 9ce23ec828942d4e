//! The spans and events of `tracing`.

use super::*;

/// Returns the events of decisions among them.
fn decisions() -> Vec<Value> {
    let mut lines = lines();
    lines.retain(|line| {
        line["target"] == "auth_runtime::decision"
            && !["new", "close"]
                .map(Value::from)
                .contains(&line["fields"]["message"])
    });
    lines
}

#[tokio::test]
async fn rules_are_traced_by_number() {
    let app = app(builder().build().expect("a space"));
    for (target, from, status, told) in rows() {
        send(&app, target, from).await;
        let events = decisions();
        assert_eq!(events.len(), told.len(), "{target}: {events:?}");
        for (event, told) in events.iter().zip(told) {
            let fields = &event["fields"];
            let [handler, rule, outcome, scheme] = told.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{told}");
            };
            let expected_handler = match handler {
                "-" => "unknown path".to_owned(),
                handler => format!("log::observability::{handler}"),
            };
            assert_eq!(fields["handler"], expected_handler, "{event}");
            assert_eq!(fields["rule"], rule, "{event}");
            assert_eq!(fields["outcome"], outcome, "{event}");
            assert_eq!(fields["scheme"].as_str().unwrap_or("-"), scheme, "{event}");
            assert_eq!(fields["method"], "GET", "{event}");
            let (level, message) = match outcome {
                "granted" => ("DEBUG", "granted"),
                "hidden" => ("INFO", "hidden"),
                _ => ("INFO", "denied"),
            };
            assert_eq!(event["level"], level, "{event}");
            assert_eq!(fields["message"], message, "{event}");
            if message == "denied" {
                assert_eq!(fields["status"], status, "{event}");
            }
            assert_eq!(fields.get("subject"), None, "{event}");
            // The event is in the span of its decision.
            assert_eq!(event["span"]["name"], "decide", "{event}");
        }
    }
}

#[tokio::test]
async fn hidden_404s_are_traced() {
    let app = app(builder().build().expect("a space"));
    let from = bearer(json!({ "scope": "read" }));
    let (status, hidden) = send(&app, "/write/7", from.clone()).await;
    let events = decisions();
    let (_, unknown) = send(&app, "/nowhere", from).await;
    assert_eq!(status, 404);
    assert_eq!(hidden.replace("/write/7", "/nowhere"), unknown);
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    let mut fields = event["fields"].clone();
    assert!(
        fields["seconds"]
            .take()
            .as_f64()
            .is_some_and(|took| took > 0.0)
    );
    let expected = json!({
        "message": "hidden",
        "handler": "log::observability::write",
        "method": "GET",
        "path": "/write/{id}",
        "policy": r#"requires(scope = "write", hide_as = 404)"#,
        "outcome": "hidden",
        "rule": "3c",
        "status": 403,
        "reason": r#"no: scope = "write""#,
        "scheme": "Bearer",
        "caller": "known",
        "seconds": null,
    });
    assert_eq!(fields, expected);
    for told in ["observability", "3c", "scope", "write"] {
        assert!(!hidden.replace("/write/7", "").contains(told), "{hidden}");
    }
}

#[tokio::test]
async fn rejections_are_traced_with_reasons() {
    let app = app(builder().build().expect("a space"));
    let expired = auth_tests::expired_token(json!({}));
    send(
        &app,
        "/read",
        From::Lines(vec![format!("Bearer {expired}")]),
    )
    .await;
    send(&app, "/nowhere", garbage()).await;
    let told: Vec<_> = decisions()
        .iter()
        .map(|event| event["fields"]["rejection"].clone())
        .collect();
    assert_eq!(told, ["expired", "malformed"]);
}

#[tokio::test]
async fn subjects_are_traced_on_request() {
    for (names_them, expected) in [(false, None), (true, Some("ann"))] {
        let space = builder().trace_subjects(names_them).build();
        let app = app(space.expect("a space"));
        for target in ["/read", "/object"] {
            send(&app, target, bearer(json!({}))).await;
            for event in decisions() {
                let subject = event["fields"].get("subject").and_then(Value::as_str);
                assert_eq!(subject, expected, "{event}");
            }
        }
    }
}

/// The spans of an introspection or a database query are below that of the decision.
#[tokio::test]
async fn verification_runs_within_the_span() {
    async fn asks(_: CheckRequest<'_>) -> bool {
        tokio::task::yield_now().await;
        tracing::info!("asks the database");
        true
    }
    #[requires(check = asks)]
    async fn watched() {
        tracing::info!("serves");
    }

    listen();
    let bearer = auth_runtime::schemes::Bearer::new(async |_| {
        tokio::task::yield_now().await;
        tracing::info!("asks the server");
        Caller::known(Identity::new("ann"))
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(bearer)
        .build();
    let router = GuardedRouter::new().route("/", get(watched));
    let app = router.protect(space.expect("a space")).expect("in order");
    send(&app, "/", From::Lines(vec!["Bearer a".to_owned()])).await;
    let lines = lines();
    let span_of = |message: &str| {
        let line = lines
            .iter()
            .find(|line| line["fields"]["message"] == message);
        line.unwrap_or_else(|| panic!("{message}: {lines:?}"))["span"].clone()
    };
    let span = json!({ "name": "decide", "handler": "log::observability::traces::watched" });
    assert_eq!(span_of("asks the server"), span);
    assert_eq!(span_of("asks the database"), span);
    assert_eq!(span_of("granted"), span);
    assert_eq!(span_of("serves"), Value::Null);
    let closed = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "close");
    assert_eq!(closed.count(), 1);
}

/// A mistake of an adapter: the request is denied, and the log has the reason.
#[tokio::test]
async fn function_that_is_missing_is_logged() {
    let space = builder().build().expect("a space");
    let policy = auth_tests::policy_of::<policy_of_checked>();
    let token = format!("Bearer {}", token(json!({})));
    let request = Request::get("/checked").header("authorization", token);
    let (head, ()) = request.body(()).expect("a request").into_parts();
    lines();
    let denied = space.authorize(policy, &head).await;
    assert_eq!(denied.expect_err("a denial").status(), 503);
    let lines = lines();
    let message = "the policy names a function that the handler does not have";
    let event = lines
        .iter()
        .find(|line| line["fields"]["message"] == message);
    let event = event.unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["fields"]["function"], "fails");
}
