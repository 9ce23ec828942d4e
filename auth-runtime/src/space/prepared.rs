//! The fields of denials that were answered before.
//!
//! Whoever has no credentials, or too few, is mostly told the same as the last one was. Where no scheme
//! says something else each time, as one with nonces does, the fields are kept and given out again.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decision::Denial;

/// What the fields of a denial depend on, besides the denial and the space.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Circumstances {
    pub(super) own_realm: Option<&'static str>,
    pub(super) accepted_schemes: Option<&'static [&'static str]>,
    pub(super) demands_bound: bool,
    pub(super) used: Option<usize>,
    pub(super) is_known: bool,
    pub(super) spares_script: bool,
}

/// The places for them: so many, and nothing is ever thrown out. A service has fewer kinds of denials,
/// and what finds no place is written anew each time.
pub(super) struct Prepared(Box<[[OnceLock<Box<Kept>>; PLACES]; SETS]>);

const SETS: usize = 64;
const PLACES: usize = 4;

struct Kept {
    circumstances: Circumstances,
    denial: Denial,
    lines: Vec<(HeaderName, HeaderValue)>,
}

/// Fields, and whether the same denial will have the same ones next time.
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
    /// The fields of a denial: as they were kept, or as `write` says.
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
            // Whoever was faster has kept something as good.
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
    /// Not a copy of a map, which would have to grow for what a server adds.
    fn fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(self.lines.len() + 1);
        for (name, value) in &self.lines {
            fields.append(name, value.clone());
        }
        fields
    }
}

/// FNV-1a, by whole numbers where there are some: everything that is hashed stands in the service's own
/// policies, so nobody outside can aim at a place.
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

    /// The low bits of a product depend on nothing but low bits.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
