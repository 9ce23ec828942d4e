//! The parts of a signed token (RFC 7515 §3.1).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::de::{DeserializeOwned, Error, IgnoredAny, Visitor};
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
    pub(crate) header: TokenHeader,
    /// The header, a JSON object.
    #[cfg(feature = "dpop")]
    pub(crate) header_text: String,
    /// The text in front of the signature.
    signed: &'t str,
    claims: &'t str,
    signature: &'t str,
}

/// The parameters of a header that decide about a token. Others have no effect (RFC 7515 §4).
#[derive(Clone, Deserialize)]
pub(crate) struct TokenHeader {
    pub(crate) alg: Algorithm,
    pub(crate) typ: Option<TokenType>,
    pub(crate) kid: Option<String>,
    /// Whether the header has `crit`, also with an invalid value, such as `null` (RFC 7515 §4.1.11).
    #[serde(default, rename = "crit", deserialize_with = "present")]
    pub(crate) is_critical: bool,
    /// Whether it has `enc`, as an encrypted token (RFC 7516 §4.1.2).
    #[serde(default, rename = "enc", deserialize_with = "present")]
    pub(crate) is_encrypted: bool,
    /// Whether it has `zip`, as a compressed token (RFC 7516 §4.1.3).
    #[serde(default, rename = "zip", deserialize_with = "present")]
    pub(crate) is_compressed: bool,
}

/// The type of a token, by its `typ` (RFC 7515 §4.1.9).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenType {
    /// RFC 9068 §2.1.
    AccessToken,
    /// RFC 9449 §4.2.
    DpopProof,
    /// SPIFFE JWT-SVID §2.3.
    Jose,
    Jwt,
    Other,
}

impl TokenType {
    /// A media type may be written with or without its prefix.
    fn of(media_type: &str) -> Self {
        const PREFIX: &str = "application/";
        const NAMES: [(&str, TokenType); 4] = [
            ("at+jwt", TokenType::AccessToken),
            ("dpop+jwt", TokenType::DpopProof),
            ("JOSE", TokenType::Jose),
            ("JWT", TokenType::Jwt),
        ];
        let name = match media_type.split_at_checked(PREFIX.len()) {
            Some((prefix, name)) if prefix.eq_ignore_ascii_case(PREFIX) => name,
            _ => media_type,
        };
        let mut names = NAMES.iter();
        let known = names.find(|(own, _)| own.eq_ignore_ascii_case(name));
        known.map_or(Self::Other, |(_, known)| *known)
    }
}

impl<'de> Deserialize<'de> for TokenType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MediaType;

        impl Visitor<'_> for MediaType {
            type Value = TokenType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a media type")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TokenType, E> {
                Ok(TokenType::of(text))
            }
        }

        deserializer.deserialize_str(MediaType)
    }
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
        let header_text = String::from_utf8(URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        // serde also reads an array of the parameters.
        let is_object = header_text.trim_start().starts_with('{');
        let header = is_object.then(|| serde_json::from_str(&header_text).ok());
        Some(Self {
            text,
            header: header.flatten()?,
            #[cfg(feature = "dpop")]
            header_text,
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

/// Reads a member of any value, such as `null`, as `true`.
pub(crate) fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
