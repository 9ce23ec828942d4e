//! Audit records of handlers with an optional identity.

use std::sync::{Arc, Mutex};

use super::*;

#[tokio::test]
async fn records_name_callers_and_real_denials() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let space = builder().audit(move |record| {
        let caller = record.caller().and_then(Caller::identity);
        let subject = caller.map(|identity| identity.subject().to_owned());
        let record = (record.outcome().name(), record.rule().number(), subject);
        kept.lock().expect("no panic").push(record);
    });
    let app = routes().protect(space.build().expect("the space is valid"));
    let app = app.expect("the router is valid");
    for fields in [
        &[][..],
        &[("authorization", "Bearer ann")],
        &[("cookie", "session=expired")],
        &[("authorization", "Bearer forged")],
    ] {
        send(&app, "/", fields).await;
    }
    let records = records.lock().expect("no panic").clone();
    let outcomes: Vec<_> = records.iter().map(|(outcome, ..)| *outcome).collect();
    assert_eq!(
        outcomes,
        ["granted", "granted", "granted", "unauthenticated"]
    );
    assert_eq!(records[1].2.as_deref(), Some("ann"));
    assert_eq!(records[0].2, None);
    assert_eq!(records[2].2, None);
}

/// A record of an object that a handler denies names the caller that the handler has (rule 6).
#[tokio::test]
async fn object_records_name_the_decision_caller() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let space = builder().audit(move |record| {
        let caller = format!("{:?}", record.caller().expect("a caller"));
        kept.lock().expect("no panic").push(caller);
    });
    let app = GuardedRouter::new().route("/", get(internal_page));
    let app = app.protect(space.build().expect("the space is valid"));
    let app = app.expect("the router is valid");
    for cookie in ["session=expired", "session=forged", "session=bob"] {
        records.lock().expect("no panic").clear();
        send(&app, "/", &[("cookie", cookie)]).await;
        let records = records.lock().expect("no panic");
        assert_eq!(records.len(), 2, "{cookie}");
        assert_eq!(records[0], records[1], "{cookie}");
        assert_eq!(
            records[0] == "Anonymous",
            cookie != "session=bob",
            "{cookie}"
        );
    }
}
