//! A realm and the schemes it accepts (RFC 9110 §11.5).

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::caller::{Caller, Rejection};
use crate::challenge::{Challenge, ChallengeError, is_token};
use crate::decision::{Decision, Denial};
use crate::denial_body::{DenialBody, DeniedRequest, negotiate};
use crate::head::Head;
use crate::policy::Policy;
use crate::scheme::{Credentials, Occasion, Scheme, Source, Verification};

/// The realm, the schemes that are accepted in it, and how its denials look.
///
/// Cloning is cheap. Built once, at start:
///
/// ```
/// # #[cfg(feature = "api-key")] {
/// use auth_runtime::{ApiKeys, Identity, ProtectionSpace};
///
/// let keys = ApiKeys::builder()
///     .key("a-long-random-key-of-the-billing-job", Identity::new("billing"))
///     .build()?;
/// let space = ProtectionSpace::builder().realm("api").scheme(keys).build()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ProtectionSpace(Arc<Space>);

struct Space {
    realm: String,
    schemes: Vec<Accepted>,
    unknown_paths: UnknownPaths,
    render: Option<Render>,
}

/// A scheme, with what does not change while serving.
struct Accepted {
    scheme: Box<dyn Scheme>,
    name: String,
    source: Source,
    is_oauth: bool,
    plain: Challenge,
}

type Render = Arc<dyn Fn(&Denial, &DeniedRequest) -> DenialBody + Send + Sync>;

/// What an anonymous caller is told of a path that was never there, and so of a hidden one.
///
/// A known caller is told 404 either way, and one whose credentials were rejected 401.
///
/// ```
/// use auth_runtime::{ProtectionSpace, UnknownPaths};
///
/// let builder = ProtectionSpace::builder()
///     .realm("git")
///     .unknown_paths(UnknownPaths::Challenge);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownPaths {
    /// 404. The default.
    #[default]
    NotFound,
    /// 401 with challenges, for clients that never ask their user for a password on a 404, as git
    /// and browsers do not.
    Challenge,
}

impl ProtectionSpace {
    /// The longest credentials that are looked at, in bytes; longer ones are rejected as
    /// malformed.
    pub const MAX_CREDENTIALS: usize = 16 * 1024;

    /// Starts with no realm and no scheme; both have to be given.
    pub fn builder() -> ProtectionSpaceBuilder {
        ProtectionSpaceBuilder {
            realm: None,
            schemes: Vec::new(),
            unknown_paths: UnknownPaths::default(),
            render: None,
        }
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.0.realm
    }

    /// Decides whether a request may go on, without any framework: [`Guard`](crate::Guard) and
    /// [`GuardedRouter`](crate::GuardedRouter) do this for axum.
    ///
    /// ```
    /// use auth_runtime::{Bearer, Caller, Identity, Policy, ProtectionSpace, Requirement};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bearer = Bearer::new(async |_token| Caller::known(Identity::new("ann")));
    /// let space = ProtectionSpace::builder().realm("api").scheme(bearer).build()?;
    /// let policy = Policy::requires(Requirement::authenticated());
    ///
    /// let (head, _) = http::Request::get("/").body(())?.into_parts();
    /// let denied = space.authorize(&policy, &head).await.unwrap_err();
    /// assert_eq!(denied.status(), 401);
    /// assert_eq!(denied.headers()["www-authenticate"], "Bearer realm=\"api\"");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The answer to give in place of the handler's. A hidden denial is the space's own answer to
    /// unknown paths; to be undetectable, it has to be that of all unknown paths.
    pub async fn authorize(
        &self,
        policy: &Policy,
        head: &Parts,
    ) -> Result<Caller, http::Response<Bytes>> {
        let admitted = self.admit(policy, Head::from(head)).await;
        admitted.map(|(caller, _)| caller)
    }

