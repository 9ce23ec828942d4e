//! How callers prove who they are: the trait that every scheme implements.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::caller::{Caller, Rejection};
use crate::challenge::{Challenge, ChallengeError};
use crate::client_address::ClientAddress;
use crate::head::Head;

/// An authentication scheme (RFC 9110 §11.1).
///
/// The [`ProtectionSpace`](crate::ProtectionSpace) finds the credentials, selects those that count,
/// refuses requests where these are ambiguous, and writes the answer; a scheme only names their owner.
///
/// ```
/// use auth_runtime::{Caller, Credentials, Identity, ProtectionSpace, Scheme, Verification};
///
/// /// `Authorization: Badge 4711`
/// struct Badge;
///
/// impl Scheme for Badge {
///     fn name(&self) -> &str {
///         "Badge"
///     }
///
///     fn verify(&self, credentials: &Credentials<'_>) -> Verification {
///         Verification::done(match credentials.value() {
///             "4711" => Caller::known(Identity::new("gate").with_scopes(["door:open"])),
///             _ => Caller::rejected(),
///         })
///     }
/// }
///
/// let space = ProtectionSpace::builder().realm("plant").scheme(Badge).build()?;
/// # Ok::<(), auth_runtime::SpaceError>(())
/// ```
///
/// (A real one looks its secrets up by their hash, or compares them in constant time.)
pub trait Scheme: Send + Sync + 'static {
    /// The name in `Authorization` and in the challenge, in its registered spelling. A token
    /// (RFC 9110 §11.1); matched without regard to case.
    fn name(&self) -> &str;

    /// The places of the credentials in a request; one that has some in two places is refused (RFC 6750
    /// §2), but a cookie beside other credentials is ignored. Asked once, when the space is built. Default: in `Authorization`, behind the scheme's
    /// name.
    fn sources(&self) -> Vec<Source> {
        vec![Source::Authorization]
    }

    /// Verifies `credentials`. Called once for the credentials in each
    /// [`source`](Self::sources) of a request, and only if there are some; for a cookie, once for each
    /// of the last four different values of its name.
    ///
    /// Where something is hidden, it is called whether or not the policy accepts the scheme, so that a
    /// hidden path takes as long as an unknown one.
    fn verify(&self, credentials: &Credentials<'_>) -> Verification;

    /// The challenge that invites this scheme's credentials. Default: the name and the realm, and
    /// what is wrong with a request is not told.
    ///
    /// # Errors
    ///
    /// What [`ChallengeBuilder::build`](crate::ChallengeBuilder::build) refuses. It is called
    /// once when the space is built, so that a challenge that is never legal is found there; for
    /// one that is illegal only while serving, the plain name and realm are sent instead.
    fn challenge(&self, occasion: &Occasion<'_>) -> Result<Challenge, ChallengeError> {
        let challenge = Challenge::builder(self.name());
        match occasion.realm() {
            Some(realm) => challenge.quoted("realm", realm).build(),
            None => challenge.build(),
        }
    }

    /// The challenges that go behind that one, best first, where a scheme has several (RFC 7616
    /// §3.7). Default: none.
    fn further_challenges(&self, occasion: &Occasion<'_>) -> Vec<Challenge> {
        let _ = occasion;
        Vec::new()
    }

    /// Fields that go with that challenge; and for a scheme of cookies, with a 400 if these are
    /// ambiguous, which is a [`Problem::InvalidRequest`]. Default: none.
    fn fields(&self, occasion: &Occasion<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let _ = occasion;
        Vec::new()
    }

    /// Whether one [`Occasion`] may get another challenge, or other fields, than an equal one before it, as
    /// where there is a nonce in them. If not, they are asked for once, and denials cost less. Asked once,
    /// when the space is built. Default: yes.
    ///
    /// A scheme that says no, and goes by a clock, a counter or a secret all the same, gives everybody what
    /// it said first.
    fn challenge_varies(&self) -> bool {
        true
    }

    /// Whether browsers open a password prompt for its challenge; then it is left out of answers to
    /// scripts. Default: no.
    fn opens_prompt(&self) -> bool {
        false
    }

    /// Whether a client that has none of this scheme's credentials can be asked for some. If not, as
    /// with a secret that stands in a URL, no challenge is sent for it, and credentials that are
    /// rejected count as none, since nobody could do anything about a 401. Default: yes.
    ///
    /// A handler that accepts only such schemes has to hide (`hide_as = 404`): a 401 carries a
    /// challenge (RFC 9110 §15.5.2).
    fn can_be_asked_for(&self) -> bool {
        true
    }

    /// The format of this scheme's credentials, such as `JWT` (RFC 7519), for documentation: OpenAPI's
    /// `bearerFormat`. Default: it is not told.
    fn format(&self) -> Option<&str> {
        None
    }

    /// Whether this scheme's callers can prove to hold the key that their credentials are bound to
    /// ([`Identity::with_sender_constraint`](crate::Identity::with_sender_constraint)): where a policy
    /// asks for that, only such schemes are on offer. Default: no.
    fn constrains_sender(&self) -> bool {
        false
    }

    /// Whether this scheme's tokens carry OAuth scopes, so that a caller who lacks one can ask
    /// for it (RFC 6750 §3.1). Default: no.
    fn is_oauth(&self) -> bool {
        false
    }

    /// Whether this scheme's identities say how and when their owner logged in, so that its callers
    /// can be asked for a fresher or a stronger login (RFC 9470). Default: OAuth's schemes do.
    fn knows_login(&self) -> bool {
        self.is_oauth()
    }

    /// Where somebody with a browser gets this scheme's credentials: a path on this host, with a
    /// query if need be. Whoever goes to a page and lacks them is sent there in place of a 401; see
    /// [`SessionsBuilder::login_page`](crate::SessionsBuilder::login_page). Asked once, when the space
    /// is built. Default: nowhere.
    fn login_page(&self) -> Option<&str> {
        None
    }
}

