//! The shared state of several instances of a service, in Redis.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, ProtocolVersion};
use tokio::time::timeout;

use crate::drop_log::DropLog;
use crate::outage_log::OutageLog;
use crate::replay::{ReplayStore, ReplayStoreError, UsedProof};

/// A connection to a Redis server, or a compatible one, that the instances of the service share.
///
/// As a [`ReplayStore`], it stores the used proofs of all instances, so that a proof is rejected by
/// every instance after its first use:
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
/// It connects on first use, and again after the connection is lost. It also makes a new connection,
/// at most once a second, after a response exceeds the [`timeout`](RedisBuilder::timeout), and after
/// the server has become a replica. If the URL leads to the new primary after a failover, no restart
/// of the service is needed. A request that has to wait longer than the `timeout` receives 503. An
/// outage therefore neither blocks requests nor allows replays.
///
/// # Requirements on Redis
///
/// Version 6 or newer, with scripts (`EVAL`), and not a cluster. A proof that Redis loses can be
/// replayed until it expires, by default for a minute: set `maxmemory-policy noeviction`, and
/// `appendonly yes` if it may be restarted at any time. A client with write access to Redis can
/// allow replays. Therefore set a password, and use `rediss://` on networks that you do not
/// control.
///
/// Each subject may use 20 000 proofs per minute. Requests with further proofs receive 503. One
/// subject therefore occupies at most some 10 MB of Redis, for proofs with a lifetime of a minute.
///
/// Cloning is cheap; clones share their connection.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    connection: Mutex<Option<Connection>>,
    prefix: String,
    timeout: Duration,
    is_down: AtomicBool,
    outages: OutageLog,
    /// Proofs that are not stored, since the share of their subject is exhausted.
    dropped: DropLog,
    /// The last time that a deadline passed.
    silent_at: Mutex<Option<Instant>>,
}

/// A connection, which is made again by itself after the server closes it.
#[derive(Clone)]
struct Connection {
    manager: ConnectionManager,
    since: Instant,
}

/// The minimum age of a connection that is replaced, and the time after a missing response in which callers with another
/// source do not ask Redis.
const PAUSE: Duration = Duration::from_secs(1);

impl Redis {
    /// Starts with the Redis at `url`: `redis://…`, `rediss://…` for TLS or `unix:…`, with user and
    /// password (`redis://user:password@host:port/database`).
    pub fn builder(url: impl Into<String>) -> RedisBuilder {
        RedisBuilder {
            url: url.into(),
            prefix: "auth:".to_owned(),
            timeout: Duration::from_millis(500),
        }
    }
}

/// Builds a [`Redis`].
#[must_use]
pub struct RedisBuilder {
    url: String,
    prefix: String,
    timeout: Duration,
}

/// The maximum time limit of a response.
const MAX_TIMEOUT: Duration = Duration::from_secs(10);

impl RedisBuilder {
    /// Sets the prefix of all keys, so that other services can use the same Redis. The instances of
    /// one service need the same prefix. Default: `auth:`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the time limit of a response, including the connection. Default: half a second; at most
    /// ten.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the client, without a connection.
    ///
    /// For `rediss://`, it installs AWS-LC as rustls' default provider of the process, unless one is installed. A
    /// service with a provider of its own installs that one before.
    ///
    /// # Errors
    ///
    /// [`RedisError`] names an invalid setting.
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
            // Without a provider, connecting would panic. A provider that was installed before is
            // kept.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        // The newer protocol reports a lost connection at once.
        let settings = info.redis_settings().clone();
        let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        #[cfg(target_os = "linux")]
        let info = {
            // Without this, a network that drops all packets would cause a wait of a quarter of an
            // hour.
            let settings = info.tcp_settings().clone();
            info.set_tcp_settings(settings.set_user_timeout(MAX_TIMEOUT))
        };
        Ok(Redis(Arc::new(Shared {
            client: Client::open(info).map_err(|_| RedisError::Url)?,
            connection: Mutex::default(),
            prefix: self.prefix,
            timeout: self.timeout,
            is_down: AtomicBool::new(false),
            outages: OutageLog::default(),
            dropped: DropLog::default(),
            silent_at: Mutex::default(),
        })))
    }
}

/// The number of values that one owner may store in each period, so that one owner cannot fill Redis for all others.
pub(crate) struct Share {
    /// The key that the values are counted at.
    pub(crate) key: String,
    pub(crate) size: u32,
    /// Starts with the first value of the owner.
    pub(crate) period: Duration,
}

/// The result of storing a value once.
pub(crate) enum Stored {
    Now,
    Before,
    ShareExhausted,
}

/// Returns 1 for `Now`, 0 for `Before` and -1 for `ShareExhausted`. A script is atomic.
const STORE_ONCE: &str = "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end local stored = \
                          redis.call('INCR', KEYS[2]) if stored == 1 then redis.call('EXPIRE', \
                          KEYS[2], ARGV[3]) end if stored > tonumber(ARGV[4]) then return -1 end \
                          redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) return 1";

impl Redis {
    /// Returns the name of a key for this purpose.
    pub(crate) fn key(&self, purpose: &str, id: &[u8]) -> String {
        format!("{}{purpose}:{}", self.0.prefix, URL_SAFE_NO_PAD.encode(id))
    }

