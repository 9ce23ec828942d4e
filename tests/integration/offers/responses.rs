//! Responses for caches, and for scripts of other origins.

use auth_runtime::testing::with_caller;
use axum::response::IntoResponse;

use super::*;

#[requires(authenticated)]
async fn storable(headers: HeaderMap) -> impl IntoResponse {
    let wanted = headers.get("x-cache-control").cloned();
    let fields: HeaderMap = wanted
        .into_iter()
        .map(|value| (CACHE_CONTROL, value))
        .collect();
    (fields, "storable")
}

/// Caches exclude responses to requests with `Authorization` (RFC 9111 §3.5). They do not recognize
/// other credentials.
#[tokio::test]
async fn responses_to_credentials_are_private() {
    let space = space_builder().scheme(keys()).build().unwrap();
    let app = GuardedRouter::new()
        .route("/", get(storable))
        .route("/open", get(open))
        .protect(space)
        .unwrap();
    let key = ("x-api-key", "a-key-of-a-length-that-is-accepted");
    for (wanted, kept) in [
        (None, "private"),
        (Some("private"), "private"),
        (Some("no-store"), "no-store"),
        (Some("max-age=60"), "private, max-age=60"),
        (Some("public, max-age=60"), "private, max-age=60"),
        (
            Some("max-age=60, s-maxage=600, PUBLIC"),
            "private, max-age=60",
        ),
        (
            Some("private=\"set-cookie\", max-age=60"),
            "private, max-age=60",
        ),
        (
            Some("private=\"Set-Cookie, X-User\", max-age=60"),
            "private, max-age=60",
        ),
        (
            Some("x=\"a\\\", public, b\", max-age=60, public"),
            "private, x=\"a\\\", public, b\", max-age=60",
        ),
        (
            Some("no-cache=\"x, private\""),
            "private, no-cache=\"x, private\"",
        ),
        (Some("no-cache"), "private, no-cache"),
        (Some("max-age=60, Private"), "max-age=60, Private"),
    ] {
        let mut fields = vec![key];
        fields.extend(wanted.map(|wanted| ("x-cache-control", wanted)));
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.cache_control()),
            (200, kept),
            "{wanted:?}"
        );
        // Credentials of a scheme that is not accepted do not grant access.
        fields.push(("authorization", "Negotiate YWJj"));
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.cache_control(), kept, "{wanted:?}");
        fields.pop();
        // With `Authorization`, the handler's own field is kept.
        let authorization = good();
        fields[0] = ("authorization", &authorization);
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.cache_control(), wanted.unwrap_or_default());
    }
    // Without `public` or `s-maxage`, a demand to revalidate shares no response (RFC 9111 §3.5).
    for (wanted, kept) in [
        (
            "max-age=60, must-revalidate",
            "private, max-age=60, must-revalidate",
        ),
        ("Must-Revalidate", "private, Must-Revalidate"),
        ("private, must-revalidate", "private, must-revalidate"),
        ("no-store, must-revalidate", "no-store, must-revalidate"),
        ("public, must-revalidate", "public, must-revalidate"),
        (
            "must-revalidate, s-maxage=60",
            "must-revalidate, s-maxage=60",
        ),
        (
            "max-age=60, proxy-revalidate",
            "max-age=60, proxy-revalidate",
        ),
    ] {
        let authorization = good();
        let fields = [
            ("authorization", authorization.as_str()),
            ("x-cache-control", wanted),
        ];
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.cache_control(), kept, "{wanted}");
    }
    assert_eq!(send(&app, with("/open", &[key])).await.cache_control(), "");
    let by_session = with_identity(request("/"), Identity::new("ann"));
    assert_eq!(send(&app, by_session).await.cache_control(), "private");
}

