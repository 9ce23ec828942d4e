//! Several protection spaces in one application.

use std::time::Duration;

use http::HeaderName;
use tower_http::set_header::SetResponseHeaderLayer;

use super::*;

/// Returns a space with one opaque token, for a caller with the name of the realm.
fn realm(name: &'static str) -> ProtectionSpace {
    space_of(name, UnknownPaths::NotFound)
}

fn space_of(name: &'static str, unknown_paths: UnknownPaths) -> ProtectionSpace {
    let known = format!("token-of-{name}");
    let bearer = Bearer::new(move |token: String| {
        let is_known = token == known;
        async move {
            match is_known {
                true => Caller::known(Identity::new(name)),
                false => Caller::rejected(),
            }
        }
    });
    let path = match name {
        "a" => "https://api.example/a",
        _ => "https://api.example/b",
    };
    let resource = ProtectedResource::builder(path)
        .authorization_server("https://issuer.example")
        .build()
        .expect("a resource");
    ProtectionSpace::builder()
        .realm(name)
        .scheme(bearer)
        .resource(resource)
        .unknown_paths(unknown_paths)
        .build()
        .expect("a space")
}

#[requires(authenticated)]
async fn page() -> &'static str {
    "page"
}

#[requires(scope = "reports")]
async fn reports() {}

fn routes(prefix: &str) -> GuardedRouter {
    let routes = GuardedRouter::new()
        .route("/page", get(page))
        .route("/reports", get(reports))
        .route("/secret", get(secret));
    GuardedRouter::new().nest(prefix, routes)
}

fn protected(name: &'static str, prefix: &str) -> ProtectedRouter {
    routes(prefix)
        .protect(realm(name))
        .expect("the routes are in order")
}

fn merged() -> ProtectedRouter {
    protected("a", "/a").merge(protected("b", "/b"))
}

#[tokio::test]
async fn each_route_keeps_its_space() {
    let app = merged();
    for (target, token, status, realm) in [
        ("/a/page", Some("token-of-a"), 200, ""),
        ("/b/page", Some("token-of-b"), 200, ""),
        ("/a/page", Some("token-of-b"), 401, "realm=\"a\""),
        ("/b/page", Some("token-of-a"), 401, "realm=\"b\""),
        ("/a/page", None, 401, "realm=\"a\""),
        ("/b/page", None, 401, "realm=\"b\""),
        ("/a/reports", Some("token-of-a"), 403, "realm=\"a\""),
        ("/b/reports", Some("token-of-b"), 403, "realm=\"b\""),
    ] {
        let (seen, challenge) = ask(&app, target, token).await;
        assert_eq!(seen, status, "{target} {token:?}");
        assert!(challenge.contains(realm), "{challenge}");
    }
}

/// A layer may copy all extensions of an earlier request. The decision in them is about a handler of the other
/// router, where the same token belongs to another caller.
#[tokio::test]
async fn handlers_take_no_foreign_caller() {
    use axum::middleware::{Next, from_fn, map_request};

    #[requires(authenticated, hide_as = 404)]
    async fn subject(guard: auth_runtime::Guard) -> String {
        guard.identity().subject().to_owned()
    }
    fn of(name: &'static str, layer: impl Fn(GuardedRouter) -> GuardedRouter) -> ProtectedRouter {
        let bearer = Bearer::new(move |_| std::future::ready(Caller::known(Identity::new(name))));
        let space = ProtectionSpace::builder().realm(name).scheme(bearer);
        layer(GuardedRouter::new().route("/subject", get(subject)))
            .protect(space.build().expect("a space"))
            .expect("the routes are in order")
    }

    let kept = Arc::new(Mutex::new(None::<http::Extensions>));
    let keeping = Arc::clone(&kept);
    let keep = from_fn(move |request: Request, _: Next| {
        *keeping.lock().expect("no panic") = Some(request.extensions().clone());
        async { StatusCode::NO_CONTENT }
    });
    let copy = map_request(move |mut request: Request| {
        let other = kept.lock().expect("no panic").clone();
        *request.extensions_mut() = other.expect("an earlier request");
        async { request }
    });
    let first = of("a", |routes| routes.route_layer(keep.clone()));
    let second = of("b", |routes| routes.route_layer(copy.clone()));
    assert_eq!(ask(&first, "/subject", Some("token")).await.0, 204);
    let request = request(Method::GET, "/subject", Some("token"));
    let Ok(response) = second.oneshot(request).await;
    assert_eq!(body_of(response).await, "b");
}

