//! Bearer tokens that are JWTs (RFC 7519), verified with the keys that were configured.

mod claims;
mod key;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode, decode_header};

use self::claims::ClaimNames;
pub use self::claims::Claims;
pub use self::key::JwtKey;
use crate::caller::{Caller, Rejection};

/// Verifies JWTs; for [`Bearer::jwt`](crate::Bearer::jwt).
///
/// The token chooses nothing: each key has one algorithm, and a token that names another is
/// rejected. These have to be right: the signature; `iss` (a string, one of the configured ones);
/// `aud` (one of the configured ones among them); `exp`, which has to be there; `nbf`, if it is
/// there; `typ`, which is `JWT`, `at+jwt` (RFC 9068) or absent, so that an ID token of another kind
/// or a DPoP proof is not taken for an access token. A token with `crit` is rejected, since nothing
/// is understood by that means; so is one with `cnf`, which is bound to a key that Bearer does not
/// prove (RFC 9449 §7.2).
///
/// Signatures are verified with aws-lc: RS256 takes it about an eighth of the time that pure Rust
/// takes. Keys are parsed once, here.
///
/// ```
/// use auth_runtime::{Bearer, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// let scheme = Bearer::jwt(jwt);
/// # Ok::<(), auth_runtime::JwtError>(())
/// ```
pub struct Jwt {
    keys: Vec<Verifier>,
    leeway: Duration,
    access_tokens_only: bool,
    names: ClaimNames,
}

/// A key with what it is to be held against.
struct Verifier {
    key: JwtKey,
    validation: Validation,
}

impl Jwt {
    /// Starts with no issuer, no audience and no key; each has to be given.
    pub fn builder() -> JwtBuilder {
        JwtBuilder {
            issuers: Vec::new(),
            audiences: Vec::new(),
            keys: Ok(Vec::new()),
            leeway: Duration::from_secs(60),
            access_tokens_only: false,
            names: ClaimNames::default(),
        }
    }

    /// Says whose token this is.
    pub(crate) fn verify(&self, token: &str) -> Caller {
        match self.claims(token) {
            Ok(claims) => claims.into_identity(&self.names, self.leeway),
            Err(rejection) => Caller::Rejected(rejection),
        }
    }

    fn claims(&self, token: &str) -> Result<Claims, Rejection> {
        let header = decode_header(token).map_err(|_| Rejection::Malformed)?;
        if !self.accepts_kind(&header) {
            return Err(Rejection::Invalid);
        }
        let mut rejection = Rejection::Invalid;
        for verifier in self.keys.iter().filter(|v| v.key.may_have_signed(&header)) {
            match decode::<Claims>(token, &verifier.key.key, &verifier.validation) {
                Ok(token) => return self.accept(token.claims),
                // Only a good signature gets this far, so its owner may know.
                Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                    rejection = Rejection::Expired;
                }
                Err(_) => {}
            }
        }
        Err(rejection)
    }

    /// By its header: of a kind that is an access token, and with nothing that must be understood.
    fn accepts_kind(&self, header: &Header) -> bool {
        let kind = header.typ.as_deref().unwrap_or("JWT");
        // A media type may be written with or without its prefix (RFC 7515 §4.1.9).
        let is = |name: &str| {
            let (prefix, bare) = kind.split_at_checked(PREFIX.len()).unwrap_or_default();
            kind.eq_ignore_ascii_case(name)
                || (prefix.eq_ignore_ascii_case(PREFIX) && bare.eq_ignore_ascii_case(name))
        };
        let is_accepted = is("at+jwt") || (!self.access_tokens_only && is("JWT"));
        is_accepted && header.crit.is_none() && header.enc.is_none() && header.zip.is_none()
    }

    /// What the library lets through and RFC 9068 §4 does not.
    fn accept(&self, claims: Claims) -> Result<Claims, Rejection> {
        let issuer_is_one = claims.get("iss").is_some_and(serde_json::Value::is_string);
        let is_bound = claims.get("cnf").is_some();
        let is_complete =
            !self.access_tokens_only || REQUIRED.iter().all(|name| claims.get(name).is_some());
        if issuer_is_one && !is_bound && is_complete {
            Ok(claims)
        } else {
            Err(Rejection::Invalid)
        }
    }
}

const PREFIX: &str = "application/";

/// The claims that RFC 9068 §2.2 requires, besides those that every token has to have here.
const REQUIRED: [&str; 4] = ["sub", "client_id", "iat", "jti"];

/// Collects what a [`Jwt`] is made of.
#[must_use]
pub struct JwtBuilder {
    issuers: Vec<String>,
    audiences: Vec<String>,
    keys: Result<Vec<JwtKey>, JwtError>,
    leeway: Duration,
    access_tokens_only: bool,
    names: ClaimNames,
}

/// More would let expired tokens live on for no good reason (RFC 9068 §4 has "a few minutes").
const MAX_LEEWAY: Duration = Duration::from_secs(300);

