//! The parts of a signed token (RFC 7515 §3.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, crypto};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::rejected_token::RejectedToken;

/// Chooses the backend of `jsonwebtoken`. Another dependency may have enabled a second one. Without a
/// choice, the library would then panic at the first token.
pub(crate) fn choose_backend() {
    // A backend that was chosen before is kept.
    let _ = crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// A token in compact serialization. Only [`claims_by`](Self::claims_by) verifies its signature.
pub(crate) struct SignedToken<'t> {
    pub(crate) text: &'t str,
    pub(crate) header: Header,
    /// Whether the header has `crit`, also with an invalid value, such as `null` (RFC 7515 §4.1.11).
    pub(crate) is_critical: bool,
    /// The text in front of the signature.
    signed: &'t str,
    claims: &'t str,
    signature: &'t str,
}

/// The reason for rejecting a token.
pub(crate) enum Flaw {
    /// The key did not sign it.
    Unsigned,
    /// Another key changes nothing: the signature or the claims cannot be read.
    Invalid(RejectedToken),
}

impl<'t> SignedToken<'t> {
    /// `None` if the token has no readable header, or not three parts.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.rsplit_once('.')?;
        let header = URL_SAFE_NO_PAD.decode(header).ok()?;
        let critical: Critical = serde_json::from_slice(&header).ok()?;
        Some(Self {
            text,
            header: serde_json::from_slice(&header).ok()?,
            is_critical: critical.crit,
            signed,
            claims,
            signature,
        })
    }

    /// Verifies the signature, and returns the claims. The caller chooses the algorithm, and compares it with
    /// that of the header (RFC 8725 §3.1).
    pub(crate) fn claims_by<T: DeserializeOwned>(
        &self,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<T, Flaw> {
        match crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm) {
            Ok(true) => self
                .unverified_claims()
                .ok_or(Flaw::Invalid(RejectedToken::UNREADABLE)),
            Ok(false) => Err(Flaw::Unsigned),
            Err(_) => Err(Flaw::Invalid(RejectedToken::invalid(
                "its signature cannot be read",
            ))),
        }
    }

    /// The claims, whoever signed them. They prove nothing.
    pub(crate) fn unverified_claims<T: DeserializeOwned>(&self) -> Option<T> {
        let claims = URL_SAFE_NO_PAD.decode(self.claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}

/// The member of a header that no token may have here.
#[derive(Deserialize)]
struct Critical {
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// Reads a member of any value, such as `null`, as `true`.
pub(crate) fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
