//! The reasons for a missing decision.

use std::error::Error;
use std::fmt;

use auth_runtime_remote::{bounded_text, with_causes};
use prost::Message;
use tonic::{Code, Status};

use crate::messages::RpcStatus;

/// The reason of an error about relationships that refer to each other in a circle, or over too many levels.
const TOO_DEEP: &str = "ERROR_REASON_MAXIMUM_DEPTH_EXCEEDED";

/// The reason for a missing decision. It never contains sent data.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server responded with an error, or there was no response.
    Status(Status),
    /// The response was too late.
    Late,
    /// The server could not decide about one question.
    Question(RpcStatus),
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
            Self::Status(status) => {
                let error = RpcStatus::decode(status.details()).unwrap_or_default();
                !is_of_connection(status) && is_about_request(status.code(), &error)
            }
            Self::Question(error) => is_about_request(Code::from_i32(error.code), error),
            Self::Unfinished | Self::LongList(_) => true,
            Self::Late | Self::Answer(_) => false,
        }
    }

    /// Returns whether the connection failed before a response, as it does if a server closes an unused
    /// connection at the moment a request is sent.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Status(status) if is_of_connection(status))
    }
}

/// Returns whether an error is about the request. `OUT_OF_RANGE` is the code of an unknown token, and of a response that
/// is longer than the client accepts. `RESOURCE_EXHAUSTED` is the code of an overloaded server too.
fn is_about_request(code: Code, error: &RpcStatus) -> bool {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound | Code::OutOfRange => {
            true
        }
        Code::ResourceExhausted => error.has_reason(TOO_DEEP),
        _ => false,
    }
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
            Self::Question(error) => write!(
                f,
                "SpiceDB cannot decide about a question ({:?}): {}",
                Code::from_i32(error.code),
                bounded_text(&error.message)
            ),
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
    use prost_types::Any;

    use super::*;
    use crate::messages::ErrorInfo;

    fn error(code: Code, reason: &str) -> RpcStatus {
        let reason = reason.to_owned();
        RpcStatus {
            code: code.into(),
            message: String::new(),
            details: vec![
                Any::default(),
                Any {
                    type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
                    value: ErrorInfo { reason }.encode_to_vec(),
                },
            ],
        }
    }

    /// Otherwise callers with such requests open the circuit for all.
    #[test]
    fn failures_of_requests_are_not_counted() {
        for (failure, is_of_request) in [
            (Failure::Unfinished, true),
            (Failure::LongList(7), true),
            (Failure::Late, false),
            (Failure::Answer(String::new()), false),
        ] {
            assert_eq!(failure.is_of_request(), is_of_request, "{failure}");
        }
        for (code, reason, is_of_request) in [
            (Code::FailedPrecondition, "", true),
            (Code::OutOfRange, "", true),
            (Code::ResourceExhausted, TOO_DEEP, true),
            (Code::ResourceExhausted, "", false),
            (Code::ResourceExhausted, "ERROR_REASON_UNSPECIFIED", false),
            (Code::Unavailable, TOO_DEEP, false),
            (Code::Internal, "", false),
        ] {
            let error = error(code, reason);
            let details = error.encode_to_vec().into();
            for failure in [
                Failure::Status(Status::with_details(code, "", details)),
                Failure::Question(error),
            ] {
                assert_eq!(
                    failure.is_of_request(),
                    is_of_request,
                    "{failure}: {reason}"
                );
            }
        }
    }
}
