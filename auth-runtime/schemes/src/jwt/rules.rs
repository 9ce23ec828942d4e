//! The conditions on the tokens of an issuer, and the meaning of their claims.

use std::time::Duration;

use auth_runtime_core::{Clock, Identity, Rejection};
use jsonwebtoken::Header;

use super::claims::{ClaimNames, Claims};
use super::issuer_name::IssuerName;

/// The conditions on the claims of a token, and their meaning.
pub(super) struct TokenRules {
    pub(super) issuer: IssuerName,
    pub(super) audiences: Vec<String>,
    /// The accepted clients of tokens without an audience.
    pub(super) clients: Vec<String>,
    pub(super) takes_any_audience: bool,
    pub(super) leeway: Duration,
    pub(super) clock: Clock,
    pub(super) access_tokens_only: bool,
    pub(super) conditions: Vec<ClaimCondition>,
    pub(super) identify: Option<IdentifyByClaims>,
    pub(super) names: ClaimNames,
}

type ClaimCondition = Box<dyn Fn(&Claims) -> bool + Send + Sync>;
type IdentifyByClaims = Box<dyn Fn(&Claims) -> Result<Identity, Rejection> + Send + Sync>;

impl TokenRules {
    /// By its header: of a kind that is an access token, neither encrypted nor compressed.
    pub(super) fn accept_kind(&self, header: &Header) -> bool {
        let kind = header.typ.as_deref().unwrap_or("JWT");
        // A media type may be written with or without its prefix (RFC 7515 §4.1.9).
        let is = |name: &str| {
            let (prefix, bare) = kind.split_at_checked(PREFIX.len()).unwrap_or_default();
            kind.eq_ignore_ascii_case(name)
                || (prefix.eq_ignore_ascii_case(PREFIX) && bare.eq_ignore_ascii_case(name))
        };
        let is_svid = matches!(self.issuer, IssuerName::TrustDomain(_)) && is("JOSE");
        let is_accepted = is("at+jwt") || (!self.access_tokens_only && (is("JWT") || is_svid));
        is_accepted && header.enc.is_none() && header.zip.is_none()
    }

    /// Checks the claims of a token with a valid signature.
    pub(super) fn accept(&self, claims: Claims) -> Result<Claims, Rejection> {
        claims.check_times(self.clock.now(), self.leeway)?;
        let is_complete = !self.access_tokens_only
            || REQUIRED
                .iter()
                .all(|name| claims.get(name).is_some_and(|claim| !claim.is_null()));
        let is_accepted = self.issuer.is_of(&claims)
            && claims.expiry().is_some()
            && self.is_for_us(&claims)
            && is_complete
            && !claims.are_of_another_kind()
            && self.conditions.iter().all(|is_met| is_met(&claims));
        if is_accepted {
            Ok(claims)
        } else {
            Err(Rejection::Invalid)
        }
    }

    /// Returns whether the audience of a token is among the configured ones, or, of a token without one,
    /// the client.
    fn is_for_us(&self, claims: &Claims) -> bool {
        match claims.get("aud") {
            _ if self.takes_any_audience => true,
            Some(_) => claims.has_one_of("aud", &self.audiences),
            None => claims.has_one_of("client_id", &self.clients),
        }
    }

    pub(super) fn identify(&self, claims: Claims) -> Result<Identity, Rejection> {
        let issuer = self.issuer.of_subject(&claims);
        match &self.identify {
            Some(identify) => {
                let identity = identify(&claims)?;
                match identity.subject() {
                    "" => Err(Rejection::Invalid),
                    _ => Ok(claims.complete(identity, self.leeway, issuer)),
                }
            }
            None => {
                let identity = claims.into_identity(&self.names, self.leeway, issuer);
                identity.ok_or(Rejection::Invalid)
            }
        }
    }
}

const PREFIX: &str = "application/";

/// The claims that RFC 9068 §2.2 requires, besides those that every token has to have here.
const REQUIRED: [&str; 5] = ["sub", "aud", "client_id", "iat", "jti"];
