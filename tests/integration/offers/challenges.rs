//! The challenges that are sent, and their order.

use auth_runtime::schemes::{Credentials, Scheme, Source, Verification};

use super::*;

#[tokio::test]
async fn scripts_get_no_prompt() {
    let app = |builder: ProtectionSpaceBuilder| {
        let routes = GuardedRouter::new().route("/", get(known));
        routes.protect(builder.build().unwrap()).unwrap()
    };
    let bad = "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"the access token is malformed\"";
    for (mode, challenges) in [
        (None, vec![BEARER, BASIC]),
        (Some("navigate"), vec![BEARER, BASIC]),
        (Some("cors"), vec![BEARER]),
        (Some("same-origin"), vec![BEARER]),
        (Some("no-cors"), vec![BEARER]),
        (Some("websocket"), vec![BEARER]),
    ] {
        let fields: Vec<_> = mode
            .map(|mode| ("sec-fetch-mode", mode))
            .into_iter()
            .collect();
        let answer = send(&app(both()), with("/", &fields)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.challenges()),
            (401, challenges),
            "{mode:?}"
        );
        // The omission of challenges is disabled.
        let answer = send(&app(both().prompt_scripts(true)), with("/", &fields)).await;
        assert_eq!(answer.challenges(), [BEARER, BASIC], "{mode:?}");
        // A 401 requires a challenge (RFC 9110 §11.6.1).
        let alone = ProtectionSpace::builder().realm("api").scheme(basic());
        let answer = send(&app(alone), with("/", &fields)).await;
        assert_eq!(answer.challenges(), [BASIC], "{mode:?}");
    }
    let fields = [("sec-fetch-mode", "cors"), ("authorization", "Bearer \"")];
    assert_eq!(
        send(&app(both()), with("/", &fields)).await.challenges(),
        [bad]
    );
    let fields = [
        ("sec-fetch-mode", "cors"),
        ("authorization", "Basic YW5uOndyb25n"),
    ];
    assert_eq!(
        send(&app(both()), with("/", &fields)).await.challenges(),
        [BEARER]
    );
}

#[tokio::test]
async fn challenges_can_share_a_line() {
    let app = GuardedRouter::new()
        .route("/", get(known))
        .protect(both().join_challenges(true).build().unwrap())
        .unwrap();
    let answer = send(&app, request("/")).await;
    assert_eq!(answer.challenges(), [format!("{BEARER}, {BASIC}")]);
    let three = both().scheme(keys()).join_challenges(true).build();
    let app = GuardedRouter::new().route("/", get(known));
    let app = app.protect(three.unwrap()).unwrap();
    let answer = send(&app, request("/")).await;
    let key = "ApiKey realm=\"api\"";
    assert_eq!(answer.challenges(), [format!("{BEARER}, {BASIC}, {key}")]);
}

/// Only a token contains the method of the login, so only tokens are requested. A 401 keeps a
/// challenge nevertheless (RFC 9110 §11.6.1).
#[tokio::test]
async fn step_up_names_capable_schemes() {
    #[requires(acr = "mfa")]
    async fn strong() {}

    let challenges = async |builder: ProtectionSpaceBuilder| {
        let app = GuardedRouter::new().route("/", get(strong));
        let app = app.protect(builder.build().unwrap()).unwrap();
        let password = [("authorization", "Basic YW5uOnNlY3JldA==")];
        let answer = send(&app, with("/", &password)).await;
        assert_eq!(answer.status, 401);
        answer.challenges().join("; ")
    };
    assert_eq!(
        challenges(both()).await,
        "Bearer realm=\"api\", error=\"insufficient_user_authentication\", acr_values=\"mfa\", \
         error_description=\"the login is too old or too weak\"",
    );
    let alone = ProtectionSpace::builder().realm("api").scheme(basic());
    assert_eq!(challenges(alone).await, BASIC);
}

/// `Authorization: Lock …`. Its callers prove possession of a key.
pub(super) struct Lock;

