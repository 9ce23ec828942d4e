//! Bearer tokens (RFC 6750).

use std::fmt;
use std::future::Future;

use crate::b64token::is_b64token;
#[cfg(feature = "mtls")]
use crate::jwt::confirmation::confirmation;
#[cfg(feature = "jwt")]
use crate::jwt::confirmation::unless_bound;
use crate::oauth;
use crate::token_server::TokenServer;
#[cfg(feature = "mtls")]
use crate::{CertificateSource, PeerCertificate};
use auth_runtime_core::url::TrustedUrl;
use auth_runtime_core::{
    Caller, Challenge, ChallengeContext, ChallengeError, Credentials, ErrorCode, Rejection, Scheme,
    Source, Verification,
};

/// `Authorization: Bearer …` (RFC 6750). Possession of a token is sufficient for its grants.
///
/// Tokens in the query or in a form (RFC 6750 §2.2 and §2.3) are not read, unless the scheme
/// accepts them.
///
/// ```
/// use auth_runtime::{Caller, Identity};
/// use auth_runtime::schemes::Bearer;
///
/// /// Asks the service's own database.
/// async fn look_up(token: String) -> Caller {
///     match token.as_str() {
///         "a-token-of-ann" => Caller::known(Identity::new("ann").with_scopes(["read"])),
///         _ => Caller::rejected(),
///     }
/// }
/// let scheme = Bearer::new(look_up);
/// ```
///
/// Tokens of several kinds are routed: [`tokens_with_prefix`](Self::tokens_with_prefix),
/// [`opaque_tokens`](Self::opaque_tokens) and [`tokens_if`](Self::tokens_if) name those of another
/// verifier.
pub struct Bearer {
    verify: VerifyToken,
    /// In the order in which they were added.
    routes: Vec<TokenRoute>,
    format: Option<&'static str>,
    #[cfg(feature = "mtls")]
    certificate_source: Option<CertificateSource>,
    in_query: bool,
    in_form: bool,
    /// Whether tokens may be in `Authorization` without the name of a scheme.
    is_bare: bool,
    token_server: Option<Result<TokenServer, ChallengeError>>,
    /// The challenge of cargo, which names the page of a registry for users.
    login: Option<Result<Challenge, ChallengeError>>,
}

