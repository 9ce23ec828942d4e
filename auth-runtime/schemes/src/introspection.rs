//! Verification of opaque tokens by the authorization server (RFC 7662).

mod builder;
mod client;
mod limits;
#[cfg(feature = "redis")]
mod shared_cache;
mod single_flight;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_runtime_core::{Caller, Client, Clock, Credentials, Identity, Rejection, Verification};
use auth_runtime_remote::{CallError, HttpClient, HttpError, ServerCalls};
use serde_json::Value;
use zeroize::Zeroizing;

pub use self::builder::{IntrospectionBuilder, IntrospectionError};
use self::client::ClientAuthentication;
use self::limits::{MAX_ANSWER, MAX_IN_FLIGHT, MAX_WAITING, SHARE};
#[cfg(feature = "redis")]
pub use self::shared_cache::SharedTokenCache;
use self::single_flight::{MAX_WAIT, SingleFlight};
use crate::Claims;
use crate::b64token::is_b64token;
use crate::drop_log::DropLog;
use crate::fair_queue::{self, FairQueue};
use crate::jwt::ClaimNames;
use crate::outage_log::OutageLog;
use crate::rejected_token::RejectedToken;
use crate::token_cache::VerifierCache;

/// The time by which the clock of the server may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// Verifies opaque tokens by requests to the authorization server; for
/// [`Bearer::introspection`](crate::Bearer::introspection).
///
/// The response for an active token is read like the claims of a JWT: `exp` and `nbf` have to be
/// valid if present (with a leeway of a minute), `aud` has to contain this service, and `iss` has to match if it is
/// configured.
/// By default the response is cached for up to a minute, so a revoked token may be accepted for
/// that time (RFC 7662 §4). Concurrent requests with the same token share one request to the
/// server. A refresh token or an ID token is rejected, even if it is active: the type in the
/// response (`token_type`, `token_use`, `typ`) has to match the scheme. The reason for rejecting a token is logged at the
/// level `debug`, without data of the token.
///
/// If the server is unavailable, or rejects the credentials of this service, the response to the
/// caller is 503, never 401. If a connection ends before the response, the request to the server is
/// repeated once, unless this service authenticates with a private key.
///
/// ```
/// use auth_runtime::schemes::{Bearer, Introspection};
///
/// let introspection = Introspection::builder()
///     .endpoint("https://issuer.example/introspect")
///     .client_secret("my-api", "the secret of my-api")
///     .audience("https://api.example")
///     .build()?;
/// let scheme = Bearer::introspection(introspection);
/// # Ok::<(), auth_runtime::schemes::IntrospectionError>(())
/// ```
///
/// # Limits
///
/// Any client can invent tokens that the server has to verify, also for unknown paths. A *client*
/// here is an IPv4 address or an IPv6 network of 64 bits, as determined by
/// [`ClientAddress`](auth_runtime_core::ClientAddress). All clients behind a proxy that does not
/// report their addresses count as one. Without addresses, all clients count as one, which may take
/// all places. Therefore serve with the addresses of peers (`into_make_service_with_connect_info`), and
/// configure the proxies in front.
///
/// | bounded | bound | share | effect of one hostile client |
/// |---|---|---|---|
/// | concurrent requests to the server | 256 | 64 of one client; the others in turn by client | none; 4 clients could take all, and others then wait in turn |
/// | requests that wait for a place | 1024, for a second each; beyond that 503 with `Retry-After` | a full queue drops a request of the client with the most | none; 1024 clients exclude further ones |
/// | requests without a response in a row | 5; then none for 5 seconds, and after them one at a time until a response | 2 of one client count; after 5 of one client, only its own tokens are not sent | none; 3 clients whose tokens make the server silent could stop all requests |
///
/// Dropped requests are logged at the level `warn`, at most once a minute. The beginning and the end of an
/// outage are logged at the same level.
///
/// Cloning is cheap; clones share their cache.
#[derive(Clone)]
pub struct Introspection(Arc<Endpoint>);

struct Endpoint {
    url: String,
    /// The URL without its query, for the log.
    shown_url: String,
    client: ClientAuthentication,
    http: HttpClient,
    issuer: Option<Arc<str>>,
    audiences: Vec<String>,
    clock: Clock,
    names: ClaimNames,
    cache: Option<VerifierCache>,
    questions: SingleFlight,
    places: Arc<FairQueue<()>>,
    /// Stops the requests while the server does not respond.
    calls: ServerCalls,
    #[cfg(feature = "redis")]
    shared_cache: Option<SharedTokenCache>,
    outages: OutageLog,
    dropped: DropLog,
}

