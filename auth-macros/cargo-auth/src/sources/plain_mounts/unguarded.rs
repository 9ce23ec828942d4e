//! Routes without a policy.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::codes;

use crate::sources::finding::{Finding, Place};
use crate::sources::mount::{Exemption, Means, Mount, MountTarget};
use crate::sources::open_patterns::OpenPattern;
use crate::sources::reasons::Reason;
use crate::sources::record::{EntryKind, Sources, Unguarded, UnguardedKind};
use crate::sources::routers::{Definitions, exemptions, protecting};

/// Returns the open routes without a reason. Open routes with a reason are recorded.
pub(in super::super) fn findings(
    sources: &mut Sources,
    patterns: Vec<OpenPattern>,
) -> Vec<Finding> {
    let definitions = Definitions::of(sources);
    let mounts = plain_mounts(sources, &definitions);
    let exemptions = exemptions(&definitions, mounts.iter().map(|(mount, _)| &*mount.within));
    // The policy of a unit struct is for services of guarded routers, even if it is a handler, too.
    let mut guarded = BTreeSet::new();
    for entry in &sources.entries {
        if entry.kind == EntryKind::Handler {
            guarded.insert(entry.path.as_str());
        }
    }
    let mut reasons = Reasons::of(&sources.reasons);
    let mut findings = Vec::new();
    let mut allowed = Vec::new();
    let mut without_reason = Vec::new();
    for (mount, is_service) in mounts {
        if !is_service && has_policy(mount, &guarded, sources) {
            continue;
        }
        let route = |kind, reason| Unguarded {
            place: mount.place.clone(),
            kind,
            reason,
            target: mount.target.name(),
            made: mount.made.clone(),
        };
        let within = || exemptions.get(&*mount.within).copied();
        match mount.exemption.or_else(within) {
            Some(Exemption::Guarded) => continue,
            Some(Exemption::Excused) => {
                without_reason.push(route(UnguardedKind::Excused, String::new()));
                continue;
            }
            None => {}
        }
        match reasons.above(&mount.place, |line| mount.begins.contains(&line)) {
            Some(reason) => allowed.push(route(UnguardedKind::Plain, reason.text.clone())),
            None => {
                without_reason.push(route(UnguardedKind::Unexcused, String::new()));
                let message = message(mount, is_service);
                findings.push(Finding::new(mount.place.clone(), codes::UNGUARDED, message));
            }
        }
    }
    for pattern in patterns {
        match reasons.above(&pattern.place, |line| line == pattern.place.line) {
            None => findings.push(pattern.finding()),
            Some(reason) => allowed.push(Unguarded {
                place: pattern.place,
                kind: UnguardedKind::Covering,
                reason: reason.text.clone(),
                target: pattern.pattern,
                made: String::new(),
            }),
        }
    }
    findings.extend(sources.unguarded.iter().map(added));
    findings.extend(reasons.idle().map(Reason::finding));
    sources.unguarded.append(&mut allowed);
    sources.without_reason = without_reason;
    findings
}

/// Returns the mounts on plain routers, and whether each is of a service. A protected router that is mounted as a service
/// has policies.
fn plain_mounts<'s>(sources: &'s Sources, definitions: &Definitions<'_>) -> Vec<(&'s Mount, bool)> {
    let protected = protecting(definitions);
    let is_protected = |mount: &Mount| match &mount.target {
        MountTarget::Made(path) => {
            let made_by = sources.names.resolve(mount.scope, path);
            let mut made_by = made_by.iter().map(|path| path.join("::"));
            made_by.all(|path| protected.contains(&path))
        }
        _ => false,
    };
    let mounts = sources.mounts.iter();
    let mounts = mounts.filter_map(|mount| Some((mount, mount.takes_service(definitions)?)));
    mounts.filter(|(mount, _)| !is_protected(mount)).collect()
}

/// Returns whether a mounted handler has a policy.
fn has_policy(mount: &Mount, guarded: &BTreeSet<&str>, sources: &Sources) -> bool {
    let MountTarget::Handler(path) = &mount.target else {
        return false;
    };
    let whole = sources.names.resolve(mount.scope, path);
    let mut whole = whole.iter().map(|path| path.join("::"));
    whole.all(|path| guarded.contains(path.as_str()) && !sources.bare.contains_key(&path))
}

/// Returns the message for a mount without a policy.
fn message(mount: &Mount, is_service: bool) -> String {
    let name = mount.target.name();
    match &mount.target {
        _ if is_service => "a service on a plain router has no policy\n\
                            help: mount it on a `GuardedRouter` with the policy of a unit struct"
            .to_owned(),
        MountTarget::Handler(_) => format!(
            "`{name}` is mounted on a plain router, and its policy was not found\n\
             help: put `#[requires(...)]` or `#[public(reason = \"...\")]` on it, and mount it on \
             a `GuardedRouter`"
        ),
        MountTarget::Router(_) => format!(
            "the router that `{name}` returns is added to a plain router, and its routes were not \
             found\n\
             help: give it to `merge_unguarded` of the `GuardedRouter`, with a reason"
        ),
        MountTarget::Expression if matches!(mount.by, Means::HandedOn(_)) => {
            "a route of a plain router has a handler that was not found\n\
             help: call the function of the same name in `auth_runtime::routing`"
                .to_owned()
        }
        MountTarget::Made(_) | MountTarget::Closure | MountTarget::Expression => {
            "a handler on a plain router cannot have a policy\n\
             help: write an `async fn` with a policy, and mount it on a `GuardedRouter`"
                .to_owned()
        }
    }
}

/// Returns the finding that a guarded router adds a plain one.
fn added(unguarded: &Unguarded) -> Finding {
    let reason = &unguarded.reason;
    let message = format!(
        "these routes have no policy ({reason})\n\
         help: mount them with a policy, or pass `--allow-unguarded`"
    );
    Finding::new(unguarded.place.clone(), codes::MERGED_UNGUARDED, message)
}

/// The comments with reasons, and those that have a subject.
struct Reasons<'s> {
    all: &'s [Reason],
    /// Those that are not empty, by file.
    by_file: BTreeMap<&'s str, Vec<&'s Reason>>,
    needed: BTreeSet<&'s Place>,
}

impl<'s> Reasons<'s> {
    fn of(all: &'s [Reason]) -> Self {
        let mut by_file: BTreeMap<&str, Vec<&Reason>> = BTreeMap::new();
        for reason in all.iter().filter(|reason| !reason.text.is_empty()) {
            let of_file = by_file.entry(reason.place.file.as_str()).or_default();
            of_file.push(reason);
        }
        Self {
            all,
            by_file,
            needed: BTreeSet::new(),
        }
    }

    /// Returns the reason above a subject in the file of `place` that begins on one of these lines.
    fn above(&mut self, place: &Place, begins_on: impl Fn(usize) -> bool) -> Option<&'s Reason> {
        let of_file = self.by_file.get(place.file.as_str())?;
        let reason = of_file.iter().find(|reason| begins_on(reason.about))?;
        self.needed.insert(&reason.place);
        Some(reason)
    }

    /// Returns the reasons without a subject, and the empty ones.
    fn idle(&self) -> impl Iterator<Item = &'s Reason> {
        let all = self.all.iter();
        all.filter(|reason| !self.needed.contains(&reason.place))
    }
}