    /// The same, with the scheme that the caller used.
    pub(crate) async fn admit(
        &self,
        policy: &Policy,
        head: Head<'_>,
    ) -> Result<(Caller, Option<usize>), http::Response<Bytes>> {
        if policy.requirement().is_none() {
            return Ok((Caller::Anonymous, None));
        }
        let sender = self.authenticate(head).await;
        let denial = match (self.decide(policy, &sender), sender) {
            (Decision::Grant, Sender::Caller { caller, scheme }) => return Ok((caller, scheme)),
            (Decision::Grant, sender @ Sender::Broken) => (Denial::BrokenRequest, sender),
            (Decision::Deny(_), sender) if sender.is_kept_from(policy) => {
                let denial = self.deny_unknown_path(&sender);
                (denial.unwrap_or(Denial::NotFound), sender)
            }
            (Decision::Deny(denial), sender) => (denial, sender),
        };
        let (denial, sender) = denial;
        Err(self.answer(&denial, &sender, &DeniedRequest::of(head)))
    }

    /// Finds the credentials of a request and starts to verify them.
    pub(crate) fn authenticate(&self, head: Head<'_>) -> Authentication {
        #[cfg(feature = "testing")]
        if let Some(sender) = crate::testing::stand_in(head.extensions, self) {
            return Authentication::Done(sender);
        }
        match self.0.presented(head) {
            Err(Carried::InTwoPlaces) => Authentication::Done(Sender::Broken),
            Ok(None) => Authentication::Done(Sender::caller(Caller::Anonymous, None)),
            Ok(Some((index, accepted, value))) => {
                let verification = match well_formed(value) {
                    Some(value) => accepted.scheme.verify(&Credentials::new(value, head)),
                    None => Verification::done(Caller::Rejected(Rejection::Malformed)),
                };
                Authentication::Verifying {
                    scheme: index,
                    verification,
                }
            }
        }
    }

    /// Decides whether `sender` meets `policy`.
    pub(crate) fn decide(&self, policy: &Policy, sender: &Sender) -> Decision {
        match sender {
            Sender::Broken => Decision::Deny(Denial::BrokenRequest),
            Sender::Caller { caller, scheme } => policy.decide(caller, self.is_oauth(*scheme)),
        }
    }

    /// What `sender` is told of a path that was never there; `None` leaves it to the fallback.
    pub(crate) fn deny_unknown_path(&self, sender: &Sender) -> Option<Denial> {
        let unauthenticated = |rejection| Denial::Unauthenticated {
            rejection,
            scopes: Vec::new(),
        };
        match sender {
            Sender::Broken => Some(Denial::BrokenRequest),
            Sender::Caller { caller, .. } => match caller {
                Caller::Rejected(rejection) => Some(unauthenticated(Some(*rejection))),
                Caller::Unverifiable { retry_after } => Some(Denial::Unverifiable {
                    retry_after: *retry_after,
                }),
                Caller::Anonymous if self.0.unknown_paths == UnknownPaths::Challenge => {
                    Some(unauthenticated(None))
                }
                Caller::Anonymous | Caller::Known(_) => None,
            },
        }
    }

    /// The answer to a denied request, complete.
    pub(crate) fn answer(
        &self,
        denial: &Denial,
        sender: &Sender,
        request: &DeniedRequest,
    ) -> http::Response<Bytes> {
        let body = match &self.0.render {
            Some(render) => render(denial, request),
            None => negotiate(denial, request),
        };
        let mut response = http::Response::new(body.bytes);
        *response.status_mut() = denial.status();
        let headers = response.headers_mut();
        for challenge in self.0.challenges(denial, sender) {
            headers.append(http::header::WWW_AUTHENTICATE, challenge.to_header_value());
        }
        if let Denial::Unverifiable { retry_after } = denial {
            let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, |delay| delay.as_secs().max(1));
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers.insert(http::header::CONTENT_TYPE, body.content_type);
        forbid_storing(headers);
        response
    }

    /// Hands the space to the guards of a plain axum router, as `.layer(space.layer())`.
    ///
    /// A [`GuardedRouter`](crate::GuardedRouter) does not need it, hides better (a plain router
    /// still answers 405 on other methods, for one), and cannot forget a handler.
    #[cfg(feature = "axum")]
    pub fn layer(&self) -> axum::Extension<Self> {
        axum::Extension(self.clone())
    }

