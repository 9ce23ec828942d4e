//! Guards, and the handlers that they belong to.

use auth_runtime::Denied;
use auth_runtime::routing::KnowsCaller;
use auth_tests::token;
use axum::extract::Extension;
use serde_json::json;

use super::*;

#[tokio::test]
async fn handlers_take_the_identity() {
    #[requires(authenticated)]
    async fn known(identity: Identity) -> String {
        identity.subject().to_owned()
    }
    let app = GuardedRouter::new()
        .route("/known", get(known))
        .protect(space())
        .unwrap();
    let (_, response) = send(&app, by(ann(), Method::GET, "/known")).await;
    assert_eq!(text(response).await, "ann");
}

#[tokio::test]
async fn guards_work_on_plain_routers() {
    #[requires(scope = "admin", hide_as = 404)]
    async fn hidden(guard: Guard) -> Result<&'static str, Denied> {
        guard.permit(guard.identity().subject() == "ada")?;
        Ok("hidden")
    }
    let app = Router::new()
        .route("/open", axum::routing::get(open))
        .route("/whoami", axum::routing::get(whoami))
        .route("/read", axum::routing::get(read))
        .route("/hidden", axum::routing::get(hidden))
        .layer(axum::Extension(space()));
    let admin = |name: &str| Identity::new(name).with_scopes(["admin"]);
    for (target, identity, status) in [
        ("/open", None, 200),
        ("/whoami", None, 401),
        ("/whoami", Some(ann()), 200),
        ("/read", Some(ann()), 200),
        ("/read", Some(Identity::new("bob")), 403),
        ("/hidden", None, 404),
        ("/hidden", Some(ann()), 404),
        ("/hidden", Some(admin("eve")), 404),
        ("/hidden", Some(admin("ada")), 200),
    ] {
        let request = match identity.clone() {
            Some(identity) => by(identity, Method::GET, target),
            None => nobody(Method::GET, target),
        };
        assert_eq!(send(&app, request).await.0, status, "{target} {identity:?}");
    }
}

#[tokio::test]
async fn plain_routers_need_a_space() {
    let app = Router::new().route("/read", axum::routing::get(read));
    let mut request = nobody(Method::GET, "/read");
    let value = format!("Bearer {}", token(json!({ "scope": "read" })));
    let value = HeaderValue::from_str(&value).expect("a value");
    request.headers_mut().insert("authorization", value);
    assert_eq!(send(&app, request).await.0, 500);
}

