//! The trait that every authentication scheme implements.

pub(crate) mod user_type;
pub(crate) mod verification;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::caller::Rejection;
use crate::challenge::{Challenge, ChallengeError};
use crate::client_address::{Client, ClientAddress};
use crate::clock::Clock;
use crate::head::Head;
use crate::scheme::user_type::UserType;
use crate::scheme::verification::Verification;

/// An authentication scheme (RFC 9110 §11.1).
///
/// The [`ProtectionSpace`](crate::ProtectionSpace) finds the credentials, and writes the responses, also the 400 to
/// ambiguous credentials. A scheme only determines the owner of the credentials.
///
/// ```
/// use auth_runtime::{Caller, Identity, ProtectionSpace};
/// use auth_runtime::schemes::{Credentials, Scheme, Verification};
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
/// (A real scheme looks up secrets by their hash, or compares them in constant time.)
pub trait Scheme: Send + Sync + 'static {
    /// The name in `Authorization` and in the challenge, in its registered spelling. It is a token
    /// (RFC 9110 §11.1) and is matched case-insensitively.
    fn name(&self) -> &str;

    /// The places of the credentials in a request. Credentials in two places are ambiguous (400, RFC 6750 §2), but
    /// a cookie or the connection beside other credentials is ignored. Called once, when the space is built. Default: in
    /// `Authorization`, after the scheme's name.
    fn sources(&self) -> Vec<Source> {
        vec![Source::Authorization]
    }

    /// The request fields that [`verify`](Self::verify) reads beside its [`sources`](Self::sources), such as a proof of
    /// possession. If a layer of a hidden route changes one of them, the decision in front of the layer does not apply
    /// behind it, and another one is made. Called once, when the space is built. Default: none.
    fn request_fields(&self) -> Vec<HeaderName> {
        Vec::new()
    }

    /// Verifies `credentials`. Called once for the credentials in each
    /// [`source`](Self::sources) of a request, and only if there are some; for a cookie, once for each
    /// of the last four different values of its name.
    ///
    /// If some path is hidden, it is called even if the policy does not accept the scheme, so that
    /// hidden and unknown paths take the same time.
    fn verify(&self, credentials: &Credentials<'_>) -> Verification;

    /// The challenge that requests credentials of this scheme. Default: the name and the realm,
    /// without the error of the request.
    ///
    /// # Errors
    ///
    /// The errors of [`ChallengeBuilder::build`](crate::ChallengeBuilder::build). It is called once
    /// when the space is built, to reject a challenge that is always invalid. A challenge that is
    /// invalid only for some requests is replaced by the challenge of the scheme without an error and scopes.
    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        let challenge = Challenge::builder(self.name()).constant();
        match context.realm() {
            Some(realm) => challenge.quoted("realm", realm).build(),
            None => challenge.build(),
        }
    }

    /// The additional challenges of a scheme with several, sent after the first one, in order of
    /// preference (RFC 7616 §3.7). Default: none.
    fn further_challenges(&self, context: &ChallengeContext<'_>) -> Vec<Challenge> {
        let _ = context;
        Vec::new()
    }

    /// The header fields that accompany the challenge. For a scheme with cookies, also the fields
    /// of a 400 for ambiguous cookies, with [`ErrorCode::InvalidRequest`]. Each name occurs once, except
    /// `Set-Cookie` (RFC 9110 §5.3). Default: none.
    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let _ = context;
        Vec::new()
    }

    /// The header fields of the response to a request that was granted by credentials of this scheme, such
    /// as a new nonce. A field that the handler sets itself is kept, and so is a cookie of the same name. Caches
    /// do not store a response with such a field. Default: none.
    fn granted_fields(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        let _ = headers;
        Vec::new()
    }

    /// Returns whether browsers open a password prompt for the challenge. Such a challenge is
    /// omitted from responses to scripts. Default: no.
    fn triggers_browser_prompt(&self) -> bool {
        false
    }

    /// Returns whether a challenge can request credentials of this scheme from a client without
    /// them. If not, as with a secret in a URL, no challenge is sent for it, and rejected
    /// credentials count as none, since the client could not act on a 401. Default: yes.
    ///
    /// A handler that only such schemes can meet has to be hidden (`hide_as = 404`): a 401 requires
    /// a challenge (RFC 9110 §15.5.2).
    fn has_challenge(&self) -> bool {
        true
    }

    /// The format of the credentials, such as `JWT` (RFC 7519), for `bearerFormat` in OpenAPI.
    /// Default: unspecified.
    fn format(&self) -> Option<&str> {
        None
    }

    /// Returns whether callers that use this scheme can prove possession of the key that their
    /// credentials are bound to
    /// ([`Identity::with_sender_constraint`](crate::Identity::with_sender_constraint)). If a policy
    /// requires that, only challenges of such schemes are sent. Default: no.
    fn constrains_sender(&self) -> bool {
        false
    }

    /// Returns whether the credentials in a field sign the body of the request, as those of a webhook do.
    /// A `GuardedRouter` then reads the body of a request with such credentials before they are verified,
    /// up to [`max_body`](crate::ProtectionSpaceBuilder::max_body) bytes, and passes it on
    /// unchanged. A longer or incomplete body is a 400, on hidden and on unknown paths too. Default: no.
    fn signs_body(&self) -> bool {
        false
    }

    /// Returns whether the tokens of this scheme have OAuth scopes, so that a client can request
    /// missing ones (RFC 6750 §3.1). Default: no.
    fn is_oauth(&self) -> bool {
        false
    }

    /// Returns whether clients of this scheme request a token with the scopes of a challenge from a token
    /// server, and only after a 401, as clients of container registries do. Missing scopes are then a 401 in
    /// place of a 403. Only for OAuth schemes. Default: no.
    fn has_token_server(&self) -> bool {
        false
    }

    /// Returns whether the identities of this scheme contain the method and time of the login, so
    /// that a fresher or stronger login can be requested (RFC 9470). Default: yes for OAuth
    /// schemes, otherwise no.
    fn supports_step_up(&self) -> bool {
        self.is_oauth()
    }

    /// The page for users of a browser to obtain credentials of this scheme: a path on this host,
    /// with an optional query. A page navigation without credentials is redirected to it in place
    /// of a 401; see `SessionsBuilder::login_page`. Called once, when the space is built. Default:
    /// none.
    fn login_page(&self) -> Option<&str> {
        None
    }

    /// Returns whether every identity of this scheme has a [user](crate::Identity::user) of this type, so that
    /// handlers can take it as a parameter. Default: no; the methods of
    /// [`SchemeExt`](crate::SchemeExt) make it true.
    fn provides_user(&self, user: UserType) -> bool {
        let _ = user;
        false
    }

    /// The scheme of the application: [`verify`](Self::verify) requires its credentials beside those of the user.
    /// Called when the space is built, and for challenges. Default: none;
    /// [`SchemeExt::with_application`](crate::SchemeExt::with_application) adds one. A space refuses an application
    /// that has one itself.
    fn application(&self) -> Option<&dyn Scheme> {
        None
    }
}

