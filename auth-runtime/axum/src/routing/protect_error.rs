//! Mistakes in a router that keep a space from protecting it.

use std::fmt;
use std::panic::Location;

use auth_runtime_policy::ResourcePattern;

use crate::routing::borrower::Borrower;

/// The mistakes in a [`GuardedRouter`](crate::GuardedRouter) that a space cannot protect.
///
/// Lists every mistake with its handler.
#[derive(Clone, PartialEq, Eq)]
pub struct ProtectError {
    pub(crate) mistakes: Vec<Mistake>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The space cannot serve the handler of a policy.
    Obstacle(String),
    /// A check takes another type of state than the router has.
    State {
        handler: &'static str,
        function: &'static str,
        state: &'static str,
    },
    /// A parameter of the handler is a user of the service that an accepted scheme does not provide.
    User {
        handler: &'static str,
        user: &'static str,
        schemes: Vec<String>,
    },
    /// Two path parameters have the same name, so that a check and the handler can read different
    /// values.
    Parameter {
        handler: &'static str,
        path: String,
        name: String,
    },
    /// An object is named by a path parameter that the route does not have.
    MissingParameter {
        handler: &'static str,
        path: String,
        on: ResourcePattern,
        name: String,
    },
    /// The constant id of an object is the name of a path parameter, so it is always the same object.
    ConstantId {
        handler: &'static str,
        path: String,
        on: ResourcePattern,
    },
    /// A handler takes the guard of another one.
    Borrowed(Borrower),
    /// A router was merged unguarded with an empty reason.
    Reason { written: &'static Location<'static> },
    /// A route of an adopted router matches a hidden path.
    Adopted {
        written: &'static Location<'static>,
        path: String,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Obstacle(message) => f.write_str(message),
            Self::State {
                handler,
                function,
                state,
            } => write!(
                f,
                "the function `{function}` of `{handler}` needs the state `{state}`, and the router of \
                 the handler has another state",
            ),
            Self::User {
                handler,
                user,
                schemes,
            } => write!(
                f,
                "`{handler}` takes the user `{user}`, and callers by `{}` have none; add \
                 `.with_user(…)` to each of these schemes, or exclude them with `schemes(…)`",
                schemes.join("`, `"),
            ),
            Self::Parameter {
                handler,
                path,
                name,
            } => write!(
                f,
                "the path `{path}` of `{handler}` has two parameters `{name}`; give each a name \
                 of its own",
            ),
            Self::MissingParameter {
                handler,
                path,
                on,
                name,
            } => write!(
                f,
                "the path `{path}` of `{handler}` has no parameter `{name}`, which `on = {:?}` \
                 names",
                on.as_str(),
            ),
            Self::ConstantId { handler, path, on } => {
                let (resource_type, id) = (on.resource_type(), on.id());
                write!(
                    f,
                    "the object of `{handler}` is `{resource_type}::{id:?}` for every request, since `on = \
                     {:?}` has no braces, and the path `{path}` has a parameter `{id}`; write `on = \
                     \"{resource_type}::{{{id}}}\"`, or give the parameter another name",
                    on.as_str(),
                )
            }
            Self::Borrowed(Borrower { handler, owner }) => write!(
                f,
                "`{handler}` takes the guard of `{owner}` and has no policy of its own; write \
                 `#[requires(...)]` or `#[public(reason = \"...\")]` above an `async fn`, and \
                 `Guard` alone (any function or closure may take the guard of a unit struct)",
            ),
            Self::Reason { written } => write!(
                f,
                "`merge_unguarded` or `adopt` at {written} has an empty reason; state why its routes \
                 need no policy",
            ),
            Self::Adopted { written, path } => write!(
                f,
                "a route of the router that is adopted at {written} matches the hidden path \
                 `{path}` as well, so its responses distinguish this path from unknown ones; guard \
                 this route first, or list the other paths with `merge_unguarded`",
            ),
        }
    }
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{mistake}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ProtectError {
    /// Formats the same text as `Display`, since a `main` that returns the error prints `Debug`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ProtectError {}
