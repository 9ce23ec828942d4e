//! Requests with a link.

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::LinkError;
use axum::extract::OriginalUri;
use tower::Layer;
use tower::util::MapRequestLayer;

use super::*;

#[tokio::test]
async fn links_grant_their_identity() {
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
async fn responses_to_links_are_private() {
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
async fn altered_links_are_unknown_paths() {
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
        ("half a signature", link[..link.len() - 23].to_owned()),
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
async fn links_are_for_one_method() {
    let app = links_only(new_urls());
    let identity = reader().with_permissions(["upload"]);
    let link = new_urls().sign(&Method::POST, "/files/7", HOUR, &identity);
    let link = link.expect("a link");
    assert_eq!(call(&app, Method::POST, &link).await.status(), 200);
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        assert_404(&app, method, &link, "another method").await;
    }
    // Also if the handler is for all of them.
    let space = ProtectionSpace::builder().scheme(new_urls()).build();
    let app = GuardedRouter::new()
        .route("/any/{name}", auth_runtime::routing::any(download))
        .protect(space.expect("a space"))
        .expect("a router");
    let link = link_to("/any/7");
    for (method, status) in [
        ("GET", 200),
        ("HEAD", 200),
        ("get", 404),
        ("OPTIONS", 404),
        ("TRACE", 404),
        ("QUERY", 404),
        ("POST", 404),
    ] {
        let answer = call(&app, method.parse().expect("a method"), &link).await;
        assert_eq!(answer.status(), status, "{method}");
    }
}

/// A plain router may remove a prefix from the target.
#[tokio::test]
async fn links_have_target_of_client() {
    let app = Router::new().nest_service("/api", links_only(new_urls()));
    let inner = link_to("/files/7");
    for (link, status) in [
        (link_to("/api/files/7"), 200),
        (format!("/api{inner}"), 404),
    ] {
        let answer = call(&app, Method::GET, &link).await;
        assert_eq!(answer.status(), status, "{link}");
    }
}

/// A layer around the router that changes the target keeps the sent one.
#[tokio::test]
async fn links_have_target_that_layer_keeps() {
    let rewritten = |keeps: bool| {
        let rewrite = MapRequestLayer::new(move |mut request: Request| {
            if keeps {
                let sent = OriginalUri(request.uri().clone());
                request.extensions_mut().insert(sent);
            }
            let target = request.uri().to_string().replace("/downloads/", "/files/");
            *request.uri_mut() = target.parse().expect("a target");
            request
        });
        rewrite.layer(links_only(new_urls()))
    };
    let moved = link_to("/files/7").replace("/files/", "/downloads/");
    for (keeps, link, status) in [
        (true, link_to("/downloads/7"), 200),
        (true, link_to("/files/7"), 200),
        (true, moved.clone(), 404),
        // Without it, the target of the router counts, so a link has two spellings.
        (false, link_to("/downloads/7"), 404),
        (false, moved, 200),
    ] {
        let answer = rewritten(keeps).oneshot(request(Method::GET, &link)).await;
        let answer = answer.expect("infallible");
        assert_eq!(answer.status(), status, "{keeps} {link}");
    }
}

#[tokio::test]
async fn insufficient_links_are_unknown_paths() {
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
async fn links_expire() {
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

/// An open stream of the handler ends with the link.
#[tokio::test]
async fn identities_end_with_their_link() {
    #[requires(authenticated, schemes("SignedUrl"), hide_as = 404)]
    async fn end(guard: Guard) -> String {
        let end = guard.identity().expiry();
        let since = end.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.map_or("never".to_owned(), |since| since.as_secs().to_string())
    }

    let time = ManualClock::new(SystemTime::UNIX_EPOCH + HOUR);
    let urls = SignedUrls::builder()
        .key("2026-11", NEW)
        .clock(time.clock());
    let urls = urls.build().expect("a key");
    // The expiry of the identity is not that of the link.
    let identity = reader().with_expiry(SystemTime::UNIX_EPOCH + 9 * HOUR);
    let link = urls.sign(&Method::GET, "/end", HOUR, &identity);
    let space = ProtectionSpace::builder().clock(time.clock());
    let space = space.scheme(urls).build();
    let app = GuardedRouter::new()
        .route("/end", get(end))
        .protect(space.expect("a space"))
        .expect("a router");
    let answer = call(&app, Method::GET, &link.expect("a link")).await;
    assert_eq!(text(answer).await, "7200");
}

/// Otherwise links that were sent would be invalid after an update.
#[test]
fn links_of_earlier_versions_stay_valid() {
    use hmac::{Hmac, KeyInit, Mac};

    let time = ManualClock::new(SystemTime::UNIX_EPOCH + HOUR);
    let urls = SignedUrls::builder()
        .key("2026-11", NEW)
        .clock(time.clock());
    let link = urls.build().expect("a key");
    let link = link.sign(&Method::POST, "/files/7?as=pdf", HOUR, &reader());
    let grants = URL_SAFE_NO_PAD.encode("sub=user-17&scope=files%3Aread");
    let signed = format!("/files/7?as=pdf&secret_link=2026-11.7200.{grants}.");
    let mut signature = Hmac::<sha2::Sha256>::new_from_slice(NEW).expect("a key");
    signature.update(format!("secret URL 1\nPOST\n{signed}").as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signature.finalize().into_bytes());
    assert_eq!(link.expect("a link"), signed + &signature);
}

/// The last character of a signature has two unused bits.
#[tokio::test]
async fn signatures_have_one_spelling() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let app = links_only(new_urls());
    let link = link_to("/files/7");
    let (front, last) = link.split_at(link.len() - 1);
    for byte in ALPHABET {
        let spelling = format!("{front}{}", char::from(*byte));
        let status = call(&app, Method::GET, &spelling).await.status();
        let expected = if last.as_bytes() == [*byte] { 200 } else { 404 };
        assert_eq!(status, expected, "{spelling}");
    }
}

/// Each part has whole bytes. The Base64 of other parts is invalid in any case.
#[tokio::test]
async fn parts_of_a_signature_open_nothing() {
    let app = links_only(new_urls());
    let link = link_to("/files/7");
    let (front, signature) = link.rsplit_once('.').expect("a link");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("a signature");
    for length in 0..signature.len() {
        let (first, last) = signature.split_at(length);
        for part in [first, last].into_iter().filter(|part| *part != signature) {
            let altered = format!("{front}.{}", URL_SAFE_NO_PAD.encode(part));
            assert_404(&app, Method::GET, &altered, "a part of a signature").await;
        }
    }
}

/// Between the decision and the handler, layers may change what the link was signed for.
#[tokio::test]
async fn query_and_method_bind_decisions() {
    let without_query = axum::middleware::map_request(async |mut request: Request| {
        let path = request.uri().path().to_owned();
        *request.uri_mut() = path.parse().expect("a target");
        request
    });
    let as_post = axum::middleware::map_request(async |mut request: Request| {
        *request.method_mut() = Method::POST;
        request
    });
    let unchanged = axum::middleware::map_request(async |request: Request| request);
    let space = ProtectionSpace::builder().scheme(new_urls()).build();
    let app = GuardedRouter::new()
        .route("/unchanged/{name}", get(download).layer(unchanged))
        .route("/query/{name}", get(download).layer(without_query))
        .route("/method/{name}", get(download).layer(as_post))
        .protect(space.expect("a space"))
        .expect("a router");
    for (target, status) in [("/unchanged/7", 200), ("/query/7", 404), ("/method/7", 404)] {
        let answer = call(&app, Method::GET, &link_to(target)).await;
        assert_eq!(answer.status(), status, "{target}");
    }
}

#[tokio::test]
async fn lifetimes_have_whole_seconds() {
    let time = ManualClock::new(SystemTime::UNIX_EPOCH);
    let urls = SignedUrls::builder()
        .key("2026-11", NEW)
        .clock(time.clock());
    let urls = urls.build().expect("a key");
    let lifetime = Duration::from_millis(1900);
    let link = urls.sign(&Method::GET, "/files/7", lifetime, &reader());
    let (app, link) = (links_at(&time.clock(), urls), link.expect("a link"));
    assert_eq!(call(&app, Method::GET, &link).await.status(), 200);
    time.advance(Duration::from_secs(1));
    assert_404(&app, Method::GET, &link, "expired").await;
}

/// An expired link must not be valid again because a clock lost its time.
#[tokio::test]
async fn clocks_before_1970_allow_no_link() {
    let time = ManualClock::new(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
    let urls = SignedUrls::builder()
        .key("2026-11", NEW)
        .clock(time.clock());
    let urls = urls.build().expect("a key");
    let link = urls.sign(&Method::GET, "/files/7", HOUR, &reader());
    assert_eq!(link, Err(LinkError::Clock));
    let link = link_to("/files/7");
    assert_404(&links_only(urls), Method::GET, &link, "no time").await;
}

#[tokio::test]
async fn removed_keys_invalidate_links() {
    let (old, new) = (("2026-10", OLD), ("2026-11", NEW));
    let between = [("a", &[1; 32]), ("b", &[2; 32]), ("c", &[3; 32])];
    let link = urls(&[old]).sign(&Method::GET, "/files/7", HOUR, &reader());
    let link = link.expect("a link");
    let statuses = [
        (vec![old], 200),
        (vec![old, new], 200),
        (vec![new, old], 200),
        ([&between[..], &[old, new]].concat(), 200),
        ([&[new], &between[..], &[old]].concat(), 200),
        (vec![new], 404),
        (vec![("2026-11", OLD)], 404),
        (vec![("2026-10", NEW)], 404),
    ];
    for (keys, status) in statuses {
        let answer = call(&links_only(urls(&keys)), Method::GET, &link).await;
        assert_eq!(answer.status(), status, "{keys:?}");
    }
    // The names of keys have letter case.
    let upper = urls(&[("MAY", NEW)]).sign(&Method::GET, "/files/7", HOUR, &reader());
    let upper = upper.expect("a link");
    for (keys, status) in [
        (vec![("may", OLD), ("MAY", NEW)], 200),
        (vec![("may", NEW)], 404),
    ] {
        let answer = call(&links_only(urls(&keys)), Method::GET, &upper).await;
        assert_eq!(answer.status(), status, "{keys:?}");
    }
    let signed = urls(&[new, old]).sign(&Method::GET, "/files/7", HOUR, &reader());
    assert!(signed.expect("a link").contains("secret_link=2026-11."));
}

#[tokio::test]
async fn socket_bytes_match_unknown_paths() {
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

proptest! {
    #[test]
    fn no_changed_byte_opens_anything(
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
async fn invitations_work_for_their_target() {
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
