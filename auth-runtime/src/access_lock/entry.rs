//! One line of the lock.

use std::fmt;

use super::meaning::spelled_out;
use crate::access_table::{Access, AccessRow, visible};

/// What can be called, and by whom, as text: so that what an older version wrote can be compared with
/// what this one writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Capitals, or `any`, or `fallback`.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) access: String,
    /// `None` for an unguarded router.
    pub(super) handler: Option<String>,
}

impl Entry {
    pub(super) fn of(row: &AccessRow) -> Self {
        let (access, handler) = match row.access() {
            Access::Guarded {
                policy,
                declaration,
                ..
            } => (spelled_out(policy), Some(visible(declaration.handler()))),
            unguarded => (unguarded.to_string(), None),
        };
        Self {
            method: row.method_shown().to_owned(),
            path: visible(row.path()),
            access,
            handler,
        }
    }

    /// `None` if that is no line of a lock.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let (path, rest) = rest.trim_start().split_once(' ')?;
        let rest = rest.trim();
        let (access, handler) = if rest.starts_with("unguarded(") {
            (rest, None)
        } else {
            // No handler has a space in it; a reason may have two.
            let (access, handler) = rest.rsplit_once("  ")?;
            (access.trim_end(), Some(handler.to_owned()))
        };
        let starts = ["requires(", "public(", "unguarded("];
        let is_access =
            starts.iter().any(|start| access.starts_with(start)) && access.ends_with(')');
        let is_line = !method.is_empty() && path.starts_with('/') && is_access && is_visible(line);
        is_line.then(|| Self {
            method: method.to_owned(),
            path: path.to_owned(),
            access: access.to_owned(),
            handler,
        })
    }

    pub(super) fn is_unguarded(&self) -> bool {
        self.handler.is_none()
    }

    /// Where the path of a function begins that is written in the policy; `None` where all paths do.
    pub(super) fn home(&self, function: &str) -> Option<&str> {
        let (module, _) = self.handler.as_deref()?.rsplit_once("::")?;
        if function.starts_with("::") {
            None
        } else if function.starts_with("crate::") {
            module.split("::").next()
        } else {
            Some(module)
        }
    }

    /// Whether nobody is asked who calls.
    pub(super) fn is_open(&self) -> bool {
        self.is_unguarded() || self.access.starts_with("public(")
    }
}

/// Whether all of a line is what it looks like. Nothing else is written: whoever puts what a terminal obeys
/// in a lock wants the report to be read in another way.
fn is_visible(line: &str) -> bool {
    let quoted = |text: String, letter| text.replace(letter, &format!("\\{letter}"));
    let as_written = ['\\', '"', '\''].into_iter().fold(line.to_owned(), quoted);
    line.escape_debug().to_string() == as_written
}

impl fmt::Display for Entry {
    /// Not in columns of their widest: a route that is added changes no other line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            path,
            access,
            handler,
        } = self;
        write!(f, "{method:<8} {path}  {access}")?;
        match handler {
            Some(handler) => write!(f, "  {handler}"),
            None => Ok(()),
        }
    }
}
