//! The declared objects, and the routes that are about them.

use std::collections::BTreeSet;
use std::fmt;

use auth_runtime_core::adapter::text::{code, visible};
use auth_runtime_core::{AccessRow, Resource};
use auth_runtime_policy::{Policy, ResourcePattern};

/// The object of a row: the path parameters of the requests are those of its id.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowObject {
    resource: Resource,
    pattern: ResourcePattern,
    /// The values of the path parameters, by their names.
    values: Vec<(String, String)>,
    /// True if the policy has several patterns for the type, so that the object alone does not name the row.
    is_one_of_several: bool,
}

impl RowObject {
    pub(super) fn resource(&self) -> &Resource {
        &self.resource
    }

    #[cfg(feature = "serde")]
    pub(super) fn pattern(&self) -> &ResourcePattern {
        &self.pattern
    }

    /// Returns the value of a path parameter, if the object determines it.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.values.iter();
        let (_, value) = values.find(|(own, _)| own == name)?;
        Some(value)
    }

    /// Returns the names of the path parameters that the object determines.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the text for Markdown.
    pub(super) fn to_markdown(&self) -> String {
        let object = code(&self.resource.to_string());
        if self.is_one_of_several {
            format!("{object} as {}", code(self.pattern.as_str()))
        } else {
            object
        }
    }
}

impl fmt::Display for RowObject {
    /// Formats the object as in the records of decisions: `Repository::"ann/garden"`. The pattern follows
    /// if the policy has several for the type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        if self.is_one_of_several {
            write!(f, " as {}", self.pattern)
        } else {
            Ok(())
        }
    }
}

/// Returns the objects that a row is about: for each of them, one entry for each pattern that its id fits.
pub(super) fn objects_of(row: &AccessRow, declared: &[Resource]) -> Vec<RowObject> {
    let mut found = Vec::new();
    for resource in declared {
        let patterns = patterns_of(row, resource.resource_type());
        for pattern in &patterns {
            let Some(values) = pattern.parse_id(resource.id()) else {
                continue;
            };
            let values = values.into_iter();
            found.push(RowObject {
                resource: resource.clone(),
                pattern: (*pattern).clone(),
                values: values
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                is_one_of_several: patterns.len() > 1,
            });
        }
    }
    found
}

/// Returns the mistakes of the declared objects.
pub(super) fn mistakes(rows: &[AccessRow], declared: &[Resource]) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (index, resource) in declared.iter().enumerate() {
        let mut earlier = declared.iter().take(index);
        if earlier.any(|other| other == resource) {
            mistakes.push(format!("two objects are {resource}"));
            continue;
        }
        let kind = resource.resource_type();
        let patterns = rows.iter().flat_map(|row| patterns_of(row, kind));
        let patterns: BTreeSet<_> = patterns.collect();
        if patterns.is_empty() {
            mistakes.push(format!(
                "no policy has a `can` on an object of the type `{}`, so {resource} is not requested",
                visible(kind)
            ));
        } else if patterns
            .iter()
            .all(|it| it.parse_id(resource.id()).is_none())
        {
            let patterns: Vec<_> = patterns.iter().map(|it| format!("`{it}`")).collect();
            let patterns = patterns.join(" or ");
            mistakes.push(format!("{resource} has no id of {patterns}"));
        }
    }
    mistakes
}

/// Returns the patterns of the objects of a type in the policy of a route, each once.
fn patterns_of<'r>(row: &'r AccessRow, resource_type: &str) -> Vec<&'r ResourcePattern> {
    // A fallback responds to unknown paths, which have no object.
    let policy = row.policy().filter(|_| !row.kind().is_fallback());
    let requirements = policy.map(Policy::object_requirements);
    let patterns = requirements
        .into_iter()
        .flatten()
        .filter_map(|it| it.on.pattern());
    let mut found: Vec<&ResourcePattern> = Vec::new();
    for pattern in patterns.filter(|it| it.resource_type() == resource_type) {
        if !found.contains(&pattern) {
            found.push(pattern);
        }
    }
    found
}