/// A response of the server.
struct Response {
    caller: Caller,
    /// The expiry of the token, if known.
    expiry: Option<SystemTime>,
    answer: Vec<u8>,
}

/// The reason for a missing or unreadable response.
struct Problem {
    text: String,
    /// The server did not respond, or too late. Other problems may be those of one token.
    is_silence: bool,
}

impl Introspection {
    /// Returns the caller of a token, if it is an access token of one of these types.
    pub(crate) fn verify(
        &self,
        credentials: &Credentials<'_>,
        types: &'static [&'static str],
    ) -> Verification {
        let token = credentials.value();
        if let Some(identity) = self.0.cache.as_ref().and_then(|cache| cache.get(token)) {
            let caller = self
                .0
                .unless_of_another_type(Caller::known(identity), types);
            return Verification::done(caller);
        }
        if !is_b64token(token) {
            return Verification::done(Caller::Rejected(NO_TOKEN.log(None)));
        }
        let client = fair_queue::owner(credentials.client());
        let (endpoint, token) = (Arc::clone(&self.0), Zeroizing::new(token.to_owned()));
        Verification::pending(async move {
            let caller = endpoint.caller(&token, client).await;
            endpoint.unless_of_another_type(caller, types)
        })
    }
}

impl Endpoint {
    /// Rejects a token of another type. The endpoint also knows other tokens, and the type in the
    /// request is only a hint (RFC 7662 §2.1).
    fn unless_of_another_type(&self, caller: Caller, types: &[&str]) -> Caller {
        let claims = caller.identity().and_then(Identity::extension::<Claims>);
        match claims {
            Some(claims)
                if !claims.is_absent_or("token_type", types) || claims.are_of_another_kind() =>
            {
                self.reject(RejectedToken::invalid(
                    "it is not an access token of this scheme",
                ))
            }
            _ => caller,
        }
    }

    /// Logs the reason for rejecting a token.
    fn reject(&self, rejected: RejectedToken) -> Caller {
        let issuer = self.issuer.as_ref();
        Caller::Rejected(rejected.log(issuer.map(|issuer| issuer as &dyn fmt::Display)))
    }

    /// Returns the caller of a token, from the cache or the server. `client` waits for a place of
    /// its own, or for another request with the same token.
    async fn caller(&self, token: &str, client: Client) -> Caller {
        let Some(cache) = &self.cache else {
            if let Some((caller, _)) = self.shared_answer(token).await {
                return caller;
            }
            let place = tokio::time::timeout(MAX_WAIT, self.places.place(client)).await;
            let Ok(Some(place)) = place else {
                return self.drop_request();
            };
            let response = self.ask(token, client).await;
            drop(place);
            self.share(token, &response).await;
            return response.caller;
        };
        let epoch = cache.epoch(token);
        let remember = move |(caller, expiry): (Caller, Option<SystemTime>)| {
            if let Caller::Known(identity) = &caller {
                cache.insert(token, identity.clone(), expiry, epoch);
            }
            caller
        };
        let shared = async { self.shared_answer(token).await.map(remember) };
        let mut response = None;
        let asking = async {
            let response = response.insert(self.ask(token, client).await);
            if response.answer.len() > MAX_ANSWER {
                return response.caller.clone();
            }
            remember((response.caller.clone(), response.expiry))
        };
        let places = (&self.places, client);
        let together = self
            .questions
            .ask_together((epoch, token), shared, places, asking);
        let caller = together.await.unwrap_or_else(|| self.drop_request());
        // Neither a place nor the other requests with this token wait for Redis.
        if let Some(response) = response {
            self.share(token, &response).await;
        }
        caller
    }

    /// Returns the caller of a request without a place.
    fn drop_request(&self) -> Caller {
        if self.dropped.is_due(self.clock.monotonic()) {
            tracing::warn!(
                endpoint = self.shown_url,
                "tokens are not introspected, since too many requests wait for the server; clients \
                 without an address of their own count as one: behind a proxy, configure \
                 `client_address`",
            );
        }
        unverifiable(ServerCalls::PAUSE)
    }

