//! Links that grant access to every holder, and become invalid if one byte changes.

use auth_tests::App;
use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;
use auth_runtime::routing::post;
use auth_runtime::schemes::{LinkError, SignedUrls, SignedUrlsError};
use auth_runtime::testing::assert_hidden;
use auth_runtime::{Denied, ProtectedRouter, UnknownPaths};
use axum::extract::Path;
use http::Method;
use proptest::prelude::*;

use crate::schemes::*;

const OLD: &[u8; 32] = b"the key of last month: 32 bytes.";
const NEW: &[u8; 32] = b"the key of this month: 32 bytes!";
const HOUR: Duration = Duration::from_secs(3600);

#[requires(scope = "files:read", schemes("SignedUrl"), hide_as = 404)]
async fn download(guard: Guard, Path(name): Path<String>) -> Result<String, Denied> {
    guard.permit(name != "deleted")?;
    Ok(format!("{name} from {}", guard.identity().subject()))
}

#[requires(permission = "upload", schemes("SignedUrl"), hide_as = 404)]
async fn upload() -> &'static str {
    "thanks"
}

#[requires(role = "editor", hide_as = 404)]
async fn join(guard: Guard) -> String {
    format!("{:?}", guard.identity())
}

#[requires(authenticated)]
async fn shown() {}

fn urls(keys: &[(&str, &[u8; 32])]) -> SignedUrls {
    let builder = keys
        .iter()
        .fold(SignedUrls::builder(), |builder, (id, key)| {
            builder.key(*id, *key)
        });
    builder.build().expect("the keys are in order")
}

fn new_urls() -> SignedUrls {
    urls(&[("2026-11", NEW)])
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/files/{name}", get(download).post(upload))
        .route("/join", get(join))
}

/// The routes at the root and below `/v1`.
fn links_only(urls: SignedUrls) -> ProtectedRouter {
    let space = ProtectionSpace::builder().scheme(urls).build();
    routes()
        .nest("/v1", routes())
        .protect(space.expect("links need no realm"))
        .expect("all of it is hidden")
}

fn reader() -> Identity {
    Identity::new("user-17").with_scopes(["files:read"])
}

fn link_to(target: &str) -> String {
    let link = new_urls().sign(&Method::GET, target, HOUR, &reader());
    link.expect("it can be signed")
}

fn request(method: Method, target: &str) -> Request {
    let request = http::Request::builder().method(method).uri(target);
    request.body(Body::empty()).expect("a request")
}

async fn call(app: &impl App, method: Method, target: &str) -> Response {
    let answer = app.clone().oneshot(request(method, target));
    answer.await.expect("infallible")
}

async fn assert_404(app: &impl App, method: Method, target: &str, why: &str) {
    let answer = call(app, method.clone(), target).await;
    assert_eq!(answer.status(), 404, "{why}: {method} {target}");
    assert!(challenges(&answer).is_empty(), "{why}");
    assert_hidden(app.clone(), request(method, target)).await;
}

#[tokio::test]
async fn a_link_lets_in_with_what_it_was_made_for() {
    let app = links_only(new_urls());
    for target in ["/files/7", "/v1/files/7", "/files/7?as=pdf&x=", "/files/7?"] {
        let link = link_to(target);
        let answer = call(&app, Method::GET, &link).await;
        assert_eq!(answer.status(), 200, "{link}");
        assert_eq!(text(answer).await, "7 from user-17");
        assert_eq!(call(&app, Method::HEAD, &link).await.status(), 200);
    }

    let identity = Identity::new("invitation 4/711 & ä")
        .with_scopes(["a:b", "c"])
        .with_roles(["editor", "house owner"])
        .with_permissions(["sub=x&role=admin"]);
    let link = new_urls().sign(&Method::GET, "/join", HOUR, &identity);
    let answer = call(&app, Method::GET, &link.expect("a link")).await;
    assert_eq!(text(answer).await, format!("{identity:?}"));
}

