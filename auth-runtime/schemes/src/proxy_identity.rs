//! Identities that a reverse proxy has authenticated.

use std::fmt;

use auth_runtime_core::{
    Caller, Credentials, Identity, Rejection, Scheme, Source, TrustedProxies, TrustedProxiesError,
    Verification,
};
use http::HeaderName;
use ipnet::IpNet;

use crate::field::{credential_field, is_from_proxy, only_line};
use crate::origin::{TrustedOrigins, TrustedOriginsError};

/// Callers that a reverse proxy has authenticated, and that it names in a field.
///
/// | proxy | field of the user | field of the groups |
/// |---|---|---|
/// | Authelia, nginx (the defaults) | `Remote-User` | `Remote-Groups` |
/// | Authentik, with [`roles_separator('\|')`](ProxyIdentityBuilder::roles_separator) | `X-Authentik-Username` | `X-Authentik-Groups` |
/// | oauth2-proxy | `X-Forwarded-User` | `X-Forwarded-Groups` |
/// | Tailscale Serve | `Tailscale-User-Login` | |
///
/// Any client can send such a field. Therefore it counts only if the peer is a configured proxy, by the address of
/// its socket; from another peer, it counts as no credentials. The server has to provide that address
/// (`into_make_service_with_connect_info`); otherwise each field is ignored, and an error is logged. A
/// field of the user that is not text, or occurs twice, is invalid whichever peer sends it. The proxy has to replace or remove both
/// fields in the requests of clients, also that of the groups for a user without groups. The
/// [guide](https://docs.rs/auth-runtime/latest/auth_runtime/guide/identities#proxies) has the settings of some proxies.
///
/// Some proxies send a field without a user or without groups. These values count as no user, so the caller is
/// anonymous, and as no groups:
///
/// | value | proxy |
/// |---|---|
/// | empty | Apache httpd with `expr=%{REMOTE_USER}`, HAProxy |
/// | `(null)` | Apache httpd with `%{REMOTE_USER}e` |
/// | text that starts with `{http.`, the name of a variable | Caddy before 2.10 |
///
/// ```
/// use auth_runtime::ProtectionSpace;
/// use auth_runtime::schemes::ProxyIdentity;
///
/// let authelia = ProxyIdentity::builder(["10.0.0.7/32".parse()?])
///     .roles_field("Remote-Groups")
///     .build()?;
/// let space = ProtectionSpace::builder().realm("wiki").scheme(authelia).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The name of the user is text in UTF-8, and the groups are separated by commas, or by another
/// [separator](ProxyIdentityBuilder::roles_separator). The scheme in the challenge, `Proxy`, is not registered. A client receives it only if the proxy forwards a request without a login.
///
/// # Browsers
///
/// A browser keeps the login at the proxy, as a cookie in most cases. It also sends the cookie with requests that pages
/// of other origins cause, and the proxy then names the user. The scheme rejects those that change state or open a
/// WebSocket, as `Sessions` does with a session cookie, by [`TrustedOrigins`]. A handler with an optional identity does
/// not receive them either: the response is 401, since the field is an explicit credential.
pub struct ProxyIdentity {
    name: String,
    user: HeaderName,
    roles: Option<HeaderName>,
    separator: char,
    proxies: TrustedProxies,
    origins: TrustedOrigins,
}

impl ProxyIdentity {
    /// Starts with the addresses of the proxies, and with the field `Remote-User`.
    pub fn builder(proxies: impl IntoIterator<Item = IpNet>) -> ProxyIdentityBuilder {
        ProxyIdentityBuilder {
            name: "Proxy".to_owned(),
            user: "remote-user".to_owned(),
            roles: None,
            separator: ',',
            proxies: TrustedProxies::new(proxies),
            origins: Ok(TrustedOrigins::default()),
        }
    }

    /// Reads the user and the roles; `None` if the roles are malformed.
    fn identify(&self, credentials: &Credentials<'_>) -> Option<Identity> {
        let identity = Identity::new(credentials.value());
        let Some(field) = &self.roles else {
            return Some(identity);
        };
        let line = match only_line(credentials.headers(), field) {
            Some(line) => std::str::from_utf8(line?.as_bytes()).ok()?,
            None => "",
        };
        if line.contains(char::is_control) {
            return None;
        }
        if is_unset(line) {
            return Some(identity);
        }
        let roles = line
            .split(self.separator)
            .map(str::trim)
            .filter(|role| !role.is_empty());
        Some(identity.with_roles(roles))
    }
}

