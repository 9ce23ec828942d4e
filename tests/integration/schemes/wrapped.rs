//! Schemes around another one: they have its properties, and send its challenges and fields.

use auth_runtime::challenge::{Challenge, ChallengeContext, ChallengeError, ErrorCode};
use auth_runtime::schemes::{SchemeExt, Source};
use http::{HeaderMap, HeaderName};

use super::*;

struct User;

/// A scheme that overrides every method. Its properties have the value of `flag`, except for OAuth,
/// on which the default of another one depends.
#[derive(Clone, Copy)]
struct Unusual {
    flag: bool,
}

impl Scheme for Unusual {
    fn name(&self) -> &str {
        "Unusual"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field(HeaderName::from_static("x-unusual"))]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        vec![HeaderName::from_static("x-proof")]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(match credentials.value() {
            "ann" => Caller::known(Identity::new("ann").with_user(User)),
            _ => Caller::rejected(),
        })
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        let error = match context.error() {
            Some(ErrorCode::InvalidToken(_)) => "token",
            Some(ErrorCode::InsufficientUserAuthentication { .. }) => "login",
            Some(_) => "other",
            None => "none",
        };
        Challenge::builder("Unusual")
            .quoted("realm", context.realm().unwrap_or_default())
            .quoted("error", error)
            .build()
    }

    fn further_challenges(&self, _context: &ChallengeContext<'_>) -> Vec<Challenge> {
        let further = Challenge::builder("Further")
            .quoted("realm", "further")
            .build();
        vec![further.expect("a challenge")]
    }

    fn fields(&self, _context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_static("denied");
        vec![(HeaderName::from_static("x-denied"), value)]
    }

    fn granted_fields(&self, _headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        let value = HeaderValue::from_static("granted");
        vec![(HeaderName::from_static("x-granted"), value)]
    }

    fn triggers_browser_prompt(&self) -> bool {
        self.flag
    }

    fn has_challenge(&self) -> bool {
        self.flag
    }

    fn format(&self) -> Option<&str> {
        self.flag.then_some("unusual")
    }

    fn constrains_sender(&self) -> bool {
        self.flag
    }

    fn signs_body(&self) -> bool {
        self.flag
    }

    fn is_oauth(&self) -> bool {
        !self.flag
    }

    fn has_token_server(&self) -> bool {
        self.flag
    }

    fn supports_step_up(&self) -> bool {
        self.flag
    }

    fn login_page(&self) -> Option<&str> {
        self.flag.then_some("/login")
    }
}

const KEY: &str = "a key of sixteen bytes";

fn application() -> impl Scheme {
    let keys = ApiKeys::builder().key(KEY, Identity::new("app"));
    keys.build().expect("the scheme is in order")
}

async fn load(_: (), identity: Identity) -> std::io::Result<Option<(Identity, User)>> {
    Ok(Some((identity, User)))
}

#[test]
fn wrappers_have_properties_of_scheme() {
    fn properties(scheme: &dyn Scheme) -> impl PartialEq + std::fmt::Debug {
        (
            (scheme.name().to_owned(), scheme.sources()),
            scheme.request_fields(),
            scheme.granted_fields(&HeaderMap::new()),
            [
                ("prompts", scheme.triggers_browser_prompt()),
                ("challenge", scheme.has_challenge()),
                ("bound", scheme.constrains_sender()),
                ("body", scheme.signs_body()),
                ("OAuth", scheme.is_oauth()),
                ("token server", scheme.has_token_server()),
                ("step-up", scheme.supports_step_up()),
            ],
            scheme.format().map(str::to_owned),
            scheme.login_page().map(str::to_owned),
        )
    }

    for flag in [false, true] {
        let own = Unusual { flag };
        let wrapped: [(_, &dyn Scheme); 3] = [
            ("with_user", &own.with_user((), load)),
            ("requires_user", &own.requires_user::<User>()),
            ("with_application", &own.with_application(application())),
        ];
        for (name, wrapper) in wrapped {
            assert_eq!(properties(wrapper), properties(&own), "{name}");
        }
    }
}

/// The application adds a challenge of its own.
#[tokio::test]
async fn wrappers_send_fields_of_scheme() {
    #[requires(max_age = "5m")]
    async fn fresh() {}

    let routes = |space| {
        let routes = GuardedRouter::new()
            .route("/known", get(known))
            .route("/fresh", get(fresh));
        routes.protect(space).expect("the routes are in order")
    };
    let own = Unusual { flag: true };
    let bare = routes(space(own));
    for (name, space) in [
        ("with_user", space(own.with_user((), load))),
        ("requires_user", space(own.requires_user::<User>())),
        (
            "with_application",
            space(own.with_application(application())),
        ),
    ] {
        let app = routes(space);
        for (path, value, status) in [
            ("/known", None, 401),
            ("/known", Some("eve"), 401),
            ("/fresh", Some("ann"), 401),
            ("/known", Some("ann"), 200),
        ] {
            let value = value.map(|value| ("x-unusual", Vec::from(value)));
            let mut lines = Vec::from_iter(value);
            lines.push(("x-api-key", Vec::from(KEY)));
            let expected = send(&bare, path, &lines).await;
            let response = send(&app, path, &lines).await;
            assert_eq!(expected.status(), status, "{path} {lines:?}");
            assert_eq!(response.status(), status, "{name}: {path} {lines:?}");
            for field in ["x-denied", "x-granted"] {
                let fields = [&expected, &response].map(|it| it.headers().get(field));
                assert_eq!(fields[0], fields[1], "{name}: {path} {lines:?}");
                assert_eq!(
                    fields[0].is_some(),
                    (field == "x-granted") == (status == 200)
                );
            }
            let mut sent = challenges(&response);
            sent.retain(|line| !line.starts_with("ApiKey "));
            assert_eq!(sent, challenges(&expected), "{name}: {path} {lines:?}");
            assert_eq!(sent.len(), if status == 200 { 0 } else { 2 });
        }
    }
}