#[tokio::test]
async fn no_proxy_keeps_what_a_link_opens_and_no_page_passes_the_link_on() {
    let app = links_only(new_urls());
    let mut with_password = request(Method::GET, &link_to("/files/7"));
    // Credentials for a proxy in front, which grant nothing here.
    let password = HeaderValue::from_static("Basic c3RhZ2luZzpzZWNyZXQ=");
    with_password
        .headers_mut()
        .insert("authorization", password);
    for request in [request(Method::GET, &link_to("/files/7")), with_password] {
        let answer = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "private");
        assert_eq!(answer.headers()["referrer-policy"], "strict-origin");
    }
}

#[tokio::test]
async fn an_altered_link_is_a_path_that_was_never_there() {
    let app = links_only(new_urls());
    let link = link_to("/files/7?as=pdf");
    let (front, value) = link.split_once("secret_link=").expect("a link");
    let parts: Vec<&str> = value.split('.').collect();
    let [id, expiry, grants, signature] = parts[..] else {
        panic!("{link}");
    };
    let later = expiry.parse::<u64>().expect("a number") + 1;
    let more = URL_SAFE_NO_PAD.encode("sub=user-17&scope=files%3Aread&role=admin");
    let rows = [
        ("another file", link.replace("/7", "/8")),
        ("nested elsewhere", format!("/v1{link}")),
        ("upper case", link.replace("/7?as", "/7?As")),
        ("an encoded letter", link.replace("/7", "/%37")),
        ("an encoded slash", link.replace("/7", "%2F7")),
        (
            "the name of the parameter encoded",
            link.replace("secret_link", "secret%5Flink"),
        ),
        ("a dot encoded", link.replacen('.', "%2E", 1)),
        (
            "a digit of the expiry encoded",
            link.replace(&format!(".{expiry}"), &format!(".%3{}", expiry)),
        ),
        (
            "later",
            format!("{front}secret_link={id}.{later}.{grants}.{signature}"),
        ),
        (
            "a sign before the expiry",
            format!("{front}secret_link={id}.+{expiry}.{grants}.{signature}"),
        ),
        (
            "a zero before the expiry",
            format!("{front}secret_link={id}.0{expiry}.{grants}.{signature}"),
        ),
        (
            "another key",
            format!("{front}secret_link=2026-12.{expiry}.{grants}.{signature}"),
        ),
        (
            "no key",
            format!("{front}secret_link=.{expiry}.{grants}.{signature}"),
        ),
        (
            "more grants",
            format!("{front}secret_link={id}.{expiry}.{more}.{signature}"),
        ),
        (
            "no grants",
            format!("{front}secret_link={id}.{expiry}..{signature}"),
        ),
        (
            "no signature",
            format!("{front}secret_link={id}.{expiry}.{grants}."),
        ),
        (
            "no signature and no dot",
            format!("{front}secret_link={id}.{expiry}.{grants}"),
        ),
        ("half a signature", link[..link.len() - 21].to_owned()),
        ("a padded signature", format!("{link}=")),
        ("a space behind it", format!("{link}+")),
        ("a part too many", format!("{link}.{signature}")),
        ("a parameter behind it", format!("{link}&utm_source=mail")),
        ("an ampersand behind it", format!("{link}&")),
        ("a parameter in front of it", link.replace("?as", "?x=1&as")),
        ("a parameter changed", link.replace("pdf", "png")),
        ("a parameter taken out", link.replace("as=pdf&", "")),
        ("nothing in it", format!("{front}secret_link=")),
        ("no value", format!("{front}secret_link")),
        (
            "bytes that are no text",
            format!("{front}secret_link=%FF%00"),
        ),
        ("longer than any", format!("{link}{}", "A".repeat(20_000))),
        ("no link", front.trim_end_matches('&').to_owned()),
    ];
    for (name, altered) in rows {
        assert_ne!(altered, link, "{name}");
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            let is_there = altered.starts_with("/files/") || altered.starts_with("/v1/files/");
            if is_there {
                assert_404(&app, method, &altered, name).await;
            } else {
                assert_eq!(call(&app, method, &altered).await.status(), 404, "{name}");
            }
        }
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        assert_404(&app, method, &link, "another method").await;
    }
}

