//! The requests that the paths of routes match, as in axum: without decoding.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use http::Method;

/// The requests that a path matches, independently of the names of its parameters. If two patterns
/// match the same request, axum uses the lesser one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(Vec<Segment>);

/// The part of a pattern between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `prefix{name}`: the prefix and, in the last segment of a path, at least one character behind it.
    One(String),
    /// `prefix{*name}`: the prefix, at least one character behind it, and all segments that follow.
    Rest(String),
    /// `*`, the syntax of the access table for a path and all paths below it.
    Below,
}

impl Segment {
    fn of(text: &str) -> Self {
        if text == "*" {
            return Self::Below;
        }
        let mut literal = String::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            // Two braces are a literal one.
            let meant = ["{{", "}}"].into_iter().find(|two| rest.starts_with(two));
            let length = if let Some(two) = meant {
                literal.push(letter);
                two.len()
            } else if let Some((escaped, length)) = escaped(rest) {
                literal.push(escaped);
                length
            } else if letter == '{' {
                return match rest.starts_with("{*") {
                    true => Self::Rest(literal),
                    false => Self::One(literal),
                };
            } else {
                literal.push(letter);
                letter.len_utf8()
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        Self::Literal(literal)
    }

    /// The rank of a segment in axum's order: a literal precedes a parameter, and of two parameters
    /// the one with the longer prefix comes first.
    fn rank(&self) -> (Reverse<usize>, u8, &str) {
        match self {
            Self::Literal(text) => (Reverse(usize::MAX), 0, text),
            Self::One(prefix) => (Reverse(prefix.len()), 1, prefix),
            Self::Rest(prefix) => (Reverse(prefix.len()), 2, prefix),
            Self::Below => (Reverse(0), 3, ""),
        }
    }
}

/// Parses `\u{…}`, the form of some characters in the access table. Returns the character and the
/// length of the form.
fn escaped(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("\\u{")?;
    let (digits, _) = digits.split_once('}')?;
    let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((letter, digits.len() + "\\u{}".len()))
}

impl Ord for Segment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Segment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Returns the first name that two parameters of a path have.
pub fn repeated_parameter(path: &str) -> Option<&str> {
    let mut names = Vec::new();
    path.split('/').filter_map(parameter_in).find(|name| {
        let is_repeated = names.contains(name);
        names.push(name);
        is_repeated
    })
}

/// Returns whether a path has a parameter of this name.
pub fn has_parameter(path: &str, name: &str) -> bool {
    path.split('/')
        .filter_map(parameter_in)
        .any(|own| own == name)
}

/// Returns the name of the parameter in a segment.
fn parameter_in(segment: &str) -> Option<&str> {
    let (_, behind) = segment.split_once('{')?;
    // Two braces are a literal one.
    if let Some(behind) = behind.strip_prefix('{') {
        return parameter_in(behind);
    }
    let (name, _) = behind.split_once('}')?;
    Some(name.strip_prefix('*').unwrap_or(name))
}

impl Pattern {
    /// Parses a path in axum's syntax, or in that of the access table: with `/*` at its end if it
    /// includes all paths below.
    pub fn of(path: &str) -> Self {
        let segments = path.strip_prefix('/').unwrap_or(path).split('/');
        Self(segments.map(Segment::of).collect())
    }

    /// Returns whether it matches the path of a request, without decoding it.
    pub fn matches(&self, path: &str) -> bool {
        let mut rest = path.strip_prefix('/');
        for segment in &self.0 {
            let Some(text) = rest else {
                return *segment == Segment::Below;
            };
            let (first, behind) = match text.split_once('/') {
                Some((first, behind)) => (first, Some(behind)),
                None => (text, None),
            };
            let goes_on = |text: &str, prefix: &str| {
                let parameter = text.strip_prefix(prefix);
                parameter.is_some_and(|parameter| !parameter.is_empty())
            };
            let is_met = match segment {
                Segment::Below => return true,
                Segment::Rest(prefix) => return goes_on(text, prefix),
                Segment::One(prefix) if behind.is_some() => first.starts_with(prefix),
                Segment::One(prefix) => goes_on(first, prefix),
                Segment::Literal(literal) => first == literal,
            };
            if !is_met {
                return false;
            }
            rest = behind;
        }
        rest.is_none()
    }

