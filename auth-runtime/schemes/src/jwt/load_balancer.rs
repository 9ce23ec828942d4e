//! The user claims of an Application Load Balancer of AWS (`x-amzn-oidc-data`).
//!
//! Its tokens are JWTs in a form of their own: the parts have padding, the issuer and the client are in the
//! header, and each key has a URL.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth_runtime_core::Clock;
use auth_runtime_core::url::{TrustedUrl, without_secrets};
use auth_runtime_remote::{HttpClient, HttpError};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::claims::Claims;
use super::error::{JwtError, LoadBalancerProblem};
use super::issuer_name::IssuerName;
use super::key::JwtKey;
use crate::signed_token::present;

/// The time for which a key is used without a fetch. It is used for as long again while it cannot be fetched.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum number of keys at hand. A load balancer has few.
const MAX_KEYS: usize = 16;
/// The maximum number of fetches for tokens without a valid signature in each [`PERIOD`]. Any client can invent the name
/// of a key, or name that of another load balancer of the region.
const MAX_FAILURES: u32 = 8;
const PERIOD: Duration = Duration::from_secs(60);
/// The time without a fetch after one that failed.
const RETRY: Duration = Duration::from_secs(5);
/// The time for which an old key is used after a failed fetch, until the next one.
const PAUSE: Duration = Duration::from_secs(60);

/// Decodes base64url with all of its padding, or without.
fn decode(part: &str) -> Option<Vec<u8>> {
    let decoded = if part.ends_with('=') {
        URL_SAFE.decode(part)
    } else {
        URL_SAFE_NO_PAD.decode(part)
    };
    decoded.ok()
}

/// The load balancers of an issuer, as given to the builder.
#[derive(Default)]
pub(super) struct Balancers {
    /// The names (ARN).
    pub(super) arns: Vec<String>,
    /// The URL before the names of keys.
    pub(super) url: Option<String>,
}

impl Balancers {
    pub(super) fn is_empty(&self) -> bool {
        self.arns.is_empty() && self.url.is_none()
    }

    /// Checks the load balancers of an issuer, and returns the URL before the names of their keys.
    pub(super) fn check(&self, issuer: &IssuerName) -> Result<String, JwtError> {
        if !matches!(issuer, IssuerName::One(_)) {
            return Err(JwtError::LoadBalancer(LoadBalancerProblem::Issuer));
        }
        let url = match &self.url {
            _ if self.arns.is_empty() => Err(LoadBalancerProblem::NoArn),
            Some(url) => self.regions().map(|_| url.clone()),
            None => self.default_url(),
        };
        let url = url.map_err(JwtError::LoadBalancer)?;
        let url = format!("{}/", url.trim_end_matches('/'));
        match TrustedUrl::read(&url).map(|parts| parts.query) {
            Ok(None) => Ok(url),
            Ok(Some(_)) => Err(JwtError::LoadBalancer(LoadBalancerProblem::KeyUrlQuery)),
            Err(problem) => Err(JwtError::Url {
                url: without_secrets(&url),
                problem,
            }),
        }
    }

    /// The partition and the region of each load balancer.
    fn regions(&self) -> Result<Vec<(&str, &str)>, LoadBalancerProblem> {
        let regions = self.arns.iter().map(|arn| {
            let region = region_of(arn);
            region.ok_or_else(|| LoadBalancerProblem::Arn(arn.clone()))
        });
        regions.collect()
    }

    /// The URL of the keys in the region of the load balancers.
    fn default_url(&self) -> Result<String, LoadBalancerProblem> {
        let mut regions = self.regions()?;
        regions.dedup();
        match regions.as_slice() {
            [("aws", region)] => Ok(format!(
                "https://public-keys.auth.elb.{region}.amazonaws.com/"
            )),
            [_] => Err(LoadBalancerProblem::NoKeyUrl),
            _ => Err(LoadBalancerProblem::SeveralRegions),
        }
    }
}

