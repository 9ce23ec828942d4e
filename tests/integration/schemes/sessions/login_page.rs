//! Callers without a session, and their redirects.

use super::*;

fn with_login_page() -> Browser {
    serve(shop(builder().login_page("/login")))
}

fn navigation(target: &str) -> request::Builder {
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let request = Request::get(target).header("accept", accept);
    request.header("sec-fetch-mode", "navigate")
}

fn location(response: &Response) -> Option<&str> {
    let location = response.headers().get("location")?;
    Some(location.to_str().expect("ASCII"))
}

#[tokio::test]
async fn navigation_without_session_redirects() {
    let mut ann = with_login_page();
    let sent = ann.send(navigation("/account?page=2&sort=a%26b")).await;
    assert_eq!(sent.status(), 303);
    assert_eq!(sent.headers()["cache-control"], "no-store");
    assert!(challenges(&sent).is_empty());
    let next = "next=%2Faccount%3Fpage%3D2%26sort%3Da%2526b";
    assert_eq!(location(&sent), Some(format!("/login?{next}").as_str()));
    // A body would be that of the 401.
    assert!(!sent.headers().contains_key("content-type"));
    let body = axum::body::to_bytes(sent.into_body(), 1 << 20).await;
    assert!(body.expect("a body").is_empty());
    let nested = ann.send(navigation("/nested/page")).await;
    assert_eq!(location(&nested), Some("/login?next=%2Fnested%2Fpage"));
    // An ended session as well.
    ann.cookie = Some(Id(4711).to_string());
    let sent = ann.send(navigation("/account")).await;
    assert_eq!(location(&sent), Some("/login?next=%2Faccount"));
    assert_eq!(ann.cookie, None);
    let mut ann = ann.logged_in("ann").await;
    assert_eq!(ann.send(navigation("/account")).await.status(), 200);
}

#[tokio::test]
async fn scripts_and_programs_receive_401() {
    let app = with_login_page();
    let request = |method, fields: &[(&str, &str)]| {
        let request = Request::builder().method(method).uri("/account");
        fields.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    };
    let html = ("accept", "text/html");
    let mode = |mode| ("sec-fetch-mode", mode);
    let table = [
        ("says nothing", request("GET", &[]), 401),
        ("takes anything", request("GET", &[("accept", "*/*")]), 401),
        (
            "wants JSON",
            request("GET", &[("accept", "application/json")]),
            401,
        ),
        ("a script", request("GET", &[html, mode("cors")]), 401),
        ("an image", request("GET", &[html, mode("no-cors")]), 401),
        ("a form", request("POST", &[html, mode("navigate")]), 401),
        ("an old browser's form", request("POST", &[html]), 401),
        ("an old browser", request("GET", &[html]), 303),
        ("an old browser's HEAD", request("HEAD", &[html]), 303),
        (
            "a browser that takes anything",
            request("GET", &[mode("navigate")]),
            303,
        ),
    ];
    for (name, request, status) in table {
        let response = app.fresh().send(request).await;
        assert_eq!(response.status(), status, "{name}");
        let told: &[&str] = if status == 401 { &[COOKIE] } else { &[] };
        assert_eq!(challenges(&response), told, "{name}");
        assert_eq!(location(&response).is_some(), status == 303, "{name}");
    }
}

#[tokio::test]
async fn no_login_page_means_401() {
    let mut ann = serve(shop(builder()));
    let denied = ann.send(navigation("/account")).await;
    assert_eq!(denied.status(), 401);
    assert_eq!(challenges(&denied), [COOKIE]);
}

#[tokio::test]
async fn denials_without_remedy_do_not_redirect() {
    let mut ann = serve_with_tokens(builder().login_page("/login"), Caller::rejected());
    assert_eq!(ann.send(navigation("/elsewhere")).await.status(), 403);
    assert_eq!(ann.send(navigation("/hidden")).await.status(), 404);
    assert_eq!(ann.send(navigation("/nowhere")).await.status(), 404);
    // This policy does not accept sessions.
    assert_eq!(ann.send(navigation("/api")).await.status(), 401);
    let with_bad_token = navigation("/account").header("authorization", "Bearer token");
    let denied = ann.send(with_bad_token).await;
    assert_eq!(denied.status(), 401);
    assert!(challenges(&denied)[1].contains("invalid_token"));
    let mut ann = ann.logged_in("ann").await;
    assert_eq!(ann.send(navigation("/hidden")).await.status(), 404);
    assert_eq!(ann.send(navigation("/elsewhere")).await.status(), 403);
}