type VerifyToken = Box<dyn Fn(&Credentials<'_>) -> Verification + Send + Sync>;

/// Tokens with a verifier of their own.
struct TokenRoute {
    matches: Box<dyn Fn(&str) -> bool + Send + Sync>,
    verify: VerifyToken,
}

/// The parameter of RFC 6750 §2.2 and §2.3.
const PARAMETER: &str = "access_token";

impl Bearer {
    /// Creates a scheme for opaque tokens that the service verifies.
    ///
    /// `verify` receives a well-formed token, and returns its caller, or an `Option` of an identity. It
    /// should look a token up by its hash, so that neither the time of the look-up nor a leaked table
    /// reveals tokens. If its data source is unavailable, it returns [`Caller::Unverifiable`].
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use auth_runtime::schemes::Bearer;
    /// use auth_runtime::Identity;
    /// use sha2::{Digest, Sha256};
    ///
    /// type Hash = [u8; 32];
    ///
    /// fn tokens(table: &'static HashMap<Hash, Identity>) -> Bearer {
    ///     Bearer::new(move |token| async move {
    ///         let hash: Hash = Sha256::digest(token).into();
    ///         table.get(&hash).cloned()
    ///     })
    /// }
    /// ```
    pub fn new<F>(verify: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        Self::verified_by(move |credentials| match credentials.value() {
            token if is_b64token(token) => Verification::pending(verify(token.to_owned())),
            _ => Verification::done(Caller::Rejected(Rejection::Malformed)),
        })
    }

    /// Creates a scheme for JWTs. A token with `cnf` is rejected, since it is bound to a key and
    /// Bearer has no proof of possession (RFC 9449 §7.2). The exception is the key of a
    /// [`client_certificate`](Self::client_certificate).
    #[cfg(feature = "jwt")]
    pub fn jwt(jwt: crate::Jwt) -> Self {
        Self {
            format: Some("JWT"),
            ..Self::verified_by(move |credentials| jwt.verify_even_if_bound(credentials.value()))
        }
    }

    /// Creates a scheme for opaque tokens that the authorization server introspects (RFC 7662). A
    /// token with `cnf` is rejected, as with [`jwt`](Self::jwt).
    #[cfg(feature = "introspection")]
    pub fn introspection(introspection: crate::Introspection) -> Self {
        const TYPES: &[&str] = &["Bearer", "access_token"];
        Self::verified_by(move |credentials| introspection.verify(credentials, TYPES))
    }

    fn verified_by(
        verify: impl Fn(&Credentials<'_>) -> Verification + Send + Sync + 'static,
    ) -> Self {
        Self {
            verify: Box::new(verify),
            routes: Vec::new(),
            format: None,
            #[cfg(feature = "mtls")]
            certificate_source: None,
            in_query: false,
            in_form: false,
            is_bare: false,
            token_server: None,
            login: None,
        }
    }

    /// Verifies the tokens that start with `prefix`, such as `pat_`, by `other`.
    ///
    /// Each token is verified by one verifier: by the first match, in the order of these calls, or else
    /// by the verifier of this scheme. No other verifier receives it: a rejected token is not offered to the
    /// next one. An outage of one verifier is 503 for its tokens, and does not affect the others.
    ///
    /// Only the verifier is taken from `other`. The places of tokens, and the
    /// [client certificate](Self::client_certificate) that they are bound to, are those of this scheme.
    ///
    /// ```
    /// # #[cfg(feature = "jwt")]
    /// # fn bearer(jwt: auth_runtime::schemes::Jwt) -> auth_runtime::schemes::Bearer {
    /// use auth_runtime::Caller;
    /// use auth_runtime::schemes::Bearer;
    ///
    /// /// Looks up a personal access token by its hash.
    /// async fn look_up(token: String) -> Caller {
    /// #   let _ = token;
    /// #   Caller::rejected()
    ///     // …
    /// }
    ///
    /// let bearer = Bearer::jwt(jwt).tokens_with_prefix("pat_", Bearer::new(look_up));
    /// # bearer
    /// # }
    /// ```
    #[must_use]
    pub fn tokens_with_prefix(self, prefix: impl Into<String>, other: Self) -> Self {
        let prefix = prefix.into();
        self.tokens_if(move |token| token.starts_with(&prefix), other)
    }

    /// Verifies the tokens without the form of a JWT by `other`: those that do not have three parts with
    /// dots between them (RFC 7515 §3.1). Otherwise as
    /// [`tokens_with_prefix`](Self::tokens_with_prefix).
    ///
    /// Opaque tokens of some issuers have three parts, too: these are routed by their prefix, or by
    /// [`tokens_if`](Self::tokens_if).
    ///
    /// ```
    /// # #[cfg(feature = "introspection")]
    /// # fn bearer(
    /// #     jwt: auth_runtime::schemes::Jwt,
    /// #     introspection: auth_runtime::schemes::Introspection,
    /// # ) -> auth_runtime::schemes::Bearer {
    /// use auth_runtime::schemes::Bearer;
    ///
    /// let bearer = Bearer::jwt(jwt).opaque_tokens(Bearer::introspection(introspection));
    /// # bearer
    /// # }
    /// ```
    #[must_use]
    pub fn opaque_tokens(self, other: Self) -> Self {
        self.tokens_if(|token| token.matches('.').count() != 2, other)
    }

    /// Verifies the tokens for which `matches` returns true by `other`. Otherwise as
    /// [`tokens_with_prefix`](Self::tokens_with_prefix).
    ///
    /// `matches` receives tokens that nothing has verified yet: visible ASCII of at most
    /// [`ProtectionSpace::MAX_CREDENTIALS`](auth_runtime_core::ProtectionSpace::MAX_CREDENTIALS) bytes.
    #[must_use]
    pub fn tokens_if(
        mut self,
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
        other: Self,
    ) -> Self {
        self.routes.push(TokenRoute {
            matches: Box::new(matches),
            verify: routed(other.routes, other.verify),
        });
        self
    }

    /// Accepts tokens that are bound to a client certificate (RFC 8705 §3): `cnf` has only the
    /// member `x5t#S256`, and the client has proved possession of that certificate's key. From
    /// other clients such tokens are rejected. Tokens that are bound to anything else are rejected
    /// too. Default: all bound tokens are rejected.
    ///
    /// Tokens without `cnf` are still accepted. Handlers require bound ones with
    /// `sender_constrained`.
    ///
    /// `cnf` is read from the [`Claims`](crate::Claims) in the identities of JWTs and introspected
    /// tokens.
    #[cfg(feature = "mtls")]
    #[must_use]
    pub fn client_certificate(self, source: CertificateSource) -> Self {
        Self {
            certificate_source: Some(source),
            ..self
        }
    }

    /// Accepts a token also from the query, as `?access_token=…` (RFC 6750 §2.3).
    ///
    /// It is for clients that cannot send header fields, and holds for every handler of the space. For a
    /// WebSocket in a browser, prefer `Jwt::in_subprotocol`.
    ///
    /// URLs, and the tokens in them, are recorded in logs and histories, and sent in `Referer`. In a
    /// `GuardedRouter`, the responses of handlers to such requests have `Referrer-Policy: strict-origin`, unless
    /// they have `no-referrer`. Issue tokens to such clients that expire within minutes.
    #[must_use]
    pub fn accept_query(self) -> Self {
        Self {
            in_query: true,
            ..self
        }
    }

    /// Accepts a token also from a form, as its field `access_token` (RFC 6750 §2.2): from the body
    /// of a `POST`, `PUT` or `PATCH` of the type `application/x-www-form-urlencoded`, of up to
    /// [`max_body`](auth_runtime_core::ProtectionSpaceBuilder::max_body) bytes (1 MiB by default). The response to a
    /// longer one is 400.
    ///
    /// It works only in a `GuardedRouter`, which reads such a body before
    /// authorization. The handler receives the body unchanged.
    #[must_use]
    pub fn accept_form(self) -> Self {
        Self {
            in_form: true,
            ..self
        }
    }

    /// Accepts tokens in `Authorization` without the name of a scheme as well, for clients such as cargo,
    /// which sends the token of a registry in this way. Other schemes of the space keep their names in
    /// the field. The challenge stays that of Bearer. Default: no.
    ///
    /// ```
    /// use auth_runtime::schemes::{Basic, Bearer};
    /// use auth_runtime::{Caller, ProtectionSpace};
    ///
    /// # async fn look_up(_: String) -> Caller { Caller::rejected() }
    /// # async fn log_in(_: String, _: auth_runtime::schemes::Password) -> Caller { Caller::rejected() }
    /// // `Authorization: cio…`, `Bearer cio…` and `Basic …`
    /// let space = ProtectionSpace::builder()
    ///     .realm("registry")
    ///     .scheme(Bearer::new(look_up).accept_bare())
    ///     .scheme(Basic::new(log_in))
    ///     .build()?;
    /// # Ok::<(), auth_runtime::SpaceError>(())
    /// ```
    #[must_use]
    pub fn accept_bare(self) -> Self {
        Self {
            is_bare: true,
            ..self
        }
    }

    /// Adds the challenge `Cargo login_url="…"`, with the page where users of a cargo registry create a token. cargo
    /// shows it to users without one. The tokens are those of this scheme, with
    /// [`accept_bare`](Self::accept_bare). A URL that is neither `https` nor on loopback is an error of
    /// the builder of the space.
    ///
    /// ```
    /// use auth_runtime::Caller;
    /// use auth_runtime::schemes::Bearer;
    ///
    /// # async fn look_up(_: String) -> Caller { Caller::rejected() }
    /// let tokens = Bearer::new(look_up).accept_bare().cargo_login_url("https://registry.example/me");
    /// ```
    #[must_use]
    pub fn cargo_login_url(self, url: impl Into<String>) -> Self {
        let url = url.into();
        let url = match TrustedUrl::read(&url) {
            Ok(_) => Ok(url),
            Err(problem) => Err(ChallengeError::Url {
                name: "login_url".to_owned(),
                problem,
            }),
        };
        let challenge = Challenge::builder("Cargo");
        Self {
            login: Some(url.and_then(|url| challenge.quoted("login_url", url).constant().build())),
            ..self
        }
    }

    /// Leads clients of a container registry, such as docker, to the server that gives them tokens (the token
    /// authentication of the CNCF distribution). The `realm` of the challenge is the URL of this server, in place of
    /// the realm of the space, and `service` is the name of the service there, as in the audience of its tokens.
    ///
    /// These clients request a token after a 401 only. A token that lacks a scope is therefore 401
    /// `insufficient_scope` in place of 403. The scopes of objects are those of the
    /// [decision point](auth_runtime_core::DecisionPoint::token_scope), such as
    /// [`AccessClaim`](https://docs.rs/auth-runtime/latest/auth_runtime/schemes/struct.AccessClaim.html).
    ///
    /// A URL that is neither `https` nor on loopback is an error of the builder of the space, and so is a
    /// service with other characters than visible ASCII.
    ///
    /// ```
    /// use auth_runtime::schemes::Bearer;
    /// use auth_runtime::{Caller, ProtectionSpace};
    ///
    /// # async fn look_up(_: String) -> Caller { Caller::rejected() }
    /// let bearer = Bearer::new(look_up);
    /// let bearer = bearer.token_server("https://auth.example/token", "registry.example");
    /// let space = ProtectionSpace::builder().realm("registry").scheme(bearer).build()?;
    /// # Ok::<(), auth_runtime::SpaceError>(())
    /// ```
    #[must_use]
    pub fn token_server(self, url: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            token_server: Some(TokenServer::new(url.into(), service.into())),
            ..self
        }
    }
}

impl Scheme for Bearer {
    fn name(&self) -> &str {
        "Bearer"
    }

    fn sources(&self) -> Vec<Source> {
        let mut sources = vec![Source::Authorization];
        if self.in_query {
            sources.push(Source::Query(PARAMETER.to_owned()));
        }
        if self.in_form {
            sources.push(Source::Form(PARAMETER.to_owned()));
        }
        if self.is_bare {
            sources.push(Source::BareAuthorization);
        }
        sources
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let verification = verify_routed(&self.routes, &self.verify, credentials);
        #[cfg(feature = "mtls")]
        if let Some(source) = &self.certificate_source {
            let certificate = source.of(credentials);
            return verification.map(move |caller| bind(caller, certificate.as_ref()));
        }
        #[cfg(feature = "jwt")]
        let verification = verification.map(unless_bound);
        verification
    }

    fn challenge(&self, context: &ChallengeContext<'_>) -> Result<Challenge, ChallengeError> {
        if let Some(Err(error)) = &self.login {
            return Err(error.clone());
        }
        match &self.token_server {
            Some(Ok(server)) => server.challenge(context),
            Some(Err(error)) => Err(error.clone()),
            None => oauth::challenge("Bearer", None, context),
        }
    }

    /// Returns the challenge of cargo, unless the client sent credentials that lack something: another token
    /// does not help then.
    fn further_challenges(&self, context: &ChallengeContext<'_>) -> Vec<Challenge> {
        let asks_for_token = matches!(context.error(), None | Some(ErrorCode::InvalidToken(_)));
        let login = self.login.iter().flatten().filter(|_| asks_for_token);
        login.cloned().collect()
    }

    fn has_token_server(&self) -> bool {
        self.token_server.is_some()
    }

    fn format(&self) -> Option<&str> {
        self.format.filter(|_| self.routes.is_empty())
    }

    fn is_oauth(&self) -> bool {
        true
    }

    #[cfg(feature = "mtls")]
    fn request_fields(&self) -> Vec<http::HeaderName> {
        let source = self.certificate_source.as_ref();
        let field = source.and_then(CertificateSource::field);
        field.cloned().into_iter().collect()
    }

    #[cfg(feature = "mtls")]
    fn constrains_sender(&self) -> bool {
        self.certificate_source.is_some()
    }
}

/// Verifies a token by the first route that it is meant for, or else by `verify`.
fn verify_routed(
    routes: &[TokenRoute],
    verify: &VerifyToken,
    credentials: &Credentials<'_>,
) -> Verification {
    let mut routes = routes.iter();
    let route = routes.find(|route| (route.matches)(credentials.value()));
    route.map_or(verify, |route| &route.verify)(credentials)
}

/// The verifier of a scheme with routes.
fn routed(routes: Vec<TokenRoute>, verify: VerifyToken) -> VerifyToken {
    if routes.is_empty() {
        verify
    } else {
        Box::new(move |credentials| verify_routed(&routes, &verify, credentials))
    }
}

/// Returns the caller if its token is bound to the proved certificate, or is not bound. Rejects it
/// otherwise.
#[cfg(feature = "mtls")]
fn bind(caller: Caller, certificate: Option<&PeerCertificate>) -> Caller {
    let Some(confirmation) = confirmation(&caller) else {
        return caller;
    };
    // Further members would require further proofs.
    let bound_to = confirmation
        .as_object()
        .filter(|members| members.len() == 1)
        .and_then(|members| members.get("x5t#S256")?.as_str());
    let is_bound = bound_to.is_some() && bound_to == certificate.map(PeerCertificate::thumbprint);
    match caller {
        Caller::Known(identity) if is_bound => Caller::known(identity.with_sender_constraint()),
        _ => Caller::rejected(),
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}