#[tokio::test]
async fn hidden_paths_respond_as_unknown_ones() {
    let expired = expired_token(json!({}));
    for app in [
        merged(),
        protected("a", "/a").nest("/deep", protected("b", "/b")),
    ] {
        for token in [
            None,
            Some("token-of-a"),
            Some("token-of-b"),
            Some("rejected"),
            Some(expired.as_str()),
        ] {
            let unknown = ask(&app, "/nowhere", token).await;
            for hidden in ["/a/secret", "/b/secret", "/deep/b/secret", "/b/nowhere"] {
                assert_eq!(
                    ask(&app, hidden, token).await,
                    unknown,
                    "{hidden} {token:?}"
                );
            }
            let is_rejected = matches!(token, Some(token) if !token.starts_with("token-of"));
            let expected = if is_rejected { 401 } else { 404 };
            assert_eq!(unknown.0, expected, "{token:?}");
        }
    }
}

/// Of several spaces, the one that knows the caller decides about an unknown path; then the one that cannot
/// verify the credentials, which may be its own; then the first one that rejects them.
#[tokio::test]
async fn one_space_decides_about_unknown_paths() {
    /// Returns routes with a space whose verifier knows these tokens and is down for others.
    fn of(name: &'static str, known: &'static str, down: &'static str) -> ProtectedRouter {
        let bearer = Bearer::new(move |token: String| {
            let caller = match token.as_str() {
                token if token == known => Caller::known(Identity::new(name)),
                token if token == down => Caller::unverifiable(),
                _ => Caller::rejected(),
            };
            async move { caller }
        });
        let space = ProtectionSpace::builder().realm(name).scheme(bearer);
        routes(&format!("/{name}"))
            .protect(space.build().expect("a space"))
            .expect("the routes are in order")
    }
    let app = of("a", "of-a", "down-at-a").merge(of("b", "of-b", "down-at-b"));
    for (token, status, realm) in [
        ("of-a", 404, ""),
        ("of-b", 404, ""),
        ("down-at-a", 503, ""),
        ("down-at-b", 503, ""),
        ("of-neither", 401, "Bearer realm=\"a\""),
    ] {
        for path in ["/nowhere", "/a/secret", "/b/secret", "/b/nowhere"] {
            let (seen, challenge) = ask(&app, path, Some(token)).await;
            assert_eq!(seen, status, "{path} {token}");
            assert!(challenge.starts_with(realm), "{path} {token} {challenge}");
        }
    }
}

/// Each space reports rejected credentials on an unknown path. A concealed path is reported by its own space
/// only.
#[tokio::test]
async fn each_space_reports_rejected_credentials_once() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let of = |name: &'static str| {
        let records = Arc::clone(&records);
        let bearer = Bearer::new(async |token: String| match token.as_str() {
            "known" => Caller::known(Identity::new("ann")),
            _ => Caller::rejected(),
        });
        let space = ProtectionSpace::builder().realm(name).scheme(bearer);
        let space = space.audit(move |record| {
            let json = serde_json::to_value(record).expect("a record");
            let shown = format!("{name} {} {}", json["route"], json["outcome"]);
            records.lock().expect("no panic").push(shown);
        });
        routes(&format!("/{name}"))
            .protect(space.build().expect("a space"))
            .expect("the routes are in order")
    };
    let alone = of("a");
    let both = of("a").merge(of("b"));
    for (app, path, token, expected) in [
        (&alone, "/nowhere", None, &[][..]),
        (&alone, "/nowhere", Some("known"), &[]),
        (
            &alone,
            "/nowhere",
            Some("rejected"),
            &["a null \"unauthenticated\""],
        ),
        (&both, "/nowhere", None, &[]),
        (&both, "/nowhere", Some("known"), &[]),
        (
            &both,
            "/nowhere",
            Some("rejected"),
            &["a null \"unauthenticated\"", "b null \"unauthenticated\""],
        ),
        (
            &both,
            "/b/secret",
            Some("rejected"),
            &["b \"/b/secret\" \"hidden\""],
        ),
    ] {
        ask(app, path, token).await;
        let seen = std::mem::take(&mut *records.lock().expect("no panic"));
        assert_eq!(seen, expected, "{path} {token:?}");
    }
}

