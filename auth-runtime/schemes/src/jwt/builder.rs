//! The builder of a [`Jwt`].

#[cfg(feature = "jwks")]
mod fetched;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::{Clock, Identity, Rejection};
use auth_runtime_policy::scope::is_scope_token;

use super::claims::{ClaimNames, ClaimPath};
use super::error::JwtError;
#[cfg(feature = "jwks")]
use super::fetch_settings::FetchSettings;
use super::issuer::{Issuer, Keys, Revoked};
use super::issuer_name::{IssuerName, TENANT};
use super::key_set::KeySet;
use super::rules::TokenRules;
use super::{Claims, Jwt, JwtKey, key};
use crate::signed_token::choose_backend;
use crate::spiffe;
#[cfg(feature = "token-cache")]
use crate::token_cache::TokenCache;

impl Jwt {
    /// Starts without an issuer, an audience and a key. Each is required.
    pub fn builder() -> JwtBuilder {
        JwtBuilder {
            rules: TokenRules {
                issuer: IssuerName::One("".into()),
                audiences: Vec::new(),
                clients: Vec::new(),
                takes_any_audience: false,
                leeway: Duration::from_secs(60),
                clock: Clock::system(),
                access_tokens_only: false,
                conditions: Vec::new(),
                identify: None,
                names: ClaimNames::new(),
            },
            issuers: 0,
            keys: Ok(Vec::new()),
            documents: Vec::new(),
            revoked: None,
            #[cfg(feature = "jwks")]
            fetched: FetchSettings::default(),
            #[cfg(feature = "token-cache")]
            cache: None,
        }
    }
}

/// Builds a [`Jwt`].
#[must_use]
pub struct JwtBuilder {
    rules: TokenRules,
    /// The number of times that an issuer was given.
    issuers: usize,
    keys: Result<Vec<JwtKey>, JwtError>,
    /// JWKS documents.
    documents: Vec<String>,
    revoked: Option<Revoked>,
    #[cfg(feature = "jwks")]
    fetched: FetchSettings,
    #[cfg(feature = "token-cache")]
    cache: Option<TokenCache>,
}

/// A larger leeway would accept expired tokens for too long (RFC 9068 §4 has "a few minutes").
const MAX_LEEWAY: Duration = Duration::from_secs(300);

