//! Challenges for policies that require credentials bound to a key.

use auth_runtime::Rejection;
use auth_runtime::testing::with_caller;

use super::challenges::Lock;
use super::*;

#[requires(any(sender_constrained, role = "admin"))]
async fn bound_or_admin() -> &'static str {
    "bound, or an admin"
}

/// No scheme that the policy accepts binds credentials to a key.
#[requires(any(sender_constrained, role = "admin"), schemes(Bearer))]
async fn by_bearer() {}

#[requires(sender_constrained, hide_as = 404)]
async fn bound_and_hidden() -> &'static str {
    "bound"
}

/// Rule 3b.
#[tokio::test]
async fn binding_schemes_are_asked() {
    let space = both().scheme(Lock).build().unwrap();
    let app = GuardedRouter::new()
        .route("/bound", get(bound))
        .route("/either", get(bound_or_admin))
        .route("/bearer", get(by_bearer))
        .route("/hidden", get(bound_and_hidden))
        .protect(space)
        .unwrap();
    let ann = good();
    let lock = "Lock realm=\"api\"";
    let bearer = ann.as_str();
    // A binding would not help. The scheme of the request reports the missing scope (rule 3c).
    let scopeless = format!("Bearer {}", token(json!({})));
    let insufficient = "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", \
                        error_description=\"the access token lacks a required scope\"";
    for (target, authorization, status, challenges) in [
        // A bound token is required, so no other scheme is offered.
        ("/bound", None, 401, vec![lock]),
        ("/either", None, 401, vec![BEARER, BASIC, lock]),
        ("/bound", Some(bearer), 401, vec![lock]),
        ("/either", Some(bearer), 401, vec![lock]),
        ("/bound", Some(&scopeless), 403, vec![insufficient]),
        ("/bound", Some("Lock none"), 401, vec![lock]),
        ("/bound", Some("Lock key"), 200, vec![]),
        ("/either", Some("Lock key"), 200, vec![]),
        ("/bearer", Some(bearer), 403, vec![BEARER]),
        ("/hidden", Some(bearer), 404, vec![]),
        ("/hidden", Some("Lock key"), 200, vec![]),
    ] {
        let fields: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        let answer = send(&app, with(target, &fields)).await;
        assert_eq!(answer.status, status, "{target} {authorization:?}");
        assert_eq!(
            answer.challenges(),
            challenges,
            "{target} {authorization:?}"
        );
    }
}

#[tokio::test]
async fn no_other_scheme_is_asked() {
    let app = GuardedRouter::new()
        .route("/", get(bound_or_admin))
        .protect(space_builder().build().unwrap())
        .unwrap();
    for (fields, status) in [
        (vec![], 401),
        (vec![("authorization", good())], 403),
        (
            vec![(
                "authorization",
                format!("Bearer {}", token(json!({ "roles": ["admin"] }))),
            )],
            200,
        ),
    ] {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = send(&app, with("/", &fields)).await;
        assert_eq!(answer.status, status);
        let expected: &[&str] = if status == 200 { &[] } else { &[BEARER] };
        assert_eq!(answer.challenges(), expected);
    }
}

/// No credentials of the space are bound to a key, so only another network or setting would change the denial.
#[tokio::test]
async fn impossible_binding_is_403_for_everyone() {
    #[requires(any(network = "10.0.0.0/8", sender_constrained))]
    async fn near_or_bound() {}
    #[requires(any(setting = "open", all(sender_constrained, scope = "read")))]
    async fn open_or_bound() {}
    #[requires(any(network = "10.0.0.0/8", sender_constrained), schemes(Bearer))]
    async fn near_or_by_bearer() {}

    let routes = || {
        GuardedRouter::new()
            .route("/near", get(near_or_bound))
            .route("/open", get(open_or_bound))
            .route("/bearer", get(near_or_by_bearer))
    };
    let near = |mut request: Request| {
        let peer = std::net::SocketAddr::from(([10, 1, 1, 1], 1));
        request.extensions_mut().insert(peer);
        request
    };
    let callers = [
        Caller::Anonymous,
        Caller::Rejected(Rejection::Expired),
        Caller::unverifiable(),
    ];
    for (builder, expected) in [
        (both(), [403, 403, 403]),
        (both().scheme(Lock), [401, 401, 503]),
    ] {
        let space = builder.setting("open", false).build().unwrap();
        let app = routes().protect(space).unwrap();
        for (caller, status) in callers.iter().zip(expected) {
            for (target, status) in [("/near", status), ("/open", status), ("/bearer", 403)] {
                let answer = send(&app, with_caller(request(target), caller.clone())).await;
                assert_eq!(answer.status, status, "{target} {caller:?}");
                let is_challenged = !answer.challenges().is_empty();
                assert_eq!(is_challenged, status == 401, "{target} {caller:?}");
            }
            let answer = with_caller(near(request("/near")), caller.clone());
            assert_eq!(send(&app, answer).await.status, 200, "{caller:?}");
        }
    }
}

