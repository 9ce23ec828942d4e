//! The syntax of the paths of routes in axum, and the requests that they match: without decoding.

use std::cmp::{Ordering, Reverse};

/// A piece of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'p> {
    /// Text. That of two braces, which mean a literal one, is one brace.
    Literal(&'p str),
    /// A parameter.
    Parameter(Parameter<'p>),
}

/// A parameter of a path: `{name}`, or `{*name}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'p> {
    /// Its name.
    pub name: &'p str,
    /// True for a wildcard, which takes all segments that follow.
    pub takes_all: bool,
}

/// Returns the pieces of a path in axum's syntax, in their order. A brace without its counterpart is text.
pub fn pieces(path: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find(['{', '}']) {
        let (literal, from) = rest.split_at(at);
        let is_doubled = from.starts_with("{{") || from.starts_with("}}");
        let named = from.strip_prefix('{').and_then(|it| it.split_once('}'));
        let (piece, after) = match named.filter(|_| !is_doubled) {
            Some((name, after)) => {
                let wildcard = name.strip_prefix('*');
                let parameter = Parameter {
                    name: wildcard.unwrap_or(name),
                    takes_all: wildcard.is_some(),
                };
                (Piece::Parameter(parameter), after)
            }
            None => {
                let (brace, after) = from.split_at(1);
                let skipped = usize::from(is_doubled);
                (
                    Piece::Literal(brace),
                    after.get(skipped..).unwrap_or_default(),
                )
            }
        };
        pieces.extend([Piece::Literal(literal), piece]);
        rest = after;
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

/// Returns the parameters of a path in axum's syntax, in their order.
pub fn parameters(path: &str) -> impl Iterator<Item = Parameter<'_>> {
    pieces(path).into_iter().filter_map(|piece| match piece {
        Piece::Parameter(parameter) => Some(parameter),
        Piece::Literal(_) => None,
    })
}

/// The requests that a path matches, independently of the names of its parameters. If two patterns
/// match the same request, axum uses the lesser one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(pub(crate) Vec<Segment>);

/// The part of a pattern between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    /// `prefix{name}`: the prefix and, in the last segment of a path, at least one character after it.
    One(String),
    /// `prefix{*name}`: the prefix, at least one character after it, and all segments that follow.
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
                return if rest.starts_with("{*") {
                    Self::Rest(literal)
                } else {
                    Self::One(literal)
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
    parameters(path).map(|it| it.name).find(|name| {
        let is_repeated = names.contains(name);
        names.push(name);
        is_repeated
    })
}

/// Returns whether a path has a parameter of this name.
pub fn has_parameter(path: &str, name: &str) -> bool {
    parameters(path).any(|own| own.name == name)
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
            let (first, after) = match text.split_once('/') {
                Some((first, after)) => (first, Some(after)),
                None => (text, None),
            };
            let goes_on = |text: &str, prefix: &str| {
                let parameter = text.strip_prefix(prefix);
                parameter.is_some_and(|parameter| !parameter.is_empty())
            };
            let is_met = match segment {
                Segment::Below => return true,
                Segment::Rest(prefix) => return goes_on(text, prefix),
                Segment::One(prefix) if after.is_some() => first.starts_with(prefix),
                Segment::One(prefix) => goes_on(first, prefix),
                Segment::Literal(literal) => first == literal,
            };
            if !is_met {
                return false;
            }
            rest = after;
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
pub(crate) fn go_on(one: &[Segment], other: &[Segment]) -> bool {
    !one.is_empty() && !other.is_empty()
}

/// Returns whether a segment can be this prefix and a parameter.
pub(crate) fn shares(prefix: &str, segment: &Segment, may_be_empty: bool) -> bool {
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

/// Returns whether `wider` matches every request that `path` matches.
pub(crate) fn covers(wider: &[Segment], path: &[Segment]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_read_as_by_axum() {
        let shown = |path| {
            let pieces = pieces(path).into_iter().map(|piece| match piece {
                Piece::Literal(text) => text.to_owned(),
                Piece::Parameter(Parameter { name, takes_all }) => format!("<{name}:{takes_all}>"),
            });
            pieces.collect::<String>()
        };
        for (path, expected) in [
            ("/", "/"),
            ("/a/{id}", "/a/<id:false>"),
            ("/{a}/b/{*rest}", "/<a:false>/b/<rest:true>"),
            ("/{{a}}/{b}", "/{a}/<b:false>"),
            ("/{{{a}", "/{<a:false>"),
            ("/é{x}", "/é<x:false>"),
            // axum refuses these.
            ("/{", "/{"),
            ("/}{x}", "/}<x:false>"),
        ] {
            assert_eq!(shown(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_match_as_routed_by_axum() {
        for (path, matching, others) in [
            ("/a", &["/a"][..], &["/", "/a/", "/b", "/%61"][..]),
            ("/{x}", &["/a", "/-"], &["/", "/a/b"]),
            ("/a-{x}", &["/a-b"], &["/a-", "/a", "/b-b"]),
            // Within a path, a parameter may be empty.
            ("/a-{x}/b", &["/a-b/b", "/a-/b"], &["/a/b", "/a-b", "/a-b/"]),
            ("/a-{*x}", &["/a-b", "/a-b/c", "/a-/c"], &["/a-", "/a/c"]),
            ("/a/*", &["/a", "/a/", "/a/b/c"], &["/", "/b"]),
            ("/{{a}}", &["/{a}"], &["/a"]),
            // The form of the access table for characters that are not printed.
            (r"/a\u{7f}b{x}", &["/a\u{7f}bc"], &["/a\u{7f}b", "/abc"]),
        ] {
            let pattern = Pattern::of(path);
            for target in matching {
                assert!(pattern.matches(target), "{path} {target:?}");
            }
            for target in others {
                assert!(!pattern.matches(target), "{path} {target:?}");
            }
        }
    }
}
