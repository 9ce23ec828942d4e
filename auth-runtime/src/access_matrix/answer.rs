//! What one persona was answered on one row.

use std::fmt;

use http::StatusCode;

use crate::decision::Denial;
use crate::witness::Testimony;

/// One cell of an [`AccessMatrix`](crate::AccessMatrix): what a persona was answered.
///
/// Shown as the status, with a word where that alone does not say who decided: see
/// [What a cell says](crate::AccessMatrix#what-a-cell-says).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessAnswer {
    given: Option<(StatusCode, By)>,
    difference: Option<String>,
}

/// Whose answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Handler,
    /// The gate, with a word for its denial.
    Gate(&'static str),
    /// What answers unknown paths, in place of the gate.
    Hiding,
    UnknownPath,
    /// None of these.
    SomethingElse,
}

impl AccessAnswer {
    /// Nobody was asked.
    pub(super) fn not_asked() -> Self {
        Self {
            given: None,
            difference: None,
        }
    }

    pub(super) fn new(
        status: StatusCode,
        testimony: Option<&Testimony>,
        difference: Option<String>,
    ) -> Self {
        let by = match testimony {
            Some(Testimony::Handler { .. }) => By::Handler,
            Some(Testimony::Denied { .. }) if status == StatusCode::SEE_OTHER => By::Gate("login"),
            Some(Testimony::Denied { denial, .. }) => By::Gate(word_of(denial)),
            Some(Testimony::Hidden { .. }) => By::Hiding,
            Some(Testimony::NotRouted { .. }) => By::UnknownPath,
            None => By::SomethingElse,
        };
        Self {
            given: Some((status, by)),
            difference,
        }
    }

    /// The status; `None` if nobody was asked.
    pub fn status(&self) -> Option<StatusCode> {
        self.given.map(|(status, _)| status)
    }

    /// Whether the handler answered, or the service in its place: that is so for a 404 of its own, too.
    pub fn is_let_in(&self) -> bool {
        matches!(self.given, Some((_, By::Handler)))
    }

    /// Whether a denial was answered as a path that is not there.
    pub fn is_hidden(&self) -> bool {
        matches!(self.given, Some((_, By::Hiding)))
    }

    /// How it is not what the policy says; `None` if it is.
    pub fn difference(&self) -> Option<&str> {
        self.difference.as_deref()
    }
}

fn word_of(denial: &Denial) -> &'static str {
    match denial {
        Denial::StepUp { .. } => "step-up",
        Denial::UnboundCredentials => "unbound",
        Denial::InsufficientScope { .. } => "scope",
        _ => "",
    }
}

impl fmt::Display for AccessAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((status, by)) = self.given else {
            return f.write_str("-");
        };
        let word = match by {
            By::Handler if status.is_success() => "",
            By::Handler => OWN,
            By::Gate(word) => word,
            By::Hiding => "hidden",
            By::UnknownPath => "unknown",
            By::SomethingElse => "elsewhere",
        };
        let gap = if word.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{word}", status.as_u16())
    }
}

const OWN: &str = "own";

/// Whether a cell, as it is shown, says that somebody was let in.
pub(super) fn says_let_in(cell: &str) -> bool {
    let is_plain_success = cell.len() == 3 && cell.starts_with('2');
    is_plain_success || cell.ends_with(OWN)
}