/// A path with a method that one router hides is hidden in the other one as well.
#[tokio::test]
async fn method_of_another_space_hides_path() {
    let of = |name, methods| {
        let routes = GuardedRouter::new().route("/page", methods);
        routes
            .protect(realm(name))
            .expect("the routes are in order")
    };
    let shown = of("a", get(page));
    let hidden = of("b", auth_runtime::routing::post(secret));
    for app in [shown.clone().merge(hidden.clone()), hidden.merge(shown)] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            for token in [None, Some("token-of-b"), Some("rejected")] {
                assert_hidden(app.clone(), request(method.clone(), "/page", token)).await;
            }
        }
        assert_eq!(ask(&app, "/page", Some("token-of-a")).await.0, 200);
    }
}

/// A layer that adds this value of the field `x-layer`.
fn layer(value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let name = HeaderName::from_static("x-layer");
    SetResponseHeaderLayer::appending(name, HeaderValue::from_static(value))
}

#[tokio::test]
async fn layers_reveal_no_other_router() {
    let app = protected("a", "/a")
        .layer(layer("a"))
        .merge(protected("b", "/b"));
    for target in ["/a/secret", "/b/secret"] {
        for token in [None, Some("token-of-a"), Some("token-of-b"), Some("no")] {
            assert_hidden(app.clone(), request(Method::GET, target, token)).await;
        }
    }
}

#[tokio::test]
async fn spaces_share_unknown_path_challenges() {
    let challenging = routes("/a")
        .protect(space_of("a", UnknownPaths::Challenge))
        .expect("the routes are in order");
    let app = challenging.merge(protected("b", "/b"));
    let unknown = ask(&app, "/nowhere", None).await;
    assert_eq!(unknown.0, 401);
    for hidden in ["/a/secret", "/b/secret"] {
        assert_eq!(ask(&app, hidden, None).await, unknown);
    }
}

#[tokio::test]
async fn metadata_documents_are_at_host_root() {
    let nested = protected("a", "/a").nest("/deep", protected("b", "/b"));
    let api = merged();
    let metadata = api.metadata_router();
    let in_axum = Router::new().nest_service("/api", api).merge(metadata);
    for name in ["a", "b"] {
        let target = format!("/.well-known/oauth-protected-resource/{name}");
        for response in [
            nested
                .clone()
                .oneshot(request(Method::GET, &target, None))
                .await,
            in_axum
                .clone()
                .oneshot(request(Method::GET, &target, None))
                .await,
        ] {
            let Ok(response) = response;
            assert_eq!(response.status(), 200, "{target}");
            let body = body_of(response).await;
            let resource = format!("https://api.example/{name}");
            assert!(body.contains(&resource), "{body}");
        }
    }
}

