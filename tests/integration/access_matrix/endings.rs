//! Handlers that do not finish.

use super::*;

#[public(reason = "a test")]
async fn panics() {
    panic!("the handler panics, as it should");
}

#[requires(authenticated)]
async fn never_answers() {
    std::future::pending().await
}

fn endless() -> GuardedRouter {
    GuardedRouter::new()
        .route("/panics", get(panics))
        .route("/waits", get(never_answers))
        .route("/healthz", get(healthz))
}

#[tokio::test]
async fn endless_handler_counts_as_granted() {
    let asked = || {
        let builder = AccessMatrix::builder(&endless().access_table(), &space());
        builder
            .persona(Persona::anonymous())
            .persona(reader())
            .time_limit(Duration::from_millis(50))
    };
    let app = || endless().protect(space()).expect("a router");
    let matrix = asked().send(&app()).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let shown = matrix.to_markdown();
    for row in [
        "| GET | `/panics` | unfinished | unfinished |\n",
        "| GET | `/waits` | 401 | unfinished |\n",
        "| GET | `/healthz` | 200 | 200 |\n",
        "`unfinished`: allowed, but the handler did not finish.",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    let responses = matrix.rows()[2].responses();
    assert_eq!(
        (responses[1].status(), responses[1].is_granted()),
        (None, true)
    );

    // A layer that aborts the handler is not a difference, unless its status is a denial.
    let cut_off = |status: StatusCode| {
        let layer = from_fn(
            move |request: Request, next: axum::middleware::Next| async move {
                let response = tokio::spawn(next.run(request));
                match tokio::time::timeout(Duration::from_millis(20), response).await {
                    Ok(Ok(response)) => response,
                    _ => status.into_response(),
                }
            },
        );
        app().layer(layer)
    };
    let app = cut_off(StatusCode::REQUEST_TIMEOUT);
    let matrix = asked().send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let shown = matrix.to_markdown();
    let row = "| GET | `/waits` | 401 | 408 unfinished |\n";
    assert!(shown.contains(row), "{shown}");
    assert_eq!(
        differences(cut_off(StatusCode::FORBIDDEN), asked()).await,
        [
            "GET /panics, anonymous: the policy grants (rule 1: public(reason = \"a test\")), \
             but a layer responded with 403 before the handler finished",
            "GET /panics, reader: the policy grants (rule 1: public(reason = \"a test\")), but a \
             layer responded with 403 before the handler finished",
            "GET /waits, reader: the policy grants (rule 1: yes: authenticated), but a layer \
             responded with 403 before the handler finished",
        ]
    );
}

#[tokio::test]
async fn missing_response_is_found() {
    let routes = || GuardedRouter::new().route("/x", get(account));
    let builder = |persona: Persona| {
        let builder = AccessMatrix::builder(&routes().access_table(), &space());
        builder
            .persona(persona)
            .time_limit(Duration::from_millis(20))
    };
    let with = |bearer: Bearer| {
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let space = space.build().expect("a space");
        routes().protect(space).expect("a router")
    };
    let slow = with(Bearer::new(|_token| std::future::pending::<Caller>()));
    assert_eq!(
        differences(slow, builder(reader())).await,
        [
            "GET /x, reader: the policy grants (rule 1: yes: authenticated), but no response \
             came within 20ms"
        ]
    );
    let broken = with(Bearer::new(async |_token| -> Caller {
        panic!("the verifier panics, as it should")
    }));
    let matrix = builder(expired()).send(&broken).await.expect("a matrix");
    assert!(matrix.to_string().contains("≠ unanswered"), "{matrix}");
    let (_, _, difference) = matrix.differences().next().expect("a difference");
    assert!(
        difference.ends_with("but the service panicked"),
        "{difference}"
    );
    // The caller should have been denied, but was granted, although the handler did not finish.
    let generous = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::new(async |_token| {
            Caller::known(Identity::new("x"))
        }));
    let generous = endless().protect(generous.build().expect("a space"));
    let builder = AccessMatrix::builder(&endless().access_table(), &space());
    let builder = builder
        .persona(expired())
        .time_limit(Duration::from_millis(20));
    let found = differences(generous.expect("a router"), builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].ends_with("but the request was granted, and no response came within 20ms"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn endless_handlers_elsewhere_are_found() {
    let table = GuardedRouter::<()>::new().route("/waits", get(account));
    let builder = AccessMatrix::builder(&table.access_table(), &space());
    let builder = builder
        .persona(reader())
        .time_limit(Duration::from_millis(50));
    let app = endless().protect(space()).expect("a router");
    let found = differences(app, builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("GET /waits, reader: the policy grants"),
        "{found:#?}"
    );
}
