//! Invalid pages, and lists without an end.

use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{DecisionPoint, DecisionPointError, EvaluationRequest, Permitted};
use auth_runtime_authzen::AuthZen;
use serde_json::{Value, json};

use crate::pdp::{Behaviour, Pdp};
use crate::{IN_TIME, TIMEOUT, assert_it_decides};

fn engine(pdp: &Pdp) -> AuthZen {
    AuthZen::builder()
        .url(pdp.url())
        .search_resources()
        .timeout(TIMEOUT)
        .build()
        .unwrap()
}

async fn list(engine: &AuthZen) -> Result<Permitted, DecisionPointError> {
    let ann = Identity::new("ann");
    let request = EvaluationRequest::new(&ann, &[]);
    engine.permitted("read", "Document", request).await
}

fn ids(ids: &[&str]) -> Permitted {
    Permitted::Ids(ids.iter().map(ToString::to_string).collect())
}

fn result(id: &str) -> Value {
    json!({ "type": "Document", "id": id })
}

fn page(id: &str, next: &str) -> Value {
    json!({ "page": { "next_token": next }, "results": [result(id)] })
}

#[tokio::test]
async fn pages_are_one_list() {
    let pdp = Pdp::start();
    let engine = engine(&pdp);
    assert_eq!(list(&engine).await, Ok(ids(&["d1", "d3", "d4"])));
    assert_eq!(pdp.seen().len(), 2);
    let seen = pdp.last();
    assert_eq!(seen.path, "/access/v1/search/resource");
    assert_eq!(seen.fields["content-type"], "application/json");
    assert_eq!(seen.body["page"], json!({ "limit": 1000, "token": "2" }));
}

#[tokio::test]
async fn valid_pages_end_the_list() {
    let both = || vec![result("d1"), result("d2")];
    for (name, pages, expected) in [
        (
            "no page",
            vec![json!({ "results": both() })],
            &["d1", "d2"][..],
        ),
        ("empty token", vec![page("d1", "")], &["d1"]),
        ("no results", vec![json!({ "results": [] })], &[]),
        (
            "null page",
            vec![json!({ "results": both(), "page": null })],
            &["d1", "d2"],
        ),
        (
            "duplicates",
            vec![json!({ "results": [result("d1"), result("d1")] })],
            &["d1"],
        ),
        (
            "duplicates on pages",
            vec![page("d2", "a"), page("d1", "b"), page("d2", "")],
            &["d1", "d2"],
        ),
        (
            "empty pages",
            vec![
                json!({ "page": { "next_token": "a" }, "results": [] }),
                page("d1", "b"),
                json!({ "page": { "next_token": "", "count": 0, "total": 7 }, "results": [] }),
            ],
            &["d1"],
        ),
        (
            "further members",
            vec![json!({
                "results": [{ "type": "Document", "id": "d1", "properties": { "id": 7 } }],
                "page": { "next_token": "", "properties": {}, "total": 1 },
                "context": { "ms": 42 },
            })],
            &["d1"],
        ),
    ] {
        let pdp = Pdp::start();
        let count = pages.len();
        pdp.behave(Behaviour::pages(pages));
        assert_eq!(list(&engine(&pdp)).await, Ok(ids(expected)), "{name}");
        assert_eq!(pdp.seen().len(), count, "{name}");
    }
}