#[tokio::test]
async fn a_link_to_send_something_reads_nothing() {
    let app = links_only(new_urls());
    let identity = reader().with_permissions(["upload"]);
    let link = new_urls().sign(&Method::POST, "/files/7", HOUR, &identity);
    let link = link.expect("a link");
    assert_eq!(call(&app, Method::POST, &link).await.status(), 200);
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        assert_404(&app, method, &link, "another method").await;
    }
}

#[tokio::test]
async fn a_link_that_grants_too_little_is_a_path_that_was_never_there() {
    let app = links_only(new_urls());
    let roles = ["files:read", "admin"];
    let writer = Identity::new("user-17")
        .with_scopes(["files:write"])
        .with_roles(roles);
    let link = new_urls().sign(&Method::GET, "/files/7", HOUR, &writer);
    assert_404(&app, Method::GET, &link.expect("a link"), "another scope").await;
    let deleted = link_to("/files/deleted");
    assert_404(&app, Method::GET, &deleted, "an object that is gone").await;
}

#[tokio::test]
async fn a_link_expires() {
    let time = ManualClock::new(SystemTime::now());
    let urls = SignedUrls::builder()
        .key("2026-11", NEW)
        .clock(time.clock());
    let urls = urls.build().expect("a key");
    let link = urls.sign(&Method::GET, "/files/7", HOUR, &reader());
    let (app, link) = (links_only(urls), link.expect("a link"));
    time.advance(HOUR - Duration::from_secs(1));
    assert_eq!(call(&app, Method::GET, &link).await.status(), 200);
    time.advance(Duration::from_secs(1));
    assert_404(&app, Method::GET, &link, "expired").await;
}

#[tokio::test]
async fn a_link_of_the_old_key_works_until_the_key_is_taken_out() {
    let (old, new) = (("2026-10", OLD), ("2026-11", NEW));
    let link = urls(&[old]).sign(&Method::GET, "/files/7", HOUR, &reader());
    let link = link.expect("a link");
    let statuses = [
        (vec![old], 200),
        (vec![old, new], 200),
        (vec![new, old], 200),
        (vec![new], 404),
        (vec![("2026-11", OLD)], 404),
        (vec![("2026-10", NEW)], 404),
    ];
    for (keys, status) in statuses {
        let answer = call(&links_only(urls(&keys)), Method::GET, &link).await;
        assert_eq!(answer.status(), status, "{keys:?}");
    }
    let signed = urls(&[new, old]).sign(&Method::GET, "/files/7", HOUR, &reader());
    assert!(signed.expect("a link").contains("secret_link=2026-11."));
}

#[tokio::test]
async fn the_bytes_over_a_socket_are_those_of_an_unknown_path() {
    let app = links_only(new_urls());
    let address = auth_tests::serve(app).await;
    let send = async |target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        auth_tests::send_raw(address, request).await
    };
    let link = link_to("/files/7");
    assert!(send(&link).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let absolute = format!("http://files.example{link}");
    assert!(send(&absolute).await.starts_with("HTTP/1.1 200 OK\r\n"));

    let unknown = send("/nothing/7").await;
    assert!(unknown.starts_with("HTTP/1.1 404 Not Found\r\n"));
    let altered = [
        "/files/7".to_owned(),
        format!("{link}x"),
        format!("/files//7{}", &link[8..]),
        format!("/files/./7{}", &link[8..]),
        format!("//files/7{}", &link[8..]),
        "/files/7?secret_link=".to_owned(),
        "/nothing?secret_link=%FF".to_owned(),
    ];
    for target in altered {
        assert_eq!(send(&target).await, unknown, "{target}");
    }
}

