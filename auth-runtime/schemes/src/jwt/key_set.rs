//! The keys of an issuer.

use std::fmt;

use super::claims::Claims;
use super::issuer_name::IssuerName;
use super::key::JwtKey;
use crate::rejected_token::RejectedToken;
use crate::signed_token::{Flaw, SignedToken, TokenHeader};

pub(super) struct KeySet(Vec<JwtKey>);

impl KeySet {
    pub(super) fn new(keys: Vec<JwtKey>) -> Self {
        Self(keys)
    }

    /// Returns whether one of the keys may have signed a token with this header.
    pub(super) fn knows(&self, header: &TokenHeader) -> bool {
        self.0.iter().any(|key| key.may_have_signed(header))
    }

    /// Returns whether the token names one of the keys. No other key can have signed it then.
    #[cfg(feature = "jwks")]
    pub(super) fn are_named_by(&self, header: &TokenHeader) -> bool {
        let mut keys = self.0.iter();
        keys.any(|key| key.is_named() && header.kid.is_some() && key.may_have_signed(header))
    }

    /// Returns the claims of a token that one of the keys signed for `issuer`.
    pub(super) fn claims(
        &self,
        token: &SignedToken<'_>,
        issuer: &IssuerName,
    ) -> Result<Claims, Flaw> {
        let mut flaw = Flaw::Unsigned;
        let candidates = self.0.iter();
        for key in candidates.filter(|key| key.may_have_signed(&token.header)) {
            match token.claims_by(&key.key, key.algorithm) {
                Ok(claims) if issuer.has(key, &claims) => return Ok(claims),
                Ok(_) => flaw = OTHER_KEY,
                Err(Flaw::Unsigned) => {}
                Err(invalid) => flaw = invalid,
            }
        }
        Err(flaw)
    }

    /// Returns the reason for rejecting a token that none of the keys signed.
    pub(super) fn why_unsigned(&self, header: &TokenHeader) -> RejectedToken {
        RejectedToken::invalid(if self.knows(header) {
            "no key of the issuer signed it"
        } else {
            "no key of the issuer has its `kid` and `alg`"
        })
    }
}

const OTHER_KEY: Flaw = Flaw::Invalid(RejectedToken::invalid("its key is that of another issuer"));

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