/// Where a scheme's credentials stand in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// In `Authorization`, behind the scheme's name and a space (RFC 9110 §11.6.2).
    Authorization,
    /// The whole value of a field of the scheme's own.
    Field(HeaderName),
    /// The value of the cookie of this name (RFC 6265 §5.4). Other spellings of the name are other
    /// cookies. Of several values, those that are rejected are ignored; two that are left are ambiguous.
    ///
    /// A browser sends cookies along with requests that pages of other sites made it send: a scheme
    /// has to tell these apart, as [`Sessions`](crate::Sessions) does.
    Cookie(String),
    /// The value of this parameter of the target's query (RFC 6750 §2.3).
    Query(String),
    /// The value of this field of a form in the body of a `POST`, `PUT` or `PATCH` (RFC 6750 §2.2):
    /// found under a [`GuardedRouter`](crate::GuardedRouter) only.
    Form(String),
}

/// What a caller sent to prove who it is, and the request it came with.
///
/// Its `Debug` does not show the credentials.
#[derive(Clone, Copy)]
pub struct Credentials<'r> {
    value: &'r str,
    head: Head<'r>,
    client_address: &'r ClientAddress,
}

impl<'r> Credentials<'r> {
    pub(crate) fn new(value: &'r str, head: Head<'r>, client_address: &'r ClientAddress) -> Self {
        Self {
            value,
            head,
            client_address,
        }
    }