impl JwtBuilder {
    /// Sets the issuer: the exact `iss` of its tokens. Required, and only once, since keys and
    /// rules belong to one issuer. [`Jwt::any_of`] combines several.
    ///
    /// A document of keys for several issuers, such as that of the tenants of Microsoft Entra, names the issuer of a key
    /// by its member `issuer`. A key of another issuer verifies no token.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuer = IssuerName::One(issuer.into().into());
        self.issuers += 1;
        self
    }

    /// Trusts the tokens of an issuer with a name for each tenant, in place of
    /// [`issuer`](Self::issuer). `template` is the name with `{tid}` in the place of the tenant. A token is
    /// accepted if its `iss` is the template with its own claim `tid`, and `is_allowed` returns true for
    /// that tenant.
    ///
    /// `is_allowed` may receive the tenant of a token that nothing has verified yet, which is any text of up to some
    /// kilobytes. It may be called several times for one request. Therefore it only looks the tenant up, and stores
    /// nothing. It is not called for a cached token: the tokens of a removed tenant are accepted until they leave the
    /// cache.
    ///
    /// The tenants of Microsoft Entra share one document of keys. A key with a member `issuer` of one tenant verifies
    /// only the tokens of that tenant:
    ///
    /// ```
    /// # #[cfg(feature = "jwks")] {
    /// use auth_runtime::schemes::Jwt;
    ///
    /// const TENANTS: [&str; 1] = ["aaaabbbb-0000-cccc-1111-dddd2222eeee"];
    /// let jwt = Jwt::builder()
    ///     .issuer_per_tenant("https://login.microsoftonline.com/{tid}/v2.0", |tenant| {
    ///         TENANTS.contains(&tenant)
    ///     })
    ///     .audience("6731de76-14a6-49ae-97bc-6eba6914391e")
    ///     .jwks_url("https://login.microsoftonline.com/common/discovery/v2.0/keys")
    ///     .build();
    /// assert!(jwt.is_ok());
    /// # }
    /// ```
    pub fn issuer_per_tenant(
        mut self,
        template: impl AsRef<str>,
        is_allowed: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let template = template.as_ref();
        // Without the place, no token has a tenant, and `build` returns an error.
        let (before, after) = template.split_once(TENANT).unwrap_or_default();
        self.rules.issuer = IssuerName::PerTenant {
            before: before.to_owned(),
            after: after.to_owned(),
            is_allowed: Box::new(is_allowed),
        };
        self.issuers += 1;
        self
    }

    /// Trusts tokens that name no issuer (without `iss`), in place of [`issuer`](Self::issuer), as those of
    /// Laravel Passport. Only with keys that are given by [`key`](Self::key) or [`jwks`](Self::jwks), since
    /// nothing else distinguishes such tokens. A token with `iss` is rejected.
    pub fn without_issuer(mut self) -> Self {
        self.rules.issuer = IssuerName::Unnamed;
        self.issuers += 1;
        self
    }

    /// Trusts the JWT-SVIDs of a SPIFFE trust domain, such as `shop.example`, in place of
    /// [`issuer`](Self::issuer). Their `sub` is the SPIFFE ID of a workload in this trust domain. They do not
    /// have to have `iss`. Their `typ`, if present, is `JWT` or `JOSE`. Of a JWKS document, which is the bundle of the
    /// trust domain, only keys with the `use` `jwt-svid` are used, and no Ed25519 key.
    ///
    /// Settings for other tokens are build errors: [`client`](Self::client), [`any_audience`](Self::any_audience),
    /// [`rfc9068_only`](Self::rfc9068_only), and keys for HMAC or EdDSA.
    ///
    /// ```
    /// # #[cfg(feature = "jwks")] {
    /// use auth_runtime::schemes::Jwt;
    ///
    /// let jwt = Jwt::builder()
    ///     .spiffe_trust_domain("shop.example")
    ///     .audience("spiffe://shop.example/orders")
    ///     .jwks_url("https://spire.shop.example/bundle")
    ///     .build();
    /// assert!(jwt.is_ok());
    /// # }
    /// ```
    pub fn spiffe_trust_domain(mut self, name: impl Into<String>) -> Self {
        self.rules.issuer = IssuerName::TrustDomain(name.into().into());
        self.issuers += 1;
        self
    }

    /// Accepts tokens without `aud` if their `client_id` is this one, such as the access tokens of
    /// Amazon Cognito. Those for a resource (RFC 8707) have it as their `aud`, for [`audience`](Self::audience). Can be
    /// called several times. Default: `aud` is required.
    pub fn client(mut self, id: impl Into<String>) -> Self {
        self.rules.clients.push(id.into());
        self
    }

    /// Accepts only tokens with claims that meet this condition. Can be called several times: all
    /// conditions have to be met. It is evaluated once for a cached token.
    pub fn accept_if(mut self, is_met: impl Fn(&Claims) -> bool + Send + Sync + 'static) -> Self {
        self.rules.conditions.push(Box::new(is_met));
        self
    }

    /// Builds the identity of a verified token by a rule of the service, in place of the claims for
    /// subject, scopes, roles and permissions. Issuer, and method and time of the login, are added.
    ///
    /// ```
    /// use auth_runtime::schemes::{Jwt, JwtKey};
    /// use auth_runtime::{Identity, Rejection};
    ///
    /// # let secret = [7; 32];
    /// let jwt = Jwt::builder()
    ///     .issuer("https://issuer.example")
    ///     .audience("https://api.example")
    ///     .key(JwtKey::hs256(&secret)?)
    ///     .identity(|claims| {
    ///         let user = claims.get("oid").and_then(|id| id.as_str());
    ///         let user = user.ok_or(Rejection::Invalid)?;
    ///         Ok(Identity::new(format!("user:{user}")))
    ///     })
    ///     .build()?;
    /// # Ok::<(), auth_runtime::schemes::JwtError>(())
    /// ```
    pub fn identity(
        mut self,
        identify: impl Fn(&Claims) -> Result<Identity, Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.rules.identify = Some(Box::new(identify));
        self
    }

    /// Adds an accepted audience: the `aud` of a token has to be or contain one of them. Required,
    /// unless a [`client`](Self::client) is given, or [`any_audience`](Self::any_audience) is set. Can be called several
    /// times.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for any audience, and tokens with neither `aud` nor `client_id`, such as the session tokens of
    /// Clerk.
    ///
    /// Use it only for an issuer that issues tokens for one service. With any other issuer, a token for another service
    /// is accepted here, and so is an ID token that does not say so. [`accept_if`](Self::accept_if) compares the
    /// claim that names the application, such as `azp`:
    ///
    /// ```
    /// use auth_runtime::schemes::{Jwt, JwtKey};
    ///
    /// # let secret = [7; 32];
    /// let jwt = Jwt::builder()
    ///     .issuer("https://clerk.shop.example")
    ///     .any_audience()
    ///     .accept_if(|claims| claims.get("azp").is_some_and(|azp| azp == "https://shop.example"))
    ///     .key(JwtKey::hs256(&secret)?)
    ///     .build()?;
    /// # Ok::<(), auth_runtime::schemes::JwtError>(())
    /// ```
    pub fn any_audience(mut self) -> Self {
        self.rules.takes_any_audience = true;
        self
    }

    /// Adds a key that verifies signatures.
    pub fn key(mut self, key: JwtKey) -> Self {
        if let Ok(keys) = &mut self.keys {
            keys.push(key);
        }
        self
    }

    /// Adds the keys of a JWKS document (RFC 7517 §5).
    ///
    /// A key is for the algorithm that it names (`alg`): one of [`JwtAlgorithm`](super::JwtAlgorithm). An
    /// RSA key without it is for RS256, a P-256 key for ES256, a P-384 key for ES384, and an Ed25519 key for
    /// EdDSA. Keys for encryption, for other algorithms, RSA keys with fewer than 2048 or more than 8192 bits, and
    /// symmetric ones are not used, and logged at the level `debug`. At most 256 keys are used.
    pub fn jwks(mut self, document: &str) -> Self {
        self.documents.push(document.to_owned());
        self
    }

    /// Adds the keys of a JWKS file, which is read once.
    pub fn jwks_file(mut self, path: impl AsRef<Path>) -> Self {
        match std::fs::read_to_string(&path) {
            Ok(document) => self.jwks(&document),
            Err(error) => {
                let path = path.as_ref().display();
                self.keys = self.keys.and(Err(JwtError::Jwks(format!(
                    "{path} cannot be read: {error}"
                ))));
                self
            }
        }
    }

    /// Remembers verified tokens in `cache`. Default: each token is verified anew.
    ///
    /// A remembered token stays accepted after its key is withdrawn: until the keys are refreshed, or for
    /// the age that the cache allows.
    #[cfg(feature = "token-cache")]
    pub fn cache(mut self, cache: TokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets a function that returns whether a token is revoked, for example by its `jti` in a list of the
    /// service. It is called for each request, also with a cached token, so it has to be fast.
    pub fn revoked_if(mut self, revoked: impl Fn(&Claims) -> bool + Send + Sync + 'static) -> Self {
        self.revoked = Some(Box::new(revoked));
        self
    }

    /// Requires that tokens conform to the profile for access tokens (RFC 9068): the type `at+jwt`,
    /// and `sub`, `aud`, `client_id`, `iat` and `jti` besides the other required claims. Default: not
    /// required, since many issuers do not conform.
    ///
    /// If the issuer conforms, this rejects its ID tokens and all its other JWTs.
    pub fn rfc9068_only(mut self) -> Self {
        self.rules.access_tokens_only = true;
        self
    }

    /// Sets the accepted deviation of the issuer's clock, for `exp`, `nbf` and `auth_time`.
    /// Default: 60 seconds; at most 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Sets the claim that names the caller. Default: `sub`. It is a non-empty string. A token
    /// without it is rejected.
    ///
    /// It has to be unique, and never reassigned to another user: the `upn` of AD FS is suitable, a
    /// display name is not.
    pub fn subject_claim(mut self, path: impl Into<ClaimPath>) -> Self {
        self.rules.names.subject = path.into();
        self
    }

    /// Sets the claims that scopes are read from, all of them together. Default: `scope` and `scp`.
    /// A claim is a string with spaces, or an array of strings. Other values grant nothing.
    pub fn scope_claims<P: Into<ClaimPath>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.rules.names.scopes = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Puts a text before each scope that is read from the claims. Default: none.
    ///
    /// For issuers with short names in the token and full ones in the requests of clients, such as Microsoft Entra: a
    /// client requests `api://orders/orders.read`, and the token has `orders.read`. With the prefix, policies have the name that clients
    /// request, and so have the challenges and the metadata of the resource, which clients follow.
    ///
    /// ```
    /// use auth_runtime::requires;
    /// use auth_runtime::schemes::{Jwt, JwtKey};
    ///
    /// #[requires(scope = "api://orders/orders.read")]
    /// async fn orders() {}
    ///
    /// # let secret = [7; 32];
    /// let jwt = Jwt::builder()
    ///     .issuer("https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0")
    ///     .audience("6731de76-14a6-49ae-97bc-6eba6914391e")
    ///     .scope_prefix("api://orders/")
    ///     .key(JwtKey::hs256(&secret)?)
    ///     .build()?;
    /// # Ok::<(), auth_runtime::schemes::JwtError>(())
    /// ```
    pub fn scope_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.rules.names.scope_prefix = Some(prefix.into());
        self
    }

    /// Adds a claim that roles are read from: an array of strings, or one string. All of them are
    /// read. Default: `roles`, which the first call replaces.
    ///
    /// ```
    /// use auth_runtime::schemes::{Jwt, JwtKey};
    ///
    /// # let secret = [7; 32];
    /// // Keycloak: roles of the realm, and of one client.
    /// let jwt = Jwt::builder()
    ///     .issuer("https://keycloak.example/realms/shop")
    ///     .audience("orders")
    ///     .key(JwtKey::hs256(&secret)?)
    ///     .roles_claim(["realm_access", "roles"])
    ///     .roles_claim(["resource_access", "orders", "roles"])
    ///     .build()?;
    /// # Ok::<(), auth_runtime::schemes::JwtError>(())
    /// ```
    pub fn roles_claim(mut self, path: impl Into<ClaimPath>) -> Self {
        self.rules.names.roles.push(path.into());
        self
    }

    /// Adds a claim that permissions are read from: an array of strings, or one string. All of them
    /// are read. Default: `permissions`, which the first call replaces.
    pub fn permissions_claim(mut self, path: impl Into<ClaimPath>) -> Self {
        self.rules.names.permissions.push(path.into());
        self
    }

    /// Sets the clock that tokens, cached tokens and fetched keys expire by. Default: the clock of the
    /// system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.rules.clock = clock;
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    ///
    /// [`JwtError`] names a missing or invalid setting.
    pub fn build(self) -> Result<Jwt, JwtError> {
        let mut keys = self.keys?;
        for document in &self.documents {
            keys.extend(key::of_jwks(document, self.rules.issuer.key_use())?);
        }
        if self.issuers > 1 {
            return Err(JwtError::SeveralIssuers);
        }
        check_issuer(&self.rules.issuer)?;
        self.rules.check_for_svids(&keys)?;
        check_audiences(&self.rules)?;
        check_claims(&self.rules)?;
        choose_backend();
        let names = self.rules.names.or_default();
        let rules = Arc::new(TokenRules {
            names,
            ..self.rules
        });
        #[cfg(feature = "token-cache")]
        let cache = self
            .cache
            .as_ref()
            .map(|cache| cache.of_verifier(rules.clock.clone()))
            .map(Arc::new);
        #[cfg(feature = "jwks")]
        let fetched = match self.fetched.keys(&rules, cache.clone())? {
            Some(_) if !keys.is_empty() => return Err(JwtError::KeysBesidesFetched),
            fetched => fetched,
        };
        #[cfg(not(feature = "jwks"))]
        let fetched: Option<Keys> = None;
        let keys = match fetched {
            Some(fetched) => fetched,
            None if keys.is_empty() => return Err(JwtError::NoKey),
            None => Keys::Given(KeySet::new(keys)),
        };
        let issuer = Issuer {
            keys,
            rules,
            revoked: self.revoked,
            #[cfg(feature = "token-cache")]
            cache,
        };
        Ok(Jwt([Arc::new(issuer)].into()))
    }
}

