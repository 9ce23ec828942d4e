//! A set of keys, and the conditions on the claims of their tokens.

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode};

use super::claims::Claims;
use super::key::JwtKey;

pub(super) struct KeySet(Vec<Entry>);

struct Entry {
    key: JwtKey,
    validation: Validation,
}

/// The reason for rejecting a token.
pub(super) enum Flaw {
    /// None of the keys signed it.
    Unsigned,
    /// One of them did, and its claims cannot be read.
    Invalid,
}

impl KeySet {
    pub(super) fn new(keys: Vec<JwtKey>) -> Self {
        let entry = |key: JwtKey| {
            let mut validation = Validation::new(key.algorithm);
            // Claims are checked by the rules of the issuer, and its clock.
            validation.required_spec_claims.clear();
            validation.validate_exp = false;
            validation.validate_aud = false;
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

    /// Returns the claims of a token that one of the keys signed.
    pub(super) fn claims(&self, token: &str, header: &Header) -> Result<Claims, Flaw> {
        let mut flaw = Flaw::Unsigned;
        let candidates = self.0.iter();
        for entry in candidates.filter(|entry| entry.key.may_have_signed(header)) {
            match decode::<Claims>(token, &entry.key.key, &entry.validation) {
                Ok(token) => return Ok(token.claims),
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {}
                    _ => flaw = Flaw::Invalid,
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
