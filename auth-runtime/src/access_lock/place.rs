//! What is compared with each other.

use super::entry::Entry;

/// Where something is mounted. What was unguarded is no version of what has a policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'e> {
    pub(super) pattern: Pattern<'e>,
    pub(super) method: &'e str,
    pub(super) is_unguarded: bool,
}

/// The requests that a path matches, whatever its parameters are called. What is matched first, of two
/// that match the same request, is the lesser of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern<'e>(Vec<Segment<'e>>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'e> {
    Literal(&'e str),
    /// `{name}`
    One,
    /// `{*name}`, which stands for one at least.
    Rest,
    /// `*`, as a lock says that everything below is meant, and the prefix itself.
    Below,
}

impl<'e> Place<'e> {
    pub(super) fn of(entry: &'e Entry) -> Self {
        Self {
            pattern: Pattern::of(&entry.path),
            method: &entry.method,
            is_unguarded: entry.is_unguarded(),
        }
    }
}

impl<'e> Pattern<'e> {
    fn of(path: &'e str) -> Self {
        let segments = path.strip_prefix('/').unwrap_or(path).split('/');
        Self(segments.map(Segment::of).collect())
    }

    /// Whether both match some request.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.0, &other.0)
    }

    /// Whether it matches all that the other one does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        covers(&self.0, &other.0)
    }
}

impl<'e> Segment<'e> {
    fn of(text: &'e str) -> Self {
        // Two braces stand for one that is meant.
        let name = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        match name.filter(|name| !name.contains(['{', '}'])) {
            _ if text == "*" => Self::Below,
            Some(name) if name.starts_with('*') => Self::Rest,
            Some(_) => Self::One,
            None => Self::Literal(text),
        }
    }

    /// Whether a parameter can stand for it.
    fn is_filled(self) -> bool {
        !matches!(self, Self::Literal("") | Self::Below)
    }
}

fn overlap(one: &[Segment<'_>], other: &[Segment<'_>]) -> bool {
    use Segment::{Below, Literal, One, Rest};
    match (one, other) {
        ([], []) | ([Below], _) | (_, [Below]) => true,
        ([Rest], [first, ..]) | ([first, ..], [Rest]) => first.is_filled(),
        ([Literal(one), ones @ ..], [Literal(other), others @ ..]) => {
            one == other && overlap(ones, others)
        }
        ([One, ones @ ..], [first, others @ ..]) | ([first, ones @ ..], [One, others @ ..]) => {
            first.is_filled() && overlap(ones, others)
        }
        _ => false,
    }
}

fn covers(wider: &[Segment<'_>], path: &[Segment<'_>]) -> bool {
    use Segment::{Below, Literal, One, Rest};
    match (wider, path) {
        ([], []) | ([Below], _) => true,
        ([Rest], [first, ..]) => first.is_filled(),
        ([One, wider @ ..], [first @ (Literal(_) | One), path @ ..]) => {
            first.is_filled() && covers(wider, path)
        }
        ([Literal(one), wider @ ..], [Literal(other), path @ ..]) => {
            one == other && covers(wider, path)
        }
        _ => false,
    }
}
