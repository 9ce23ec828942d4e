//! The verification of a password by a stored hash.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, MIN_SALT_LEN, Params, Version};
use zeroize::Zeroizing;

use crate::password::Password;

/// The memory of a place to hash in, allocated when a hash requires it, and then kept: allocators do
/// not give back such blocks.
pub(super) type Memory = Vec<Block>;

/// The verification of a user's password.
pub(super) enum Verifier {
    Argon2(Box<StoredHash>),
    Function(Box<VerifyPassword>),
}

type VerifyPassword = dyn Fn(&Password) -> bool + Send + Sync;

impl Verifier {
    /// Parses a PHC string of an Argon2 hash.
    pub(super) fn argon2(hash: &str) -> Option<Self> {
        StoredHash::parse(hash).map(|hash| Self::Argon2(Box::new(hash)))
    }

    pub(super) fn function(verify: impl Fn(&Password) -> bool + Send + Sync + 'static) -> Self {
        Self::Function(Box::new(verify))
    }

    /// Returns whether the result for a password is always the same.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Self::Argon2(_))
    }

    /// The cost of computing the hash; zero if a function does it.
    pub(super) fn cost(&self) -> HashCost {
        match self {
            Self::Argon2(hash) => hash.cost(),
            Self::Function(_) => HashCost::default(),
        }
    }

    /// Returns whether the password is correct. `None` if the system has no memory left.
    pub(super) fn accepts(&self, password: &Password, memory: &mut Memory) -> Option<bool> {
        match self {
            Self::Argon2(hash) => {
                let memory = with_blocks(memory, hash.cost().blocks)?;
                Some(hash.is_of(password, memory))
            }
            Self::Function(verify) => Some(verify(password)),
        }
    }
}

/// The cost of computing a hash. A block is a KiB.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct HashCost {
    /// The number of blocks in memory.
    pub(super) blocks: usize,
    /// The number of blocks that are computed in all passes together.
    pub(super) computed: u64,
}

impl HashCost {
    /// Returns the maximum of each part.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            blocks: self.blocks.max(other.blocks),
            computed: self.computed.max(other.computed),
        }
    }
}

/// Returns the memory, with at least this number of blocks. `None` if the system has no memory left.
fn with_blocks(memory: &mut Memory, blocks: usize) -> Option<&mut [Block]> {
    let missing = blocks.saturating_sub(memory.len());
    if memory.try_reserve_exact(missing).is_err() {
        tracing::error!("the memory to verify a password is not available");
        return None;
    }
    memory.resize(blocks.max(memory.len()), Block::new());
    Some(memory)
}

/// A password hash, with the parameters that it was made with.
pub(super) struct StoredHash {
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
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

    fn cost(&self) -> HashCost {
        let params = self.argon2.params();
        let blocks = params.block_count();
        HashCost {
            blocks,
            computed: u64::try_from(blocks)
                .unwrap_or(u64::MAX)
                .saturating_mul(params.t_cost().into()),
        }
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
