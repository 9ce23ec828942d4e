//! The remembered decisions.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::decision_point::object_decision::ObjectDecision;
use crate::identity::Identity;
use crate::key_bytes::KeyBytes;

/// Decisions by their questions, in periods of one lifetime.
///
/// A decision is removed at the end of the period after its own, and never earlier to make room for
/// another one, so that a caller with many questions cannot remove the decisions of others.
pub(super) struct Memory {
    began: Instant,
    current: HashMap<KeyBytes, Entry>,
    previous: HashMap<KeyBytes, Entry>,
    /// The number of entries in `current` by the subject and its issuer.
    owned: HashMap<KeyBytes, usize>,
    /// The number of times that decisions were forgotten. The result of a question from before is not
    /// cached.
    epoch: u64,
    /// Of each period.
    capacity: usize,
}

pub(super) struct Entry {
    pub(super) decision: ObjectDecision,
    pub(super) asked_at: Instant,
    /// Also keeps the address of the identity from being used for another one.
    pub(super) identity: Identity,
}

impl Memory {
    pub(super) fn new(capacity: usize, now: Instant) -> Self {
        Self {
            began: now,
            current: HashMap::new(),
            previous: HashMap::new(),
            owned: HashMap::new(),
            epoch: 0,
            capacity: capacity / 2,
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Begins a new period if this one is over.
    pub(super) fn begin_period(&mut self, now: Instant, lifetime: Duration) {
        let age = now.saturating_duration_since(self.began);
        if age < lifetime {
            return;
        }
        self.previous = std::mem::take(&mut self.current);
        self.owned.clear();
        if age >= lifetime * 2 {
            self.previous.clear();
        }
        self.began = now;
    }

    /// Returns the decision about a question of less than `lifetime` before `now`.
    pub(super) fn get(
        &self,
        key: &KeyBytes,
        now: Instant,
        lifetime: Duration,
    ) -> Option<&ObjectDecision> {
        let found = self.current.get(key).or_else(|| self.previous.get(key))?;
        let age = now.saturating_duration_since(found.asked_at);
        (age < lifetime).then_some(&found.decision)
    }

    /// Adds a decision, if there is room, and if its subject has a share left.
    pub(super) fn insert(&mut self, key: KeyBytes, entry: Entry) {
        if let Some(own) = self.current.get_mut(&key) {
            // The answer to an earlier question may arrive later.
            if own.asked_at <= entry.asked_at {
                *own = entry;
            }
            return;
        }
        let owner = owner(&entry.identity);
        let owned = self.owned.get(&owner).copied().unwrap_or_default();
        if self.current.len() >= self.capacity || owned >= self.capacity / 4 {
            return;
        }
        self.owned.insert(owner, owned + 1);
        self.current.insert(key, entry);
    }

    pub(super) fn forget_where(&mut self, matches: impl Fn(&Identity) -> bool) {
        self.epoch += 1;
        let is_kept = |_: &KeyBytes, entry: &mut Entry| !matches(&entry.identity);
        self.current.retain(is_kept);
        self.previous.retain(is_kept);
        self.owned.clear();
        for entry in self.current.values() {
            *self.owned.entry(owner(&entry.identity)).or_default() += 1;
        }
    }
}

fn owner(identity: &Identity) -> KeyBytes {
    let mut owner = KeyBytes::default();
    owner.optional(identity.issuer());
    owner.text(identity.subject());
    owner
}
