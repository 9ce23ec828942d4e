//! The builder of introspection.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::url::{TrustedUrl, without_secrets};
use auth_runtime_core::{Clock, UrlProblem};
use auth_runtime_remote::{HttpClientError, ServerCalls};
use jsonwebtoken::{Algorithm, EncodingKey};

#[cfg(feature = "redis")]
use super::SharedTokenCache;
use super::client::ClientAuthentication;
use super::single_flight::SingleFlight;
use super::{Endpoint, Introspection, MAX_IN_FLIGHT, MAX_WAITING, SHARE};
use crate::drop_log::DropLog;
use crate::fair_queue::FairQueue;
use crate::issuer_client::issuer_client;
use crate::jwt::{ClaimNames, ClaimPath};
use crate::outage_log::OutageLog;
use crate::signed_token::choose_backend;
use crate::token_cache::TokenCache;

impl Introspection {
    /// Starts without an endpoint and without a client. Both are required.
    pub fn builder() -> IntrospectionBuilder {
        IntrospectionBuilder {
            endpoint: None,
            is_plain: false,
            ca_certificates: None,
            client: Err(IntrospectionError::NoClient),
            key_id: None,
            issuer: None,
            audiences: Vec::new(),
            takes_any_audience: false,
            clock: Clock::system(),
            names: ClaimNames::new(),
            cache: Some(TokenCache::new(10_000, Duration::from_secs(60))),
            #[cfg(feature = "redis")]
            shared_cache: None,
        }
    }
}

/// Builds an [`Introspection`].
#[must_use]
pub struct IntrospectionBuilder {
    endpoint: Option<String>,
    /// Whether the endpoint may be `http`.
    is_plain: bool,
    ca_certificates: Option<Vec<u8>>,
    client: Result<ClientAuthentication, IntrospectionError>,
    key_id: Option<String>,
    issuer: Option<String>,
    audiences: Vec<String>,
    takes_any_audience: bool,
    clock: Clock,
    names: ClaimNames,
    cache: Option<TokenCache>,
    #[cfg(feature = "redis")]
    shared_cache: Option<SharedTokenCache>,
}

