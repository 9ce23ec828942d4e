//! Three-valued (Kleene) logic.

/// The truth value of a statement about a caller.
///
/// The order of the values defines the logic: *and* is the minimum of two, *or* is the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// The statement is false: for this caller, or for every caller if this one is not known.
    False,
    /// The statement depends on a caller that is not known, or on a check or decision point without a result.
    Unknown,
    /// The statement is true.
    True,
}

impl Truth {
    /// The conjunction of `truths`; [`True`](Truth::True) if there are none.
    pub fn all(truths: impl Iterator<Item = Truth>) -> Truth {
        fold(truths, Truth::True, Truth::False, Ord::min)
    }

    /// The disjunction of `truths`; [`False`](Truth::False) if there are none.
    pub fn any(truths: impl Iterator<Item = Truth>) -> Truth {
        fold(truths, Truth::False, Truth::True, Ord::max)
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Truth::True } else { Truth::False }
    }
}

/// Folds until the value is `decisive`, after which it cannot change.
fn fold(
    truths: impl Iterator<Item = Truth>,
    neutral: Truth,
    decisive: Truth,
    join: fn(Truth, Truth) -> Truth,
) -> Truth {
    let mut joined = neutral;
    for truth in truths {
        joined = join(joined, truth);
        if joined == decisive {
            break;
        }
    }
    joined
}
