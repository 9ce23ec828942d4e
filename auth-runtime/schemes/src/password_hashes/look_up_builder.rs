//! The builder of users that a function of the service looks up.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use auth_runtime_core::{Clock, Identity};

use super::error::PasswordHashesError;
use super::look_up::{Find, LookUp, MAX_COST, Outage, VerifyOther, verifier};
use super::verifier::HashCost;
use super::{PasswordHashes, Users};
use crate::drop_log::DropLog;
use crate::password::Password;

impl PasswordHashes {
    /// Starts with a function that looks up a user in the service's own table. Its parameter is the name. It returns
    /// the stored hash of the password and the identity, or `None` if the user does not exist or has no password.
    ///
    /// ```
    /// use argon2::password_hash::PasswordHasher;
    /// use auth_runtime::Identity;
    /// use auth_runtime::schemes::{Basic, PasswordHashes};
    ///
    /// # struct User { id: String, hash: String }
    /// # async fn user(_: &str) -> std::io::Result<Option<User>> { Ok(None) }
    /// async fn find(name: String) -> std::io::Result<Option<(String, Identity)>> {
    ///     let found = user(&name).await?;
    ///     Ok(found.map(|user| (user.hash, Identity::new(user.id))))
    /// }
    /// // Hashed with the parameters of the hashes in the table.
    /// let stand_in = argon2::Argon2::default().hash_password(b"of nobody")?.to_string();
    ///
    /// let scheme = Basic::password_hashes(PasswordHashes::look_up(find).stand_in(&stand_in).build()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// - The [limits](Self#limits) are those of users in the builder.
    /// - The function is called for each request, also for a cached login. A changed hash, a removed user and other
    ///   grants apply to the next request.
    /// - It has to take the same time for an unknown user as for a known one. Otherwise it discloses which users exist.
    /// - An error is logged, and the response is 503.
    /// - The hash is a PHC string, as for [`user`](crate::PasswordHashesBuilder::user). Another text is an error: it is logged
    ///   at most once a minute, and the response is 503. The same error is a hash of more than 256 MiB of memory, or of more than
    ///   1 GiB in all passes together, unless a [stand-in](PasswordHashLookUpBuilder::stand_in) is as expensive.
    pub fn look_up<E, F>(
        look_up: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> PasswordHashLookUpBuilder
    where
        E: fmt::Display,
        F: Future<Output = Result<Option<(String, Identity)>, E>> + Send + 'static,
    {
        PasswordHashLookUpBuilder {
            find: Box::new(move |name| {
                let finding = look_up(name);
                Box::pin(async move {
                    finding.await.map_err(|error| {
                        // With the causes of an error of `anyhow`.
                        let error = format_args!("{error:#}");
                        tracing::error!(error, "the hash of a user cannot be looked up");
                        Outage
                    })
                })
            }),
            stand_ins: Vec::new(),
            verify_other: None,
            clock: Clock::system(),
        }
    }
}

/// Builds [`PasswordHashes`] that a function [looks up](PasswordHashes::look_up).
#[must_use]
pub struct PasswordHashLookUpBuilder {
    find: Box<Find>,
    stand_ins: Vec<String>,
    verify_other: Option<Arc<VerifyOther>>,
    clock: Clock,
}

impl PasswordHashLookUpBuilder {
    /// Adds a hash that a password for an unknown user is compared with, so that it takes the same time as a wrong
    /// password. The password is then rejected. At least one is required.
    ///
    /// Any password can be hashed for this, with the parameters of the hashes in the table. If the hashes have several
    /// parameters, add a stand-in of each: one of them is used, always the same one for a name. The time of the response
    /// discloses a user with other parameters.
    pub fn stand_in(mut self, hash: impl Into<String>) -> Self {
        self.stand_ins.push(hash.into());
        self
    }

