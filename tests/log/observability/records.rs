//! The records of the audit hook.

use auth_runtime::{Policy, Rejection, Requirement, UnknownPaths};
use axum::Router;

use super::*;

#[tokio::test]
async fn each_decision_is_recorded_once() {
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    check(&app(space), &log, "").await;
}

/// There the decision is made outside the layers, and passed in.
#[tokio::test]
async fn recorded_once_below_layers() {
    #[public(reason = "tells nothing but that there is nothing")]
    async fn missing() -> StatusCode {
        StatusCode::NOT_FOUND
    }
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    let layered = GuardedRouter::new()
        .fallback(missing)
        .nest(
            "/api",
            routes()
                .layer(
                    tower_http::set_header::SetResponseHeaderLayer::if_not_present(
                        http::header::VARY,
                        http::HeaderValue::from_static("accept"),
                    ),
                )
                .fallback(missing),
        )
        .protect(space.clone())
        .expect("the routes are in order");
    check(&layered, &log, "/api").await;
    let nested = Router::new().nest_service("/v1", layered);
    check(&nested, &log, "/v1/api").await;
    check(
        &nested.layer(axum::Extension(space.clone())),
        &log,
        "/v1/api",
    )
    .await;
    // The space is also available with a plain router around it.
    let around = Router::new().nest_service("/v1", app(space.clone()));
    check(&around.layer(axum::Extension(space.clone())), &log, "/v1").await;
}

/// A challenge of an optional login does not mean invalid credentials.
#[tokio::test]
async fn anonymous_unknown_paths_are_not_recorded() {
    let log = Log::default();
    let space = builder()
        .unknown_paths(UnknownPaths::Challenge)
        .audit(log.hook());
    let app = app(space.build().expect("a space"));
    for (from, status, told) in [
        (From::Nobody, 401, &[][..]),
        (garbage(), 401, &["- 2 unauthenticated Bearer"]),
    ] {
        assert_eq!(send(&app, "/nowhere", from).await.0, status);
        assert_eq!(log.take(), told);
    }
}

#[tokio::test]
async fn plain_routers_are_recorded() {
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    use axum::routing::get as plain;
    let app = Router::new()
        .route("/open", plain(open))
        .route("/read", plain(read))
        .route("/hidden", plain(hidden))
        .route("/checked", plain(checked))
        .route("/hidden-object", plain(hidden_object))
        .layer(axum::Extension(space.clone()));
    let ann = || bearer(json!({}));
    for (target, from, status, told) in [
        ("/open", From::Nobody, 200, &["open 1 granted -"][..]),
        ("/read", From::Nobody, 401, &["read 2 unauthenticated -"]),
        ("/read", ann(), 403, &["read 3c insufficient_scope Bearer"]),
        ("/hidden", ann(), 404, &["hidden 3d hidden Bearer"]),
        ("/checked", ann(), 503, &["checked 4 unverifiable Bearer"]),
        (
            "/hidden-object",
            ann(),
            404,
            &[
                "hidden_object 1 granted Bearer",
                "hidden_object object hidden Bearer",
            ],
        ),
    ] {
        assert_eq!(send(&app, target, from).await.0, status, "{target}");
        assert_eq!(log.take(), told, "{target}");
    }
}

#[tokio::test]
async fn decisions_without_handler_are_recorded() {
    let log = Log::default();
    let space = builder().audit(log.hook()).build().expect("a space");
    let (head, _) = Request::new(()).into_parts();
    for (policy, told) in [
        (Policy::public("a test"), "- 1 granted -"),
        (
            Policy::requires(Requirement::authenticated()),
            "- 2 unauthenticated -",
        ),
    ] {
        let _ = space.authorize(&policy, &head).await;
        assert_eq!(log.take(), [told]);
    }
}

