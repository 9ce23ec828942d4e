//! A set of keys, and the conditions on the claims of their tokens.

use std::fmt;

use auth_runtime_core::Rejection;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode};

use super::claims::Claims;
use super::issuer_name::IssuerName;
use super::key::JwtKey;
use super::rules::Rules;

pub(super) struct KeySet(Vec<Entry>);

struct Entry {
    key: JwtKey,
    validation: Validation,
}

/// The reason for rejecting a token.
pub(super) enum Flaw {
    /// None of the keys signed it.
    Unsigned,
    /// The signature is valid, but the claims are not.
    Rejected(Rejection),
}

impl KeySet {
    pub(super) fn new(keys: Vec<JwtKey>, rules: &Rules) -> Self {
        let entry = |key: JwtKey| {
            let mut validation = Validation::new(key.algorithm);
            // The audience is checked with the other claims: a token without one may be accepted.
            validation.validate_aud = false;
            if let IssuerName::One(name) = &rules.issuer {
                validation.set_issuer(&[name]);
            }
            // The other issuers are checked with the other claims.
            validation.set_required_spec_claims(match &rules.issuer {
                IssuerName::One(_) | IssuerName::PerTenant { .. } => &["exp", "iss"],
                IssuerName::Unnamed | IssuerName::TrustDomain(_) => &["exp"][..],
            });
            validation.validate_nbf = true;
            validation.leeway = rules.leeway.as_secs();
            Entry { key, validation }
        };
        Self(keys.into_iter().map(entry).collect())
    }

    /// Returns whether one of the keys may have signed a token with this header.
    #[cfg(feature = "jwks")]
    pub(super) fn knows(&self, header: &Header) -> bool {
        self.0.iter().any(|entry| entry.key.may_have_signed(header))
    }

    /// Returns whether the token names one of the keys. No other key can have signed it then.
    #[cfg(feature = "jwks")]
    pub(super) fn name(&self, header: &Header) -> bool {
        let mut keys = self.0.iter().map(|entry| &entry.key);
        keys.any(|key| key.is_named() && header.kid.is_some() && key.may_have_signed(header))
    }

    /// Returns the claims of a token, if one of the keys signed it and it is valid.
    pub(super) fn claims(&self, token: &str, header: &Header) -> Result<Claims, Flaw> {
        let mut flaw = Flaw::Unsigned;
        let candidates = self.0.iter();
        for entry in candidates.filter(|entry| entry.key.may_have_signed(header)) {
            match decode::<Claims>(token, &entry.key.key, &entry.validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {}
                    // The signature is valid here, so the reason may be disclosed.
                    ErrorKind::ExpiredSignature => flaw = Flaw::Rejected(Rejection::Expired),
                    _ => flaw = Flaw::Rejected(Rejection::Invalid),
                },
            }
        }
        Err(flaw)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.iter().map(|entry| &entry.key);
        f.debug_list().entries(keys).finish()
    }
}
