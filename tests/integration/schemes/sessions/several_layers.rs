//! Two session layers around one router, each with a cookie and a store of its own.

use super::*;

const OTHER: &str = "__Host-other";

/// Logs a user in, and returns the id of the session.
async fn logged_in(store: &MemoryStore, name: &str) -> String {
    let session = Session::new(None, Arc::new(store.clone()), None);
    let logged_in = Sessions::log_in(&session, &Identity::new(name)).await;
    logged_in.expect("the store is there");
    session.save().await.expect("the store is there");
    session.id().expect("it is saved").to_string()
}

#[tokio::test]
async fn session_of_another_cookie_is_ignored() {
    let (own, other) = (MemoryStore::default(), MemoryStore::default());
    let ann = logged_in(&own, "ann").await;
    let eve = logged_in(&other, "eve").await;
    let stale = Id(4711).to_string();
    let layer_of =
        |store: &MemoryStore, name| SessionManagerLayer::new(store.clone()).with_name(name);
    let app = || {
        let space = shop(builder()).build().expect("the space is in order");
        routes().protect(space).expect("every state is there")
    };
    let (own_layer, other_layer) = (layer_of(&own, NAME), layer_of(&other, OTHER));
    for (name, app, sees_own) in [
        (
            "own inside",
            BoxedApp::new(app().layer(own_layer.clone()).layer(other_layer.clone())),
            true,
        ),
        (
            "own outside",
            BoxedApp::new(app().layer(other_layer.clone()).layer(own_layer.clone())),
            false,
        ),
        (
            "own outside, with its cookie layer",
            BoxedApp::new(
                app()
                    .layer(other_layer)
                    .layer(own_layer)
                    .layer(cookies(own)),
            ),
            false,
        ),
    ] {
        for (cookies, expected) in [
            (format!("{NAME}={ann}"), sees_own.then_some("ann")),
            (
                format!("{NAME}={ann}; {OTHER}={eve}"),
                sees_own.then_some("ann"),
            ),
            (format!("{NAME}={stale}; {OTHER}={eve}"), None),
            (format!("{OTHER}={eve}; {NAME}={stale}"), None),
            (format!("{NAME}=no-id; {OTHER}={eve}"), None),
            (format!("{NAME}=; {OTHER}={eve}"), None),
            (format!("{OTHER}={eve}"), None),
        ] {
            let request = Request::get("/account").header("cookie", &cookies);
            let request = request.body(Body::empty()).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            match expected {
                Some(user) => assert_eq!(text(response).await, user, "{name}: {cookies}"),
                None => assert_eq!(response.status(), 401, "{name}: {cookies}"),
            }
        }
    }
}

/// The session of the outer layer is not one of the cookies.
#[tokio::test]
async fn the_cookie_layer_ignores_other_sessions() {
    let (own, other) = (MemoryStore::default(), MemoryStore::default());
    let ann = logged_in(&own, "ann").await;
    let eve = logged_in(&other, "eve").await;
    let stale = Id(4711);
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let app = app.layer(layer(own.clone())).layer(cookies(own));
    let app = app.layer(SessionManagerLayer::new(other).with_name(OTHER));
    let cookies = format!("{NAME}={ann}; {NAME}={stale}; {OTHER}={eve}");
    let request = Request::get("/account").header("cookie", cookies);
    let request = request.body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    assert_eq!(text(response).await, "ann");
}

/// Each cookie layer looks up the cookies of its own name.
#[tokio::test]
async fn every_cookie_layer_counts() {
    let (own, other) = (MemoryStore::default(), MemoryStore::default());
    let (ann, bob) = (logged_in(&own, "ann").await, logged_in(&own, "bob").await);
    let stale = Id(4711);
    let app = || {
        let space = shop(builder()).build().expect("the space is in order");
        let app = routes().protect(space).expect("every state is there");
        app.layer(layer(own.clone()))
    };
    let of_other = Sessions::builder().cookie(OTHER).build().expect("sessions");
    let of_other = of_other.cookie_layer(other);
    for (name, app) in [
        (
            "own inside",
            BoxedApp::new(app().layer(cookies(own.clone())).layer(of_other.clone())),
        ),
        (
            "own outside",
            BoxedApp::new(app().layer(of_other).layer(cookies(own.clone()))),
        ),
    ] {
        for (cookies, expected) in [
            (format!("{NAME}={ann}; {NAME}={stale}"), 200),
            (format!("{NAME}={stale}; {NAME}={ann}"), 200),
            (format!("{NAME}={ann}; {NAME}={bob}"), 400),
            (format!("{OTHER}={stale}; {NAME}={ann}; {NAME}={bob}"), 400),
        ] {
            let request = Request::get("/account").header("cookie", &cookies);
            let request = request.body(Body::empty()).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), expected, "{name}: {cookies}");
        }
    }
}

/// Absent values are left out.
#[tokio::test]
async fn sessions_keep_grants_of_login() {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let plain = Identity::new("ann").with_auth_time(time);
    let full = plain
        .clone()
        .with_issuer(ISSUER)
        .with_scopes(["read"])
        .with_roles(["admin"])
        .with_permissions(["users:read"])
        .with_acr("phr")
        .with_amr(["otp"])
        .with_clock_skew(Duration::from_secs(60));
    for (identity, expected) in [
        (plain, json!({ "subject": "ann", "auth_time": 1_000_000 })),
        (
            full,
            json!({
                "subject": "ann", "auth_time": 1_000_000, "issuer": ISSUER, "scopes": ["read"],
                "roles": ["admin"], "permissions": ["users:read"], "acr": "phr", "amr": ["otp"],
                "clock_skew": 60,
            }),
        ),
    ] {
        let session = Session::new(None, Arc::new(MemoryStore::default()), None);
        let logged_in = Sessions::log_in(&session, &identity).await;
        logged_in.expect("the store is there");
        let kept = session.get_value("auth-runtime.login").await;
        let kept = kept.expect("the store is there").expect("a login");
        let kept: serde_json::Value =
            serde_json::from_str(kept.as_str().expect("a text")).expect("JSON");
        assert_eq!(kept, expected);
    }
}

#[tokio::test]
async fn signed_and_private_cookies_work() {
    let store = MemoryStore::default();
    let ann = logged_in(&store, "ann").await;
    // A layer that knows a session by a cookie without its id.
    let opening = axum::middleware::map_request(move |mut request: Request| {
        let id = ann.parse().expect("an id");
        let session = Session::new(Some(id), Arc::new(store.clone()), None);
        request.extensions_mut().insert(session);
        std::future::ready(request)
    });
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let app = app.layer(opening);
    let ask = |cookies: String| {
        let request = Request::get("/account").header("cookie", cookies);
        let request = request.body(Body::empty()).expect("a request");
        app.clone().oneshot(request)
    };
    let one = ask(format!("{NAME}=sealed")).await.expect("infallible");
    assert_eq!(text(one).await, "ann");
    // The session could be that of either.
    let two = ask(format!("{NAME}=sealed; {NAME}=other"));
    assert_eq!(two.await.expect("infallible").status(), 401);
}
