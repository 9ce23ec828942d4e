//! What changes nothing, and what nobody can meet, once all parts are looked at together.

use super::logic::contradiction;
use super::ways::{all_of, any_of, entails, is_possible, ways};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Kind, Requirement};

/// A requirement, and whose it is.
#[derive(Clone, Copy)]
struct Part<'r> {
    requirement: &'r Requirement,
    is_of_module: bool,
}

/// Notes what changes nothing in the whole, with what the module around asks for, though no single
/// other part makes it so; one at a time, since the next may depend on it.
pub(super) fn whole(module: &[Requirement], own: &[Requirement], errors: &mut Errors) {
    let part = |is_of_module| {
        move |requirement| Part {
            requirement,
            is_of_module,
        }
    };
    let around = module.iter().map(part(true));
    let parts: Vec<Part<'_>> = around.chain(own.iter().map(part(false))).collect();
    if is_impossible(&parts) {
        impossible(&least(&parts, is_impossible), errors);
        return;
    }
    if lets_everybody_in(&parts) {
        let message = format!(
            "{} lets every address in, of IPv4 and of IPv6, so it keeps nobody out; leave out the \
             networks that this is not about",
            enumerate(&parts)
        );
        across(&parts, codes::NETWORK, message, errors);
        return;
    }
    for (index, top) in own.iter().enumerate() {
        let mut beside = parts.clone();
        beside.remove(module.len() + index);
        if idle_member(top, &beside, errors) {
            return;
        }
    }
}

