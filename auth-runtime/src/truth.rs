//! Three-valued (Kleene) logic.

/// What is known of a statement about a caller.
///
/// The order is the logic: *and* is the lesser of two, *or* the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does not hold, whoever the caller turns out to be.
    False,
    /// It depends on who the caller is, and that is not known.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// All of them hold; of none, [`True`](Truth::True).
    pub(crate) fn all(truths: impl Iterator<Item = Truth>) -> Truth {
        fold(truths, Truth::True, Truth::False, Ord::min)
    }

    /// Any of them holds; of none, [`False`](Truth::False).
    pub(crate) fn any(truths: impl Iterator<Item = Truth>) -> Truth {
        fold(truths, Truth::False, Truth::True, Ord::max)
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Truth::True } else { Truth::False }
    }
}

/// Folds up to the first `decisive` value, after which nothing can change.
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