impl IntrospectionBuilder {
    /// Sets the introspection endpoint: `https` (or `http` on loopback, for tests). Required.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self.is_plain = false;
        self
    }

    /// The endpoint, at a URL that may be `http` on any host, in place of [`endpoint`](Self::endpoint).
    ///
    /// For networks that only trusted machines reach, such as those of a cluster or of containers: each
    /// machine on the network path reads the tokens and the secret of this service, and can forge responses.
    ///
    /// ```
    /// use auth_runtime::schemes::Introspection;
    ///
    /// let introspection = Introspection::builder()
    ///     .endpoint_over_plain_http("http://keycloak:8080/realms/shop/protocol/openid-connect/token/introspect")
    ///     .client_secret("orders", "the secret of orders")
    ///     .issuer("https://login.shop.example/realms/shop")
    ///     .audience("orders")
    ///     .build()?;
    /// # Ok::<(), auth_runtime::schemes::IntrospectionError>(())
    /// ```
    pub fn endpoint_over_plain_http(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self.is_plain = true;
        self
    }

    /// Trusts the certificate authorities of this PEM file, in place of those of the system, for the TLS
    /// connection to the endpoint.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates = Some(pem.into());
        self
    }

    /// Authenticates this service with a client secret, sent by Basic (RFC 6749 §2.3.1).
    pub fn client_secret(mut self, id: &str, secret: &str) -> Self {
        self.client = Ok(ClientAuthentication::secret(id, secret));
        self
    }

    /// Authenticates this service with a secret in the form, for servers without Basic
    /// (`client_secret_post`, RFC 6749 §2.3.1).
    pub fn client_secret_post(mut self, id: &str, secret: &str) -> Self {
        self.client = Ok(ClientAuthentication::secret_in_form(id, secret));
        self
    }

    /// Authenticates this service with a key: an RSA private key for RS256, as PEM
    /// (`private_key_jwt`, RFC 7523 §2.2). `audience` is the audience that the server expects in
    /// the assertion, in most cases its issuer identifier.
    pub fn private_key_rs256(self, id: &str, pem: impl AsRef<[u8]>, audience: &str) -> Self {
        let key = EncodingKey::from_rsa_pem(pem.as_ref());
        self.private_key(id, key, Algorithm::RS256, audience)
    }

    /// Authenticates this service in the same way with a P-256 private key for ES256, as PEM
    /// (PKCS#8).
    pub fn private_key_es256(self, id: &str, pem: impl AsRef<[u8]>, audience: &str) -> Self {
        let key = EncodingKey::from_ec_pem(pem.as_ref());
        self.private_key(id, key, Algorithm::ES256, audience)
    }

    /// Sets the name of the private key, which its assertions have as their `kid`. Default: none.
    ///
    /// Servers that know several keys of this service, as during the rotation of the key, may require it (OpenID
    /// Connect Core §10.1).
    ///
    /// ```
    /// use auth_runtime::schemes::{Introspection, IntrospectionError};
    ///
    /// // A secret has no name.
    /// let introspection = Introspection::builder()
    ///     .endpoint("https://issuer.example/introspect")
    ///     .client_secret("my-api", "the secret of my-api")
    ///     .key_id("2026-11")
    ///     .audience("https://api.example")
    ///     .build();
    /// assert_eq!(introspection.err(), Some(IntrospectionError::KeyId));
    /// ```
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self
    }

    fn private_key(
        mut self,
        id: &str,
        key: jsonwebtoken::errors::Result<EncodingKey>,
        algorithm: Algorithm,
        audience: &str,
    ) -> Self {
        self.client = match key {
            Ok(key) => Ok(ClientAuthentication::Key {
                id: id.to_owned(),
                key: Box::new(key),
                algorithm,
                audience: audience.to_owned(),
                key_id: None,
            }),
            Err(_) => Err(IntrospectionError::Key(format!("{algorithm:?}"))),
        };
        self
    }

    /// Sets the required `iss` of tokens, which is the [issuer](auth_runtime_core::Identity::issuer) of their
    /// identities. Default: any, and identities have no issuer, since a server is trusted for its own tokens only.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Adds an accepted audience: the `aud` of a token has to be or contain one of them. Required,
    /// unless [`any_audience`](Self::any_audience) is set. Can be called several times.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts every active token, for any audience.
    ///
    /// Use it only for a server that knows one service, or that reports to each service only its
    /// own tokens as active (RFC 7662 §4). With any other server, a token for another service is
    /// accepted here.
    pub fn any_audience(mut self) -> Self {
        self.takes_any_audience = true;
        self
    }

    /// Sets the member that names the caller. Default: `sub`. It is a non-empty string. An active
    /// token without it is rejected, since a client identifier would be the same for all users of
    /// the client.
    ///
    /// It has to be unique, and never reassigned to another user (RFC 7662 §2.2 leaves `sub`
    /// optional).
    pub fn subject_claim(mut self, path: impl Into<ClaimPath>) -> Self {
        self.names.subject = path.into();
        self
    }

    /// Sets the claims that scopes are read from, all of them together. Default: `scope` and `scp`.
    pub fn scope_claims<P: Into<ClaimPath>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.names.scopes = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a claim that roles are read from. All of them are read. Default: `roles`, which the first call replaces.
    pub fn roles_claim(mut self, path: impl Into<ClaimPath>) -> Self {
        self.names.roles.push(path.into());
        self
    }

    /// Adds a claim that permissions are read from. All of them are read. Default: `permissions`, which the first call
    /// replaces.
    pub fn permissions_claim(mut self, path: impl Into<ClaimPath>) -> Self {
        self.names.permissions.push(path.into());
        self
    }

    /// Sets the cache of responses. Default: 10 000 responses, each for up to a minute. A response of more than 64 KiB is
    /// not cached.
    pub fn cache(mut self, cache: TokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Adds a cache that the instances of the service share, besides the [`cache`](Self::cache) of
    /// this one. Default: none.
    #[cfg(feature = "redis")]
    pub fn shared_cache(mut self, cache: SharedTokenCache) -> Self {
        self.shared_cache = Some(cache);
        self
    }

    /// Removes the cache of this instance: every request is sent to the server.
    pub fn without_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Sets the clock that tokens and cached responses expire by. Default: the clock of the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    ///
    /// [`IntrospectionError`] names a missing or invalid setting.
    pub fn build(self) -> Result<Introspection, IntrospectionError> {
        let url = self.endpoint.ok_or(IntrospectionError::NoEndpoint)?;
        let read = if self.is_plain {
            TrustedUrl::read_over_plain_http(&url)
        } else {
            TrustedUrl::read(&url)
        };
        if let Err(problem) = read {
            let url = without_secrets(&url);
            return Err(IntrospectionError::Url { url, problem });
        }
        let mut client = self.client?;
        match (&mut client, self.key_id) {
            (ClientAuthentication::Key { key_id, .. }, id) => *key_id = id,
            (_, Some(_)) => return Err(IntrospectionError::KeyId),
            (_, None) => {}
        }
        if self.names.has_empty() {
            return Err(IntrospectionError::ClaimName);
        }
        if self.issuer.as_ref().is_some_and(String::is_empty) {
            return Err(IntrospectionError::Issuer);
        }
        if self.audiences.iter().any(String::is_empty) {
            return Err(IntrospectionError::Audience);
        }
        match (self.audiences.is_empty(), self.takes_any_audience) {
            (true, false) => return Err(IntrospectionError::Audience),
            (false, true) => return Err(IntrospectionError::AudienceAndAny),
            _ => {}
        }
        choose_backend();
        let http = issuer_client(&url, self.ca_certificates).authorization(client.basic());
        let http = match client {
            // An assertion is for one request.
            ClientAuthentication::Key { .. } => http,
            // A question changes nothing.
            ClientAuthentication::Secret { .. } | ClientAuthentication::SecretInForm { .. } => {
                http.repeat_lost_requests()
            }
        };
        let http = http.build().map_err(|error| match error {
            HttpClientError::Certificates => IntrospectionError::CaCertificates,
            HttpClientError::Client(problem) => IntrospectionError::Client(problem),
        })?;
        Ok(Introspection(Arc::new(Endpoint {
            shown_url: without_secrets(&url),
            url,
            client,
            http,
            issuer: self.issuer.map(Arc::from),
            audiences: self.audiences,
            names: self.names.or_default(),
            cache: self
                .cache
                .map(|cache| cache.of_verifier(self.clock.clone())),
            clock: self.clock,
            #[cfg(feature = "redis")]
            shared_cache: self.shared_cache,
            questions: SingleFlight::default(),
            places: FairQueue::new(MAX_IN_FLIGHT, SHARE, MAX_WAITING),
            calls: ServerCalls::default(),
            outages: OutageLog::default(),
            dropped: DropLog::default(),
        })))
    }
}