impl Scheme for Lock {
    fn name(&self) -> &str {
        "Lock"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let ann = Identity::new("ann").with_scopes(["read"]);
        Verification::done(Caller::known(match credentials.value() {
            "key" => ann.with_sender_constraint(),
            _ => ann,
        }))
    }

    fn constrains_sender(&self) -> bool {
        true
    }
}

/// A lock whose callers can log in anew.
struct StrongLock;

impl Scheme for StrongLock {
    fn name(&self) -> &str {
        Lock.name()
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Lock.verify(credentials)
    }

    fn constrains_sender(&self) -> bool {
        true
    }

    fn supports_step_up(&self) -> bool {
        true
    }
}

/// A newer login with Bearer would not help, since its tokens are not bound to a key.
#[tokio::test]
async fn step_up_names_demanded_binding_schemes() {
    #[requires(sender_constrained, acr = "mfa")]
    async fn strong() {}

    for builder in [
        space_builder().scheme(StrongLock),
        space_builder().scheme(Lock),
    ] {
        let app = GuardedRouter::new().route("/", get(strong));
        let app = app.protect(builder.build().unwrap()).unwrap();
        let answer = send(&app, with("/", &[("authorization", "Lock key")])).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.challenges(), ["Lock realm=\"api\""]);
    }
}

/// `Authorization: Ticket …`, for tokens of another server than those of Bearer.
struct Ticket;

impl Scheme for Ticket {
    fn name(&self) -> &str {
        "Ticket"
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::known(Identity::new("ann")))
    }

    fn is_oauth(&self) -> bool {
        true
    }
}

#[requires(role = "admin")]
async fn admin() {}

/// Rules 3c and 3d: of two schemes with scopes, the one of the request has the challenge of a 403.
#[tokio::test]
async fn scheme_of_request_reports_denial() {
    let app = GuardedRouter::new()
        .route("/read", get(read))
        .route("/admin", get(admin))
        .protect(space_builder().scheme(Ticket).build().unwrap())
        .unwrap();
    let bearer = format!("Bearer {}", token(json!({})));
    let insufficient = "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", \
                        error_description=\"the access token lacks a required scope\"";
    let ticket = "Ticket realm=\"api\"";
    let plain = Router::new()
        .route("/read", axum::routing::get(read))
        .route("/admin", axum::routing::get(admin))
        .layer(axum::Extension(space()));
    for (target, challenge) in [("/read", insufficient), ("/admin", BEARER)] {
        let answer = send(&plain, with(target, &[("authorization", &bearer)])).await;
        assert_eq!(answer.status, 403, "{target}");
        assert_eq!(answer.challenges(), [challenge], "{target}");
    }
    for (authorization, target, challenge) in [
        (bearer.as_str(), "/read", insufficient),
        (&bearer, "/admin", BEARER),
        ("Ticket x", "/read", ticket),
        ("Ticket x", "/admin", ticket),
    ] {
        let fields = [("authorization", authorization)];
        let answer = send(&app, with(target, &fields)).await;
        assert_eq!(answer.status, 403, "{target} {authorization}");
        assert_eq!(answer.challenges(), [challenge], "{target} {authorization}");
    }
}

