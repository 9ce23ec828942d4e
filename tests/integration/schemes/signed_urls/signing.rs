//! Keys and links that are not accepted when they are made.

use auth_runtime::schemes::{LinkError, SignedUrlsError};

use super::*;

#[test]
fn invalid_keys_are_refused() {
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
    // The name or the bytes of any earlier key.
    let third = &[7; 32];
    for (name, key) in [("a", third), ("b", third), ("c", NEW), ("c", OLD)] {
        let builder = SignedUrls::builder().key("a", NEW).key("b", OLD);
        let builder = builder.key(name, key);
        assert_eq!(
            error(builder),
            Some(SignedUrlsError::KeyTwice(name.to_owned()))
        );
    }
    let builder = SignedUrls::builder().key("a".repeat(32), &[7; 32]);
    let builder = builder.key("b", &[7; 64]);
    assert_eq!(error(builder), None);
}

#[test]
fn invalid_links_are_not_signed() {
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
        "/secret_link?not_secret_link=x&b=secret_link=x",
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
        reader().with_issuer("https://issuer.example"),
        reader().with_application(Identity::new("web")),
        reader().with_extension(7_u32),
    ];
    for identity in more {
        assert_eq!(
            error(Method::GET, "/a", HOUR, &identity),
            Some(LinkError::Identity)
        );
    }
    let short = new_urls().sign(&Method::GET, "/", HOUR, &reader());
    let rest = 8000 - short.expect("a link").len();
    for (length, expected) in [(rest, None), (rest + 1, Some(LinkError::Long(8001)))] {
        let target = format!("/{}", "a".repeat(length));
        assert_eq!(error(Method::GET, &target, HOUR, &reader()), expected);
    }
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