impl Scheme for ProxyIdentity {
    fn name(&self) -> &str {
        &self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::TextField(self.user.clone())]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        let mut fields = self.origins.request_fields();
        fields.extend(self.roles.clone());
        fields
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let names_user = !is_unset(credentials.value());
        if !names_user || !is_from_proxy(&self.proxies, credentials, &self.user) {
            return Verification::done(Caller::Anonymous);
        }
        if !self.origins.allow(credentials) {
            return Verification::done(Caller::Rejected(Rejection::InvalidProof));
        }
        Verification::done(match self.identify(credentials) {
            Some(identity) => Caller::known(identity),
            None => Caller::Rejected(Rejection::Malformed),
        })
    }
}

/// Returns whether a proxy writes this text for a variable without a value.
fn is_unset(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text == "(null)" || text.starts_with("{http.")
}

/// Builds a [`ProxyIdentity`].
#[must_use]
pub struct ProxyIdentityBuilder {
    name: String,
    user: String,
    roles: Option<String>,
    separator: char,
    proxies: Result<TrustedProxies, TrustedProxiesError>,
    origins: Result<TrustedOrigins, TrustedOriginsError>,
}

impl ProxyIdentityBuilder {
    /// Sets the field with the name of the user. Default: `Remote-User`.
    pub fn user_field(mut self, name: impl Into<String>) -> Self {
        self.user = name.into();
        self
    }

    /// Takes the roles of the user from this field, separated by commas or by another
    /// [separator](Self::roles_separator). Default: no roles.
    ///
    /// The proxy has to set or remove this field in each request. Otherwise clients could name their own roles.
    pub fn roles_field(mut self, name: impl Into<String>) -> Self {
        self.roles = Some(name.into());
        self
    }

    /// Sets the character between two roles. Default: a comma.
    ///
    /// ```
    /// use auth_runtime::schemes::ProxyIdentity;
    ///
    /// let authentik = ProxyIdentity::builder(["10.0.0.7/32".parse()?])
    ///     .user_field("X-Authentik-Username")
    ///     .roles_field("X-Authentik-Groups")
    ///     .roles_separator('|')
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn roles_separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Sets the name of the scheme, in its challenge and in `schemes("…")` of policies. Default: `Proxy`. The schemes of
    /// one space have different names.
    /// Two proxies in one space also have different fields of the user.
    pub fn scheme_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Allows pages of another origin, such as `https://app.example`, to act for the users of the proxy. Can be
    /// called several times. Default: none.
    pub fn trust_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins = self.origins.and_then(|origins| origins.trust(origin));
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`ProxyIdentityError`]: no proxy, a network that contains every address, an invalid field, or an invalid
    /// origin.
    pub fn build(self) -> Result<ProxyIdentity, ProxyIdentityError> {
        let field = |name: String| credential_field(&name).ok_or(ProxyIdentityError::Field(name));
        Ok(ProxyIdentity {
            proxies: self.proxies.map_err(ProxyIdentityError::Proxies)?,
            name: self.name,
            user: field(self.user)?,
            roles: self.roles.map(field).transpose()?,
            separator: self.separator,
            origins: self.origins.map_err(ProxyIdentityError::Origin)?,
        })
    }
}

/// An error of building a [`ProxyIdentity`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyIdentityError {
    /// The list of proxies is empty, or contains every address.
    Proxies(TrustedProxiesError),
    /// The field name is invalid, or has another meaning.
    Field(String),
    /// A trusted origin is not an origin.
    Origin(TrustedOriginsError),
}

impl fmt::Display for ProxyIdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxies(error) => error.fmt(f),
            Self::Field(name) => write!(f, "an identity cannot be read from the field {name:?}"),
            Self::Origin(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProxyIdentityError {}

impl fmt::Debug for ProxyIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyIdentity")
            .field("name", &self.name)
            .field("user", &self.user)
            .field("roles", &self.roles)
            .field("separator", &self.separator)
            .field("proxies", &self.proxies)
            .finish()
    }
}

impl fmt::Debug for ProxyIdentityBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyIdentityBuilder")
            .field("name", &self.name)
            .field("user", &self.user)
            .field("roles", &self.roles)
            .field("separator", &self.separator)
            .finish_non_exhaustive()
    }
}
