//! Routes without a policy.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::codes;

use super::finding::Finding;
use super::mount::{Cover, Means, MountTarget};
use super::open_patterns::OpenPattern;
use super::reasons::Reason;
use super::record::{OpenRouteKind, Sources, Unguarded};
use super::routers::{Definitions, covers, protecting};

/// Returns the open routes without a reason. Open routes with a reason are recorded.
pub(super) fn findings(sources: &mut Sources, patterns: Vec<OpenPattern>) -> Vec<Finding> {
    let names = &sources.names;
    let guarded: BTreeSet<&str> = sources
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    let definitions = Definitions::of(sources);
    let protected = protecting(&definitions);
    let mounts = sources.mounts.iter().filter_map(|mount| {
        let is_service = mount.takes_service(&definitions)?;
        let is_protected = match &mount.target {
            MountTarget::Made(path) => {
                let made_by = names.resolve(mount.scope, path);
                made_by
                    .iter()
                    .all(|path| protected.contains(&path.join("::")))
            }
            _ => false,
        };
        (!is_protected).then_some((mount, is_service))
    });
    let mounts: Vec<_> = mounts.collect();
    let covers = covers(&definitions, mounts.iter().map(|(mount, _)| &*mount.within));
    let mut reasons: BTreeMap<&str, Vec<&Reason>> = BTreeMap::new();
    for reason in sources.reasons.iter().filter(|it| !it.text.is_empty()) {
        let of_file = reasons.entry(reason.place.file.as_str()).or_default();
        of_file.push(reason);
    }
    let mut findings = Vec::new();
    let mut allowed = Vec::new();
    let mut open = Vec::new();
    let mut needed = BTreeSet::new();
    for (mount, is_service) in mounts {
        let what = match &mount.target {
            _ if is_service => "a service on a plain router has no policy\n\
                                help: mount it on a `GuardedRouter` with the policy of a unit \
                                struct"
                .to_owned(),
            MountTarget::Handler(path) => {
                let whole = names.resolve(mount.scope, path);
                let mut whole = whole.iter().map(|path| path.join("::"));
                if whole.all(|it| guarded.contains(it.as_str()) && !sources.bare.contains(&it)) {
                    continue;
                }
                let name = path.join("::");
                format!(
                    "`{name}` is mounted on a plain router, and its policy was not found\n\
                     help: put `#[requires(...)]` or `#[public(reason = \"...\")]` on it, and \
                     mount it on a `GuardedRouter`"
                )
            }
            MountTarget::Router(path) => {
                let name = path.join("::");
                format!(
                    "the router that `{name}` returns is added to a plain router, and its routes \
                     were not found\n\
                     help: give it to `merge_unguarded` of the `GuardedRouter`, with a reason"
                )
            }
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
        };
        let route = |kind, reason| Unguarded {
            place: mount.place.clone(),
            kind,
            reason,
            target: mount.target.name(),
            made: mount.made.clone(),
        };
        let cover = mount.cover.or_else(|| covers.get(&*mount.within).copied());
        if let Some(cover) = cover {
            let is_open = cover == Cover::Excused;
            open.extend(is_open.then(|| route(OpenRouteKind::Excused, String::new())));
            continue;
        }
        let reasons = reasons.get(mount.place.file.as_str()).into_iter().flatten();
        let mut above = reasons.filter(|reason| mount.begins.contains(&reason.about));
        if let Some(reason) = above.next() {
            needed.insert(&reason.place);
            allowed.push(route(OpenRouteKind::Plain, reason.text.clone()));
            continue;
        }
        open.push(route(OpenRouteKind::Unsaid, String::new()));
        findings.push(Finding::new(mount.place.clone(), codes::UNGUARDED, what));
    }
    for pattern in patterns {
        let reasons = reasons.get(pattern.place.file.as_str()).into_iter();
        let mut above = reasons
            .flatten()
            .filter(|it| it.about == pattern.place.line);
        let Some(reason) = above.next() else {
            findings.push(pattern.finding());
            continue;
        };
        needed.insert(&reason.place);
        allowed.push(Unguarded {
            place: pattern.place,
            kind: OpenRouteKind::Covering,
            reason: reason.text.clone(),
            target: pattern.pattern,
            made: String::new(),
        });
    }
    let merged = sources.unguarded.iter().map(|unguarded| {
        let message = format!(
            "these routes have no policy ({})\n\
             help: mount them with a policy, or pass `--allow-unguarded`",
            unguarded.reason
        );
        Finding::new(unguarded.place.clone(), codes::MERGED_UNGUARDED, message)
    });
    findings.extend(merged);
    let idle = sources
        .reasons
        .iter()
        .filter(|reason| !needed.contains(&reason.place));
    findings.extend(idle.map(Reason::finding));
    sources.unguarded.append(&mut allowed);
    sources.open = open;
    findings
}
