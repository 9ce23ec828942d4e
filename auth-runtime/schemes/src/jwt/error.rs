//! The errors of building a verifier of JWTs.

use std::fmt;
use std::time::Duration;

use auth_runtime_core::UrlProblem;

/// An error of building a [`Jwt`](super::Jwt).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtError {
    /// No issuer was given, or an empty one.
    NoIssuer,
    /// No audience was given, or an empty one: tokens for other services would be accepted.
    NoAudience,
    /// An audience or a client was given, and any audience is accepted.
    AudienceAndAny,
    /// Tokens have to conform to RFC 9068, which requires an audience, and none is accepted.
    ProfileWithoutAudience,
    /// The template of an issuer's name has no place for the tenant, or does not begin with `https://`, or
    /// its keys are to be discovered: name their URL by `jwks_url`.
    IssuerTemplate,
    /// The name of a SPIFFE trust domain is not valid: lower-case letters, digits, `.`, `-` and `_`.
    TrustDomain(String),
    /// The setting is not for the JWT-SVIDs of a SPIFFE trust domain. These have an audience, the type `JWT` or
    /// `JOSE`, and a signature of RSA or ECDSA (SPIFFE JWT-SVID §2.1, §2.3, §3.2).
    SvidSetting(String),
    /// Keys are to be fetched for tokens that name no issuer: these need keys that are given.
    FetchedWithoutIssuer,
    /// The name of a claim is empty.
    ClaimName,
    /// The prefix of scopes is empty, or has a character that no scope has (RFC 6749 §3.3).
    ScopePrefix(String),
    /// No key was given, or the JWKS document has none that can be used.
    NoKey,
    /// The key is not a valid key of the stated kind.
    Key(String),
    /// The secret is shorter than the hash of its algorithm (RFC 7518 §3.2).
    ShortSecret {
        /// The number of bytes that it has.
        length: usize,
        /// The number of bytes that it needs.
        required: usize,
    },
    /// The JWKS document cannot be parsed.
    Jwks(String),
    /// The leeway is more than 5 minutes.
    Leeway(Duration),
    /// Keys were given, and others are to be fetched. Only one of the two is possible.
    KeysBesidesFetched,
    /// More than one issuer was given to one builder. Each issuer has keys of its own.
    SeveralIssuers,
    /// Two verifiers have this issuer.
    DuplicateIssuer(String),
    /// The URL of the keys is invalid.
    Url {
        /// The URL, without its user information and its query.
        url: String,
        /// The problem of the URL.
        problem: UrlProblem,
    },
    /// The settings of a load balancer are invalid.
    LoadBalancer(LoadBalancerProblem),
    /// The CA certificates are missing, or not valid PEM.
    CaCertificates,
    /// The keys could not be fetched.
    Unreachable(String),
}

/// The reason for refusing the settings of a [load balancer](super::JwtBuilder::load_balancer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadBalancerProblem {
    /// The issuer is a template or a trust domain: a load balancer has an issuer with one name.
    Issuer,
    /// No load balancer is named, but the URL of its keys is.
    NoArn,
    /// The value is not the ARN of an Application Load Balancer.
    Arn(String),
    /// The load balancers of the issuer are in several regions.
    SeveralRegions,
    /// The load balancer is outside the partition `aws`, and the URL of its keys is not named.
    NoKeyUrl,
    /// The URL of its keys has a query.
    KeyUrlQuery,
}

impl fmt::Display for LoadBalancerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer => f.write_str("its issuer must not be a template or a trust domain"),
            Self::NoArn => f.write_str("its ARN is missing; name it with `.load_balancer(\"…\")`"),
            Self::Arn(arn) => {
                write!(f, "{arn:?} is not the ARN of an Application Load Balancer")
            }
            Self::SeveralRegions => f.write_str("its load balancers are in several regions"),
            Self::NoKeyUrl => f.write_str(
                "its keys have a URL of their own outside the partition `aws`; name it with \
                 `.load_balancer_keys(\"…\")`",
            ),
            Self::KeyUrlQuery => f.write_str("the URL of its keys has a query"),
        }
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str("no issuer is trusted; name one with `.issuer(\"…\")`"),
            Self::NoAudience => f.write_str(
                "the audience is missing, so tokens for other services would be accepted; name \
                 it with `.audience(\"…\")`, or, for tokens without `aud`, choose `.client(\"…\")` or \
                 `.any_audience()`",
            ),
            Self::AudienceAndAny => f.write_str(
                "an audience or a client is given, and `.any_audience()` as well; remove one of them",
            ),
            Self::ProfileWithoutAudience => f.write_str(
                "`.rfc9068_only()` requires tokens with an audience, and none is accepted; name it with \
                 `.audience(\"…\")`",
            ),
            Self::IssuerTemplate => f.write_str(
                "the template of the issuer begins with `https://` and has one `{tid}`, and its \
                 keys are named by `.jwks_url(\"…\")`",
            ),
            Self::TrustDomain(name) => write!(
                f,
                "{name:?} is not a trust domain; write its name only, such as `shop.example`",
            ),
            Self::SvidSetting(setting) => write!(
                f,
                "{setting} is not for the JWT-SVIDs of a trust domain; remove it",
            ),
            Self::FetchedWithoutIssuer => f.write_str(
                "tokens that name no issuer need keys that are given, by `.key(…)` or `.jwks(…)`",
            ),
            Self::ClaimName => f.write_str("the name of a claim is empty"),
            Self::ScopePrefix(prefix) => write!(
                f,
                "no scope begins with {prefix:?}: a prefix is of visible ASCII, without quotes and backslashes",
            ),
            Self::NoKey => f.write_str(
                "no key to verify signatures was given, or none that can be used; give one by \
                 `.key(…)` or `.jwks(…)`, or fetch the keys by `.discover()` or `.jwks_url(…)` (feature \
                 `jwks`)",
            ),
            Self::Key(problem) => write!(f, "the key cannot be used: {problem}"),
            Self::ShortSecret { length, required } => write!(
                f,
                "the secret has {length} bytes; its algorithm needs {required} or more (RFC 7518 §3.2)",
            ),
            Self::Jwks(problem) => write!(f, "the JWKS document cannot be used: {problem}"),
            Self::Leeway(leeway) => write!(
                f,
                "the leeway is {} seconds; the maximum is 300",
                leeway.as_secs()
            ),
            Self::KeysBesidesFetched => {
                f.write_str("keys are both given and fetched; choose one of the two")
            }
            Self::SeveralIssuers => f.write_str(
                "more than one issuer is given, and keys belong to one; build a `Jwt` for each, \
                 and join them with `Jwt::any_of`",
            ),
            Self::DuplicateIssuer(issuer) => {
                write!(
                    f,
                    "two verifiers are for the issuer {issuer:?}; join one of them only"
                )
            }
            Self::Url { url, problem } => {
                write!(f, "keys cannot be fetched from {url:?}: {problem}")?;
                match problem {
                    UrlProblem::NotHttps => {
                        f.write_str("; within a cluster, name it with `.jwks_over_plain_http(…)`")
                    }
                    _ => Ok(()),
                }
            }
            Self::LoadBalancer(problem) => {
                write!(f, "the load balancer cannot be trusted: {problem}")
            }
            Self::CaCertificates => f.write_str(
                "the CA certificates are missing, or not valid PEM",
            ),
            Self::Unreachable(problem) => write!(f, "the keys cannot be fetched: {problem}"),
        }
    }
}

impl std::error::Error for JwtError {}
