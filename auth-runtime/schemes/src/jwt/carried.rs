//! JWTs in places other than `Authorization`.

use std::fmt;

use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, Rejection, Scheme, Source,
    Verification,
};
use auth_runtime_policy::scheme::is_token;
use http::{HeaderName, HeaderValue};

use super::Jwt;
use crate::cookie;
use crate::field::credential_field;
use crate::login_challenge::login_challenge;
use crate::origin::{TrustedOrigins, TrustedOriginsError};

impl Jwt {
    /// A scheme for tokens in a header field that clients add: the token is the whole value. For the field of a
    /// gateway, use [`in_gateway_field`](Self::in_gateway_field).
    ///
    /// ```
    /// # fn scheme(jwt: auth_runtime::schemes::Jwt)
    /// #     -> Result<auth_runtime::schemes::CarriedJwt, auth_runtime::schemes::CarriedJwtError> {
    /// let scheme = jwt.in_field("x-access-token").build()?;
    /// # Ok(scheme)
    /// # }
    /// ```
    pub fn in_field(&self, name: impl Into<String>) -> CarriedJwtBuilder {
        CarriedJwtBuilder::new(self, TokenPlace::Field(name.into()), "JWT")
    }

    /// A scheme for tokens in a header field that a gateway adds, such as `Cf-Access-Jwt-Assertion` or
    /// `X-Goog-Iap-Jwt-Assertion`. The token is the whole value.
    ///
    /// Each token is verified, so the field does not have to come from the gateway itself.
    ///
    /// The login at the gateway is a cookie. A browser also sends it with requests that pages of other origins cause,
    /// and the gateway adds the field to these requests. The scheme rejects those that change state or open a
    /// WebSocket, as `Sessions` does with a session cookie, by [`TrustedOrigins`].
    ///
    /// ```
    /// # fn scheme(jwt: auth_runtime::schemes::Jwt)
    /// #     -> Result<auth_runtime::schemes::CarriedJwt, auth_runtime::schemes::CarriedJwtError> {
    /// let scheme = jwt.in_gateway_field("cf-access-jwt-assertion").build()?;
    /// # Ok(scheme)
    /// # }
    /// ```
    pub fn in_gateway_field(&self, name: impl Into<String>) -> CarriedJwtBuilder {
        CarriedJwtBuilder::new(self, TokenPlace::GatewayField(name.into()), "JWT")
    }

    /// A scheme for tokens in a cookie.
    ///
    /// A cookie is not an explicit credential: beside a credential of another scheme it is ignored.
    /// State-changing requests and WebSocket handshakes that pages of other origins cause are rejected, as those with a
    /// session cookie are, by [`TrustedOrigins`]. A response to an invalid or expired token removes the cookie with the
    /// path `/` and no domain. Browsers ignore this in responses to scripts of another site.
    ///
    /// ```
    /// # fn scheme(jwt: auth_runtime::schemes::Jwt)
    /// #     -> Result<auth_runtime::schemes::CarriedJwt, auth_runtime::schemes::CarriedJwtError> {
    /// let scheme = jwt
    ///     .in_cookie("__Host-token")
    ///     .trust_origin("https://app.example")
    ///     .login_page("/login")
    ///     .build()?;
    /// # Ok(scheme)
    /// # }
    /// ```
    pub fn in_cookie(&self, name: impl Into<String>) -> CarriedJwtBuilder {
        CarriedJwtBuilder::new(self, TokenPlace::Cookie(name.into()), "Cookie")
    }