    /// Returns whether some request matches both.
    pub fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.0, &other.0)
    }

    /// Returns whether it matches every request that the other one matches.
    pub fn covers(&self, other: &Self) -> bool {
        covers(&self.0, &other.0)
    }

    /// Returns whether it is a path with all paths below it, in the syntax of the access table.
    pub fn is_subtree(&self) -> bool {
        self.0.last() == Some(&Segment::Below)
    }

    /// Returns the pattern without the first segments.
    pub fn without_first(mut self, segments: usize) -> Self {
        self.0.drain(..segments.min(self.0.len()));
        self
    }

    /// Returns whether it ends in a wildcard, or includes all paths below a path.
    pub fn hands_on_paths(&self) -> bool {
        let last = self.0.last();
        matches!(last, Some(Segment::Rest(_) | Segment::Below))
    }
}

fn overlap(one: &[Segment], other: &[Segment]) -> bool {
    use Segment::{Below, Literal, One, Rest};
    match (one, other) {
        ([], []) | ([Below], _) | (_, [Below]) => true,
        ([Rest(prefix)], [first, others @ ..]) | ([first, others @ ..], [Rest(prefix)]) => {
            shares(prefix, first, !others.is_empty())
        }
        ([Literal(one), ones @ ..], [Literal(other), others @ ..]) => {
            one == other && overlap(ones, others)
        }
        ([One(prefix), ones @ ..], [first, others @ ..])
        | ([first, ones @ ..], [One(prefix), others @ ..]) => {
            shares(prefix, first, go_on(ones, others)) && overlap(ones, others)
        }
        _ => false,
    }
}

/// Returns whether both patterns go on behind a segment, so that a parameter in it may be empty.
fn go_on(one: &[Segment], other: &[Segment]) -> bool {
    !one.is_empty() && !other.is_empty()
}

/// Returns whether a segment can be this prefix and a parameter.
fn shares(prefix: &str, segment: &Segment, may_be_empty: bool) -> bool {
    match segment {
        Segment::Literal(text) => {
            text.starts_with(prefix) && (may_be_empty || text.len() > prefix.len())
        }
        Segment::One(other) | Segment::Rest(other) => {
            other.starts_with(prefix) || prefix.starts_with(other.as_str())
        }
        Segment::Below => true,
    }
}

fn covers(wider: &[Segment], path: &[Segment]) -> bool {
    use Segment::{Below, Literal, One, Rest};
    // The whole segment is this prefix and a parameter.
    let takes = |prefix: &str, first: &Segment, others: &[Segment]| match first {
        // All paths of a subtree but the first one go on.
        Literal(text) if others.first().is_some_and(|next| *next != Below) => {
            text.starts_with(prefix)
        }
        Literal(text) => text.len() > prefix.len() && text.starts_with(prefix),
        One(other) | Rest(other) => other.starts_with(prefix),
        Below => false,
    };
    match (wider, path) {
        ([], []) | ([Below], _) => true,
        ([Rest(prefix)], [first, others @ ..]) => takes(prefix, first, others),
        ([One(prefix), wider @ ..], [first @ (Literal(_) | One(_)), path @ ..]) => {
            takes(prefix, first, path) && covers(wider, path)
        }
        ([Literal(one), wider @ ..], [Literal(other), path @ ..]) => {
            one == other && covers(wider, path)
        }
        _ => false,
    }
}

/// A mounted route, reduced to the parts that decide which requests reach it.
pub struct Routed<'a> {
    /// The path, parsed by [`Pattern::of`].
    pub path: Cow<'a, str>,
    /// The method. `None` for all methods that no other route of the path has.
    pub method: Option<&'a str>,
    /// The way in which requests reach the route.
    pub kind: Kind,
    /// True if it is a service.
    pub is_service: bool,
}

/// The way in which requests reach a mounted route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By the path.
    Route,
    /// By the path, if the plain router has a route for it. Its routes are unknown.
    Unguarded,
    /// By the prefix, if no route below it matches.
    Fallback,
}

