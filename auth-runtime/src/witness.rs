//! Who gave an answer, for tests that ask the router itself.
//!
//! A test puts a [`Witness`] into the extensions of its request, which nothing from the network can
//! reach; whoever answers tells it so. Without the features that test, it is nothing.

use http::{Extensions, StatusCode};

use crate::decision::Denial;
use crate::declaration::Declaration;

#[cfg(any(feature = "access-matrix", feature = "testing"))]
type Book = std::sync::Arc<std::sync::Mutex<Option<Testimony>>>;

/// Is told who answers a request, if somebody wants to know. Of routers within routers, the outermost
/// has the last word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    #[cfg(any(feature = "access-matrix", feature = "testing"))]
    book: Option<Book>,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Testimony {
    /// Nobody yet: this gate let the request in, and the handler has begun.
    Entered { declaration: Declaration },
    /// The handler, or the service, behind this gate.
    Handler {
        declaration: Declaration,
        status: StatusCode,
    },
    /// This gate, by a denial.
    Denied {
        declaration: Declaration,
        denial: Denial,
    },
    /// What answers unknown paths, in place of a denial of this gate's.
    Hidden {
        declaration: Declaration,
        fallback: Option<Declaration>,
    },
    /// What answers unknown paths: this fallback, or the space's own.
    NotRouted { fallback: Option<Declaration> },
}

impl Witness {
    /// The one that a request brought along.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        #[cfg(any(feature = "access-matrix", feature = "testing"))]
        return extensions.get().cloned().unwrap_or_default();
        #[cfg(not(any(feature = "access-matrix", feature = "testing")))]
        {
            let _ = extensions;
            Self {}
        }
    }

    /// Tells it who answered.
    pub(crate) fn tell(&self, testimony: impl FnOnce() -> Testimony) {
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
impl Witness {
    /// One that listens.
    pub(crate) fn listening() -> Self {
        Self {
            book: Some(Book::default()),
        }
    }

    /// What it was told last; `None` if no gate and no unknown path answered.
    pub(crate) fn testimony(&self) -> Option<Testimony> {
        let told = self.book.as_ref()?.lock().ok()?;
        told.clone()
    }
}