/// The partition and the region in the ARN of an Application Load Balancer.
fn region_of(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.split(':').collect();
    let [
        "arn",
        partition,
        "elasticloadbalancing",
        region,
        account,
        name,
    ] = parts.as_slice()
    else {
        return None;
    };
    let is_name = |text: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty() && text.bytes().all(is_allowed)
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.strip_prefix("loadbalancer/app/")?;
    let (name, id) = name.split_once('/')?;
    let is_arn = [*partition, *region, name, id].into_iter().all(is_name) && is_account;
    is_arn.then_some((*partition, *region))
}

/// The keys of load balancers, which are fetched one by one.
pub(super) struct BalancerKeys {
    arns: Vec<String>,
    url: String,
    http: HttpClient,
    clock: Clock,
    keys: Mutex<HashMap<String, FetchedKey>>,
    /// The lock is held during a fetch.
    failures: Arc<tokio::sync::Mutex<Failures>>,
}

struct FetchedKey {
    key: JwtKey,
    at: Instant,
    /// The end of a pause after a failed fetch. The key is used meanwhile.
    next_fetch: Instant,
}

/// The fetches without a result.
struct Failures {
    /// The begin of the present period.
    since: Instant,
    /// The fetches in this period for tokens without a valid signature.
    unknown: u32,
    /// The time of the next fetch after one that failed.
    outage_until: Instant,
}

/// The reason for the lack of a key.
pub(super) enum NoKey {
    /// The load balancers have no such key.
    Unknown,
    Outage {
        retry_after: Duration,
    },
}

const OUTAGE: NoKey = NoKey::Outage { retry_after: RETRY };