#[tokio::test]
async fn old_login_leads_to_new_one() {
    let mut ann = with_login_page();
    ann.post("/login?name=ann&ago=400").await;
    let sent = ann.send(navigation("/fresh")).await;
    assert_eq!(sent.status(), 303);
    assert_eq!(location(&sent), Some("/login?next=%2Ffresh&max_age=300"));
    let sent = ann.send(navigation("/strong")).await;
    let wanted = "acr_values=urn%3Alab%3Amfa&max_age=300";
    assert_eq!(
        location(&sent),
        Some(format!("/login?next=%2Fstrong&{wanted}").as_str())
    );
}

#[tokio::test]
async fn the_way_back_leads_nowhere_else() {
    let ann = with_login_page();
    let table = [
        ("//evil.example/account", "/login"),
        ("/account\\", "/login"),
        (
            "/account?next=//evil.example",
            "/login?next=%2Faccount%3Fnext%3D%2F%2Fevil.example",
        ),
    ];
    let stale = Id(4711).to_string();
    for (target, expected) in table {
        let Ok(_) = target.parse::<http::Uri>() else {
            continue;
        };
        let mut ann = ann.fresh();
        ann.cookie = Some(stale.clone());
        let sent = ann.send(navigation(target)).await;
        assert_eq!(location(&sent), Some(expected), "{target}");
    }
    // Proxies limit the length of the fields.
    for (letter, fits, encoded) in [("a", 2035, "a"), ("=", 678, "%3D")] {
        for (count, is_kept) in [(fits, true), (fits + 1, false)] {
            let target = format!("/account?{}", letter.repeat(count));
            let sent = ann.fresh().send(navigation(&target)).await;
            let next = format!("?next=%2Faccount%3F{}", encoded.repeat(count));
            let next = if is_kept { next } else { String::new() };
            let expected = format!("/login{next}");
            assert_eq!(location(&sent), Some(expected.as_str()), "{letter} {count}");
        }
    }
    let whole = ann
        .fresh()
        .send(navigation("https://shop.example/account"))
        .await;
    assert_eq!(location(&whole), Some("/login?next=%2Faccount"));
}

#[test]
fn return_path_stays_on_this_host() {
    let good = [
        "/",
        "/account",
        "/a?b=c&d=//e",
        "/a:b@c",
        "/./",
        "/.//x",
        "/a#b",
        "/%5cevil",
    ];
    for text in good {
        assert_eq!(
            ReturnPath::new(text).as_ref().map(ReturnPath::as_str),
            Some(text)
        );
    }
    let bad = [
        "",
        "account",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "/a b",
        "/a\r\nSet-Cookie: a=b",
        "/größe",
        "@evil.example",
        ".evil.example",
        "?a",
        "#a",
        "/a\\b",
    ];
    for text in bad {
        assert_eq!(ReturnPath::new(text), None, "{text:?}");
    }
    let fits = format!("/{}", "a".repeat(ReturnPath::MAX_LENGTH - 1));
    let path = ReturnPath::new(&fits).expect("a path");
    assert_eq!(path.to_string(), fits);
    assert_eq!(ReturnPath::new(&format!("{fits}a")), None);
}

#[tokio::test]
async fn login_page_keeps_its_query() {
    let mut ann = serve(shop(builder().login_page("/login?theme=dark")));
    let sent = ann.send(navigation("/account")).await;
    assert_eq!(location(&sent), Some("/login?theme=dark&next=%2Faccount"));
    let mut ann = serve(shop(builder().login_page("/account")));
    assert_eq!(ann.send(navigation("/account?a=b")).await.status(), 401);
}

#[tokio::test]
async fn hidden_pages_do_not_redirect() {
    let stale = Id(4711).to_string();
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = shop(builder().login_page("/login")).unknown_paths(unknown_paths);
        let ann = serve(space);
        let mut statuses = Vec::new();
        for cookie in [None, Some(stale.clone())] {
            let mut seen = Vec::new();
            // Paths of the same length, so that the return paths have the same length.
            for target in ["/hidden", "/nowhr1"] {
                let mut ann = ann.fresh();
                ann.cookie = cookie.clone();
                let response = ann.send(navigation(target)).await;
                let (mut head, body) = response.into_parts();
                statuses.push(head.status.as_u16());
                if let Some(location) = head.headers.remove("location") {
                    let next = format!("/login?next=%2F{}", &target[1..]);
                    assert_eq!(location, next.as_str());
                }
                let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
                seen.push((head.status, format!("{:?}", head.headers), body));
            }
            assert_eq!(seen[0], seen[1]);
        }
        let expected = match unknown_paths {
            UnknownPaths::Challenge => [303, 303, 303, 303],
            _ => [404, 404, 303, 303],
        };
        assert_eq!(statuses, expected);
    }
}
