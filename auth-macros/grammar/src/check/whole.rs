//! What changes nothing, and what nobody can meet, once all parts are looked at together.

use ipnet::IpNet;

use super::ways::{all_of, common, entails, is_possible, ways};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Kind, Requirement};
use crate::values;

/// Notes what changes nothing in the whole, `context` and all, though no single other part makes it so;
/// one at a time, since the next may depend on it.
pub(super) fn whole(context: &[Requirement], own: &[Requirement], errors: &mut Errors) {
    let whole = [context, own].concat();
    let (Some(first), Some(last)) = (own.first(), own.last()) else {
        return;
    };
    if is_impossible(&whole) {
        let parts = least(&whole, is_impossible);
        let message = format!(
            "nobody meets {} together: each way to meet one of them rules out another; write \
             `any(...)` where either is enough",
            enumerate(&parts)
        );
        errors.add_across(codes::CONTRADICTION, first.span, last.end, message);
        return;
    }
    if let Some(kind) = everybody(&whole) {
        let message = format!(
            "these networks together are every {kind} address there is, so they keep nobody out; \
             leave out those that this is not about"
        );
        errors.add_across(codes::NETWORK, first.span, last.end, message);
        return;
    }
    for (index, top) in own.iter().enumerate() {
        let mut beside = whole.clone();
        beside.remove(context.len() + index);
        if idle_member(top, &beside, errors) {
            return;
        }
    }
}

/// Notes the first member of a list in `top`, or `top` itself, without which the same callers get in.
fn idle_member(top: &Requirement, beside: &[Requirement], errors: &mut Errors) -> bool {
    let top = std::slice::from_ref(top);
    let mut members = Vec::new();
    collect(top, true, &mut members);
    for (member, is_all) in members {
        let rest = without(top, member);
        let is_idle = |beside: &[Requirement]| {
            let before = all_of([beside, top].concat());
            let after = all_of([beside, &rest].concat());
            entails(&before, &after) && entails(&after, &before)
        };
        if !is_idle(beside) {
            continue;
        }
        let reasons = match least(beside, is_idle).as_slice() {
            [] => "with what stands around it".to_owned(),
            reasons => format!("beside {}", enumerate(reasons)),
        };
        let (code, what) = if is_all {
            (codes::REDUNDANT, format!("`{member}` adds nothing"))
        } else {
            let what = format!("the alternative `{member}` never decides");
            (codes::DEAD_ALTERNATIVE, what)
        };
        let message = format!("{what}: {reasons}, the same callers get in without it; remove it");
        errors.add_across(code, member.span, member.end, message);
        return true;
    }
    false
}

/// As few of the parts as it takes for `holds` to stay true.
fn least(parts: &[Requirement], holds: impl Fn(&[Requirement]) -> bool) -> Vec<Requirement> {
    let mut kept = parts.to_vec();
    for index in (0..parts.len()).rev() {
        let part = kept.remove(index);
        if !holds(&kept) {
            kept.insert(index, part);
        }
    }
    kept
}

/// `` `a`, `b` and `c` ``.
fn enumerate(parts: &[Requirement]) -> String {
    let mut quoted: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
    match quoted.pop() {
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} and {last}", quoted.join(", ")),
        None => String::new(),
    }
}

fn is_impossible(parts: &[Requirement]) -> bool {
    let all = all_of(parts.to_vec());
    ways(&all).is_some_and(|ways| !ways.iter().any(is_possible))
}

/// The kind of address of which every one is let in.
fn everybody(whole: &[Requirement]) -> Option<&'static str> {
    let whole = all_of(whole.to_vec());
    let ways = ways(&whole)?;
    let is_network = |single: &&Requirement| matches!(single.kind, Kind::Network(_));
    let open = ways.iter().filter(|way| way.iter().all(is_network));
    let blocks: Vec<IpNet> = open.filter_map(common).flatten().collect();
    values::every_address(&blocks)
}

/// Every member of every list, with whether that list is an `all`.
fn collect<'a>(parts: &'a [Requirement], is_all: bool, members: &mut Vec<(&'a Requirement, bool)>) {
    for part in parts {
        members.push((part, is_all));
        match &part.kind {
            _ if part.policy.is_some() => {}
            Kind::All(inner) => collect(inner, true, members),
            Kind::Any(inner) => collect(inner, false, members),
            _ => {}
        }
    }
}

/// The parts as they would be without that member of one of their lists.
fn without(parts: &[Requirement], member: &Requirement) -> Vec<Requirement> {
    let kept = parts.iter().filter(|part| !std::ptr::eq(*part, member));
    kept.map(|part| {
        let kind = match &part.kind {
            Kind::All(inner) => Kind::All(without(inner, member)),
            Kind::Any(inner) => Kind::Any(without(inner, member)),
            single => single.clone(),
        };
        Requirement {
            kind,
            ..part.clone()
        }
    })
    .collect()
}
