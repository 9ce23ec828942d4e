//! Verification of passwords with Argon2 hashes (RFC 9106), or by functions.

mod attempt;
mod builder;
mod error;
mod look_up;
mod look_up_builder;
mod remembered;
#[cfg(test)]
mod tests;
mod verifier;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::{
    Caller, Client, Clock, Identity, ProtectionSpace, Rejection, Verification,
};
use tokio::runtime::Handle;

use self::attempt::Attempt;
pub use self::builder::PasswordHashesBuilder;
pub use self::error::PasswordHashesError;
use self::look_up::{LookUp, Outage, StoredUser};
pub use self::look_up_builder::PasswordHashLookUpBuilder;
use self::remembered::{Login, RememberedLogins};
use self::verifier::{Memory, Verifier};
use crate::drop_log::DropLog;
use crate::fair_queue::{self, FairQueue};
use crate::password::Password;

/// Users with the hashes of their passwords; for [`Basic::password_hashes`](crate::Basic::password_hashes).
///
/// | users | constructor |
/// |---|---|
/// | given at the start | [`builder`](Self::builder) |
/// | rows of the service's own table | [`look_up`](Self::look_up): a function of the name |
///
/// Argon2 hashes are verified here. For hashes of other kinds, such as bcrypt and PBKDF2,
/// [`user_verified_by`](PasswordHashesBuilder::user_verified_by) and
/// [`verified_by`](PasswordHashLookUpBuilder::verified_by) take a function.
///
/// An unknown user takes the same time as a wrong password: the password is compared with a stand-in, always the same
/// one for a name, and then rejected. In a builder, the hashes of the known users are the stand-ins. A look-up has
/// [its own](PasswordHashLookUpBuilder::stand_in).
///
/// ```
/// use argon2::password_hash::PasswordHasher;
/// use auth_runtime::Identity;
/// use auth_runtime::schemes::{Basic, PasswordHashes};
///
/// // Made when the user chose the password, and stored.
/// let stored = argon2::Argon2::default().hash_password(b"correct horse")?.to_string();
///
/// let hashes = PasswordHashes::builder()
///     .user("ann", &stored, Identity::new("ann").with_roles(["admin"]))
///     .build()?;
/// let scheme = Basic::password_hashes(hashes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Limits
///
/// Hashing is expensive by design, and clients send a password with each request. A *client* here
/// is an IPv4 address or an IPv6 network of 64 bits, as determined by
/// [`ClientAddress`](auth_runtime_core::ClientAddress). All clients behind a proxy that does not
/// report their addresses count as one, and so do all clients without addresses. Therefore serve
/// with the addresses of peers (`into_make_service_with_connect_info`), and configure the proxies in front.
///
/// | bounded | bound | share | effect of one hostile client |
/// |---|---|---|---|
/// | passwords that are hashed concurrently, on tokio's blocking threads | one for each processor | served in turn by client | another client waits for one of its logins at a time |
/// | memory for hashing | one buffer for each of these, of the size that the largest hash required; allocated on first use, kept, and wiped after each use | – | none |
/// | logins that wait | 128 for each processor; beyond that 503 with `Retry-After` | a full queue drops a login of the client with the most | none; as many clients as places exclude further ones |
/// | cached logins | 10 000, at most one for each user and client | a full cache drops a login of the client with the most | none; 16 wrong passwords for a user from the client's own address remove it |
///
/// Dropped logins are logged at the level `warn`, at most once a minute.
///
/// A successful login is cached for the client that sent it, until it is not used for 5 minutes.
/// Such a client then skips the queue, so floods of other clients do not exclude it. The cache
/// holds a hash of user name and password with a key of this process, and compares it in constant
/// time. A login that a [function of a user](PasswordHashesBuilder::user_verified_by) verified is cached for
/// 5 minutes, used or not, since the function may decide otherwise later.
///
/// With a [look-up](Self::look_up), the user is looked up for each request, before the login waits. A cached login ends
/// when the stored hash changes.
#[derive(Clone)]
pub struct PasswordHashes(Arc<Hashes>);

struct Hashes {
    users: Users,
    /// Used in place of the verifier of an unknown user. Not empty.
    stand_ins: Vec<Arc<Verifier>>,
    /// Chooses a stand-in for a name. The hash is keyed, so that clients cannot predict it.
    choice: RandomState,
    queue: Arc<FairQueue<Memory>>,
    dropped: DropLog,
    logins: RememberedLogins,
    clock: Clock,
}

/// The source of the users.
enum Users {
    /// By name.
    Table(HashMap<String, Account>),
    LookUp(Arc<LookUp>),
}

/// A known user.
#[derive(Clone)]
struct Account {
    verifier: Arc<Verifier>,
    identity: Identity,
}

/// The number of logins that may wait for each processor.
const WAITING_PER_PROCESSOR: usize = 128;

const BUSY: Caller = Caller::Unverifiable {
    retry_after: Some(Duration::from_secs(1)),
};