    /// The credentials without the scheme's name: visible ASCII and spaces, never empty, at most
    /// [`ProtectionSpace::MAX_CREDENTIALS`](crate::ProtectionSpace::MAX_CREDENTIALS) bytes long.
    pub fn value(&self) -> &'r str {
        self.value
    }

    /// The request's method.
    pub fn method(&self) -> &'r Method {
        self.head.method
    }

    /// The request's target, as the client sent it.
    pub fn uri(&self) -> &'r Uri {
        self.head.sent_uri()
    }

    /// The request's fields.
    pub fn headers(&self) -> &'r HeaderMap {
        self.head.headers
    }

    /// The address of the client, if it is known: found as the space's
    /// [`client_address`](crate::ProtectionSpaceBuilder::client_address) finds it.
    ///
    /// For schemes with a dear verification, to give each client a share of it.
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client_address.find(self.head)
    }

    /// What the server and the layers outside have found out about the request.
    pub fn extensions(&self) -> &'r Extensions {
        self.head.extensions
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A [`Caller`], now or later.
///
/// A scheme that only computes is done at once and costs no allocation; one that has to ask
/// somebody hands over a future.
///
/// ```
/// use auth_runtime::{Caller, Identity, Verification};
///
/// # async fn look_up(_: String) -> Option<String> { None }
/// fn verify(key: &str) -> Verification {
///     if key.len() != 32 {
///         return Verification::done(Caller::rejected());
///     }
///     let key = key.to_owned();
///     Verification::pending(async move {
///         match look_up(key).await {
///             Some(user) => Caller::known(Identity::new(user)),
///             None => Caller::rejected(),
///         }
///     })
/// }
/// ```
pub struct Verification(State);

enum State {
    Done(Caller),
    Pending(Pin<Box<dyn Future<Output = Caller> + Send>>),
}

impl Verification {
    /// The caller is found out already.
    pub fn done(caller: Caller) -> Self {
        Self(State::Done(caller))
    }

    /// The caller will be found out by `future`, which owns what it needs.
    pub fn pending(future: impl Future<Output = Caller> + Send + 'static) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// The caller, if it is found out already.
    pub(crate) fn into_caller(self) -> Result<Caller, Self> {
        match self.0 {
            State::Done(caller) => Ok(caller),
            pending @ State::Pending(_) => Err(Self(pending)),
        }
    }

    /// What `next` makes of the caller, once it is found out.
    #[cfg(feature = "jwt")]
    pub(crate) fn and_then(self, next: impl FnOnce(Caller) -> Caller + Send + 'static) -> Self {
        match self.0 {
            State::Done(caller) => Self::done(next(caller)),
            State::Pending(future) => Self::pending(async move { next(future.await) }),
        }
    }
}

impl Future for Verification {
    type Output = Caller;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Caller> {
        match &mut self.0 {
            State::Done(caller) => Poll::Ready(std::mem::replace(caller, Caller::Anonymous)),
            State::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Done(_) => "Verification::done",
            State::Pending(_) => "Verification::pending",
        })
    }
}

/// What a challenge is sent for.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    pub(crate) realm: Option<&'a str>,
    pub(crate) resource_metadata: Option<&'a str>,
    pub(crate) scopes: &'a [&'static str],
    pub(crate) problem: Option<Problem<'a>>,
}

impl<'a> Occasion<'a> {
    /// The realm of the handler or the space (RFC 9110 §11.5). There always is one, but for
    /// schemes that have enough to say without, as OAuth's do where there is
    /// [`resource_metadata`](Self::resource_metadata).
    pub fn realm(&self) -> Option<&'a str> {
        self.realm
    }

    /// The URL of the metadata of the resource (RFC 9728 §5.1), for OAuth schemes to point to.
    pub fn resource_metadata(&self) -> Option<&'a str> {
        self.resource_metadata
    }

    /// The scopes to ask for; empty if scopes are not what it takes, or must not be told.
    pub fn scopes(&self) -> &'a [&'static str] {
        self.scopes
    }

    /// What was wrong with the request; `None` if it carried no credentials of this scheme.
    pub fn problem(&self) -> Option<Problem<'a>> {
        self.problem
    }
}

/// What was wrong with a request, in the terms of RFC 6750 §3.1 and RFC 9470 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem<'a> {
    /// `invalid_request`: the credentials are carried in a way that no scheme allows.
    InvalidRequest,
    /// `invalid_token`: the credentials are no good.
    InvalidToken(Rejection),
    /// `insufficient_scope`: the credentials are good, and grant too little.
    InsufficientScope,
    /// `insufficient_user_authentication`: the credentials are good, and the login that they stem
    /// from is too old or too weak.
    InsufficientUserAuthentication {
        /// The authentication context classes that would do, best first.
        acr_values: &'a [&'static str],
        /// How long ago the login may be.
        max_age: Option<Duration>,
    },
}
