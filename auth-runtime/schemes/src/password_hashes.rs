//! Verification of passwords with Argon2 hashes (RFC 9106), or by functions.

mod remembered;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, MIN_SALT_LEN, Params, Version};
use auth_runtime_core::{
    Caller, Client, Clock, Identity, ProtectionSpace, Rejection, Verification,
};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use self::remembered::{LoginHash, LoginKey, RememberedLogins};
use crate::drop_log::DropLog;
use crate::fair_queue::{self, FairQueue, QueuePlace};
use crate::password::Password;

/// Users with the hashes of their passwords; for [`Basic::password_hashes`](crate::Basic::password_hashes).
///
/// Argon2 hashes are verified here. For hashes of other kinds, such as bcrypt and PBKDF2,
/// [`user_verified_by`](PasswordHashesBuilder::user_verified_by) takes a function.
///
/// An unknown user takes the same time as a wrong password: the password is compared with the hash
/// of some known user, always the same one for a name, and then rejected.
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
/// | memory for hashing | one buffer for each of these, of the size that the largest hash requires; allocated on first use, kept, and wiped after each use | – | none |
/// | logins that wait | 128 for each processor; beyond that 503 with `Retry-After` | a full queue drops a login of the client with the most | none; as many clients as places exclude further ones |
/// | cached logins | 4 for each user | one for each client of a user | none; 16 wrong passwords for a user from the client's own address remove it |
///
/// Dropped logins are logged at the level `warn`, at most once a minute.
///
/// A successful login is cached for the client that sent it, until it is not used for 5 minutes.
/// Such a client then skips the queue, so floods of other clients do not exclude it. The cache
/// holds a hash of user name and password with a key of this process, and compares it in constant
/// time. A login that a [function](PasswordHashesBuilder::user_verified_by) verified is cached for
/// 5 minutes, used or not, since the function may decide otherwise later.
#[derive(Clone)]
pub struct PasswordHashes(Arc<Table>);

struct Table {
    users: Vec<PasswordUser>,
    /// The index in `users` of each name.
    places: HashMap<String, usize>,
    /// Chooses an index for an unknown name. The hash is keyed, so that clients cannot predict it.
    stand_ins: RandomState,
    queue: Arc<FairQueue<Memory>>,
    dropped: DropLog,
    /// The number of blocks that the largest hash is made in.
    blocks: usize,
    key: LoginKey,
    /// Used for unknown names; always empty.
    no_logins: RememberedLogins,
    clock: Clock,
}

/// The memory of a place to hash in, allocated when it is used first, and then kept: allocators do
/// not give back such blocks.
type Memory = Vec<Block>;

struct PasswordUser {
    verifier: Verifier,
    identity: Identity,
    logins: RememberedLogins,
}

/// The verification of a user's password.
enum Verifier {
    Argon2(Box<StoredHash>),
    Function(Box<VerifyPassword>),
}

type VerifyPassword = dyn Fn(&Password) -> bool + Send + Sync;

impl Verifier {
    /// The number of blocks for computing the hash.
    fn blocks(&self) -> usize {
        match self {
            Self::Argon2(hash) => hash.argon2.params().block_count(),
            Self::Function(_) => 0,
        }
    }

    /// Returns whether the result for a password is always the same.
    fn is_constant(&self) -> bool {
        matches!(self, Self::Argon2(_))
    }

    fn accepts(&self, password: &Password, memory: &mut [Block]) -> bool {
        match self {
            Self::Argon2(hash) => hash.is_of(password, memory),
            Self::Function(verify) => verify(password),
        }
    }
}

/// A password hash, with the parameters that it was made with.
struct StoredHash {
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
}

/// The number of logins that may wait for each processor.
const WAITING_PER_PROCESSOR: usize = 128;

const BUSY: Caller = Caller::Unverifiable {
    retry_after: Some(Duration::from_secs(1)),
};