fn beside_bearer(unknown_paths: UnknownPaths) -> ProtectedRouter {
    let space = auth_tests::space_builder()
        .scheme(new_urls())
        .unknown_paths(unknown_paths);
    routes()
        .route("/shown", get(shown))
        .protect(space.build().expect("a space"))
        .expect("a router")
}

#[tokio::test]
async fn beside_other_schemes_a_bad_link_counts_as_none() {
    let app = beside_bearer(UnknownPaths::NotFound);
    let link = new_urls().sign(&Method::GET, "/shown", HOUR, &reader());
    let link = link.expect("a link");
    assert_eq!(call(&app, Method::GET, &link).await.status(), 200);

    for target in ["/shown", &format!("{link}x"), "/shown?secret_link="] {
        let answer = call(&app, Method::GET, target).await;
        assert_eq!(answer.status(), 401, "{target}");
        assert_eq!(challenges(&answer), [BEARER], "{target}");
    }
    for target in ["/files/7?secret_link=x.1.x.x", "/join?secret_link="] {
        assert_404(&app, Method::GET, target, "hidden").await;
    }

    let challenging = beside_bearer(UnknownPaths::Challenge);
    for target in ["/files/7?secret_link=x", "/nothing?secret_link=x"] {
        let answer = call(&challenging, Method::GET, target).await;
        assert_eq!(answer.status(), 401, "{target}");
        assert_eq!(challenges(&answer), [BEARER], "{target}");
    }
}

#[tokio::test]
async fn credentials_in_two_places_are_refused_on_every_path_alike() {
    let app = beside_bearer(UnknownPaths::NotFound);
    let link = link_to("/files/7");
    let token = bearer(auth_tests::token(json!({})));
    let nowhere = link_to("/nothing");
    let shown = link_to("/shown");
    let unwelcome = new_urls().sign(&Method::GET, "/files/7", HOUR, &Identity::new("ann"));
    let unwelcome = unwelcome.expect("a link");
    for (target, status) in [
        // The handler accepts only links.
        (&*link, 200),
        (&shown, 400),
        (&nowhere, 400),
        (&unwelcome, 400),
        // An invalid link counts as none, so only the token remains.
        ("/shown?secret_link=x", 200),
        ("/files/7?secret_link=x", 404),
        ("/nothing?secret_link=x", 404),
    ] {
        let answer = send(&app, target, &token).await;
        assert_eq!(answer.status(), status, "{target}");
    }
    let (_, value) = link.split_once('?').expect("a query");
    for target in [format!("{link}&{value}"), format!("{link}&secret%5Flink=x")] {
        for app in [&app, &links_only(new_urls())] {
            assert_eq!(send(app, &target, &vec![]).await.status(), 400, "{target}");
        }
    }
}

#[tokio::test]
async fn a_token_that_expired_is_told_beside_a_handler_for_links() {
    let app = beside_bearer(UnknownPaths::NotFound);
    let token = bearer(auth_tests::expired_token(json!({})));
    for target in ["/files/7", "/nothing"] {
        let answer = send(&app, target, &token).await;
        assert_eq!(challenges(&answer), [EXPIRED], "{target}");
    }
}

#[requires(authenticated, schemes("SignedUrl"))]
async fn links_but_not_hidden() {}

#[requires(authenticated, schemes("SignedUrl"), hide_as = 404, hide_unless = network("10.0.0.0/8"))]
async fn links_hidden_from_some() {}

#[requires(
    any(role = "editor", acr = "gold"),
    schemes("SignedUrl"),
    hide_as = 404
)]
async fn links_and_a_login() {}

#[requires(
    any(role = "editor", sender_constrained),
    schemes("SignedUrl"),
    hide_as = 404
)]
async fn links_and_a_key() {}

#[requires(network = "127.0.0.0/8")]
async fn only_a_network() {}