    /// Stores a value, unless there is one, or the share of its owner is exhausted.
    pub(crate) async fn store_once(
        &self,
        key: String,
        value: &[u8],
        lifetime: Duration,
        share: Share,
    ) -> Result<Stored, RedisError> {
        let mut command = redis::cmd("EVAL");
        command
            .arg(STORE_ONCE)
            .arg(2)
            .arg(key)
            .arg(share.key)
            .arg(value)
            .arg(lifetime.as_secs())
            .arg(share.period.as_secs())
            .arg(share.size);
        Ok(match self.ask::<i64>(&command).await? {
            1 => Stored::Now,
            0 => Stored::Before,
            _ => Stored::ShareExhausted,
        })
    }

    /// Sends a command, and returns the response within the time limit.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let shared = &self.0;
        let address = shared.client.get_connection_info().addr();
        let problem = match shared.ask(command).await {
            Ok(answer) => {
                shared.is_down.store(false, Ordering::Relaxed);
                if shared.outages.ends() {
                    tracing::warn!(%address, "Redis responds again");
                }
                return Ok(answer);
            }
            Err(problem) => problem,
        };
        shared.is_down.store(true, Ordering::Relaxed);
        if shared.outages.begins(Instant::now()) {
            tracing::warn!(%address, "Redis does not respond: {problem}");
        }
        Err(RedisError::NoResponse)
    }

    /// Returns whether a deadline passed a moment ago, and no response was received since. A caller
    /// with another source does not wait for the next one.
    #[cfg(feature = "introspection")]
    pub(crate) fn is_silent(&self) -> bool {
        let is_recent = |at: &Instant| at.elapsed() < PAUSE;
        self.0.is_down.load(Ordering::Relaxed)
            && lock(&self.0.silent_at).as_ref().is_some_and(is_recent)
    }
}

impl Shared {
    /// Sends a command, and returns the response or the problem.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, String> {
        let connection = self.connection().map_err(|error| error.to_string())?;
        let Connection { mut manager, since } = connection;
        let asked = async {
            match command.query_async(&mut manager).await {
                // The connection may have been lost long ago. Redis has not received the command,
                // so it can be sent again.
                Err(error) if error.is_connection_refusal() => {
                    command.query_async(&mut manager).await
                }
                answer => answer,
            }
        };
        match timeout(self.timeout, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if is_of_replica(&error) {
                    self.disconnect(since);
                }
                Err(error.to_string())
            }
            Err(_) => {
                self.disconnect(since);
                *lock(&self.silent_at) = Some(Instant::now());
                Err("the deadline passed".to_owned())
            }
        }
    }

    /// Connects lazily, since a connection needs a runtime.
    fn connection(&self) -> redis::RedisResult<Connection> {
        let mut connection = lock(&self.connection);
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.timeout))
            // The caller sets one time limit for the connection and the response.
            .set_response_timeout(None)
            // The next request tries again. This one does not wait for a recovery.
            .set_number_of_retries(0);
        let made = Connection {
            manager: self.client.get_connection_manager_lazy(config)?,
            since: Instant::now(),
        };
        Ok(connection.insert(made).clone())
    }

    /// Lets the next command make a new connection, unless another one did so before. A connection
    /// that is lost without a sign would be used again, and so would one to a server that has become
    /// a replica. Commands that use it go on.
    fn disconnect(&self, since: Instant) {
        let mut connection = lock(&self.connection);
        if since.elapsed() >= PAUSE {
            let _ = connection.take_if(|connection| connection.since == since);
        }
    }
}

/// Returns whether the server has become a replica. Redis 6 has the code in the middle of the text if the command is a
/// script.
fn is_of_replica(error: &redis::RedisError) -> bool {
    let text = error.to_string();
    ["READONLY", "MASTERDOWN"]
        .iter()
        .any(|code| error.code() == Some(*code) || text.contains(code))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The accepted difference between the clocks of two instances. A proof that has expired for one of
/// them may still be valid for another.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// The maximum number of proofs of one subject in each [`SHARE_PERIOD`].
const SHARE: u32 = 20_000;
const SHARE_PERIOD: Duration = Duration::from_secs(60);

impl ReplayStore for Redis {
    async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        let key = self.key("proof", &proof.id());
        let lifetime = proof.lifetime().saturating_add(CLOCKS_APART);
        let share = Share {
            key: self.key("proofs", &proof.subject()),
            size: SHARE,
            period: SHARE_PERIOD,
        };
        match self.store_once(key, b"used", lifetime, share).await {
            Ok(Stored::Now) => Ok(true),
            Ok(Stored::Before) => Ok(false),
            Ok(Stored::ShareExhausted) => {
                if self.0.dropped.is_due(Instant::now()) {
                    tracing::warn!(
                        "a subject uses too many proofs of possession to remember them all"
                    );
                }
                Err(ReplayStoreError)
            }
            Err(_) => Err(ReplayStoreError),
        }
    }
}

/// An error of building or using a [`Redis`]. It does not contain the URL, which may have a
/// password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisError {
    /// The URL is not valid for Redis, or disables the verification of the certificate.
    Url,
    /// The timeout is zero, or more than ten seconds.
    Timeout(Duration),
    /// No response was received within the timeout. The log contains the cause.
    NoResponse,
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str(
                "this is not the URL of a Redis server; write \
                 `redis://user:password@host:port/`, or `rediss://…` for TLS",
            ),
            Self::Timeout(timeout) => write!(
                f,
                "the timeout is {} seconds; it has to be more than 0, and at most 10",
                timeout.as_secs_f32()
            ),
            Self::NoResponse => f.write_str("Redis does not respond"),
        }
    }
}

impl std::error::Error for RedisError {}

impl fmt::Debug for Redis {
    /// Writes the address, without the credentials.
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
