//! Passwords held against Argon2 hashes (RFC 9106).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::caller::Caller;
use crate::identity::Identity;
use crate::scheme::Verification;
use crate::schemes::basic::Password;

/// Users with their Argon2 hashes; for [`Basic::password_hashes`](crate::Basic::password_hashes).
///
/// A user that does not exist takes as long as a wrong password: it is held against a hash that no
/// password has, with the cost of the dearest one. Hashing runs on tokio's blocking threads, as
/// many at a time as there are processors; when too many logins wait for that, further ones are
/// answered 503, so that a flood of them exhausts neither memory nor threads.
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
    users: HashMap<String, User>,
    /// For users that do not exist.
    nobody: PasswordHash,
    /// One permit for each hash that may be computed at a time.
    hashing: Semaphore,
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
        let (Ok(_hashes), Ok(runtime)) = (self.hashing.acquire().await, Handle::try_current())
        else {
            return busy;
        };
        let table = Arc::clone(&self);
        let hashing = runtime.spawn_blocking(move || table.verify_now(&user, &password));
        hashing.await.unwrap_or(busy)
    }

    fn verify_now(&self, user: &str, password: &Password) -> Caller {
        let known = self.users.get(user);
        let hash = known.map_or(&self.nobody, |user| &user.hash);
        let matches = Argon2::default()
            .verify_password(password.as_str().as_bytes(), hash)
            .is_ok();
        match known {
            Some(user) if matches => Caller::known(user.identity.clone()),
            _ => Caller::rejected(),
        }
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

    /// Checks everything, and makes the hash for users that do not exist, which takes as long as
    /// a login.
    ///
    /// # Errors
    ///
    /// [`PasswordHashesError`] says what is wrong.
    pub fn build(self) -> Result<PasswordHashes, PasswordHashesError> {
        let mut users = HashMap::with_capacity(self.users.len());
        let mut dearest = Params::default();
        for (name, hash, identity) in self.users {
            let (hash, params) =
                parse(&hash).ok_or_else(|| PasswordHashesError::NoArgon2(name.clone()))?;
            if cost(&params) > cost(&dearest) {
                dearest = params;
            }
            if users
                .insert(name.clone(), User { hash, identity })
                .is_some()
            {
                return Err(PasswordHashesError::UserTwice(name));
            }
        }
        if users.is_empty() {
            return Err(PasswordHashesError::NoUser);
        }
        // The password is random too: nothing that a client sends can match.
        let random: [u8; 16] = argon2::password_hash::try_generate_salt()
            .map_err(|_| PasswordHashesError::NoRandomness)?;
        let nobody = Argon2::from(dearest)
            .hash_password(&random)
            .map_err(|_| PasswordHashesError::NoRandomness)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(PasswordHashes(Arc::new(Table {
            users,
            nobody,
            hashing: Semaphore::new(processors),
            waiting: Semaphore::new(processors * WAITING_PER_PROCESSOR),
        })))
    }
}

fn parse(text: &str) -> Option<(PasswordHash, Params)> {
    let hash = PasswordHash::new(text).ok()?;
    let is_argon2 = hash.algorithm.as_str().starts_with("argon2");
    let params = Params::try_from(&hash).ok()?;
    (is_argon2 && hash.salt.is_some() && hash.hash.is_some()).then_some((hash, params))
}

/// In blocks of memory that are written.
fn cost(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
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
    /// The system has no randomness to give.
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
            Self::NoRandomness => f.write_str("the system has no randomness to give"),
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
