//! Schemes without a challenge, as the only ones that can lead to a grant. A 401 requires a challenge (RFC 9110
//! §15.5.2).

use auth_runtime::objects::{
    Action, DecisionPoint, EvaluationFuture, EvaluationRequest, ObjectDecision, Resource,
};
use auth_runtime::schemes::{Credentials, Scheme, Source, Verification};
use auth_runtime::{Denied, Guard};

use super::*;

const FIELD: &str = "x-client-certificate";

/// The client certificate of a connection, in a field of the proxy. No challenge can ask for it.
struct Certificate;

impl Scheme for Certificate {
    fn name(&self) -> &str {
        "Certificate"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field(FIELD.parse().expect("a name"))]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let ann = Identity::new("ann").with_sender_constraint();
        Verification::done(match credentials.value() {
            "ann" => Caller::known(ann.with_scopes(["read"])),
            "eve" => Caller::known(ann),
            "outage" => Caller::unverifiable(),
            _ => Caller::rejected(),
        })
    }

    fn has_challenge(&self) -> bool {
        false
    }

    fn constrains_sender(&self) -> bool {
        true
    }

    fn supports_step_up(&self) -> bool {
        true
    }
}

fn with_certificates() -> ProtectionSpaceBuilder {
    space_builder().scheme(Certificate)
}

/// Returns the response to a request without a field, or with one.
async fn ask(app: &impl App, target: &str, field: Option<(&str, &str)>) -> Answer {
    let fields: Vec<_> = field.into_iter().collect();
    send(app, with(target, &fields)).await
}

/// Bearer has a challenge, and cannot lead to a grant.
#[tokio::test]
async fn unrequestable_binding_is_found_at_mounting() {
    #[requires(sender_constrained, acr = "mfa", hide_as = 404)]
    async fn hidden_and_strong() {}
    #[requires(sender_constrained, hide_as = 404, hide_unless = network("192.0.2.0/24"))]
    async fn hidden_from_afar() {}

    let routes = GuardedRouter::<()>::new()
        .route("/bound", get(bound))
        .route("/strong", get(hidden_and_strong))
        .route("/afar", get(hidden_from_afar));
    let error = routes.protect(with_certificates().build().unwrap());
    let expected = ["bound", "hidden_and_strong", "hidden_from_afar"].map(|handler| {
        let module = concat!(env!("CARGO_CRATE_NAME"), "::offers");
        let module = match handler {
            "bound" => module.to_owned(),
            _ => format!("{module}::without_challenge"),
        };
        format!(
            "`{module}::{handler}` can be met only by schemes without a challenge, such as signed URLs, and is not \
             hidden; add `hide_as = 404`, remove `hide_unless`, and require no `acr`, `amr` or `max_age`"
        )
    });
    assert_eq!(error.unwrap_err().to_string(), expected.join("\n"));
    let app = Router::new()
        .route("/", axum::routing::get(bound))
        .layer(axum::Extension(with_certificates().build().unwrap()));
    assert_eq!(ask(&app, "/", None).await.status, 500);
}

/// No denial of a hidden policy requests bound credentials.
#[tokio::test]
async fn hidden_policies_bind_without_challenge() {
    #[requires(sender_constrained, hide_as = 404)]
    async fn hidden_and_bound() {}

    let certificates = ProtectionSpace::builder().realm("api").scheme(Certificate);
    for builder in [with_certificates(), certificates] {
        let app = GuardedRouter::new().route("/", get(hidden_and_bound));
        let app = app.protect(builder.build().unwrap()).unwrap();
        assert_eq!(ask(&app, "/", Some((FIELD, "ann"))).await.status, 200);
        for field in [
            None,
            Some(("authorization", good().as_str())),
            Some((FIELD, "x")),
        ] {
            let answer = ask(&app, "/", field).await;
            assert_eq!(answer.status, 404, "{field:?}");
            assert!(answer.challenges().is_empty(), "{field:?}");
        }
    }
}

/// Rule 3b needs a challenge. Without one, the next rules apply.
#[tokio::test]
async fn unrequestable_binding_is_not_requested() {
    #[requires(any(sender_constrained, role = "admin"))]
    async fn bound_or_admin() {}
    #[requires(any(
        all(scope = "transfer", sender_constrained),
        all(scope = "read", role = "staff")
    ))]
    async fn transfer() {}

    let routes = || {
        GuardedRouter::new()
            .route("/either", get(bound_or_admin))
            .route("/transfer", get(transfer))
    };
    let bearer = good();
    let bearer = Some(("authorization", bearer.as_str()));
    let staff = format!("Bearer {}", token(json!({ "roles": ["staff"] })));
    let staff = Some(("authorization", staff.as_str()));
    let read = "Bearer realm=\"api\", scope=\"read\"";
    let insufficient = "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", \
                        error_description=\"the access token lacks a required scope\"";
    for builder in [
        with_certificates(),
        with_certificates().render(missing_as_text),
    ] {
        let app = routes().protect(builder.build().unwrap()).unwrap();
        for (target, field, status, challenges) in [
            ("/either", None, 401, vec![BEARER]),
            ("/either", bearer, 403, vec![BEARER]),
            ("/either", Some((FIELD, "eve")), 200, vec![]),
            ("/transfer", None, 401, vec![read]),
            ("/transfer", bearer, 403, vec![BEARER]),
            ("/transfer", staff, 403, vec![insufficient]),
            ("/transfer", Some((FIELD, "eve")), 403, vec![]),
        ] {
            let answer = ask(&app, target, field).await;
            assert_eq!(answer.status, status, "{target} {field:?}");
            assert_eq!(answer.challenges(), challenges, "{target} {field:?}");
        }
    }
}