impl PasswordHashes {
    /// Starts without users.
    pub fn builder() -> PasswordHashesBuilder {
        PasswordHashesBuilder {
            users: Vec::new(),
            clock: Clock::system(),
        }
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
        let client = fair_queue::owner(client);
        let login = self.0.key.hash(&user, &password);
        if let Some(identity) = self.0.remembered(&user, client, &login) {
            return Verification::done(Caller::known(identity));
        }
        let table = Arc::clone(&self.0);
        Verification::pending(async move {
            let Some(place) = table.queue.place(client).await else {
                return table.drop_login();
            };
            let Ok(runtime) = Handle::try_current() else {
                tracing::error!(
                    "passwords are verified on tokio's blocking threads, and there is no runtime \
                     of tokio",
                );
                return BUSY;
            };
            // Hashing continues if the client disconnects, and occupies its place until it ends.
            let verified = runtime.spawn_blocking(move || {
                let caller = table.verify(&user, &password, place);
                if let (Caller::Known(_), Some(user)) = (&caller, table.user(&user)) {
                    user.logins.insert(client, login, table.clock.monotonic());
                }
                caller
            });
            verified.await.unwrap_or_else(|_| {
                tracing::error!("the verification of a password panicked, or the runtime stopped");
                BUSY
            })
        })
    }
}

impl Table {
    fn user(&self, name: &str) -> Option<&PasswordUser> {
        self.users.get(*self.places.get(name)?)
    }

    /// Returns the identity of a user with a cached login from `client`.
    fn remembered(&self, name: &str, client: Client, login: &LoginHash) -> Option<Identity> {
        let user = self.user(name);
        let logins = user.map_or(&self.no_logins, |user| &user.logins);
        let is_prolonged = user.is_some_and(|user| user.verifier.is_constant());
        let is_remembered = logins.contains(client, login, self.clock.monotonic(), is_prolonged);
        user.filter(|_| is_remembered)
            .map(|user| user.identity.clone())
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

    fn verify(&self, name: &str, password: &Password, mut place: QueuePlace<Memory>) -> Caller {
        let known = self.user(name);
        let Some(user) = known.or_else(|| self.users.get(self.stand_in(name))) else {
            return Caller::rejected();
        };
        let Some(memory) = with_blocks(&mut place.value, self.blocks) else {
            return BUSY;
        };
        let is_right = user.verifier.accepts(password, memory);
        match known.filter(|_| is_right) {
            Some(user) => Caller::known(user.identity.clone()),
            None => Caller::rejected(),
        }
    }

    fn stand_in(&self, name: &str) -> usize {
        let places = u64::try_from(self.users.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.stand_ins.hash_one(name) % places).unwrap_or_default()
    }
}

/// Returns the memory with this number of blocks. `None` if the system has no memory left.
fn with_blocks(memory: &mut Memory, blocks: usize) -> Option<&mut [Block]> {
    let missing = blocks.saturating_sub(memory.len());
    if memory.try_reserve_exact(missing).is_err() {
        tracing::error!("the memory to verify a password is not available");
        return None;
    }
    memory.resize(blocks, Block::new());
    Some(memory)
}

impl StoredHash {
    /// Parses a PHC string: a complete hash with valid parameters for Argon2.
    fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            // Hashes of early implementations do not name it.
            None => Version::V0x10,
        };
        let params = Params::try_from(&hash).ok()?;
        let salt = hash.salt.filter(|salt| salt.len() >= MIN_SALT_LEN)?;
        Some(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt,
            output: hash.hash?,
        })
    }

    /// Returns whether it is the hash of `password`. The comparison takes constant time, and
    /// `memory` is wiped afterwards.
    fn is_of(&self, password: &Password, memory: &mut [Block]) -> bool {
        let mut bytes = Zeroizing::new([0; Output::MAX_LENGTH]);
        let Some(bytes) = bytes.get_mut(..self.output.len()) else {
            return false;
        };
        let password = password.as_str().as_bytes();
        let hashed =
            self.argon2
                .hash_password_into_with_memory(password, &self.salt, bytes, &mut *memory);
        let used = self.argon2.params().block_count().min(memory.len());
        if let Some(used) = memory.get_mut(..used) {
            used.fill(Block::new());
        }
        hashed.is_ok() && Output::new(bytes).is_ok_and(|output| output == self.output)
    }
}

/// Builds [`PasswordHashes`].
#[must_use]
pub struct PasswordHashesBuilder {
    /// The verifier is missing if the hash is invalid.
    users: Vec<(String, Option<Verifier>, Identity)>,
    clock: Clock,
}

impl PasswordHashesBuilder {
    /// Adds a user with the hash of the password, as a PHC string: `$argon2id$v=19$…`. A hash without `v` is of
    /// version 16.
    pub fn user(mut self, name: impl Into<String>, hash: &str, identity: Identity) -> Self {
        let verifier = StoredHash::parse(hash).map(|hash| Verifier::Argon2(Box::new(hash)));
        self.users.push((name.into(), verifier, identity));
        self
    }

