//! Paths of routes: two patterns and the path of a request, against the matcher of axum.

use auth_runtime_core::route_pattern::{Pattern, has_parameter, repeated_parameter};

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "route_pattern",
    cost: 1,
    dictionary: &[
        "/{id}", "/{*rest}", "/{{", "}}", "/a", "/b", "/a-{id}", "/{id}/b", "{", "}", "*", "/*",
        "//", "\\u{61}", "%2F",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.splitn(3, '\n');
        let mut next = || lines.next().unwrap_or_default();
        let (one, other, path) = (next(), next(), next());
        if !is_path(one) || !is_path(other) {
            return Outcome::of("not a pattern");
        }
        let [first, second] = [one, other].map(Pattern::of);
        let matches = [(one, &first), (other, &second)].map(|(text, pattern)| {
            repeated_parameter(text).inspect(|name| assert!(has_parameter(text, name)));
            let own = pattern.matches(path);
            if let Some(theirs) = axum_matches(text, path) {
                assert_eq!(own, theirs, "{text} {path}");
            }
            own
        });
        let covers = [first.covers(&second), second.covers(&first)];
        assert!(first.covers(&first) && first.overlaps(&first), "{one}");
        assert_eq!(
            first.overlaps(&second),
            second.overlaps(&first),
            "{one} {other}"
        );
        // Each answer about all paths holds for this one.
        if matches == [true, true] {
            assert!(first.overlaps(&second), "{one} {other} {path}");
        }
        assert!(
            !covers[0] || !matches[1] || matches[0],
            "{one} {other} {path}"
        );
        assert!(
            !covers[1] || !matches[0] || matches[1],
            "{one} {other} {path}"
        );
        if covers == [true, true] {
            assert_eq!(matches[0], matches[1], "{one} {other} {path}");
        }
        Outcome::of((
            matches,
            covers,
            first.overlaps(&second),
            first.hands_on_paths(),
        ))
    })
}

/// Returns whether axum accepts the path, perhaps with all paths below it.
fn is_path(text: &str) -> bool {
    let path = text.strip_suffix('*').filter(|path| path.ends_with('/'));
    let path = path.unwrap_or(text);
    let has_other_star = path.split('/').any(|part| part == "*");
    // The matcher accepts a slash there, and panics with more parameters than letters.
    let is_odd = path.contains("{/") || path.matches('{').count() > 20;
    path.starts_with('/')
        && !has_other_star
        && !is_odd
        && matchit::Router::new().insert(path, ()).is_ok()
}

/// Whether axum's router matches the path; `None` if it does not accept the pattern, or if the syntaxes
/// differ: `*` and `\u{…}` are those of the access table.
fn axum_matches(pattern: &str, path: &str) -> Option<bool> {
    let is_own_syntax = pattern.split('/').any(|part| part == "*") || pattern.contains("\\u{");
    if is_own_syntax || !path.starts_with('/') {
        return None;
    }
    let mut router = matchit::Router::new();
    router.insert(pattern, ()).ok()?;
    Some(router.at(path).is_ok())
}
