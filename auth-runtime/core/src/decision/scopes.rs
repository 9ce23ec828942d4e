//! The scopes that a denied caller has to request.

use std::borrow::Cow;

use auth_runtime_policy::dnf::{AtomState, minimal_set};
use auth_runtime_policy::{Atom, Group};

use super::{Evaluator, first_open, truth_by_remedies};

type Scopes = Vec<Cow<'static, str>>;

impl<'p> Evaluator<'p, '_> {
    /// The scopes that an unknown caller should request: a set that suffices alone if there is one,
    /// or else a set that suffices together with roles or permissions. The login method is left to
    /// the authorization server.
    pub(super) fn scopes_to_ask_for(&self) -> Scopes {
        let by_scopes_alone = |atom: &Atom| match atom.group() {
            Group::Context => self.holds(atom),
            Group::Freshness => true,
            Group::Binding => self.context.can_bind(atom),
            Group::Identity => *atom == Atom::Authenticated,
        };
        let with_anything = |atom: &Atom| self.holds(atom) || self.context.depends_on_login(atom);
        self.minimal_scopes(&by_scopes_alone)
            .or_else(|| self.minimal_scopes(&with_anything))
            .unwrap_or_default()
    }

    /// The smallest sufficient set of scopes. Its computation needs the results of all checks, and of the
    /// decision point.
    pub(super) fn insufficient_scopes(&self) -> Result<Scopes, &'p Atom> {
        let truth = |atom: &Atom| truth_by_remedies(atom, self.context);
        if let Some(open) = first_open(self.requirement, &truth, self.context) {
            return Err(open);
        }
        let scopes = self.minimal_scopes(&|atom| {
            self.context.is_fresh(atom) || self.context.can_bind(atom) || self.holds(atom)
        });
        Ok(scopes.unwrap_or_default())
    }

    /// The scopes of the smallest set of scopes that meets the requirement; `None` if scopes do not suffice.
    /// `truth` is the truth of every atom that no scope makes true.
    fn minimal_scopes(&self, truth: &dyn Fn(&Atom) -> bool) -> Option<Scopes> {
        let set = minimal_set(
            self.requirement,
            &|atom| match self.context.scope_of(atom) {
                Some(_) if self.holds(atom) => AtomState::Held,
                Some(_) => AtomState::Missing,
                None if truth(atom) => AtomState::True,
                None => AtomState::False,
            },
        )?;
        let scopes = set
            .into_iter()
            .filter_map(|atom| self.context.scope_of(atom));
        Some(scopes.cloned().collect())
    }
}
