//! Several credentials in one request: the selected ones, and the same responses on hidden and
//! unknown paths.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::challenge::{ChallengeContext, ErrorCode};
use auth_runtime::schemes::Source;
use auth_runtime::{Denied, Policy, Requirement, UnknownPaths, public};
use tower_http::cors::CorsLayer;

use crate::schemes::*;

/// A scheme with one word for each caller: `good` has the role, `weak` has not.
struct Words {
    name: &'static str,
    source: Source,
    has_challenge: bool,
    verified: Arc<AtomicUsize>,
}

impl Scheme for Words {
    fn name(&self) -> &str {
        self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![self.source.clone()]
    }

    fn has_challenge(&self) -> bool {
        self.has_challenge
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let word = credentials.value().to_owned();
        let subject = self.name;
        let verified = Arc::clone(&self.verified);
        let caller = async move {
            verified.fetch_add(1, Ordering::Relaxed);
            match word.as_str() {
                "good" | "other" => Caller::known(Identity::new(subject).with_roles(["r"])),
                "weak" => Caller::known(Identity::new(subject)),
                "down" => Caller::unverifiable(),
                _ => Caller::rejected(),
            }
        };
        Verification::pending(caller)
    }

    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(http::HeaderName, HeaderValue)> {
        match (&self.source, context.error()) {
            (Source::Cookie(_), Some(ErrorCode::InvalidRequest | ErrorCode::InvalidToken(_))) => {
                let value = HeaderValue::from_static("crumb=; Max-Age=0");
                vec![(http::header::SET_COOKIE, value)]
            }
            _ => Vec::new(),
        }
    }
}

