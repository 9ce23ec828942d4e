//! Implication: each caller that meets one requirement meets another one.

use auth_runtime_policy::entailment;
use proc_macro2::Span;

use crate::lower;
use crate::requirement::{ParsedRequirement, RequirementKind};

/// Combines requirements as a list without `all` does.
pub(crate) fn all_of(parts: Vec<ParsedRequirement>) -> ParsedRequirement {
    ParsedRequirement::new(
        RequirementKind::All(parts),
        Span::call_site(),
        Span::call_site(),
    )
}

/// Returns whether each caller that meets all of `requirements` is known.
pub fn makes_known(requirements: &[ParsedRequirement]) -> bool {
    entailment::makes_known(&lower::all(requirements))
}

/// Returns whether each caller that meets `a` meets `b`. Undecided cases return `false`, so that a
/// valid policy is never rejected.
pub fn entails(a: &ParsedRequirement, b: &ParsedRequirement) -> bool {
    let [a, b] = [a, b].map(lower::requirement);
    entailment::entails(&a, &b).unwrap_or(false)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::args;
    use crate::errors::Errors;
    use crate::requirement::{Name, Namespace};

    /// Compares implication with every way of granting three names.
    #[test]
    fn entailment_is_sound() {
        let atoms = [
            "authenticated",
            r#"scope = "a""#,
            r#"scope = "b""#,
            r#"role = "a""#,
        ];
        let mut all: Vec<String> = atoms.iter().map(ToString::to_string).collect();
        for key in ["any", "all"] {
            for one in atoms {
                for two in atoms {
                    all.push(format!("{key}({one}, {two})"));
                    all.push(format!("any({one}, all({two}, {}))", atoms[1]));
                    all.push(format!("all({one}, any({two}, {}))", atoms[2]));
                }
            }
        }
        let all: Vec<ParsedRequirement> = all.iter().map(|text| parse(text)).collect();
        for a in &all {
            for b in &all {
                let implied = (0..8).all(|granted| !holds(a, granted) || holds(b, granted));
                assert!(!entails(a, b) || implied, "{a} does not imply {b}");
            }
        }
    }

    pub(in crate::check) fn parse(text: &str) -> ParsedRequirement {
        let read = args::requires(text.parse().expect("tokens"), &mut Errors::default());
        read.requirements.into_iter().next().expect("a requirement")
    }

    pub(in crate::check) fn holds(requirement: &ParsedRequirement, granted: u8) -> bool {
        let bit = |name: &Name, first: u8| {
            let bit = if name.text == "a" { first } else { first << 1 };
            granted & bit != 0
        };
        match &requirement.kind {
            RequirementKind::Authenticated => true,
            RequirementKind::Named(Namespace::Scope, name) => bit(name, 1),
            RequirementKind::Named(_, name) => bit(name, 4),
            RequirementKind::All(parts) => parts.iter().all(|part| holds(part, granted)),
            RequirementKind::Any(parts) => parts.iter().any(|part| holds(part, granted)),
            _ => unreachable!("not used here"),
        }
    }
}
