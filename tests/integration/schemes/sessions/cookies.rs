//! The cookie, and requests with it.

use super::*;

#[tokio::test]
async fn dead_cookies_are_reported_once() {
    let ann = serve(shop(builder()));
    let stale = Id(4711).to_string();
    for target in ["/hidden", "/nowhere", "/account"] {
        for value in [stale.as_str(), "no-id", "", "%00"] {
            let mut ann = ann.fresh();
            ann.cookie = Some(value.to_owned());
            let denied = ann.get(target).await;
            assert_eq!(denied.status(), 401, "{target} {value}");
            assert_eq!(challenges(&denied), [COOKIE], "{target} {value}");
        }
    }
    let mut ann = ann.fresh();
    ann.cookie = Some(stale.clone());
    ann.get("/nowhere").await;
    assert_eq!(ann.cookie, None);
    assert_eq!(ann.get("/nowhere").await.status(), 404);
    let request = Request::get("/hidden").header("cookie", format!("{NAME}={stale}"));
    assert_hidden(
        ann.app.clone(),
        request.body(Body::empty()).expect("a request"),
    )
    .await;
    assert_hidden(
        ann.app.clone(),
        Request::get("/hidden")
            .body(Body::empty())
            .expect("a request"),
    )
    .await;
}

#[tokio::test]
async fn cookies_are_read_strictly() {
    let ann = serve(shop(builder())).logged_in("ann").await;
    let good = format!("{NAME}={}", ann.cookie.as_deref().expect("a cookie"));
    let cookies = |lines: &[&str]| -> Lines {
        let lines = lines
            .iter()
            .map(|line| ("cookie", line.as_bytes().to_vec()));
        lines.collect()
    };
    let upper = good.replace("__Host-session", "__HOST-SESSION");
    let encoded = good.replace("__Host-session", "%5F%5FHost-session");
    let long = format!("{NAME}={}", "a".repeat(17 << 10));
    let row = |name, lines: &[&str], status| {
        row(
            name,
            cookies(lines),
            status,
            if status == 401 { &[COOKIE] } else { &[] },
        )
    };
    let among_others = format!("a=b; {good}; __Host-session2=c; c");
    let with_tabs = format!("a=b;\t{good}\t;");
    let twice = format!("{good}; {good}");
    let twice_encoded = format!("{good}; {encoded}");
    let quoted = good.replace('=', "=\"") + "\"";
    // For a browser, the name lacks the prefix `__Host-`. The cookie parser of the session layer
    // trims the name.
    let [wide, narrow, no_break, line] =
        ["\u{2003}", "\u{2009}", "\u{a0}", "\u{85}"].map(|space| format!("{space}{good}"));
    let wide_behind = good.replace('=', "\u{2003}=");
    let wide_twice = format!("{good}; {wide}");
    check(
        &ann.app,
        "/account",
        vec![
            row("good", &[&good], 200),
            row("among others", &[&among_others], 200),
            row("with tabs", &[&with_tabs], 200),
            row("on several lines", &["a=b", &good, "c=d"], 200),
            row("only others", &["a=b; session=x"], 401),
            row("in another case", &[&upper], 401),
            row("without a value", &["__Host-session"], 401),
            row("empty", &["__Host-session="], 401),
            row("too long", &[&long], 401),
            row("quoted", &[&quoted], 401),
            row("twice", &[&twice], 200),
            row("twice, on two lines", &[&good, &good], 200),
            row("the name in another spelling", &[&encoded], 401),
            row("twice, once in another spelling", &[&twice_encoded], 200),
            row("behind a wide space", &[&wide], 401),
            row("behind a narrow space", &[&narrow], 401),
            row("behind a space that does not break", &[&no_break], 401),
            row("behind a line break", &[&line], 401),
            row("with a wide space behind the name", &[&wide_behind], 401),
            row("twice, once behind a wide space", &[&wide_twice], 200),
        ],
    )
    .await;
}

#[tokio::test]
async fn cookies_beside_tokens_are_ignored() {
    let verified = async |good: bool| {
        let job = match good {
            true => Caller::known(Identity::new("job")),
            false => Caller::rejected(),
        };
        serve_with_tokens(builder(), job).logged_in("ann").await
    };
    let cookie = |value: &str| ("cookie", format!("{NAME}={value}").into_bytes());
    let ended = cookie(&Id(4711).to_string());
    // Of a token, a live session and an ended one: the expected caller on each path, or the status.
    for (good, target, token, live, dead) in [
        (true, "/account", "job", "ann", "401"),
        (true, "/api", "job", "401", "401"),
        (true, "/page", "401", "ann", "401"),
        (false, "/account", "401", "ann", "401"),
        (false, "/api", "401", "401", "401"),
        (false, "/page", "401", "ann", "401"),
    ] {
        let ann = verified(good).await;
        let session = cookie(ann.cookie.as_deref().expect("a cookie"));
        let beside =
            |cookie: &(&'static str, Vec<u8>)| [bearer("token"), vec![cookie.clone()]].concat();
        // The policy accepts the token, the cookie, or both.
        let (with_live, with_dead) = match target {
            "/page" => (live, dead),
            _ => (token, token),
        };
        for (name, lines, expected) in [
            ("the token", bearer("token"), token),
            ("the session", vec![session.clone()], live),
            ("the ended session", vec![ended.clone()], dead),
            ("token and session", beside(&session), with_live),
            ("token and ended session", beside(&ended), with_dead),
        ] {
            let response = send(&ann.app, target, &lines).await;
            let seen = match response.status() {
                StatusCode::OK => text(response).await,
                status => status.as_str().to_owned(),
            };
            assert_eq!(seen, expected, "{target}: {name}, good: {good}");
        }
    }
}

#[tokio::test]
async fn the_layer_is_required() {
    let space = shop(builder()).build().expect("the space is in order");
    let app = routes().protect(space).expect("every state is there");
    let mut ann = Browser::new(app);
    assert_eq!(ann.get("/account").await.status(), 401);
    ann.cookie = Some(Id(4711).to_string());
    for target in ["/account", "/hidden", "/nowhere"] {
        let response = ann.get(target).await;
        assert_eq!(response.status(), 503, "{target}");
    }
}
