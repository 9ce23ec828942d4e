//! Fuzz targets for everything that reads the network or a file.
//!
//! A [`Target`] is a function of bytes that panics if a property does not hold. The [`run`] takes inputs of
//! the corpus, mutates them, and keeps those with a new outcome: a status, a challenge or a message that no
//! earlier input led to. It needs no instrumentation, so it works on a stable compiler.

pub mod corpus;
pub mod mutation;
pub mod run;
mod targets;

/// The code of `cargo auth`, which is a program without a library.
#[allow(dead_code, reason = "the targets call a part of it")]
#[path = "../../../auth-macros/cargo-auth/src"]
mod cargo_auth {
    pub(crate) mod check;
    pub(crate) mod diff;
    pub(crate) mod list;
    pub(crate) mod progress;
    pub(crate) mod report;
    pub(crate) mod revision;
    pub(crate) mod routes;
    pub(crate) mod sarif;
    pub(crate) mod sources;
    pub(crate) mod style;
    pub(crate) mod workspace;
}
// Its modules are at the root of their crate.
use self::cargo_auth::{progress, report, revision, sarif, sources, style, workspace};

use std::hash::{DefaultHasher, Hash, Hasher};

pub use crate::targets::TARGETS;

/// Properties of one parser, or of one service.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name, which is also that of the folder with its inputs.
    pub name: &'static str,
    /// The number of executions that one counts as in a run with a count, since some targets are slow.
    pub cost: u64,
    /// Parts of inputs that a mutation inserts.
    pub dictionary: &'static [&'static str],
    /// Creates the function that checks the properties.
    pub start: fn() -> Check,
}

/// Checks the properties for one input. Panics if one of them does not hold.
pub type Check = Box<dyn FnMut(&[u8]) -> Outcome>;

/// The outcome of an input. Inputs with the same outcome are considered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    number: u64,
    is_granted: bool,
}

impl Outcome {
    /// The outcome of these observations.
    pub fn of(observations: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        observations.hash(&mut hasher);
        Self {
            number: hasher.finish(),
            is_granted: false,
        }
    }

    /// Returns the same outcome, of a request that is granted or not.
    #[must_use]
    pub fn of_decision(self, is_granted: bool) -> Self {
        Self { is_granted, ..self }
    }

    /// Returns the outcome of several services. It is a grant if one of them is.
    pub fn of_all<const N: usize>(outcomes: [Self; N]) -> Self {
        let is_granted = outcomes.iter().any(|outcome| outcome.is_granted);
        Self::of(outcomes).of_decision(is_granted)
    }

    /// Returns whether a service granted the request.
    pub const fn is_granted(&self) -> bool {
        self.is_granted
    }

    /// The outcome of these messages, without the parts of the input in them.
    pub fn of_messages<T: AsRef<str>>(messages: impl IntoIterator<Item = T>) -> Self {
        let shapes = messages.into_iter().take(3).map(|message| {
            let quoted = message.as_ref().split(['`', '"', '\'']);
            let without_input = quoted.step_by(2).collect::<String>();
            without_input.replace(|letter: char| letter.is_ascii_digit(), "")
        });
        Self::of(shapes.collect::<Vec<_>>())
    }
}
