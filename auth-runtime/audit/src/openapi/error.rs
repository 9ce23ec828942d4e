//! The errors of writing a table into a document.

use std::fmt;

/// Differences between an OpenAPI document and the router, or data without a place in OpenAPI.
///
/// It lists every mistake, each with its operation or its scheme.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenApiError {
    pub(super) mistakes: Vec<Mistake>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Mistake {
    /// An operation without a route.
    Unrouted {
        method: String,
        path: String,
        /// The methods of the path.
        methods: Vec<String>,
    },
    /// An operation of a hidden handler, at a path that an unguarded router may serve.
    Misplaced {
        method: String,
        path: String,
        handler: &'static str,
    },
    /// Two paths that OpenAPI cannot distinguish.
    Same { path: String, other: String },
    /// Two different schemas of one name.
    Schema { name: String },
    /// An identifier of several operations.
    Id {
        id: String,
        number: usize,
        /// The methods and paths of those that are not below other operations.
        places: Vec<String>,
    },
    /// A path with its operations in another place (`$ref`).
    Elsewhere { path: String },
    /// A `security` that was written by hand and differs from the policy.
    Security {
        method: String,
        path: String,
        written: String,
        kept: String,
    },
    /// A policy that no scheme of the space can meet.
    Unmet {
        method: String,
        path: String,
        handler: &'static str,
    },
    /// A security scheme that was written by hand and differs from the space's.
    Scheme { name: String },
    /// A scheme with a name that is not a valid key of a document.
    Name { name: String },
    /// A scheme with credentials in a place that OpenAPI has no name for.
    Source { name: String },
    /// A document of a version with fewer kinds of `security`.
    Version { written: Option<String> },
    /// A document that is not written as an object.
    NoObject { reason: String },
}

impl From<Mistake> for OpenApiError {
    fn from(mistake: Mistake) -> Self {
        Self {
            mistakes: vec![mistake],
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrouted {
                method,
                path,
                methods,
            } => {
                write!(f, "`{method} {path}` is documented, and the router has ")?;
                if methods.is_empty() {
                    return f.write_str("no such path");
                }
                write!(f, "that path for `{}` only", methods.join("`, `"))
            }
            Self::Misplaced {
                method,
                path,
                handler,
            } => write!(
                f,
                "`{method} {path}` is named as `{handler}`, which is hidden on another path; \
                 write its path as the router has it, or name it otherwise by `operation_id`",
            ),
            Self::Same { path, other } => write!(
                f,
                "`{path}` and `{other}` are one path for OpenAPI, which has no wildcards; \
                 document one of them",
            ),
            Self::Schema { name } => write!(
                f,
                "two different schemas are named `{name}`; name one of them otherwise, in utoipa by \
                 `#[schema(as = …)]`",
            ),
            Self::Id { id, number, places } => {
                write!(f, "`{id}` is the `operationId` of {number} operations")?;
                let shown: Vec<_> = places.iter().take(3).map(String::as_str).collect();
                if !shown.is_empty() {
                    let word = if shown.len() == *number {
                        ":"
                    } else {
                        ", such as"
                    };
                    write!(f, "{word} `{}`", shown.join("`, `"))?;
                }
                f.write_str("; name them otherwise, in utoipa by `operation_id`")
            }
            Self::Elsewhere { path } => write!(
                f,
                "the path `{path}` is a reference, which may contain hidden operations; write \
                 its operations in place of the reference",
            ),
            Self::Security {
                method,
                path,
                written,
                kept,
            } => write!(
                f,
                "`{method} {path}` is documented with the `security` {written}, and its policy \
                 yields {kept}; remove `security`, which is generated from the policy",
            ),
            Self::Unmet {
                method,
                path,
                handler,
            } => write!(
                f,
                "`{method} {path}` cannot be called: no scheme of the protection space can meet \
                 the policy of `{handler}`",
            ),
            Self::Scheme { name } => write!(
                f,
                "the security scheme `{name}` of the document differs from that of the \
                 protection space; remove it, since it is generated from the space",
            ),
            Self::Name { name } => write!(
                f,
                "the scheme `{name}` cannot be named in a document: only letters, digits, `.`, \
                 `-` and `_` are allowed",
            ),
            Self::Source { name } => write!(
                f,
                "the scheme `{name}` cannot be described: OpenAPI has no credentials in forms",
            ),
            Self::Version { written } => {
                match written {
                    Some(version) => write!(f, "the document has version `{version}` of OpenAPI")?,
                    None => f.write_str("the document does not have its version in `openapi`")?,
                }
                f.write_str(
                    ", and `security` with the scopes of any scheme needs 3.1 or later; convert \
                     it to 3.1",
                )
            }
            Self::NoObject { reason } => {
                write!(f, "the document is not written as a JSON object: {reason}")
            }
        }
    }
}

impl fmt::Display for OpenApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{mistake}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for OpenApiError {
    /// Writes the text, since a `main` that returns the error prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for OpenApiError {}