    /// Whether the scheme at `index` asks for OAuth scopes.
    fn is_oauth(&self, index: Option<usize>) -> bool {
        index
            .and_then(|index| self.0.schemes.get(index))
            .is_some_and(|accepted| accepted.is_oauth)
    }

    /// The first scheme, or the first OAuth scheme: the one a stand-in caller is said to use.
    #[cfg(feature = "testing")]
    pub(crate) fn likely_scheme(&self) -> Option<usize> {
        let schemes = &self.0.schemes;
        schemes
            .iter()
            .position(|accepted| accepted.is_oauth)
            .or((!schemes.is_empty()).then_some(0))
    }
}

/// What is told when a scheme cannot say when to come back.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Keeps an answer out of every cache (RFC 9111 §5.2.2.5).
pub(crate) fn forbid_storing(headers: &mut HeaderMap) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    headers.insert(http::header::CACHE_CONTROL, NO_STORE);
}

/// An accepted scheme, by its place in the order, and the credentials that were sent for it.
type Presented<'s, 'r> = (usize, &'s Accepted, &'r [u8]);

/// A request that carries credentials in more than one place (rule 5).
enum Carried {
    InTwoPlaces,
}

impl Space {
    /// The credentials of the one accepted scheme that a request carries some of.
    fn presented<'r>(&self, head: Head<'r>) -> Result<Option<Presented<'_, 'r>>, Carried> {
        let mut presented = None;
        for (index, accepted) in self.schemes.iter().enumerate() {
            let field = match &accepted.source {
                Source::Authorization => &AUTHORIZATION,
                Source::Field(field) => field,
            };
            let mut lines = head.headers.get_all(field).iter();
            let Some(line) = lines.next() else { continue };
            if lines.next().is_some() {
                return Err(Carried::InTwoPlaces);
            }
            let value = match accepted.source {
                Source::Authorization => after_scheme(line.as_bytes(), &accepted.name),
                Source::Field(_) => Some(line.as_bytes()),
            };
            if let Some(value) = value
                && presented.replace((index, accepted, value)).is_some()
            {
                return Err(Carried::InTwoPlaces);
            }
        }
        Ok(presented)
    }

    /// The challenges that go with a denial, in the order of the schemes.
    fn challenges(&self, denial: &Denial, sender: &Sender) -> Vec<Challenge> {
        use crate::scheme::Problem;

        let used = match sender {
            Sender::Broken => None,
            Sender::Caller { scheme, .. } => *scheme,
        };
        let was_used = |index: usize| used == Some(index);
        let make = |accepted: &Accepted, scopes: &[&'static str], problem| {
            let occasion = Occasion {
                realm: &self.realm,
                scopes,
                problem,
            };
            let challenge = accepted.scheme.challenge(&occasion);
            challenge.unwrap_or_else(|_| accepted.plain.clone())
        };
        let schemes = self.schemes.iter().enumerate();
        match denial {
            // Every scheme is on offer; what was wrong stands with the one that was used.
            Denial::Unauthenticated { rejection, scopes } => schemes
                .map(|(index, accepted)| {
                    let problem = rejection
                        .filter(|_| was_used(index))
                        .map(Problem::InvalidToken);
                    make(accepted, scopes, problem)
                })
                .collect(),
            Denial::InsufficientScope { scopes } => schemes
                .filter(|(index, _)| was_used(*index))
                .map(|(_, accepted)| make(accepted, scopes, Some(Problem::InsufficientScope)))
                .collect(),
            // RFC 6750 §3 wants a challenge whenever the token does not open the resource, but
            // an error would send clients off to ask for scopes that do not help.
            Denial::Forbidden if sender.is_known() => schemes
                .filter(|(index, accepted)| was_used(*index) && accepted.is_oauth)
                .map(|(_, accepted)| make(accepted, &[], None))
                .collect(),
            Denial::BrokenRequest => schemes
                .filter(|(_, accepted)| accepted.is_oauth)
                .map(|(_, accepted)| make(accepted, &[], Some(Problem::InvalidRequest)))
                .collect(),
            Denial::Forbidden | Denial::NotFound | Denial::Unverifiable { .. } => Vec::new(),
        }
    }
}

