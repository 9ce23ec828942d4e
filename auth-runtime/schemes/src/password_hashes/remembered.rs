//! Logins that were verified a moment ago.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth_runtime_core::Client;
use hmac::digest::CtOutput;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::attempt::Attempt;
use crate::hmac_key::{BLOCK, HmacKey};
use crate::random;

/// The logins of all users, at most one for each user and client.
pub(super) struct RememberedLogins {
    /// The key of the hashes of logins, created when the process starts.
    ///
    /// These hashes are quick to compute, unlike those of Argon2. They are useless without the key,
    /// and are compared in constant time.
    key: HmacKey,
    /// Hashes the names of users.
    names: RandomState,
    logins: Mutex<HashMap<LoginId, RememberedLogin>>,
}

/// A login of a client: its user, and a hash of the name, the password, and the stored hash.
pub(super) struct Login {
    id: LoginId,
    hash: LoginHash,
}

type LoginHash = CtOutput<Hmac<Sha256>>;

/// Two names may have the same hash; their logins do not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct LoginId {
    client: Client,
    name: u64,
}

struct RememberedLogin {
    hash: LoginHash,
    /// The time of the verification, or of the last use that prolonged it.
    used: Instant,
    /// The number of wrong passwords from the same client since it was verified.
    wrong: u32,
}

impl RememberedLogin {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) >= MAX_AGE
    }
}

/// Of all users and clients.
const MAX_LOGINS: usize = 10_000;
/// Since the verification, or the last use that prolonged it.
const MAX_AGE: Duration = Duration::from_secs(300);
/// Then the password has to be verified again. Otherwise a client could try passwords quickly, by not
/// waiting for those that are verified slowly.
const MAX_WRONG: u32 = 16;

impl RememberedLogins {
    /// `None` if the system has no random bytes.
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            key: HmacKey::new(&*Zeroizing::new(random::bytes::<BLOCK>()?)),
            names: RandomState::new(),
            logins: Mutex::default(),
        })
    }

    /// Returns the login of an attempt. `stored` is the hash of the password as it was looked up: a login ends when it
    /// changes.
    pub(super) fn login(&self, attempt: &Attempt, stored: &str) -> Login {
        let mut hash = self.key.start();
        for part in [attempt.user.as_str(), attempt.password.as_str(), stored] {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Login {
            id: LoginId {
                client: attempt.client,
                name: self.names.hash_one(&attempt.user),
            },
            hash: hash.finalize(),
        }
    }

    /// Returns whether this login was verified a moment ago. The use prolongs it if `is_prolonged`.
    pub(super) fn contains(&self, login: &Login, now: Instant, is_prolonged: bool) -> bool {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let Entry::Occupied(mut found) = logins.entry(login.id) else {
            return false;
        };
        let known = found.get_mut();
        if known.is_over(now) {
            found.remove();
            return false;
        }
        if known.hash == login.hash {
            if is_prolonged {
                known.used = now;
            }
            return true;
        }
        known.wrong += 1;
        if known.wrong >= MAX_WRONG {
            found.remove();
        }
        false
    }

    /// Remembers a login that was verified, in place of an older one of the user and the client.
    pub(super) fn insert(&self, login: Login, now: Instant) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if logins.len() >= MAX_LOGINS && !logins.contains_key(&login.id) {
            make_room(&mut logins, now);
        }
        let remembered = RememberedLogin {
            hash: login.hash,
            used: now,
            wrong: 0,
        };
        logins.insert(login.id, remembered);
    }
}

