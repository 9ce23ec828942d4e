//! Redundant parts and contradictions that only all parts together reveal.

use super::analysis::{
    can_contradict, contradiction, contradictions, entailed, first_alternatives, is_impossible,
    redundant,
};
use super::implication::{all_of, entails};
use crate::codes;
use crate::errors::Errors;
use crate::lower;
use crate::requirement::{ParsedRequirement, RequirementKind};

/// A requirement, and the attribute that it belongs to.
#[derive(Clone, Copy)]
struct Part<'r> {
    requirement: &'r ParsedRequirement,
    is_of_module: bool,
}

/// Records a part that is redundant in the whole, including the module's requirements, though no
/// single other part makes it redundant. Only one is recorded, because the next may depend on it.
pub(super) fn redundancy(
    module: &[ParsedRequirement],
    own: &[ParsedRequirement],
    errors: &mut Errors,
) {
    let part = |is_of_module| {
        move |requirement| Part {
            requirement,
            is_of_module,
        }
    };
    let around = module.iter().map(part(true));
    let parts: Vec<Part<'_>> = around.chain(own.iter().map(part(false))).collect();
    // All others can be met independently of the rest.
    let doubtful = parts.iter().filter(|part| can_contradict(part.requirement));
    let doubtful: Vec<Part<'_>> = doubtful.copied().collect();
    let is_impossible = |parts: &[Part<'_>]| is_impossible(&requirements(parts));
    if is_impossible(&doubtful) {
        impossible(&least(&doubtful, is_impossible), errors);
        return;
    }
    if allows_every_address(&parts) {
        let message = format!(
            "every IPv4 and IPv6 address meets {}\n\
             help: name only the networks of the allowed callers",
            enumerate(&parts)
        );
        across(&parts, codes::NETWORK, message, errors);
        return;
    }
    let first_own = module.len();
    let idle = redundant(&requirements(&parts), true, |_, part| part >= first_own);
    let members = own.iter().enumerate().flat_map(|(index, top)| {
        let members = members(std::slice::from_ref(top));
        members.into_iter().map(move |member| (index, member))
    });
    let first = members.into_iter().find(|(_, member)| {
        idle.iter()
            .any(|idle| std::ptr::eq(*idle, member.requirement))
    });
    if let Some((index, member)) = first {
        let mut beside = parts.clone();
        let top = beside.remove(first_own + index);
        idle_member(member, top, &beside, errors);
    }
}

fn requirements<'r>(parts: &[Part<'r>]) -> Vec<&'r ParsedRequirement> {
    parts.iter().map(|part| part.requirement).collect()
}

