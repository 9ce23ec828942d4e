//! What is remembered for a while, and then forgotten without looking at each.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The hash of what is remembered.
type Id = [u8; 32];

/// Those first seen in the current stretch of time and in the one before, each as long as anything has
/// to be remembered.
pub(super) struct Generations<V> {
    began: Instant,
    current: HashMap<Id, V>,
    before: HashMap<Id, V>,
}

impl<V> Generations<V> {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            current: HashMap::new(),
            before: HashMap::new(),
        }
    }

    /// Forgets what was first seen at least `lifetime` ago, sooner or later: each stretch of time is
    /// that long. Whether a new one began.
    pub(super) fn turn(&mut self, lifetime: Duration) -> bool {
        let age = self.began.elapsed();
        if age < lifetime {
            return false;
        }
        std::mem::swap(&mut self.current, &mut self.before);
        self.current.clear();
        if age >= lifetime * 2 {
            self.before.clear();
        }
        self.began = Instant::now();
        true
    }

    pub(super) fn get_mut(&mut self, id: &Id) -> Option<&mut V> {
        let before = self.before.get_mut(id);
        before.or_else(|| self.current.get_mut(id))
    }

    pub(super) fn insert(&mut self, id: Id, value: V) -> &mut V {
        self.current.entry(id).insert_entry(value).into_mut()
    }

    /// How many were first seen in the current stretch of time.
    pub(super) fn new_ones(&self) -> usize {
        self.current.len()
    }
}