/// A client cannot use the scopes of an alternative that needs a key, if no scheme of the space binds tokens to one.
#[tokio::test]
async fn impossible_binding_requests_no_scopes() {
    #[requires(any(
        all(scope = "transfer", sender_constrained),
        all(scope = "read", role = "staff")
    ))]
    async fn transfer() {}

    let lock = || both().scheme(Lock);
    let (read, transfer_alone) = ("scope = \"read\", role = \"staff\"", "scope = \"transfer\"");
    for (builder, scope, missing) in [
        (both(), "read", None),
        (both().render(missing_as_text), "read", Some(read)),
        (lock(), "transfer", None),
        (
            lock().render(missing_as_text),
            "transfer",
            Some(transfer_alone),
        ),
    ] {
        let app = GuardedRouter::new().route("/", get(transfer));
        let app = app.protect(builder.build().unwrap()).unwrap();
        for fields in [vec![], vec![("authorization", "Bearer x")]] {
            let answer = send(&app, with("/", &fields)).await;
            assert_eq!(answer.status, 401, "{fields:?}");
            let expected = format!("Bearer realm=\"api\", scope=\"{scope}\"");
            let challenges = answer.challenges();
            assert!(challenges[0].starts_with(&expected), "{challenges:?}");
            if let Some(missing) = missing {
                assert_eq!(answer.body, missing);
            }
        }
    }
}

#[tokio::test]
async fn unbindable_handlers_are_closed() {
    let error = GuardedRouter::<()>::new()
        .route("/", get(bound))
        .route("/either", get(bound_or_admin))
        .route("/hidden", get(bound_and_hidden))
        .protect(both().build().unwrap())
        .unwrap_err();
    let handlers = ["bound", "bindings::bound_and_hidden"].map(|handler| {
        format!(
            "`{}::offers::{handler}` requires `sender_constrained`, and the protection space has no scheme for it \
             that binds credentials to a key, such as DPoP",
            env!("CARGO_CRATE_NAME"),
        )
    });
    assert_eq!(error.to_string(), handlers.join("\n"));
    let space = both().build().unwrap();
    let app = Router::new()
        .route("/", axum::routing::get(bound))
        .layer(axum::Extension(space));
    assert_eq!(send(&app, request("/")).await.status, 500);
}

/// Ambiguous credentials and an old login name only the schemes that can lead to a grant, too.
#[tokio::test]
async fn other_denials_request_no_unbound_tokens() {
    #[requires(sender_constrained, acr = "mfa")]
    async fn strong() {}

    let dpop = auth_runtime::schemes::Dpop::jwt(jwt()).origin("https://api.example");
    let space = both().scheme(dpop.build().unwrap()).build().unwrap();
    let app = GuardedRouter::new().route("/", get(strong));
    let app = app.protect(space).unwrap();
    let two = with(
        "/",
        &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
    );
    let bound = Identity::new("ann").with_sender_constraint();
    for (request, status) in [(two, 400), (with_identity(request("/"), bound), 401)] {
        let answer = send(&app, request).await;
        assert_eq!(answer.status, status);
        let challenges = answer.challenges();
        let names = challenges.iter().map(|line| line.split(' ').next());
        assert_eq!(names.collect::<Vec<_>>(), [Some("DPoP")], "{challenges:?}");
    }
}