fn allows_every_address(parts: &[Part<'_>]) -> bool {
    let parts = parts.iter().map(|part| part.requirement.clone());
    entails(&all_of(Vec::new()), &all_of(parts.collect()))
}

/// Records parts that no caller meets together, reduced to a minimal contradiction.
fn impossible(parts: &[Part<'_>], errors: &mut Errors) {
    let mut alternatives = first_alternatives(&requirements(parts)).into_iter();
    let clash = alternatives.find_map(|alternative| {
        let (other, one, why) = contradictions(&alternative).into_iter().next()?;
        Some(format!(", for example `{other}` and `{one}` ({why})"))
    });
    let message = format!(
        "contradiction in {}{}\n\
         help: write `any(...)` around the requirements of which one is enough",
        enumerate(parts),
        clash.unwrap_or_default()
    );
    across(parts, codes::CONTRADICTION, message, errors);
}

/// Records a mistake of all these parts, as far as they are in the attribute.
fn across(parts: &[Part<'_>], code: codes::Code, message: String, errors: &mut Errors) {
    let own = || parts.iter().filter(|part| !part.is_of_module);
    if let (Some(first), Some(last)) = (own().next(), own().next_back()) {
        errors.add_across(code, first.requirement.span, last.requirement.end, message);
    }
}

/// Records a redundant member of a list in `top`, or `top` itself: without it, the same callers are
/// allowed.
fn idle_member(member: Member<'_>, top: Part<'_>, beside: &[Part<'_>], errors: &mut Errors) {
    let is_idle = |beside: &[Part<'_>]| {
        let mut parts = requirements(beside);
        parts.push(top.requirement);
        let is_member = |part: &ParsedRequirement| std::ptr::eq(part, member.requirement);
        !redundant(&parts, true, |part, _| is_member(part)).is_empty()
    };
    let reasons = least(beside, is_idle);
    let code = if member.is_alternative() {
        codes::DEAD_ALTERNATIVE
    } else {
        codes::REDUNDANT
    };
    let Member { requirement, .. } = member;
    let message = format!("{}\nhelp: {}", member.why_idle(&reasons), member.advice());
    errors.add_across(code, requirement.span, requirement.end, message);
}

/// Records the first redundant member of a list in `lesser`: without it, denials are shown to the
/// same callers. Callers that meet `all` are never denied.
pub(super) fn idle_exception(
    lesser: &ParsedRequirement,
    all: &ParsedRequirement,
    errors: &mut Errors,
) {
    let may_be_idle =
        |member: &ParsedRequirement, part: usize| part == 0 && !std::ptr::eq(member, lesser);
    let idle = redundant(&[lesser, all], false, may_be_idle);
    let mut members = members(std::slice::from_ref(lesser)).into_iter();
    let is_idle = |member: &Member<'_>| {
        let mut idle = idle.iter();
        idle.any(|idle| std::ptr::eq(*idle, member.requirement))
    };
    if let Some(member) = members.find(is_idle) {
        let Member { requirement, .. } = member;
        let why = if entails(requirement, all) {
            "callers that meet it are never denied"
        } else {
            "the same callers see denials without it"
        };
        let message = format!(
            "`{requirement}` has no effect in `hide_unless`: {why}\nhelp: {}",
            member.advice()
        );
        errors.add_across(
            codes::IDLE_EXCEPTION,
            requirement.span,
            requirement.end,
            message,
        );
    }
}

/// The maximum number of parts that are searched for a minimal set.
const MAX_LEAST: usize = 32;

/// Returns a minimal set of the parts for which `holds` is true, if they are not too many to try.
fn least<'r>(parts: &[Part<'r>], holds: impl Fn(&[Part<'r>]) -> bool) -> Vec<Part<'r>> {
    let mut kept = parts.to_vec();
    if parts.len() > MAX_LEAST {
        return kept;
    }
    for index in (0..parts.len()).rev() {
        let part = kept.remove(index);
        if !holds(&kept) {
            kept.insert(index, part);
        }
    }
    kept
}

/// Formats a list as `` `a`, `b` and `c` ``.
fn enumerate(parts: &[Part<'_>]) -> String {
    let named = |part: &Part<'_>| {
        let whose = if part.is_of_module {
            " of the enclosing module"
        } else {
            ""
        };
        format!("`{}`{whose}", part.requirement)
    };
    if parts.len() > MAX_LEAST {
        let first: Vec<String> = parts.iter().take(4).map(named).collect();
        return format!("{} and {} others", first.join(", "), parts.len() - 4);
    }
    let mut named: Vec<String> = parts.iter().map(named).collect();
    match named.pop() {
        Some(last) if named.is_empty() => last,
        Some(last) => format!("{} and {last}", named.join(", ")),
        None => String::new(),
    }
}

/// A member of a list, at any depth.
#[derive(Clone, Copy)]
struct Member<'r> {
    requirement: &'r ParsedRequirement,
    /// The list; `None` in the attribute itself.
    list: Option<&'r ParsedRequirement>,
}

impl Member<'_> {
    fn is_alternative(&self) -> bool {
        let kind = self.list.map(|list| &list.kind);
        matches!(kind, Some(RequirementKind::Any(_)))
    }

    /// Explains why the same callers are allowed without the member, with the `reasons` that imply
    /// it.
    fn why_idle(&self, reasons: &[Part<'_>]) -> String {
        let Self { requirement, list } = self;
        let implying = entailed(&requirements(reasons), &[requirement]).into_iter();
        let implying = implying.zip(reasons);
        let mut implying =
            implying.filter(|(entailed, _)| entailed.as_ref().is_some_and(|it| !it.is_empty()));
        let implied = implying.next().map(|(_, reason)| reason);
        let mut single = reasons.iter();
        let lowered = lower::requirement(requirement);
        let ruled_out = single.find_map(|reason| {
            let why = contradiction(&lower::requirement(reason.requirement), &lowered)?;
            Some((enumerate(&[*reason]), why))
        });
        let beside = match reasons {
            [] => String::new(),
            reasons => format!(" and {}", enumerate(reasons)),
        };
        match (implied, ruled_out) {
            (_, Some((reason, why))) if self.is_alternative() => format!(
                "redundant alternative: `{requirement}` contradicts {reason}, which is required \
                 too ({why})"
            ),
            (Some(reason), _) => {
                let is_same = reason.requirement.to_string() == requirement.to_string();
                let reason = enumerate(&[*reason]);
                if is_same {
                    format!("redundant requirement: {reason} is required anyway")
                } else {
                    format!(
                        "redundant requirement: {reason} is required anyway, and implies \
                         `{requirement}`"
                    )
                }
            }
            _ if self.is_alternative() => format!(
                "redundant alternative: callers that meet `{requirement}`{beside} also meet \
                 another alternative"
            ),
            _ => match list {
                Some(list) => format!(
                    "redundant requirement: callers that meet the rest of `{list}`{beside} also \
                     meet `{requirement}` or another alternative"
                ),
                None => format!(
                    "redundant requirement: callers that meet {} also meet `{requirement}`",
                    enumerate(reasons)
                ),
            },
        }
    }

    /// Returns the advice for the mistake.
    fn advice(&self) -> String {
        let parts = match self.list.map(|list| &list.kind) {
            Some(RequirementKind::Any(parts)) => Some(("any", parts)),
            Some(RequirementKind::All(parts)) => Some(("all", parts)),
            _ => None,
        };
        // A single remaining member needs no list.
        match parts {
            Some((key, parts)) if parts.len() == 2 => {
                let others = parts
                    .iter()
                    .filter(|part| !std::ptr::eq(*part, self.requirement));
                let left: Vec<String> = others.map(ToString::to_string).collect();
                format!("write `{}` in place of this `{key}(...)`", left.join(", "))
            }
            _ => "remove it".to_owned(),
        }
    }
}

/// Returns every member of every list.
fn members(parts: &[ParsedRequirement]) -> Vec<Member<'_>> {
    let mut found = Vec::new();
    collect(parts, None, &mut found);
    found
}

fn collect<'r>(
    parts: &'r [ParsedRequirement],
    list: Option<&'r ParsedRequirement>,
    members: &mut Vec<Member<'r>>,
) {
    for requirement in parts {
        members.push(Member { requirement, list });
        match &requirement.kind {
            // A single part of a policy cannot be removed.
            _ if requirement.policy.is_some() => {}
            RequirementKind::All(inner) | RequirementKind::Any(inner) => {
                collect(inner, Some(requirement), members);
            }
            _ => {}
        }
    }
}