/// The callers of an open pattern, compared with those of the guarded path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// All callers, and the guarded path does not.
    Everybody,
    /// All that the guarded path allows, and more.
    More,
    /// Some that the guarded path denies, but not all that it allows.
    Others,
    /// None that the guarded path denies.
    Within,
}

/// A route that responds to percent-encoded spellings of a guarded path: the indices of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cover {
    /// The open pattern.
    pub pattern: usize,
    /// The guarded path.
    pub guarded: usize,
}

/// Finds the open patterns that cover guarded paths.
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
pub fn find_covers(routes: &[Routed<'_>], callers: impl Fn(usize, usize) -> Callers) -> Vec<Cover> {
    let patterns: Vec<_> = routes
        .iter()
        .map(|route| Pattern::of(&route.path))
        .collect();
    let methods = methods(routes, &patterns);
    let all = || routes.iter().zip(&patterns).zip(&methods).enumerate();
    let mut covers = Vec::new();
    for (open, ((route, pattern), taken)) in all() {
        let is_fallback = route.kind == Kind::Fallback;
        if is_fallback && !route.is_service {
            continue;
        }
        for (guarded, ((other, path), others)) in all() {
            let hands_out_files = other.is_service || path.hands_on_paths();
            let is_candidate = other.kind == Kind::Route
                && taken & others != 0
                && (is_fallback && hands_out_files || !is_fallback && path < pattern);
            let Some(region) = is_candidate.then(|| region(&pattern.0, &path.0)).flatten() else {
                continue;
            };
            let is_reported = match callers(open, guarded) {
                Callers::Everybody | Callers::More => region.is_spelled,
                Callers::Others => region.is_spelled_below,
                Callers::Within => false,
            };
            // Another route may take all of these requests, or all requests that they are spellings
            // of.
            let is_shadowed = || {
                all().any(|(_, ((route, other), _))| {
                    let is_before = match route.kind {
                        Kind::Route => is_fallback || other < pattern,
                        Kind::Fallback => is_fallback && other < pattern,
                        Kind::Unguarded => false,
                    };
                    let is_before_guarded = route.kind == Kind::Route && other < path;
                    is_before && self::covers(&other.0, &region.segments)
                        || is_before_guarded && self::covers(&other.0, &region.decoded)
                })
            };
            if is_reported && !is_shadowed() {
                let pattern = open;
                covers.push(Cover { pattern, guarded });
            }
        }
    }
    covers
}

/// Returns the methods that reach each route, one bit for each.
fn methods(routes: &[Routed<'_>], patterns: &[Pattern]) -> Vec<u16> {
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
        if let (Kind::Route, Some(method)) = (route.kind, route.method) {
            *named.entry(pattern).or_default() |= bit(method);
        }
    }
    let taken = |(route, pattern): (&Routed<'_>, &Pattern)| {
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
            None if route.kind == Kind::Route => !(named | by_get),
            None => u16::MAX,
        }
    };
    routes.iter().zip(patterns).map(taken).collect()
}

/// The requests that a pattern takes from another one if literals of that one are encoded.
struct Region {
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
                region.segments.push(match first {
                    Below | Rest(_) => Rest(longer(prefix, first)),
                    _ => One(prefix.clone()),
                });
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
                if !matches!(first, Literal(_) | One(_))
                    || !shares(prefix, first, !others.is_empty())
                {
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
                let is_spelled = spells(prefix, other);
                region.segments.push(match is_spelled {
                    true => One(prefix.clone()),
                    false => One(longer(prefix, other)),
                });
                region.decoded.push(both(prefix, other));
                region.is_spelled |= is_spelled;
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
    match segment {
        Segment::One(_) => Segment::One(longer(prefix, segment)),
        Segment::Rest(_) => Segment::Rest(longer(prefix, segment)),
        other => other.clone(),
    }
}

fn longer(prefix: &str, segment: &Segment) -> String {
    match segment {
        Segment::One(other) | Segment::Rest(other) if other.len() > prefix.len() => other.clone(),
        _ => prefix.to_owned(),
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
