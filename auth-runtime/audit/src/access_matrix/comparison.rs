//! The comparison of a hidden path with an unknown one.

use auth_runtime_axum::inspection::same_but_for_the_path;
use http::Uri;

/// A whole response, and the requested target.
pub(super) struct Sample<'a> {
    pub(super) target: &'a Uri,
    pub(super) transcript: String,
    /// The length of the body, in bytes.
    pub(super) length: usize,
}

/// Returns the difference between `hidden` and an unknown path, which was requested twice. `None`
/// if they are indistinguishable.
///
/// Parts that differ between the two responses of the unknown path vary with every request, and are
/// not compared. Such a part is a word, or the whole line if the number of words varies.
pub(super) fn distinguish(hidden: &Sample<'_>, unknown: &[Sample<'_>; 2]) -> Option<String> {
    let [unknown, again] = unknown;
    let same = |one: &str, other: &str| {
        same_but_for_the_path((one, hidden.target), (other, unknown.target))
    };
    let lines = hidden.transcript.lines().count();
    let is_same_length =
        [unknown, again].map(|sample| sample.transcript.lines().count() == lines) == [true, true];
    // A body that contains the path is longer for a longer path.
    let (hidden_length, unknown_length) = (hidden.length, unknown.length);
    let mut all = hidden
        .transcript
        .lines()
        .zip(unknown.transcript.lines())
        .zip(again.transcript.lines());
    let is_same = is_same_length
        && all.all(|((hidden, unknown), again)| {
            let changes = unknown != again;
            same(hidden, unknown)
                || (changes && differs_as_they_do(hidden, unknown, again, &same))
                || (is_length(hidden, hidden_length) && is_length(unknown, unknown_length))
        });
    (!is_same).then(|| {
        format!(
            "differs from an unknown path; its response is\n{}\n    and the response of {}, an \
             unknown path, is\n{}",
            indented(&hidden.transcript),
            unknown.target,
            indented(&unknown.transcript),
        )
    })
}

/// Returns the name of a field. `None` for any other line.
fn field(line: &str) -> Option<&str> {
    line.split_once(": ").map(|(name, _)| name)
}

/// Returns whether `hidden` differs from `unknown` only in words in which `again` differs too.
fn differs_as_they_do(
    hidden: &str,
    unknown: &str,
    again: &str,
    same: &dyn Fn(&str, &str) -> bool,
) -> bool {
    if field(hidden) != field(unknown) {
        return false;
    }
    let [hidden, unknown, again] = [hidden, unknown, again].map(|line| {
        let words = line.split(|letter: char| !is_of_a_word(letter));
        words.collect::<Vec<_>>()
    });
    if unknown.len() != again.len() {
        return true;
    }
    let mut all = hidden.iter().zip(&unknown).zip(&again);
    hidden.len() == unknown.len()
        && all.all(|((hidden, unknown), again)| unknown != again || same(hidden, unknown))
}

/// Returns whether the character occurs in numbers, nonces, times and paths.
fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || "-._~+/=:%".contains(letter)
}

/// Returns whether this field only states the length of the body.
fn is_length(line: &str, length: usize) -> bool {
    line == format!("content-length: {length}")
}

fn indented(transcript: &str) -> String {
    let lines: Vec<_> = transcript
        .lines()
        .map(|line| format!("      {line}"))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_self_changing_fields_may_differ() {
        let hidden_target = Uri::from_static("/admin");
        let unknown_target = Uri::from_static("/~abcdef");
        for (hidden, unknown, again, is_same) in [
            ("404\na: 1\n\nx", "404\na: 1\n\nx", "404\na: 1\n\nx", true),
            ("404\na: 1\n\nx", "404\na: 2\n\nx", "404\na: 2\n\nx", false),
            ("404\na: 1\n\nx", "404\na: 2\n\nx", "404\na: 3\n\nx", true),
            ("404\nb: 1\n\nx", "404\na: 2\n\nx", "404\na: 3\n\nx", false),
            (
                "404\nb: one tip\n\nx",
                "404\na: two tips\n\nx",
                "404\na: three tips in all\n\nx",
                false,
            ),
            ("404\na: 1\n\nx", "404\n\nx", "404\n\nx", false),
            ("401\n\nx", "404\n\nx", "404\n\nx", false),
            (
                "404\n\n{\"id\": 1, \"at\": \"/admin\"}",
                "404\n\n{\"id\": 2, \"at\": \"/~abcdef\"}",
                "404\n\n{\"id\": 3, \"at\": \"/~abcdef\"}",
                true,
            ),
            (
                "404\n\n{\"id\": 1, \"why\": \"not yours\"}",
                "404\n\n{\"id\": 2, \"why\": \"not there\"}",
                "404\n\n{\"id\": 3, \"why\": \"not there\"}",
                false,
            ),
            (
                "404\n\n{\"id\": 1, \"why\": \"it is not yours\"}",
                "404\n\n{\"id\": 2, \"why\": \"not there\"}",
                "404\n\n{\"id\": 3, \"why\": \"not there\"}",
                false,
            ),
            (
                "404\n\none tip",
                "404\n\ntwo tips here",
                "404\n\nthree tips in all",
                true,
            ),
            (
                "404\n\nno /admin",
                "404\n\nno /~abcdef",
                "404\n\nno /~abcdef",
                true,
            ),
            ("404\n\nno entry", "404\n\nno", "404\n\nno", false),
            (
                "404\ncontent-length: 9\n\nno /admin",
                "404\ncontent-length: 11\n\nno /~abcdef",
                "404\ncontent-length: 11\n\nno /~abcdef",
                true,
            ),
            (
                "404\ncontent-length: 7\n\nno /admin",
                "404\ncontent-length: 11\n\nno /~abcdef",
                "404\ncontent-length: 11\n\nno /~abcdef",
                false,
            ),
        ] {
            let sample = |target, transcript: &str| Sample {
                target,
                transcript: transcript.to_owned(),
                length: transcript.rsplit('\n').next().map_or(0, str::len),
            };
            let unknown = [
                sample(&unknown_target, unknown),
                sample(&unknown_target, again),
            ];
            let told = distinguish(&sample(&hidden_target, hidden), &unknown);
            assert_eq!(told.is_none(), is_same, "{hidden:?}");
        }
    }
}
