//! A proof of possession (RFC 9449 §4).

use std::time::Duration;

use auth_runtime_core::Credentials;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::dot_segments::has_dot_segments;
use crate::field::only_line;
use crate::jwt::key::{KeyUse, public_key, verifies};
use crate::nonce_key::{MAX_AHEAD, NonceKey, Stamp};
use crate::signed_token::{SignedToken, TokenType};
use crate::steady_clock::SteadyClock;

/// The field of proofs (RFC 9449 §4.1).
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The conditions on a proof.
pub(super) struct ProofRules {
    /// The origins of the service, each with the prefix that a gateway removes, if any, and without a slash at the end.
    pub(super) origins: Vec<String>,
    pub(super) algorithms: Vec<jsonwebtoken::Algorithm>,
    pub(super) lifetime: Duration,
    /// The longest time by which a client's clock may be ahead.
    pub(super) clock_skew: Duration,
    pub(super) nonces: Option<NonceKey>,
    pub(super) clock: SteadyClock,
}

/// A valid proof for this request and this token. Its replay and the binding of the token are not
/// checked yet.
pub(super) struct Proof {
    /// The thumbprint of its key (RFC 7638).
    pub(super) thumbprint: String,
    /// Identifies the proof among all valid ones.
    pub(super) id: [u8; 32],
    /// The remaining lifetime.
    pub(super) lifetime: Duration,
}

pub(super) enum ProofProblem {
    Invalid,
    /// The proof lacks the required nonce, but is valid otherwise.
    Nonce,
}

/// The lifetime of a nonce.
pub(super) const NONCE_LIFETIME: Duration = Duration::from_secs(300);
/// The difference between the clocks of client and service, in `exp` and `nbf`.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// The maximum length of a proof, in bytes.
const MAX_PROOF: usize = 4096;
const MAX_ID: usize = 256;

#[derive(Deserialize)]
struct ProofClaims {
    jti: String,
    htm: String,
    htu: String,
    /// When the proof was made, by the clock of the client, in seconds since 1970.
    iat: f64,
    ath: String,
    nonce: Option<String>,
    /// Not required of a proof, as `nbf`.
    #[serde(default = "never")]
    exp: f64,
    #[serde(default)]
    nbf: f64,
    /// Forbids an array in place of the object, which serde accepts for other structs.
    #[serde(flatten)]
    _others: IgnoredAny,
}

fn never() -> f64 {
    f64::INFINITY
}

impl ProofRules {
    /// Returns the proof of a request. Makes every check of RFC 9449 §4.3, except those of the binding and
    /// of replays.
    pub(super) fn proof(&self, credentials: &Credentials<'_>) -> Result<Proof, ProofProblem> {
        let (claims, thumbprint) = self.read(credentials).ok_or(ProofProblem::Invalid)?;
        Ok(Proof {
            lifetime: self.rest(&claims)?,
            id: id(&thumbprint, &claims.jti),
            thumbprint,
        })
    }

    /// Returns the claims of the proof and the thumbprint of its key, after every check except those of `iat`,
    /// the nonce, the binding and replays.
    fn read(&self, credentials: &Credentials<'_>) -> Option<(ProofClaims, String)> {
        let line = only_line(credentials.headers(), &DPOP).flatten()?;
        let text = line.to_str().ok()?.trim_matches([' ', '\t']);
        let (claims, thumbprint) = self.verified(text)?;
        let is_right = self.is_in_time(&claims)
            && !claims.jti.is_empty()
            && claims.jti.len() <= MAX_ID
            && claims.htm == credentials.method().as_str()
            && self.is_target(&claims.htu, credentials)
            && claims.ath == URL_SAFE_NO_PAD.encode(Sha256::digest(credentials.value()));
        is_right.then_some((claims, thumbprint))
    }

    /// Returns the remaining lifetime of a proof, by its time and its nonce.
    fn rest(&self, claims: &ProofClaims) -> Result<Duration, ProofProblem> {
        let by_clock = self.rest_of_life(claims.iat);
        let Some(nonces) = &self.nonces else {
            return by_clock.ok_or(ProofProblem::Invalid);
        };
        let nonce = claims.nonce.as_deref();
        let Some(Stamp::Fresh(age)) = nonce.map(|nonce| nonces.verify(nonce)) else {
            return Err(ProofProblem::Nonce);
        };
        // The proof is newer than its nonce, whatever the client's clock says (RFC 9449 §4.3 (11)).
        let by_nonce = self.lifetime.checked_sub(age);
        let lifetime = by_clock.max(by_nonce).ok_or(ProofProblem::Nonce)?;
        // By the clock, a proof that was made ahead of time becomes valid later, until its nonce expires.
        let later = match by_clock {
            None if self.is_ahead(claims.iat) => NONCE_LIFETIME.saturating_sub(age),
            _ => Duration::ZERO,
        };
        // A nonce of an instance whose clock is ahead has an age of zero for longer.
        let ahead = if age.is_zero() {
            MAX_AHEAD
        } else {
            Duration::ZERO
        };
        Ok(lifetime.max(later) + ahead)
    }

    /// Returns the claims, and the thumbprint of the key in the header, which verified the
    /// signature.
    fn verified(&self, text: &str) -> Option<(ProofClaims, String)> {
        if text.len() > MAX_PROOF {
            return None;
        }
        let token = SignedToken::read(text)?;
        let header = &token.header;
        let is_accepted = header.typ == Some(TokenType::DpopProof)
            && self.algorithms.contains(&header.alg)
            && !header.is_critical
            && !header.is_encrypted
            && !header.is_compressed;
        let ProofHeader { jwk } = serde_json::from_str(&token.header_text).ok()?;
        let jwk = Some(&jwk).filter(|jwk| {
            is_accepted
                && verifies(jwk, header.alg, KeyUse::Signature)
                && shows_no_secret(&token.header_text)
        })?;
        let key = public_key(jwk)?;
        let claims = token.claims_by(&key, header.alg).ok()?;
        Some((claims, thumbprint(jwk)?))
    }