/// An error of building an [`Introspection`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// No endpoint was given.
    NoEndpoint,
    /// The URL of the endpoint is invalid.
    Url {
        /// The URL as given, without its user information and its query.
        url: String,
        /// The problem of the URL.
        problem: UrlProblem,
    },
    /// The authentication of this service is missing.
    NoClient,
    /// The audience is missing or empty.
    Audience,
    /// An audience was given, and any audience is accepted.
    AudienceAndAny,
    /// The issuer is empty.
    Issuer,
    /// The name of a claim is empty.
    ClaimName,
    /// The private key is not a valid key for this algorithm.
    Key(String),
    /// A key id was given, and this service authenticates with a secret.
    KeyId,
    /// The CA certificates are missing, or not valid PEM.
    CaCertificates,
    /// The HTTP client could not be created.
    Client(String),
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint => {
                f.write_str("the endpoint is missing; name it with `.endpoint(\"https://…\")`")
            }
            Self::Url { url, problem } => {
                write!(f, "the endpoint {url:?} cannot be used: {problem}")?;
                match problem {
                    UrlProblem::NotHttps => f.write_str(
                        "; within a cluster, name it with `.endpoint_over_plain_http(…)`",
                    ),
                    _ => Ok(()),
                }
            }
            Self::NoClient => f.write_str(
                "the credentials of the client are missing; add `.client_secret(…)` or \
                 `.private_key_es256(…)`",
            ),
            Self::Audience => f.write_str(
                "the audience is missing, so tokens for other services would be accepted; name \
                 it with `.audience(\"…\")`, or choose `.any_audience()`",
            ),
            Self::AudienceAndAny => f.write_str(
                "an audience is given, and `.any_audience()` as well; remove one of them",
            ),
            Self::Issuer => f.write_str("the issuer is empty"),
            Self::ClaimName => f.write_str("the name of a claim is empty"),
            Self::Key(algorithm) => {
                write!(f, "the key is not a private key for {algorithm} in PEM")
            }
            Self::KeyId => f.write_str(
                "a key id is given, and the client authenticates with a secret; remove `.key_id(…)`, or add \
                 `.private_key_es256(…)`",
            ),
            Self::CaCertificates => f.write_str(
                "the CA certificates are missing, or not valid PEM",
            ),
            Self::Client(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for IntrospectionError {}

impl fmt::Debug for IntrospectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionBuilder")
            .field("endpoint", &self.endpoint.as_deref().map(without_secrets))
            .finish_non_exhaustive()
    }
}