#[requires(role = "r", hide_as = 404)]
async fn hidden(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", hide_as = 404, schemes("Alpha"))]
async fn hidden_alpha(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", hide_as = 404, schemes("Beta"))]
async fn hidden_beta(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", hide_as = 404, schemes("Crumb"))]
async fn hidden_crumb(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", hide_as = 404, schemes("Alpha", "Link", "Crumb"))]
async fn hidden_some(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(authenticated, hide_as = 404, schemes("Alpha", "Crumb"))]
async fn object(guard: Guard) -> Result<String, Denied> {
    guard.permit(false)?;
    Ok(String::new())
}

#[requires(role = "r", schemes("Alpha", "Beta"))]
async fn beside_hidden(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r")]
async fn shown(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", schemes("Alpha"))]
async fn shown_alpha(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", schemes("Crumb"))]
async fn shown_crumb(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(role = "r", schemes("Alpha", "Link", "Crumb"))]
async fn shown_some(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

const ALL: &[&str] = &["Alpha", "Beta", "Link", "Crumb"];
const SOME: &[&str] = &["Alpha", "Link", "Crumb"];

/// A method, a path, the accepted schemes, and whether the handler denies its object.
const HIDDEN: [(&str, &str, &[&str], bool); 8] = [
    ("GET", "/all", ALL, false),
    ("GET", "/alpha", &["Alpha"], false),
    ("GET", "/beta", &["Beta"], false),
    ("GET", "/crumb", &["Crumb"], false),
    ("GET", "/some", SOME, false),
    ("GET", "/layered", SOME, false),
    ("GET", "/object", &["Alpha", "Crumb"], true),
    // Hidden by the policy of another method.
    ("POST", "/all", &["Alpha", "Beta"], false),
];

const SHOWN: [(&str, &[&str]); 4] = [
    ("/all", ALL),
    ("/alpha", &["Alpha"]),
    ("/crumb", &["Crumb"]),
    ("/some", SOME),
];

#[derive(Clone, Copy, PartialEq)]
enum Fallback {
    OfTheSpace,
    OfTheService,
}

#[public(reason = "there is nothing")]
async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Services with the schemes of this file, and the number of verifications of each scheme.
struct Lab {
    space: ProtectionSpace,
    hiding: ProtectedRouter,
    showing: ProtectedRouter,
    verified: Vec<Arc<AtomicUsize>>,
}

impl Lab {
    fn new(unknown_paths: UnknownPaths, fallback: Fallback) -> Self {
        let sources = [
            Source::Authorization,
            Source::Field("x-beta".parse().expect("a name")),
            Source::Query("link".to_owned()),
            Source::Cookie("crumb".to_owned()),
        ];
        let mut space = ProtectionSpace::builder()
            .realm("api")
            .unknown_paths(unknown_paths);
        let mut verified = Vec::new();
        for (name, source) in ALL.iter().zip(sources) {
            let count = Arc::new(AtomicUsize::new(0));
            verified.push(Arc::clone(&count));
            space = space.scheme(Words {
                name,
                source,
                has_challenge: *name != "Link",
                verified: count,
            });
        }
        let space = space.build().expect("a space");
        let hiding = GuardedRouter::new()
            .route("/all", get(hidden).post(beside_hidden))
            .route("/alpha", get(hidden_alpha))
            .route("/beta", get(hidden_beta))
            .route("/crumb", get(hidden_crumb))
            .route("/some", get(hidden_some))
            .route("/object", get(object))
            .route("/layered", get(hidden_some).layer(CorsLayer::permissive()));
        let hiding = match fallback {
            Fallback::OfTheSpace => hiding,
            Fallback::OfTheService => hiding.fallback(nothing),
        };
        let hiding = hiding.protect(space.clone());
        let showing = GuardedRouter::new()
            .route("/all", get(shown))
            .route("/alpha", get(shown_alpha))
            .route("/crumb", get(shown_crumb))
            .route("/some", get(shown_some))
            .protect(space.clone());
        Self {
            space,
            hiding: hiding.expect("a router"),
            showing: showing.expect("a router"),
            verified,
        }
    }

    fn counts(&self) -> Vec<usize> {
        let counts = self.verified.iter();
        counts
            .map(|count| count.swap(0, Ordering::Relaxed))
            .collect()
    }
}

/// The credentials of a request, by their words.
#[derive(Clone, Copy, Debug)]
struct Sent {
    alpha: &'static [&'static str],
    beta: &'static [&'static str],
    link: &'static [&'static str],
    crumbs: &'static [&'static str],
}

impl Sent {
    fn every() -> Vec<Self> {
        let explicit: [&[&str]; 5] = [&[], &["good"], &["weak"], &["bad"], &["good", "good"]];
        let links: [&[&str]; 4] = [&[], &["good"], &["bad"], &["good", "bad"]];
        let jars: [&[&str]; 9] = [
            &[],
            &["good"],
            &["weak"],
            &["dead"],
            &["dead", "good"],
            &["good", "dead"],
            &["good", "other"],
            &["good", "down"],
            &["dead", "ended"],
        ];
        let mut every = Vec::new();
        for alpha in explicit {
            for beta in explicit {
                for link in links {
                    for crumbs in jars {
                        every.push(Self {
                            alpha,
                            beta,
                            link,
                            crumbs,
                        });
                    }
                }
            }
        }
        every
    }

    fn request(self, method: &str, path: &str) -> Request {
        let links: Vec<_> = self
            .link
            .iter()
            .map(|word| format!("link={word}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{path}?{}", links.join("&")));
        for word in self.alpha {
            request = request.header("authorization", format!("Alpha {word}"));
        }
        for word in self.beta {
            request = request.header("x-beta", *word);
        }
        for word in self.crumbs {
            request = request.header("cookie", format!("crumb={word}"));
        }
        request.body(Body::empty()).expect("a request")
    }

    /// Returns the caller for a policy that accepts some schemes, by the text of rules 5 and 7.
    fn caller(self, schemes: &[&str]) -> Seen {
        let explicit = [
            ("Alpha", self.alpha),
            ("Beta", self.beta),
            ("Link", self.link),
        ];
        let explicit: Vec<_> = explicit
            .into_iter()
            .filter(|(name, words)| schemes.contains(name) && !words.is_empty())
            .filter(|(name, words)| !(*name == "Link" && *words == ["bad"]))
            .collect();
        match explicit.as_slice() {
            [(name, [word])] => return Seen::of(name, word),
            [_, ..] => return Seen::Ambiguous,
            [] => {}
        }
        if !schemes.contains(&"Crumb") {
            return Seen::Anonymous;
        }
        let crumbs = self.crumbs.iter().map(|word| Seen::of("Crumb", word));
        let live: Vec<_> = crumbs.filter(|seen| *seen != Seen::Rejected).collect();
        match live.as_slice() {
            [] if self.crumbs.is_empty() => Seen::Anonymous,
            [] => Seen::Rejected,
            [one] => *one,
            several if several.contains(&Seen::Down) => Seen::Down,
            _ => Seen::Ambiguous,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Anonymous,
    Ambiguous,
    Rejected,
    Down,
    Weak,
    Good(&'static str),
}

impl Seen {
    fn of(scheme: &'static str, word: &str) -> Self {
        match word {
            "good" | "other" => Self::Good(scheme),
            "weak" => Self::Weak,
            "down" => Self::Down,
            _ => Self::Rejected,
        }
    }

    /// The status of a handler that hides nothing.
    fn status(self) -> u16 {
        match self {
            Self::Anonymous | Self::Rejected => 401,
            Self::Ambiguous => 400,
            Self::Down => 503,
            Self::Weak => 403,
            Self::Good(_) => 200,
        }
    }

    fn status_of_unknown_path(self, unknown_paths: UnknownPaths) -> u16 {
        match self {
            Self::Anonymous if unknown_paths == UnknownPaths::Challenge => 401,
            Self::Anonymous | Self::Weak | Self::Good(_) => 404,
            Self::Rejected => 401,
            Self::Ambiguous => 400,
            Self::Down => 503,
        }
    }
}

async fn respond(app: &ProtectedRouter, request: Request) -> (u16, String, String) {
    let response = app.clone().oneshot(request).await.expect("infallible");
    let status = response.status().as_u16();
    let fields = format!("{:?}", response.headers());
    (status, fields, text(response).await)
}

#[tokio::test]
async fn concealed_response_for_all_credentials() {
    let mut concealed = 0;
    let mut granted = 0;
    for (unknown_paths, fallback) in [
        (UnknownPaths::NotFound, Fallback::OfTheSpace),
        (UnknownPaths::NotFound, Fallback::OfTheService),
        (UnknownPaths::Challenge, Fallback::OfTheService),
    ] {
        let lab = Lab::new(unknown_paths, fallback);
        for sent in Sent::every() {
            for (method, path, schemes, denies_object) in HIDDEN {
                lab.counts();
                let unknown = respond(&lab.hiding, sent.request(method, "/none")).await;
                let work_of_unknown = lab.counts();
                let hidden = respond(&lab.hiding, sent.request(method, path)).await;
                let work = lab.counts();
                assert_eq!(work, work_of_unknown, "{method} {path}: {sent:?}");
                let expected = sent.caller(ALL).status_of_unknown_path(unknown_paths);
                assert_eq!(unknown.0, expected, "unknown path: {sent:?}");
                match sent.caller(schemes) {
                    Seen::Good(subject) if !denies_object => {
                        assert_eq!(hidden.0, 200, "{method} {path}: {sent:?}");
                        assert_eq!(hidden.2, subject, "{method} {path}: {sent:?}");
                        granted += 1;
                    }
                    _ => {
                        assert_eq!(hidden, unknown, "{method} {path}: {sent:?}");
                        concealed += 1;
                    }
                }
            }
        }
    }
    assert!(
        concealed > 8_000 && granted > 1_000,
        "{concealed} {granted}"
    );
}

#[tokio::test]
async fn only_credentials_of_accepted_schemes_count() {
    let lab = Lab::new(UnknownPaths::NotFound, Fallback::OfTheSpace);
    for sent in Sent::every() {
        for (path, schemes) in SHOWN {
            lab.counts();
            let (status, fields, body) = respond(&lab.showing, sent.request("GET", path)).await;
            let caller = sent.caller(schemes);
            assert_eq!(status, caller.status(), "{path}: {sent:?}");
            if let Seen::Good(subject) = caller {
                assert_eq!(body, subject, "{path}: {sent:?}");
            }
            for (name, count) in ALL.iter().zip(lab.counts()) {
                let is_looked_at = schemes.contains(name);
                assert!(is_looked_at || count == 0, "{path} {name}: {sent:?}");
            }
            let cookies_decide = sent.alpha.is_empty() && sent.link.is_empty();
            let cookies_decide = cookies_decide && (sent.beta.is_empty() || path != "/all");
            let is_removed = cookies_decide
                && schemes.contains(&"Crumb")
                && !sent.crumbs.is_empty()
                && matches!(caller, Seen::Ambiguous | Seen::Rejected);
            assert!(
                !is_removed || fields.contains("crumb=;"),
                "{path}: {sent:?}"
            );
        }
    }
}

#[tokio::test]
async fn concealed_response_without_a_router() {
    for unknown_paths in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let lab = Lab::new(unknown_paths, Fallback::OfTheSpace);
        for sent in Sent::every() {
            for schemes in [ALL, SOME, &["Beta"]] {
                let policy = Policy::requires(Requirement::role("r"));
                let policy = policy.schemes(schemes.iter().copied());
                let policy = policy.hide_as_not_found();
                let (head, _) = sent.request("GET", "/").into_parts();
                let status = match lab.space.authorize(&policy, &head).await {
                    Ok(_) => 200,
                    Err(denied) => denied.status().as_u16(),
                };
                let expected = match sent.caller(schemes) {
                    Seen::Good(_) => 200,
                    _ => sent.caller(ALL).status_of_unknown_path(unknown_paths),
                };
                assert_eq!(status, expected, "{schemes:?} {sent:?}");
            }
        }
    }
}

/// Two kinds of keys in different fields, and a layer in between that moves the key.
#[tokio::test]
async fn decision_is_bound_to_its_field() {
    let keys = |name, field: &str| Words {
        name,
        source: Source::Field(field.parse().expect("a name")),
        has_challenge: true,
        verified: Arc::default(),
    };
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(keys("Alpha", "x-alpha"))
        .scheme(keys("Beta", "x-beta"));
    let moving = axum::middleware::map_request(async |mut request: Request| {
        if let Some(key) = request.headers_mut().remove("x-alpha") {
            request.headers_mut().insert("x-beta", key);
        }
        request
    });
    let app = GuardedRouter::new()
        .route("/all", get(hidden).layer(moving))
        .protect(space.build().expect("a space"))
        .expect("a router");
    for field in ["x-alpha", "x-beta"] {
        let request = Request::get("/all").header(field, "good");
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200, "{field}");
        assert_eq!(text(response).await, "Beta", "{field}");
    }
}