/// The place of credentials in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// In `Authorization`, after the name of the scheme and a space (RFC 9110 §11.6.2).
    Authorization,
    /// The whole value of `Authorization`, without the name of a scheme, as cargo sends the token of a
    /// registry. A value with a space, or with the name of an accepted scheme, is not a bare one.
    BareAuthorization,
    /// The whole value of a field that is specific to the scheme.
    Field(HeaderName),
    /// The whole value of a field that is specific to the scheme, as UTF-8 without control characters. Other sources accept visible ASCII. An empty value counts
    /// as absent: some proxies send it for a visitor without a login.
    TextField(HeaderName),
    /// The value of the cookie with this name (RFC 6265 §5.4), which is case-sensitive. Of several
    /// values, rejected ones are ignored; two remaining ones are ambiguous.
    ///
    /// A browser also sends cookies with requests that pages of other sites cause. A scheme has to
    /// distinguish these, as `Sessions` does.
    Cookie(String),
    /// The value that is offered in `Sec-WebSocket-Protocol` directly after the subprotocol of this
    /// name, which is case-sensitive (RFC 6455 §11.3.4).
    ///
    /// A `GuardedRouter` accepts the subprotocol of this name if the handler accepts none.
    Subprotocol(String),
    /// The value of this parameter of the target's query (RFC 6750 §2.3).
    Query(String),
    /// The value of this field of a form in the body of a `POST`, `PUT` or `PATCH` (RFC 6750 §2.2).
    /// Supported only by a `GuardedRouter`.
    Form(String),
    /// The connection of the client, which the scheme reads itself: [`Credentials::value`] is empty. With a field,
    /// a reverse proxy describes the connection in it, as in `Client-Cert` (RFC 9440); otherwise the server does so
    /// in the [extensions](Credentials::extensions). The scheme reports [`Caller::Anonymous`](crate::Caller::Anonymous)
    /// if there are no credentials.
    ///
    /// All requests of a connection have the same ones, so they are ignored beside explicit credentials and beside
    /// a live cookie. The rules for browsers are those of a [cookie](Self::Cookie).
    Connection(Option<HeaderName>),
}

impl Source {
    /// The request field that contains the credentials; `None` for the query, for forms and for extensions.
    pub(crate) fn field(&self) -> Option<&HeaderName> {
        match self {
            Self::Authorization | Self::BareAuthorization => Some(&AUTHORIZATION),
            Self::Field(name) | Self::TextField(name) => Some(name),
            Self::Cookie(_) => Some(&COOKIE),
            Self::Subprotocol(_) => Some(&SEC_WEBSOCKET_PROTOCOL),
            Self::Connection(field) => field.as_ref(),
            Self::Query(_) | Self::Form(_) => None,
        }
    }
}

