//! Authorization servers, and the verification of their tokens.

use std::fmt;
use std::sync::Arc;

use auth_runtime_core::{Caller, Identity, Verification};

use super::claims::Claims;
#[cfg(feature = "jwks")]
use super::fetched_keys::{FetchedKeys, Outage, WantedKey};
#[cfg(feature = "jwks")]
use super::key::JwtKey;
use super::key_set::KeySet;
#[cfg(feature = "jwks")]
use super::load_balancer::{BalancerKeys, BalancerToken, NoKey};
use super::rules::TokenRules;
use crate::rejected_token::RejectedToken;
use crate::signed_token::{Flaw, SignedToken};
#[cfg(feature = "token-cache")]
use crate::token_cache::{Epoch, VerifierCache};

/// An authorization server, with everything that its tokens are verified by.
pub(super) struct Issuer {
    pub(super) keys: Keys,
    pub(super) rules: Arc<TokenRules>,
    pub(super) revoked: Option<Revoked>,
    #[cfg(feature = "token-cache")]
    pub(super) cache: Option<Arc<VerifierCache>>,
}

/// Nothing is remembered, so nothing is forgotten.
#[cfg(not(feature = "token-cache"))]
type Epoch = std::convert::Infallible;

/// Asked for each request whether its token was revoked.
pub(super) type Revoked = Box<dyn Fn(&Claims) -> bool + Send + Sync>;

/// The keys of an issuer.
pub(super) enum Keys {
    Given(KeySet),
    #[cfg(feature = "jwks")]
    Fetched(Arc<FetchedKeys>),
    #[cfg(feature = "jwks")]
    OfBalancers(Arc<BalancerKeys>),
}

impl Issuer {
    /// The caller of a token that was verified a moment ago.
    #[cfg(feature = "token-cache")]
    pub(super) fn remembered(&self, token: &str) -> Option<Caller> {
        let identity = self.cache.as_ref()?.get(token)?;
        // However few tokens there are, keys that are withdrawn have to be noticed.
        #[cfg(feature = "jwks")]
        if let Keys::Fetched(fetched) = &self.keys
            && !fetched.refresh_when_due()
        {
            return None;
        }
        Some(self.unless_revoked(identity))
    }

    #[cfg(feature = "token-cache")]
    fn epoch(&self, token: &str) -> Option<Epoch> {
        self.cache.as_ref().map(|cache| cache.epoch(token))
    }

    #[cfg(not(feature = "token-cache"))]
    fn epoch(&self, _: &str) -> Option<Epoch> {
        None
    }

    pub(super) fn verify(self: &Arc<Self>, token: SignedToken<'_>) -> Verification {
        // From before the keys are looked up.
        let epoch = self.epoch(token.text);
        if let Err(rejected) = self.rules.check_header(&token) {
            return Verification::done(self.reject(rejected));
        }
        match &self.keys {
            Keys::Given(keys) => {
                let caller = self.verify_with(keys, &token, epoch);
                Verification::done(
                    caller.unwrap_or_else(|| self.reject(keys.why_unsigned(&token.header))),
                )
            }
            #[cfg(feature = "jwks")]
            Keys::Fetched(fetched) => self.verify_with_fetched(fetched, token, epoch),
            #[cfg(feature = "jwks")]
            Keys::OfBalancers(_) => Verification::done(self.reject(RejectedToken::invalid(
                "it does not have the form of a token of a load balancer",
            ))),
        }
    }

    /// Verifies with the keys at hand if the right one may be among them, or else after a fetch.
    #[cfg(feature = "jwks")]
    fn verify_with_fetched(
        self: &Arc<Self>,
        fetched: &Arc<FetchedKeys>,
        token: SignedToken<'_>,
        epoch: Option<Epoch>,
    ) -> Verification {
        let keys = fetched.that_know(&token.header);
        if let Some(keys) = &keys {
            let caller = self.verify_with(keys, &token, epoch);
            // Without key names, the signing key may be newer than the keys at hand.
            match caller {
                Some(caller) => return Verification::done(caller),
                None if keys.are_named_by(&token.header) => {
                    return Verification::done(self.reject(keys.why_unsigned(&token.header)));
                }
                None => {}
            }
        }
        let Some(unverified) = token.unverified_claims::<Claims>() else {
            return Verification::done(self.reject(RejectedToken::UNREADABLE));
        };
        // Tokens of other issuers must not cause a fetch.
        if !self.rules.issuer.is_of(&unverified) {
            return Verification::done(self.reject(self.rules.issuer.mismatch()));
        }
        let wanted = WantedKey {
            header: token.header,
            tried: keys,
            issued: unverified.issued(),
        };
        let (this, fetched, token) = (Arc::clone(self), Arc::clone(fetched), token.text.to_owned());
        Verification::pending(async move {
            let (keys, retry_after) = match fetched.fetch_for(&wanted).await {
                Ok(keys) => (keys, None),
                Err(Outage {
                    at_hand: Some(keys),
                    retry_after,
                }) => (keys, Some(retry_after)),
                Err(Outage { retry_after, .. }) => {
                    return Caller::Unverifiable {
                        retry_after: Some(retry_after),
                    };
                }
            };
            // Newer keys may be there by now, so this is not remembered yet.
            let token = SignedToken::read(&token);
            let caller = token.and_then(|token| this.verify_with(&keys, &token, None));
            match (caller, retry_after) {
                (Some(caller), _) => caller,
                (None, Some(_)) if !keys.are_named_by(&wanted.header) => {
                    Caller::Unverifiable { retry_after }
                }
                (None, _) => this.reject(keys.why_unsigned(&wanted.header)),
            }
        })
    }