fn check_issuer(issuer: &IssuerName) -> Result<(), JwtError> {
    match issuer {
        IssuerName::One(name) if name.is_empty() => Err(JwtError::NoIssuer),
        // An issuer is a URL: before the tenant are at least its scheme and host.
        IssuerName::PerTenant { before, after, .. }
            if !before.starts_with("https://") || after.contains(TENANT) =>
        {
            Err(JwtError::IssuerTemplate)
        }
        IssuerName::TrustDomain(name) if !spiffe::is_trust_domain(name) => {
            Err(JwtError::TrustDomain(name.to_string()))
        }
        _ => Ok(()),
    }
}

fn check_audiences(rules: &TokenRules) -> Result<(), JwtError> {
    let mut recipients = rules.audiences.iter().chain(&rules.clients);
    if recipients.clone().any(String::is_empty) {
        return Err(JwtError::NoAudience);
    }
    match (recipients.next(), rules.takes_any_audience) {
        (None, false) => Err(JwtError::NoAudience),
        (Some(_), true) => Err(JwtError::AudienceAndAny),
        (Some(_), false) if rules.access_tokens_only && rules.audiences.is_empty() => {
            Err(JwtError::ProfileWithoutAudience)
        }
        _ => Ok(()),
    }
}

fn check_claims(rules: &TokenRules) -> Result<(), JwtError> {
    if rules.names.has_empty() {
        return Err(JwtError::ClaimName);
    }
    if let Some(prefix) = &rules.names.scope_prefix
        && !is_scope_token(prefix)
    {
        return Err(JwtError::ScopePrefix(prefix.clone()));
    }
    if rules.leeway > MAX_LEEWAY {
        return Err(JwtError::Leeway(rules.leeway));
    }
    Ok(())
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder")
            .field("issuer", &self.rules.issuer.to_string())
            .field("audiences", &self.rules.audiences)
            .finish_non_exhaustive()
    }
}