fn requirement_of(parts: &[Part<'_>]) -> Requirement {
    all_of(parts.iter().map(|part| part.requirement.clone()).collect())
}

fn is_impossible(parts: &[Part<'_>]) -> bool {
    let all = requirement_of(parts);
    ways(&all).is_some_and(|ways| !ways.iter().any(is_possible))
}

fn lets_everybody_in(parts: &[Part<'_>]) -> bool {
    entails(&all_of(Vec::new()), &requirement_of(parts))
}

/// Nobody meets these together, and of fewer of them somebody would.
fn impossible(parts: &[Part<'_>], errors: &mut Errors) {
    let all = requirement_of(parts);
    let clash = ways(&all).and_then(|ways| {
        ways.iter().find_map(|way| {
            way.iter().enumerate().find_map(|(index, one)| {
                let mut earlier = way.iter().take(index);
                earlier.find_map(|other| {
                    let why = contradiction(other, one)?;
                    Some(format!(", such as `{other}` and `{one}` ({why})"))
                })
            })
        })
    });
    let message = format!(
        "nobody meets {} together: each way to do so asks for what rules each other out{}; write \
         `any(...)` around those of which one is enough",
        enumerate(parts),
        clash.unwrap_or_default()
    );
    across(parts, codes::CONTRADICTION, message, errors);
}

/// Notes a mistake of all these parts, as far as they stand in the attribute.
fn across(parts: &[Part<'_>], code: codes::Code, message: String, errors: &mut Errors) {
    let own = || parts.iter().filter(|part| !part.is_of_module);
    if let (Some(first), Some(last)) = (own().next(), own().next_back()) {
        errors.add_across(code, first.requirement.span, last.requirement.end, message);
    }
}

/// Notes the first member of a list in `top`, or `top` itself, without which the same callers get in.
fn idle_member(top: &Requirement, beside: &[Part<'_>], errors: &mut Errors) -> bool {
    let alone = std::slice::from_ref(top);
    for member in members(alone) {
        let rest = all_of(without(alone, member.requirement));
        let is_idle = |beside: &[Part<'_>]| {
            let beside = requirement_of(beside);
            let before = all_of(vec![beside.clone(), top.clone()]);
            let after = all_of(vec![beside, rest.clone()]);
            entails(&before, &after) && entails(&after, &before)
        };
        if is_idle(beside) {
            let reasons = least(beside, is_idle);
            let code = if member.is_alternative() {
                codes::DEAD_ALTERNATIVE
            } else {
                codes::REDUNDANT
            };
            let Member { requirement, .. } = member;
            let message = format!("{}; {}", member.why_idle(&reasons), member.advice());
            errors.add_across(code, requirement.span, requirement.end, message);
            return true;
        }
    }
    false
}

/// Notes the first member of a list in `lesser` without which denials are shown to the same callers,
/// where whoever meets `all` is denied nothing.
pub(super) fn idle_exception(lesser: &Requirement, all: &Requirement, errors: &mut Errors) {
    let alone = std::slice::from_ref(lesser);
    let seen_by = |lesser: Requirement| any_of(vec![lesser, all.clone()]);
    for member in members(alone) {
        let before = seen_by(lesser.clone());
        let after = seen_by(all_of(without(alone, member.requirement)));
        let is_whole = std::ptr::eq(member.requirement, lesser);
        if !is_whole && entails(&before, &after) && entails(&after, &before) {
            let Member { requirement, .. } = member;
            let why = if entails(requirement, all) {
                "whoever meets it is let in"
            } else {
                "the same callers are told of denials without it"
            };
            let message = format!(
                "`{requirement}` changes nothing in `hide_unless`: {why}; {}",
                member.advice()
            );
            errors.add_across(
                codes::SHOWN_TO_NOBODY,
                requirement.span,
                requirement.end,
                message,
            );
            return;
        }
    }
}

/// As few of the parts as it takes for `holds` to stay true.
fn least<'r>(parts: &[Part<'r>], holds: impl Fn(&[Part<'r>]) -> bool) -> Vec<Part<'r>> {
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
fn enumerate(parts: &[Part<'_>]) -> String {
    let named = |part: &Part<'_>| {
        let whose = if part.is_of_module {
            " of the module around it"
        } else {
            ""
        };
        format!("`{}`{whose}", part.requirement)
    };
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
    requirement: &'r Requirement,
    /// `None` in the attribute itself.
    list: Option<&'r Requirement>,
}

impl Member<'_> {
    fn is_alternative(&self) -> bool {
        let kind = self.list.map(|list| &list.kind);
        matches!(kind, Some(Kind::Any(_)))
    }

    /// Why the same callers get in without it, where it takes `reasons` for that.
    fn why_idle(&self, reasons: &[Part<'_>]) -> String {
        let Self { requirement, list } = self;
        let mut single = reasons.iter();
        let implied = single.find(|reason| entails(reason.requirement, requirement));
        let mut single = reasons.iter();
        let ruled_out = single.find_map(|reason| {
            let why = contradiction(reason.requirement, requirement)?;
            Some((enumerate(&[*reason]), why))
        });
        let beside = match reasons {
            [] => String::new(),
            reasons => format!(" and {}", enumerate(reasons)),
        };
        match (implied, ruled_out) {
            (_, Some((reason, why))) if self.is_alternative() => format!(
                "`{requirement}` never decides: nobody gets in by it, since {reason} is required too, and \
                 {why}"
            ),
            (Some(reason), _) if !self.is_alternative() => {
                let is_same = reason.requirement.to_string() == requirement.to_string();
                let meets = if is_same {
                    ""
                } else {
                    ", and whoever meets that meets it"
                };
                let reason = enumerate(&[*reason]);
                format!("`{requirement}` adds nothing: {reason} is required anyway{meets}")
            }
            _ if self.is_alternative() => format!(
                "`{requirement}` never decides: whoever meets it{beside} gets in without it, by another \
                 alternative"
            ),
            _ => match list {
                Some(list) => format!(
                    "`{requirement}` adds nothing: whoever meets the rest of `{list}`{beside} meets it \
                     already, or gets in by another alternative"
                ),
                None => format!(
                    "`{requirement}` adds nothing: whoever meets {} meets it already",
                    enumerate(reasons)
                ),
            },
        }
    }

    /// What to do about it.
    fn advice(&self) -> String {
        let parts = match self.list.map(|list| &list.kind) {
            Some(Kind::Any(parts)) => Some(("any", parts)),
            Some(Kind::All(parts)) => Some(("all", parts)),
            _ => None,
        };
        // What is left over needs no list.
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

/// Every member of every list.
fn members(parts: &[Requirement]) -> Vec<Member<'_>> {
    let mut found = Vec::new();
    collect(parts, None, &mut found);
    found
}

fn collect<'r>(
    parts: &'r [Requirement],
    list: Option<&'r Requirement>,
    members: &mut Vec<Member<'r>>,
) {
    for requirement in parts {
        members.push(Member { requirement, list });
        match &requirement.kind {
            // Nobody can leave a part of a policy out.
            _ if requirement.policy.is_some() => {}
            Kind::All(inner) | Kind::Any(inner) => collect(inner, Some(requirement), members),
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