#[tokio::test]
async fn a_handler_that_takes_only_links_is_refused_unless_it_hides() {
    let space = || {
        let space = auth_tests::space_builder().scheme(new_urls());
        space.build().expect("a space")
    };
    let rows = [
        ("links_but_not_hidden", get(links_but_not_hidden)),
        ("links_hidden_from_some", get(links_hidden_from_some)),
        ("links_and_a_login", get(links_and_a_login)),
        ("links_and_a_key", get(links_and_a_key)),
    ];
    for (name, handler) in rows {
        let error = GuardedRouter::new().route("/x", handler).protect(space());
        let error = error.expect_err(name).to_string();
        assert!(
            error.contains(&format!("::{name}` accepts only")),
            "{error}"
        );
        assert!(error.contains("`hide_as = 404`"), "{error}");
    }
    let links = ProtectionSpace::builder().scheme(new_urls());
    let links = links.build().expect("a space");
    let error = GuardedRouter::new()
        .route("/x", get(shown))
        .protect(links.clone());
    assert!(
        error
            .expect_err("a 401 has a challenge")
            .to_string()
            .contains("::shown` accepts only")
    );
    let routes = GuardedRouter::new().route("/x", get(only_a_network));
    assert!(
        routes.protect(links).is_ok(),
        "nobody is asked who they are"
    );

    // A plain router detects the error at the first request.
    let app = Router::new()
        .route("/x", axum::routing::get(links_but_not_hidden))
        .route("/files/{name}", axum::routing::get(download))
        .layer(axum::Extension(space()));
    assert_eq!(call(&app, Method::GET, "/x").await.status(), 500);
    assert_eq!(call(&app, Method::GET, "/files/7").await.status(), 404);
    assert_eq!(
        call(&app, Method::GET, &link_to("/files/7")).await.status(),
        200
    );
}

#[test]
fn a_space_that_challenges_needs_a_challenge() {
    let space = ProtectionSpace::builder().realm("api").scheme(new_urls());
    let error = space.unknown_paths(UnknownPaths::Challenge).build();
    assert_eq!(error.expect_err("no challenge"), SpaceError::NoChallenge);
}

#[test]
fn keys_that_cannot_be_right_are_not_taken() {
    let error = |builder: auth_runtime::schemes::SignedUrlsBuilder| builder.build().err();
    let id = |id: &str| SignedUrlsError::Id(id.to_owned());
    assert_eq!(error(SignedUrls::builder()), Some(SignedUrlsError::NoKey));
    for name in ["", "a.b", "a b", "ä", "a&b", &"a".repeat(33)] {
        assert_eq!(error(SignedUrls::builder().key(name, NEW)), Some(id(name)));
    }
    for length in [0, 16, 31, 65] {
        let builder = SignedUrls::builder().key("a", &vec![7; length]);
        assert_eq!(
            error(builder),
            Some(SignedUrlsError::KeyLength("a".to_owned()))
        );
    }
    for (name, key) in [("a", OLD), ("b", NEW)] {
        let builder = SignedUrls::builder().key("a", NEW).key(name, key);
        assert_eq!(
            error(builder),
            Some(SignedUrlsError::KeyTwice(name.to_owned()))
        );
    }
    let builder = SignedUrls::builder().key("a", &[7; 32]).key("b", &[7; 64]);
    assert_eq!(error(builder), None);
}