impl BalancerKeys {
    pub(super) fn new(arns: Vec<String>, url: String, http: HttpClient, clock: Clock) -> Self {
        let since = clock.monotonic();
        Self {
            arns,
            url,
            http,
            clock,
            keys: Mutex::default(),
            failures: Arc::new(tokio::sync::Mutex::new(Failures {
                since,
                unknown: 0,
                outage_until: since,
            })),
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, FetchedKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn age(&self, at: Instant) -> Duration {
        self.clock.monotonic().saturating_duration_since(at)
    }

    /// Returns whether a token is of this issuer and of one of these load balancers, by its header.
    pub(super) fn are_named(&self, issuer: &IssuerName, token: &BalancerToken) -> bool {
        let BalancerHeader { iss, signer, .. } = &token.header;
        matches!(issuer, IssuerName::One(name) if **name == **iss) && self.arns.contains(signer)
    }

    /// Returns the key of a token, unless it has to be fetched.
    pub(super) fn at_hand(&self, token: &BalancerToken) -> Option<JwtKey> {
        let keys = self.keys();
        let found = keys.get(&token.header.kid)?;
        let now = self.clock.monotonic();
        (now < found.next_fetch).then(|| found.key.clone())
    }

    /// Returns an old key that could not be fetched again. It is used for a while without another fetch.
    fn extended(&self, kid: &str) -> Option<JwtKey> {
        let mut keys = self.keys();
        let found = keys
            .get_mut(kid)
            .filter(|found| self.age(found.at) < 2 * KEEP)?;
        found.next_fetch = self.clock.monotonic() + PAUSE;
        Some(found.key.clone())
    }

    /// Returns whether a fetched key is kept: a known one, or one that signed the token. The URL has the keys of all
    /// load balancers of the region, and a client can name any of them.
    fn keeps(&self, token: &BalancerToken, key: &JwtKey) -> bool {
        self.keys().contains_key(&token.header.kid) || token.is_signed_by(key)
    }

    /// Returns the key of a token after a fetch. One fetch runs at a time, and the others wait for it.
    pub(super) async fn fetch(self: &Arc<Self>, token: &BalancerToken) -> Result<JwtKey, NoKey> {
        let mut failures = Arc::clone(&self.failures).lock_owned().await;
        if let Some(key) = self.at_hand(token) {
            return Ok(key);
        }
        if let Some(retry_after) = self.pause(&mut failures) {
            let extended = self.extended(&token.header.kid);
            return extended.ok_or(NoKey::Outage { retry_after });
        }
        let (this, token) = (Arc::clone(self), token.clone());
        // In a task of its own: a client that hangs up must not stop the fetch for the others.
        let fetched = tokio::spawn(async move {
            match this.fetch_now(&token).await {
                Ok(key) => Ok(key),
                Err(NoKey::Unknown) => {
                    failures.unknown += 1;
                    Err(NoKey::Unknown)
                }
                Err(outage) => {
                    failures.outage_until = this.clock.monotonic() + RETRY;
                    this.extended(&token.header.kid).ok_or(outage)
                }
            }
        });
        fetched.await.unwrap_or(Err(OUTAGE))
    }

    /// Returns the time until the next fetch, if there must be none now.
    fn pause(&self, failures: &mut Failures) -> Option<Duration> {
        let now = self.clock.monotonic();
        if self.age(failures.since) >= PERIOD {
            failures.since = now;
            failures.unknown = 0;
        }
        let next_fetch = if failures.unknown >= MAX_FAILURES {
            failures.outage_until.max(failures.since + PERIOD)
        } else {
            failures.outage_until
        };
        let pause = next_fetch.saturating_duration_since(now);
        (!pause.is_zero()).then_some(pause)
    }

    async fn fetch_now(&self, token: &BalancerToken) -> Result<JwtKey, NoKey> {
        let kid = token.header.kid.as_str();
        let key = match self.http.get(&format!("{}{kid}", self.url)).await {
            Ok(pem) => JwtKey::es256_pem(pem).map_err(|error| {
                tracing::warn!(
                    url = self.url,
                    "the key {kid} of a load balancer cannot be used: {error}"
                );
                OUTAGE
            })?,
            Err(HttpError::Status(status)) if matches!(status.as_u16(), 403 | 404) => {
                // A withdrawn key must not be used again while other fetches fail.
                self.keys().remove(kid);
                return Err(NoKey::Unknown);
            }
            Err(error) => {
                tracing::warn!(
                    url = self.url,
                    "the key of a load balancer could not be fetched: {error}"
                );
                return Err(OUTAGE);
            }
        };
        if !self.keeps(token, &key) {
            return Err(NoKey::Unknown);
        }
        let at = self.clock.monotonic();
        let mut keys = self.keys();
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        let fetched = FetchedKey {
            key: key.clone(),
            at,
            next_fetch: at + KEEP,
        };
        keys.insert(kid.to_owned(), fetched);
        Ok(key)
    }
}

impl fmt::Debug for BalancerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.arns).finish()
    }
}

/// The header of a token.
#[derive(Clone, Deserialize)]
struct BalancerHeader {
    alg: String,
    kid: String,
    signer: String,
    iss: String,
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
pub(super) struct BalancerToken {
    header: BalancerHeader,
    claims: Claims,
    /// The signed text, with its padding.
    signed: String,
    /// The signature without padding.
    signature: String,
}

impl BalancerToken {
    pub(super) fn read(token: &str) -> Option<Self> {
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
    pub(super) fn is_well_formed(&self) -> bool {
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

    pub(super) fn is_signed_by(&self, key: &JwtKey) -> bool {
        let signed = self.signed.as_bytes();
        let verified =
            jsonwebtoken::crypto::verify(&self.signature, signed, &key.key, Algorithm::ES256);
        verified.unwrap_or(false)
    }

    /// The claims, with those of the header. The load balancer copies the others from the identity provider.
    pub(super) fn into_claims(mut self) -> Claims {
        let header = self.header;
        let Claims(claims) = &mut self.claims;
        claims.insert("iss".to_owned(), header.iss.into());
        claims.insert("aud".to_owned(), header.client.into());
        claims.insert("exp".to_owned(), header.exp);
        self.claims
    }
}
