//! What became of who may call what.

use std::collections::BTreeSet;
use std::fmt;

use auth_grammar::compare::{Verdict, compare};
use auth_grammar::requirement::Policy;

use super::entry::Entry;
use super::meaning::read;

/// What is different between two [locks](crate::AccessLock): shown with what was loosened first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessChanges {
    changes: Vec<Changed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Changed {
    verdict: Verdict,
    method: String,
    path: String,
    before: Option<Answer>,
    after: Option<Answer>,
}

/// What answers a method of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    entry: Entry,
    /// Whether it is not for that method alone.
    is_for_others: bool,
    /// Whether it is hidden since another method of the path is.
    is_hidden_by_path: bool,
}

impl AccessChanges {
    pub(super) fn between(before: &[Entry], after: &[Entry]) -> Self {
        let all = before.iter().chain(after);
        let places: BTreeSet<_> = all.map(Place::of).collect();
        let mut changes: Vec<_> = places
            .into_iter()
            .flat_map(|place| place.changes(answers(before, place), answers(after, place)))
            .collect();
        changes.sort_by_key(|changed| {
            let now = changed.after.as_ref();
            let is_open = now.is_some_and(|answer| answer.entry.is_open());
            (changed.verdict, !is_open)
        });
        Self { changes }
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What is compared with each other. What was unguarded is no version of what has a policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    path: &'a str,
    method: &'a str,
    is_unguarded: bool,
}

impl<'a> Place<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            path: &entry.path,
            method: &entry.method,
            is_unguarded: entry.is_unguarded(),
        }
    }

    fn changes(self, before: Vec<Answer>, after: Vec<Answer>) -> Vec<Changed> {
        let (before, after) = without_same(before, after);
        let count = before.len().max(after.len());
        let (mut before, mut after) = (before.into_iter(), after.into_iter());
        let pairs = (0..count).map(|_| (before.next(), after.next()));
        pairs
            .map(|(before, after)| Changed {
                verdict: verdict(before.as_ref(), after.as_ref()),
                method: self.method.to_owned(),
                path: self.path.to_owned(),
                before,
                after,
            })
            .collect()
    }
}

/// What answers there: its own entries, or what axum turns to without one.
fn answers(entries: &[Entry], place: Place<'_>) -> Vec<Answer> {
    let on_path = || {
        let entries = entries.iter();
        entries.filter(|entry| entry.path == place.path && !entry.is_unguarded())
    };
    let path_is_hidden = on_path().any(is_hidden);
    let answer = |entry: &Entry| Answer {
        is_for_others: entry.method != place.method,
        is_hidden_by_path: path_is_hidden && !entry.is_open() && !is_hidden(entry),
        entry: entry.clone(),
    };
    let own: Vec<_> = entries
        .iter()
        .filter(|entry| Place::of(entry) == place)
        .map(answer)
        .collect();
    if !own.is_empty() || place.is_unguarded || place.method == "fallback" {
        return own;
    }
    let get = on_path().find(|entry| place.method == "HEAD" && entry.method == "GET");
    let all = || on_path().find(|entry| entry.method == "any");
    get.or_else(all).map(answer).into_iter().collect()
}

fn is_hidden(entry: &Entry) -> bool {
    matches!(read(&entry.access), Some(Policy::Requires(requires)) if requires.hide_as.is_some())
}

/// The answers that only one side has.
fn without_same(before: Vec<Answer>, mut after: Vec<Answer>) -> (Vec<Answer>, Vec<Answer>) {
    let mut gone = Vec::new();
    for answer in before {
        match after.iter().position(|other| *other == answer) {
            Some(index) => drop(after.remove(index)),
            None => gone.push(answer),
        }
    }
    (gone, after)
}

fn verdict(before: Option<&Answer>, after: Option<&Answer>) -> Verdict {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (Some(_), None) => return Verdict::Removed,
        (None, _) => return Verdict::Added,
    };
    let is_same_text = before.entry.access == after.entry.access
        && before.is_hidden_by_path == after.is_hidden_by_path;
    if is_same_text {
        return match before.entry.handler == after.entry.handler {
            true => Verdict::Restated,
            false => Verdict::Moved,
        };
    }
    if before.entry.is_unguarded() {
        // Only the reason is another one.
        return Verdict::Restated;
    }
    let (Some(before), Some(after)) = (before.policy(), after.policy()) else {
        return Verdict::Changed;
    };
    let verdict = compare(&before, &after).verdict();
    verdict.unwrap_or(Verdict::Restated)
}

impl Answer {
    /// The policy that holds there.
    fn policy(&self) -> Option<Policy> {
        let mut policy = read(&self.entry.access)?;
        if let Policy::Requires(requires) = &mut policy
            && self.is_hidden_by_path
        {
            requires.hide_as = Some("404".parse().ok()?);
        }
        Some(policy)
    }
}

fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Loosened => "loosened: more may call, or are told that it is there",
        Verdict::Added => "added",
        Verdict::Changed => "changed: others may call or are told, or nobody can tell",
        Verdict::Moved => "moved: another handler with the same policy",
        Verdict::Tightened => "tightened: fewer may call, or are told that it is there",
        Verdict::Removed => "removed",
        Verdict::Restated => "restated: the same may call",
    }
}

impl fmt::Display for AccessChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for changed in &self.changes {
            if last != Some(changed.verdict) {
                let gap = if last.is_some() { "\n" } else { "" };
                writeln!(f, "{gap}{}", heading(changed.verdict))?;
                last = Some(changed.verdict);
            }
            writeln!(f, "  {} {}", changed.method, changed.path)?;
            for (sign, answer) in [('-', &changed.before), ('+', &changed.after)] {
                if let Some(answer) = answer {
                    writeln!(f, "    {sign} {answer}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.entry.access)?;
        if let Some(handler) = &self.entry.handler {
            write!(f, "  {handler}")?;
        }
        if self.is_for_others {
            write!(f, " (for {})", self.entry.method)?;
        }
        if self.is_hidden_by_path {
            f.write_str(" (hidden, as another method of the path is)")?;
        }
        Ok(())
    }
}
