//! The settings that a policy depends on.

use super::Policy;
use crate::requirement::{Atom, Group, Requirement};

impl Policy {
    /// The equivalent policy while the setting `name` has this value.
    ///
    /// ```
    /// # extern crate auth_runtime_policy as auth_runtime;
    /// use auth_runtime::{Policy, Requirement};
    ///
    /// let pull = Requirement::any([Requirement::setting("open"), Requirement::scope("pull")]);
    /// let closed = Policy::requires(pull).with_setting("open", false);
    /// assert_eq!(closed.to_string(), r#"requires(scope = "pull")"#);
    /// ```
    #[must_use]
    pub fn with_setting(&self, name: &str, value: bool) -> Self {
        let policy = self.map(|requirement| requirement.with_setting(name, value));
        match policy.shown_to() {
            Some(lesser) if *lesser == Requirement::always() => policy.shown(),
            Some(lesser) if *lesser == Requirement::never() => policy.hide_as_not_found(),
            _ => policy,
        }
    }

    /// The settings that the policy depends on, each once, in the order of the attribute.
    ///
    /// ```
    /// # extern crate auth_runtime_policy as auth_runtime;
    /// use auth_runtime::{Policy, Requirement};
    ///
    /// let pull = Requirement::any([Requirement::setting("open"), Requirement::scope("pull")]);
    /// assert_eq!(Policy::requires(pull).settings(), ["open"]);
    /// ```
    pub fn settings(&self) -> Vec<&str> {
        let mut names = Vec::new();
        // Most policies have none, and each request asks for them.
        if !self
            .groups
            .union(self.groups_of_lesser)
            .contain(Group::Context)
        {
            return names;
        }
        for atom in self.requirements().flat_map(Requirement::atoms) {
            if let Atom::Setting(name) = atom
                && !names.contains(&name.as_ref())
            {
                names.push(name.as_ref());
            }
        }
        names
    }
}