    /// Sets a function that verifies passwords by hashes of other kinds: those that do not begin with `$argon2`.
    ///
    /// It is called on tokio's blocking threads, within the [limits](PasswordHashes#limits), with the stored hash
    /// and the password. It should compare in constant time, and limit the cost of a hash. A panic is 503. A login that
    /// it has verified is cached for 5 minutes, also if it is used.
    ///
    /// Here, the table has the hashes of an earlier version of the service:
    ///
    /// ```
    /// # use argon2::password_hash::PasswordHasher;
    /// # use auth_runtime::Identity;
    /// use auth_runtime::schemes::PasswordHashes;
    ///
    /// # async fn find(_: String) -> std::io::Result<Option<(String, Identity)>> { Ok(None) }
    /// # let argon2 = argon2::Argon2::default().hash_password(b"of nobody")?.to_string();
    /// # let bcrypt = bcrypt::hash("of nobody", 4)?;
    /// let hashes = PasswordHashes::look_up(find)
    ///     .verified_by(|hash, password| bcrypt::verify(password.as_str(), hash).unwrap_or(false))
    ///     .stand_in(argon2)
    ///     .stand_in(bcrypt)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verified_by(
        mut self,
        verify: impl Fn(&str, &Password) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.verify_other = Some(Arc::new(verify));
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
    /// [`NoStandIn`](PasswordHashesError::NoStandIn), [`InvalidStandIn`](PasswordHashesError::InvalidStandIn) and
    /// [`NoRandomness`](PasswordHashesError::NoRandomness).
    pub fn build(self) -> Result<PasswordHashes, PasswordHashesError> {
        if self.stand_ins.is_empty() {
            return Err(PasswordHashesError::NoStandIn);
        }
        let stand_ins = self
            .stand_ins
            .iter()
            .map(|hash| verifier(hash, self.verify_other.as_ref()).map(Arc::new))
            .collect::<Option<Vec<_>>>()
            .ok_or(PasswordHashesError::InvalidStandIn)?;
        let costs = stand_ins.iter().map(|stand_in| stand_in.cost());
        let users = Users::LookUp(Arc::new(LookUp {
            find: self.find,
            verify_other: self.verify_other,
            max_cost: costs.fold(MAX_COST, HashCost::max),
            invalid: DropLog::default(),
        }));
        PasswordHashes::new(users, stand_ins, self.clock)
    }
}

impl fmt::Debug for PasswordHashLookUpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHashLookUpBuilder")
            .field("stand_ins", &self.stand_ins.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn hash(parameters: &str) -> String {
        let output = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE";
        format!("$argon2id$v=19${parameters}$c29tZXNhbHQ${output}")
    }

    #[test]
    fn stand_in_raises_maximum_cost() {
        let accepts = |stand_in, parameters| {
            let find = async |_| Ok::<_, fmt::Error>(None);
            let hashes = PasswordHashes::look_up(find).stand_in(hash(stand_in));
            let hashes = hashes.build().expect("a stand-in");
            let Users::LookUp(look_up) = &hashes.0.users else {
                panic!("users are looked up");
            };
            let verifier = look_up.verifier(&hash(parameters), Instant::now());
            verifier.is_some()
        };
        let (cheap, memory, passes) = ("m=64,t=1,p=1", "m=262148,t=1,p=1", "m=1024,t=1025,p=1");
        for (stand_in, parameters, is_accepted) in [
            (cheap, "m=262144,t=4,p=1", true),
            (cheap, "m=262144,t=5,p=1", false),
            (cheap, memory, false),
            (memory, memory, true),
            (memory, passes, false),
            (cheap, "m=1024,t=1024,p=1", true),
            (cheap, passes, false),
            (passes, passes, true),
            (passes, memory, false),
            (cheap, "m=4294967295,t=4294967295,p=1", false),
        ] {
            assert_eq!(
                accepts(stand_in, parameters),
                is_accepted,
                "{stand_in} {parameters}"
            );
        }
    }
}