/// Removes the logins that are over. If there are none, removes a login of the client with the most: the one that was
/// used least recently. The search is far cheaper than the preceding verification.
fn make_room(logins: &mut HashMap<LoginId, RememberedLogin>, now: Instant) {
    logins.retain(|_, login| !login.is_over(now));
    if logins.len() < MAX_LOGINS {
        return;
    }
    let mut held = HashMap::<_, usize>::new();
    for id in logins.keys() {
        *held.entry(id.client).or_default() += 1;
    }
    let removed = logins
        .iter()
        .max_by_key(|(id, login)| (held.get(&id.client), Reverse(login.used)))
        .map(|(id, _)| *id);
    removed.map(|id| logins.remove(&id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Password;

    fn attempt(client: u8, user: &str, password: &str) -> Attempt {
        Attempt {
            client: Client::Address([192, 0, 2, client].into()),
            user: user.to_owned(),
            password: Password::from(password.to_owned()),
        }
    }

    fn remembered() -> RememberedLogins {
        RememberedLogins::new().expect("random bytes")
    }

    #[test]
    fn logins_are_remembered_until_unused() {
        let (logins, begin) = (remembered(), Instant::now());
        let contains = |attempt: Attempt, stored, seconds| {
            let now = begin + Duration::from_secs(seconds);
            logins.contains(&logins.login(&attempt, stored), now, true)
        };
        let right = || attempt(1, "ann", "right");
        assert!(!contains(right(), "hash", 0));
        logins.insert(logins.login(&right(), "hash"), begin);
        assert!(contains(right(), "hash", 299));
        for (what, attempt, stored) in [
            ("another client", attempt(2, "ann", "right"), "hash"),
            ("another password", attempt(1, "ann", "wrong"), "hash"),
            ("another user", attempt(1, "bob", "right"), "hash"),
            ("another hash", right(), "changed"),
            ("moved bytes", attempt(1, "ann", "righth"), "ash"),
        ] {
            assert!(!contains(attempt, stored, 299), "{what}");
        }
        assert!(contains(right(), "hash", 598), "since it was used");
        assert!(!contains(right(), "hash", 898));
    }

    #[test]
    fn ending_logins_are_not_prolonged() {
        let (logins, begin) = (remembered(), Instant::now());
        let right = || logins.login(&attempt(1, "ann", "right"), "");
        logins.insert(right(), begin);
        for (seconds, is_remembered) in [(0, true), (299, true), (300, false)] {
            let now = begin + Duration::from_secs(seconds);
            let found = logins.contains(&right(), now, false);
            assert_eq!(found, is_remembered, "{seconds}");
        }
    }

    #[test]
    fn wrong_passwords_forget_the_login() {
        let (logins, now) = (remembered(), Instant::now());
        let contains = |client, password| {
            let login = logins.login(&attempt(client, "ann", password), "");
            logins.contains(&login, now, true)
        };
        let insert = || logins.insert(logins.login(&attempt(1, "ann", "right"), ""), now);
        insert();
        for _ in 0..100 {
            assert!(!contains(2, "wrong"));
        }
        for _ in 0..MAX_WRONG - 1 {
            assert!(!contains(1, "wrong"));
            assert!(contains(1, "right"));
        }
        assert!(!contains(1, "wrong"));
        assert!(!contains(1, "right"), "forgotten");
        insert();
        assert!(contains(1, "right"), "verified again");
    }

    #[test]
    fn client_with_most_logins_makes_room() {
        let (logins, begin) = (remembered(), Instant::now());
        let login =
            |client, user: usize| logins.login(&attempt(client, &user.to_string(), "x"), "");
        let at = |seconds| begin + Duration::from_secs(seconds);
        let contains = |client, user, now| logins.contains(&login(client, user), now, true);
        logins.insert(login(1, 0), begin);
        for user in 1..MAX_LOGINS {
            logins.insert(login(2, user), at(1));
        }
        assert!(contains(2, 1, at(2)));
        for client in 3..=5 {
            logins.insert(login(client, 0), at(3));
        }
        assert_eq!(logins.logins.lock().expect("no panic").len(), MAX_LOGINS);
        for client in [1, 3, 4, 5] {
            assert!(contains(client, 0, at(3)), "{client}");
        }
        let kept = (1..MAX_LOGINS).filter(|user| contains(2, *user, at(3)));
        assert_eq!(kept.count(), MAX_LOGINS - 4);
        assert!(contains(2, 1, at(3)), "used last");
        logins.insert(login(6, 0), at(303));
        assert_eq!(
            logins.logins.lock().expect("no panic").len(),
            1,
            "all others are over"
        );
    }
}