/// The realm of a policy replaces that of the space, before and after a login.
#[tokio::test]
async fn every_challenge_has_realm_of_policy() {
    #[requires(scope = "read", realm = "vault")]
    async fn open_vault() {}
    #[requires(role = "admin", realm = "vault")]
    async fn close_vault() {}
    #[requires(acr = "mfa", realm = "vault")]
    async fn clear_vault() {}
    #[requires(sender_constrained, realm = "vault")]
    async fn move_vault() {}

    let app = GuardedRouter::new()
        .route("/open", get(open_vault))
        .route("/close", get(close_vault))
        .route("/clear", get(clear_vault))
        .route("/move", get(move_vault))
        .protect(space_builder().scheme(Lock).build().unwrap())
        .unwrap();
    let caller = format!("Bearer {}", token(json!({})));
    for (target, authorization, status, schemes) in [
        ("/open", &[][..], 401, &["Bearer", "Lock"][..]),
        ("/open", &["Bearer x"], 401, &["Bearer", "Lock"]),
        ("/open", &["Bearer x", "Bearer y"], 400, &["Bearer"]),
        ("/open", &[&*caller], 403, &["Bearer"]),
        ("/close", &[&caller], 403, &["Bearer"]),
        ("/clear", &[&caller], 401, &["Bearer"]),
        ("/move", &[&caller], 401, &["Lock"]),
        ("/move", &["Lock none"], 401, &["Lock"]),
    ] {
        let mut asked = request(target);
        for value in authorization {
            let value = value.parse().unwrap();
            asked.headers_mut().append(AUTHORIZATION, value);
        }
        let answer = send(&app, asked).await;
        assert_eq!(answer.status, status, "{target} {authorization:?}");
        let challenges = answer.challenges();
        assert_eq!(challenges.len(), schemes.len(), "{challenges:?}");
        for (challenge, scheme) in challenges.iter().zip(schemes) {
            let expected = format!("{scheme} realm=\"vault\"");
            assert!(challenge.starts_with(&expected), "{target}: {challenge}");
        }
    }
}

/// A cookie of a site with a login page.
pub(super) struct Pages;

impl Scheme for Pages {
    fn name(&self) -> &str {
        "Pages"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Cookie("page".to_owned())]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::known(Identity::new("ann")))
    }

    fn supports_step_up(&self) -> bool {
        true
    }

    fn login_page(&self) -> Option<&str> {
        Some("/login")
    }
}

/// A redirect to a login page is for browsers that have no other credentials, and for handlers that the login opens.
#[tokio::test]
async fn redirects_lead_to_page_that_helps() {
    #[requires(any(acr = "gold", acr = "mfa"))]
    async fn strong() {}
    #[requires(sender_constrained)]
    async fn bound() {}

    let bearer = Bearer::new(async |token: String| match token.as_str() {
        "ann" => Caller::known(Identity::new("ann")),
        _ => Caller::rejected(),
    });
    let space = ProtectionSpace::builder().realm("api").scheme(bearer);
    let space = space.scheme(Lock).scheme(Pages).render(|denial, _| {
        DenialBody::new(
            HeaderValue::from_static("text/plain"),
            denial.status().as_u16().to_string(),
        )
    });
    let space = space.build().unwrap();
    let app = GuardedRouter::new()
        .route("/", get(known))
        .route("/strong", get(strong))
        .route("/bound", get(bound))
        .route("/read", get(read))
        .route("/login", get(known));
    let app = app.protect(space).unwrap();
    for (target, credentials, status) in [
        ("/", None, 303),
        ("/", Some(("authorization", "Bearer forged")), 401),
        ("/strong", None, 303),
        ("/strong", Some(("cookie", "page=1")), 303),
        ("/strong", Some(("authorization", "Bearer ann")), 401),
        // No login binds a cookie to a key.
        ("/bound", None, 401),
        ("/bound", Some(("cookie", "page=1")), 401),
        ("/read", Some(("authorization", "Bearer ann")), 403),
        // The page would redirect to itself.
        ("/login", None, 401),
    ] {
        let mut fields = vec![("sec-fetch-mode", "navigate"), ("accept", "text/html")];
        fields.extend(credentials);
        let answer = send(&app, with(target, &fields)).await;
        assert_eq!(answer.status, status, "{target} {credentials:?}");
        let location = answer.headers.get("location");
        assert_eq!(
            location.is_some(),
            status == 303,
            "{target} {credentials:?}"
        );
        if target == "/strong" && credentials == Some(("cookie", "page=1")) {
            let page = "/login?next=%2Fstrong&acr_values=gold+mfa";
            assert_eq!(location.unwrap(), page);
        }
        assert_eq!(answer.challenges().is_empty(), status == 303, "{target}");
        // A body would be that of the 401.
        let body = match status {
            303 => String::new(),
            _ => status.to_string(),
        };
        assert_eq!(answer.body, body, "{target}");
        let has_type = answer.headers.contains_key(CONTENT_TYPE);
        assert_eq!(has_type, status != 303, "{target}");
    }
}