#[tokio::test]
async fn records_have_location_and_reason() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let space = builder().audit(move |record| {
        let location = record.location().expect("a handler");
        kept.lock().expect("nobody panics").push((
            location,
            record.policy().map(ToString::to_string),
            record.matched_path().map(str::to_owned),
            record.method().clone(),
            record
                .explanation()
                .map(|explanation| explanation.to_string()),
            record
                .caller()
                .and_then(Caller::identity)
                .map(|who| who.subject().to_owned()),
            record.elapsed().is_some(),
        ));
        assert!(!format!("{record:?}").contains("ann"), "{record:?}");
    });
    let app = app(space.build().expect("a space"));
    send(
        &app,
        "/write/7?secret=x",
        bearer(json!({ "scope": "read" })),
    )
    .await;
    send(&app, "/object", bearer(json!({}))).await;
    send(&app, "/open", From::Nobody).await;
    let records = records.lock().expect("nobody panics");
    let [
        (location, policy, path, method, why, who, took_time),
        granted,
        denied,
        public,
    ] = &records[..]
    else {
        panic!("{records:?}");
    };
    assert_eq!(location.handler(), "log::observability::write");
    assert!(location.file().ends_with("observability.rs"));
    let line = include_str!("../observability.rs")
        .lines()
        .nth(location.line() as usize - 1);
    assert_eq!(line, Some("async fn write() {}"));
    assert_eq!(
        policy.as_deref(),
        Some(r#"requires(scope = "write", hide_as = 404)"#)
    );
    assert_eq!(path.as_deref(), Some("/write/{id}"));
    assert_eq!(method, http::Method::GET);
    assert_eq!(why.as_deref(), Some(r#"rule 3c: no: scope = "write""#));
    assert_eq!(who.as_deref(), Some("ann"));
    assert!(took_time);
    assert_eq!(granted.4.as_deref(), Some("rule 1: yes: authenticated"));
    assert_eq!(
        (denied.2.as_deref(), denied.4.as_deref()),
        (Some("/object"), None)
    );
    assert_eq!(denied.5.as_deref(), Some("ann"));
    let open = r#"public(reason = "everybody may")"#;
    assert_eq!(public.1.as_deref(), Some(open));
    assert_eq!(public.4, Some(format!("rule 1: {open}")));
    assert!(!public.6, "nothing is measured");
}

#[tokio::test]
async fn records_have_the_request() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let space = builder()
        .request_id_field(http::HeaderName::from_static("x-request-id"))
        .audit(move |record| {
            kept.lock().expect("nobody panics").push((
                record.method().clone(),
                record.path().to_owned(),
                record.matched_path().map(str::to_owned),
                record.request_id().cloned(),
                record.caller().is_some(),
                record.elapsed().is_some_and(|time| !time.is_zero()),
            ));
        });
    let app = app(space.build().expect("a space"));
    // `POST` is allowed on no path but `/mixed`.
    for path in ["/mixed?a=b", "/hidden", "/nowhere"] {
        let request = Request::post(path)
            .header("authorization", "Bearer garbage")
            .header("x-request-id", "r-1");
        let request = request.body(Body::empty()).expect("a request");
        app.clone().oneshot(request).await.expect("infallible");
    }
    let records = records.lock().expect("nobody panics");
    let expected = ["/mixed", "/hidden", "/nowhere"].map(|path| {
        let matched = (path == "/mixed").then(|| path.to_owned());
        let id = http::HeaderValue::from_static("r-1");
        (
            http::Method::POST,
            path.to_owned(),
            matched,
            Some(id),
            true,
            true,
        )
    });
    assert_eq!(*records, expected);
}

#[tokio::test]
async fn module_policies_keep_the_location() {
    let log = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&log);
    let space = builder().audit(move |record| {
        *kept.lock().expect("nobody panics") = record.location();
    });
    let router = GuardedRouter::new().route("/", get(area::below));
    let app = router
        .protect(space.build().expect("a space"))
        .expect("in order");
    send(&app, "/", From::Nobody).await;
    let location = log.lock().expect("nobody panics").expect("a record");
    assert_eq!(location.handler(), "log::observability::area::below");
    let line = include_str!("../observability.rs")
        .lines()
        .nth(location.line() as usize - 1);
    assert_eq!(line, Some("    pub async fn below() {}"));
}

