//! Names that imply each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::declared::{DeclaredName, DeclaredNames};

/// Returns the names that may be in a cycle. It repeatedly removes each name that implies no
/// remaining name, or is implied by no remaining name.
pub(super) fn may_circle(terms: &DeclaredNames) -> BTreeSet<&str> {
    let mut left: BTreeSet<&str> = terms.keys().map(String::as_str).collect();
    for is_down in [true, false] {
        let next = |term: &DeclaredName| {
            let names = if is_down {
                &term.implies
            } else {
                &term.implied_by
            };
            names.iter().cloned().collect::<BTreeSet<String>>()
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, term) in terms {
            let next = next(term);
            let next = next.iter().filter(|next| left.contains(next.as_str()));
            counts.insert(name, next.count());
        }
        let mut free: Vec<&str> = left
            .iter()
            .filter(|name| counts.get(*name) == Some(&0))
            .copied()
            .collect();
        while let Some(name) = free.pop() {
            left.remove(name);
            let Some(term) = terms.get(name) else {
                continue;
            };
            let before = if is_down {
                &term.implied_by
            } else {
                &term.implies
            };
            for before in before.iter().collect::<BTreeSet<_>>() {
                if let Some((before, _)) = terms.get_key_value(before)
                    && let Some(count) = counts.get_mut(before.as_str())
                    && left.contains(before.as_str())
                {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        free.push(before);
                    }
                }
            }
        }
    }
    left
}

/// Returns the shortest cycle from `name` over `other`, which it implies, back to `name`.
pub(super) fn circle(
    terms: &DeclaredNames,
    may_circle: &BTreeSet<&str>,
    name: &str,
    other: &str,
) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut reached = vec![other];
    // The list grows during the iteration.
    let mut at = 0;
    while let Some(last) = reached.get(at).copied() {
        for next in terms.get(last).into_iter().flat_map(|term| &term.implies) {
            if next == name {
                let mut circle = vec![name.to_owned(), last.to_owned()];
                let mut last = last;
                while let Some(earlier) = before.get(last) {
                    circle.push((*earlier).to_owned());
                    last = earlier;
                }
                circle.push(name.to_owned());
                circle.reverse();
                return Some(circle);
            }
            let is_new = next != other && !before.contains_key(next.as_str());
            if is_new && may_circle.contains(next.as_str()) {
                before.insert(next, last);
                reached.push(next);
            }
        }
        at += 1;
    }
    None
}
