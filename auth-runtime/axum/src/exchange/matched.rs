//! The match of a request.

use auth_runtime_core::HandlerLocation;

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
}