    /// Returns the response that the instances of the service share, and its expiry, if known.
    #[cfg_attr(
        not(feature = "redis"),
        expect(unused_variables, reason = "to be shared")
    )]
    async fn shared_answer(&self, token: &str) -> Option<(Caller, Option<SystemTime>)> {
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared_cache {
            let (answer, until) = shared.get(&self.asker(), token, &self.clock).await?;
            let (caller, expiry) = self.verify_claims(serde_json::from_slice(&answer).ok()?);
            let until = expiry.map_or(until, |expiry| expiry.min(until));
            return Some((caller, Some(until)));
        }
        None
    }

    /// Stores a response about a valid token for the instances of the service.
    #[cfg_attr(
        not(feature = "redis"),
        expect(unused_variables, reason = "to be shared")
    )]
    async fn share(&self, token: &str, response: &Response) {
        #[cfg(feature = "redis")]
        if let (Some(shared), Caller::Known(identity)) = (&self.shared_cache, &response.caller) {
            let asker = self.asker();
            let token = (token, identity);
            let Response { answer, expiry, .. } = response;
            let inserted = shared.insert(&asker, token, answer, *expiry, &self.clock);
            inserted.await;
        }
    }

    /// Returns the response of the server. The caller of this function holds a place of `client`.
    async fn ask(&self, token: &str, client: Client) -> Response {
        // Every response shows that the server is there.
        let call = async {
            match self.question(token).await {
                Err(silence) if silence.is_silence => Err(silence),
                response => Ok(response),
            }
        };
        let asked = self.calls.call_unbounded(client, call).await;
        let asked = asked.and_then(|response| response.map_err(CallError::Failed));
        let (answer, claims) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                if let CallError::Failed(problem) = &error
                    && self.outages.begins(self.clock.monotonic())
                {
                    tracing::warn!(
                        endpoint = self.shown_url,
                        "tokens cannot be introspected: {}",
                        problem.text
                    );
                }
                return Response {
                    caller: unverifiable(error.retry_after()),
                    expiry: None,
                    answer: Vec::new(),
                };
            }
        };
        if self.outages.ends() {
            tracing::warn!(
                endpoint = self.shown_url,
                "tokens can be introspected again"
            );
        }
        let (caller, expiry) = self.verify_claims(claims);
        Response {
            caller,
            expiry,
            answer,
        }
    }

    /// Identifies the client and the endpoint, on which the response depends (RFC 7662 §4).
    #[cfg(feature = "redis")]
    fn asker(&self) -> String {
        format!("{} {}", self.url, self.client.id())
    }

    fn verify_claims(&self, answer: Claims) -> (Caller, Option<SystemTime>) {
        if let Err(rejected) = self.check(&answer) {
            return (self.reject(rejected), None);
        }
        let expiry = answer.expiry();
        // Without a required issuer, the server could name that of another server.
        let issuer = self.issuer.clone();
        let identity = answer.into_identity(&self.names, LEEWAY, issuer);
        let caller = match identity {
            Some(identity) => Caller::known(identity),
            None => self.reject(RejectedToken::NO_SUBJECT),
        };
        (caller, expiry)
    }

    /// Sends a token to the server, and returns the response as sent and parsed.
    async fn question(&self, token: &str) -> Result<(Vec<u8>, Claims), Problem> {
        let mut form = vec![("token", token), ("token_type_hint", "access_token")];
        let assertion = self.client.assertion(self.clock.now())?;
        if let Some(assertion) = &assertion {
            form.push(("client_id", self.client.id()));
            form.push(("client_assertion_type", ASSERTION_TYPE));
            form.push(("client_assertion", assertion));
        }
        if let Some(secret) = self.client.form_secret() {
            form.push(("client_id", self.client.id()));
            form.push(("client_secret", secret));
        }
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let answer = self.http.post_form(&self.url, body).await;
        let answer = answer.map_err(|error| Problem {
            text: error.to_string(),
            is_silence: matches!(error, HttpError::Failed(_)),
        })?;
        let claims = serde_json::from_slice(&answer).map_err(|_| {
            Problem::from("the response is not a JSON object, or has a member twice".to_owned())
        })?;
        Ok((answer, claims))
    }

    /// Checks the conditions on an active token (RFC 7662 §2.2), in the same way as for a JWT.
    fn check(&self, answer: &Claims) -> Result<(), RejectedToken> {
        if answer.get("active") != Some(&Value::Bool(true)) {
            return Err(RejectedToken::invalid("the server reports it as inactive"));
        }
        answer.check_times(self.clock.now(), LEEWAY)?;
        let is_ours = match &self.issuer {
            Some(issuer) => answer.issuer() == Some(issuer),
            None => true,
        };
        let is_for_us = self.audiences.is_empty() || answer.has_one_of("aud", &self.audiences);
        if !is_ours {
            Err(RejectedToken::OTHER_ISSUER)
        } else if !is_for_us {
            Err(RejectedToken::OTHER_AUDIENCE)
        } else {
            Ok(())
        }
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self {
            text,
            is_silence: false,
        }
    }
}

fn unverifiable(retry_after: Duration) -> Caller {
    Caller::Unverifiable {
        retry_after: Some(retry_after),
    }
}

const NO_TOKEN: RejectedToken = RejectedToken::new(Rejection::Malformed, "it is not a token");

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("endpoint", &self.0.shown_url)
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}
