//! Paths that clients and routers read differently.

/// Returns whether a segment of a path is `.` or `..`, in any spelling. As URLs such paths are
/// resolved (RFC 3986 §5.2.4), but routers match them as written.
pub(super) fn has_dot_segments(path: &str) -> bool {
    path.split('/').any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(&*segment, "." | "..")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_found_in_every_spelling() {
        for path in ["/.", "/a/../b", "/%2e%2E", "/.%2e/a", "/a/%2E"] {
            assert!(has_dot_segments(path), "{path}");
        }
        for path in ["/", "/a..b", "/...", "/%252e", "/.a", "/a/b.", "//"] {
            assert!(!has_dot_segments(path), "{path}");
        }
    }
}
