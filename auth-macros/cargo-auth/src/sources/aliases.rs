//! Policy attributes under another name.

use super::{Finding, Place, Sources};

/// An attribute or an import under another name. Resolution decides whether it is a policy
/// attribute.
pub(super) struct Alias {
    pub(super) place: Place,
    pub(super) scope: usize,
    pub(super) path: Vec<String>,
    /// The name for messages.
    pub(super) shown: String,
}

/// Returns the policy attributes that neither an audit nor the attribute of an enclosing module
/// finds.
pub(super) fn findings(sources: &Sources) -> Vec<Finding> {
    let mut findings = Vec::new();
    for alias in &sources.aliases {
        let mut paths = sources.names.resolve(alias.scope, &alias.path).into_iter();
        let name = paths
            .find(|path| is_attribute(path))
            .and_then(|mut path| path.pop());
        if let Some(name) = name {
            let place = alias.place.clone();
            findings.push(Finding::renamed(place, &name, &alias.shown));
        }
    }
    findings
}

fn is_attribute(path: &[String]) -> bool {
    match path {
        [krate, name] => {
            (krate == "auth_runtime" || krate == "auth_macros")
                && (name == "requires" || name == "public")
        }
        _ => false,
    }
}
