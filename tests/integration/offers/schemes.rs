//! The schemes that a handler accepts.

use auth_runtime::{Denied, Guard, UnknownPaths};

use super::challenges::Pages;
use super::*;

#[requires(scope = "read", schemes(Bearer))]
async fn by_token() -> &'static str {
    "by token"
}

#[requires(authenticated, schemes(Basic), hide_as = 404)]
async fn hidden_by_password() -> &'static str {
    "hidden"
}

#[requires(any(network = "192.0.2.0/24", scope = "x"), schemes(Basic))]
async fn narrow_office(guard: auth_runtime::Guard) -> String {
    format!("{:?}", guard.identity().map(Identity::subject))
}

#[requires(
    any(network = "192.0.2.0/24", scope = "x"),
    schemes(Basic),
    hide_as = 404
)]
async fn hidden_office(guard: auth_runtime::Guard) -> String {
    format!("{:?}", guard.identity().map(Identity::subject))
}

#[requires(role = "admin", schemes(Basic), hide_as = 404, hide_unless = setting("beta"))]
async fn shown_in_beta() {}

#[tokio::test]
async fn handlers_may_accept_fewer_schemes() {
    let app = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token))
        .protect(both().build().unwrap())
        .unwrap();
    let password = "Basic YW5uOnNlY3JldA==";
    let bad_password = "Basic YW5uOndyb25n";
    let vault = "Basic realm=\"vault\", charset=\"UTF-8\"";
    let read = "Bearer realm=\"api\", scope=\"read\"";
    for (target, authorization, status, challenges) in [
        ("/password", "", 401, vec![vault]),
        ("/password", password, 200, vec![]),
        ("/password", bad_password, 401, vec![vault]),
        // Credentials of a scheme that is not accepted count as none, valid and invalid ones.
        ("/password", &good(), 401, vec![vault]),
        ("/password", "Bearer nonsense", 401, vec![vault]),
        ("/token", "", 401, vec![read]),
        ("/token", &good(), 200, vec![]),
        ("/token", password, 401, vec![read]),
        ("/token", bad_password, 401, vec![read]),
    ] {
        let answer = send(&app, with(target, &[("authorization", authorization)])).await;
        assert_eq!(answer.status, status, "{target} {authorization}");
        assert_eq!(answer.challenges(), challenges, "{target} {authorization}");
    }
}

#[tokio::test]
async fn fewer_schemes_show_nothing_hidden() {
    // Another one could have another time.
    let good = good();
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let space = both().unknown_paths(unknown_paths).build().unwrap();
        let app = GuardedRouter::new()
            .route("/hidden", get(hidden_by_password).post(by_token))
            .protect(space)
            .unwrap();
        for authorization in ["", "Basic YW5uOndyb25n", &good, "Bearer nonsense", "Hawk x"] {
            let fields = [("authorization", authorization)];
            assert_hidden(app.clone(), with("/hidden", &fields)).await;
            let mut posted = with("/hidden", &fields);
            *posted.method_mut() = Method::POST;
            if authorization != good {
                assert_hidden(app.clone(), posted).await;
            }
        }
        let password = [("authorization", "Basic YW5uOnNlY3JldA==")];
        assert_eq!(send(&app, with("/hidden", &password)).await.status, 200);
    }
}

#[tokio::test]
async fn unaccepted_schemes_identify_no_caller() {
    let app = GuardedRouter::new()
        .route("/", get(narrow_office))
        .protect(both().build().unwrap())
        .unwrap();
    for (authorization, body) in [
        (good().as_str(), "None"),
        ("Basic YW5uOnNlY3JldA==", "Some(\"ann\")"),
    ] {
        let mut request = with("/", &[("authorization", authorization)]);
        let address: std::net::SocketAddr = "192.0.2.7:1".parse().unwrap();
        request.extensions_mut().insert(address);
        let answer = send(&app, request).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, body));
    }
}

/// The handler ignores two tokens of another scheme, and an unknown path does not.
#[tokio::test]
async fn ambiguous_unaccepted_credentials_count_as_none() {
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(jwt()).accept_query())
        .scheme(basic());
    let app = GuardedRouter::new()
        .route("/hidden", get(hidden_office))
        .protect(space.build().unwrap())
        .unwrap();
    let request = || request("/hidden?access_token=a&access_token=b");
    let address: std::net::SocketAddr = "192.0.2.7:1".parse().unwrap();
    let mut inside = request();
    inside.extensions_mut().insert(address);
    let answer = send(&app, inside).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, "None")
    );
    assert_eq!(send(&app, request()).await.status, 400);
    assert_hidden(app, request()).await;
}

