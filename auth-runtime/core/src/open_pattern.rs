//! Open patterns that respond to percent-encoded spellings of guarded paths.

use std::borrow::Cow;
use std::collections::BTreeMap;

use auth_runtime_policy::compare::Change;
use http::Method;

use crate::route_kind::RouteKind;
use crate::route_pattern::{Pattern, Segment, covers, go_on, shares};

/// A mounted route, reduced to the parts that decide which requests reach it.
pub struct MountedRoute<'a> {
    /// The path, parsed by [`Pattern::of`].
    pub path: Cow<'a, str>,
    /// The method. `None` for all methods that no other route of the path has.
    pub method: Option<&'a str>,
    /// The kind of the route.
    pub kind: RouteKind,
    /// True if it is a service.
    pub is_service: bool,
}

impl MountedRoute<'_> {
    /// Returns whether all requests for its path reach the route.
    fn has_path(&self) -> bool {
        matches!(self.kind, RouteKind::Route | RouteKind::Subtree)
    }
}

/// A route that responds to percent-encoded spellings of a guarded path: the indices of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cover {
    /// The open pattern.
    pub pattern: usize,
    /// The guarded path.
    pub guarded: usize,
}

/// Finds the open patterns that cover guarded paths. `change` returns the difference of the callers from
/// the guarded route to the open one, by their indices: `(open, guarded)`.
///
/// axum matches a path as it was sent and decodes parameters only: `/x/%73ecret` is not `/x/secret`
/// but may match `/x/{*path}`, and its handler then receives `secret`. A pattern covers a guarded
/// path if such a request is routed to it by one of its methods. The segments of the request are
/// equivalent to those of the guarded path (RFC 3986 §6.2.2.2). `%2F` is not equivalent to `/`.
///
/// Patterns are reported if they allow all callers or, of comparable policies, more callers.
/// Patterns that allow some other callers are reported only if a wildcard, a subtree or an
/// unguarded router takes the segment and passes the path on. A single parameter names an object of
/// its own kind, as in `/repos/{repo}` beside `/repos/search`, and the policies of such neighbours
/// are unrelated.
///
/// A fallback responds to such spellings of all paths. It is reported only if it is a service, and
/// the guarded path is a service or has a wildcard: both may serve the same files.
pub fn find_covers(
    routes: &[MountedRoute<'_>],
    change: impl Fn(usize, usize) -> Change,
) -> Vec<Cover> {
    let patterns: Vec<_> = routes
        .iter()
        .map(|route| Pattern::of(&route.path))
        .collect();
    let methods = methods(routes, &patterns);
    let all = || routes.iter().zip(&patterns).zip(&methods).enumerate();
    let mut found = Vec::new();
    for (open, ((route, pattern), taken)) in all() {
        let is_fallback = route.kind.is_fallback();
        // Without a parameter, nothing in a path can be encoded.
        let is_fixed = pattern
            .0
            .iter()
            .all(|segment| matches!(segment, Segment::Literal(_)));
        if is_fixed || is_fallback && !route.is_service {
            continue;
        }
        for (guarded, ((other, path), others)) in all() {
            let hands_out_files = other.is_service || path.hands_on_paths();
            let is_candidate = other.has_path()
                && taken & others != 0
                && (is_fallback && hands_out_files || !is_fallback && path < pattern);
            let Some(region) = is_candidate.then(|| region(&pattern.0, &path.0)).flatten() else {
                continue;
            };
            let is_reported = match change(open, guarded) {
                Change::Loosened => region.is_spelled,
                Change::Changed => region.is_spelled_below,
                Change::Same | Change::Tightened => false,
            };
            // Another route may take all of these requests, or all requests that they are spellings
            // of. The former only those of a fallback, since axum refuses a parameter beside a wildcard.
            let is_shadowed = || {
                all().any(|(_, ((route, other), _))| {
                    let is_before = is_fallback
                        && (route.has_path() || route.kind.is_fallback() && other < pattern);
                    let is_before_guarded = route.has_path() && other < path;
                    is_before && covers(&other.0, &region.segments)
                        || is_before_guarded && covers(&other.0, &region.decoded)
                })
            };
            if is_reported && !is_shadowed() {
                let pattern = open;
                found.push(Cover { pattern, guarded });
            }
        }
    }
    found
}

/// Returns the methods that reach each route, one bit for each.
fn methods(routes: &[MountedRoute<'_>], patterns: &[Pattern]) -> Vec<u16> {
    const NAMES: [Method; 9] = [
        Method::CONNECT,
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
        Method::TRACE,
    ];
    // All methods without a name in this list share the next bit.
    let bit = |method: &str| {
        let index = NAMES.iter().position(|name| name == method);
        1_u16 << index.unwrap_or(NAMES.len())
    };
    let mut named: BTreeMap<&Pattern, u16> = BTreeMap::new();
    for (route, pattern) in routes.iter().zip(patterns) {
        if let Some(method) = route.method.filter(|_| route.has_path()) {
            *named.entry(pattern).or_default() |= bit(method);
        }
    }
    let taken = |(route, pattern): (&MountedRoute<'_>, &Pattern)| {
        let named = named.get(pattern).copied().unwrap_or_default();
        // In axum, `GET` also responds to `HEAD`.
        let by_get = if named & bit("GET") != 0 {
            bit("HEAD")
        } else {
            0
        };
        match route.method {
            Some("GET") => bit("GET") | (by_get & !named),
            Some(method) => bit(method),
            None => !(named | by_get),
        }
    };
    routes.iter().zip(patterns).map(taken).collect()
}

/// The requests that a pattern takes from another one if literals of that one are encoded.
struct Region {
    /// Complete for a fallback only, which has no wildcard: those of others are not compared.
    segments: Vec<Segment>,
    /// The same requests, decoded: as the other pattern would match them.
    decoded: Vec<Segment>,
    /// True if something has to be encoded, so that the other pattern does not match.
    is_spelled: bool,
    /// The same for a part that a wildcard or a subtree takes.
    is_spelled_below: bool,
}

/// Returns the requests of `path` that `pattern` matches if as much as possible is encoded. `None`
/// if there is none.
fn region(pattern: &[Segment], path: &[Segment]) -> Option<Region> {
    use Segment::{Below, Literal, One, Rest};
    let mut region = Region {
        segments: Vec::new(),
        decoded: Vec::new(),
        is_spelled: false,
        is_spelled_below: false,
    };
    let (mut pattern, mut path) = (pattern, path);
    loop {
        match (pattern, path) {
            ([], []) => return Some(region),
            ([Below], _) => {
                region.spell_rest(path);
                return Some(region);
            }
            ([Rest(prefix)], [first, others @ ..]) => {
                if !shares(prefix, first, !others.is_empty()) {
                    return None;
                }
                let is_spelled = spells(prefix, first);
                region.decoded.push(both(prefix, first));
                region.is_spelled |= is_spelled;
                region.is_spelled_below |= is_spelled;
                region.spell_rest(others);
                return Some(region);
            }
            (others, [Below]) => {
                region.segments.extend_from_slice(others);
                region.decoded.extend_from_slice(others);
                return Some(region);
            }
            ([first, others @ ..], [Rest(prefix)]) => {
                if !shares(prefix, first, !others.is_empty()) {
                    return None;
                }
                if let One(own) = first {
                    region.is_spelled |= prefix.len() > own.len();
                }
                region.segments.extend_from_slice(pattern);
                region.decoded.push(both(prefix, first));
                region.decoded.extend_from_slice(others);
                return Some(region);
            }
            ([Literal(one), ones @ ..], [other, others @ ..]) => {
                let is_met = match other {
                    Literal(other) => one == other,
                    One(prefix) => shares(prefix, &Literal(one.clone()), go_on(ones, others)),
                    _ => false,
                };
                if !is_met {
                    return None;
                }
                region.segments.push(Literal(one.clone()));
                region.decoded.push(Literal(one.clone()));
                (pattern, path) = (ones, others);
            }
            ([One(prefix), ones @ ..], [other, others @ ..]) => {
                if !shares(prefix, other, go_on(ones, others)) {
                    return None;
                }
                region.segments.push(One(prefix.clone()));
                region.decoded.push(both(prefix, other));
                region.is_spelled |= spells(prefix, other);
                (pattern, path) = (ones, others);
            }
            _ => return None,
        }
    }
}

/// Returns whether a literal part of the segment follows the prefix of a parameter that takes it.
fn spells(prefix: &str, segment: &Segment) -> bool {
    match segment {
        Segment::Literal(text) | Segment::One(text) | Segment::Rest(text) => {
            text.len() > prefix.len()
        }
        Segment::Below => false,
    }
}

/// Returns the segments that match one of these, and this prefix with a parameter.
fn both(prefix: &str, segment: &Segment) -> Segment {
    let longer = |other: &str| {
        let is_longer = prefix.starts_with(other);
        if is_longer { prefix } else { other }.to_owned()
    };
    match segment {
        Segment::One(other) => Segment::One(longer(other)),
        Segment::Rest(other) => Segment::Rest(longer(other)),
        other => other.clone(),
    }
}

impl Region {
    /// Continues with segments that are all passed on, and may all be encoded.
    fn spell_rest(&mut self, path: &[Segment]) {
        self.decoded.extend_from_slice(path);
        for segment in path {
            let is_spelled = spells("", segment);
            self.is_spelled |= is_spelled;
            self.is_spelled_below |= is_spelled;
            self.segments.push(match segment {
                Segment::Literal(text) if text.is_empty() => segment.clone(),
                Segment::Literal(_) | Segment::One(_) => Segment::One(String::new()),
                Segment::Rest(_) => Segment::Rest(String::new()),
                Segment::Below => Segment::Below,
            });
        }
    }
}
