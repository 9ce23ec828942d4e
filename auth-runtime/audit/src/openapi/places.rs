//! The assignment of table rows to operations of a document.

use std::collections::BTreeMap;

use auth_runtime_core::{AccessRow, AccessTable, RouteKind};

use super::template::Template;

/// The rows of a table, by the operations that they apply to.
pub(super) struct Places<'t> {
    /// The routes without a wildcard, by their shapes.
    paths: BTreeMap<String, Vec<&'t AccessRow>>,
    /// The rows that apply to more than one path.
    areas: Vec<Area<'t>>,
}

struct Area<'t> {
    row: &'t AccessRow,
    reach: Reach,
}

/// The paths that a row applies to, by their shapes.
enum Reach {
    /// Paths of this shape.
    Path(String),
    /// Longer paths with this prefix.
    Prefix(String),
    /// Longer paths with this prefix, and the prefix itself.
    Below(String),
}

impl<'t> Places<'t> {
    pub(super) fn of(table: &'t AccessTable) -> Self {
        let mut places = Self {
            paths: BTreeMap::new(),
            areas: Vec::new(),
        };
        for row in table.rows() {
            let reach = match row.kind() {
                // They apply to unknown paths, and to methods without a handler.
                RouteKind::Fallback | RouteKind::MethodNotAllowed => continue,
                RouteKind::Route => {
                    let template = Template::of_route(row.path());
                    let Some(prefix) = template.shape_before_rest() else {
                        places.paths.entry(template.shape()).or_default().push(row);
                        continue;
                    };
                    Reach::Prefix(prefix)
                }
                _ => match row.path().strip_suffix("/*") {
                    Some(prefix) => {
                        let prefix = format!("{prefix}/");
                        Reach::Below(Template::of_route(&prefix).shape())
                    }
                    None => {
                        let template = Template::of_route(row.path());
                        let prefix = template.shape_before_rest();
                        prefix.map_or_else(|| Reach::Path(template.shape()), Reach::Prefix)
                    }
                },
            };
            places.areas.push(Area { row, reach });
        }
        places
    }

    /// Returns the row with the policy for `method` of `path`, a path of a document.
    ///
    /// The match is the same as in axum. The most specific route is used. Of its methods, a named
    /// one precedes the one for all methods, and `GET` also serves `HEAD`. An unguarded router may
    /// serve other requests, but not on a path with a hidden policy.
    pub(super) fn find(&self, path: &str, method: &str) -> Option<&'t AccessRow> {
        let path = Template::of_document(path);
        let rows = self.guarded(&path);
        let named = |method: &str| {
            let mut rows = rows.iter().copied();
            rows.find(|row| row.method().is_some_and(|own| own.as_str() == method))
        };
        let all = || rows.iter().copied().find(|row| row.method().is_none());
        let unguarded = || {
            let is_kept =
                rows.iter().any(|row| row.is_hidden()) || self.is_one_of_a_route(&path.shape());
            let rows = self.most_specific(&path, |mounted| mounted == RouteKind::Unguarded);
            rows.first().copied().filter(|_| !is_kept)
        };
        named(method)
            .or_else(|| named("GET").filter(|_| method == "HEAD"))
            .or_else(all)
            .or_else(unguarded)
    }

    /// Returns the methods of `path`, as displayed.
    pub(super) fn methods(&self, path: &str) -> Vec<String> {
        let rows = self.guarded(&Template::of_document(path));
        rows.iter()
            .map(|row| row.method_shown().to_owned())
            .collect()
    }

    fn guarded(&self, path: &Template) -> Vec<&'t AccessRow> {
        let is_guarded = |mounted| mounted != RouteKind::Unguarded;
        if path.shape_before_rest().is_some() {
            return self.most_specific(path, is_guarded);
        }
        let shape = path.shape();
        match self.paths.get(&shape) {
            Some(rows) => rows.clone(),
            None if self.is_one_of_a_route(&shape) => Vec::new(),
            None => self.most_specific(path, is_guarded),
        }
    }

    /// Returns the rows of the most specific area.
    fn most_specific(
        &self,
        path: &Template,
        matches: impl Fn(RouteKind) -> bool,
    ) -> Vec<&'t AccessRow> {
        let shape = path.shape();
        let meant = self.areas.iter().filter(|area| matches(area.row.kind()));
        let covering: Vec<_> = meant
            .filter_map(|area| Some((area.reach.covers(&shape)?, area.row)))
            .collect();
        let best = covering.iter().map(|(depth, _)| *depth).max();
        let rows = covering
            .into_iter()
            .filter(|(depth, _)| Some(*depth) == best);
        rows.map(|(_, row)| row).collect()
    }

    /// Returns whether `shape` is one of several paths of a route, which has a parameter where the
    /// shape has a literal. The policy applies to the whole route, so it is not written for one of
    /// its paths.
    fn is_one_of_a_route(&self, shape: &str) -> bool {
        let mut routes = self.paths.keys();
        let is_route =
            |route: &String| route != shape && route.split('/').count() == shape.split('/').count();
        routes.any(|route| is_route(route) && starts_as(route, shape))
            || self.areas.iter().any(|area| {
                if let Reach::Path(own) = &area.reach {
                    return is_route(own) && starts_as(own, shape);
                }
                let prefix = area.reach.prefix().trim_end_matches('/');
                let is_below = shape.split('/').count() > prefix.split('/').count();
                let is_covered = area.reach.covers(shape).is_some();
                is_below && !is_covered && starts_as(prefix, shape)
            })
    }
}

/// Returns whether a path of this shape starts with segments that `pattern` matches.
fn starts_as(pattern: &str, shape: &str) -> bool {
    let mut segments = shape.split('/');
    pattern.split('/').all(|own| {
        segments
            .next()
            .is_some_and(|other| own == "{}" || own == other)
    })
}

impl Reach {
    fn prefix(&self) -> &str {
        match self {
            Self::Path(prefix) | Self::Prefix(prefix) | Self::Below(prefix) => prefix,
        }
    }

    /// Returns how specific the row is for a path of this shape. `None` if it does not apply.
    fn covers(&self, shape: &str) -> Option<usize> {
        match self {
            Self::Path(own) => (own == shape).then_some(own.len()),
            Self::Prefix(prefix) => {
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
