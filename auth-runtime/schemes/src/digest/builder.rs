//! The builder of the Digest scheme, and its errors.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::{Clock, Identity};
use http::Uri;
use zeroize::Zeroizing;

use super::answer::{DigestUser, Name};
use super::counts::Counts;
use super::look_up_error::DigestLookUpError;
use super::secret::{DigestAlgorithm, DigestSecret, hex};
use super::{Account, Digest, DigestRules, LookUp, OfferedAlgorithm, Users};
use crate::nonce_key::{MAX_AHEAD, NonceKey};
use crate::random;

impl Digest {
    /// Starts with the realm of the secrets, SHA-256 and no users.
    pub fn builder(realm: impl Into<String>) -> DigestBuilder {
        DigestBuilder {
            realm: realm.into(),
            algorithms: BTreeSet::from([DigestAlgorithm::Sha256]),
            users: Vec::new(),
            look_up: None,
            hashes_names: false,
            removed_prefix: String::new(),
            lifetime: Duration::from_secs(300),
            nonce_key: None,
            clock: Clock::system(),
        }
    }
}

/// Builds a [`Digest`].
#[must_use]
pub struct DigestBuilder {
    realm: String,
    /// In order of their strength.
    algorithms: BTreeSet<DigestAlgorithm>,
    users: Vec<(DigestSecret, Identity)>,
    look_up: Option<Box<LookUp>>,
    hashes_names: bool,
    removed_prefix: String,
    lifetime: Duration,
    nonce_key: Option<Zeroizing<[u8; 32]>>,
    clock: Clock,
}

/// The maximum lifetime of a nonce.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);
/// The maximum number of nonces with counts, for each lifetime of a nonce.
const COUNTED: usize = 200_000;

impl DigestBuilder {
    /// Adds a user: callers that know the password of `secret` have this identity.
    ///
    /// A user needs a secret for each offered algorithm.
    pub fn user(mut self, secret: DigestSecret, identity: Identity) -> Self {
        self.users.push((secret, identity));
        self
    }

    /// Sets a function that looks up a user in place of a table of [users](Self::user). Its
    /// parameters are the name and the algorithm. It returns the secret and the identity, or `None`
    /// if the user does not exist.
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestLookUpError, DigestSecret};
    ///
    /// # async fn line_of(_: &str, _: &str) -> std::io::Result<Option<String>> { Ok(None) }
    /// /// Asks the service's own directory.
    /// async fn look_up(
    ///     user: String,
    ///     algorithm: DigestAlgorithm,
    /// ) -> Result<Option<(DigestSecret, Identity)>, DigestLookUpError> {
    ///     match line_of(&user, algorithm.name()).await {
    ///         Ok(Some(line)) => {
    ///             let secret = line.parse::<DigestSecret>().map_err(|error| {
    ///                 tracing::error!(%error, "a stored secret is invalid");
    ///                 DigestLookUpError
    ///             })?;
    ///             Ok(Some((secret, Identity::new(user))))
    ///         }
    ///         Ok(None) => Ok(None),
    ///         Err(error) => {
    ///             tracing::error!(%error, "users cannot be looked up");
    ///             Err(DigestLookUpError)
    ///         }
    ///     }
    /// }
    /// let scheme = Digest::builder("lab").look_up(look_up).build()?;
    /// # Ok::<(), auth_runtime::schemes::DigestError>(())
    /// ```
    ///
    /// It has to take the same time for an unknown user as for a known one. Otherwise it discloses
    /// which users exist. A secret of another user counts as none. One of another realm or algorithm is an error
    /// of the look-up, and the response is 503.
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

    /// Sets the offered algorithms. Default: only SHA-256.
    ///
    /// They are offered in order of preference, independently of the order here (RFC 7616 §3.7).
    /// Most clients use the first one that they support. `requests` uses the last one, and wget
    /// supports only MD5.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = DigestAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Asks clients to send user names as hashes (RFC 7616 §3.4.4), which conceals them from
    /// eavesdroppers. Names in plain text are still accepted, from clients without support for it.
    ///
    /// It requires a table of [users](Self::user): a look-up cannot resolve a hash.
    pub fn userhash(mut self) -> Self {
        self.hashes_names = true;
        self
    }

    /// Sets the prefix that a gateway in front removes from paths, such as `/orders`, without a slash at the
    /// end. The `uri` of a response to a challenge then begins with it. The gateway forwards `/orders` as `/`.
    /// Default: none.
    pub fn removed_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.removed_prefix = prefix.into();
        self
    }

    /// Sets the lifetime of a nonce. Default: 5 minutes; at most an hour.
    ///
    /// A client that knows the password receives a new nonce with the challenge for the expired
    /// one. A short lifetime allows more clients: programs such as curl use a nonce for each
    /// request, and 200 000 nonces are stored for each lifetime. With 5 minutes, this allows some
    /// 600 new nonces per second, and up to 60 for one user.
    pub fn nonce_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets the key that signs nonces, so that several instances accept the same nonces. Their clocks may be five
    /// seconds apart. Default: a random key.
    ///
    /// Each instance counts on its own. An attacker with an overheard request can therefore send
    /// it once to each other instance, and again to an instance that was restarted, until its nonce expires. To
    /// prevent this, route each client to one instance and do not set a key: its nonces are then invalid at the
    /// others, and after a restart.
    pub fn nonce_key(mut self, key: [u8; 32]) -> Self {
        self.nonce_key = Some(Zeroizing::new(key));
        self
    }

    /// Sets the clock that nonces and their counts expire by. Default: the clock of the system.
    ///
    /// A used count stays used when the clock is set back. If the clock was ahead while a nonce was made and used, the
    /// nonce and its counts may be valid once more, when the clock reaches that time again.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`DigestError`] names a missing or invalid setting.
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
        if !is_prefix(&self.removed_prefix) {
            return Err(DigestError::RemovedPrefix(self.removed_prefix));
        }
        let key = match self.nonce_key {
            Some(key) => key,
            None => Zeroizing::new(random::bytes().ok_or(DigestError::NoRandomness)?),
        };
        let nonces = |purpose| NonceKey::new(&key, purpose, self.lifetime, self.clock.clone());
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
            rules: Arc::new(DigestRules {
                realm: self.realm,
                offers,
                hashes_names: self.hashes_names,
                removed_prefix: self.removed_prefix,
                counts: Counts::new(COUNTED, self.lifetime + MAX_AHEAD, self.clock),
            }),
        })
    }
}

