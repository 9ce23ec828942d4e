//! The request target for a row.

use auth_runtime_core::route_pattern::{self, Parameter, Piece, pieces};
use auth_runtime_core::{AccessRow, RouteKind};
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All characters except the unreserved ones (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns the path of a row without the trailing `/*`.
fn stem(row: &AccessRow) -> &str {
    // A route of axum cannot end like this.
    row.path().strip_suffix("/*").unwrap_or(row.path())
}

/// Returns the names of the parameters in the path of a row.
pub(super) fn parameters(row: &AccessRow) -> Vec<&str> {
    parameters_of(row).map(|parameter| parameter.name).collect()
}

/// Returns the names of the parameters of a row's path that occur in a target for it.
pub(super) fn parameters_in<'r>(row: &'r AccessRow, target: &str) -> Vec<&'r str> {
    let present = parameters_of(row).filter(|parameter| target.contains(&written(*parameter)));
    present.map(|parameter| parameter.name).collect()
}

fn parameters_of(row: &AccessRow) -> impl Iterator<Item = Parameter<'_>> {
    route_pattern::parameters(stem(row))
}

/// Returns the parameter as it is written in a path.
fn written(parameter: Parameter<'_>) -> String {
    let star = if parameter.takes_all { "*" } else { "" };
    format!("{{{star}{}}}", parameter.name)
}

fn encode(parameter: Parameter<'_>, value: &str) -> String {
    let parts = if parameter.takes_all {
        value.split('/').collect()
    } else {
        vec![value]
    };
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| utf8_percent_encode(part, ESCAPED).to_string())
        .collect();
    parts.join("/")
}

/// Returns a path that a row matches, with these values for its parameters. Below the prefix of a
/// fallback, it is a path that is unlikely to match a route.
pub(super) fn fill<'v>(row: &AccessRow, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut path = String::new();
    for piece in pieces(stem(row)) {
        match piece {
            Piece::Literal(literal) => path.push_str(literal),
            Piece::Parameter(parameter) => {
                let value = value(parameter.name).unwrap_or_default();
                path.push_str(&encode(parameter, value));
            }
        }
    }
    if row.kind() == RouteKind::Fallback {
        path.push_str("/~unknown");
    }
    if path.is_empty() {
        path.push('/');
    }
    path
}

/// Returns a target for a row, with these values for the parameters of the row's path.
pub(super) fn fill_in<'v>(
    row: &AccessRow,
    target: &str,
    value: impl Fn(&str) -> Option<&'v str>,
) -> String {
    parameters_of(row).fold(target.to_owned(), |target, parameter| {
        let value = value(parameter.name).unwrap_or_default();
        target.replace(&written(parameter), &encode(parameter, value))
    })
}

/// Returns the parameters of a row's path, by their names, with their values in a path that the row matches.
pub(super) fn values_in(row: &AccessRow, path: &str) -> Vec<(String, String)> {
    let mut values = Vec::new();
    let mut rest = path;
    for piece in pieces(stem(row)) {
        match piece {
            Piece::Literal(literal) => match rest.strip_prefix(literal) {
                Some(after) => rest = after,
                None => return values,
            },
            Piece::Parameter(parameter) => {
                let end = rest.find('/').filter(|_| !parameter.takes_all);
                let (value, after) = rest.split_at(end.unwrap_or(rest.len()));
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                values.push((parameter.name.to_owned(), value));
                rest = after;
            }
        }
    }
    values
}

/// Parses a request target.
pub(super) fn read(target: &str) -> Option<Uri> {
    // Otherwise it would be an authority, a whole URL, or invalid.
    let is_path = target.starts_with('/');
    is_path.then(|| target.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_paths() {
        for (target, expected) in [
            ("/", true),
            ("/a?b=c", true),
            ("//a", true),
            ("", false),
            ("a", false),
            ("*", false),
            ("api.example:443", false),
            ("https://api.example/", false),
            ("/a b", false),
        ] {
            let read = read(target);
            assert_eq!(read.is_some(), expected, "{target}");
            assert!(read.is_none_or(|uri| uri == target), "{target}");
        }
    }
}