/// A line of JSON for each decision, for fail2ban and log collectors.
#[tokio::test]
async fn records_serialize_with_their_origin() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let proxies = ["192.0.2.7/32".parse().expect("a network")];
    let address = auth_runtime::ClientAddress::x_forwarded_for(proxies).expect("in order");
    let space = builder()
        .client_address(address)
        .request_id_field(http::HeaderName::from_static("x-request-id"))
        .audit(move |record| {
            let mut line = serde_json::to_value(record).expect("JSON");
            let seconds = line["seconds"].take();
            assert!(seconds.is_null() || seconds.is_f64(), "{seconds}");
            kept.lock().expect("no panic").push(line);
        });
    let app = app(space.build().expect("a space"));
    let send = async |path: &str, token: Option<Value>| {
        let mut request = Request::get(path).header("x-forwarded-for", "203.0.113.9");
        request = request.header("x-request-id", "r-1");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {}", super::token(token)));
        }
        let mut request = request.body(Body::empty()).expect("a request");
        let peer: std::net::SocketAddr = "192.0.2.7:4711".parse().expect("an address");
        request.extensions_mut().insert(peer);
        app.clone().oneshot(request).await.expect("infallible")
    };
    send("/write/7?access_token=secret", None).await;
    send("/object", Some(json!({}))).await;
    send("/open", None).await;
    let lines = lines.lock().expect("no panic");
    let [denied, granted, object, open] = &lines[..] else {
        panic!("{lines:#?}");
    };
    assert_eq!(
        *denied,
        json!({
            "outcome": "hidden", "status": 401, "rule": "2", "handler": "log::observability::write",
            "policy": denied["policy"], "scheme": null, "caller": "anonymous", "rejection": null,
            "method": "GET", "route": "/write/{id}", "path": "/write/7", "client": "203.0.113.9",
            "request_id": "r-1", "engine": null, "objects": [], "seconds": null,
        })
    );
    assert_eq!(granted["outcome"], "granted");
    assert_eq!(granted["caller"], "known");
    assert!(granted["status"].is_null());
    assert_eq!(object["rule"], "object");
    for line in [granted, object, open] {
        assert_eq!(line["client"], "203.0.113.9", "{line}");
        assert_eq!(line["request_id"], "r-1", "{line}");
    }
    assert_eq!(object["path"], "/object");
    assert_eq!(open["path"], "/open");
}

#[tokio::test]
async fn records_state_why_credentials_were_rejected() {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&reasons);
    let space = builder().audit(move |record| {
        let mut line = serde_json::to_value(record).expect("JSON");
        let reason = line["rejection"].take();
        kept.lock().expect("no panic").push(reason);
    });
    let app = app(space.build().expect("a space"));
    for (caller, expected) in [
        (Caller::Rejected(Rejection::Malformed), json!("malformed")),
        (Caller::Rejected(Rejection::TooLong), json!("too_long")),
        (Caller::Rejected(Rejection::Expired), json!("expired")),
        (
            Caller::Rejected(Rejection::InvalidProof),
            json!("invalid_proof"),
        ),
        (
            Caller::Rejected(Rejection::StaleNonce),
            json!("stale_nonce"),
        ),
        (Caller::Rejected(Rejection::Invalid), json!("invalid")),
        (
            Caller::Rejected(Rejection::NoApplication),
            json!("no_application"),
        ),
        (
            Caller::Rejected(Rejection::InvalidApplication),
            json!("invalid_application"),
        ),
        // The response is 400, and the record has no caller.
        (Caller::Rejected(Rejection::RequestMismatch), Value::Null),
        (Caller::Anonymous, Value::Null),
        (Caller::unverifiable(), Value::Null),
    ] {
        let request = Request::get("/read").body(Body::empty());
        let request = with_caller(request.expect("a request"), caller);
        app.clone().oneshot(request).await.expect("infallible");
        let reasons = std::mem::take(&mut *reasons.lock().expect("no panic"));
        assert_eq!(reasons, [expected]);
    }
}
