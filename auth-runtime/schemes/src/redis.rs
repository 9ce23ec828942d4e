//! What several instances of a service have to know together, in a Redis that each of them reaches.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, ProtocolVersion};
use tokio::sync::OnceCell;

use crate::{ReplayStore, ReplayStoreError, UsedProof};

/// A Redis, or what speaks like one, that the instances of a service share.
///
/// As a [`ReplayStore`] it remembers used proofs for all of them, so that a proof that one instance
/// was sent is refused by every other:
///
/// ```
/// use auth_runtime::schemes::{Dpop, Jwt, JwtKey, Redis};
///
/// # let secret = [7; 32];
/// # let nonce_key = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// let redis = Redis::builder("rediss://api:its-password@redis.internal/")
///     .prefix("api:")
///     .build()?;
/// let scheme = Dpop::jwt(jwt)
///     .origin("https://api.example")
///     .nonces_with_key(nonce_key)
///     .replay_store(redis)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It connects when it is needed first, and again whenever the connection is lost. A request that has
/// to wait longer than the [`timeout`](RedisBuilder::timeout) for it is answered 503, so an outage
/// neither hangs requests nor lets a proof in twice.
///
/// # What Redis has to be like
///
/// Version 6 or newer, one that runs scripts (`EVAL`), and no cluster. What it forgets can be used again for as long as a proof is good, a minute by
/// default: give it `maxmemory-policy noeviction`, and `appendonly yes` if it may be restarted at any
/// time. Whoever can write to it can let proofs in twice, so it needs a password, and `rediss://`
/// where the network is not your own.
///
/// Each subject may use 20 000 proofs a minute; requests with further ones are answered 503. So one
/// subject takes up some 10 MB of Redis at most, for proofs that are good for a minute.
///
/// Cloning is cheap; clones share their connection.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    connection: OnceCell<ConnectionManager>,
    prefix: String,
    timeout: Duration,
    /// So that an outage is logged once, and its end.
    is_down: AtomicBool,
}

impl Redis {
    /// The Redis at `url`: `redis://…`, `rediss://…` for TLS or `unix:…`, with user and password
    /// (`redis://user:password@host:port/database`).
    pub fn builder(url: impl Into<String>) -> RedisBuilder {
        RedisBuilder {
            url: url.into(),
            prefix: "auth:".to_owned(),
            timeout: Duration::from_millis(500),
        }
    }
}

/// Collects what a [`Redis`] is made of.
#[must_use]
pub struct RedisBuilder {
    url: String,
    prefix: String,
    timeout: Duration,
}

/// Nobody waits longer for an answer to be refused.
const MAX_TIMEOUT: Duration = Duration::from_secs(10);

impl RedisBuilder {
    /// What the names of all keys begin with, so that others can use the same Redis. Instances of one
    /// service have to have the same. Default: `auth:`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long an answer may take, connecting included. Default: half a second; at most ten.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Checks everything, without connecting yet.
    ///
    /// # Errors
    ///
    /// [`RedisError`] says what cannot be right.
    pub fn build(self) -> Result<Redis, RedisError> {
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(RedisError::Timeout(self.timeout));
        }
        let info = self.url.into_connection_info();
        let info = info.map_err(|_| RedisError::Url)?;
        if let ConnectionAddr::TcpTls { insecure, .. } = info.addr() {
            if *insecure {
                return Err(RedisError::Url);
            }
            // Without one, connecting would panic. Whoever chose one already has the last word.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        // By the newer protocol it is noticed at once that a connection is lost.
        let settings = info.redis_settings().clone();
        let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        #[cfg(target_os = "linux")]
        let info = {
            // A network that swallows everything would otherwise be waited for by the quarter of an hour.
            let settings = info.tcp_settings().clone();
            info.set_tcp_settings(settings.set_user_timeout(MAX_TIMEOUT))
        };
        Ok(Redis(Arc::new(Shared {
            client: Client::open(info).map_err(|_| RedisError::Url)?,
            connection: OnceCell::new(),
            prefix: self.prefix,
            timeout: self.timeout,
            is_down: AtomicBool::new(false),
        })))
    }
}

impl Redis {
    /// The name of a key of this purpose.
    pub(crate) fn key(&self, purpose: &str, id: &[u8]) -> String {
        format!("{}{purpose}:{}", self.0.prefix, URL_SAFE_NO_PAD.encode(id))
    }

