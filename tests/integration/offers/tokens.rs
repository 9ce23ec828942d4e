//! Tokens in forms and queries.

use axum::body::Bytes;
use axum::{Form, Json};

use super::*;

#[public(reason = "the answer of a path that was never there")]
async fn echo(Form(form): Form<Vec<(String, String)>>) -> Json<Vec<(String, String)>> {
    Json(form)
}

#[requires(authenticated)]
async fn submit(body: Bytes) -> Bytes {
    body
}

#[requires(authenticated, hide_as = 404)]
async fn hidden_submit() -> &'static str {
    "submitted"
}

#[public(reason = "anybody may")]
async fn open_submit(body: Bytes) -> Bytes {
    body
}

fn lenient() -> ProtectionSpace {
    let bearer = Bearer::jwt(jwt()).accept_query().accept_form();
    let space = ProtectionSpace::builder().realm("api").scheme(bearer);
    space.build().expect("a space")
}

fn form(target: &str, body: impl Into<Body>) -> Request {
    let request = Request::post(target).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(body.into()).expect("a request")
}

#[tokio::test]
async fn form_tokens_are_found() {
    let app = GuardedRouter::new()
        .route("/submit", post(submit).put(submit).patch(submit).get(known))
        .route("/hidden", post(hidden_submit))
        .route("/open", post(open_submit))
        .fallback(echo)
        .protect(lenient())
        .unwrap();
    let token = token(json!({}));
    let body = format!("a=1&access_token={token}&b=%C3%BC");
    let answer = send(&app, form("/submit", body.clone())).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, body.as_str())
    );
    // A cache does not know that a token was evaluated.
    assert_eq!(answer.cache_control(), "private");

    for method in [Method::PUT, Method::PATCH] {
        for (body, status) in [
            (body.clone(), 200),
            (format!("{body}&access_token=x"), 400),
            (format!("{body}&access_token={token}"), 400),
        ] {
            let mut changed = form("/submit", body);
            *changed.method_mut() = method.clone();
            assert_eq!(send(&app, changed).await.status, status, "{method}");
        }
    }
    let mut spelled = form("/submit", body.clone());
    let kind = HeaderValue::from_static("Application/X-WWW-Form-Urlencoded ; charset=utf-8");
    spelled.headers_mut().insert(CONTENT_TYPE, kind);
    assert_eq!(send(&app, spelled).await.status, 200);

    for (what, request, status) in [
        ("no token", form("/submit", "a=1"), 401),
        ("an empty token", form("/submit", "access_token="), 401),
        ("no good token", form("/submit", "access_token=x"), 401),
        (
            "bytes that are no text",
            form("/submit", "access_token=%FF"),
            401,
        ),
        (
            "two of them",
            form("/submit", format!("{body}&access_token=x")),
            400,
        ),
        (
            "in the query as well",
            form(&format!("/submit?access_token={token}"), body.clone()),
            400,
        ),
        (
            "too long",
            form("/submit", vec![b'x'; ProtectionSpace::MAX_BODY + 1]),
            400,
        ),
        (
            "as long as can be",
            form("/submit", vec![b'x'; ProtectionSpace::MAX_BODY]),
            401,
        ),
    ] {
        assert_eq!(send(&app, request).await.status, status, "{what}");
    }
    let mut both = form("/submit", body.clone());
    let header = format!("Bearer {token}").parse().unwrap();
    both.headers_mut().insert(AUTHORIZATION, header);
    assert_eq!(send(&app, both).await.status, 400);
    // The body of a GET has no meaning (RFC 6750 §2.2), and neither has one of another type.
    let mut got = form("/submit", body.clone());
    *got.method_mut() = Method::GET;
    assert_eq!(send(&app, got).await.status, 401);
    let mut text = form("/submit", body.clone());
    text.headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    assert_eq!(send(&app, text).await.status, 401);

    // Hidden and unknown paths read the form alike, and a fallback still receives it.
    assert_eq!(send(&app, form("/hidden", body.clone())).await.status, 200);
    for body in ["a=1", "access_token=x", "access_token=x&access_token=y"] {
        assert_hidden(app.clone(), form("/hidden", body)).await;
    }
    let answer = send(&app, form("/nowhere", "a=1&b=2")).await;
    assert_eq!(answer.body, r#"[["a","1"],["b","2"]]"#);
    // A public handler reads no credentials and no form.
    let long = vec![b'x'; ProtectionSpace::MAX_BODY + 1];
    assert_eq!(send(&app, form("/open", long)).await.status, 200);
}

#[requires(authenticated, schemes(Basic))]
async fn submit_by_password(body: Bytes) -> String {
    body.len().to_string()
}

#[requires(authenticated, schemes(Basic), hide_as = 404)]
async fn hidden_submit_by_password(body: Bytes) -> String {
    body.len().to_string()
}

#[requires(any(authenticated, network = "192.0.2.0/24"), schemes(Bearer))]
async fn submit_by_network(body: Bytes) -> String {
    body.len().to_string()
}

#[public(reason = "the answer of a path that was never there")]
async fn measure(body: Bytes) -> String {
    body.len().to_string()
}

fn cut_off() -> Body {
    let frames = [
        Ok(Bytes::from_static(b"ten bytes!")),
        Err(std::io::Error::other("cut off")),
    ];
    Body::from_stream(futures_util::stream::iter(frames))
}

