//! The match of a request.

use auth_runtime_core::{Denial, HandlerLocation};
use axum::response::Response;

use crate::probe::{Probe, Responder};

/// The match of a request that an authorizer is for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Matched {
    /// A handler or a service.
    Handler(HandlerLocation),
    /// None: the path is unknown.
    UnknownPath,
    /// None: the path has no handler for the method, and responds as an unknown one.
    UnknownMethod,
}

impl Matched {
    pub(super) fn exists(&self) -> bool {
        self.location().is_some()
    }

    pub(super) fn location(&self) -> Option<&HandlerLocation> {
        match self {
            Self::Handler(location) => Some(location),
            Self::UnknownPath | Self::UnknownMethod => None,
        }
    }

    /// Records that a test's request reached the handler.
    pub(super) fn record_entry(&self, probe: &Probe) {
        if let Self::Handler(location) = *self {
            probe.record(|| Responder::Entered { location });
        }
    }

    /// Records the denial of a test's request by the policy.
    pub(super) fn record_denial(&self, probe: &Probe, denial: &Denial) {
        if let Self::Handler(location) = *self {
            probe.record(|| Responder::Denied {
                location,
                denial: denial.clone(),
            });
        }
    }

    /// Records the response of the handler, which may have denied an object, to a test's request.
    pub(super) fn record_handled(&self, probe: &Probe, response: &Response) {
        if let Self::Handler(location) = *self {
            let status = response.status();
            probe.record(|| Responder::Handler { location, status });
        }
    }

    /// Records the response of the fallback in place of a denial by the policy, or on an unknown path.
    pub(super) fn record_fallback(&self, probe: &Probe, fallback: Option<HandlerLocation>) {
        match *self {
            Self::Handler(location) => {
                probe.record(|| Responder::Concealed { location, fallback });
            }
            Self::UnknownPath => probe.record(|| Responder::NotRouted { fallback }),
            Self::UnknownMethod => {}
        }
    }
}