impl PasswordHashes {
    fn new(
        users: Users,
        stand_ins: Vec<Arc<Verifier>>,
        clock: Clock,
    ) -> Result<Self, PasswordHashesError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let waiting = processors * WAITING_PER_PROCESSOR;
        Ok(Self(Arc::new(Hashes {
            users,
            stand_ins,
            choice: RandomState::new(),
            queue: FairQueue::new(processors, processors, waiting),
            dropped: DropLog::default(),
            logins: RememberedLogins::new().ok_or(PasswordHashesError::NoRandomness)?,
            clock,
        })))
    }

    /// Returns the caller with this user name and password, for a login form; see
    /// [`Sessions::log_in`](crate::Sessions::log_in). `client` is determined by
    /// [`ClientAddress::of`](auth_runtime_core::ClientAddress::of); see [Limits](Self#limits).
    ///
    /// [`Caller::Rejected`] does not distinguish a wrong password from an unknown user, and the
    /// response should not either. [`Caller::Unverifiable`] means that too many other logins are
    /// pending, or that the verification failed; the log has the cause.
    ///
    /// ```
    /// use auth_runtime::{ClientAddress, Identity};
    /// use auth_runtime::schemes::PasswordHashes;
    /// use http::HeaderMap;
    /// use std::net::SocketAddr;
    ///
    /// async fn log_in(
    ///     users: &PasswordHashes,
    ///     (clients, peer): (&ClientAddress, Option<SocketAddr>),
    ///     headers: &HeaderMap,
    ///     (name, password): (String, String),
    /// ) -> Option<Identity> {
    ///     let client = clients.of(peer, headers);
    ///     users.authenticate(name, password, client).await.identity().cloned()
    /// }
    /// ```
    pub async fn authenticate(
        &self,
        user: String,
        password: impl Into<Password>,
        client: Client,
    ) -> Caller {
        let password = password.into();
        if user.len() + password.as_str().len() > ProtectionSpace::MAX_CREDENTIALS {
            return Caller::Rejected(Rejection::Malformed);
        }
        self.verify(user, password, client).await
    }

    pub(crate) fn verify(&self, user: String, password: Password, client: Client) -> Verification {
        let attempt = Attempt {
            client: fair_queue::owner(client),
            user,
            password,
        };
        let hashes = Arc::clone(&self.0);
        match &self.0.users {
            Users::Table(accounts) => {
                let account = accounts.get(&attempt.user).cloned();
                hashes.verify_user(attempt, account, "")
            }
            Users::LookUp(look_up) => {
                let look_up = Arc::clone(look_up);
                Verification::pending(async move {
                    match look_up.find(attempt.user.clone()).await {
                        Ok(found) => hashes.verify_found(attempt, &look_up, found).await,
                        Err(Outage) => Caller::unverifiable(),
                    }
                })
            }
        }
    }
}

impl Hashes {
    /// Verifies a password, or finds the login in the cache. `stored` is the hash as it was looked up.
    fn verify_user(
        self: Arc<Self>,
        attempt: Attempt,
        account: Option<Account>,
        stored: &str,
    ) -> Verification {
        let login = self.logins.login(&attempt, stored);
        let user = account.as_ref();
        let is_prolonged = user.is_some_and(|user| user.verifier.is_constant());
        let now = self.clock.monotonic();
        let is_remembered = self.logins.contains(&login, now, is_prolonged);
        match account {
            Some(user) if is_remembered => Verification::done(Caller::known(user.identity)),
            account => Verification::pending(self.verify_in_turn(attempt, account, login)),
        }
    }

    async fn verify_found(
        self: Arc<Self>,
        attempt: Attempt,
        look_up: &LookUp,
        found: StoredUser,
    ) -> Caller {
        let Some((hash, identity)) = found else {
            return self.verify_user(attempt, None, "").await;
        };
        let Some(verifier) = look_up.verifier(&hash, self.clock.monotonic()) else {
            return Caller::unverifiable();
        };
        let verifier = Arc::new(verifier);
        let account = Account { verifier, identity };
        self.verify_user(attempt, Some(account), &hash).await
    }

    /// Verifies a password when a place is free. `account` is missing if the user is unknown.
    async fn verify_in_turn(
        self: Arc<Self>,
        attempt: Attempt,
        account: Option<Account>,
        login: Login,
    ) -> Caller {
        let Some(mut place) = self.queue.place(attempt.client).await else {
            return self.drop_login();
        };
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!(
                "passwords are verified on tokio's blocking threads, and there is no runtime of \
                 tokio",
            );
            return BUSY;
        };
        // Hashing continues if the client disconnects, and occupies its place until it ends.
        let verified = runtime.spawn_blocking(move || {
            let known = account.as_ref().map(|account| &account.verifier);
            let Some(verifier) = known.or_else(|| self.stand_in(&attempt.user)) else {
                return Caller::rejected();
            };
            let Some(is_right) = verifier.accepts(&attempt.password, &mut place.value) else {
                return BUSY;
            };
            match account.filter(|_| is_right) {
                Some(account) => {
                    self.logins.insert(login, self.clock.monotonic());
                    Caller::known(account.identity)
                }
                None => Caller::rejected(),
            }
        });
        verified.await.unwrap_or_else(|_| {
            tracing::error!("the verification of a password panicked, or the runtime stopped");
            BUSY
        })
    }

    fn stand_in(&self, name: &str) -> Option<&Arc<Verifier>> {
        let count = u64::try_from(self.stand_ins.len())
            .unwrap_or(u64::MAX)
            .max(1);
        let index = usize::try_from(self.choice.hash_one(name) % count);
        self.stand_ins.get(index.unwrap_or_default())
    }

    /// Returns the caller of a login without a place.
    fn drop_login(&self) -> Caller {
        if self.dropped.is_due(self.clock.monotonic()) {
            tracing::warn!(
                "passwords are not verified, since too many logins wait; clients without an \
                 address of their own count as one: behind a proxy, configure `client_address`",
            );
        }
        BUSY
    }
}

impl fmt::Debug for PasswordHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PasswordHashes");
        if let Users::Table(accounts) = &self.0.users {
            shown.field("users", &accounts.len());
        }
        shown.finish_non_exhaustive()
    }
}
