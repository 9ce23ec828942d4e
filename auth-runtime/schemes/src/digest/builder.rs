//! What a [`Digest`] is made of, and what can be wrong with it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::{Clock, Identity};

use super::answer::{Name, User};
use super::counts::Counts;
use super::secret::{DigestAlgorithm, DigestSecret, hex};
use super::{Account, LookUp, Offer, Rules, Users};
use crate::nonce_key::NonceKey;
use crate::random;

/// `Authorization: Digest …` (RFC 7616), for clients that still need it: the password is not sent,
/// but hashed with a nonce of the server's.
///
/// Over TLS, Basic with Argon2 hashes guards the passwords better: what is stored for Digest opens the
/// realm to whoever steals it, and is quick to guess passwords from.
///
/// - SHA-256, and MD5 where it is asked for: each in a challenge of its own, the best first. An answer
///   has to use the algorithm that its nonce was given out with.
/// - `qop=auth`. Bodies are not protected (`auth-int` is computed differently by each client).
/// - Nonces are signed times, so nothing is remembered until one is used with the right password. A
///   right answer over an old one is told `stale=true`, and clients go on by themselves.
/// - Each count of a nonce (`nc`) is good once. Counts may come in any order within 64 of the
///   highest; what is further behind is told `stale=true`, as is a count that was there before.
/// - The counts of up to 200 000 nonces are remembered for each of their lifetimes. Half of them are
///   for users with many: each may have a quarter as many as are free of these, 20 000 at most. Half
///   are kept for users with up to 196. A request with a nonce beyond that is answered 503, so fewer
///   than 512 users cannot shut out others.
/// - An answer whose `uri` is not what was asked for is answered 400
///   ([`Rejection::RequestMismatch`](auth_runtime_core::Rejection::RequestMismatch)), so a proxy in front has to hand
///   targets on as they are.
/// - Names outside of ASCII are read from `username*` and from hashes (`userhash`). A client that
///   sends their bytes as they are, as curl does, is not understood.
///
/// Left out is `Authentication-Info` (§3.5), with which a server would prove itself: TLS does.
///
/// The realm is part of what is hashed. So a space of another realm is not built, and a handler with
/// another `realm = "…"` of its own is not mounted, unless its `schemes(…)` leave Digest out.
///
/// ```
/// use auth_runtime::{Identity, ProtectionSpace};
/// use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestSecret};
///
/// let ann = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "lab", "correct horse")?;
/// let scheme = Digest::builder("lab")
///     .user(ann, Identity::new("ann").with_roles(["admin"]))
///     .build()?;
/// let space = ProtectionSpace::builder().realm("lab").scheme(scheme).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Browsers
///
/// A browser that has asked its user for the password answers for every later request to the origin,
/// also for those that pages of other sites cause. A service with users in browsers rejects such
/// requests by a layer, such as `tower-http`'s `CsrfLayer`, or uses `Sessions`, which rejects them
/// itself.
pub struct Digest {
    pub(super) users: Users,
    pub(super) rules: Arc<Rules>,
}

impl Digest {
    /// Starts with the realm that the secrets are made for, SHA-256 and no users.
    pub fn builder(realm: impl Into<String>) -> DigestBuilder {
        DigestBuilder {
            realm: realm.into(),
            algorithms: BTreeSet::from([DigestAlgorithm::Sha256]),
            users: Vec::new(),
            look_up: None,
            hashes_names: false,
            lifetime: Duration::from_secs(300),
            nonce_key: None,
            clock: Clock::system(),
        }
    }
}

/// Collects what a [`Digest`] is made of.
#[must_use]
pub struct DigestBuilder {
    realm: String,
    /// In the order of their strength.
    algorithms: BTreeSet<DigestAlgorithm>,
    users: Vec<(DigestSecret, Identity)>,
    look_up: Option<Box<LookUp>>,
    hashes_names: bool,
    lifetime: Duration,
    nonce_key: Option<[u8; 32]>,
    clock: Clock,
}

/// The longest that a nonce may be good.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);
/// For each lifetime of a nonce.
const COUNTED: usize = 200_000;

impl DigestBuilder {
    /// Lets whoever knows the password of `secret` in as `identity`.
    ///
    /// A user has a secret for each algorithm that is offered.
    pub fn user(mut self, secret: DigestSecret, identity: Identity) -> Self {
        self.users.push((secret, identity));
        self
    }

