//! The changes between two locks.

use std::collections::BTreeSet;
use std::fmt;

use auth_runtime_core::EndpointKind;
use auth_runtime_policy::Policy;
use auth_runtime_policy::compare::{Impact, compare};

use super::canonical::{with_other_checks, with_places_of_parameters};
use super::dispatch::{DispatchedEntry, RouteSet};
use super::entry::Entry;
use super::route_key::RouteKey;

/// The changes from one [lock](crate::AccessLock) to another. Loosened routes are displayed first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessChanges {
    changes: Vec<Changed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Changed {
    impact: Impact,
    method: String,
    path: String,
    /// The differences, if both sides have a route.
    what: Vec<String>,
    before: Option<DispatchedEntry>,
    after: Option<DispatchedEntry>,
}

impl AccessChanges {
    pub(super) fn between(before: &[Entry], after: &[Entry]) -> Self {
        let all = before.iter().chain(after);
        let mut keys: BTreeSet<_> = all.map(RouteKey::of).collect();
        let (before, after) = (RouteSet::of(before), RouteSet::of(after));
        keys.extend(before.keys_by(&after));
        keys.extend(after.keys_by(&before));
        let mut changes: Vec<_> = keys
            .iter()
            .flat_map(|key| changes(key, before.dispatch(key), after.dispatch(key)))
            .collect();
        changes.sort_by_key(|changed| {
            let now = changed.after.as_ref();
            let is_open = now.is_some_and(|answer| answer.entry.is_open());
            (changed.impact, !is_open)
        });
        Self { changes }
    }

