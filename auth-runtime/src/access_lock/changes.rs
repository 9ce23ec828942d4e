//! What became of who may call what.

use std::collections::BTreeSet;
use std::fmt;

use auth_grammar::compare::{Verdict, compare};

use super::answers::{Answer, Side};
use super::entry::Entry;
use super::meaning::with_other_checks;
use super::place::Place;

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

impl AccessChanges {
    pub(super) fn between(before: &[Entry], after: &[Entry]) -> Self {
        let all = before.iter().chain(after);
        let mut places: BTreeSet<_> = all.map(Place::of).collect();
        let (before, after) = (Side::of(before), Side::of(after));
        places.extend(before.places_by(&after));
        places.extend(after.places_by(&before));
        let mut changes: Vec<_> = places
            .iter()
            .flat_map(|place| changes(place, before.answers(place), after.answers(place)))
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

fn changes(place: &Place<'_>, before: Vec<Answer>, after: Vec<Answer>) -> Vec<Changed> {
    let (before, after) = without_same(before, after);
    let mut all = before.iter().chain(&after);
    if all.any(|answer| answer.is_wider) {
        // Each of them answers a part of what the other side answers: the worst of it is told.
        let pairs = before.iter().flat_map(|before| {
            let after = after.iter();
            after.map(move |after| (Some(before.clone()), Some(after.clone())))
        });
        let changes = pairs.filter_map(|(before, after)| Changed::of(place, before, after));
        return changes.min_by_key(|it| it.verdict).into_iter().collect();
    }
    let (mut before, mut after) = (before.into_iter(), after.into_iter());
    let mut pairs = Vec::new();
    loop {
        match (before.next(), after.next()) {
            (None, None) => break,
            // Nobody knows what is in a plain router, so none is another version of one.
            (Some(before), Some(after)) if place.is_unguarded => {
                pairs.extend([(Some(before), None), (None, Some(after))]);
            }
            pair => pairs.push(pair),
        }
    }
    let changes = pairs.into_iter();
    changes
        .filter_map(|(before, after)| Changed::of(place, before, after))
        .collect()
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

impl Changed {
    fn of(place: &Place<'_>, before: Option<Answer>, after: Option<Answer>) -> Option<Self> {
        let own = |answer: &Option<Answer>| {
            let answer = answer.as_ref().filter(|answer| !answer.is_wider);
            answer.map(|answer| answer.entry.path.clone())
        };
        let path = own(&after).or_else(|| own(&before))?;
        let compared = match (&before, &after) {
            (Some(before), Some(after)) => Some((verdict(before, after), before, after)),
            _ => None,
        };
        let (verdict, before, after) = match compared {
            // What is there for the first time is said to be new, unless that opens what was closed.
            Some((verdict, wider, _)) if wider.is_wider && verdict != Verdict::Loosened => {
                (Verdict::Added, None, after)
            }
            // What is gone is of no harm, unless others may call there now.
            Some((verdict, _, wider)) if wider.is_wider && verdict > Verdict::Changed => {
                (Verdict::Removed, before, None)
            }
            Some((verdict, ..)) => (verdict, before, after),
            None if before.is_none() => (Verdict::Added, before, after),
            None => (Verdict::Removed, before, after),
        };
        // What is new or gone is told of where it has its line.
        let mut only = before
            .iter()
            .chain(&after)
            .filter(|_| before.is_none() != after.is_none());
        if only.any(|answer| answer.entry.method != place.method) {
            return None;
        }
        Some(Self {
            verdict,
            method: place.method.to_owned(),
            path,
            before,
            after,
        })
    }
}

fn verdict(before: &Answer, after: &Answer) -> Verdict {
    let is_moved = before.entry.handler != after.entry.handler;
    let (Some(was), Some(mut is)) = (before.policy(), after.policy()) else {
        return Verdict::Changed;
    };
    let is_other_path = before.entry.path != after.entry.path;
    with_other_checks(&mut is, &|function| {
        is_other_path || before.entry.home(function) != after.entry.home(function)
    });
    match compare(&was, &is).verdict() {
        None | Some(Verdict::Restated) if is_moved => Verdict::Moved,
        verdict => verdict.unwrap_or(Verdict::Restated),
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
                    writeln!(f, "    {sign} {answer}{}", changed.of_others(&answer.entry))?;
                }
            }
        }
        Ok(())
    }
}

impl Changed {
    /// What an entry is for, if not for that alone.
    fn of_others(&self, entry: &Entry) -> String {
        let Entry { method, path, .. } = entry;
        if *path != self.path {
            format!(" (for {method} {path})")
        } else if *method != self.method {
            format!(" (for {method})")
        } else {
            String::new()
        }
    }
}
