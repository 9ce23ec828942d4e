//! Responses without decisions, and responses about other questions.

use auth_runtime::objects::ObjectDecision;

use crate::messages::{Decided, Error, Found, Pair, Permissionship};
use crate::pdp::{Behaviour, Pdp};
use crate::{ask, assert_it_decides, engine, list, read};

type Change = fn(&mut Vec<Pair>);

#[tokio::test]
async fn only_decisions_about_the_questions_count() {
    let changes: [(&str, Change); 11] = [
        ("no decisions", Vec::clear),
        ("a decision is missing", |pairs| _ = pairs.pop()),
        ("a decision is repeated", |pairs| {
            pairs.push(pairs[0].clone());
        }),
        ("another order", |pairs| pairs.reverse()),
        ("another object", |pairs| {
            let request = pairs[0].request.as_mut().unwrap();
            request.resource.as_mut().unwrap().object_id = "other".to_owned();
        }),
        ("another permission", |pairs| {
            pairs[0].request.as_mut().unwrap().permission = "write".to_owned();
        }),
        ("another subject", |pairs| {
            let request = pairs[1].request.as_mut().unwrap();
            request
                .subject
                .as_mut()
                .unwrap()
                .object
                .as_mut()
                .unwrap()
                .object_id = "bob".to_owned();
        }),
        ("no question", |pairs| pairs[0].request = None),
        ("no decision", |pairs| pairs[1].response = None),
        ("an unknown decision", |pairs| {
            pairs[0].response = Some(Decided::Item(Permissionship { number: 4 }));
        }),
        ("an unspecified decision", |pairs| {
            pairs[1].response = Some(Decided::Item(Permissionship { number: 0 }));
        }),
    ];
    for (name, change) in changes {
        let pdp = Pdp::start().await;
        let engine = engine(&pdp);
        pdp.behave(Behaviour::Change(change));
        let error = ask(&engine, &[read("own"), read("other")])
            .await
            .expect_err(name);
        assert!(error.retry_time().is_some(), "{name}");
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&engine).await;
    }
}

#[tokio::test]
async fn only_permission_allows() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Change(|pairs| {
        // A condition that is not met, although the object is known.
        pairs[0].response = Some(Decided::Item(Permissionship { number: 3 }));
    }));
    let decided = ask(&engine, &[read("own"), read("own")]).await;
    assert_eq!(
        decided,
        Ok(vec![ObjectDecision::deny(), ObjectDecision::allow()])
    );
}

#[tokio::test]
async fn error_about_one_question_is_error() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    pdp.behave(Behaviour::Change(|pairs| {
        let message = "relation\r\n`read` not found".to_owned();
        pairs[1].response = Some(Decided::Error(Error { code: 9, message }));
    }));
    for _ in 0..10 {
        let error = ask(&engine, &[read("own"), read("other")])
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("relation  `read` not found"), "{text}");
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&engine).await;
}

fn found(id: &str, permissionship: i32) -> Found {
    Found {
        looked_up_at: None,
        id: id.to_owned(),
        permissionship,
    }
}

#[tokio::test]
async fn lists_have_permitted_objects_once() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    let all = vec![
        found("b", 1),
        found("a=40b", 1),
        found("c", 2),
        found("b", 2),
        found("d", 2),
        found("b", 1),
        found("d", 1),
        found("=zz", 1),
        found("*", 1),
        found("", 1),
    ];
    pdp.behave(Behaviour::List(all));
    assert_eq!(
        list(&engine).await,
        Ok(["a@b", "b", "d"].map(str::to_owned).to_vec())
    );
    for permissionship in [0, 3] {
        pdp.behave(Behaviour::List(vec![
            found("a", 1),
            found("b", permissionship),
        ]));
        assert!(list(&engine).await.is_err());
    }
}

#[tokio::test]
async fn other_responses_are_errors() {
    for (name, behaviour) in [
        ("nothing", Behaviour::Send(Vec::new())),
        ("an empty message", Behaviour::Send(vec![0; 5])),
        (
            "no protobuf",
            Behaviour::Send(b"\0\0\0\0\x04\xff\xff\xff\xff".to_vec()),
        ),
        (
            "a cut message",
            Behaviour::Send(b"\0\0\0\0\x09\x12\x03".to_vec()),
        ),
        (
            "a compressed message",
            Behaviour::Send(b"\x01\0\0\0\x01\0".to_vec()),
        ),
        (
            "a huge length",
            Behaviour::Send(b"\0\xff\xff\xff\xff".to_vec()),
        ),
        (
            "JSON",
            Behaviour::Send(br#"{"pairs":[{"item":{"permissionship":2}}]}"#.to_vec()),
        ),
        ("no status at the end", Behaviour::NoStatus),
        ("a page", Behaviour::HttpStatus(200)),
        ("the status 302", Behaviour::HttpStatus(302)),
        ("the status 401", Behaviour::HttpStatus(401)),
        ("the status 503", Behaviour::HttpStatus(503)),
    ] {
        let pdp = Pdp::start().await;
        let engine = engine(&pdp);
        pdp.behave(behaviour);
        assert!(ask(&engine, &[read("own")]).await.is_err(), "{name}");
        // A list may be empty.
        let listed = list(&engine).await.unwrap_or_default();
        assert!(listed.is_empty(), "{name}");
        pdp.behave(Behaviour::Decide);
        assert_it_decides(&engine).await;
    }
}

/// The message is a decision about the question, but for a field that makes it long.
#[tokio::test]
async fn long_messages_are_errors() {
    let pdp = Pdp::start().await;
    let engine = engine(&pdp);
    for (length, is_decided) in [(7_000_000, true), (9_000_000, false)] {
        pdp.behave(Behaviour::Long(length));
        let decided = ask(&engine, &[read("own")]).await;
        assert_eq!(decided.is_ok(), is_decided, "{length}");
        assert_eq!(list(&engine).await.is_ok(), is_decided, "{length}");
    }
    // The length depends on the questions.
    for _ in 0..4 {
        assert!(ask(&engine, &[read("own")]).await.is_err());
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&engine).await;
}

/// Statuses of gRPC, and whether they are failures of the server: five of them open the circuit.
#[tokio::test]
async fn statuses_are_errors() {
    for status in 1..=16 {
        let pdp = Pdp::start().await;
        let engine = engine(&pdp);
        pdp.behave(Behaviour::Status(status));
        for _ in 0..4 {
            for error in [
                ask(&engine, &[read("own")]).await.unwrap_err(),
                list(&engine).await.unwrap_err(),
            ] {
                assert!(error.retry_time().is_some(), "{status}");
                if matches!(status, 7 | 16) {
                    assert!(!error.to_string().contains("key-of-the-tests"), "{error}");
                }
            }
        }
        let is_of_request = matches!(status, 3 | 5 | 9 | 11);
        assert_eq!(
            pdp.seen().len(),
            if is_of_request { 8 } else { 5 },
            "{status}"
        );
        pdp.behave(Behaviour::Decide);
        assert_eq!(
            ask(&engine, &[read("own")]).await.is_ok(),
            is_of_request,
            "{status}"
        );
    }
}