    /// Returns whether the locks are equal.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

fn changes(
    key: &RouteKey<'_>,
    before: Vec<DispatchedEntry>,
    after: Vec<DispatchedEntry>,
) -> Vec<Changed> {
    let (before, after) = without_same(before, after);
    let mut all = before.iter().chain(&after);
    if all.any(|answer| answer.is_wider) {
        // Each route receives a part of the requests of the other side, so the worst change is
        // reported.
        let pairs = before.iter().flat_map(|before| {
            let after = after.iter();
            after.map(move |after| (Some(before.clone()), Some(after.clone())))
        });
        let changes = pairs.filter_map(|(before, after)| Changed::of(key, before, after));
        return changes.min_by_key(|it| it.impact).into_iter().collect();
    }
    let (mut before, mut after) = (before.into_iter(), after.into_iter());
    let pairs = std::iter::from_fn(|| match (before.next(), after.next()) {
        (None, None) => None,
        pair => Some(pair),
    });
    pairs
        .filter_map(|(before, after)| Changed::of(key, before, after))
        .collect()
}

/// Returns the routes that only one side has.
fn without_same(
    before: Vec<DispatchedEntry>,
    mut after: Vec<DispatchedEntry>,
) -> (Vec<DispatchedEntry>, Vec<DispatchedEntry>) {
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
    fn of(
        key: &RouteKey<'_>,
        before: Option<DispatchedEntry>,
        after: Option<DispatchedEntry>,
    ) -> Option<Self> {
        let own = |answer: &Option<DispatchedEntry>| {
            let answer = answer.as_ref().filter(|answer| !answer.is_wider);
            answer.map(|answer| answer.entry.path.clone())
        };
        let path = own(&after).or_else(|| own(&before))?;
        let (impact, what) = match (&before, &after) {
            (Some(before), Some(after)) => compared(before, after),
            (None, _) => (Impact::Added, Vec::new()),
            (_, None) => (Impact::Removed, Vec::new()),
        };
        let is_wider =
            |answer: &Option<DispatchedEntry>| answer.as_ref().is_some_and(|it| it.is_wider);
        let (impact, what, before, after) = match impact {
            // A route on a new path is added, unless a path that was closed is open now.
            _ if is_wider(&before) && impact != Impact::Loosened => {
                (Impact::Added, Vec::new(), None, after)
            }
            // A route without a successor is removed, unless other callers are allowed now.
            _ if is_wider(&after) && impact > Impact::Changed => {
                (Impact::Removed, Vec::new(), before, None)
            }
            _ => (impact, what, before, after),
        };
        // An added or removed route is reported only for the method of its own line.
        let mut only = before
            .iter()
            .chain(&after)
            .filter(|_| before.is_none() != after.is_none());
        if only.any(|answer| answer.entry.method != key.method) {
            return None;
        }
        Some(Self {
            impact,
            method: key.method.to_owned(),
            path,
            what,
            before,
            after,
        })
    }
}

/// Returns the impact of two different routes, and the differences as text: at least one.
fn compared(before: &DispatchedEntry, after: &DispatchedEntry) -> (Impact, Vec<String>) {
    let (policies, mut what) = compared_policies(before, after);
    let mut impacts = Vec::from_iter(policies);
    let (was, is) = (&before.entry, &after.entry);
    if was.handler != is.handler {
        what.push("another handler".to_owned());
        // A change of the policy takes precedence over a change of the handler.
        let is_same = policies.is_none_or(|impact| impact == Impact::Restated);
        impacts.extend(is_same.then_some(Impact::Moved));
    }
    // Another path always has its own kind of handler and its own covered paths.
    if !before.is_wider && !after.is_wider {
        if was.endpoint_kind != is.endpoint_kind {
            what.push(format!(
                "a {} in place of a {}",
                is.endpoint_kind.name(),
                was.endpoint_kind.name()
            ));
            impacts.push(match is.endpoint_kind {
                EndpointKind::Handler => Impact::Moved,
                // The routes of a service or router are not in the table.
                _ => Impact::Changed,
            });
        }
        let covers = [(was, is, Impact::Restated), (is, was, Impact::Changed)];
        for (one, other, impact) in covers {
            let only = one.covers.iter().filter(|it| !other.covers.contains(it));
            let only: Vec<_> = only.map(String::as_str).collect();
            if !only.is_empty() {
                let paths = only.join(", ");
                what.push(match impact {
                    Impact::Changed => format!("an open pattern for {paths}"),
                    _ => format!("no open pattern for {paths} any more"),
                });
                impacts.push(impact);
            }
        }
        if was.path != is.path {
            what.push("its parameters have other names".to_owned());
        }
    }
    if what.is_empty() && was.cases != is.cases {
        what.push("other lines for the values of its settings".to_owned());
    }
    if what.is_empty() {
        what.push(if was.method == is.method {
            "the same, written differently".to_owned()
        } else {
            "the same by another line".to_owned()
        });
    }
    let impact = impacts.into_iter().min();
    (impact.unwrap_or(Impact::Restated), what)
}

/// Returns the impact of two policies, if they differ, and the differences as text.
fn compared_policies(
    before: &DispatchedEntry,
    after: &DispatchedEntry,
) -> (Option<Impact>, Vec<String>) {
    let (Some(was), Some(is)) = (before.policy(), after.policy()) else {
        let what = match (before.entry.is_unguarded(), after.entry.is_unguarded()) {
            (true, true) => "another reason, or another plain router",
            (false, false) => "a policy that cannot be compared",
            _ => "a plain router may answer",
        };
        return (Some(Impact::Changed), vec![what.to_owned()]);
    };
    let is_other_path = before.entry.path != after.entry.path;
    let is = with_other_checks(&is, &|function| {
        is_other_path || before.entry.home(function) != after.entry.home(function)
    });
    let was = with_places_of_parameters(&was, &before.entry.path);
    let is = with_places_of_parameters(&is, &after.entry.path);
    let comparison = compare(&was, &is);
    let reasons = comparison.reasons().into_iter().map(str::to_owned);
    let reasons = reasons.chain(reasons_by_setting(&was, &is));
    (comparison.impact(), reasons.collect())
}

/// Returns the differences for each value of a setting, if the values differ in them.
fn reasons_by_setting(was: &Policy, is: &Policy) -> Vec<String> {
    let names: BTreeSet<_> = was.settings().into_iter().chain(is.settings()).collect();
    let mut reasons = Vec::new();
    for name in names {
        let [with, without] = [true, false].map(|value| {
            let [was, is] = [was, is].map(|policy| policy.with_setting(name, value));
            compare(&was, &is)
        });
        if with == without {
            continue;
        }
        for (word, comparison) in [("with", with), ("without", without)] {
            let found = comparison.reasons();
            let found = if found.is_empty() {
                "the same callers".to_owned()
            } else {
                found.join(", ")
            };
            reasons.push(format!("{word} setting = {name:?}: {found}"));
        }
    }
    reasons
}

fn heading(impact: Impact) -> &'static str {
    match impact {
        Impact::Loosened => "loosened: more callers are allowed, or learn that the route exists",
        Impact::Added => "added",
        Impact::Changed => {
            "changed: other callers are allowed or learn that the route exists, or the policies \
             cannot be compared"
        }
        Impact::Moved => "moved: another handler with an equivalent policy",
        Impact::Tightened => "tightened: fewer callers are allowed, or learn that the route exists",
        Impact::Removed => "removed",
        Impact::Restated => "restated: an equivalent policy",
    }
}

impl fmt::Display for AccessChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for changed in &self.changes {
            if last != Some(changed.impact) {
                let gap = if last.is_some() { "\n" } else { "" };
                writeln!(f, "{gap}{}", heading(changed.impact))?;
                last = Some(changed.impact);
            }
            write!(f, "  {} {}", changed.method, changed.path)?;
            match changed.what.as_slice() {
                [] => writeln!(f)?,
                what => writeln!(f, "  ({})", what.join("; "))?,
            }
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
    /// Returns the method and path of an entry, as text, if they differ from those of the change.
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
