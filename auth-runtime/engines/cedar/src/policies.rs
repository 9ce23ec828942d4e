//! The policies: reading, validation, ids.

use std::path::PathBuf;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use crate::error::{CedarError, describe};

/// A text with policies, or a file that has one.
#[derive(Debug)]
pub(crate) enum Source {
    Text(String),
    File(PathBuf),
}

/// Reads all sources, and validates them against the schema.
pub(crate) fn read(sources: &[Source], schema: Option<&Schema>) -> Result<PolicySet, CedarError> {
    let validator = schema.cloned().map(Validator::new);
    let (mut texts, mut count) = (0, 0);
    let mut all = PolicySet::new();
    for source in sources {
        let (file, text) = match source {
            Source::Text(text) => {
                texts += 1;
                let file = match texts {
                    1 => "policies".to_owned(),
                    further => format!("policies {further}"),
                };
                (file, text.clone())
            }
            Source::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| CedarError::File {
                    path: path.clone(),
                    problem: error.to_string(),
                })?;
                (path.display().to_string(), text)
            }
        };
        let own = parse(&file, &text)?;
        if let Some(validator) = &validator {
            validate(&file, &text, &own, validator)?;
        }
        for policy in own.policies() {
            let policy = policy.new_id(id_of(policy, count));
            all.add(policy).map_err(|error| {
                CedarError::Policies(format!(
                    "{file}: {error}; the annotation `@id` has to be unique"
                ))
            })?;
        }
        count += own.num_of_policies();
    }
    if all.is_empty() {
        Err(CedarError::NoPolicies)
    } else {
        Ok(all)
    }
}

fn parse(file: &str, text: &str) -> Result<PolicySet, CedarError> {
    let policies: PolicySet = text
        .parse()
        .map_err(|errors| CedarError::Policies(describe(file, text, &errors)))?;
    // Without values for its slots, a template has no effect. A `forbid` would be missing.
    if let Some(template) = policies.templates().next() {
        let problem = format!(
            "{file}: `{}` is a template, and values for its slots are not supported",
            template.id(),
        );
        return Err(CedarError::Policies(problem));
    }
    Ok(policies)
}

fn validate(
    file: &str,
    text: &str,
    policies: &PolicySet,
    validator: &Validator,
) -> Result<(), CedarError> {
    let result = validator.validate(policies, ValidationMode::Strict);
    let errors = result.validation_errors();
    let mut mistakes: Vec<String> = errors.map(|error| describe(file, text, error)).collect();
    if !mistakes.is_empty() {
        mistakes.sort();
        return Err(CedarError::Policies(mistakes.join("\n")));
    }
    for warning in result.validation_warnings() {
        tracing::warn!("Cedar policies: {}", describe(file, text, warning));
    }
    Ok(())
}

/// Returns the annotation `@id`, or else `policy` and the number of the policy among those of all sources.
fn id_of(policy: &Policy, before: usize) -> PolicyId {
    match policy.annotation("id") {
        Some(id) if !id.is_empty() => PolicyId::new(id),
        _ => {
            let own: &str = policy.id().as_ref();
            let number = own
                .strip_prefix("policy")
                .and_then(|own| own.parse::<usize>().ok());
            number.map_or_else(
                || policy.id().clone(),
                |own| PolicyId::new(format!("policy{}", before + own)),
            )
        }
    }
}
