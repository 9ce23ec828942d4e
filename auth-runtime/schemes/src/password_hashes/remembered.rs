//! Logins that were verified a moment ago.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth_runtime_core::Client;
use hmac::digest::CtOutput;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hmac_key::{BLOCK, HmacKey};
use crate::password::Password;
use crate::random;

/// The key of the hashes of cached logins, created when the process starts.
///
/// These hashes are quick to compute, unlike those of Argon2. They are useless without the key,
/// and are compared in constant time.
pub(super) struct LoginKey(HmacKey);

/// The hash of a user name and a password.
pub(super) type LoginHash = CtOutput<Hmac<Sha256>>;

impl LoginKey {
    pub(super) fn new() -> Option<Self> {
        random::bytes::<BLOCK>().map(|key| Self(HmacKey::new(&*Zeroizing::new(key))))
    }

    pub(super) fn hash(&self, user: &str, password: &Password) -> LoginHash {
        let mut hash = self.0.start();
        hash.update(&(user.len() as u64).to_be_bytes());
        hash.update(user.as_bytes());
        hash.update(password.as_str().as_bytes());
        hash.finalize()
    }
}

/// The logins of one user, each with the client that it came from.
#[derive(Default)]
pub(super) struct RememberedLogins(Mutex<Vec<RememberedLogin>>);

struct RememberedLogin {
    client: Client,
    hash: LoginHash,
    /// The time of the verification, or of the last use that prolonged it.
    used: Instant,
    /// The number of wrong passwords from the same client since it was verified.
    wrong: u32,
}

/// For each user.
const MAX_LOGINS: usize = 4;
/// Since the verification, or the last use that prolonged it.
const MAX_AGE: Duration = Duration::from_secs(300);
/// Then the password has to be verified again. Otherwise a client could try passwords quickly, by not
/// waiting for those that are verified slowly.
const MAX_WRONG: u32 = 16;

impl RememberedLogins {
    /// Returns whether this login from `client` was verified a moment ago. The use prolongs it if
    /// `is_prolonged`.
    pub(super) fn contains(
        &self,
        client: Client,
        hash: &LoginHash,
        now: Instant,
        is_prolonged: bool,
    ) -> bool {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|login| now.saturating_duration_since(login.used) < MAX_AGE);
        let Some(index) = logins.iter().position(|login| login.client == client) else {
            return false;
        };
        let Some(login) = logins.get_mut(index) else {
            return false;
        };
        if login.hash == *hash {
            if is_prolonged {
                login.used = now;
            }
            return true;
        }
        login.wrong += 1;
        if login.wrong >= MAX_WRONG {
            logins.swap_remove(index);
        }
        false
    }

    /// Remembers a login that was verified, in place of an older one of the client's, or of the one
    /// that was used least recently if there are too many.
    pub(super) fn insert(&self, client: Client, hash: LoginHash, now: Instant) {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|login| login.client != client);
        if logins.len() >= MAX_LOGINS {
            let oldest = (0..logins.len()).min_by_key(|at| logins.get(*at).map(|login| login.used));
            oldest.map(|oldest| logins.swap_remove(oldest));
        }
        logins.push(RememberedLogin {
            client,
            hash,
            used: now,
            wrong: 0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Client {
        Client::Address([192, 0, 2, last].into())
    }

    fn hash(key: &LoginKey, password: &str) -> LoginHash {
        key.hash("ann", &Password::from(password.to_owned()))
    }

    #[test]
    fn a_login_is_remembered_for_its_client_until_it_is_not_used() {
        let key = LoginKey::new().expect("random bytes");
        let (logins, begin) = (RememberedLogins::default(), Instant::now());
        let right = hash(&key, "right");
        let contains = |last, hash: &LoginHash, seconds| {
            logins.contains(
                client(last),
                hash,
                begin + Duration::from_secs(seconds),
                true,
            )
        };
        assert!(!contains(1, &right, 0));
        logins.insert(client(1), hash(&key, "right"), begin);
        assert!(contains(1, &right, 299));
        assert!(!contains(2, &right, 299), "of another client");
        assert!(!contains(1, &hash(&key, "wrong"), 299));
        let of_bob = key.hash("bob", &Password::from("right".to_owned()));
        assert!(!contains(1, &of_bob, 299), "of another user");
        assert!(contains(1, &right, 598), "since it was used");
        assert!(!contains(1, &right, 898));
    }

    #[test]
    fn a_login_that_may_become_invalid_is_not_prolonged() {
        let key = LoginKey::new().expect("random bytes");
        let (logins, begin) = (RememberedLogins::default(), Instant::now());
        let right = hash(&key, "right");
        logins.insert(client(1), hash(&key, "right"), begin);
        for (seconds, is_remembered) in [(0, true), (299, true), (300, false)] {
            let now = begin + Duration::from_secs(seconds);
            let found = logins.contains(client(1), &right, now, false);
            assert_eq!(found, is_remembered, "{seconds}");
        }
    }

    #[test]
    fn wrong_passwords_of_its_client_make_a_login_forgotten() {
        let key = LoginKey::new().expect("random bytes");
        let (logins, now) = (RememberedLogins::default(), Instant::now());
        let (right, wrong) = (hash(&key, "right"), hash(&key, "wrong"));
        logins.insert(client(1), hash(&key, "right"), now);
        for _ in 0..100 {
            assert!(!logins.contains(client(2), &wrong, now, true));
        }
        for _ in 0..MAX_WRONG - 1 {
            assert!(!logins.contains(client(1), &wrong, now, true));
            assert!(logins.contains(client(1), &right, now, true));
        }
        assert!(!logins.contains(client(1), &wrong, now, true));
        assert!(!logins.contains(client(1), &right, now, true), "forgotten");
        logins.insert(client(1), hash(&key, "right"), now);
        assert!(
            logins.contains(client(1), &right, now, true),
            "verified again"
        );
    }

    #[test]
    fn the_logins_used_last_are_remembered() {
        let key = LoginKey::new().expect("random bytes");
        let (logins, begin) = (RememberedLogins::default(), Instant::now());
        let right = hash(&key, "right");
        for last in 1..=6 {
            let now = begin + Duration::from_secs(last.into());
            assert!(logins.contains(client(1), &right, now, true) || last == 1);
            logins.insert(client(last), hash(&key, "right"), now);
        }
        let contains = |last| logins.contains(client(last), &right, begin, true);
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(contains),
            [true, false, false, true, true, true]
        );
    }
}