/// Returns whether a text is empty, or a path that a gateway can remove.
fn is_prefix(text: &str) -> bool {
    let is_path = |uri: Uri| uri.path() == text && text.starts_with('/');
    text.is_empty() || (!text.ends_with('/') && text.parse().is_ok_and(is_path))
}

fn offer(
    algorithm: DigestAlgorithm,
    realm: &str,
    nonces: impl Fn(&'static [u8]) -> NonceKey,
) -> Result<OfferedAlgorithm, DigestError> {
    let purpose: &[u8] = match algorithm {
        DigestAlgorithm::Sha256 => b"Digest nonce SHA-256",
        DigestAlgorithm::Md5 => b"Digest nonce MD5",
    };
    // A stand-in with the length of other secrets, for which no password exists.
    let random: [u8; 32] = random::bytes().ok_or(DigestError::NoRandomness)?;
    let hash = algorithm.hash(&[&hex(&random)]);
    let stand_in = DigestSecret::new(algorithm, "nobody", realm, hash);
    Ok(OfferedAlgorithm {
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
) -> Result<HashMap<DigestUser, Arc<Account>>, DigestError> {
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
            table.insert(DigestUser { algorithm, name }, Arc::clone(&account));
        }
        let name = Name::Plain(user.clone());
        if table
            .insert(DigestUser { algorithm, name }, account)
            .is_some()
        {
            return Err(DigestError::UserTwice(user));
        }
        names.insert(user);
    }
    // Every user needs a secret for every algorithm, since a client chooses the algorithm first.
    for user in names {
        for algorithm in algorithms.iter().copied() {
            let name = Name::Plain(user.clone());
            if !table.contains_key(&DigestUser { algorithm, name }) {
                return Err(DigestError::NoSecret { user, algorithm });
            }
        }
    }
    Ok(table)
}

/// An error of building a [`Digest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestError {
    /// The realm is empty.
    NoRealm,
    /// No algorithm is offered.
    NoAlgorithm,
    /// There is no user.
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
    /// User names are hashed, which a look-up cannot resolve.
    HashedNamesAndLookUp,
    /// The lifetime is zero, or more than an hour.
    Lifetime(Duration),
    /// The prefix that a gateway removes is not a path, or ends with a slash.
    RemovedPrefix(String),
    /// The system has no random bytes for the key of the nonces.
    NoRandomness,
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRealm => f.write_str("the realm, which Digest hashes, is empty"),
            Self::NoAlgorithm => f.write_str("Digest needs an algorithm, and none is offered"),
            Self::NoUser => f.write_str(
                "no user was added; add one with `.user(…)`, or look users up with `.look_up(…)`",
            ),
            Self::OtherRealm { user, realm } => write!(
                f,
                "the secret of the user {user:?} was made for the realm {realm:?}; a realm \
                 cannot be changed without the password",
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
                "`.userhash()` needs the names of all users; use it with `.user(…)`, not with \
                 `.look_up(…)`",
            ),
            Self::Lifetime(lifetime) => write!(
                f,
                "the lifetime of a nonce is {} seconds; 1 to 3600 are allowed",
                lifetime.as_secs()
            ),
            Self::RemovedPrefix(prefix) => write!(
                f,
                "the prefix {prefix:?} cannot be removed from a path; write it as `/orders`, without a \
                 slash at the end"
            ),
            Self::NoRandomness => f.write_str("the system has no random bytes"),
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
