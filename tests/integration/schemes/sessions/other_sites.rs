//! Requests that pages of other sites cause with the cookie of a visitor: none of them has an
//! effect.

use auth_runtime::routing::any;

use super::*;

const HOST: &str = "shop.example";

fn request(method: Method, target: &str, fields: &[(&str, &str)]) -> request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", HOST);
    let fields = fields.iter();
    fields.fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

/// A name, the fields of the request, and the expected status.
type Attempt<'a> = (&'a str, Method, &'a [(&'a str, &'a str)], u16);

async fn check_table(ann: &Browser, table: &[Attempt<'_>]) {
    for (name, method, fields, status) in table {
        let mut ann = Browser {
            app: ann.app.clone(),
            cookie: ann.cookie.clone(),
        };
        let response = ann.send(request(method.clone(), "/account", fields)).await;
        assert_eq!(response.status(), *status, "{name}");
        let told: &[&str] = if *status == 401 { &[COOKIE] } else { &[] };
        assert_eq!(challenges(&response), told, "{name}");
    }
}

#[tokio::test]
async fn another_site_cannot_change_anything() {
    let ann = serve(shop(builder())).logged_in("ann").await;
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let site = |site| ("sec-fetch-site", site);
    let origin = |origin| ("origin", origin);
    let own = "https://shop.example";
    check_table(
        &ann,
        &[
            (
                "its own page",
                post.clone(),
                &[site("same-origin"), origin(own)],
                200,
            ),
            (
                "its own page, by another name in front",
                post.clone(),
                &[site("same-origin"), origin("https://public.example")],
                200,
            ),
            (
                "its own page puts",
                put.clone(),
                &[site("same-origin")],
                200,
            ),
            ("its visitor", post.clone(), &[site("none")], 200),
            ("a program", post.clone(), &[], 200),
            (
                "another site",
                post.clone(),
                &[site("cross-site"), origin("https://evil.example")],
                401,
            ),
            (
                "another site without origin",
                post.clone(),
                &[site("cross-site")],
                401,
            ),
            ("another site puts", put, &[site("cross-site")], 401),
            ("a sibling host", post.clone(), &[site("same-site")], 401),
            ("what no browser says", post.clone(), &[site("else")], 401),
            (
                "said twice",
                post.clone(),
                &[site("same-origin"), site("cross-site")],
                401,
            ),
            (
                "a sibling that forges its origin",
                post.clone(),
                &[site("same-site"), origin(own)],
                401,
            ),
            (
                "an old browser, its own page",
                post.clone(),
                &[origin(own)],
                200,
            ),
            (
                "an old browser, another site",
                post.clone(),
                &[origin("https://evil.example")],
                401,
            ),
            (
                "an old browser, a longer name",
                post.clone(),
                &[origin("https://shop.example.evil.example")],
                401,
            ),
            (
                "an old browser, another port",
                post.clone(),
                &[origin("https://shop.example:8443")],
                401,
            ),
            (
                "an old browser, the site above",
                post.clone(),
                &[origin("https://example")],
                401,
            ),
            (
                "an old browser, a sandbox",
                post.clone(),
                &[origin("null")],
                401,
            ),
            (
                "an old browser, no host",
                post.clone(),
                &[origin("https://")],
                401,
            ),
            (
                "an old browser, two origins",
                post,
                &[origin(own), origin(own)],
                401,
            ),
            (
                "a link on another site",
                get.clone(),
                &[site("cross-site")],
                200,
            ),
            (
                "a link on an old browser's site",
                get,
                &[origin("https://evil.example")],
                200,
            ),
        ],
    )
    .await;
}

/// Methods that are not known to only read change something.
#[tokio::test]
async fn each_changing_method_is_rejected() {
    let space = shop(builder()).build().expect("the space is in order");
    let routes = GuardedRouter::new()
        .route("/account", any(account))
        .route("/login", post(log_in));
    let app = routes.protect(space).expect("every state is there");
    let ann = Browser::new(app.layer(layer(MemoryStore::default())));
    let ann = ann.logged_in("ann").await;
    for (method, status) in [
        ("GET", 200),
        ("HEAD", 200),
        ("OPTIONS", 200),
        ("POST", 401),
        ("PUT", 401),
        ("PATCH", 401),
        ("DELETE", 401),
        ("CONNECT", 401),
        ("TRACE", 401),
        ("PURGE", 401),
    ] {
        let method: Method = method.parse().expect("a method");
        let site: &[_] = &[("sec-fetch-site", "cross-site")];
        check_table(&ann, &[(&format!("{method}"), method, site, status)]).await;
    }
}

/// In HTTP/2, the requested host is in the target, and there may be no field with it.
#[tokio::test]
async fn own_host_is_that_of_target() {
    let ann = serve(shop(builder())).logged_in("ann").await;
    let (own, evil) = ("shop.example", "evil.example");
    for (host, origin, status) in [
        (None, own, 200),
        (None, evil, 401),
        (Some(own), own, 200),
        (Some(evil), own, 200),
        (Some(evil), evil, 401),
    ] {
        let mut ann = Browser {
            app: ann.app.clone(),
            cookie: ann.cookie.clone(),
        };
        let request = Request::post(format!("https://{own}/account"));
        let request = request.header("origin", format!("https://{origin}"));
        let response = ann
            .send(match host {
                Some(host) => request.header("host", host),
                None => request,
            })
            .await;
        assert_eq!(response.status(), status, "{host:?} {origin}");
    }
}

#[tokio::test]
async fn another_site_cannot_open_a_websocket() {
    let ann = serve(shop(builder())).logged_in("ann").await;
    let upgrade = ("upgrade", "websocket");
    let evil = ("origin", "https://evil.example");
    check_table(
        &ann,
        &[
            (
                "its own page",
                Method::GET,
                &[upgrade, ("origin", "https://shop.example")],
                200,
            ),
            ("another site", Method::GET, &[upgrade, evil], 401),
            (
                "in another case",
                Method::GET,
                &[("upgrade", "WebSocket"), evil],
                401,
            ),
            (
                "among others",
                Method::GET,
                &[("upgrade", "h2c, websocket"), evil],
                401,
            ),
            (
                "on a second line",
                Method::GET,
                &[("upgrade", "h2c"), upgrade, evil],
                401,
            ),
            (
                "by its key",
                Method::GET,
                &[("sec-websocket-key", "AA=="), evil],
                401,
            ),
            (
                "by fetch metadata",
                Method::GET,
                &[upgrade, ("sec-fetch-site", "cross-site")],
                401,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_origin_that_is_trusted_can() {
    let sessions = builder()
        .trust_origin("https://app.example")
        .trust_origin("https://admin.example");
    let ann = serve(shop(sessions)).logged_in("ann").await;
    let site = ("sec-fetch-site", "cross-site");
    let post = || Method::POST;
    check_table(
        &ann,
        &[
            (
                "trusted",
                post(),
                &[site, ("origin", "https://app.example")],
                200,
            ),
            (
                "trusted, in an old browser",
                post(),
                &[("origin", "https://app.example")],
                200,
            ),
            (
                "trusted as well",
                post(),
                &[site, ("origin", "https://admin.example")],
                200,
            ),
            (
                "not encrypted",
                post(),
                &[site, ("origin", "http://app.example")],
                401,
            ),
            (
                "another port",
                post(),
                &[site, ("origin", "https://app.example:1")],
                401,
            ),
            (
                "another",
                post(),
                &[site, ("origin", "https://evil.example")],
                401,
            ),
            ("none", post(), &[site], 401),
            (
                "trusted, before another",
                post(),
                &[
                    site,
                    ("origin", "https://app.example"),
                    ("origin", "https://evil.example"),
                ],
                401,
            ),
            (
                "trusted, behind another",
                post(),
                &[
                    site,
                    ("origin", "https://evil.example"),
                    ("origin", "https://app.example"),
                ],
                401,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn cross_site_requests_reveal_no_path() {
    let mut ada = serve(shop(builder())).logged_in("ada").await;
    let site = ("sec-fetch-site", "cross-site");
    for target in ["/hidden", "/nowhere"] {
        let response = ada.send(request(Method::POST, target, &[site])).await;
        assert_eq!(response.status(), 401, "{target}");
    }
    let own = ("sec-fetch-site", "same-origin");
    let response = ada.send(request(Method::POST, "/hidden", &[own])).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn session_survives_cross_site_requests() {
    let mut ann = serve(shop(builder())).logged_in("ann").await;
    let cookie = ann.cookie.clone();
    let attempt = request(Method::POST, "/logout", &[("sec-fetch-site", "cross-site")]);
    let denied = ann.send(attempt).await;
    assert_eq!(denied.status(), 401);
    assert!(!denied.headers().contains_key("set-cookie"));
    assert_eq!(ann.cookie, cookie);
    assert_eq!(ann.get("/account").await.status(), 200);
}
