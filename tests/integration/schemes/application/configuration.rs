//! The parts of a service that name both credentials, and errors of building a space.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use auth_runtime::challenge::{Challenge, ChallengeContext, ChallengeError, ErrorCode};
use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{ApplicationProblem, Sessions, SignedUrls, Webhooks};
use auth_runtime::{CheckRequest, ClientAddress, CurrentUser};
use auth_runtime_audit::internal_openapi;
use utoipa::openapi::{InfoBuilder, OpenApi, Paths};

use super::*;

fn api_keys(field: &str) -> ApiKeys {
    let app = Identity::new("web").with_roles(["first-party"]);
    let keys = ApiKeys::builder().key("k-4f1c0b6e9a8d47d2", app);
    keys.field(field).build().expect("keys")
}

fn web(field: &'static str) -> Lines {
    lines(&[(field, "k-4f1c0b6e9a8d47d2")])
}

fn refused(scheme: impl Scheme) -> String {
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    space.build().expect_err("it is refused").to_string()
}

/// A scheme with one source.
struct Placed(Source);

impl Scheme for Placed {
    fn name(&self) -> &str {
        "Placed"
    }

    fn sources(&self) -> Vec<Source> {
        vec![self.0.clone()]
    }

    fn verify(&self, _: &Credentials<'_>) -> Verification {
        Verification::done(Caller::rejected())
    }
}

#[test]
fn unsuitable_applications_are_build_errors() {
    let place = "the application of the scheme `Bearer` is refused: its credentials need a place of \
                 their own: a field, the query or a subprotocol";
    for source in [
        Source::Authorization,
        Source::BareAuthorization,
        Source::Cookie("app".to_owned()),
        Source::Form("app".to_owned()),
        Source::Field(http::header::AUTHORIZATION),
    ] {
        assert_eq!(
            refused(tokens().with_application(Placed(source.clone()))),
            place,
            "{source:?}"
        );
    }
    let query = Placed(Source::Query("access_token".to_owned()));
    assert_eq!(
        refused(tokens().accept_query().with_application(query)),
        place
    );
    let second = "the application of the scheme `Bearer` is refused: a request can have only one";
    let twice = tokens().with_application(api_keys("a"));
    assert_eq!(refused(twice.with_application(api_keys("b"))), second);
    let nested = api_keys("a").with_application(api_keys("b"));
    assert_eq!(refused(tokens().with_application(nested)), second);
    let webhooks = Webhooks::github()
        .secret("a secret of more than sixteen bytes")
        .build();
    assert_eq!(
        refused(tokens().with_application(webhooks.expect("webhooks"))),
        place
    );
    let links = SignedUrls::builder().key("2026-01", &[7; 32]).build();
    let no_challenge =
        "the application of the scheme `Bearer` is refused: its scheme has no challenge";
    assert_eq!(
        refused(tokens().with_application(links.expect("links"))),
        no_challenge
    );
}

#[test]
fn schemes_of_one_name_are_one() {
    let space = |field: &str| {
        let space = ProtectionSpace::builder().realm("api");
        let space = space.scheme(tokens().with_application(api_keys("apikey")));
        space.scheme(api_keys(field)).build()
    };
    assert!(space("apikey").is_ok());
    let error = space("x-key").expect_err("another field");
    let problem = ApplicationProblem::Name;
    let scheme = "Bearer".to_owned();
    assert_eq!(error, SpaceError::Application { scheme, problem });
    assert_eq!(
        error.to_string(),
        "the application of the scheme `Bearer` is refused: another scheme has the name of its scheme, \
         and reads other places"
    );
}

#[requires(permission = "refund")]
async fn permitted() {}

#[tokio::test]
async fn the_application_grants_nothing() {
    let shop = Identity::new("shop")
        .with_scopes(["read"])
        .with_roles(["admin"])
        .with_permissions(["refund"])
        .with_acr("mfa");
    let keys = ApiKeys::builder().key("k-4f1c0b6e9a8d47d2", shop);
    let keys = keys.field("apikey").build().expect("keys");
    let app = routes().route("/permitted", get(permitted));
    let app = app.protect(space(tokens().with_application(keys)));
    let app = app.expect("routes");
    let fields = [bearer("ann"), web("apikey")].concat();
    for (path, status) in [
        ("/both", 200),
        ("/scoped", 403),
        ("/roled", 403),
        ("/permitted", 403),
        ("/strong", 401),
    ] {
        let response = send(&app, path, &fields).await;
        assert_eq!(response.status(), status, "{path}");
    }
}

/// Cookies with Basic in `Authorization`.
#[tokio::test]
async fn any_other_place_can_have_application() {
    let sessions = Sessions::look_up(async |value| caller(&value));
    let sessions = sessions.cookie("__Host-login").build().expect("sessions");
    let application = Basic::new(async |name, _| caller(&name));
    let app = service(sessions.with_application(application));
    let fields = [basic("web:x"), lines(&[("cookie", "__Host-login=ann")])].concat();
    let response = send(&app, "/both", &fields).await;
    assert_eq!(text(response).await, "ann by web");
}

