//! The responder of a request, for tests that send requests to the router.
//!
//! A test puts a [`Probe`] into the extensions of its request, which no network client can set.
//! The responder records itself there. Without the features for tests, the type is empty.

use auth_runtime_core::{Denial, HandlerLocation};
use http::{Extensions, StatusCode};

#[cfg(feature = "inspection")]
type Record = std::sync::Arc<std::sync::Mutex<Option<Responder>>>;

/// Records the responder of a request, if a test listens. Of nested routers, the outermost one
/// records last.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    #[cfg(feature = "inspection")]
    recorded: Option<Record>,
}

/// The responder of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Responder {
    /// No response yet: this authorizer granted the request, and the handler is running.
    Entered {
        /// The handler.
        location: HandlerLocation,
    },
    /// The handler or service behind this authorizer.
    Handler {
        /// The handler or the policy of the service.
        location: HandlerLocation,
        /// The status of its response.
        status: StatusCode,
    },
    /// This authorizer, with a denial.
    Denied {
        /// The handler behind it.
        location: HandlerLocation,
        /// The denial.
        denial: Denial,
    },
    /// The fallback for unknown paths, in place of a denial of this authorizer.
    Concealed {
        /// The handler behind it.
        location: HandlerLocation,
        /// The fallback of the service; `None` for that of the space.
        fallback: Option<HandlerLocation>,
    },
    /// The fallback for unknown paths: that of the service, or that of the space.
    NotRouted {
        /// The fallback of the service; `None` for that of the space.
        fallback: Option<HandlerLocation>,
    },
}

impl Probe {
    /// The probe in the extensions of a request, or an empty one.
    pub fn of(extensions: &Extensions) -> Self {
        #[cfg(feature = "inspection")]
        return extensions.get().cloned().unwrap_or_default();
        #[cfg(not(feature = "inspection"))]
        {
            let _ = extensions;
            Self {}
        }
    }

    /// Records the responder.
    pub fn record(&self, responder: impl FnOnce() -> Responder) {
        #[cfg(feature = "inspection")]
        if let Some(record) = &self.recorded
            && let Ok(mut recorded) = record.lock()
        {
            *recorded = Some(responder());
        }
        #[cfg(not(feature = "inspection"))]
        let _ = responder;
    }
}

#[cfg(feature = "inspection")]
impl Probe {
    /// Creates a probe that records.
    pub fn listening() -> Self {
        Self {
            recorded: Some(Record::default()),
        }
    }

    /// The last record; `None` if neither an authorizer nor a fallback responded.
    pub fn responder(&self) -> Option<Responder> {
        let recorded = self.recorded.as_ref()?.lock().ok()?;
        recorded.clone()
    }
}
