//! Paths with parameters, as axum and as OpenAPI write them.

use auth_runtime_core::route_pattern::{Parameter, Piece, pieces};

/// A path with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// One segment.
    Parameter(String),
    /// All remaining segments.
    Rest(String),
}

impl Template {
    /// Parses a route of axum, where `{{` and `}}` mean literal braces.
    pub(super) fn of_route(path: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        for piece in pieces(path) {
            match piece {
                // Braces are percent-encoded in a URL.
                Piece::Literal(text) => {
                    literal.push_str(&text.replace('{', "%7B").replace('}', "%7D"));
                }
                Piece::Parameter(Parameter { name, takes_all }) => {
                    push_literal(&mut parts, &mut literal);
                    parts.push(part(name, takes_all));
                }
            }
        }
        push_literal(&mut parts, &mut literal);
        Self(parts)
    }

    /// Parses a path of an OpenAPI document. OpenAPI has no wildcard, but documents for axum may.
    pub(super) fn of_document(path: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = path;
        while let Some(letter) = rest.chars().next() {
            if let Some((name, after)) = parameter(rest) {
                push_literal(&mut parts, &mut literal);
                parts.push(name);
                rest = after;
                continue;
            }
            literal.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
        push_literal(&mut parts, &mut literal);
        Self(parts)
    }

    /// Returns the path in OpenAPI's syntax. A wildcard becomes a parameter.
    pub(super) fn to_document(&self) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Parameter(name) | Part::Rest(name) => format!("{{{name}}}"),
        });
        parts.collect()
    }

    /// Returns the path without the names of its parameters, which may differ between the router
    /// and the document.
    pub(super) fn shape(&self) -> String {
        shape(&self.0)
    }

    /// Returns the shape of the path before its final wildcard, if it has one.
    pub(super) fn shape_before_rest(&self) -> Option<String> {
        let (last, before) = self.0.split_last()?;
        matches!(last, Part::Rest(_)).then(|| shape(before))
    }

    /// Returns the names of its parameters, and whether they are wildcards.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Parameter(name) => Some((name.as_str(), false)),
            Part::Rest(name) => Some((name.as_str(), true)),
        })
    }
}

fn shape(parts: &[Part]) -> String {
    let parts = parts.iter().map(|part| match part {
        Part::Literal(text) => text.as_str(),
        Part::Parameter(_) | Part::Rest(_) => "{}",
    });
    parts.collect()
}

/// Returns the parameter that `path` starts with, and the rest of the path.
fn parameter(path: &str) -> Option<(Part, &str)> {
    let (name, rest) = path.strip_prefix('{')?.split_once('}')?;
    let wildcard = name.strip_prefix('*');
    Some((part(wildcard.unwrap_or(name), wildcard.is_some()), rest))
}

fn part(name: &str, takes_all: bool) -> Part {
    if takes_all {
        Part::Rest(name.to_owned())
    } else {
        Part::Parameter(name.to_owned())
    }
}

fn push_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_written_as_by_openapi() {
        let table = [
            ("/", "/", "/", None),
            ("/repos/{id}", "/repos/{id}", "/repos/{}", None),
            ("/a/{b}/c/{d}", "/a/{b}/c/{d}", "/a/{}/c/{}", None),
            (
                "/files/{*rest}",
                "/files/{rest}",
                "/files/{}",
                Some("/files/"),
            ),
            ("/{{a}}", "/%7Ba%7D", "/%7Ba%7D", None),
            ("/{{{a}", "/%7B{a}", "/%7B{}", None),
            ("/ä/{ö}", "/ä/{ö}", "/ä/{}", None),
        ];
        for (route, written, shape, before_rest) in table {
            let template = Template::of_route(route);
            assert_eq!(template.to_document(), written, "{route}");
            assert_eq!(template.shape(), shape, "{route}");
            assert_eq!(
                template.shape_before_rest().as_deref(),
                before_rest,
                "{route}"
            );
            // The written path parses to the same shape.
            assert_eq!(Template::of_document(written).shape(), shape, "{route}");
        }
    }
}