async fn first_party(request: CheckRequest<'_>) -> bool {
    let application = request.identity().application();
    application.is_some_and(|application| application.has_role("first-party"))
}

#[requires(check = first_party)]
async fn checked() {}

#[requires(role = "first-party")]
async fn role_of_application() {}

#[requires(authenticated)]
async fn of_user(CurrentUser(user): CurrentUser<u32>) -> String {
    user.to_string()
}

#[tokio::test]
async fn checks_users_and_records_name_application() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let records = Arc::clone(&seen);
    let load = async |(), identity: Identity| {
        let name = identity.application().map_or("", Identity::subject).len();
        let number = u32::try_from(name).expect("short");
        Ok::<_, std::io::Error>(Some((identity, number)))
    };
    let scheme = tokens()
        .with_application(api_keys("apikey"))
        .with_user((), load);
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    let space = space.audit(move |record| {
        let identity = record.caller().and_then(Caller::identity);
        let names = identity.map(names);
        records
            .lock()
            .expect("the lock")
            .push((record.scheme().map(str::to_owned), names));
    });
    let app = GuardedRouter::new()
        .route("/checked", get(checked))
        .route("/role", get(role_of_application))
        .route("/user", get(of_user))
        .protect(space.build().expect("a space"))
        .expect("routes");
    let fields = [bearer("ann"), web("apikey")].concat();
    assert_eq!(send(&app, "/checked", &fields).await.status(), 200);
    // The grants of the application are not those of the user.
    assert_eq!(send(&app, "/role", &fields).await.status(), 403);
    assert_eq!(text(send(&app, "/user", &fields).await).await, "3");
    let record = (Some("Bearer".to_owned()), Some("ann by web".to_owned()));
    assert_eq!(*seen.lock().expect("the lock"), vec![record; 3]);
}

/// In either order, a request needs both, and handlers can take the user.
#[tokio::test]
async fn users_and_applications_have_no_order() {
    let load = async |(), identity| Ok::<_, std::io::Error>(Some((identity, 7_u32)));
    let user_first = tokens()
        .with_user((), load)
        .with_application(api_keys("apikey"));
    let user_last = tokens()
        .with_application(api_keys("apikey"))
        .with_user((), load);
    let app = |space: ProtectionSpace| {
        let routes = GuardedRouter::new().route("/user", get(of_user));
        routes.protect(space)
    };
    for space in [space(user_first), space(user_last)] {
        let app = app(space).expect("routes");
        let both = [bearer("ann"), web("apikey")].concat();
        assert_eq!(text(send(&app, "/user", &both).await).await, "7");
        for (fields, expected) in [(bearer("ann"), &[KEY][..]), (lines(&[]), &[BEARER, KEY])] {
            let response = send(&app, "/user", &fields).await;
            assert_eq!(challenges(&response), expected, "{fields:?}");
        }
    }
    let without = space(tokens().with_application(api_keys("apikey")));
    let error = app(without).expect_err("no user").to_string();
    assert!(error.contains("takes the user"), "{error}");
}

/// The application is verified with the address of the client, and its challenge has the error of its credentials.
#[tokio::test]
async fn application_is_scheme_like_others() {
    /// Tokens in a field that are bound to an address.
    struct Here;

    impl Scheme for Here {
        fn name(&self) -> &str {
            "Here"
        }
        fn sources(&self) -> Vec<Source> {
            vec![Source::Field(http::HeaderName::from_static("here"))]
        }
        fn verify(&self, credentials: &Credentials<'_>) -> Verification {
            let address = credentials.client().address().map(|it| it.to_string());
            Verification::done(match address {
                Some(address) if address == credentials.value() => {
                    Caller::known(Identity::new("web"))
                }
                _ => Caller::rejected(),
            })
        }
        fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
            let challenge = Challenge::builder("Here").quoted("realm", "api");
            match context.error() {
                Some(ErrorCode::InvalidToken(_)) => challenge.quoted("error", "invalid_token"),
                _ => challenge,
            }
            .build()
        }
    }

    let proxies = ["192.0.2.7/32".parse().expect("a network")];
    let address = ClientAddress::x_forwarded_for(proxies).expect("in order");
    let space = ProtectionSpace::builder()
        .realm("api")
        .client_address(address);
    let space = space.scheme(tokens().with_application(Here)).build();
    let app = routes().protect(space.expect("a space")).expect("routes");
    let plain = "Here realm=\"api\"";
    let invalid = "Here realm=\"api\", error=\"invalid_token\"";
    for (here, status, expected) in [
        (Some("203.0.113.9"), 200, &[][..]),
        (Some("192.0.2.7"), 401, &[invalid]),
        (None, 401, &[plain]),
    ] {
        let mut request = Request::get("/both")
            .header("authorization", "Bearer ann")
            .header("x-forwarded-for", "203.0.113.9");
        if let Some(here) = here {
            request = request.header("here", here);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        let peer: std::net::SocketAddr = "192.0.2.7:4711".parse().expect("an address");
        request.extensions_mut().insert(peer);
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), status, "{here:?}");
        assert_eq!(challenges(&response), expected, "{here:?}");
    }
}

