//! The conditions on the tokens of an issuer, and the meaning of their claims.

use std::time::Duration;

use auth_runtime_core::{Clock, Identity, Rejection};

use super::claims::{ClaimNames, Claims};
use super::error::JwtError;
use super::issuer_name::IssuerName;
use super::key::{JwtKey, KeyUse};
use crate::rejected_token::RejectedToken;
use crate::signed_token::{SignedToken, TokenType};

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
    /// Checks that no setting of a trust domain is for other tokens than JWT-SVIDs (SPIFFE JWT-SVID §2.1, §2.3, §3.2).
    pub(super) fn check_for_svids(&self, keys: &[JwtKey]) -> Result<(), JwtError> {
        if !matches!(self.issuer, IssuerName::TrustDomain(_)) {
            return Ok(());
        }
        let mut algorithms = keys.iter().map(|key| key.algorithm);
        let other = algorithms.find(|algorithm| !KeyUse::JwtSvid.permits(*algorithm));
        let setting = match other {
            Some(algorithm) => format!("a key for {algorithm:?}"),
            None if !self.clients.is_empty() => "`.client(…)`".to_owned(),
            None if self.takes_any_audience => "`.any_audience()`".to_owned(),
            None if self.access_tokens_only => "`.rfc9068_only()`".to_owned(),
            None => return Ok(()),
        };
        Err(JwtError::SvidSetting(setting))
    }

    /// Checks the header of a token: of a kind that is an access token, without unknown extensions, neither encrypted
    /// nor compressed.
    pub(super) fn check_header(&self, token: &SignedToken<'_>) -> Result<(), RejectedToken> {
        let header = &token.header;
        let is_accepted = match (header.typ.unwrap_or(TokenType::Jwt), &self.issuer) {
            (TokenType::Jwt | TokenType::Jose, IssuerName::TrustDomain(_)) => true,
            (_, IssuerName::TrustDomain(_)) => false,
            (TokenType::AccessToken, _) => true,
            (TokenType::Jwt, _) => !self.access_tokens_only,
            _ => false,
        };
        let reason = if header.is_critical {
            "its header has `crit`"
        } else if !is_accepted {
            "the `typ` of its header is not that of an access token"
        } else if header.is_encrypted || header.is_compressed {
            "it is encrypted or compressed"
        } else {
            return Ok(());
        };
        Err(RejectedToken::invalid(reason))
    }

    /// Checks the claims of a token with a valid signature.
    pub(super) fn accept(&self, claims: Claims) -> Result<Claims, Rejection> {
        match self.check_claims(&claims) {
            Ok(()) => Ok(claims),
            Err(rejected) => Err(self.reject(rejected)),
        }
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), RejectedToken> {
        claims.check_times(self.clock.now(), self.leeway)?;
        if !self.issuer.is_of(claims) {
            return Err(self.issuer.mismatch());
        }
        if claims.expiry().is_none() {
            return Err(RejectedToken::invalid("it has no `exp`"));
        }
        self.check_audience(claims)?;
        let has = |name: &&str| claims.get(name).is_some_and(|claim| !claim.is_null());
        let reason = if self.access_tokens_only && !REQUIRED.iter().all(has) {
            "it lacks a claim that RFC 9068 requires"
        } else if claims.are_of_another_kind() {
            "it is not an access token, by its claims"
        } else if !self.conditions.iter().all(|is_met| is_met(claims)) {
            "it does not meet a condition of `accept_if`"
        } else {
            return Ok(());
        };
        Err(RejectedToken::invalid(reason))
    }

    /// Checks that the audience of a token is among the configured ones, or, of a token without one, the client.
    fn check_audience(&self, claims: &Claims) -> Result<(), RejectedToken> {
        let is_present = claims.get("aud").is_some();
        let is_accepted = if is_present {
            claims.has_one_of("aud", &self.audiences)
        } else {
            claims.has_one_of("client_id", &self.clients)
        };
        let reason = match (
            is_present,
            self.audiences.is_empty(),
            self.clients.is_empty(),
        ) {
            _ if is_accepted || self.takes_any_audience => return Ok(()),
            (true, false, _) => return Err(RejectedToken::OTHER_AUDIENCE),
            (true, true, _) => "it has an `aud`, and no audience is accepted",
            (false, _, true) => "it has no `aud`",
            (false, _, false) => "it has no `aud`, and its `client_id` is not an accepted client",
        };
        Err(RejectedToken::invalid(reason))
    }

    pub(super) fn identify(&self, claims: Claims) -> Result<Identity, Rejection> {
        let issuer = self.issuer.of_subject(&claims);
        let Some(identify) = &self.identify else {
            let identity = claims.into_identity(&self.names, self.leeway, issuer);
            return identity.ok_or_else(|| self.reject(RejectedToken::NO_SUBJECT));
        };
        let rejected = match identify(&claims) {
            Ok(identity) if !identity.subject().is_empty() => {
                return Ok(claims.complete(identity, self.leeway, issuer));
            }
            Ok(_) => RejectedToken::invalid("the function of `identity` returned an empty subject"),
            Err(rejection) => {
                RejectedToken::new(rejection, "the function of `identity` rejected it")
            }
        };
        Err(self.reject(rejected))
    }

    /// Logs the reason for rejecting a token of this issuer.
    pub(super) fn reject(&self, rejected: RejectedToken) -> Rejection {
        rejected.log(Some(&self.issuer))
    }
}

/// The claims that RFC 9068 §2.2 requires, besides those that every token has to have here.
const REQUIRED: [&str; 5] = ["sub", "aud", "client_id", "iat", "jti"];
