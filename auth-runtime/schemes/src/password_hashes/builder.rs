//! The builder of users that are given at the start.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use auth_runtime_core::{Clock, Identity};

use super::error::PasswordHashesError;
use super::verifier::Verifier;
use super::{Account, PasswordHashes, Users};
use crate::password::Password;

impl PasswordHashes {
    /// Starts without users.
    pub fn builder() -> PasswordHashesBuilder {
        PasswordHashesBuilder {
            users: Vec::new(),
            clock: Clock::system(),
        }
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
        self.users
            .push((name.into(), Verifier::argon2(hash), identity));
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
        let verifier = Verifier::function(verify);
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
        let mut accounts = HashMap::with_capacity(self.users.len());
        let mut stand_ins = Vec::with_capacity(self.users.len());
        for (name, verifier, identity) in self.users {
            let Some(verifier) = verifier.map(Arc::new) else {
                return Err(PasswordHashesError::NoArgon2(name));
            };
            stand_ins.push(Arc::clone(&verifier));
            let account = Account { verifier, identity };
            if accounts.insert(name.clone(), account).is_some() {
                return Err(PasswordHashesError::UserTwice(name));
            }
        }
        PasswordHashes::new(Users::Table(accounts), stand_ins, self.clock)
    }
}

impl fmt::Debug for PasswordHashesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHashesBuilder")
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