#[tokio::test]
async fn foreign_scripts_read_the_challenge() {
    let app = GuardedRouter::new()
        .route("/", get(read))
        .route("/hidden", get(hidden))
        .protect(space())
        .unwrap()
        .layer(cors());
    let origin = ("origin", "https://app.example");
    let preflight = |target| {
        let fields = [
            origin,
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let mut request = with(target, &fields);
        *request.method_mut() = Method::OPTIONS;
        request
    };
    let answer = send(&app, preflight("/")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(
        answer.headers["access-control-allow-headers"],
        "authorization"
    );
    assert!(answer.challenges().is_empty());
    for (request, status) in [
        (with("/", &[origin]), 401),
        (with("/", &[origin, ("authorization", &good())]), 200),
        (
            with_caller(with("/", &[origin]), Caller::known(Identity::new("bob"))),
            403,
        ),
    ] {
        let answer = send(&app, request).await;
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.headers["access-control-allow-origin"],
            "https://app.example"
        );
        assert_eq!(
            answer.headers["access-control-expose-headers"],
            "www-authenticate"
        );
    }
    // The response does not reveal hidden paths.
    assert_hidden(app.clone(), preflight("/hidden")).await;
    assert_hidden(app.clone(), with("/hidden", &[origin])).await;
    assert_hidden(
        app.clone(),
        with("/hidden", &[origin, ("authorization", &good())]),
    )
    .await;
}

/// A cache obeys all lines of `Cache-Control`, so all of them count.
#[tokio::test]
async fn every_cache_control_line_is_read() {
    #[requires(authenticated)]
    async fn lines(headers: HeaderMap) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for line in headers.get_all("x-cache-control") {
            fields.append(CACHE_CONTROL, line.clone());
        }
        fields
    }

    let space = space_builder().scheme(keys()).build().unwrap();
    let app = GuardedRouter::new().route("/", get(lines)).protect(space);
    let app = app.unwrap();
    for (wanted, kept) in [
        (["max-age=60", "public"], &["private, max-age=60"][..]),
        (["public", "must-revalidate"], &["private, must-revalidate"]),
        (
            ["max-age=60", "s-maxage=60, immutable"],
            &["private, max-age=60, immutable"],
        ),
        (["max-age=60", "no-store"], &["max-age=60", "no-store"]),
        (["max-age=60", "private"], &["max-age=60", "private"]),
    ] {
        let mut fields = vec![("x-api-key", "a-key-of-a-length-that-is-accepted")];
        fields.extend(wanted.map(|line| ("x-cache-control", line)));
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.status, 200, "{wanted:?}");
        let seen: Vec<_> = answer.headers.get_all(CACHE_CONTROL).iter().collect();
        assert_eq!(seen, kept, "{wanted:?}");
    }
}

/// Some caches prefer a field that targets them to `Cache-Control` (RFC 9213 §2.2).
#[tokio::test]
async fn targeted_cache_fields_follow_same_rules() {
    #[requires(authenticated)]
    async fn targeted(headers: HeaderMap) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (asked, name) in [
            ("x-wanted", "cdn-cache-control"),
            ("x-wanted", "surrogate-control"),
            ("x-cache-control", "cache-control"),
        ] {
            if let Some(value) = headers.get(asked) {
                fields.insert(name, value.clone());
            }
        }
        fields
    }

    let space = space_builder().scheme(keys()).build().unwrap();
    let app = GuardedRouter::new().route("/", get(targeted));
    let app = app.protect(space).unwrap();
    let key = ("x-api-key", "a-key-of-a-length-that-is-accepted");
    let bearer = good();
    let bearer = ("authorization", bearer.as_str());
    for (credentials, wanted, own, is_kept) in [
        // No cache recognizes these credentials.
        (key, "max-age=60", Some("max-age=60"), false),
        (key, "public, max-age=60", Some("public"), false),
        (key, "max-age=60", Some("no-store"), false),
        (key, "no-store", Some("private"), false),
        (key, "max-age=60", None, false),
        // Caches exclude responses to requests with `Authorization`, unless a directive includes them.
        (bearer, "max-age=60", Some("private"), true),
        (bearer, "public, max-age=60", Some("private"), true),
        (
            bearer,
            "s-maxage=60, must-revalidate",
            Some("private"),
            true,
        ),
        (
            bearer,
            "max-age=60, must-revalidate",
            Some("private"),
            false,
        ),
        (bearer, "private, must-revalidate", Some("private"), true),
        (bearer, "no-store, must-revalidate", Some("private"), true),
        (bearer, "max-age=60, must-revalidate", None, false),
        (bearer, "max-age=60", None, true),
    ] {
        let own = own.map(|own| ("x-cache-control", own));
        let fields: Vec<_> = [credentials, ("x-wanted", wanted)]
            .into_iter()
            .chain(own)
            .collect();
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.status, 200);
        for name in ["cdn-cache-control", "surrogate-control"] {
            let seen = answer.headers.get(name);
            let expected = is_kept.then(|| HeaderValue::from_static(wanted));
            assert_eq!(
                seen,
                expected.as_ref(),
                "{} {wanted}: {name}",
                credentials.0
            );
        }
    }
}