/// The credentials that a client sent, and the head of the request.
///
/// The `Debug` output omits the credentials.
#[derive(Clone, Copy)]
pub struct Credentials<'r> {
    value: &'r str,
    head: Head<'r>,
    client_address: &'r ClientAddress,
    clock: &'r Clock,
    body: Option<&'r Bytes>,
}

impl<'r> Credentials<'r> {
    pub(crate) fn new(
        value: &'r str,
        head: Head<'r>,
        client_address: &'r ClientAddress,
        clock: &'r Clock,
        body: Option<&'r Bytes>,
    ) -> Self {
        Self {
            value,
            head,
            client_address,
            clock,
            body,
        }
    }

    /// The same request with other credentials, which do not sign its body.
    pub(crate) fn with_value<'v>(&self, value: &'v str) -> Credentials<'v>
    where
        'r: 'v,
    {
        Credentials {
            value,
            body: None,
            ..*self
        }
    }

    /// Starts to verify them by `scheme`. An [expired](crate::Identity::with_expiry) identity is rejected.
    pub(crate) fn verify_by(&self, scheme: &dyn Scheme) -> Verification {
        scheme.verify(self).unless_expired(self.clock)
    }

    /// The credentials without the name of the scheme: visible ASCII and spaces (or text, for a
    /// [`Source::TextField`]), never empty, at most
    /// [`ProtectionSpace::MAX_CREDENTIALS`](crate::ProtectionSpace::MAX_CREDENTIALS) bytes long. Empty for a
    /// [`Source::Connection`].
    pub fn value(&self) -> &'r str {
        self.value
    }

    /// The request's method.
    pub fn method(&self) -> &'r Method {
        self.head.method
    }

    /// The target of the request, as the client sent it; behind a layer around the router that changes it, only if the
    /// layer keeps an `OriginalUri`.
    pub fn uri(&self) -> &'r Uri {
        self.head.sent_uri()
    }

    /// The header fields of the request.
    pub fn headers(&self) -> &'r HeaderMap {
        self.head.headers
    }

    /// The client, as determined by the
    /// [`client_address`](crate::ProtectionSpaceBuilder::client_address) of the space, so that a
    /// scheme with an expensive verification can limit the share of each client.
    pub fn client(&self) -> Client {
        self.client_address.find(self.head)
    }

    /// The peer of the connection, if the server provides it.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.head.peer()
    }

    /// The body of the request, for a scheme that [signs](Scheme::signs_body) it. `None` outside a
    /// `GuardedRouter`.
    pub fn body(&self) -> Option<&'r [u8]> {
        self.body.map(|body| &**body)
    }

    /// Returns the head of the request.
    pub(crate) fn head(&self) -> Head<'r> {
        self.head
    }

    /// The request's extensions: data from the server and the outer layers.
    pub fn extensions(&self) -> &'r Extensions {
        self.head.extensions
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// The data for a challenge.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeContext<'a> {
    pub(crate) realm: Option<&'a str>,
    pub(crate) resource_metadata: Option<&'a str>,
    pub(crate) scopes: &'a [Cow<'static, str>],
    pub(crate) error: Option<ErrorCode<'a>>,
}

impl<'a> ChallengeContext<'a> {
    /// The realm of the handler or the space (RFC 9110 §11.5). It is present, except for schemes
    /// with other parameters, such as OAuth schemes with
    /// [`resource_metadata`](Self::resource_metadata).
    pub fn realm(&self) -> Option<&'a str> {
        self.realm
    }

    /// The URL of the resource's metadata (RFC 9728 §5.1), for OAuth schemes.
    pub fn resource_metadata(&self) -> Option<&'a str> {
        self.resource_metadata
    }

    /// The scopes to request; empty if scopes are not required, or must not be disclosed.
    pub fn scopes(&self) -> &'a [Cow<'static, str>] {
        self.scopes
    }

    /// The error of the request; `None` if it carried no credentials of this scheme.
    pub fn error(&self) -> Option<ErrorCode<'a>> {
        self.error
    }
}

/// The error of a request, in the terms of RFC 6750 §3.1 and RFC 9470 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode<'a> {
    /// `invalid_request`: the request carries credentials in an invalid way, or a body that cannot be read.
    InvalidRequest,
    /// `invalid_token`: the credentials are invalid.
    InvalidToken(Rejection),
    /// `insufficient_scope`: the credentials are valid, but lack scopes.
    InsufficientScope,
    /// `insufficient_user_authentication`: the credentials are valid, but stem from a login that is
    /// too old or too weak.
    InsufficientUserAuthentication {
        /// The sufficient authentication context classes, in order of preference.
        acr_values: &'a [Cow<'static, str>],
        /// The maximum age of the login.
        max_age: Option<Duration>,
    },
}
