//! Passwords held against Argon2 hashes (RFC 9106).

mod remembered;

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

use self::remembered::{LoginHash, LoginKey, Remembered};
use crate::basic::Password;
use crate::fair_queue::{self, FairQueue, Place};

/// Users with their Argon2 hashes; for [`Basic::password_hashes`](crate::Basic::password_hashes).
///
/// An unknown user takes as long as a wrong password: the password is held against the hash of some
/// known user, always the same one for a name, and then rejected.
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
/// Hashing is dear on purpose, and clients send a password with each request. A *client* is here an
/// IPv4 address or an IPv6 network of 64 bits, found as
/// [`ClientAddress`](auth_runtime_core::ClientAddress) says. All clients behind a proxy that names no
/// address are one, and so are all clients if the server names no addresses. So serve with addresses,
/// and configure the proxies in front.
///
/// | bounded | bound | share | effect of one hostile client |
/// |---|---|---|---|
/// | passwords hashed at a time, on tokio's blocking threads | one for each processor | served in turn by client | another client waits for one of its logins at a time |
/// | memory to hash in | one buffer for each of these, of the size that the largest hash asks for; allocated when first used, kept, and wiped after each use | – | none |
/// | logins that wait | 128 for each processor; beyond that 503 with `Retry-After` | the client with most makes room for others | none; as many clients as places shut out further ones |
/// | logins remembered | 4 for each user | one for each client of a user | none; 16 wrong passwords for a user from the client's own address make it forgotten |
///
/// A login that was right is remembered for the client that sent it, until it is not used for 5
/// minutes. It skips the queue from then on, so floods of strangers do not keep it out. A hash of user
/// name and password with a key of this process is kept for it, and compared in constant time.
#[derive(Clone)]
pub struct PasswordHashes(Arc<Table>);

struct Table {
    users: Vec<User>,
    /// The index in `users` of each name.
    places: HashMap<String, usize>,
    /// Chooses an index for a name that has none. Keyed, so that no client knows which.
    stand_ins: RandomState,
    queue: Arc<FairQueue<Memory>>,
    /// The number of blocks that the largest hash is made in.
    blocks: usize,
    key: LoginKey,
    /// Looked into for names that have no index; always empty.
    no_logins: Remembered,
    clock: Clock,
}

/// The memory of a place to hash in, allocated when it is used first, and then kept: allocators do
/// not give back such blocks.
type Memory = Vec<Block>;

struct User {
    hash: StoredHash,
    identity: Identity,
    logins: Remembered,
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

    /// Finds the caller with this user name and password, for a form to log in on; see
    /// [`Sessions::log_in`](crate::Sessions::log_in). `client` is found by
    /// [`ClientAddress::of`](auth_runtime_core::ClientAddress::of); see [Limits](Self#limits).
    ///
    /// [`Caller::Rejected`] does not tell a wrong password from a user that does not exist, and neither
    /// should the answer. [`Caller::Unverifiable`] means that too many others are logging in.
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
    pub async fn authenticate(&self, user: String, password: String, client: Client) -> Caller {
        if user.len() + password.len() > ProtectionSpace::MAX_CREDENTIALS {
            return Caller::Rejected(Rejection::Malformed);
        }
        self.verify(user, Password::new(password), client).await
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
                return BUSY;
            };
            let Ok(runtime) = Handle::try_current() else {
                return BUSY;
            };
            // Hashing goes on when the client is gone, and holds its place for as long.
            let verified = runtime.spawn_blocking(move || {
                let caller = table.verify(&user, &password, place);
                if let (Caller::Known(_), Some(user)) = (&caller, table.user(&user)) {
                    user.logins.insert(client, login, table.clock.monotonic());
                }
                caller
            });
            verified.await.unwrap_or(BUSY)
        })
    }
}

impl Table {
    fn user(&self, name: &str) -> Option<&User> {
        self.users.get(*self.places.get(name)?)
    }

    /// The identity of a user whose login from `client` was verified a moment ago.
    fn remembered(&self, name: &str, client: Client, login: &LoginHash) -> Option<Identity> {
        let user = self.user(name);
        let logins = user.map_or(&self.no_logins, |user| &user.logins);
        let is_remembered = logins.contains(client, login, self.clock.monotonic());
        user.filter(|_| is_remembered)
            .map(|user| user.identity.clone())
    }

