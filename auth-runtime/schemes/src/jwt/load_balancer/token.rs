//! The tokens of load balancers, of which nothing is verified yet.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::jwt::claims::Claims;
use crate::jwt::key::JwtKey;
use crate::signed_token::present;

/// The header of a token.
#[derive(Clone, Deserialize)]
pub(super) struct BalancerHeader {
    alg: String,
    pub(super) kid: String,
    pub(super) signer: String,
    pub(super) iss: String,
    client: String,
    exp: Value,
    typ: Option<String>,
    #[serde(default, rename = "crit", deserialize_with = "present")]
    is_critical: bool,
    /// Forbids an array in place of the object, which serde accepts for other structs.
    #[serde(flatten)]
    _others: IgnoredAny,
}

/// A token with its parts, of which nothing is verified yet.
#[derive(Clone)]
pub(in crate::jwt) struct BalancerToken {
    pub(super) header: BalancerHeader,
    claims: Claims,
    /// The signed text, with its padding.
    signed: String,
    /// The signature without padding.
    signature: String,
}

impl BalancerToken {
    pub(in crate::jwt) fn read(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let &[header, claims, signature] = parts.as_slice() else {
            return None;
        };
        decode(signature)?;
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed: format!("{header}.{claims}"),
            signature: signature.trim_end_matches('=').to_owned(),
        })
    }

    /// Returns whether the header has the algorithm and the form that load balancers use.
    pub(in crate::jwt) fn is_well_formed(&self) -> bool {
        let BalancerHeader {
            alg,
            kid,
            typ,
            is_critical,
            ..
        } = &self.header;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_kid = (1..=64).contains(&kid.len()) && kid.bytes().all(is_allowed);
        alg == "ES256" && typ.as_deref().is_none_or(|typ| typ == "JWT") && !is_critical && is_kid
    }

    pub(in crate::jwt) fn is_signed_by(&self, key: &JwtKey) -> bool {
        let signed = self.signed.as_bytes();
        let verified =
            jsonwebtoken::crypto::verify(&self.signature, signed, &key.key, Algorithm::ES256);
        verified.unwrap_or(false)
    }

    /// The claims, with those of the header. The load balancer copies the others from the identity provider.
    pub(in crate::jwt) fn into_claims(mut self) -> Claims {
        let header = self.header;
        let Claims(claims) = &mut self.claims;
        claims.insert("iss".to_owned(), header.iss.into());
        claims.insert("aud".to_owned(), header.client.into());
        claims.insert("exp".to_owned(), header.exp);
        self.claims
    }
}

/// Decodes base64url with all of its padding, or without.
fn decode(part: &str) -> Option<Vec<u8>> {
    let decoded = if part.ends_with('=') {
        URL_SAFE.decode(part)
    } else {
        URL_SAFE_NO_PAD.decode(part)
    };
    decoded.ok()
}