#[tokio::test]
async fn inner_guards_decide_for_themselves() {
    /// Forwards the request, with all extensions of its own authorization.
    #[requires(scope = "read")]
    async fn forwarding(request: Request) -> Response {
        let inner: Router = Router::new().route("/forward", axum::routing::get(write));
        match inner.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
    let app = GuardedRouter::new()
        .route("/forward", get(forwarding))
        .protect(space())
        .unwrap();
    let (status, _) = send(&app, by(ann(), Method::GET, "/forward")).await;
    assert_eq!(status, 500, "no space is in sight of the inner guard");
}

#[test]
fn foreign_guards_are_refused() {
    mod deeper {
        use super::{Guard, policy_of_open};

        pub(super) async fn open(_: Guard<policy_of_open>) {}
    }
    async fn secret(_: Guard<policy_of_open>, body: String) -> String {
        body
    }
    async fn open_too(_: Guard<policy_of_open>) {}
    let closure = |_: Guard<policy_of_open>| async { "secret" };
    let router = GuardedRouter::new()
        .route("/1", get(secret).post(open_too))
        .route("/2", get(closure))
        .route("/3", any(secret).layer(field("x-layer")))
        .route("/4", get(deeper::open))
        .method_not_allowed_fallback(open_too)
        .fallback(open_too);
    const HERE: &str = "integration::routing::guards::foreign_guards_are_refused";
    let mistakes = refused(router);
    for (mistake, (handler, owner)) in mistakes.iter().zip([
        ("secret", "integration::routing::open"),
        ("open_too", "integration::routing::open"),
        ("{{closure}}", "integration::routing::open"),
        ("secret", "integration::routing::open"),
        ("deeper::open", "integration::routing::open"),
        // The one of all paths, and the fallback.
        ("open_too", "integration::routing::open"),
        ("open_too", "integration::routing::open"),
    ]) {
        let expected = format!("`{HERE}::{handler}` takes the guard of `{owner}` and ");
        assert!(mistake.starts_with(&expected), "{expected}: {mistake}");
    }
    assert_eq!(mistakes.len(), 7);
}

/// A function for the guards of several handlers has no policy of its own.
#[test]
fn functions_with_any_guard_are_refused() {
    async fn shared<P: KnowsCaller>(_: Guard<P>) {}
    let router = GuardedRouter::new().route("/", get(shared::<policy_of_read>));
    const HERE: &str = "integration::routing::guards::functions_with_any_guard_are_refused";
    let mistakes = refused(router);
    assert_eq!(mistakes.len(), 1);
    let expected = format!(
        "`{HERE}::shared<integration::routing::policy_of_read>` takes the guard of \
         `integration::routing::read` and "
    );
    assert!(mistakes[0].starts_with(&expected), "{mistakes:?}");
}

/// Fallbacks of nested and merged routers are mounted as well.
#[test]
fn foreign_inner_fallback_guards_are_refused() {
    async fn open_too(_: Guard<policy_of_open>) {}
    let inner = || GuardedRouter::new().route("/x", get(read));
    for router in [
        GuardedRouter::new().nest("/n", inner().fallback(open_too)),
        GuardedRouter::new()
            .nest("/m", inner().fallback(open))
            .nest("/n", inner().fallback(open_too)),
        GuardedRouter::new().nest(
            "/m",
            GuardedRouter::new().nest("/n", inner().fallback(open_too)),
        ),
        GuardedRouter::new().nest("/n", inner().method_not_allowed_fallback(open_too)),
        GuardedRouter::new().nest("/n", inner().route("/y", get(read).fallback(open_too))),
        inner().merge(
            GuardedRouter::new()
                .route("/y", get(open))
                .fallback(open_too),
        ),
    ] {
        let mistakes = refused(router);
        let [mistake] = mistakes.as_slice() else {
            panic!("{mistakes:?}");
        };
        let named = "::open_too` takes the guard of `integration::routing::open` and ";
        assert!(mistake.contains(named), "{mistake}");
    }
}

/// The state of a router changes nothing about the guards of its handlers.
#[test]
fn foreign_guards_beside_state_are_refused() {
    async fn open_too(_: Guard<policy_of_open>, _: State<u8>) {}
    let inner = || GuardedRouter::new().route("/x", get(read));
    for router in [
        GuardedRouter::new().route("/y", get(open_too).with_state(0)),
        inner().route("/y", get(open_too)).with_state(0),
        GuardedRouter::new().nest("/n", inner().route("/y", get(open_too)).with_state(0)),
        inner().method_not_allowed_fallback(open_too).with_state(0),
        inner().fallback(open_too).with_state(0),
        GuardedRouter::new()
            .nest("/n", inner().fallback(open_too))
            .with_state(0),
        GuardedRouter::new().nest("/n", inner().fallback(open_too).with_state(0)),
    ] {
        let mistakes = refused(router);
        let [mistake] = mistakes.as_slice() else {
            panic!("{mistakes:?}");
        };
        let named = "::open_too` takes the guard of `integration::routing::open` and ";
        assert!(mistake.contains(named), "{mistake}");
    }
}

#[test]
fn unusual_handlers_own_their_guards() {
    #[derive(Clone)]
    struct Exit(#[expect(dead_code, reason = "only its type counts")] fn() -> !);
    #[requires(role = "admin")]
    #[deprecated]
    async fn old(guard: Guard) -> String {
        guard.identity().subject().to_owned()
    }
    #[requires(role = "admin")]
    #[cfg_attr(all(), deprecated(note = "a test"))]
    async fn older() {}
    #[requires(role = "admin")]
    async fn never(_: Guard, _: Extension<fn() -> !>, _: Extension<(Exit, [Exit; 1])>) {}
    #[requires(role = "admin")]
    async fn lent<'a: 'a>(_: Guard) -> std::borrow::Cow<'a, str> {
        "text".into()
    }
    async fn of_old(_: Guard<policy_of_old>) {}
    async fn of_older(_: Guard<policy_of_older>) {}
    async fn of_never(_: Guard<policy_of_never>) {}
    async fn of_lent(_: Guard<policy_of_lent>) {}
    let router = GuardedRouter::new()
        .route("/old", get(of_old))
        .route("/older", get(of_older))
        .route("/never", get(of_never))
        .route("/lent", get(of_lent));
    assert_eq!(refused(router).len(), 4);
    #[expect(deprecated, reason = "they may be mounted")]
    let router = GuardedRouter::new()
        .route("/old", get(old))
        .route("/older", get(older))
        .route("/never", get(never))
        .route("/lent", get(lent));
    let _ = router.protect(space()).unwrap();
}

/// A macro in the type of a parameter may expand to `impl Trait`, so such a handler compiles like a
/// generic one.
#[test]
fn macros_in_types_compile() {
    macro_rules! text {
        () => {
            String
        };
    }
    macro_rules! any_text {
        () => { Path<impl Into<String> + serde::de::DeserializeOwned + Send + 'static> };
    }
    #[requires(role = "admin")]
    async fn plain(_: Guard, _: text!()) {}
    #[requires(role = "admin")]
    async fn generic(_: Guard, _: any_text!()) {}
    let router = GuardedRouter::new().route("/plain", get(plain));
    let _ = router.protect(space()).unwrap();
    let _ = generic as fn(_, Path<String>) -> _;
}

#[test]
fn own_guards_admit_every_handler() {
    #[requires(scope = "read")]
    async fn r#type<T: Send + 'static>(_: State<T>) {}
    #[requires(scope = "read")]
    async fn argument(_: Method, text: String) -> impl axum::response::IntoResponse {
        text
    }
    #[requires(scope = "read")]
    async fn borrowed<'a: 'a>(_: Guard) -> std::borrow::Cow<'a, str> {
        "text".into()
    }
    async fn reader(_: Guard<Readers>) {}
    struct Routes<T>(T);
    impl<T> Routes<T> {
        fn router(self) -> GuardedRouter<u8> {
            #[requires(scope = "read")]
            async fn inner() {}

            GuardedRouter::new().route("/inner", get(inner))
        }
    }
    let router = Routes("")
        .router()
        .route("/1", get(r#type::<u8>).post(r#type::<u8>))
        .route("/2", get(argument).put(borrowed))
        .route("/3", get(|_: Guard<Readers>| async {}).post(reader))
        .route("/4", get(async |_: Guard<Readers>| {}).layer(field("x-3")))
        .with_state(0);
    let _ = router.protect(space()).unwrap();
}

/// A router without a space serves nothing. This does not compile if the router is a service, since both
/// implementations apply then.
#[test]
fn router_without_space_is_not_service() {
    trait IsNoService<Reason> {
        fn holds() {}
    }
    impl<T> IsNoService<()> for T {}
    impl<T: tower::Service<axum::extract::Request>> IsNoService<u8> for T {}

    <GuardedRouter as IsNoService<_>>::holds();
}