    fn verify(&self, name: &str, password: &Password, mut place: Place<Memory>) -> Caller {
        let known = self.user(name);
        let Some(user) = known.or_else(|| self.users.get(self.stand_in(name))) else {
            return Caller::rejected();
        };
        let Some(memory) = with_blocks(&mut place.value, self.blocks) else {
            return BUSY;
        };
        let is_right = user.hash.is_of(password, memory);
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

/// The memory with so many blocks; `None` if the system has none to give.
fn with_blocks(memory: &mut Memory, blocks: usize) -> Option<&mut [Block]> {
    let missing = blocks.saturating_sub(memory.len());
    if memory.try_reserve_exact(missing).is_err() {
        tracing::error!("there is no memory to verify a password in");
        return None;
    }
    memory.resize(blocks, Block::new());
    Some(memory)
}

impl StoredHash {
    /// A complete hash with parameters that Argon2 can work with; a PHC string.
    fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            None => Version::default(),
        };
        let params = Params::try_from(&hash).ok()?;
        let salt = hash.salt.filter(|salt| salt.len() >= MIN_SALT_LEN)?;
        Some(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt,
            output: hash.hash?,
        })
    }

    /// The number of blocks that it is made in.
    fn blocks(&self) -> usize {
        self.argon2.params().block_count()
    }

    /// Whether it is the hash of `password`: compared in constant time, with nothing of the password
    /// left in `memory`.
    fn is_of(&self, password: &Password, memory: &mut [Block]) -> bool {
        let mut bytes = Zeroizing::new([0; Output::MAX_LENGTH]);
        let Some(bytes) = bytes.get_mut(..self.output.len()) else {
            return false;
        };
        let password = password.as_str().as_bytes();
        let hashed =
            self.argon2
                .hash_password_into_with_memory(password, &self.salt, bytes, &mut *memory);
        let used = self.blocks().min(memory.len());
        if let Some(used) = memory.get_mut(..used) {
            used.fill(Block::new());
        }
        hashed.is_ok() && Output::new(bytes).is_ok_and(|output| output == self.output)
    }
}

/// Collects the users of [`PasswordHashes`].
#[must_use]
pub struct PasswordHashesBuilder {
    users: Vec<(String, String, Identity)>,
    clock: Clock,
}

impl PasswordHashesBuilder {
    /// Adds a user with the hash of the password, as a PHC string: `$argon2id$v=19$…`.
    pub fn user(mut self, name: impl Into<String>, hash: &str, identity: Identity) -> Self {
        self.users.push((name.into(), hash.to_owned(), identity));
        self
    }

    /// Sets the clock that logins are forgotten by. Default: the clock of the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`PasswordHashesError`] says what is wrong.
    pub fn build(self) -> Result<PasswordHashes, PasswordHashesError> {
        if self.users.is_empty() {
            return Err(PasswordHashesError::NoUser);
        }
        let mut users = Vec::with_capacity(self.users.len());
        let mut places = HashMap::with_capacity(self.users.len());
        let mut blocks = 0;
        for (name, hash, identity) in self.users {
            let Some(hash) = StoredHash::parse(&hash) else {
                return Err(PasswordHashesError::NoArgon2(name));
            };
            if places.insert(name.clone(), users.len()).is_some() {
                return Err(PasswordHashesError::UserTwice(name));
            }
            blocks = hash.blocks().max(blocks);
            users.push(User {
                hash,
                identity,
                logins: Remembered::default(),
            });
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let waiting = processors * WAITING_PER_PROCESSOR;
        Ok(PasswordHashes(Arc::new(Table {
            users,
            places,
            stand_ins: RandomState::new(),
            queue: FairQueue::new(processors, processors, waiting),
            blocks,
            key: LoginKey::new().ok_or(PasswordHashesError::NoRandomness)?,
            no_logins: Remembered::default(),
            clock: self.clock,
        })))
    }
}

/// What keeps [`PasswordHashes`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordHashesError {
    /// There is nobody who could log in.
    NoUser,
    /// This user is there twice.
    UserTwice(String),
    /// The hash of this user is no PHC string of an Argon2 hash.
    NoArgon2(String),
    /// The system gives no random bytes for the key of remembered logins.
    NoRandomness,
}

impl fmt::Display for PasswordHashesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str("there is no user; add one with `.user(…)`"),
            Self::UserTwice(name) => write!(f, "the user {name:?} is there twice"),
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