    /// Returns whether the proof is valid at this time by its optional `exp` and `nbf`.
    fn is_in_time(&self, claims: &ProofClaims) -> bool {
        let (seconds, skew) = (
            self.clock.since_1970().as_secs_f64(),
            CLOCK_SKEW.as_secs_f64(),
        );
        claims.nbf <= seconds + skew && seconds < claims.exp + skew
    }

    /// Returns the remaining lifetime of a proof that was made at this time. `None` if it is not
    /// valid.
    fn rest_of_life(&self, made: f64) -> Option<Duration> {
        let made = Duration::try_from_secs_f64(made).ok()?;
        let now = self.clock.since_1970();
        if made > now + self.clock_skew {
            return None;
        }
        made.checked_add(self.lifetime)?
            .checked_sub(now)
            .filter(|rest| !rest.is_zero())
    }

    /// Returns whether a proof was made after the present time of this service.
    fn is_ahead(&self, made: f64) -> bool {
        made > self.clock.since_1970().as_secs_f64()
    }

    /// Returns whether `htu` is the target of the request at an origin of the service, without
    /// query and fragment, after normalization (RFC 9449 §4.3, RFC 3986 §6.2). A gateway that removes the whole path
    /// sends `/`.
    fn is_target(&self, htu: &str, credentials: &Credentials<'_>) -> bool {
        let path = credentials.uri().path();
        if has_dot_segments(path) {
            return false;
        }
        let Some(claimed) = normal(htu) else {
            return false;
        };
        let is_claimed = |url: &str| normal(url).as_ref() == Some(&claimed);
        self.origins.iter().any(|origin| {
            is_claimed(&format!("{origin}{path}")) || (path == "/" && is_claimed(origin))
        })
    }
}

/// The parameter of a header that only proofs have.
#[derive(Deserialize)]
struct ProofHeader {
    jwk: Jwk,
}

/// Returns whether the key in the header has no private and no symmetric part, which the proof
/// would have disclosed (RFC 9449 §4.3 (7)).
fn shows_no_secret(header: &str) -> bool {
    const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    let header: Option<Map<String, Value>> = serde_json::from_str(header).ok();
    let jwk = header
        .as_ref()
        .and_then(|header| header.get("jwk")?.as_object());
    jwk.is_some_and(|jwk| SECRET.iter().all(|name| !jwk.contains_key(*name)))
}

/// The nonce in the proof of a request, of which nothing is verified.
pub(super) fn nonce_of(headers: &HeaderMap) -> Option<String> {
    #[derive(Deserialize)]
    struct ProofClaims {
        nonce: String,
        #[serde(flatten)]
        _others: IgnoredAny,
    }
    let text = headers
        .get("dpop")?
        .to_str()
        .ok()?
        .trim_matches([' ', '\t']);
    let text = Some(text).filter(|text| text.len() <= MAX_PROOF)?;
    let claims: ProofClaims = SignedToken::read(text)?.unverified_claims()?;
    Some(claims.nonce)
}

fn thumbprint(jwk: &Jwk) -> Option<String> {
    jwk.thumbprint(ThumbprintHash::SHA256).ok()
}

fn id(thumbprint: &str, jti: &str) -> [u8; 32] {
    // All thumbprints have the same length.
    let id = Sha256::new_with_prefix(thumbprint).chain_update(jti);
    id.finalize().into()
}

/// Returns the normal form of a URL, without query and fragment: scheme and host in lower case, no
/// default port, and no unnecessary escapes.
pub(super) fn normal(url: &str) -> Option<String> {
    // Browsers accept characters in URLs that RFC 3986 (§2, §3) does not allow.
    let is_written_out = url.bytes().all(|byte| byte.is_ascii_graphic())
        && !url.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}'])
        && url
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.starts_with('/'));
    if !is_written_out {
        return None;
    }
    let mut url = url::Url::parse(url).ok()?;
    let is_http = matches!(url.scheme(), "http" | "https");
    if !is_http || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = unescaped(url.path());
    let authority = url.origin().ascii_serialization();
    Some(format!("{authority}{path}"))
}

/// Decodes unnecessary escapes, and writes the others in upper case.
fn unescaped(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..2)
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
                text.push_str(part.get(2..).unwrap_or_default());
            }
            Some(_) => {
                text.push('%');
                text.push_str(&part.get(..2).unwrap_or_default().to_ascii_uppercase());
                text.push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                text.push('%');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_equal_in_every_spelling() {
        for (url, expected) in [
            ("https://api.example/r", Some("https://api.example/r")),
            ("HTTPS://API.EXAMPLE:443/%72", Some("https://api.example/r")),
            ("https://api.example/r?a=b#c", Some("https://api.example/r")),
            ("https://api.example", Some("https://api.example/")),
            ("https://api.example/a/../r", Some("https://api.example/r")),
            (
                "https://api.example/a%2fb",
                Some("https://api.example/a%2Fb"),
            ),
            (
                "https://api.example:8443/r",
                Some("https://api.example:8443/r"),
            ),
            ("http://api.example/r", Some("http://api.example/r")),
            ("https://user@api.example/r", None),
            ("ftp://api.example/r", None),
            ("/r", None),
            ("https:api.example/r", None),
            ("https:///api.example/r", None),
            ("https:\\\\api.example/r", None),
            ("https://api.example/\tr", None),
            ("https://API。example/r", None),
            ("", None),
        ] {
            assert_eq!(normal(url).as_deref(), expected, "{url}");
        }
    }
}
