//! The response to one persona on one row.

use std::fmt;

use auth_runtime_axum::inspection::Responder;
use auth_runtime_core::Denial;
use http::StatusCode;

/// One cell of an [`AccessMatrix`](crate::AccessMatrix): the response to a persona.
///
/// It is displayed as the status, and a word if the status alone does not state the cause: see
/// [Cells](crate::AccessMatrix#cells).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessResponse {
    /// The status, `None` without a response, and its source. `None` if no request was sent.
    given: Option<(Option<StatusCode>, By)>,
    difference: Option<String>,
}

/// The source of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Handler,
    /// A layer, or no source at all, since the handler did not finish.
    Unfinished,
    /// The authorization of the route, with a word for its denial.
    Denial(&'static str),
    /// The fallback, for a concealed denial.
    Hiding,
    NotRouted,
    /// Another source, such as a layer.
    SomethingElse,
    NoSource,
}

impl AccessResponse {
    /// Creates the cell of a row that was not requested.
    pub(super) fn not_asked() -> Self {
        Self {
            given: None,
            difference: None,
        }
    }

    /// Creates the cell of a request.
    pub(super) fn new(
        status: Option<StatusCode>,
        responder: Option<&Responder>,
        difference: Option<String>,
    ) -> Self {
        let by = match responder {
            Some(Responder::Handler { .. }) => By::Handler,
            Some(Responder::Entered { .. }) => By::Unfinished,
            _ if status.is_none() => By::NoSource,
            Some(Responder::Denied { .. }) if status == Some(StatusCode::SEE_OTHER) => {
                By::Denial("login")
            }
            Some(Responder::Denied { denial, .. }) => By::Denial(word_of(denial)),
            Some(Responder::Concealed { .. }) => By::Hiding,
            Some(Responder::NotRouted { .. }) => By::NotRouted,
            None => By::SomethingElse,
        };
        Self {
            given: Some((status, by)),
            difference,
        }
    }

    /// The status. `None` if no request was sent, or no response was received.
    pub fn status(&self) -> Option<StatusCode> {
        self.given.and_then(|(status, _)| status)
    }

    /// Returns whether the request was granted: it reached the handler, or the service in its
    /// place. This is also true if the handler itself responded 404.
    pub fn is_granted(&self) -> bool {
        matches!(self.given, Some((_, By::Handler | By::Unfinished)))
    }

    /// Returns whether the response was that of an unknown path, for a concealed denial.
    pub fn is_hidden(&self) -> bool {
        matches!(self.given, Some((_, By::Hiding)))
    }

    /// Returns the difference from the policy, if any.
    pub fn difference(&self) -> Option<&str> {
        self.difference.as_deref()
    }
}

fn word_of(denial: &Denial) -> &'static str {
    match denial {
        Denial::StepUp { .. } => "step-up",
        Denial::SenderConstraintRequired => "unbound",
        Denial::InsufficientScope { .. } => "scope",
        _ => "",
    }
}

impl fmt::Display for AccessResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((status, by)) = self.given else {
            return f.write_str("-");
        };
        let word = match by {
            By::Handler if status.is_some_and(|status| status.is_success()) => "",
            By::Handler => OWN,
            By::Unfinished => UNFINISHED,
            By::Denial(word) => word,
            By::Hiding => "hidden",
            By::NotRouted => "unknown",
            By::SomethingElse => "elsewhere",
            By::NoSource => "unanswered",
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

/// Returns whether a cell, as displayed, is a grant.
pub(super) fn says_granted(cell: &str) -> bool {
    match cell.rsplit(' ').next() {
        Some(OWN | UNFINISHED) => true,
        _ => cell.starts_with('2') && !cell.contains(' '),
    }
}
