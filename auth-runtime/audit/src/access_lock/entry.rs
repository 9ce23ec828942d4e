//! A line of the lock.

use std::fmt;

use auth_runtime_core::adapter::RouteAccess;
use auth_runtime_core::adapter::text::visible;
use auth_runtime_core::{AccessRow, EndpointKind};
use auth_runtime_policy::{Policy, Requirement};

use super::canonical::{read, spelled_out};

/// A route and its access, as text, so that lines that were written by an older version can be
/// compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// In capitals, or `any`, or the word of a fallback.
    pub(super) method: String,
    pub(super) path: String,
    /// The guarded paths that the row is an open pattern for.
    pub(super) covers: Vec<String>,
    pub(super) access: Stated,
    /// `None` for an unguarded router.
    pub(super) handler: Option<String>,
    /// The kind of the handler; [`EndpointKind::Handler`] for an unguarded router.
    pub(super) endpoint_kind: EndpointKind,
    /// The equivalent policies for both values of each setting, as text.
    pub(super) cases: Vec<String>,
}

/// The access in a line: as text, and as a policy unless it is an unguarded router or cannot be
/// parsed. Two are equal if their text is.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub(super) text: String,
    pub(super) policy: Option<Policy>,
}

impl PartialEq for Stated {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Stated {}

impl Stated {
    fn of(policy: Policy) -> Self {
        Self {
            text: policy.to_string(),
            policy: Some(policy),
        }
    }
}

impl Entry {
    pub(super) fn of(row: &AccessRow) -> Self {
        let (access, handler, cases) = match row.access() {
            RouteAccess::Guarded {
                policy, location, ..
            } => {
                let handler = visible(location.handler());
                let policy = spelled_out(policy);
                let cases = cases_of(&policy);
                (Stated::of(policy), Some(handler), cases)
            }
            unguarded => {
                let text = unguarded.to_string();
                (Stated { text, policy: None }, None, Vec::new())
            }
        };
        Self {
            method: row.method_shown().to_owned(),
            path: visible(row.path()),
            covers: row.covers().iter().map(|path| visible(path)).collect(),
            access,
            handler,
            endpoint_kind: row.endpoint_kind().unwrap_or(EndpointKind::Handler),
            cases,
        }
    }

    /// Adds the text of an indented line. Returns whether it is one.
    pub(super) fn add_case(&mut self, line: &str) -> bool {
        let starts = ["with setting = ", "without setting = "];
        let is_case = starts.iter().any(|start| line.starts_with(start)) && is_visible(line);
        if is_case {
            self.cases.push(line.to_owned());
        }
        is_case
    }

    /// Parses a line. `None` if it is not a line of a lock.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let (path, rest) = rest.trim_start().split_once(' ')?;
        let rest = rest.trim();
        let (covers, rest) = match rest.strip_prefix(COVERS) {
            Some(rest) => {
                let (paths, rest) = rest.split_once("  ")?;
                (paths.split(' ').map(str::to_owned).collect(), rest.trim())
            }
            None => (Vec::new(), rest),
        };
        let (access, handler) = if rest.starts_with("unguarded(") {
            (rest, None)
        } else {
            // A handler has no spaces. A reason may have two in a row.
            let (access, handler) = rest.rsplit_once("  ")?;
            (access.trim_end(), Some(handler.to_owned()))
        };
        let (handler, endpoint_kind) = match handler {
            Some(handler) => {
                let (name, endpoint_kind) = kind_of(&handler);
                (Some(name.to_owned()), endpoint_kind)
            }
            None => (None, EndpointKind::Handler),
        };
        let starts = ["requires(", "public(", "unguarded("];
        let is_access =
            starts.iter().any(|start| access.starts_with(start)) && access.ends_with(')');
        let are_paths = covers.iter().all(|path: &String| path.starts_with('/'));
        let is_line = are_paths
            && !method.is_empty()
            && path.starts_with('/')
            && is_access
            && is_visible(line);
        is_line.then(|| Self {
            method: method.to_owned(),
            path: path.to_owned(),
            covers,
            access: Stated {
                text: access.to_owned(),
                policy: read(access),
            },
            handler,
            endpoint_kind,
            cases: Vec::new(),
        })
    }

    pub(super) fn write_covers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.covers.is_empty() {
            Ok(())
        } else {
            write!(f, "{COVERS}{}  ", self.covers.join(" "))
        }
    }

    pub(super) fn write_handler(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(handler) = &self.handler else {
            return Ok(());
        };
        write!(f, "  {handler}")?;
        match self.endpoint_kind {
            EndpointKind::Handler => Ok(()),
            kind => write!(f, " ({})", kind.name()),
        }
    }

    pub(super) fn is_unguarded(&self) -> bool {
        self.handler.is_none()
    }

    /// Returns the module or crate that the path of a function in the policy starts from. `None` if
    /// the path starts with `::`.
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

    /// Returns whether all callers are allowed, without authentication.
    pub(super) fn is_open(&self) -> bool {
        self.is_unguarded() || self.access.text.starts_with("public(")
    }
}

const COVERS: &str = "covers ";

/// Returns the equivalent policies for both values of each setting.
fn cases_of(policy: &Policy) -> Vec<String> {
    let settings = policy.settings().into_iter();
    let both = settings.flat_map(|name| [(name, "with", true), (name, "without", false)]);
    let cases = both.map(|(name, word, value)| {
        let case = policy.with_setting(name, value);
        let allowed = match case.requirement() {
            Some(all) if *all == Requirement::always() => "everybody".to_owned(),
            Some(none) if *none == Requirement::never() => "nobody".to_owned(),
            _ => case.to_string(),
        };
        format!("{word} setting = {name:?}: {allowed}")
    });
    cases.collect()
}

/// Returns the handler in a line, and its kind.
fn kind_of(written: &str) -> (&str, EndpointKind) {
    [EndpointKind::Service, EndpointKind::Router]
        .into_iter()
        .find_map(|kind| {
            let name = written.strip_suffix(&format!(" ({})", kind.name()))?;
            Some((name, kind))
        })
        .unwrap_or((written, EndpointKind::Handler))
}

/// Returns whether a terminal displays the line as it is written. Written lines have no other
/// characters: control characters in a lock could forge a report.
fn is_visible(line: &str) -> bool {
    let quoted = |text: String, letter| text.replace(letter, &format!("\\{letter}"));
    let as_written = ['\\', '"', '\''].into_iter().fold(line.to_owned(), quoted);
    line.escape_debug().to_string() == as_written
}

impl fmt::Display for Entry {
    /// Columns have no common width, so that an added route changes no other line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {}  ", self.method, self.path)?;
        self.write_covers(f)?;
        f.write_str(&self.access.text)?;
        self.write_handler(f)
    }
}
