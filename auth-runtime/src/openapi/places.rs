//! Which row of the table is about an operation of the document.

use super::template::Template;
use crate::access_table::{AccessRow, AccessTable, Mounted};

/// The rows of a table, to be found by operations.
pub(super) struct Places<'t>(Vec<Place<'t>>);

struct Place<'t> {
    row: &'t AccessRow,
    reach: Reach,
}

/// Which paths a row is about, by their shapes.
enum Reach {
    /// This one.
    Path(String),
    /// Those that go on behind this prefix.
    Behind(String),
    /// The same, and the prefix itself.
    Below(String),
}

impl<'t> Places<'t> {
    pub(super) fn of(table: &'t AccessTable) -> Self {
        // A fallback is about what is no route.
        let rows = table
            .rows()
            .iter()
            .filter(|row| row.mounted() != Mounted::Fallback);
        Self(rows.map(Place::of).collect())
    }

    /// The row that decides who may call `method` of `path`, a path of a document.
    ///
    /// As axum does it: of several routes the most specific one, of its methods the one that is named
    /// before the one that takes all, and `GET` answers `HEAD`. What is left may be an unguarded
    /// router's.
    pub(super) fn find(&self, path: &str, method: &str) -> Option<&'t AccessRow> {
        let rows = self.most_specific(path, |mounted| mounted != Mounted::Unguarded);
        let named = |method: &str| {
            let mut rows = rows.iter().copied();
            rows.find(|row| row.method().is_some_and(|own| own.as_str() == method))
        };
        let all = || rows.iter().copied().find(|row| row.method().is_none());
        let unguarded = || {
            let rows = self.most_specific(path, |mounted| mounted == Mounted::Unguarded);
            rows.first().copied()
        };
        named(method)
            .or_else(|| named("GET").filter(|_| method == "HEAD"))
            .or_else(all)
            .or_else(unguarded)
    }

    /// The methods that `path` has, as they are shown.
    pub(super) fn methods(&self, path: &str) -> Vec<String> {
        let rows = self.most_specific(path, |mounted| mounted != Mounted::Unguarded);
        rows.iter()
            .map(|row| row.method_shown().to_owned())
            .collect()
    }

    fn most_specific(&self, path: &str, is_meant: impl Fn(Mounted) -> bool) -> Vec<&'t AccessRow> {
        let shape = Template::of_document(path).shape();
        let meant = self.0.iter().filter(|place| is_meant(place.row.mounted()));
        let covering: Vec<_> = meant
            .filter_map(|place| Some((place.reach.covers(&shape)?, place.row)))
            .collect();
        let best = covering.iter().map(|(depth, _)| *depth).max();
        let rows = covering
            .into_iter()
            .filter(|(depth, _)| Some(*depth) == best);
        rows.map(|(_, row)| row).collect()
    }
}

impl<'t> Place<'t> {
    fn of(row: &'t AccessRow) -> Self {
        let reach = match row.mounted() {
            Mounted::Route => {
                let template = Template::of_route(row.path());
                match template.shape_before_rest() {
                    Some(prefix) => Reach::Behind(prefix),
                    None => Reach::Path(template.shape()),
                }
            }
            Mounted::Subtree | Mounted::Fallback | Mounted::Unguarded => {
                let prefix = row.path().strip_suffix('*').unwrap_or(row.path());
                Reach::Below(Template::of_route(prefix).shape())
            }
        };
        Self { row, reach }
    }
}

impl Reach {
    /// How well the row fits a path of this shape, if it does.
    fn covers(&self, shape: &str) -> Option<usize> {
        match self {
            Self::Path(own) => (own == shape).then_some(usize::MAX),
            Self::Behind(prefix) => {
                let goes_on = shape.len() > prefix.len();
                (goes_on && shape.starts_with(prefix)).then_some(prefix.len())
            }
            Self::Below(prefix) => {
                let is_it = prefix.strip_suffix('/') == Some(shape);
                (is_it || shape.starts_with(prefix)).then_some(prefix.len())
            }
        }
    }
}
