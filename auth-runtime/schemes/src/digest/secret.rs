//! The stored secret of a password: `H(user:realm:password)` (RFC 7616 §3.4.2).

use std::fmt::{self, Write};
use std::str::FromStr;

use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The hash algorithm of responses (RFC 7616 §3.2).
///
/// SHA-512-256 and the `-sess` variants are not supported, because hardly any client has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `SHA-256`.
    Sha256,
    /// `MD5`. It is broken as a hash, but many clients of Digest support nothing else.
    Md5,
}

impl DigestAlgorithm {
    const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// Finds the algorithm of a name, in any case.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Returns the hash of the parts, joined by colons, in lower-case hexadecimal digits.
    pub(super) fn hash(self, parts: &[&str]) -> Zeroizing<String> {
        match self {
            Self::Sha256 => hex(&joined::<Sha256>(parts).finalize()),
            Self::Md5 => hex(&joined::<Md5>(parts).finalize()),
        }
    }

    /// The number of hexadecimal digits of a hash.
    pub(super) fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Md5 => 32,
        }
    }
}

fn joined<D: Digest>(parts: &[&str]) -> D {
    let mut hash = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hash
}

pub(super) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    // The string never grows beyond its capacity, since a reallocation would leave a copy in
    // memory.
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The stored secret of a user of [`Digest`](crate::Digest): the hash of user name, realm and
/// password. A strong password cannot be recovered from it.
///
/// It gives access to the realm, so protect it like a password. It is wiped from memory when it is
/// dropped, and its `Debug` output does not contain it.
///
/// It is stored as a line `user:realm:hash`, the form of Apache's `htdigest` files, which contain
/// MD5. Name, realm and password are used as they are, in UTF-8, without normalization.
///
/// ```
/// use auth_runtime::schemes::{DigestAlgorithm, DigestSecret};
///
/// // When the user chooses a password:
/// let secret = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "lab", "correct horse")?;
/// let stored = secret.to_line();
/// // When the service starts:
/// let secret: DigestSecret = stored.parse()?;
/// assert_eq!((secret.user(), secret.realm()), ("ann", "lab"));
/// # Ok::<(), auth_runtime::schemes::DigestSecretError>(())
/// ```
#[derive(Clone)]
pub struct DigestSecret {
    user: String,
    realm: String,
    algorithm: DigestAlgorithm,
    hash: Zeroizing<String>,
}

impl DigestSecret {
    /// Hashes a password.
    ///
    /// # Errors
    ///
    /// The user name is empty, or contains a colon or a control character; or the realm is empty.
    pub fn of(
        algorithm: DigestAlgorithm,
        user: &str,
        realm: &str,
        password: &str,
    ) -> Result<Self, DigestSecretError> {
        let hash = algorithm.hash(&[user, realm, password]);
        Self::new(algorithm, user, realm, hash)
    }

    pub(super) fn new(
        algorithm: DigestAlgorithm,
        user: &str,
        realm: &str,
        hash: Zeroizing<String>,
    ) -> Result<Self, DigestSecretError> {
        let is_name = |character: char| character != ':' && !character.is_control();
        if user.is_empty() || !user.chars().all(is_name) {
            return Err(DigestSecretError::User(user.to_owned()));
        }
        if realm.is_empty() {
            return Err(DigestSecretError::NoRealm);
        }
        Ok(Self {
            user: user.to_owned(),
            realm: realm.to_owned(),
            algorithm,
            hash,
        })
    }

    /// Returns the line to store: `user:realm:hash`. Protect it like a password.
    pub fn to_line(&self) -> String {
        format!("{}:{}:{}", self.user, self.realm, *self.hash)
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The realm of the secret.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The algorithm of the hash.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// Returns the hash that replaces the user name with `userhash` (RFC 7616 §3.4.4).
    pub(super) fn user_hash(&self) -> String {
        self.algorithm.hash(&[&self.user, &self.realm]).to_string()
    }
}

impl FromStr for DigestSecret {
    type Err = DigestSecretError;

    /// Parses `user:realm:hash`. A hash of 64 hexadecimal digits is SHA-256, one of 32 is MD5.
    fn from_str(line: &str) -> Result<Self, DigestSecretError> {
        let parts = line.split_once(':').and_then(|(user, rest)| {
            let (realm, hash) = rest.rsplit_once(':')?;
            Some((user, realm, hash))
        });
        let (user, realm, hash) = parts.ok_or(DigestSecretError::Line)?;
        let algorithm = DigestAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.digits() == hash.len())
            .filter(|_| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or(DigestSecretError::Hash)?;
        let mut hash = Zeroizing::new(hash.to_owned());
        hash.make_ascii_lowercase();
        Self::new(algorithm, user, realm, hash)
    }
}

/// An error of creating a [`DigestSecret`]. It does not contain the hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestSecretError {
    /// The line is not `user:realm:hash`.
    Line,
    /// The hash has neither 64 nor 32 hexadecimal digits.
    Hash,
    /// The user name is empty, or contains a colon or a control character.
    User(String),
    /// The realm is empty.
    NoRealm,
}

impl fmt::Display for DigestSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line => f.write_str("a digest secret is stored as `user:realm:hash`"),
            Self::Hash => f.write_str(
                "the hash of a digest secret has 64 hexadecimal digits (SHA-256) or 32 (MD5)",
            ),
            Self::User(name) => write!(
                f,
                "{name:?} is not a user name for Digest: a name is not empty, and has no colon \
                 and no control character",
            ),
            Self::NoRealm => f.write_str("the digest secret has no realm"),
        }
    }
}

impl std::error::Error for DigestSecretError {}

impl fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestSecret")
            .field("user", &self.user)
            .field("realm", &self.realm)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
