//! The reasons for a missing decision.

use std::error::Error;
use std::fmt;

use auth_runtime_remote::{bounded_text, with_causes};
use tonic::{Code, Status};

/// The reason for a missing decision. It never contains sent data.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server responded with an error, or there was no response.
    Status(Status),
    /// The response was too late.
    Late,
    /// The server could not decide about one question, for the reason of this code.
    Question(Code, String),
    /// The server answered some of the questions, or named some objects of a list, and not all in time.
    Unfinished,
    /// The response is not one to the request.
    Answer(String),
    /// The list has more objects than this number.
    LongList(usize),
}

impl Failure {
    /// Returns whether the failure concerns this request, and the server may answer others. Otherwise a
    /// caller with such requests could open the circuit for all.
    pub(crate) fn is_of_request(&self) -> bool {
        match self {
            Self::Status(status) => !is_of_connection(status) && is_about_request(status.code()),
            Self::Question(code, _) => is_about_request(*code),
            Self::Unfinished | Self::LongList(_) => true,
            Self::Late | Self::Answer(_) => false,
        }
    }

    /// Returns whether the connection failed before a response, as it does if a server closes an unused
    /// connection in the moment in which a request is sent.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Status(status) if is_of_connection(status))
    }
}

/// Returns whether a code is about the request. The server limits the depth of groups in groups by
/// `RESOURCE_EXHAUSTED`.
fn is_about_request(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound | Code::ResourceExhausted
    )
}

/// Statuses that the server sent have no source.
fn is_of_connection(status: &Status) -> bool {
    status.source().is_some()
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write_status(status, f),
            Self::Late => f.write_str("the response is too late"),
            Self::Unfinished => f.write_str("the end of the response is too late"),
            Self::Question(code, problem) => {
                write!(
                    f,
                    "SpiceDB cannot decide about a question ({code:?}): {problem}"
                )
            }
            Self::Answer(problem) => f.write_str(problem),
            Self::LongList(most) => write!(f, "the list has more than {most} objects"),
        }
    }
}

fn write_status(status: &Status, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let code = status.code();
    if let Some(source) = status.source() {
        return write!(f, "the connection failed: {}", with_causes(source));
    }
    match code {
        // A server may repeat the key.
        Code::Unauthenticated | Code::PermissionDenied => {
            write!(f, "SpiceDB rejected the preshared key ({code:?})")
        }
        Code::FailedPrecondition => write!(
            f,
            "the schema does not have a type or a permission of this request ({code:?}): {}",
            bounded_text(status.message())
        ),
        _ => write!(
            f,
            "SpiceDB responded with {code:?}: {}",
            bounded_text(status.message())
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise one caller opens the circuit for all.
    #[test]
    fn failures_of_one_request_are_none_of_the_server() {
        let question = |code| Failure::Question(code, String::new());
        for (failure, is_of_request) in [
            (Failure::Unfinished, true),
            (Failure::LongList(7), true),
            (question(Code::FailedPrecondition), true),
            (question(Code::ResourceExhausted), true),
            (question(Code::Unavailable), false),
            (question(Code::Internal), false),
            (Failure::Late, false),
            (Failure::Answer(String::new()), false),
        ] {
            assert_eq!(failure.is_of_request(), is_of_request, "{failure}");
        }
    }
}