#[tokio::test]
async fn replaced_challenges_have_realm_of_handler() {
    #[requires(authenticated, realm = "other")]
    async fn other() {}

    let field = Source::Field(http::HeaderName::from_static("described"));
    let scheme = tokens().with_application(Described(field));
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    let router = GuardedRouter::new().route("/other", get(other));
    let app = router.protect(space.build().expect("a space"));
    let app = app.expect("a router");
    let user = [("authorization", "Bearer ann")];
    let both = [("authorization", "Bearer ann"), ("described", "1")];
    for sent in [lines(&user), lines(&both)] {
        let response = send(&app, "/other", &sent).await;
        assert_eq!(response.status(), 401, "{sent:?}");
        let expected = ["Described realm=\"other\""];
        assert_eq!(challenges(&response), expected, "{sent:?}");
    }
}

/// Both are needed, so the caller ends with the first of them.
#[tokio::test]
async fn identities_expire_with_either() {
    #[requires(authenticated)]
    async fn expiry(guard: Guard) -> String {
        let expiry = guard
            .identity()
            .expiry()
            .map(|it| it.duration_since(SystemTime::UNIX_EPOCH));
        expiry.map_or("never".to_owned(), |it| {
            it.expect("later").as_secs().to_string()
        })
    }
    fn until(value: &str) -> Caller {
        let identity = Identity::new("ann");
        Caller::known(match value.trim_start_matches("until-").parse() {
            Ok(seconds) => {
                identity.with_expiry(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            }
            Err(_) => identity,
        })
    }
    struct Until;
    impl Scheme for Until {
        fn name(&self) -> &str {
            "ApiKey"
        }
        fn sources(&self) -> Vec<Source> {
            vec![Source::Field(http::HeaderName::from_static("apikey"))]
        }
        fn verify(&self, credentials: &Credentials<'_>) -> Verification {
            Verification::done(until(credentials.value()))
        }
    }
    let scheme = Bearer::new(async |token| until(token.as_str())).with_application(Until);
    let app = GuardedRouter::new().route("/", get(expiry));
    let start = ManualClock::new(SystemTime::UNIX_EPOCH);
    let app = app
        .protect(space_at(&start.clock(), scheme))
        .expect("routes");
    for (token, key, expected) in [
        ("until-20", "until-30", "20"),
        ("until-30", "until-20", "20"),
        ("until-30", "ever", "30"),
        ("ever", "until-30", "30"),
        ("ever", "forever", "never"),
    ] {
        let fields = [bearer(token), lines(&[("apikey", key)])].concat();
        assert_eq!(
            text(send(&app, "/", &fields).await).await,
            expected,
            "{token} {key}"
        );
    }
}

#[test]
fn debug_names_scheme_and_application() {
    let load = async |(), identity| Ok::<_, std::io::Error>(Some((identity, 7_u32)));
    let scheme = tokens()
        .with_application(api_keys("apikey"))
        .with_user((), load);
    let text = format!("{scheme:?}");
    for part in ["WithUser", "u32", "WithApplication", "Bearer", "ApiKey"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("k-4f1c0b6e9a8d47d2"), "{text}");
}

#[test]
fn documents_require_both() {
    let space = ProtectionSpace::builder().realm("api");
    let space = space.scheme(tokens().with_application(api_keys("apikey")));
    let space = space.scheme(Basic::new(async |_, _| Caller::rejected()));
    let space = space
        .openapi_name("ApiKey", "anon_key")
        .build()
        .expect("a space");
    let empty = OpenApi::new(InfoBuilder::new().build(), Paths::new());
    let document = internal_openapi(&routes().access_table(), &space, empty).expect("a document");
    let document = serde_json::to_value(document).expect("JSON");
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    let (bearer, basic) = (
        json!({ "Bearer": [], "anon_key": [] }),
        json!({ "Basic": [] }),
    );
    assert_eq!(security("/both"), json!([bearer, basic]));
    assert_eq!(
        security("/scoped")[0],
        json!({ "Bearer": ["read"], "anon_key": [] })
    );
    assert_eq!(security("/optional"), json!([bearer, basic, {}]));
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        schemes["anon_key"],
        json!({ "type": "apiKey", "in": "header", "name": "apikey" })
    );
}

/// A 401 of the handler would ask for the credentials of the application with another realm than that of its secrets.
#[test]
fn realms_of_handlers_need_application_challenges() {
    use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestSecret};

    #[requires(authenticated, realm = "other")]
    async fn elsewhere() {}

    let secret = DigestSecret::of(DigestAlgorithm::Sha256, "web", "api", "secret");
    let digest = Digest::builder("api").user(secret.expect("a name"), Identity::new("web"));
    let user = api_keys("x-user").with_application(digest.build().expect("a scheme"));
    let space = ProtectionSpace::builder().realm("api").scheme(user);
    let app = GuardedRouter::new()
        .route("/", get(elsewhere))
        .protect(space.build().expect("a space"));
    let refused = app.expect_err("it is refused").to_string();
    assert!(
        refused.contains("the scheme `Digest` has no challenge for the realm of `"),
        "{refused}"
    );
}
