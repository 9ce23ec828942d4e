//! The known name that is nearest to a misspelt one.

/// Returns the name in `known` with the smallest edit distance, if that is small enough, or else
/// the only name that begins with `name`.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    nearest_by_edits(name, known).or_else(|| only_one_begun(name, known))
}

fn only_one_begun<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Two letters are significant; one is not.
    let mut begun = known.iter().filter(|candidate| candidate.starts_with(name));
    let first = begun.next().filter(|_| name.chars().count() > 1)?;
    begun.next().is_none().then_some(first)
}

fn nearest_by_edits<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = name.chars().count();
    let allowed = length.max(3) / 3;
    // Each character of difference in length is an edit.
    let near = |candidate: &&&str| candidate.chars().count().abs_diff(length) <= allowed;
    known
        .iter()
        .filter(near)
        .map(|candidate| (edits(name, candidate), *candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Returns the number of characters to insert, delete, replace or swap with their neighbour
/// (optimal string alignment distance).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut last = None;
    for (line, character) in from.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in to.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&row, column) + usize::from(character != *other);
            let deleted = at(&row, column + 1) + 1;
            let inserted = at(&next, column) + 1;
            let swaps = column > 0
                && last == Some(*other)
                && column.checked_sub(1).and_then(|left| to.get(left)) == Some(&character);
            let swapped = match column.checked_sub(1) {
                Some(left) if swaps => at(&before, left) + 1,
                _ => usize::MAX / 2,
            };
            next.push(replaced.min(deleted).min(inserted).min(swapped));
        }
        before = std::mem::replace(&mut row, next);
        last = Some(character);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["scope", "role", "permission", "authenticated"];

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        for (written, meant) in [
            ("scop", Some("scope")),
            ("socpe", Some("scope")),
            ("scopes", Some("scope")),
            ("rolle", Some("role")),
            ("rloe", Some("role")),
            ("permision", Some("permission")),
            ("authentcated", Some("authenticated")),
            ("perm", Some("permission")),
            ("ro", Some("role")),
            ("auth", Some("authenticated")),
            ("group", None),
            ("s", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &KEYS), meant, "{written}");
        }
        let two = ["hide_everything", "hide_something"];
        assert_eq!(nearest("hide", &two), None, "either is as likely");
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("abc", "abc", 0),
        ] {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }
}