#[tokio::test]
async fn invalid_pages_are_errors() {
    let other = json!({ "type": "Folder", "id": "f1" });
    let in_page = |page: Value| json!({ "results": [result("d1")], "page": page });
    let no_page = "the response is not a JSON object with `results`";
    for (name, pages, problem) in [
        ("decision", vec![json!({ "decision": true })], no_page),
        ("list", vec![json!([result("d1")])], no_page),
        ("null", vec![json!({ "results": null })], no_page),
        (
            "object",
            vec![json!({ "results": { "0": result("d1") } })],
            no_page,
        ),
        ("texts", vec![json!({ "results": ["d1"] })], no_page),
        (
            "arrays",
            vec![json!({ "results": [["Document", "d1"]] })],
            no_page,
        ),
        (
            "no id",
            vec![json!({ "results": [{ "type": "Document" }] })],
            no_page,
        ),
        (
            "no type",
            vec![json!({ "results": [{ "id": "d1" }] })],
            no_page,
        ),
        (
            "number",
            vec![json!({ "results": [{ "type": "Document", "id": 1 }] })],
            no_page,
        ),
        ("page is a text", vec![in_page(json!("a"))], no_page),
        ("page is a list", vec![in_page(json!(["a"]))], no_page),
        ("no token", vec![in_page(json!({ "count": 1 }))], no_page),
        (
            "token is a number",
            vec![in_page(json!({ "next_token": 7 }))],
            no_page,
        ),
        (
            "token is null",
            vec![in_page(json!({ "next_token": null }))],
            no_page,
        ),
        (
            "negative count",
            vec![in_page(json!({ "next_token": "", "count": -1 }))],
            no_page,
        ),
        (
            "error",
            vec![json!({ "results": [], "context": { "error": { "status": 404 } } })],
            "its error has the status 404",
        ),
        (
            "half a page",
            vec![in_page(json!({ "next_token": "", "count": 2 }))],
            "the page has 1 results, and 2 by its own count",
        ),
        (
            "another type",
            vec![json!({ "results": [result("d1"), other.clone()] })],
            "another type",
        ),
        (
            "another type later",
            vec![page("d1", "a"), json!({ "results": [other] })],
            "another type",
        ),
        ("garbage later", vec![page("d1", "a"), json!({})], no_page),
        (
            "repeated token",
            vec![page("d1", "a"), page("d2", "a"), page("d3", "")],
            "the token of the next page is the one of an earlier page",
        ),
        (
            "cycle",
            vec![
                page("d1", "a"),
                page("d2", "b"),
                page("d1", "a"),
                page("d3", ""),
            ],
            "the token of the next page is the one of an earlier page",
        ),
    ] {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        pdp.behave(Behaviour::pages(pages));
        let error = list(&engine).await.expect_err(name);
        assert!(error.to_string().contains(problem), "{name}: {error}");
        assert_eq!(error.retry_time(), Some(Duration::from_secs(5)), "{name}");
        assert!(!error.to_string().contains("d1"), "{name}");
        pdp.behave(Behaviour::Decide);
        assert_eq!(list(&engine).await, Ok(ids(&["d1", "d3", "d4"])), "{name}");
    }
    let pdp = Pdp::start();
    let twice = r#"{"results":[],"results":[{"type":"Document","id":"d1"}]}"#;
    pdp.behave(Behaviour::Send(twice.to_owned()));
    assert!(list(&engine(&pdp)).await.is_err());
}

