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
    /// Without a status where no answer came.
    given: Option<(Option<StatusCode>, By)>,
    difference: Option<String>,
}

/// Whose answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Handler,
    /// A layer, or nobody, since the handler did not come to an end.
    Unfinished,
    /// The gate, with a word for its denial.
    Gate(&'static str),
    /// What answers unknown paths, in place of the gate.
    Hiding,
    UnknownPath,
    /// None of these.
    SomethingElse,
    Nobody,
}

impl AccessAnswer {
    /// Nobody was asked.
    pub(super) fn not_asked() -> Self {
        Self {
            given: None,
            difference: None,
        }
    }

    /// What was answered, if an answer came.
    pub(super) fn new(
        status: Option<StatusCode>,
        testimony: Option<&Testimony>,
        difference: Option<String>,
    ) -> Self {
        let by = match testimony {
            Some(Testimony::Handler { .. }) => By::Handler,
            Some(Testimony::Entered { .. }) => By::Unfinished,
            _ if status.is_none() => By::Nobody,
            Some(Testimony::Denied { .. }) if status == Some(StatusCode::SEE_OTHER) => {
                By::Gate("login")
            }
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

    /// The status; `None` if nobody was asked, or no answer came.
    pub fn status(&self) -> Option<StatusCode> {
        self.given.and_then(|(status, _)| status)
    }

    /// Whether the request got to the handler, or to the service in its place: that is so for a 404 of its
    /// own, too.
    pub fn is_let_in(&self) -> bool {
        matches!(self.given, Some((_, By::Handler | By::Unfinished)))
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
            By::Handler if status.is_some_and(|status| status.is_success()) => "",
            By::Handler => OWN,
            By::Unfinished => UNFINISHED,
            By::Gate(word) => word,
            By::Hiding => "hidden",
            By::UnknownPath => "unknown",
            By::SomethingElse => "elsewhere",
            By::Nobody => "unanswered",
        };
        let Some(status) = status else {
            return f.write_str(word);
        };
        let gap = if word.is_empty() { "" } else { " " };
        write!(f, "{}{gap}{word}", status.as_u16())
    }
}

const OWN: &str = "own";
const UNFINISHED: &str = "unfinished";

/// Whether a cell, as it is shown, says that somebody was let in.
pub(super) fn says_let_in(cell: &str) -> bool {
    match cell.rsplit(' ').next() {
        Some(OWN | UNFINISHED) => true,
        _ => cell.starts_with('2') && !cell.contains(' '),
    }
}