impl JwtBuilder {
    /// Trusts tokens whose `iss` is exactly this. Required; may be given more than once.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Takes tokens whose `aud` is, or contains, this. Required; may be given more than once.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Verifies signatures with `key`, besides those given before.
    pub fn key(mut self, key: JwtKey) -> Self {
        if let Ok(keys) = &mut self.keys {
            keys.push(key);
        }
        self
    }

    /// Verifies signatures with the keys of a JWKS document (RFC 7517 §5).
    ///
    /// Taken are RSA keys for RS256, P-256 keys for ES256 and Ed25519 keys for EdDSA; keys for
    /// encryption, for other algorithms, and symmetric ones (which a public document has no
    /// business to hold) are left out.
    pub fn jwks(mut self, document: &str) -> Self {
        self.keys = self.keys.and_then(|mut keys| {
            keys.extend(key::of_jwks(document)?);
            Ok(keys)
        });
        self
    }

    /// The same from a file, which is read at once, and not again.
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

    /// Takes only tokens that keep to the profile for access tokens (RFC 9068): of the type `at+jwt`,
    /// with `sub`, `client_id`, `iat` and `jti` besides what is required anyway. Default: no, since
    /// many issuers do not keep to it.
    ///
    /// Where the issuer does, this keeps its ID tokens and all its other JWTs out.
    pub fn rfc9068_only(mut self) -> Self {
        self.access_tokens_only = true;
        self
    }

    /// How far the issuer's clock may be off, in `exp`, `nbf` and `auth_time`. Default: 60 seconds; at most
    /// 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The claims that scopes are read from, together. Default: `scope` and `scp`. A string with
    /// spaces, or an array of strings; anything else grants nothing.
    pub fn scope_claims<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names.scopes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The claim that roles are read from. Default: `roles`. An array of strings, or one string.
    pub fn roles_claim(mut self, name: impl Into<String>) -> Self {
        self.names.roles = name.into();
        self
    }

    /// The claim that permissions are read from. Default: `permissions`. An array of strings, or
    /// one string.
    pub fn permissions_claim(mut self, name: impl Into<String>) -> Self {
        self.names.permissions = name.into();
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`JwtError`] says what is missing or cannot be right.
    pub fn build(self) -> Result<Jwt, JwtError> {
        let keys = self.keys?;
        if self.issuers.is_empty() {
            return Err(JwtError::NoIssuer);
        }
        if self.audiences.is_empty() {
            return Err(JwtError::NoAudience);
        }
        if keys.is_empty() {
            return Err(JwtError::NoKey);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(JwtError::Leeway(self.leeway));
        }
        // Somebody else's dependency may have switched another backend on too, and then the
        // library would panic at the first token instead of choosing.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let verifier = |key: JwtKey| {
            let mut validation = Validation::new(key.algorithm);
            validation.set_issuer(&self.issuers);
            validation.set_audience(&self.audiences);
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
            validation.validate_nbf = true;
            validation.leeway = self.leeway.as_secs();
            Verifier { key, validation }
        };
        Ok(Jwt {
            keys: keys.into_iter().map(verifier).collect(),
            leeway: self.leeway,
            access_tokens_only: self.access_tokens_only,
            names: self.names,
        })
    }
}

/// What keeps a [`Jwt`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtError {
    /// No issuer was given.
    NoIssuer,
    /// No audience was given: tokens for other services would open this one.
    NoAudience,
    /// No key was given, or the JWKS document has none that can be used.
    NoKey,
    /// A key that cannot be read as what it is said to be.
    Key(String),
    /// A secret that is shorter than its algorithm's hash (RFC 7518 §3.2): so many bytes.
    ShortSecret(usize),
    /// A JWKS document that cannot be read.
    Jwks(String),
    /// A leeway of more than 5 minutes.
    Leeway(Duration),
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str("no issuer is trusted; name one with `.issuer(\"…\")`"),
            Self::NoAudience => f.write_str(
                "no audience is named, so tokens for other services would do; \
                 name this one with `.audience(\"…\")`",
            ),
            Self::NoKey => f.write_str("there is no key to verify signatures with"),
            Self::Key(problem) => write!(f, "the key cannot be used: {problem}"),
            Self::ShortSecret(length) => write!(
                f,
                "the secret has {length} bytes; HS256 needs 32 or more (RFC 7518 §3.2)",
            ),
            Self::Jwks(problem) => write!(f, "the JWKS document cannot be used: {problem}"),
            Self::Leeway(leeway) => write!(
                f,
                "a leeway of {} seconds is too long; 300 is the most",
                leeway.as_secs()
            ),
        }
    }
}

impl std::error::Error for JwtError {}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(|verifier| &verifier.key).collect();
        f.debug_struct("Jwt")
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder")
            .field("issuers", &self.issuers)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