/// A 401 would request credentials that cannot help. A certificate grants access, and an outage of its verifier may be
/// over soon.
#[tokio::test]
async fn unknown_callers_get_no_bound_challenge() {
    #[requires(any(sender_constrained, network = "192.0.2.0/24"))]
    async fn bound_or_near() {}

    let app = GuardedRouter::new().route("/", get(bound_or_near));
    let app = app.protect(with_certificates().build().unwrap()).unwrap();
    let forged = ("authorization", "Bearer forged");
    for (field, status) in [
        (None, 403),
        (Some(forged), 403),
        (Some((FIELD, "x")), 403),
        (Some((FIELD, "outage")), 503),
        (Some((FIELD, "eve")), 200),
    ] {
        let answer = ask(&app, "/", field).await;
        assert_eq!(answer.status, status, "{field:?}");
        assert!(answer.challenges().is_empty(), "{field:?}");
    }
}

struct AfterLogin;

impl DecisionPoint for AfterLogin {
    fn name(&self) -> &'static str {
        "after a login"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let denied = ObjectDecision::deny_until_login(["gold"]);
        let decisions = vec![denied; request.evaluations.len()];
        Box::pin(async move { Ok(decisions) })
    }
}

/// A decision point requests a new login, and no challenge of an accepted scheme that can lead to a grant can do so.
#[tokio::test]
async fn unrequestable_logins_are_not_requested() {
    const READ: Action = Action::new("read");
    #[requires(can = "read", on = "Document::{id}", hide_as = 404)]
    async fn by_policy() {}
    #[requires(sender_constrained, can = "read", on = "Document::{id}", hide_as = 404)]
    async fn bound_by_policy() {}
    #[requires(authenticated, hide_as = 404)]
    async fn by_guard(guard: Guard) -> Result<(), Denied> {
        guard.can(READ, Resource::new("Document", "d1")).await
    }
    #[requires(sender_constrained, hide_as = 404)]
    async fn bound_by_guard(guard: Guard) -> Result<(), Denied> {
        guard.can(READ, Resource::new("Document", "d1")).await
    }

    let alone = || ProtectionSpace::builder().realm("api").scheme(Certificate);
    let routes = |policy, guard| {
        let routes = GuardedRouter::<()>::new();
        routes.route("/policy/{id}", policy).route("/guard", guard)
    };
    for (builder, routes) in [
        (alone(), routes(get(by_policy), get(by_guard))),
        (alone(), routes(get(bound_by_policy), get(bound_by_guard))),
        (
            with_certificates(),
            routes(get(bound_by_policy), get(bound_by_guard)),
        ),
    ] {
        let space = builder.decision_point(AfterLogin).build().unwrap();
        let app = routes.protect(space).unwrap();
        for target in ["/policy/d1", "/guard"] {
            let answer = ask(&app, target, Some((FIELD, "ann"))).await;
            assert_eq!(answer.status, 404, "{target}");
            assert!(answer.challenges().is_empty(), "{target}");
        }
    }
}

/// A guard denies an object to a caller without an identity.
#[tokio::test]
async fn objects_denied_without_challenge_are_403() {
    #[public(reason = "some pages are internal", identity = optional)]
    async fn page(guard: Guard) -> Result<(), Denied> {
        guard.permit(guard.identity().is_some())
    }
    #[public(reason = "the same", identity = optional, schemes("Certificate"))]
    async fn certified(guard: Guard) -> Result<(), Denied> {
        guard.permit(guard.identity().is_some())
    }

    let app = GuardedRouter::new()
        .route("/page", get(page))
        .route("/certified", get(certified))
        .protect(with_certificates().build().unwrap())
        .unwrap();
    for (target, field, status, challenges) in [
        ("/page", None, 401, vec![BEARER]),
        ("/certified", None, 403, vec![]),
        ("/certified", Some((FIELD, "x")), 403, vec![]),
        ("/certified", Some((FIELD, "ann")), 200, vec![]),
    ] {
        let answer = ask(&app, target, field).await;
        assert_eq!(answer.status, status, "{target} {field:?}");
        assert_eq!(answer.challenges(), challenges, "{target} {field:?}");
    }
}

/// `X-Ticket: …`, with the scopes of a token.
struct Ticket;

impl Scheme for Ticket {
    fn name(&self) -> &str {
        "Ticket"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field("x-ticket".parse().expect("a name"))]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::known(Identity::new("ann")))
    }

    fn has_challenge(&self) -> bool {
        false
    }

    fn is_oauth(&self) -> bool {
        true
    }

    fn has_token_server(&self) -> bool {
        true
    }
}

/// Clients of a token server receive a challenge.
#[tokio::test]
async fn missing_scopes_without_challenge_are_403() {
    let app = GuardedRouter::new()
        .route("/", get(read))
        .protect(space_builder().scheme(Ticket).build().unwrap())
        .unwrap();
    let answer = ask(&app, "/", Some(("x-ticket", "ann"))).await;
    assert_eq!(answer.status, 403);
    assert!(answer.challenges().is_empty());
}