#[test]
fn what_would_not_work_is_not_signed() {
    let error = |method: Method, target: &str, lifetime, identity: &Identity| {
        new_urls().sign(&method, target, lifetime, identity).err()
    };
    let targets = [
        "",
        "files",
        "//evil.example",
        "/a/../b",
        "/a/.",
        "/%2e%2E/b",
        "/a b",
        "/ä",
        "/a#b",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a\\b",
        "/a?b#c",
        "/a?it's",
        "/a?b=\"",
        "/a|b",
        "/a^b",
        "/{a}",
        "*",
        "http://a/b",
        "/a\nb",
        "/a?secret_link=x",
        "/a?b&secret%5Flink",
        "/a\r\nset-cookie: x",
    ];
    for target in targets {
        let expected = LinkError::Target(target.to_owned());
        assert_eq!(
            error(Method::GET, target, HOUR, &reader()),
            Some(expected),
            "{target:?}"
        );
    }
    for target in [
        "/",
        "/it's/a;b=c/~d/%C3%A4/a:b@c/",
        "/..a/...",
        "/a//b?c/d?e",
        "/a?b=%27",
    ] {
        assert_eq!(
            error(Method::GET, target, HOUR, &reader()),
            None,
            "{target:?}"
        );
    }
    for seconds in [0.0, 0.9, 366.0 * 86_400.0 + 0.1] {
        let lifetime = Duration::from_secs_f64(seconds);
        let expected = Some(LinkError::Lifetime(lifetime));
        assert_eq!(error(Method::GET, "/a", lifetime, &reader()), expected);
    }
    let year = Duration::from_secs(366 * 86_400);
    assert_eq!(error(Method::GET, "/a", year, &reader()), None);
    assert_eq!(
        error(Method::HEAD, "/a", HOUR, &reader()),
        Some(LinkError::Head)
    );
    let more = [
        reader().with_acr("gold"),
        reader().with_amr(["otp"]),
        reader().with_auth_time(std::time::SystemTime::now()),
        reader().with_sender_constraint(),
        reader().with_extension(7_u32),
    ];
    for identity in more {
        assert_eq!(
            error(Method::GET, "/a", HOUR, &identity),
            Some(LinkError::Identity)
        );
    }
    let long = format!("/{}", "a".repeat(8000));
    assert!(matches!(
        error(Method::GET, &long, HOUR, &reader()),
        Some(LinkError::Long(_))
    ));
}

#[test]
fn keys_are_not_printed() {
    let builder = SignedUrls::builder().key("2026-11", NEW);
    assert_eq!(format!("{builder:?}"), "SignedUrlsBuilder { keys: 1, .. }");
    assert_eq!(
        format!("{:?}", new_urls()),
        "SignedUrls { keys: [\"2026-11\"], .. }"
    );
}

proptest! {
    #[test]
    fn no_change_of_a_byte_opens_anything(
        name in "[a-z0-9]{1,8}",
        position in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        change in 0..3,
    ) {
        let link = link_to(&format!("/files/{name}?as=pdf"));
        let mut altered = link.clone().into_bytes();
        let position = position.index(altered.len());
        match change {
            0 => altered[position] = byte,
            1 => altered.insert(position, byte),
            _ => { altered.remove(position); }
        }
        // The HTTP parser rejects an invalid target before.
        let altered = http::Uri::try_from(altered).ok().map(|uri| uri.to_string());
        if let Some(altered) = altered.filter(|altered| *altered != link) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let app = links_only(new_urls());
            let mut request = request(Method::GET, "/");
            *request.uri_mut() = altered.parse().expect("it was one");
            let answer = runtime.block_on(app.oneshot(request)).expect("infallible");
            prop_assert_eq!(answer.status(), 404, "{}", altered);
        }
    }
}

#[tokio::test]
async fn an_invitation_is_accepted_where_it_was_made_for() {
    #[requires(role = "guest", schemes("SignedUrl"), hide_as = 404)]
    async fn accept(guard: Guard) -> String {
        guard.identity().subject().to_owned()
    }
    let space = ProtectionSpace::builder().scheme(new_urls()).build();
    let app = GuardedRouter::new()
        .route("/invitations/{id}", post(accept))
        .protect(space.expect("a space"))
        .expect("a router");
    let guest = Identity::new("invitation-9").with_roles(["guest"]);
    let link = new_urls().sign(&Method::POST, "/invitations/9", HOUR, &guest);
    let link = link.expect("a link");
    assert_eq!(
        text(call(&app, Method::POST, &link).await).await,
        "invitation-9"
    );
    assert_404(&app, Method::POST, &link.replace("/9", "/8"), "another").await;
}