/// What stands behind the scheme's name in `Authorization`, if the name is this one.
fn after_scheme<'r>(line: &'r [u8], name: &str) -> Option<&'r [u8]> {
    let (scheme, rest) = line.split_at_checked(name.len())?;
    let ends = rest.first().is_none_or(|byte| *byte == b' ');
    (ends && scheme.eq_ignore_ascii_case(name.as_bytes())).then_some(rest)
}

/// Credentials that a scheme can be asked to look at: not empty, not endless, visible ASCII.
fn well_formed(value: &[u8]) -> Option<&str> {
    let value = std::str::from_utf8(value).ok()?.trim_matches(' ');
    let fits = !value.is_empty() && value.len() <= ProtectionSpace::MAX_CREDENTIALS;
    (fits && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))).then_some(value)
}

/// Who sent a request, as far as a space can tell.
#[derive(Clone, Debug)]
pub(crate) enum Sender {
    /// Nobody can say: the request carries credentials twice (rule 5).
    Broken,
    /// This caller, with the credentials of that scheme.
    Caller {
        caller: Caller,
        scheme: Option<usize>,
    },
}

impl Sender {
    pub(crate) fn caller(caller: Caller, scheme: Option<usize>) -> Self {
        Self::Caller { caller, scheme }
    }

    /// Whether a denial of `policy` is kept from this sender.
    pub(crate) fn is_kept_from(&self, policy: &Policy) -> bool {
        match self {
            Self::Broken => policy.is_hidden(),
            Self::Caller { caller, .. } => policy.hides_from(caller),
        }
    }

    fn is_known(&self) -> bool {
        matches!(
            self,
            Self::Caller {
                caller: Caller::Known(_),
                ..
            }
        )
    }
}

/// A [`Sender`], now or later.
#[derive(Debug)]
pub(crate) enum Authentication {
    Done(Sender),
    Verifying {
        scheme: usize,
        verification: Verification,
    },
}

impl Future for Authentication {
    type Output = Sender;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Sender> {
        match &mut *self {
            Self::Done(sender) => std::task::Poll::Ready(std::mem::replace(sender, Sender::Broken)),
            Self::Verifying {
                scheme,
                verification,
            } => {
                let scheme = Some(*scheme);
                std::pin::Pin::new(verification)
                    .poll(context)
                    .map(|caller| Sender::caller(caller, scheme))
            }
        }
    }
}

/// Collects what a [`ProtectionSpace`] is made of.
#[must_use]
pub struct ProtectionSpaceBuilder {
    realm: Option<String>,
    schemes: Vec<Box<dyn Scheme>>,
    unknown_paths: UnknownPaths,
    render: Option<Render>,
}

impl ProtectionSpaceBuilder {
    /// Names the space; shown to users by clients. Visible ASCII. Required.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Accepts `scheme`, after those given before: challenges are sent in this order. One at
    /// least is required.
    pub fn scheme(mut self, scheme: impl Scheme) -> Self {
        self.schemes.push(Box::new(scheme));
        self
    }

    /// What anonymous callers are told of unknown and of hidden paths. Default:
    /// [`UnknownPaths::NotFound`].
    pub fn unknown_paths(mut self, unknown_paths: UnknownPaths) -> Self {
        self.unknown_paths = unknown_paths;
        self
    }

