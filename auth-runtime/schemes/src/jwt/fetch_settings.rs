//! The settings for keys that are fetched, as the builder keeps them.

use std::sync::Arc;
use std::time::Duration;

use auth_runtime_remote::{HttpClient, HttpClientError};

use super::error::JwtError;
use super::fetched_keys::{FetchedKeys, KeyPlace};
use super::issuer::Keys;
use super::load_balancer::{BalancerKeys, Balancers};
use super::rules::TokenRules;
use crate::issuer_client::issuer_client;
use crate::token_cache::VerifierCache;

/// The source of fetched keys, and the interval of fetches.
pub(super) struct FetchSettings {
    pub(super) place: Option<KeyPlace>,
    pub(super) balancers: Balancers,
    pub(super) ca_certificates: Option<Vec<u8>>,
    pub(super) refresh_every: Duration,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            place: None,
            balancers: Balancers::default(),
            ca_certificates: None,
            refresh_every: Duration::from_secs(600),
        }
    }
}

impl FetchSettings {
    /// Returns the keys, which nothing has fetched yet; `None` if keys are not fetched.
    pub(super) fn keys(
        self,
        rules: &Arc<TokenRules>,
        cache: Option<Arc<VerifierCache>>,
    ) -> Result<Option<Keys>, JwtError> {
        let Self {
            place,
            balancers,
            ca_certificates,
            refresh_every,
        } = self;
        match (place, balancers.is_empty()) {
            (None, true) => Ok(None),
            (Some(_), false) => Err(JwtError::KeysBesidesFetched),
            (Some(place), true) => {
                let http = http(&place.check(&rules.issuer)?, ca_certificates)?;
                let fetched =
                    FetchedKeys::new(place, Arc::clone(rules), refresh_every, cache, http);
                Ok(Some(Keys::Fetched(Arc::new(fetched))))
            }
            (None, false) => {
                let url = balancers.check(&rules.issuer)?;
                let (http, clock) = (http(&url, ca_certificates)?, rules.clock.clone());
                let keys = BalancerKeys::new(balancers.arns, url, http, clock);
                Ok(Some(Keys::OfBalancers(Arc::new(keys))))
            }
        }
    }
}

fn http(url: &str, ca_certificates: Option<Vec<u8>>) -> Result<HttpClient, JwtError> {
    let http = issuer_client(url, ca_certificates)
        .repeat_lost_requests()
        .build();
    http.map_err(|error| match error {
        HttpClientError::Certificates => JwtError::CaCertificates,
        HttpClientError::Client(problem) => JwtError::Unreachable(problem),
    })
}
