//! The responder of a request, for tests that send requests to the router.
//!
//! A test puts a [`Probe`] into the extensions of its request, which no network client can set.
//! The responder records itself there. Without the features for tests, the type is empty.

use http::{Extensions, StatusCode};

use crate::decision::Denial;
use crate::handler_location::HandlerLocation;

#[cfg(any(feature = "access-matrix", feature = "testing"))]
type Book = std::sync::Arc<std::sync::Mutex<Option<Responder>>>;

/// Records the responder of a request, if a test listens. Of nested routers, the outermost one
/// records last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    #[cfg(any(feature = "access-matrix", feature = "testing"))]
    book: Option<Book>,
}

/// The responder of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Responder {
    /// No responder yet: this authorizer granted the request, and the handler is running.
    Entered { location: HandlerLocation },
    /// The handler or service behind this authorizer.
    Handler {
        location: HandlerLocation,
        status: StatusCode,
    },
    /// This authorizer, with a denial.
    Denied {
        location: HandlerLocation,
        denial: Denial,
    },
    /// The fallback for unknown paths, in place of a denial of this authorizer.
    Hidden {
        location: HandlerLocation,
        fallback: Option<HandlerLocation>,
    },
    /// The fallback for unknown paths: that of the service, or that of the space.
    NotRouted { fallback: Option<HandlerLocation> },
}

impl Probe {
    /// The witness in the extensions of a request, or an empty one.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        #[cfg(any(feature = "access-matrix", feature = "testing"))]
        return extensions.get().cloned().unwrap_or_default();
        #[cfg(not(any(feature = "access-matrix", feature = "testing")))]
        {
            let _ = extensions;
            Self {}
        }
    }

    /// Whether a test listens.
    pub(crate) fn is_listening(&self) -> bool {
        #[cfg(any(feature = "access-matrix", feature = "testing"))]
        return self.book.is_some();
        #[cfg(not(any(feature = "access-matrix", feature = "testing")))]
        false
    }

    /// Records the responder.
    pub(crate) fn tell(&self, testimony: impl FnOnce() -> Responder) {
        #[cfg(any(feature = "access-matrix", feature = "testing"))]
        if let Some(book) = &self.book
            && let Ok(mut told) = book.lock()
        {
            *told = Some(testimony());
        }
        #[cfg(not(any(feature = "access-matrix", feature = "testing")))]
        let _ = testimony;
    }
}

#[cfg(any(feature = "access-matrix", feature = "testing"))]
impl Probe {
    /// Creates a witness that records.
    pub(crate) fn listening() -> Self {
        Self {
            book: Some(Book::default()),
        }
    }

    /// The last record; `None` if neither an authorizer nor a fallback responded.
    pub(crate) fn testimony(&self) -> Option<Responder> {
        let told = self.book.as_ref()?.lock().ok()?;
        told.clone()
    }
}
