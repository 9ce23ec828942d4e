//! A cache of the fields of denials.
//!
//! Most callers without credentials, or without the necessary ones, receive the same fields. They
//! are kept and reused, unless a scheme varies its challenge, such as one with nonces.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decision::Denial;

/// The inputs of a denial's fields, besides the denial and the space.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Circumstances {
    pub(super) own_realm: Option<&'static str>,
    pub(super) accepted_schemes: Option<&'static [&'static str]>,
    pub(super) demands_bound: bool,
    pub(super) used: Option<usize>,
    pub(super) is_known: bool,
    pub(super) spares_script: bool,
}

/// The cache. Its size is fixed, and no entry is evicted: a service has fewer kinds of denials.
/// Fields without a free place are written anew each time.
pub(super) struct Prepared(Box<[[OnceLock<Box<Kept>>; PLACES]; SETS]>);

const SETS: usize = 64;
const PLACES: usize = 4;

struct Kept {
    circumstances: Circumstances,
    denial: Denial,
    lines: Vec<(HeaderName, HeaderValue)>,
}

/// Fields, and whether they vary from one such denial to the next.
pub(super) struct Written {
    pub(super) fields: HeaderMap,
    pub(super) varies: bool,
}

impl Default for Prepared {
    fn default() -> Self {
        let empty_set = || std::array::from_fn(|_| OnceLock::new());
        Self(Box::new(std::array::from_fn(|_| empty_set())))
    }
}

impl Prepared {
    /// Returns the fields of a denial: the kept ones, or those that `write` returns.
    pub(super) fn fields(
        &self,
        circumstances: Circumstances,
        denial: &Denial,
        write: impl FnOnce() -> Written,
    ) -> HeaderMap {
        let set = self.set(circumstances, denial);
        // Places are filled in their order.
        let kept = set.iter().map_while(OnceLock::get);
        for kept in kept {
            if kept.circumstances == circumstances && kept.denial == *denial {
                return kept.fields();
            }
        }
        let Written { fields, varies } = write();
        if !varies && let Some(place) = set.iter().find(|place| place.get().is_none()) {
            let lines = fields.iter();
            let kept = Kept {
                circumstances,
                denial: denial.clone(),
                lines: lines
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            };
            // A concurrent request may have kept the same fields already.
            let _ = place.set(Box::new(kept));
        }
        fields
    }

    fn set(&self, circumstances: Circumstances, denial: &Denial) -> &[OnceLock<Box<Kept>>] {
        let mut mixer = Mixer::default();
        (circumstances, denial).hash(&mut mixer);
        let number = usize::try_from(mixer.finish() % SETS as u64).unwrap_or_default();
        self.0.get(number).map_or(&[], |set| set.as_slice())
    }
}

impl Kept {
    /// Builds a new map, with room for the field that a server adds; a clone would have to grow.
    fn fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(self.lines.len() + 1);
        for (name, value) in &self.lines {
            fields.append(name, value.clone());
        }
        fields
    }
}

/// FNV-1a, over whole numbers where possible. All hashed data is from the policies of the service,
/// so a client cannot choose a place.
struct Mixer(u64);

impl Default for Mixer {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Mixer {
    fn mix(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x0100_0000_01b3);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.mix(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number.unsigned_abs() as u64);
    }

    /// Mixes in the high bits, since the low bits of a product depend only on low bits.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