    /// What Redis answers, in time.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let shared = &self.0;
        let answer = tokio::time::timeout(shared.timeout, shared.ask(command)).await;
        let problem = match answer {
            Ok(Ok(answer)) => {
                if shared.is_down.swap(false, Ordering::Relaxed) {
                    tracing::warn!("Redis answers again");
                }
                return Ok(answer);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it takes too long".to_owned(),
        };
        if !shared.is_down.swap(true, Ordering::Relaxed) {
            tracing::warn!("Redis does not answer: {problem}");
        }
        Err(RedisError::NoAnswer)
    }
}

impl Shared {
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> redis::RedisResult<T> {
        let mut connection = self.connection().await?;
        match command.query_async(&mut connection).await {
            // That may have been found out long ago. Nobody has seen the command, so it can be sent
            // once more, to whoever listens by now.
            Err(error) if error.is_connection_refusal() => {
                command.query_async(&mut connection).await
            }
            answer => answer,
        }
    }

    /// Made where there is a runtime for it to live in.
    async fn connection(&self) -> redis::RedisResult<ConnectionManager> {
        let connect = async || {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(self.timeout))
                // Whoever asks keeps the time, over connecting and asking together.
                .set_response_timeout(None)
                // The next request tries again; this one is not to wait for better times.
                .set_number_of_retries(0);
            self.client.get_connection_manager_lazy(config)
        };
        self.connection.get_or_try_init(connect).await.cloned()
    }
}

/// How far the clocks of two instances may be apart: a proof that is past for one of them may still
/// be good for the other.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// So many proofs of one subject are taken in each [`SHARE_PERIOD`], so that one subject does not fill
/// Redis for all others.
const SHARE: u32 = 20_000;
/// Beginning with the first proof of a subject.
const SHARE_PERIOD: Duration = Duration::from_secs(60);

/// Remembers a proof: 1 if it is the first time, 0 if not, and -1 if its subject has no share left. One
/// script, so that nothing comes in between.
const REMEMBER: &str = "\
    if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end \
    local proofs = redis.call('INCR', KEYS[2]) \
    if proofs == 1 then redis.call('EXPIRE', KEYS[2], ARGV[2]) end \
    if proofs > tonumber(ARGV[3]) then return -1 end \
    redis.call('SET', KEYS[1], 'used', 'EX', ARGV[1]) \
    return 1";

impl ReplayStore for Redis {
    async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        let lifetime = proof.lifetime().saturating_add(CLOCKS_APART);
        let mut command = redis::cmd("EVAL");
        command
            .arg(REMEMBER)
            .arg(2)
            .arg(self.key("proof", &proof.id()))
            .arg(self.key("proofs", &proof.subject()))
            .arg(lifetime.as_secs())
            .arg(SHARE_PERIOD.as_secs())
            .arg(SHARE);
        match self.ask::<i64>(&command).await {
            Ok(1) => Ok(true),
            Ok(0) => Ok(false),
            Ok(_) => {
                tracing::warn!("a subject uses too many proofs of possession to remember them all");
                Err(ReplayStoreError)
            }
            Err(_) => Err(ReplayStoreError),
        }
    }
}

/// What keeps a [`Redis`] from being built, or from answering. What it was given is not in it, since
/// a password was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisError {
    /// A URL that is none of a Redis, or one of a Redis whose certificate is not to be checked.
    Url,
    /// A time-out of nothing, or of more than ten seconds.
    Timeout(Duration),
    /// There is no answer, or none in time; the log says why.
    NoAnswer,
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str(
                "that is not the URL of a Redis; write `redis://user:password@host:port/`, or \
                 `rediss://…` for TLS",
            ),
            Self::Timeout(timeout) => write!(
                f,
                "an answer cannot be waited for for {} seconds; up to 10 is fine",
                timeout.as_secs_f32()
            ),
            Self::NoAnswer => f.write_str("Redis does not answer"),
        }
    }
}

impl std::error::Error for RedisError {}

impl fmt::Debug for Redis {
    /// Where it is, and not how to log in there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.0.client.get_connection_info().addr();
        f.debug_struct("Redis")
            .field("address", &format_args!("{address}"))
            .field("prefix", &self.0.prefix)
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