    /// Writes the bodies of denials, in place of the built-in problem details, HTML and text.
    ///
    /// Status and challenges stay what they are. The same function writes the body of the 404 of
    /// unknown and hidden paths (unless the router has a fallback of its own), which it cannot
    /// tell apart.
    ///
    /// ```
    /// # use auth_runtime::ProtectionSpace;
    /// use auth_runtime::DenialBody;
    ///
    /// let builder = ProtectionSpace::builder().render(|denial, _request| {
    ///     DenialBody::new("application/json", format!(r#"{{"code":{}}}"#, denial.status().as_u16()))
    ///         .unwrap_or_default()
    /// });
    /// ```
    pub fn render(
        mut self,
        render: impl Fn(&Denial, &DeniedRequest) -> DenialBody + Send + Sync + 'static,
    ) -> Self {
        self.render = Some(Arc::new(render));
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`SpaceError`] says what is missing or illegal.
    pub fn build(self) -> Result<ProtectionSpace, SpaceError> {
        let realm = self.realm.ok_or(SpaceError::NoRealm)?;
        if self.schemes.is_empty() {
            return Err(SpaceError::NoScheme);
        }
        let mut schemes: Vec<Accepted> = Vec::with_capacity(self.schemes.len());
        for scheme in self.schemes {
            let accepted = accept(scheme, &realm)?;
            if let Some(name) = clash(&schemes, &accepted) {
                return Err(SpaceError::SchemeTwice(name));
            }
            schemes.push(accepted);
        }
        Ok(ProtectionSpace(Arc::new(Space {
            realm,
            schemes,
            unknown_paths: self.unknown_paths,
            render: self.render,
        })))
    }
}

fn accept(scheme: Box<dyn Scheme>, realm: &str) -> Result<Accepted, SpaceError> {
    let name = scheme.name().to_owned();
    let illegal = |error| SpaceError::Challenge {
        scheme: name.clone(),
        error,
    };
    if !is_token(&name) {
        return Err(illegal(ChallengeError::Scheme(name.clone())));
    }
    let occasion = Occasion {
        realm,
        scopes: &[],
        problem: None,
    };
    let plain = scheme.challenge(&occasion).map_err(illegal)?;
    Ok(Accepted {
        name,
        source: scheme.source(),
        is_oauth: scheme.is_oauth(),
        plain,
        scheme,
    })
}

/// The name of the new scheme if an earlier one would take its credentials.
fn clash(earlier: &[Accepted], new: &Accepted) -> Option<String> {
    earlier
        .iter()
        .any(|old| {
            old.name.eq_ignore_ascii_case(&new.name)
                || (old.source == new.source && old.source != Source::Authorization)
        })
        .then(|| new.name.clone())
}

/// What keeps a [`ProtectionSpace`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpaceError {
    /// No realm was given.
    NoRealm,
    /// No scheme was given, so no caller could ever prove who it is.
    NoScheme,
    /// Two schemes of one name, or reading the same field.
    SchemeTwice(String),
    /// A challenge that is not legal, mostly for its realm.
    Challenge {
        /// The scheme's name.
        scheme: String,
        /// What is wrong with it.
        error: ChallengeError,
    },
}

impl fmt::Display for SpaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRealm => {
                f.write_str("the protection space has no realm; name it with `.realm(\"…\")`")
            }
            Self::NoScheme => f.write_str(
                "the protection space accepts no scheme, so nobody could log in; \
                 add one with `.scheme(…)`",
            ),
            Self::SchemeTwice(name) => write!(
                f,
                "the scheme `{name}` has the name or the field of an earlier one",
            ),
            Self::Challenge { scheme, error } => {
                write!(
                    f,
                    "the challenge of the scheme `{scheme}` is not legal: {error}"
                )
            }
        }
    }
}

impl std::error::Error for SpaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Challenge { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Debug for ProtectionSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<_> = self.0.schemes.iter().map(|s| s.name.as_str()).collect();
        f.debug_struct("ProtectionSpace")
            .field("realm", &self.0.realm)
            .field("schemes", &schemes)
            .field("unknown_paths", &self.0.unknown_paths)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProtectionSpaceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectionSpaceBuilder")
            .field("realm", &self.realm)
            .field("unknown_paths", &self.unknown_paths)
            .finish_non_exhaustive()
    }
}
