//! The names of issuers, which distinguish their tokens.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Claims;
use super::key::{JwtKey, KeyUse};
use crate::rejected_token::RejectedToken;
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

    /// The reason for rejecting a token that does not name this issuer.
    pub(super) fn mismatch(&self) -> RejectedToken {
        match self {
            Self::One(_) => RejectedToken::OTHER_ISSUER,
            Self::PerTenant { .. } => RejectedToken::invalid(
                "its `iss` is not that of its `tid`, or the tenant is not allowed",
            ),
            Self::Unnamed => RejectedToken::invalid("it has an `iss`"),
            Self::TrustDomain(_) => RejectedToken::invalid("its `sub` is not in the trust domain"),
        }
    }

    /// Returns whether a key of the issuer's document signs tokens with these claims. A document for several
    /// tenants names the issuer of each key.
    pub(super) fn has(&self, key: &JwtKey, claims: &Claims) -> bool {
        let name = match self {
            Self::One(own) => Some(&**own),
            Self::PerTenant { .. } => claims.issuer(),
            Self::Unnamed | Self::TrustDomain(_) => return true,
        };
        match (name, key.issuer.as_deref()) {
            (_, None) => true,
            (Some(name), Some(named)) => {
                named.contains(ANY_TENANT) || named == name || are_of_one_tenant(named, name)
            }
            (None, Some(_)) => false,
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

/// Returns whether two issuers are those of one tenant of Microsoft Entra: `https://sts.windows.net/TENANT/` of
/// version 1, and `https://login.microsoftonline.com/TENANT/v2.0` of version 2. A document names keys by the second,
/// for tokens of both. The hosts of national clouds differ.
fn are_of_one_tenant(one: &str, other: &str) -> bool {
    tenant_of(one).is_some_and(|tenant| tenant_of(other) == Some(tenant))
}

/// The id of the tenant, which is unique in all clouds, if it is the whole path besides the version.
fn tenant_of(issuer: &str) -> Option<&str> {
    let (_host, path) = issuer.strip_prefix("https://")?.split_once('/')?;
    let tenant = path.strip_suffix("/v2.0").or(path.strip_suffix('/'))?;
    let is_id = tenant.len() == 36
        && tenant.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_id.then_some(tenant)
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
