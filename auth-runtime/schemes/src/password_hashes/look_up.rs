//! Users that a function of the service looks up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use auth_runtime_core::Identity;

use super::verifier::{HashCost, Verifier};
use crate::drop_log::DropLog;
use crate::password::Password;

/// The look-up of users in a table of the service.
pub(super) struct LookUp {
    pub(super) find: Box<Find>,
    pub(super) verify_other: Option<Arc<VerifyOther>>,
    pub(super) max_cost: HashCost,
    pub(super) invalid: DropLog,
}

pub(super) type Find = dyn Fn(String) -> Finding + Send + Sync;
type Finding = Pin<Box<dyn Future<Output = Result<StoredUser, Outage>> + Send>>;
/// The stored hash and the identity of a user.
pub(super) type StoredUser = Option<(String, Identity)>;
/// Verifies a password by a hash of another kind than Argon2.
pub(super) type VerifyOther = dyn Fn(&str, &Password) -> bool + Send + Sync;

/// The error of a look-up, which is logged.
pub(super) struct Outage;

/// The maximum cost of a hash, unless a stand-in is more expensive: 256 MiB of memory, and 1 GiB that all passes
/// compute together.
pub(super) const MAX_COST: HashCost = HashCost {
    blocks: 256 << 10,
    computed: 1 << 20,
};

impl LookUp {
    pub(super) async fn find(&self, name: String) -> Result<StoredUser, Outage> {
        (self.find)(name).await
    }

    /// Returns the verifier of a hash that was found. `None` if the hash is invalid, or too expensive.
    pub(super) fn verifier(&self, hash: &str, now: Instant) -> Option<Verifier> {
        let verifier = verifier(hash, self.verify_other.as_ref());
        let Some(verifier) = verifier else {
            if self.invalid.is_due(now) {
                tracing::error!(
                    "the hash of a user that was looked up is not of the form \
                     `$argon2id$v=19$m=…,t=…,p=…$…$…`",
                );
            }
            return None;
        };
        let (cost, max) = (verifier.cost(), self.max_cost);
        if cost.max(max) == max {
            return Some(verifier);
        }
        if self.invalid.is_due(now) {
            tracing::error!(
                memory = cost.blocks,
                max_memory = max.blocks,
                computed = cost.computed,
                max_computed = max.computed,
                "the hash of a user that was looked up is too expensive; the numbers are KiB",
            );
        }
        None
    }
}

pub(super) fn verifier(hash: &str, verify_other: Option<&Arc<VerifyOther>>) -> Option<Verifier> {
    match verify_other {
        Some(verify) if !hash.starts_with("$argon2") => {
            let (hash, verify) = (hash.to_owned(), Arc::clone(verify));
            Some(Verifier::function(move |password| verify(&hash, password)))
        }
        _ => Verifier::argon2(hash),
    }
}