/// A form from an address of the network, with a password.
fn form_of_ann(target: &str, body: Body) -> Request {
    let mut request = form(target, body);
    let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 4711));
    request.extensions_mut().insert(peer);
    let password = HeaderValue::from_static("Basic YW5uOnNlY3JldA==");
    request.headers_mut().insert(AUTHORIZATION, password);
    request
}

#[tokio::test]
async fn unreadable_forms_reach_no_handler() {
    let space = || {
        let bearer = Bearer::jwt(jwt()).accept_form();
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        space.scheme(basic()).build().expect("a space")
    };
    let passwords = || {
        let space = ProtectionSpace::builder().realm("other").scheme(basic());
        space.build().expect("a space")
    };
    let routes = || {
        GuardedRouter::new()
            .route("/shown", post(submit_by_password))
            .route("/network", post(submit_by_network))
            .route("/hidden", post(hidden_submit_by_password))
    };
    let one = routes().protect(space()).unwrap();
    let with_fallback = routes().fallback(measure).protect(space()).unwrap();
    let others = GuardedRouter::new().route("/other", post(hidden_submit_by_password));
    let others = || others.clone().protect(passwords()).unwrap();
    let first = with_fallback.clone().merge(others());
    let last = others().merge(with_fallback.clone());
    let long = || Body::from(vec![b'x'; ProtectionSpace::MAX_BODY + 1]);
    for (app, spaces) in [(one, 1), (with_fallback, 1), (first, 2), (last, 2)] {
        let status = async |target: &str, body: Body| {
            let answer = send(&app, form_of_ann(target, body)).await;
            (answer.status.as_u16(), answer.body)
        };
        // No scheme of the policy reads forms, so the handler receives the body.
        let length = (ProtectionSpace::MAX_BODY + 1).to_string();
        assert_eq!(status("/shown", long()).await, (200, length.clone()));
        assert_eq!(status("/shown", cut_off()).await.0, 400);
        for body in [long, cut_off] {
            for target in ["/network", "/hidden", "/nowhere"] {
                assert_eq!(status(target, body()).await.0, 400, "{target}, {spaces}");
            }
            let hidden = send(&app, form_of_ann("/hidden", body())).await;
            let unknown = send(&app, form_of_ann("/nowhere", body())).await;
            assert_eq!(hidden.headers, unknown.headers);
            let as_bob = |target| with_identity(form(target, body()), Identity::new("bob"));
            for target in ["/network", "/hidden", "/nowhere"] {
                assert_eq!(send(&app, as_bob(target)).await.status, 400, "{target}");
            }
        }
        if spaces == 2 {
            assert_eq!(status("/other", long()).await, (200, length));
            assert_eq!(status("/other", cut_off()).await.0, 400);
        }
        // A readable form does.
        for target in ["/shown", "/network", "/hidden"] {
            let answer = status(target, Body::from("a=1")).await;
            assert_eq!(answer, (200, "3".to_owned()), "{target}");
        }
    }
}

/// A frame that is counted.
struct Frame(#[expect(dead_code, reason = "it is counted")] std::sync::Arc<()>);

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        b"x"
    }
}

#[tokio::test]
async fn small_frames_take_their_bytes_only() {
    let app = GuardedRouter::new()
        .route("/submit", post(submit))
        .protect(lenient())
        .unwrap();
    for (frames, expected) in [
        (0, 401),
        (1, 401),
        (5000, 401),
        (ProtectionSpace::MAX_BODY, 401),
        (ProtectionSpace::MAX_BODY + 1, 400),
    ] {
        let held = std::sync::Arc::new(());
        let frames = (0..frames).map(move |_| {
            assert!(std::sync::Arc::strong_count(&held) <= 3, "frames are kept");
            Ok::<_, std::io::Error>(Bytes::from_owner(Frame(held.clone())))
        });
        let body = Body::from_stream(futures_util::stream::iter(frames));
        assert_eq!(send(&app, form("/submit", body)).await.status, expected);
    }
    let body = format!("a=1&access_token={}&b=%C3%BC", token(json!({})));
    let frames: Vec<_> = body.as_bytes().chunks(7).map(<[u8]>::to_vec).collect();
    let frames = frames.into_iter().map(Ok::<_, std::io::Error>);
    let frames = Body::from_stream(futures_util::stream::iter(frames));
    let answer = send(&app, form("/submit", frames)).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, body));
}

#[tokio::test]
async fn query_tokens_are_found() {
    let app = |space| {
        let routes = GuardedRouter::new().route("/", get(known));
        routes.protect(space).unwrap()
    };
    let token = token(json!({}));
    let target = format!("/?a=1&access_token={token}");
    let answer = send(&app(lenient()), request(&target)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.cache_control()),
        (200, "private")
    );
    for (target, status) in [
        ("/?access_token=x", 401),
        ("/?access_token=", 401),
        ("/?access_token", 401),
        // It is not in a field.
        (&*format!("/?access_token={}", "a".repeat(17 << 10)), 401),
        ("/?ACCESS_TOKEN=x", 401),
        (&format!("{target}&access_token=x"), 400),
        (&format!("{target}&access_token={token}"), 400),
        (&format!("{target}&access%5Ftoken=x"), 400),
    ] {
        assert_eq!(
            send(&app(lenient()), request(target)).await.status,
            status,
            "{target}"
        );
    }
    // It counts as absent, unless it is requested.
    let answer = send(&app(space()), request(&target)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.challenges()),
        (401, vec![BEARER])
    );
}
