//! Sessions that the service looks up by the value of the cookie.

use auth_runtime::schemes::{Sessions, SessionsBuilder};
use axum_extra::extract::cookie::{self, Key, SignedCookieJar};

use super::*;

fn app(sessions: SessionsBuilder) -> ProtectedRouter {
    let space = shop(sessions.cookie(NAME).login_page("/login")).build();
    let routes = GuardedRouter::new()
        .route("/account", get(account).post(account))
        .route("/hidden", get(hidden));
    let protected = routes.protect(space.expect("the space is in order"));
    protected.expect("every state is there")
}

/// The service's own table.
fn table() -> ProtectedRouter {
    app(Sessions::look_up(async |value| match value.as_str() {
        "of-ann" | "of-ann-too" => Caller::known(Identity::new("ann")),
        "of-ada" => Caller::known(Identity::new("ada").with_roles(["admin"])),
        "cart" => Caller::Anonymous,
        "down" => Caller::unverifiable(),
        "expired" => Caller::Rejected(Rejection::Expired),
        _ => Caller::rejected(),
    }))
}

async fn with_cookies(app: &ProtectedRouter, target: &str, cookies: &str) -> Response {
    let cookies = cookies.replace("id=", &format!("{NAME}="));
    let lines: Lines = vec![("cookie", cookies.into())];
    send(app, target, &lines).await
}

#[tokio::test]
async fn values_are_looked_up() {
    let app = table();
    for (cookies, status, removes) in [
        ("id=of-ann", 200, false),
        ("other=of-ann", 401, false),
        ("id=cart", 401, false),
        ("id=ended", 401, true),
        ("id=expired", 401, true),
        ("id=down", 503, false),
        ("id=ended; id=of-ann", 200, false),
        ("id=of-ann; id=ended", 200, false),
        ("id=of-ann; id=of-ann", 200, false),
        ("id=of-ann; id=of-ada", 400, true),
        // Another site may have set one of them.
        ("id=of-ann; id=of-ann-too", 400, true),
        // A session without a login is live, too.
        ("id=cart; id=of-ann", 400, true),
        ("id=of-ann; id=cart", 400, true),
        ("id=cart; id=ended", 401, false),
        ("id=ended; id=cart", 401, false),
        ("id=ended; id=forged", 401, true),
        // The unverifiable session may be live.
        ("id=down; id=of-ann", 503, false),
        ("id=of-ann; id=down", 503, false),
        ("id=down; id=ended", 503, false),
    ] {
        let response = with_cookies(&app, "/account", cookies).await;
        assert_eq!(response.status(), status, "{cookies}");
        let is_removed = response.headers().contains_key("set-cookie");
        assert_eq!(is_removed, removes, "{cookies}");
    }
    let denied = with_cookies(&app, "/account", "id=cart").await;
    assert_eq!(challenges(&denied), [COOKIE]);
    assert_eq!(
        with_cookies(&app, "/hidden", "id=of-ada").await.status(),
        200
    );
    assert_eq!(
        with_cookies(&app, "/hidden", "id=of-ann").await.status(),
        404
    );
}

#[tokio::test]
async fn other_sites_cannot_act() {
    let app = table();
    for (site, status) in [
        ("same-origin", 200),
        ("cross-site", 401),
        ("same-site", 401),
    ] {
        let request = Request::post("/account")
            .header("cookie", format!("{NAME}=of-ann"))
            .header("sec-fetch-site", site);
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{site}");
        assert!(!response.headers().contains_key("set-cookie"), "{site}");
    }
}

#[tokio::test]
async fn pages_lead_to_the_login() {
    let request = Request::get("/account").header("sec-fetch-mode", "navigate");
    let request = request.body(Body::empty()).expect("a request");
    let response = table().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/login?next=%2Faccount");
}

#[tokio::test]
async fn signed_axum_extra_cookies_are_verified() {
    let key = Key::from(&[7; 64]);
    let own = key.clone();
    let app = app(Sessions::look_up(move |value| {
        let cookie = cookie::Cookie::parse_encoded(format!("{NAME}={value}")).ok();
        let signed = cookie.and_then(|cookie| SignedCookieJar::new(own.clone()).verify(cookie));
        let user = signed
            .as_ref()
            .and_then(|cookie| cookie.value().strip_prefix("login:"));
        let caller = user.map_or(Caller::rejected(), |user| {
            Caller::known(Identity::new(user))
        });
        std::future::ready(caller)
    }));
    let signed = |key: &Key, value: &'static str| {
        use axum::response::IntoResponse;

        let jar = SignedCookieJar::new(key.clone()).add(cookie::Cookie::new(NAME, value));
        let response = jar.into_response();
        let line = response.headers()["set-cookie"].to_str().expect("ASCII");
        line.to_owned()
    };
    for (cookies, status) in [
        (signed(&key, "login:ann"), 200),
        // The same key signs another cookie of the service.
        (signed(&key, "theme:dark"), 401),
        (signed(&Key::from(&[8; 64]), "login:ann"), 401),
        (format!("{NAME}=login:ann"), 401),
        (format!("{NAME}=%00"), 401),
    ] {
        let response = with_cookies(&app, "/account", &cookies).await;
        assert_eq!(response.status(), status, "{cookies}");
    }
    let response = with_cookies(&app, "/account", &signed(&key, "login:ann")).await;
    assert_eq!(text(response).await, "ann");
}
