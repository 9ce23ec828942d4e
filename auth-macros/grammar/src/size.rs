//! The size of policies.

use proc_macro2::Span;

use crate::codes;
use crate::declared::Vocabulary;
use crate::errors::Errors;
use crate::requirement::{ParsedRequirement, RequirementKind, Requires};

/// The maximum number of single requirements of a policy, with those of the enclosing modules. Each name
/// counts, each name that implies it, and each block of addresses.
pub const MAX_SIZE: usize = 1024;

/// Checks the size. With a vocabulary, the policies in it are counted before they are resolved.
pub(crate) fn is_too_large(
    requires: &Requires,
    vocabulary: Option<&Vocabulary>,
    errors: &mut Errors,
) -> bool {
    let of_policies = |part: &ParsedRequirement| {
        vocabulary.map_or(0, |vocabulary| size_of_policies(part, vocabulary))
    };
    let mut size = 0;
    let mut of = Some(requires);
    while let Some(requires) = of {
        let lesser = requires.hide_unless.iter().map(|hidden| &hidden.lesser);
        let parts = requires.requirements.iter().chain(lesser);
        size += parts
            .map(|part| part.size().max(of_policies(part)))
            .sum::<usize>();
        of = requires.module.as_deref();
    }
    let is_too_large = size > MAX_SIZE;
    if is_too_large {
        let message = too_large(size);
        errors.add(codes::TOO_LARGE, Span::call_site(), message);
    }
    is_too_large
}

fn too_large(size: usize) -> String {
    format!(
        "this policy has {size} requirements; the maximum is {MAX_SIZE}\n\
         help: require a role or a permission in place of several requirements"
    )
}

/// Returns the number of single requirements in the vocabulary policies that a requirement names.
fn size_of_policies(requirement: &ParsedRequirement, vocabulary: &Vocabulary) -> usize {
    match &requirement.kind {
        RequirementKind::Policy(name) => vocabulary
            .policies
            .get(&name.text)
            .map_or(0, |policy| policy.size),
        RequirementKind::All(parts) | RequirementKind::Any(parts) => parts
            .iter()
            .map(|part| size_of_policies(part, vocabulary))
            .sum(),
        _ => 0,
    }
}
