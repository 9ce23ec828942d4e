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

/// The most edits between a misspelt name and the one that was meant. More are another word, and would
/// take long to count: a vocabulary can have thousands of long names that are alike.
const MAX_EDITS: usize = 4;

fn nearest_by_edits<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name: Vec<char> = name.chars().collect();
    let mut allowed = (name.len().max(3) / 3).min(MAX_EDITS);
    let mut nearest = None;
    for candidate in known {
        let letters: Vec<char> = candidate.chars().collect();
        if let Some(edits) = edits(&name, &letters, allowed) {
            nearest = Some(*candidate);
            // The first one of those that are as near.
            match edits.checked_sub(1) {
                Some(fewer) => allowed = fewer,
                None => break,
            }
        }
    }
    nearest
}

/// Returns the number of characters to insert, delete, replace or swap with their neighbour (optimal
/// string alignment distance); `None` if it is more than `limit`.
///
/// The crate `strsim` has the same distance without a limit, and takes more than 10 s to compare a name with 4096
/// others of 128 characters in an unoptimized build.
fn edits(from: &[char], to: &[char], limit: usize) -> Option<usize> {
    // Each character of difference in length is an edit.
    if from.len().abs_diff(to.len()) > limit {
        return None;
    }
    // A common beginning or end needs no edit.
    let begin = same(from.iter().zip(to));
    let (from, to) = (from.split_at(begin).1, to.split_at(begin).1);
    let end = same(from.iter().rev().zip(to.iter().rev()));
    let from = from.split_at(from.len() - end).0;
    let to = to.split_at(to.len() - end).0;
    let beyond = limit + 1;
    let at = |row: &[usize], column: Option<usize>| {
        column
            .and_then(|column| row.get(column).copied())
            .unwrap_or(beyond)
    };
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, character) in from.iter().enumerate() {
        let mut next = vec![beyond; to.len() + 1];
        // Farther from the diagonal are more edits than the limit.
        let columns = line.saturating_sub(limit)..to.len().min(line + limit + 1);
        if let Some(first) = next.first_mut() {
            *first = line + 1;
        }
        for column in columns {
            let other = to.get(column);
            let left = column.checked_sub(1);
            let is_swapped = line > 0
                && left.and_then(|left| to.get(left)) == Some(character)
                && from.get(line - 1) == other;
            let edits = [
                at(&row, Some(column)) + usize::from(Some(character) != other),
                at(&row, Some(column + 1)) + 1,
                at(&next, Some(column)) + 1,
                if is_swapped {
                    at(&before, left) + 1
                } else {
                    beyond
                },
            ];
            if let Some(cell) = next.get_mut(column + 1) {
                *cell = edits.into_iter().min().unwrap_or(beyond);
            }
        }
        if next.iter().all(|edits| *edits > limit) {
            return None;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|edits| *edits <= limit)
}

/// The number of equal pairs before the first unequal one.
fn same<'c>(pairs: impl Iterator<Item = (&'c char, &'c char)>) -> usize {
    pairs.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["scope", "role", "permission", "authenticated"];

    #[test]
    fn only_slips_are_corrected() {
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
    fn edits_are_counted_up_to_limit() {
        for (from, to, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("abc", "abc", 0),
        ] {
            let [from, to] = [from, to].map(|word| word.chars().collect::<Vec<_>>());
            for limit in 0..6 {
                let expected = (count <= limit).then_some(count);
                assert_eq!(
                    edits(&from, &to, limit),
                    expected,
                    "{from:?} {to:?} {limit}"
                );
            }
        }
    }

    /// The number of edits, by its definition: each swapped pair of characters is used once.
    fn counted(from: &[char], to: &[char]) -> usize {
        let ([first, from_rest @ ..], [other, to_rest @ ..]) = (from, to) else {
            return from.len() + to.len();
        };
        let changed = counted(from_rest, to_rest) + usize::from(first != other);
        let removed = counted(from_rest, to) + 1;
        let added = counted(from, to_rest) + 1;
        let swapped = match (from_rest, to_rest) {
            ([second, from_rest @ ..], [another, to_rest @ ..])
                if first == another && second == other =>
            {
                counted(from_rest, to_rest) + 1
            }
            _ => usize::MAX,
        };
        changed.min(removed).min(added).min(swapped)
    }

    #[test]
    fn edits_of_short_words_are_counted() {
        let mut words: Vec<Vec<char>> = vec![Vec::new()];
        let mut start = 0;
        for _ in 0..4 {
            let end = words.len();
            for index in start..end {
                for letter in ['a', 'b', 'c'] {
                    let mut word = words[index].clone();
                    word.push(letter);
                    words.push(word);
                }
            }
            start = end;
        }
        for from in &words {
            for to in &words {
                let count = counted(from, to);
                for limit in 0..5 {
                    let expected = (count <= limit).then_some(count);
                    assert_eq!(edits(from, to, limit), expected, "{from:?} {to:?} {limit}");
                }
            }
        }
    }

    #[test]
    fn first_of_nearest_names_is_suggested() {
        assert_eq!(nearest("abcx", &["abcdef", "abcy", "abcz"]), Some("abcy"));
        assert_eq!(nearest("abc", &["abd", "abc"]), Some("abc"));
    }

    #[test]
    fn long_similar_names_take_little_time() {
        let names: Vec<String> = (0..4096)
            .map(|n| format!("{}{n:05}", "x".repeat(251)))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let began = std::time::Instant::now();
        for _ in 0..10 {
            assert_eq!(nearest(&"y".repeat(256), &names), None);
            let misspelt = format!("{}z04095", "x".repeat(250));
            assert_eq!(nearest(&misspelt, &names), Some(names[4095]));
        }
        assert!(began.elapsed().as_secs() < 10);
    }
}