/// A layer around a router stays around its routes and its document, whatever follows.
#[tokio::test]
async fn layers_enclose_routes_and_metadata() {
    let (a, b) = (|| protected("a", "/a"), || protected("b", "/b"));
    let both = || a().layer(layer("1")).layer(layer("2"));
    let step = Duration::from_millis(1);
    for (name, app, of_a, of_b) in [
        ("layers", both(), &["1", "2"][..], None),
        ("merge", both().merge(b()), &["1", "2"], Some(&[][..])),
        (
            "merged",
            a().merge(b().layer(layer("1"))),
            &[],
            Some(&["1"]),
        ),
        (
            "merge, layer",
            a().layer(layer("1")).merge(b()).layer(layer("2")),
            &["1", "2"],
            Some(&["2"]),
        ),
        ("nest", both().nest("/n", b()), &["1", "2"], Some(&[])),
        (
            "nested",
            a().nest("/n", b().layer(layer("1"))),
            &[],
            Some(&["1"]),
        ),
        (
            "nest, layer",
            a().nest("/n", b().layer(layer("1"))).layer(layer("2")),
            &["2"],
            Some(&["1", "2"]),
        ),
        ("conceal", both().conceal_timing(step), &["1", "2"], None),
        (
            "conceal, layer",
            a().conceal_timing(step).layer(layer("1")),
            &["1"],
            None,
        ),
    ] {
        let apart = app.metadata_router();
        for (document, expected) in [("a", Some(of_a)), ("b", of_b)] {
            let Some(expected) = expected else { continue };
            let target = format!("/.well-known/oauth-protected-resource/{document}");
            let get = || request(Method::GET, &target, None);
            let is_nested = document == "b" && name.starts_with("nest");
            let prefix = if is_nested { "/n" } else { "" };
            let page = format!("{prefix}/{document}/page");
            let token = format!("token-of-{document}");
            for request in [get(), request(Method::GET, &page, Some(&*token))] {
                let path = request.uri().path().to_owned();
                let Ok(response) = app.clone().oneshot(request).await;
                assert_eq!(response.status(), 200, "{name}, {path}");
                let layers = response.headers().get_all("x-layer");
                assert!(layers.iter().eq(expected), "{name}, {path}: {layers:?}");
            }
            let Ok(response) = apart.clone().oneshot(get()).await;
            assert_eq!(response.status(), 200, "{name}, {document}");
            assert!(!response.headers().contains_key("x-layer"), "{name}");
        }
    }
}

#[test]
fn access_tables_list_all_spaces() {
    let app = protected("a", "/a").nest("/deep", protected("b", "/b"));
    let table = app.access_table();
    let paths: Vec<_> = table.rows().iter().map(|row| row.path()).collect();
    assert_eq!(
        paths,
        [
            "/a/page",
            "/a/reports",
            "/a/secret",
            "/deep/b/page",
            "/deep/b/reports",
            "/deep/b/secret"
        ]
    );
}

/// A path is hidden for every space if one of them hides a method of it.
#[test]
fn access_table_names_paths_hidden_elsewhere() {
    #[requires(scope = "publish")]
    async fn publish() {}

    let more = GuardedRouter::new().route("/a/secret", auth_runtime::routing::post(publish));
    let more = more.protect(realm("b")).expect("the routes are in order");
    let table = protected("a", "/a").merge(more).access_table();
    let hidden = table.rows().iter().filter(|row| row.is_hidden());
    let paths: Vec<_> = hidden.map(|row| row.path()).collect();
    assert_eq!(paths, ["/a/secret", "/a/secret"]);
}

#[test]
#[should_panic(expected = "both have a fallback")]
fn two_fallbacks_panic_as_in_axum() {
    #[public(reason = "nothing is there")]
    async fn missing() {}

    let with_fallback = |name, prefix: &str| {
        let routes = routes(prefix).fallback(missing);
        routes
            .protect(realm(name))
            .expect("the routes are in order")
    };
    let _ = with_fallback("a", "/a").merge(with_fallback("b", "/b"));
}

/// The documents of an application that is nested in a plain router name no scope of a hidden path either.
#[tokio::test]
async fn metadata_apart_from_routes_hide_scopes() {
    let target = "/.well-known/oauth-protected-resource/a";
    #[requires(scope = "publish")]
    async fn publish() {}

    let more = GuardedRouter::new().route("/a/secret", auth_runtime::routing::post(publish));
    let api = routes("/a").merge(more).protect(realm("a"));
    let api = api.expect("the routes are in order");
    let apart = api.metadata_router();
    for response in [
        api.oneshot(request(Method::GET, target, None)).await,
        apart.oneshot(request(Method::GET, target, None)).await,
    ] {
        let Ok(response) = response;
        let body = body_of(response).await;
        let document: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(document["scopes_supported"], json!(["reports"]));
    }
}

/// The order of the routers does not matter.
#[test]
#[should_panic(expected = "(a test) also matches the hidden path `/a/secret`")]
fn earlier_hidden_paths_refuse_adopted_patterns() {
    let plain = Router::new().route("/{section}/{page}", axum::routing::get(async || "plain"));
    let adopting = GuardedRouter::new().adopt(plain, "a test").protect(space());
    let adopting = adopting.expect("the routes are in order");
    let _ = protected("a", "/a").merge(adopting);
}
