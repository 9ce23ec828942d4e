//! The names of issuers, which distinguish their tokens.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Claims;
use super::key::{JwtKey, KeyUse};
use crate::spiffe;

/// The issuer of the tokens that are trusted.
pub(super) enum IssuerName {
    One(Arc<str>),
    /// An issuer with a name for each tenant, which is in the claim `tid`.
    PerTenant {
        before: String,
        after: String,
        is_allowed: Box<dyn Fn(&str) -> bool + Send + Sync>,
    },
    /// An issuer that its tokens do not name.
    Unnamed,
    /// The authority of a SPIFFE trust domain, which the subject names.
    TrustDomain(Arc<str>),
}

/// The place of the tenant in the name of an issuer.
pub(super) const TENANT: &str = "{tid}";
/// The place of the tenant in the issuer that Microsoft Entra's document names for a key.
const ANY_TENANT: &str = "{tenantid}";

impl IssuerName {
    /// Returns whether the token names this issuer. The claims need not be verified yet.
    pub(super) fn is_of(&self, claims: &Claims) -> bool {
        match self {
            Self::One(own) => claims.issuer() == Some(own),
            Self::PerTenant {
                before,
                after,
                is_allowed,
            } => {
                let tenant = claims
                    .issuer()
                    .and_then(|name| name.strip_prefix(&**before));
                let tenant = tenant.and_then(|rest| rest.strip_suffix(&**after));
                let named = claims.get("tid").and_then(Value::as_str);
                tenant.is_some_and(|tenant| named == Some(tenant) && is_allowed(tenant))
            }
            Self::Unnamed => claims.get("iss").is_none(),
            Self::TrustDomain(own) => {
                let subject = claims.get("sub").and_then(Value::as_str);
                subject.is_some_and(|subject| spiffe::is_of(subject, own))
            }
        }
    }

    /// Returns whether a key of the issuer's document signs tokens with these claims. In a document for all tenants,
    /// a key can belong to one of them.
    pub(super) fn has(&self, key: &JwtKey, claims: &Claims) -> bool {
        match (self, key.issuer.as_deref()) {
            (Self::PerTenant { .. }, Some(named)) => {
                named.contains(ANY_TENANT) || claims.issuer() == Some(named)
            }
            _ => true,
        }
    }

    /// The use of the keys of this issuer.
    pub(super) fn key_use(&self) -> KeyUse {
        match self {
            Self::TrustDomain(_) => KeyUse::JwtSvid,
            _ => KeyUse::Signature,
        }
    }

    /// The issuer of the subjects of its tokens.
    pub(super) fn of_subject(&self, claims: &Claims) -> Option<Arc<str>> {
        match self {
            Self::One(name) => Some(Arc::clone(name)),
            Self::PerTenant { .. } => claims.issuer().map(Arc::from),
            Self::Unnamed => None,
            Self::TrustDomain(_) => Some(self.to_string().into()),
        }
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => f.write_str(name),
            Self::PerTenant { before, after, .. } => write!(f, "{before}{TENANT}{after}"),
            Self::Unnamed => f.write_str("unnamed"),
            Self::TrustDomain(name) => write!(f, "spiffe://{name}"),
        }
    }
}
