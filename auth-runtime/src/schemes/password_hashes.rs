//! Passwords held against Argon2 hashes (RFC 9106).

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::caller::{Caller, Rejection};
use crate::identity::Identity;
use crate::scheme::Verification;
use crate::schemes::basic::Password;
use crate::space::ProtectionSpace;

/// Users with their Argon2 hashes; for [`Basic::password_hashes`](crate::Basic::password_hashes).
///
/// A user that does not exist takes as long as a wrong password: it is held against the hash of
/// some user that does, always the same one for a name, and rejected whatever comes of it. Hashing
/// runs on tokio's blocking threads, as many at a time as there are processors; when too many
/// logins wait for that, further ones are answered 503, so that a flood of them exhausts neither
/// memory nor threads.
///
/// ```
/// use argon2::password_hash::PasswordHasher;
/// use auth_runtime::{Basic, Identity, PasswordHashes};
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
#[derive(Clone)]
pub struct PasswordHashes(Arc<Table>);

struct Table {
    users: Vec<User>,
    /// Where in `users` a name is.
    places: HashMap<String, usize>,
    /// Chooses a place for a name that has none. Keyed, so that nobody outside knows which.
    stand_ins: RandomState,
    /// One permit for each hash that may be computed at a time.
    hashing: Arc<Semaphore>,
    /// One permit for each login that may wait for that.
    waiting: Semaphore,
}

struct User {
    hash: PasswordHash,
    identity: Identity,
}

/// How many logins may wait for each processor.
const WAITING_PER_PROCESSOR: usize = 32;

impl PasswordHashes {
    /// Starts without users.
    pub fn builder() -> PasswordHashesBuilder {
        PasswordHashesBuilder { users: Vec::new() }
    }

    /// Says whose user name and password these are, for a form to log in on; see
    /// [`Sessions::log_in`](crate::Sessions::log_in).
    ///
    /// [`Caller::Rejected`] does not tell a wrong password from a user that does not exist, and neither
    /// should the answer. [`Caller::Unverifiable`] means that too many others are logging in.
    ///
    /// ```
    /// # use auth_runtime::{Identity, PasswordHashes};
    /// async fn log_in(users: &PasswordHashes, name: String, password: String) -> Option<Identity> {
    ///     users.authenticate(name, password).await.identity().cloned()
    /// }
    /// ```
    pub async fn authenticate(&self, user: String, password: String) -> Caller {
        if user.len() + password.len() > ProtectionSpace::MAX_CREDENTIALS {
            return Caller::Rejected(Rejection::Malformed);
        }
        self.verify(user, Password::new(password)).await
    }

    pub(crate) fn verify(&self, user: String, password: Password) -> Verification {
        let table = Arc::clone(&self.0);
        Verification::pending(async move { table.verify(user, password).await })
    }
}

impl Table {
    async fn verify(self: Arc<Self>, user: String, password: Password) -> Caller {
        let busy = Caller::Unverifiable {
            retry_after: Some(Duration::from_secs(1)),
        };
        let Ok(_waits) = self.waiting.try_acquire() else {
            return busy;
        };
        let hashing = Arc::clone(&self.hashing).acquire_owned().await;
        let (Ok(permit), Ok(runtime)) = (hashing, Handle::try_current()) else {
            return busy;
        };
        let table = Arc::clone(&self);
        let verified = runtime.spawn_blocking(move || {
            // Hashing goes on when the client is gone, and counts for as long as it does.
            let _permit = permit;
            table.verify_now(&user, &password)
        });
        verified.await.unwrap_or(busy)
    }

    fn verify_now(&self, name: &str, password: &Password) -> Caller {
        let place = self.places.get(name).copied();
        let Some(user) = self.users.get(place.unwrap_or_else(|| self.stand_in(name))) else {
            return Caller::rejected();
        };
        let matches = Argon2::default()
            .verify_password(password.as_str().as_bytes(), &user.hash)
            .is_ok();
        if matches && place.is_some() {
            Caller::known(user.identity.clone())
        } else {
            Caller::rejected()
        }
    }

    fn stand_in(&self, name: &str) -> usize {
        let places = u64::try_from(self.users.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.stand_ins.hash_one(name) % places).unwrap_or_default()
    }
}

/// Collects the users of [`PasswordHashes`].
#[must_use]
pub struct PasswordHashesBuilder {
    users: Vec<(String, String, Identity)>,
}

impl PasswordHashesBuilder {
    /// Adds a user with the hash of the password, as a PHC string: `$argon2id$v=19$…`.
    pub fn user(mut self, name: impl Into<String>, hash: &str, identity: Identity) -> Self {
        self.users.push((name.into(), hash.to_owned(), identity));
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
        for (name, hash, identity) in self.users {
            let Some(hash) = parse(&hash) else {
                return Err(PasswordHashesError::NoArgon2(name));
            };
            if places.insert(name.clone(), users.len()).is_some() {
                return Err(PasswordHashesError::UserTwice(name));
            }
            users.push(User { hash, identity });
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(PasswordHashes(Arc::new(Table {
            users,
            places,
            stand_ins: RandomState::new(),
            hashing: Arc::new(Semaphore::new(processors)),
            waiting: Semaphore::new(processors * WAITING_PER_PROCESSOR),
        })))
    }
}

/// A complete hash with parameters that Argon2 can work with.
fn parse(text: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(text).ok()?;
    let is_argon2 = hash.algorithm.as_str().starts_with("argon2");
    let is_complete = hash.salt.is_some() && hash.hash.is_some();
    (is_argon2 && is_complete && Params::try_from(&hash).is_ok()).then_some(hash)
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
