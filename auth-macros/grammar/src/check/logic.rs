//! Redundant parts and contradictions between two parts.

use std::collections::BTreeSet;

use super::analysis::{contradictions, entailed};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{ParsedRequirement, RequirementKind};

/// Records each `any(...)` and `all(...)` with a single member, at any depth. `write` formats that
/// member for the position of the outermost list.
pub(super) fn wrappers(
    requirement: &ParsedRequirement,
    write: fn(&ParsedRequirement) -> String,
    errors: &mut Errors,
) {
    if requirement.policy.is_some() {
        return;
    }
    let (key, parts) = match &requirement.kind {
        RequirementKind::All(parts) => ("all", parts),
        RequirementKind::Any(parts) => ("any", parts),
        _ => return,
    };
    if let [only] = parts.as_slice() {
        errors.add_across(
            codes::WRAPPER,
            requirement.span,
            requirement.end,
            format!(
                "redundant `{key}(...)` around a single requirement\nhelp: write `{}`",
                write(only)
            ),
        );
    }
    for part in parts {
        wrappers(part, ParsedRequirement::to_string, errors);
    }
}

/// Records redundant parts of a list, and of the lists in it.
pub(super) fn list(parts: &[ParsedRequirement], is_all: bool, errors: &mut Errors) {
    let mut flat = Vec::new();
    flatten(parts, is_all, &mut flat);
    let redundant = redundant(&flat, is_all);
    for Redundant {
        part,
        other,
        is_same,
    } in redundant
    {
        let message = if part.to_string() == other.to_string() {
            format!("duplicate requirement `{part}`\nhelp: remove it")
        } else if is_same {
            format!(
                "redundant requirement: `{part}` is equivalent to `{other}`\n\
                 help: remove one of them"
            )
        } else if is_all {
            format!("redundant requirement: `{other}` implies `{part}`\nhelp: remove `{part}`")
        } else {
            format!(
                "redundant alternative: `{part}` implies `{other}`\n\
                 help: remove `{part}`, or remove `{other}` to require more"
            )
        };
        let code = if is_all || is_same {
            codes::REDUNDANT
        } else {
            codes::DEAD_ALTERNATIVE
        };
        errors.add_across(code, part.span, part.end, message);
    }
    let contradictions = if is_all {
        contradictions(&flat)
    } else {
        Vec::new()
    };
    for (earlier, part, why) in contradictions {
        let message = format!(
            "contradiction between `{earlier}` and `{part}`: {why}\n\
             help: write `any({earlier}, {part})` to require one of them"
        );
        errors.add_across(codes::CONTRADICTION, earlier.span, part.end, message);
    }
    // After flattening, the nested lists are of the other kind.
    for part in flat {
        match &part.kind {
            // The policy was checked when the vocabulary was read.
            _ if part.policy.is_some() => {}
            RequirementKind::All(inner) => list(inner, true, errors),
            RequirementKind::Any(inner) => list(inner, false, errors),
            _ => {}
        }
    }
}

/// A redundant part, and the part that makes it redundant.
struct Redundant<'r> {
    part: &'r ParsedRequirement,
    other: &'r ParsedRequirement,
    /// True if both are equivalent.
    is_same: bool,
}

/// Returns the redundant parts. Of equivalent parts only the later ones are returned, so that one
/// remains after all of them are removed.
fn redundant<'r>(flat: &[&'r ParsedRequirement], is_all: bool) -> Vec<Redundant<'r>> {
    // For each part, the parts that make it redundant.
    let mut beside = vec![BTreeSet::new(); flat.len()];
    for (one, entailed) in entailed(flat, flat).into_iter().enumerate() {
        for other in entailed.unwrap_or_default() {
            let (part, by) = if is_all { (other, one) } else { (one, other) };
            if let Some(beside) = beside.get_mut(part) {
                beside.insert(by);
            }
        }
    }
    let is_beside = |part: usize, by: usize| beside.get(part).is_some_and(|it| it.contains(&by));
    let mut found = Vec::new();
    for (index, part) in flat.iter().enumerate() {
        let others = beside.get(index).into_iter().flatten().copied();
        let mut others = others.filter(|by| *by != index);
        let other = others.find(|by| *by < index || !is_beside(*by, index));
        if let Some(by) = other
            && let Some(other) = flat.get(by)
        {
            found.push(Redundant {
                part,
                other,
                is_same: is_beside(by, index),
            });
        }
    }
    found
}

/// Flattens an `all` in an `all`, and an `any` in an `any`, into one list.
fn flatten<'a>(
    parts: &'a [ParsedRequirement],
    is_all: bool,
    flat: &mut Vec<&'a ParsedRequirement>,
) {
    for part in parts {
        match (&part.kind, is_all) {
            // A policy is one unit: its parts cannot be removed.
            _ if part.policy.is_some() => flat.push(part),
            (RequirementKind::All(inner), true) | (RequirementKind::Any(inner), false) => {
                flatten(inner, is_all, flat);
            }
            _ => flat.push(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::implication::tests::{holds, parse};

    /// Removing every reported part changes nothing, and leaves at least one.
    #[test]
    fn following_the_advice_changes_nothing() {
        let parts = [
            "authenticated",
            r#"scope = "a""#,
            r#"scope = "b""#,
            r#"role = "a""#,
            r#"any(scope = "a", role = "a")"#,
            r#"any(role = "a", scope = "a")"#,
            r#"all(scope = "a", scope = "b")"#,
            r#"any(scope = "a", all(scope = "b", role = "a"))"#,
            r#"all(scope = "a", any(scope = "b", role = "a"))"#,
            r#"any(all(scope = "a", scope = "b"), all(scope = "a", role = "a"))"#,
        ];
        let parts = parts.map(parse);
        for one in &parts {
            for two in &parts {
                for three in &parts {
                    for is_all in [true, false] {
                        // Cloned, so that the same part three times is three parts.
                        let flat = [one, two, three].map(ParsedRequirement::clone);
                        let flat = flat.each_ref();
                        let named = redundant(&flat, is_all);
                        let is_named = |part: &&ParsedRequirement| {
                            named.iter().any(|other| std::ptr::eq(*part, other.part))
                        };
                        let kept: Vec<_> =
                            flat.into_iter().filter(|part| !is_named(part)).collect();
                        assert!(!kept.is_empty(), "{one}, {two}, {three}; all: {is_all}");
                        let join = |parts: &[&ParsedRequirement], granted| {
                            let mut parts = parts.iter().map(|part| holds(part, granted));
                            if is_all {
                                parts.all(|it| it)
                            } else {
                                parts.any(|it| it)
                            }
                        };
                        for granted in 0..8 {
                            assert_eq!(
                                join(&kept, granted),
                                join(&flat, granted),
                                "{one}, {two}, {three}; all: {is_all}"
                            );
                        }
                    }
                }
            }
        }
    }
}