    /// A scheme for tokens in `Sec-WebSocket-Protocol` (RFC 6455 §11.3.4), since scripts in browsers can
    /// set no other field of a handshake. The token is offered after the subprotocol of this name:
    /// `new WebSocket(url, ["bearer", token])`.
    ///
    /// A browser opens the connection only if one of the offered subprotocols is accepted. If the handler
    /// accepts none, the router accepts this one in its response; the token is never repeated. Handlers
    /// with subprotocols of their own accept theirs: `["graphql-transport-ws", "bearer", token]`.
    ///
    /// ```
    /// # fn schemes(jwt: auth_runtime::schemes::Jwt)
    /// #     -> Result<auth_runtime::ProtectionSpace, Box<dyn std::error::Error>> {
    /// use auth_runtime::ProtectionSpace;
    /// use auth_runtime::schemes::Bearer;
    ///
    /// // The challenge of Bearer is for all clients: browsers do not show it to scripts.
    /// let in_browsers = jwt.in_subprotocol("bearer").without_challenge().build()?;
    /// let space = ProtectionSpace::builder()
    ///     .realm("chat")
    ///     .scheme(Bearer::jwt(jwt))
    ///     .scheme(in_browsers)
    ///     .build()?;
    /// # Ok(space)
    /// # }
    /// ```
    pub fn in_subprotocol(&self, name: impl Into<String>) -> CarriedJwtBuilder {
        CarriedJwtBuilder::new(self, TokenPlace::Subprotocol(name.into()), "JWT")
    }
}

/// A scheme for JWTs in a place other than `Authorization`: see [`Jwt::in_field`], [`Jwt::in_gateway_field`],
/// [`Jwt::in_cookie`] and [`Jwt::in_subprotocol`].
///
/// HTTP has no registered scheme for such a place, but RFC 9110 §15.5.2 requires a challenge. The
/// challenge is the [name](CarriedJwtBuilder::scheme_name) and the realm, and policies refer to the scheme
/// by that name. A token with `cnf` is rejected, since it is bound to a key.
pub struct CarriedJwt {
    jwt: Jwt,
    name: String,
    source: Source,
    /// The value of `Set-Cookie` that removes the cookie.
    removal: Option<HeaderValue>,
    /// The origins that may act with the login of a browser; `None` if only clients and scripts add the token.
    origins: Option<TrustedOrigins>,
    login_page: Option<String>,
    has_challenge: bool,
}

impl Scheme for CarriedJwt {
    fn name(&self) -> &str {
        &self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![self.source.clone()]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        let origins = self.origins.as_ref();
        origins.map_or_else(Vec::new, TrustedOrigins::request_fields)
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let origins = self.origins.as_ref();
        if origins.is_some_and(|origins| !origins.allow(credentials)) {
            return Verification::done(Caller::Rejected(Rejection::InvalidProof));
        }
        self.jwt.verify(credentials.value())
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        login_challenge(&self.name, context)
    }

    fn fields(&self, context: &ChallengeContext<'_>) -> Vec<(HeaderName, HeaderValue)> {
        cookie::removal_field(self.removal.as_ref(), context)
    }

    fn has_challenge(&self) -> bool {
        self.has_challenge
    }

    fn supports_step_up(&self) -> bool {
        true
    }

    fn login_page(&self) -> Option<&str> {
        self.login_page.as_deref()
    }
}

enum TokenPlace {
    Field(String),
    GatewayField(String),
    Cookie(String),
    Subprotocol(String),
}

/// Builds a [`CarriedJwt`].
#[must_use]
pub struct CarriedJwtBuilder {
    jwt: Jwt,
    place: TokenPlace,
    name: String,
    origins: Result<TrustedOrigins, TrustedOriginsError>,
    login_page: Option<String>,
    has_challenge: bool,
}

impl CarriedJwtBuilder {
    fn new(jwt: &Jwt, place: TokenPlace, name: &str) -> Self {
        Self {
            jwt: jwt.clone(),
            place,
            name: name.to_owned(),
            origins: Ok(TrustedOrigins::default()),
            login_page: None,
            has_challenge: true,
        }
    }

