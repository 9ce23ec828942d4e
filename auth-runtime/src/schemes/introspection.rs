//! Opaque tokens that the authorization server is asked about (RFC 7662).

mod builder;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::builder::ClientAuthentication;
pub use self::builder::{IntrospectionBuilder, IntrospectionError};
use crate::caller::{Caller, Rejection};
use crate::scheme::Verification;
use crate::schemes::Claims;
use crate::schemes::http_client::HttpClient;
use crate::schemes::jwt::ClaimNames;
use crate::schemes::token_cache::VerifierCache;

/// When to try again while the endpoint is out of order.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// So many questions are asked at the same time; who would be one more is told to come back.
const MAX_QUESTIONS: usize = 256;

/// Verifies opaque tokens by asking the authorization server; for
/// [`Bearer::introspection`](crate::Bearer::introspection).
///
/// What it says of an active token is read as the claims of a JWT are: `exp` and `nbf` have to be
/// right if they are there, and so have `iss` and `aud` where they are configured. The answer is
/// remembered for up to a minute by default, so a revoked token may be let in for so long (RFC 7662
/// §4); while it is being asked, others with the same token wait for the same answer.
///
/// If the server cannot be reached, or refuses this service itself, callers are answered 503, never
/// 401.
///
/// ```
/// use auth_runtime::{Bearer, Introspection};
///
/// let introspection = Introspection::builder()
///     .endpoint("https://issuer.example/introspect")
///     .client_secret("my-api", "the secret of my-api")
///     .audience("https://api.example")
///     .build()?;
/// let scheme = Bearer::introspection(introspection);
/// # Ok::<(), auth_runtime::IntrospectionError>(())
/// ```
///
/// Cloning is cheap; clones share their cache.
#[derive(Clone)]
pub struct Introspection(Arc<Endpoint>);

struct Endpoint {
    url: String,
    client: ClientAuthentication,
    http: HttpClient,
    issuer: Option<String>,
    audiences: Vec<String>,
    leeway: Duration,
    names: ClaimNames,
    cache: Option<VerifierCache>,
    questions: Semaphore,
    /// So that an outage is logged once, and its end.
    is_down: AtomicBool,
}

impl Introspection {
    /// Says whose token this is.
    pub(crate) fn verify(&self, token: &str) -> Verification {
        if let Some(identity) = self.0.cache.as_ref().and_then(|cache| cache.get(token)) {
            return Verification::done(Caller::known(identity));
        }
        let (endpoint, token) = (Arc::clone(&self.0), Zeroizing::new(token.to_owned()));
        Verification::pending(async move {
            match &endpoint.cache {
                Some(cache) => cache.get_or_verify(&token, endpoint.ask(&token)).await,
                None => endpoint.ask(&token).await.0,
            }
        })
    }
}

impl Endpoint {
    /// Whose token this is, and until when that holds, if it is known.
    async fn ask(&self, token: &str) -> (Caller, Option<SystemTime>) {
        let unverifiable = Caller::Unverifiable {
            retry_after: Some(RETRY_AFTER),
        };
        let Ok(_place) = self.questions.try_acquire() else {
            return (unverifiable, None);
        };
        let answer = match self.question(token).await {
            Ok(answer) => answer,
            Err(problem) => {
                if !self.is_down.swap(true, Ordering::Relaxed) {
                    tracing::warn!("tokens cannot be introspected: {problem}");
                }
                return (unverifiable, None);
            }
        };
        if self.is_down.swap(false, Ordering::Relaxed) {
            tracing::warn!("tokens can be introspected again");
        }
        match self.accept(answer) {
            Ok(claims) => {
                let expiry = claims.expiry();
                let identity = claims.into_identity(&self.names, self.leeway);
                (identity.map_or(Caller::rejected(), Caller::known), expiry)
            }
            Err(rejection) => (Caller::Rejected(rejection), None),
        }
    }

    async fn question(&self, token: &str) -> Result<Claims, String> {
        let mut form = vec![("token", token), ("token_type_hint", "access_token")];
        let assertion = self.client.assertion()?;
        if let Some(assertion) = &assertion {
            form.push(("client_id", self.client.id()));
            form.push(("client_assertion_type", ASSERTION_TYPE));
            form.push(("client_assertion", assertion));
        }
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let answer = self
            .http
            .post_form(&self.url, body, self.client.basic())
            .await;
        let answer = answer.map_err(|error| error.to_string())?;
        serde_json::from_slice(&answer).map_err(|_| "the answer is no JSON object".to_owned())
    }

    /// What is true of an active token (RFC 7662 §2.2), checked as a JWT's claims are.
    fn accept(&self, answer: Claims) -> Result<Claims, Rejection> {
        if answer.get("active") != Some(&Value::Bool(true)) {
            return Err(Rejection::Invalid);
        }
        let now = SystemTime::now();
        if answer.get("exp").is_some() {
            let expiry = answer.expiry().ok_or(Rejection::Invalid)?;
            if expiry.checked_add(self.leeway).is_none_or(|end| end <= now) {
                return Err(Rejection::Expired);
            }
        }
        if answer.get("nbf").is_some() {
            let begins = answer.begins().ok_or(Rejection::Invalid)?;
            if begins > now + self.leeway {
                return Err(Rejection::Invalid);
            }
        }
        let is_ours = match &self.issuer {
            Some(issuer) => answer.get("iss").is_some_and(|own| own == issuer.as_str()),
            None => true,
        };
        let is_for_us = self.audiences.is_empty()
            || answer
                .strings("aud")
                .iter()
                .any(|audience| self.audiences.iter().any(|own| own == audience));
        if is_ours && is_for_us {
            Ok(answer)
        } else {
            Err(Rejection::Invalid)
        }
    }
}

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("endpoint", &self.0.url)
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}