    /// Asks `look_up` for the secret of a user, given the name and the algorithm, in place of a table
    /// of [users](Self::user); and who it is. `None` if there is no such user.
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestLookUpError, DigestSecret};
    ///
    /// # async fn line_of(_: &str, _: &str) -> Result<Option<String>, ()> { Ok(None) }
    /// /// Asks the service's own directory.
    /// async fn look_up(
    ///     user: String,
    ///     algorithm: DigestAlgorithm,
    /// ) -> Result<Option<(DigestSecret, Identity)>, DigestLookUpError> {
    ///     match line_of(&user, algorithm.name()).await {
    ///         Ok(Some(line)) => {
    ///             let secret = line.parse().map_err(|_| DigestLookUpError)?;
    ///             Ok(Some((secret, Identity::new(user))))
    ///         }
    ///         Ok(None) => Ok(None),
    ///         Err(_) => Err(DigestLookUpError),
    ///     }
    /// }
    /// let scheme = Digest::builder("lab").look_up(look_up).build()?;
    /// # Ok::<(), auth_runtime::schemes::DigestError>(())
    /// ```
    ///
    /// It has to take as long for a user that does not exist as for one that does, or it tells who
    /// exists. A secret of another user, realm or algorithm is an error of the look-up's, and answered
    /// 503.
    pub fn look_up<F>(
        mut self,
        look_up: impl Fn(String, DigestAlgorithm) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<(DigestSecret, Identity)>, DigestLookUpError>>
            + Send
            + 'static,
    {
        self.look_up = Some(Box::new(move |user, algorithm| {
            Box::pin(look_up(user, algorithm))
        }));
        self
    }

    /// The algorithms that are offered. Default: SHA-256 alone.
    ///
    /// They are offered best first, whatever the order here (RFC 7616 §3.7). Most clients take the
    /// first that they can do; `requests` takes the last, and wget can do MD5 only.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = DigestAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Asks clients to send their names hashed (RFC 7616 §3.4.4), so that whoever listens does not
    /// learn them. Those that cannot do this send them as they are, and are let in too.
    ///
    /// For a table of [users](Self::user) only: somebody has to know whose hash it is.
    pub fn userhash(mut self) -> Self {
        self.hashes_names = true;
        self
    }

    /// How long a nonce is good. Default: 5 minutes; at most an hour.
    ///
    /// A client that knows the password gets another with the answer that tells it so. The shorter,
    /// the more clients fit: programs like curl use up a nonce for each request, and 200 000 are
    /// remembered for each lifetime, which is some 600 new ones a second for 5 minutes, and up to 60
    /// of one user.
    pub fn nonce_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Signs nonces with this key in place of a random one, so that instances that serve the same
    /// clients know each other's.
    ///
    /// Each of them counts for itself: who has overheard a request can send it once more to each
    /// other instance, for as long as its nonce is good. Where that matters, keep each client at one
    /// instance, and leave the key out: elsewhere its nonces are good for nothing.
    pub fn nonce_key(mut self, key: [u8; 32]) -> Self {
        self.nonce_key = Some(key);
        self
    }

    /// Sets the clock that nonces and their counts expire by. Default: the clock of the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`DigestError`] says what is missing or cannot be right.
    pub fn build(self) -> Result<Digest, DigestError> {
        if self.realm.is_empty() {
            return Err(DigestError::NoRealm);
        }
        if self.algorithms.is_empty() {
            return Err(DigestError::NoAlgorithm);
        }
        if self.lifetime.is_zero() || self.lifetime > MAX_LIFETIME {
            return Err(DigestError::Lifetime(self.lifetime));
        }
        let key = match self.nonce_key {
            Some(key) => key,
            None => random::bytes().ok_or(DigestError::NoRandomness)?,
        };
        let nonces = |purpose| NonceKey::new(key, purpose, self.lifetime, self.clock.clone());
        let offers = self
            .algorithms
            .iter()
            .map(|algorithm| offer(*algorithm, &self.realm, nonces))
            .collect::<Result<_, _>>()?;
        let users = match self.look_up {
            Some(_) if !self.users.is_empty() => return Err(DigestError::UsersAndLookUp),
            Some(_) if self.hashes_names => return Err(DigestError::HashedNamesAndLookUp),
            Some(look_up) => Users::LookUp(look_up),
            None => Users::Table(table(
                self.users,
                &self.realm,
                &self.algorithms,
                self.hashes_names,
            )?),
        };
        Ok(Digest {
            users,
            rules: Arc::new(Rules {
                realm: self.realm,
                offers,
                hashes_names: self.hashes_names,
                counts: Counts::new(COUNTED, self.lifetime, self.clock),
            }),
        })
    }
}

