//! The authentication schemes of `auth-runtime`, most of them behind a feature, and the stores that
//! several instances of a service share.
//!
//! Services use these types through `auth_runtime::schemes`.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "jwt")]
mod access_claim;
#[cfg(feature = "api-key")]
mod api_key;
mod b64token;
#[cfg(feature = "basic")]
mod basic;
mod bearer;
#[cfg(feature = "mtls")]
mod certificate_source;
mod cookie;
#[cfg(feature = "digest")]
mod digest;
#[cfg(any(feature = "dpop", feature = "signed-urls"))]
mod dot_segments;
#[cfg(feature = "dpop")]
mod dpop;
#[cfg(any(
    feature = "argon2",
    feature = "digest",
    feature = "dpop",
    feature = "introspection"
))]
mod drop_log;
#[cfg(any(feature = "dpop", feature = "digest"))]
mod expiring_map;
#[cfg(any(feature = "introspection", feature = "argon2"))]
mod fair_queue;
mod field;
#[cfg(any(feature = "api-key", feature = "mtls", feature = "webhooks"))]
mod hex;
#[cfg(any(
    feature = "argon2",
    feature = "digest",
    feature = "dpop",
    feature = "signed-urls",
    feature = "webhooks"
))]
mod hmac_key;
#[cfg(feature = "introspection")]
mod introspection;
#[cfg(any(feature = "jwks", feature = "introspection"))]
mod issuer_client;
#[cfg(feature = "jwt")]
mod jwt;
mod login_challenge;
#[cfg(feature = "mtls")]
mod mutual_tls;
#[cfg(any(feature = "dpop", feature = "digest"))]
mod nonce_key;
mod oauth;
mod origin;
#[cfg(any(feature = "introspection", feature = "redis"))]
mod outage_log;
#[cfg(feature = "basic")]
mod password;
#[cfg(feature = "argon2")]
mod password_hashes;
mod proxy_identity;
#[cfg(any(
    feature = "introspection",
    feature = "dpop",
    feature = "digest",
    feature = "argon2"
))]
mod random;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "jwt")]
mod rejected_token;
#[cfg(feature = "dpop")]
mod replay;
mod sessions;
#[cfg(any(feature = "jwt", feature = "webhooks"))]
mod shared_secret;
#[cfg(feature = "jwt")]
mod signed_token;
#[cfg(feature = "signed-urls")]
mod signed_urls;
#[cfg(feature = "jwt")]
mod spiffe;
#[cfg(any(feature = "dpop", feature = "digest"))]
mod steady_clock;
#[cfg(feature = "token-cache")]
mod token_cache;
mod token_server;
mod tokens;
#[cfg(feature = "webhooks")]
mod webhooks;

#[cfg(feature = "jwt")]
pub use self::access_claim::AccessClaim;
#[cfg(feature = "api-key")]
pub use self::api_key::{ApiKeyLookUpBuilder, ApiKeys, ApiKeysBuilder, ApiKeysError};
#[cfg(feature = "basic")]
pub use self::basic::Basic;
pub use self::bearer::Bearer;
#[cfg(feature = "mtls")]
pub use self::certificate_source::{CertificateSource, PeerCertificate};
#[cfg(feature = "digest")]
pub use self::digest::{
    Digest, DigestAlgorithm, DigestBuilder, DigestError, DigestLookUpError, DigestSecret,
    DigestSecretError,
};
#[cfg(feature = "dpop")]
pub use self::dpop::{Dpop, DpopBuilder, DpopError};
#[cfg(all(feature = "introspection", feature = "redis"))]
pub use self::introspection::SharedTokenCache;
#[cfg(feature = "introspection")]
pub use self::introspection::{Introspection, IntrospectionBuilder, IntrospectionError};
#[cfg(feature = "jwks")]
pub use self::jwt::KeySource;
#[cfg(feature = "jwt")]
pub use self::jwt::{
    CarriedJwt, CarriedJwtBuilder, CarriedJwtError, ClaimPath, Claims, Jwt, JwtAlgorithm,
    JwtBuilder, JwtError, JwtKey, LoadBalancerProblem,
};
#[cfg(feature = "mtls")]
pub use self::mutual_tls::MutualTls;
pub use self::origin::{TrustedOrigins, TrustedOriginsError};
#[cfg(feature = "basic")]
pub use self::password::Password;
#[cfg(feature = "argon2")]
pub use self::password_hashes::{
    PasswordHashLookUpBuilder, PasswordHashes, PasswordHashesBuilder, PasswordHashesError,
};
pub use self::proxy_identity::{ProxyIdentity, ProxyIdentityBuilder, ProxyIdentityError};
#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisBuilder, RedisError};
#[cfg(feature = "dpop")]
pub use self::replay::{ReplayStore, ReplayStoreError, UsedProof};
#[cfg(feature = "sessions")]
pub use self::sessions::{SessionCookieLayer, SessionCookies};
pub use self::sessions::{Sessions, SessionsBuilder, SessionsError};
#[cfg(feature = "signed-urls")]
pub use self::signed_urls::{LinkError, SignedUrls, SignedUrlsBuilder, SignedUrlsError};
#[cfg(feature = "token-cache")]
pub use self::token_cache::TokenCache;
pub use self::tokens::Tokens;
#[cfg(feature = "webhooks")]
pub use self::webhooks::{Webhooks, WebhooksBuilder, WebhooksError};