/// Returns the error of six lists, which open no circuit: the server works, and another list may be short.
async fn assert_endless(
    timeout: Duration,
    late: Duration,
    each: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> String {
    let pdp = Pdp::start();
    let engine = AuthZen::builder()
        .url(pdp.url())
        .search_resources()
        .timeout(timeout)
        .build()
        .unwrap();
    pdp.behave(Behaviour::each_page(late, each));
    let mut problems = Vec::new();
    for _ in 0..6 {
        let begun = Instant::now();
        problems.push(list(&engine).await.unwrap_err().to_string());
        assert!(begun.elapsed() < timeout + IN_TIME - TIMEOUT);
    }
    pdp.behave(Behaviour::Decide);
    assert_it_decides(&pdp, &engine).await;
    problems.dedup();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[tokio::test]
async fn endless_lists_are_errors() {
    let (long, at_once) = (Duration::from_secs(20), Duration::ZERO);
    let many = assert_endless(long, at_once, |page| {
        let results = (0..1000).map(|index| result(&format!("{page}-{index}")));
        let results: Vec<Value> = results.collect();
        json!({ "page": { "next_token": page.to_string() }, "results": results })
    });
    assert_eq!(many.await, "the list has more than 10000 objects");
    let large = assert_endless(long, at_once, |page| {
        let token = format!("{page:08}{}", "x".repeat(512 * 1024));
        json!({ "page": { "next_token": token }, "results": [] })
    });
    let large = large.await;
    let problem = "the list does not end after 8 pages";
    assert!(large.starts_with(problem), "{large}");
    let slow = assert_endless(TIMEOUT, TIMEOUT / 5, |number| {
        page("d1", &number.to_string())
    });
    assert_eq!(slow.await, "the pages of the list are not read in time");
}

/// The bound on pages, within a long time.
#[tokio::test]
async fn endless_empty_pages_are_bounded() {
    let pdp = Pdp::start();
    let engine = AuthZen::builder()
        .url(pdp.url())
        .search_resources()
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    pdp.behave(Behaviour::each_page(
        Duration::ZERO,
        |number| json!({ "page": { "next_token": number.to_string() }, "results": [] }),
    ));
    let error = list(&engine).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the list does not end after 1000 pages"),
        "{error}"
    );
    assert_eq!(pdp.seen().len(), 1000);
}

#[tokio::test]
async fn failures_list_nothing() {
    for behaviour in [
        Behaviour::Status(500),
        Behaviour::Status(403),
        Behaviour::Status(404),
        Behaviour::Never,
        Behaviour::Late(TIMEOUT * 3),
        Behaviour::Trickle,
        Behaviour::Long(1024 * 1024),
        Behaviour::Endless,
        Behaviour::Redirect(307),
        Behaviour::Broken,
        Behaviour::Close,
        Behaviour::Half,
        Behaviour::TooMuch,
        Behaviour::Send("<html>".to_owned()),
    ] {
        let pdp = Pdp::start();
        let engine = engine(&pdp);
        let repeats = usize::from(matches!(behaviour, Behaviour::Close));
        pdp.behave(behaviour);
        let begun = Instant::now();
        let error = list(&engine).await.unwrap_err();
        assert!(begun.elapsed() < IN_TIME);
        assert!(error.retry_time().is_some());
        assert_eq!(pdp.seen().len(), 1 + repeats);
        pdp.behave(Behaviour::Decide);
        assert_eq!(list(&engine).await, Ok(ids(&["d1", "d3", "d4"])));
    }
}

#[tokio::test]
async fn servers_without_search_decide_per_object() {
    let pdp = Pdp::start();
    assert_eq!(list(&crate::engine(&pdp)).await, Ok(Permitted::PerObject));
    assert!(pdp.seen().is_empty());
}

#[tokio::test]
async fn document_names_the_endpoint_of_lists() {
    let pdp = Pdp::start();
    let url = pdp.url();
    let document = |search: Option<&str>| {
        let mut document = json!({
            "policy_decision_point": url,
            "access_evaluation_endpoint": format!("{url}/one"),
            "access_evaluations_endpoint": format!("{url}/several"),
        });
        if let Some(search) = search {
            document["search_resource_endpoint"] = search.into();
        }
        document
    };
    let named = format!("{url}/search/objects");
    for (endpoint, is_set, path) in [
        (None, false, None),
        (None, true, Some("/access/v1/search/resource")),
        (Some(named.as_str()), false, Some("/search/objects")),
        (Some(named.as_str()), true, Some("/search/objects")),
    ] {
        pdp.send(&document(endpoint));
        let builder = AuthZen::builder().url(&url).timeout(TIMEOUT);
        let builder = if is_set {
            builder.search_resources()
        } else {
            builder
        };
        let engine = builder.discover().await.unwrap();
        pdp.behave(Behaviour::Decide);
        let listed = list(&engine).await.unwrap();
        match path {
            None => assert_eq!(listed, Permitted::PerObject),
            Some(path) => {
                assert_eq!(listed, ids(&["d1", "d3", "d4"]));
                assert_eq!(pdp.last().path, path);
            }
        }
    }
}