fn offer(
    algorithm: DigestAlgorithm,
    realm: &str,
    nonces: impl Fn(&'static [u8]) -> NonceKey,
) -> Result<Offer, DigestError> {
    let purpose: &[u8] = match algorithm {
        DigestAlgorithm::Sha256 => b"Digest nonce SHA-256",
        DigestAlgorithm::Md5 => b"Digest nonce MD5",
    };
    // As long as others', and nobody's password comes to it.
    let random: [u8; 32] = random::bytes().ok_or(DigestError::NoRandomness)?;
    let hash = algorithm.hash(&[&hex(&random)]);
    let stand_in = DigestSecret::new(algorithm, "nobody", realm, hash);
    Ok(Offer {
        algorithm,
        nonces: nonces(purpose),
        stand_in: stand_in.map_err(|_| DigestError::NoRealm)?,
    })
}

fn table(
    users: Vec<(DigestSecret, Identity)>,
    realm: &str,
    algorithms: &BTreeSet<DigestAlgorithm>,
    hashes_names: bool,
) -> Result<HashMap<User, Arc<Account>>, DigestError> {
    if users.is_empty() {
        return Err(DigestError::NoUser);
    }
    let mut table = HashMap::new();
    let mut names = BTreeSet::new();
    for (secret, identity) in users {
        let (user, algorithm) = (secret.user().to_owned(), secret.algorithm());
        if secret.realm() != realm {
            let realm = secret.realm().to_owned();
            return Err(DigestError::OtherRealm { user, realm });
        }
        if !algorithms.contains(&algorithm) {
            return Err(DigestError::NotOffered { user, algorithm });
        }
        let account = Arc::new(Account { secret, identity });
        if hashes_names {
            let name = Name::Hashed(account.secret.user_hash());
            table.insert(User { algorithm, name }, Arc::clone(&account));
        }
        let name = Name::Plain(user.clone());
        if table.insert(User { algorithm, name }, account).is_some() {
            return Err(DigestError::UserTwice(user));
        }
        names.insert(user);
    }
    // A client takes an algorithm before it knows whose secrets there are.
    for user in names {
        for algorithm in algorithms.iter().copied() {
            let name = Name::Plain(user.clone());
            if !table.contains_key(&User { algorithm, name }) {
                return Err(DigestError::NoSecret { user, algorithm });
            }
        }
    }
    Ok(table)
}

/// A look-up cannot say whether there is such a user. What is wrong is for the look-up to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestLookUpError;

impl fmt::Display for DigestLookUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be said whether there is such a user")
    }
}

impl std::error::Error for DigestLookUpError {}

/// What keeps a [`Digest`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestError {
    /// The realm is empty.
    NoRealm,
    /// No algorithm is offered.
    NoAlgorithm,
    /// There is nobody who could log in.
    NoUser,
    /// The secret of this user was made for another realm.
    OtherRealm {
        /// The user's name.
        user: String,
        /// The realm of the secret.
        realm: String,
    },
    /// The secret of this user is for an algorithm that is not offered.
    NotOffered {
        /// The user's name.
        user: String,
        /// The algorithm of the secret.
        algorithm: DigestAlgorithm,
    },
    /// This user has no secret for an algorithm that is offered.
    NoSecret {
        /// The user's name.
        user: String,
        /// The algorithm that is offered.
        algorithm: DigestAlgorithm,
    },
    /// This user has two secrets for one algorithm.
    UserTwice(String),
    /// There are users, and a look-up for users.
    UsersAndLookUp,
    /// Names are to be hashed, and a look-up cannot know whose hash it is.
    HashedNamesAndLookUp,
    /// A lifetime of nothing, or of more than an hour.
    Lifetime(Duration),
    /// The system gives no random bytes for the key of the nonces.
    NoRandomness,
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRealm => {
                f.write_str("the realm is part of what Digest hashes, and this one is empty")
            }
            Self::NoAlgorithm => f.write_str("Digest needs an algorithm, and none is offered"),
            Self::NoUser => f.write_str(
                "there is no user; add one with `.user(…)`, or ask for them with `.look_up(…)`",
            ),
            Self::OtherRealm { user, realm } => write!(
                f,
                "the secret of the user {user:?} was made for the realm {realm:?}; a realm cannot be \
                 changed without the password",
            ),
            Self::NotOffered { user, algorithm } => write!(
                f,
                "the user {user:?} has a secret for {name}, which is not offered; \
                 offer it with `.algorithms(…)`",
                name = algorithm.name(),
            ),
            Self::NoSecret { user, algorithm } => write!(
                f,
                "{name} is offered, and the user {user:?} has no secret for it",
                name = algorithm.name(),
            ),
            Self::UserTwice(user) => {
                write!(f, "the user {user:?} has two secrets for one algorithm")
            }
            Self::UsersAndLookUp => {
                f.write_str("users are given and looked up; use `.user(…)` or `.look_up(…)`")
            }
            Self::HashedNamesAndLookUp => f.write_str(
                "a look-up cannot know whose hash a name is; `.userhash()` goes with `.user(…)`",
            ),
            Self::Lifetime(lifetime) => write!(
                f,
                "a nonce cannot be good for {} seconds; 1 to 3600 is fine",
                lifetime.as_secs()
            ),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for DigestError {}

impl fmt::Debug for DigestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestBuilder")
            .field("realm", &self.realm)
            .field("algorithms", &self.algorithms)
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