    /// Sets the name of the scheme, in its challenge and in `schemes("…")` of policies. Default: `Cookie`
    /// for a cookie, otherwise `JWT`. The schemes of one space have different names.
    pub fn scheme_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Leaves the scheme without a challenge, for places that clients cannot fill on request, such as the
    /// field of a gateway. A rejected token counts as none then. Default: a challenge of the name and the
    /// realm.
    ///
    /// A handler that accepts only schemes without a challenge has to be hidden (`hide_as = 404`).
    pub fn without_challenge(mut self) -> Self {
        self.has_challenge = false;
        self
    }

    /// Allows pages of another origin, such as `https://app.example`, to act with the cookie, or with the login at the
    /// gateway. Can be called several times. Default: none.
    pub fn trust_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins = self.origins.and_then(|origins| origins.trust(origin));
        self
    }

    /// Sets the login page: a path on this host. A page navigation of a browser without a valid token
    /// receives a 303 to it in place of a 401, with the path to return to in the parameter `next`, as for
    /// [`SessionsBuilder::login_page`](crate::SessionsBuilder::login_page). Default: none.
    pub fn login_page(mut self, page: impl Into<String>) -> Self {
        self.login_page = Some(page.into());
        self
    }

    /// Builds the scheme. Its name and the login page are checked by the builder of the space.
    ///
    /// # Errors
    ///
    /// [`CarriedJwtError`] names an invalid setting.
    pub fn build(self) -> Result<CarriedJwt, CarriedJwtError> {
        let origins = self.origins.map_err(CarriedJwtError::Origin)?;
        let is_of_browser = matches!(
            self.place,
            TokenPlace::Cookie(_) | TokenPlace::GatewayField(_)
        );
        if !origins.is_empty() && !is_of_browser {
            return Err(CarriedJwtError::UnusedOrigin);
        }
        let mut removal = None;
        let source = match self.place {
            TokenPlace::Field(name) | TokenPlace::GatewayField(name) => {
                match credential_field(&name) {
                    Some(field) => Source::Field(field),
                    None => return Err(CarriedJwtError::Field(name)),
                }
            }
            TokenPlace::Cookie(name) => {
                removal = cookie::removal(&name);
                match removal {
                    Some(_) => Source::Cookie(name),
                    None => return Err(CarriedJwtError::Cookie(name)),
                }
            }
            TokenPlace::Subprotocol(name) if is_token(&name) => Source::Subprotocol(name),
            TokenPlace::Subprotocol(name) => return Err(CarriedJwtError::Subprotocol(name)),
        };
        Ok(CarriedJwt {
            jwt: self.jwt,
            name: self.name,
            source,
            removal,
            origins: is_of_browser.then_some(origins),
            login_page: self.login_page,
            has_challenge: self.has_challenge,
        })
    }
}

/// An error of building a [`CarriedJwt`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CarriedJwtError {
    /// The name is not valid for a field, or the field has another meaning.
    Field(String),
    /// The name is not valid for a cookie.
    Cookie(String),
    /// The name is not valid for a subprotocol.
    Subprotocol(String),
    /// A trusted origin is not an origin.
    Origin(TrustedOriginsError),
    /// An origin is trusted, but the token is neither in a cookie nor in the field of a gateway.
    UnusedOrigin,
}

impl fmt::Display for CarriedJwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(
                f,
                "tokens cannot be read from the field {name:?}; for `Authorization`, use `Bearer::jwt`"
            ),
            Self::Cookie(name) => write!(f, "no cookie can have the name {name:?}"),
            Self::Subprotocol(name) => write!(f, "no subprotocol can have the name {name:?}"),
            Self::Origin(error) => error.fmt(f),
            Self::UnusedOrigin => f.write_str(
                "an origin is trusted, and the token is neither in a cookie nor in the field of a gateway; a browser \
                 does not send it by itself",
            ),
        }
    }
}

impl std::error::Error for CarriedJwtError {}

impl fmt::Debug for CarriedJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarriedJwt")
            .field("name", &self.name)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CarriedJwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarriedJwtBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