    /// Adds a user with a function that verifies the password, such as by a hash of another kind than Argon2.
    ///
    /// It is called on tokio's blocking threads, within the [limits](PasswordHashes#limits), and should
    /// compare in constant time. A change of the data that it reads applies to a cached login after up to
    /// 5 minutes. An unknown user takes the time of some known one: give all users hashes of one kind and
    /// cost. A panic is 503.
    ///
    /// With the traits of the `password-hash` crate, here for PBKDF2, and with the `bcrypt` crate:
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// use auth_runtime::schemes::PasswordHashes;
    /// use pbkdf2::Pbkdf2;
    /// use pbkdf2::password_hash::PasswordVerifier;
    /// use pbkdf2::password_hash::phc::PasswordHash;
    ///
    /// # let of_ann = {
    /// #     use pbkdf2::password_hash::PasswordHasher;
    /// #     Pbkdf2::default().hash_password(b"correct horse")?.to_string()
    /// # };
    /// # let of_bob = bcrypt::hash("battery staple", 4)?;
    /// let of_ann = PasswordHash::new(&of_ann)?;
    /// let hashes = PasswordHashes::builder()
    ///     .user_verified_by(
    ///         "ann",
    ///         move |password| {
    ///             let password = password.as_str().as_bytes();
    ///             Pbkdf2::default().verify_password(password, &of_ann).is_ok()
    ///         },
    ///         Identity::new("ann"),
    ///     )
    ///     .user_verified_by(
    ///         "bob",
    ///         move |password| bcrypt::verify(password.as_str(), &of_bob).unwrap_or(false),
    ///         Identity::new("bob"),
    ///     )
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn user_verified_by(
        mut self,
        name: impl Into<String>,
        verify: impl Fn(&Password) -> bool + Send + Sync + 'static,
        identity: Identity,
    ) -> Self {
        let verifier = Verifier::Function(Box::new(verify));
        self.users.push((name.into(), Some(verifier), identity));
        self
    }

    /// Sets the clock that logins are forgotten by. Default: the clock of the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the users.
    ///
    /// # Errors
    ///
    /// [`PasswordHashesError`] names the first problem.
    pub fn build(self) -> Result<PasswordHashes, PasswordHashesError> {
        if self.users.is_empty() {
            return Err(PasswordHashesError::NoUser);
        }
        let mut users = Vec::with_capacity(self.users.len());
        let mut places = HashMap::with_capacity(self.users.len());
        let mut blocks = 0;
        for (name, verifier, identity) in self.users {
            let Some(verifier) = verifier else {
                return Err(PasswordHashesError::NoArgon2(name));
            };
            if places.insert(name.clone(), users.len()).is_some() {
                return Err(PasswordHashesError::UserTwice(name));
            }
            blocks = verifier.blocks().max(blocks);
            users.push(PasswordUser {
                verifier,
                identity,
                logins: RememberedLogins::default(),
            });
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let waiting = processors * WAITING_PER_PROCESSOR;
        Ok(PasswordHashes(Arc::new(Table {
            users,
            places,
            stand_ins: RandomState::new(),
            queue: FairQueue::new(processors, processors, waiting),
            dropped: DropLog::default(),
            blocks,
            key: LoginKey::new().ok_or(PasswordHashesError::NoRandomness)?,
            no_logins: RememberedLogins::default(),
            clock: self.clock,
        })))
    }
}

/// An error of building [`PasswordHashes`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordHashesError {
    /// There is no user.
    NoUser,
    /// This user was added twice.
    UserTwice(String),
    /// The hash of this user is not a PHC string of an Argon2 hash.
    NoArgon2(String),
    /// The system has no random bytes for the key of cached logins.
    NoRandomness,
}

impl fmt::Display for PasswordHashesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str("no user was added; add one with `.user(…)`"),
            Self::UserTwice(name) => write!(f, "the user {name:?} was added twice"),
            Self::NoArgon2(name) => write!(
                f,
                "the hash of the user {name:?} is not of the form `$argon2id$v=19$m=…,t=…,p=…$…$…`",
            ),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for PasswordHashesError {}

impl fmt::Debug for PasswordHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHashes")
            .field("users", &self.0.users.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordHashesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHashesBuilder")
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