/// The body is gone, whichever scheme it was read for.
#[tokio::test]
async fn unreadable_forms_are_400_where_shown() {
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(jwt()).accept_form())
        .scheme(basic())
        .setting("beta", true);
    let app = GuardedRouter::new()
        .route("/beta", post(shown_in_beta))
        .protect(space.build().unwrap())
        .unwrap();
    for (length, status) in [
        (ProtectionSpace::MAX_BODY, 401),
        (ProtectionSpace::MAX_BODY + 1, 400),
    ] {
        let mut posted = with(
            "/beta",
            &[("content-type", "application/x-www-form-urlencoded")],
        );
        *posted.method_mut() = Method::POST;
        *posted.body_mut() = Body::from(vec![b'x'; length]);
        assert_eq!(send(&app, posted).await.status, status, "{length}");
    }
}

#[tokio::test]
async fn tests_may_choose_any_caller() {
    let app = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token))
        .protect(both().build().unwrap())
        .unwrap();
    for (target, status) in [("/password", 200), ("/token", 403)] {
        let request = with_identity(request(target), Identity::new("ann"));
        assert_eq!(send(&app, request).await.status, status, "{target}");
    }
}

/// A 401 without a usable challenge is not allowed.
#[tokio::test]
async fn missing_schemes_close_plain_routers() {
    let app = Router::new()
        .route("/password", axum::routing::get(by_password))
        .layer(axum::Extension(space()));
    for authorization in ["", "Basic YW5uOnNlY3JldA==", &good()] {
        let answer = send(&app, with("/password", &[("authorization", authorization)])).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (500, ""));
    }
}

#[test]
fn missing_schemes_are_found_at_mounting() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/password", get(by_password))
        .route("/token", get(by_token));
    let error = router.protect(space()).unwrap_err();
    assert_eq!(
        error.to_string(),
        concat!(
            "`",
            env!("CARGO_CRATE_NAME"),
            "::offers::by_password` names the scheme `Basic`, and the protection space accepts only `Bearer`"
        ),
    );
}

/// The names of schemes are compared without regard to case (RFC 9110 §11.1).
#[tokio::test]
async fn scheme_is_accepted_in_any_case() {
    #[requires(authenticated, schemes("lab-KEY"))]
    async fn by_key() {}

    let key = "a-key-of-a-length-that-is-accepted";
    let keys = ApiKeys::builder().scheme_name("Lab-Key");
    let keys = keys.key(key, Identity::new("job")).build().unwrap();
    let app = GuardedRouter::new().route("/", get(by_key));
    let app = app.protect(both().scheme(keys).build().unwrap()).unwrap();
    let answer = send(&app, request("/")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.challenges(), ["Lab-Key realm=\"api\""]);
    let answer = send(&app, with("/", &[("x-api-key", key)])).await;
    assert_eq!(answer.status, 200);
}

/// Of the schemes of the space, the one that was added first is the preferred one.
#[tokio::test]
async fn challenges_have_order_of_schemes() {
    let key = "ApiKey realm=\"api\"";
    let builder = || ProtectionSpace::builder().realm("api");
    for (space, expected) in [
        (builder().scheme(basic()).scheme(keys()), [BASIC, key]),
        (
            builder().scheme(basic()).scheme(Bearer::jwt(jwt())),
            [BASIC, BEARER],
        ),
        (
            builder().scheme(Bearer::jwt(jwt())).scheme(basic()),
            [BEARER, BASIC],
        ),
    ] {
        let app = GuardedRouter::new().route("/", get(known));
        let app = app.protect(space.build().unwrap()).unwrap();
        assert_eq!(send(&app, request("/")).await.challenges(), expected);
    }
}

/// The denial of an object is for the client of the request, as a denial by the policy is.
#[tokio::test]
async fn objects_are_denied_as_client_expects() {
    #[public(reason = "some pages are internal", identity = optional)]
    async fn page(guard: Guard) -> Result<(), Denied> {
        guard.permit(guard.identity().is_some())
    }

    let paged = || space_builder().scheme(Pages);
    for (builder, mode, status, challenges) in [
        (both(), "navigate", 401, vec![BEARER, BASIC]),
        (both(), "cors", 401, vec![BEARER]),
        (paged(), "navigate", 303, vec![]),
        (paged(), "cors", 401, vec![BEARER, "Pages realm=\"api\""]),
    ] {
        let app = GuardedRouter::new().route("/", get(page));
        let app = app.protect(builder.build().unwrap()).unwrap();
        let answer = send(&app, with("/", &[("sec-fetch-mode", mode)])).await;
        assert_eq!(answer.status, status, "{mode}");
        assert_eq!(answer.challenges(), challenges, "{mode}");
    }
}
