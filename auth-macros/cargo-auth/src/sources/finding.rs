//! Mistakes, and places in the sources.

use auth_grammar::codes::{self, Code};
use proc_macro2::Span;
use serde::Serialize;

/// A place in a file, in the numbering of editors: from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Place {
    /// The path from the root of the workspace, with `/`.
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// `None` for compiler errors without a code.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
}

impl Place {
    pub(super) fn of(file: &str, span: Span) -> Self {
        let start = span.start();
        Self {
            file: file.to_owned(),
            line: start.line,
            column: start.column + 1,
        }
    }
}

impl Finding {
    pub(super) fn new(place: Place, code: Code, message: impl Into<String>) -> Self {
        Self {
            place,
            code: Some(code.as_str().to_owned()),
            message: message.into(),
        }
    }

    /// Creates a finding from an error of the grammar. `own` is the place for errors without a
    /// token.
    pub(super) fn of(error: &syn::Error, own: &Place) -> Self {
        let message = error.to_string();
        let (message, code) = codes::split(&message);
        let span = error.span();
        Self {
            place: if is_written(span) {
                Place::of(&own.file, span)
            } else {
                own.clone()
            },
            code: code.map(str::to_owned),
            message,
        }
    }

    pub(super) fn hidden(place: Place, name: &str) -> Self {
        let message = format!(
            "a text search for `#[{name}(` misses this spelling\n\
             help: remove `r#`, other brackets, spaces and comments from it"
        );
        Self::new(place, codes::RENAMED, message)
    }

    pub(super) fn passed(place: Place, name: &str) -> Self {
        let message = format!(
            "`{name}` is an argument of a macro, which a text search for policies misses\n\
             help: write `#[{name}(...)]` in the argument, or in the macro"
        );
        Self::new(place, codes::RENAMED, message)
    }

    pub(super) fn endless(place: Place, stream: &str) -> Self {
        let message = format!(
            "the stream of `{stream}` goes on when the credentials of the caller expire\n\
             help: end it when `guard.expires()` is ready"
        );
        Self::new(place, codes::ENDLESS_STREAM, message)
    }

    /// A function or closure without a policy takes the guard of a handler.
    pub(super) fn borrowed(place: Place, policy: &str, advice: &str) -> Self {
        let message = format!(
            "this function takes the guard of another handler, `{policy}`, and has no policy of its \
             own\n\
             help: {advice}, and `Guard` alone"
        );
        Self::new(place, codes::GUARD, message)
    }

    /// An attribute of that name belongs to another crate.
    pub(super) fn foreign(place: Place, name: &str, krate: &str) -> Self {
        let message = format!(
            "`{name}` is an attribute of `{krate}`, so it is no policy\n\
             help: write `auth_runtime::{name}`, or add the argument `crate` with the path of the \
             runtime"
        );
        Self::new(place, codes::RENAMED, message)
    }

    pub(super) fn renamed(place: Place, name: &str, other: &str) -> Self {
        let message = format!(
            "`{name}` is renamed to `{other}`, which a text search for policies misses\n\
             help: call it `{name}`, or `auth_runtime::{name}`"
        );
        Self::new(place, codes::RENAMED, message)
    }
}

/// Returns whether a span is from the file, and was not created during parsing.
pub(super) fn is_written(span: Span) -> bool {
    !span.byte_range().is_empty()
}