    /// Verifies with these keys; returns `None` if none of them signed the token. `epoch` is from before
    /// the keys were looked up.
    fn verify_with(
        &self,
        keys: &KeySet,
        token: &SignedToken<'_>,
        epoch: Option<Epoch>,
    ) -> Option<Caller> {
        match keys.claims(token, &self.rules.issuer) {
            Ok(claims) => Some(self.caller_of(claims, token.text, epoch)),
            Err(Flaw::Invalid(rejected)) => Some(self.reject(rejected)),
            Err(Flaw::Unsigned) => None,
        }
    }

    /// The caller of a token with these claims, after its signature was verified.
    fn caller_of(&self, claims: Claims, token: &str, epoch: Option<Epoch>) -> Caller {
        let claims = match self.rules.accept(claims) {
            Ok(claims) => claims,
            Err(rejection) => return Caller::Rejected(rejection),
        };
        #[cfg(feature = "token-cache")]
        let expiry = claims.expiry();
        let identity = match self.rules.identify(claims) {
            Ok(identity) => identity,
            Err(rejection) => return Caller::Rejected(rejection),
        };
        #[cfg(feature = "token-cache")]
        if let (Some(cache), Some(epoch), Some(_)) = (&self.cache, epoch, expiry) {
            cache.insert(token, identity.clone(), expiry, epoch);
        }
        #[cfg(not(feature = "token-cache"))]
        let _ = (token, epoch);
        self.unless_revoked(identity)
    }

    pub(super) fn unless_revoked(&self, identity: Identity) -> Caller {
        let is_revoked = self.revoked.as_ref().is_some_and(|is_revoked| {
            let claims = identity.extension::<Claims>();
            claims.is_none_or(is_revoked)
        });
        if is_revoked {
            self.reject(RejectedToken::invalid("it is revoked"))
        } else {
            Caller::known(identity)
        }
    }

    fn reject(&self, rejected: RejectedToken) -> Caller {
        Caller::Rejected(self.rules.reject(rejected))
    }
}

/// Verifies a token by the issuer with its load balancer. `None` if it does not have the form of such a token,
/// or if no issuer has a load balancer.
#[cfg(feature = "jwks")]
pub(super) fn verify_of_balancer(issuers: &[Arc<Issuer>], text: &str) -> Option<Verification> {
    let keys_of = |issuer: &Arc<Issuer>| match &issuer.keys {
        Keys::OfBalancers(keys) => Some((Arc::clone(issuer), Arc::clone(keys))),
        _ => None,
    };
    let balanced: Vec<_> = issuers.iter().filter_map(keys_of).collect();
    if balanced.is_empty() {
        return None;
    }
    let token = BalancerToken::read(text)?;
    let mut balanced = balanced.into_iter();
    let named = balanced.find(|(issuer, keys)| keys.are_named(&issuer.rules.issuer, &token));
    let Some((issuer, keys)) = named.filter(|_| token.is_well_formed()) else {
        let rejected = RejectedToken::invalid("its header is not that of a named load balancer");
        return Some(Verification::done(Caller::Rejected(rejected.log(None))));
    };
    let epoch = issuer.epoch(text);
    let text = text.to_owned();
    let finish = move |token: BalancerToken, key: Result<JwtKey, NoKey>| match key {
        Ok(key) if token.is_signed_by(&key) => issuer.caller_of(token.into_claims(), &text, epoch),
        Ok(_) | Err(NoKey::Unknown) => issuer.reject(RejectedToken::invalid(
            "no key of the load balancer signed it",
        )),
        Err(NoKey::Outage { retry_after }) => Caller::Unverifiable {
            retry_after: Some(retry_after),
        },
    };
    if let Some(key) = keys.at_hand(&token) {
        return Some(Verification::done(finish(token, Ok(key))));
    }
    Some(Verification::pending(async move {
        let key = keys.fetch(&token).await;
        finish(token, key)
    }))
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(keys) => keys.fmt(f),
            #[cfg(feature = "jwks")]
            Self::Fetched(fetched) => fetched.fmt(f),
            #[cfg(feature = "jwks")]
            Self::OfBalancers(keys) => keys.fmt(f),
        }
    }
}
