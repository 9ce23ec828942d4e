//! The decision by the text of the rules: each tries credentials, and looks for a grant.

use std::net::{IpAddr, Ipv4Addr};
use std::time::SystemTime;

use auth_runtime::decision::{Context, Decision, Denial};
use auth_runtime::{Caller, Identity, Policy, Rejection};
use auth_runtime_policy::Atom;

use crate::formulas::{
    AGE, CHECKS, CLASS, FRESH, Formula, Kind, METHODS, ROLES, SCOPES, SETTINGS, number_in_kind,
};

/// A policy, in the forms that are decided.
pub struct Case {
    requirement: Formula,
    lesser: Option<Formula>,
    kinds: Vec<Kind>,
}

/// Sets of atoms, one bit for each.
type Set = u16;

/// The expected decision.
#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Grant,
    Unauthenticated {
        rejected: bool,
    },
    StepUp,
    SenderConstraint,
    /// One of these sets of scopes.
    InsufficientScope(Vec<Set>),
    Forbidden,
    Unverifiable,
}

/// The results of the checks: succeeded, and failed. The others deny.
#[derive(Clone, Copy, Debug)]
struct Results {
    succeeded: Set,
    failed: Set,
}

const IN_OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

fn subsets(of: Set) -> impl Iterator<Item = Set> {
    (0..=of).filter(move |set| set & !of == 0)
}

impl Case {
    pub fn new(requirement: Formula, lesser: Option<Formula>, kinds: Vec<Kind>) -> Self {
        Self {
            requirement,
            lesser,
            kinds,
        }
    }

    /// The atoms of these kinds.
    fn of(&self, kinds: &[Kind]) -> Set {
        let atoms = 0..self.kinds.len();
        let own = atoms.filter(|atom| kinds.contains(&self.kinds[*atom]));
        own.map(|atom| 1 << atom).sum()
    }

    fn all(&self) -> Set {
        (1 << self.kinds.len()) - 1
    }

    fn grants(&self, holds: Set) -> bool {
        self.requirement.grants(holds)
    }

    fn policies(&self) -> [Policy; 2] {
        let kinds = &self.kinds;
        let writings: [fn(&Formula, &[Kind]) -> _; 2] =
            [Formula::requirement, Formula::other_writing];
        writings.map(|write| {
            let policy = Policy::requires(write(&self.requirement, kinds));
            match &self.lesser {
                Some(lesser) => policy.hide_as_not_found().hide_unless(write(lesser, kinds)),
                None => policy,
            }
        })
    }

    /// Compares the decisions about all callers, and returns their number.
    pub fn check(&self) -> u64 {
        let mut decided = 0;
        let policies = self.policies();
        // Without `hide_unless`, both the visible and the hidden policy.
        let hidden = policies.clone().map(Policy::hide_as_not_found);
        for place in subsets(self.of(&[Kind::Context])) {
            for can_bind in self.bindings() {
                self.check_unknown(place, can_bind, &mut |expected, facts| {
                    decided += self.compare(&policies, &hidden, place, expected, facts);
                });
                self.check_known(place, can_bind, &mut |holds, results, expected, facts| {
                    decided +=
                        self.compare_known(&policies, &hidden, holds, results, expected, facts);
                });
            }
        }
        decided
    }

    /// Whether the space has a scheme that binds tokens, if the policy depends on it.
    fn bindings(&self) -> impl Iterator<Item = bool> + use<> {
        let is_asked = self.kinds.contains(&Kind::Bound);
        [true, false]
            .into_iter()
            .filter(move |can_bind| *can_bind || is_asked)
    }

    fn context<'c>(&self, caller: &'c Caller, place: Set, can_bind: bool) -> Context<'c> {
        let mut context = Context::new(caller).with_address(ELSEWHERE).at(NOW);
        for (atom, kind) in self.kinds.iter().enumerate() {
            if *kind != Kind::Context {
                continue;
            }
            let is_true = place & (1 << atom) != 0;
            context = match number_in_kind(&self.kinds, atom) {
                0 if is_true => context.with_address(IN_OFFICE),
                0 => context,
                number => context.with_setting(SETTINGS[number], is_true),
            };
        }
        match can_bind {
            true => context,
            false => context.without_binding(),
        }
    }

    /// Rules 1, 2 and 4: grants by the place alone, by some credentials, or by none.
    fn check_unknown(
        &self,
        place: Set,
        can_bind: bool,
        compare: &mut dyn FnMut(&Expected, &Context<'_>),
    ) {
        let impossible = match can_bind {
            true => self.of(&[Kind::Context]),
            false => self.of(&[Kind::Context, Kind::Bound]),
        };
        let mut sets = subsets(self.all() & !impossible);
        let somebody_is_granted = sets.any(|credentials| self.grants(place | credentials));
        for caller in [
            Caller::Anonymous,
            Caller::Rejected(Rejection::Expired),
            Caller::unverifiable(),
        ] {
            let expected = match &caller {
                _ if self.grants(place) => Expected::Grant,
                _ if !somebody_is_granted => Expected::Forbidden,
                Caller::Unverifiable { .. } => Expected::Unverifiable,
                caller => Expected::Unauthenticated {
                    rejected: matches!(caller, Caller::Rejected(_)),
                },
            };
            compare(&expected, &self.context(&caller, place, can_bind));
        }
    }

    fn compare(
        &self,
        shown: &[Policy; 2],
        hidden: &[Policy; 2],
        place: Set,
        expected: &Expected,
        facts: &Context<'_>,
    ) -> u64 {
        let is_concealed = match &self.lesser {
            Some(lesser) => !lesser.grants(place),
            None => false,
        };
        for policy in shown {
            let decision = Decision::of(policy, facts);
            if *expected != Expected::Grant && is_concealed {
                assert_eq!(decision, Decision::Conceal, "{policy} {facts:?}");
                continue;
            }
            self.assert_expected(policy, &decision, expected, facts);
            if let Decision::Deny(Denial::Unauthenticated { scopes, .. }) = &decision {
                let best = self.scopes_for_strangers(place, facts);
                let scopes = self.bits_of(scopes);
                assert!(
                    best.is_empty() && scopes == 0 || best.contains(&scopes),
                    "{policy} {best:?}"
                );
            }
        }
        if self.lesser.is_some() {
            return 2;
        }
        for policy in hidden {
            let decision = Decision::of(policy, facts);
            match expected {
                Expected::Grant => assert_eq!(decision, Decision::Grant, "{policy} {facts:?}"),
                _ => assert_eq!(decision, Decision::Conceal, "{policy} {facts:?}"),
            }
        }
        4
    }

    /// Scopes that suffice for a new login, with roles only if they do not suffice alone.
    fn scopes_for_strangers(&self, place: Set, facts: &Context<'_>) -> Vec<Set> {
        let can_bind = !format!("{facts:?}").contains("can_be_bound: false");
        let login = self.of(&[Kind::Authenticated]) | self.of(&FRESH);
        let bound = if can_bind { self.of(&[Kind::Bound]) } else { 0 };
        let alone = self.best_scopes(0, place | login | bound);
        if !alone.is_empty() {
            return alone;
        }
        let personal = self.all() & !self.of(&[Kind::Context, Kind::Scope, Kind::Bound]);
        self.best_scopes(0, place | personal | bound)
    }

    fn best_scopes(&self, held: Set, others: Set) -> Vec<Set> {
        self.smallest(self.of(&[Kind::Scope]), held, others)
    }

    /// The smallest subsets of `of` that lead to a grant beside `others`, and of these the nearest to `held`.
    fn smallest(&self, of: Set, held: Set, others: Set) -> Vec<Set> {
        let cost = |set: &Set| (set.count_ones(), (set & !held).count_ones());
        let enough = subsets(of).filter(|set| self.grants(others | set));
        let enough: Vec<Set> = enough.collect();
        let best = enough.iter().map(cost).min();
        enough
            .into_iter()
            .filter(|set| Some(cost(set)) == best)
            .collect()
    }

    fn bits_of(&self, scopes: &[std::borrow::Cow<'static, str>]) -> Set {
        let atoms = (0..self.kinds.len()).filter(|atom| {
            self.kinds[*atom] == Kind::Scope
                && scopes
                    .iter()
                    .any(|scope| scope == SCOPES[number_in_kind(&self.kinds, *atom)])
        });
        atoms.map(|atom| 1 << atom).sum()
    }

    fn identity(&self, holds: Set) -> Identity {
        let mut identity = Identity::new("somebody");
        for (atom, kind) in self.kinds.iter().enumerate() {
            if holds & (1 << atom) == 0 {
                continue;
            }
            let number = number_in_kind(&self.kinds, atom);
            identity = match (kind, number) {
                (Kind::Scope, _) => identity.with_scopes([SCOPES[number]]),
                (Kind::Role, _) => identity.with_roles([ROLES[number]]),
                (Kind::Acr, _) => identity.with_acr(CLASS),
                (Kind::Amr, _) => identity.with_amr([METHODS[number]]),
                (Kind::MaxAge, _) => identity.with_auth_time(NOW),
                (Kind::Bound, _) => identity.with_sender_constraint(),
                (Kind::Authenticated | Kind::Check | Kind::Context, _) => identity,
            };
        }
        identity
    }

    /// Rules 1 and 3, for every known caller.
    fn check_known(
        &self,
        place: Set,
        can_bind: bool,
        compare: &mut dyn FnMut(Set, Results, &Expected, &Context<'_>),
    ) {
        let grantable = self.of(&[Kind::Scope, Kind::Role, Kind::Bound]) | self.of(&FRESH);
        let checks = self.of(&[Kind::Check]);
        for granted in subsets(grantable) {
            let caller = Caller::known(self.identity(granted));
            let holds = granted | place | self.of(&[Kind::Authenticated]);
            for oauth in [false, true] {
                let facts = self.context(&caller, place, can_bind);
                let facts = if oauth { facts.by_oauth() } else { facts };
                for succeeded in subsets(checks) {
                    for failed in subsets(checks & !succeeded) {
                        let results = Results { succeeded, failed };
                        let expected = self.by_the_rules(holds, results, oauth, can_bind);
                        compare(holds, results, &expected, &facts);
                    }
                }
            }
        }
    }

    fn by_the_rules(&self, holds: Set, results: Results, oauth: bool, can_bind: bool) -> Expected {
        let certain = holds | results.succeeded;
        let grants = |more: Set| self.grants(certain | more);
        let fresh = self.of(&FRESH);
        let bound = if can_bind { self.of(&[Kind::Bound]) } else { 0 };
        let scopes = self.of(&[Kind::Scope]);
        if grants(0) {
            return Expected::Grant;
        }
        // Rule 4: a failed check may have had either result.
        if grants(results.failed) {
            return Expected::Unverifiable;
        }
        if grants(fresh) {
            return Expected::StepUp;
        }
        if grants(fresh | bound) {
            return Expected::SenderConstraint;
        }
        if oauth && grants(fresh | bound | scopes) {
            let others = (certain & !scopes) | fresh | bound;
            return Expected::InsufficientScope(self.best_scopes(holds, others));
        }
        // Rule 4, with the credentials that the caller can obtain.
        let obtainable = fresh | bound | if oauth { scopes } else { 0 };
        if grants(results.failed | obtainable) {
            return Expected::Unverifiable;
        }
        Expected::Forbidden
    }

    fn compare_known(
        &self,
        shown: &[Policy; 2],
        hidden: &[Policy; 2],
        holds: Set,
        results: Results,
        expected: &Expected,
        facts: &Context<'_>,
    ) -> u64 {
        let is_open = matches!(expected, Expected::Grant | Expected::StepUp);
        let is_concealed = match &self.lesser {
            Some(lesser) => !lesser.grants(holds | results.succeeded),
            None => false,
        };
        for policy in shown {
            let decision = self.decide(policy, facts, results);
            if !is_open && is_concealed {
                assert_eq!(
                    decision,
                    Decision::Conceal,
                    "{policy} {facts:?} {results:?}"
                );
            } else {
                self.assert_expected(policy, &decision, expected, facts);
                self.assert_login(&decision, holds, results.succeeded, policy);
            }
        }
        if self.lesser.is_some() {
            return 2;
        }
        for policy in hidden {
            let decision = self.decide(policy, facts, results);
            if is_open {
                self.assert_expected(policy, &decision, expected, facts);
            } else {
                assert_eq!(
                    decision,
                    Decision::Conceal,
                    "{policy} {facts:?} {results:?}"
                );
            }
        }
        4
    }

    /// Decides like a router: runs each check that is necessary.
    fn decide(&self, policy: &Policy, facts: &Context<'_>, results: Results) -> Decision {
        let mut facts = facts.clone();
        let mut asked = 0;
        loop {
            let atom = match Decision::of(policy, &facts) {
                Decision::Undecided(atom) => atom,
                decision => return decision,
            };
            let Atom::Check(name) = &atom else {
                panic!("{atom:?} is not a check");
            };
            let place = (0..self.kinds.len()).find(|place| {
                self.kinds[*place] == Kind::Check
                    && CHECKS[number_in_kind(&self.kinds, *place)] == name
            });
            let bit = 1 << place.expect("a check of the policy");
            assert_eq!(asked & bit, 0, "{policy}: {name} is asked twice");
            asked |= bit;
            let result = match (results.succeeded & bit != 0, results.failed & bit != 0) {
                (true, _) => Some(true),
                (_, true) => None,
                _ => Some(false),
            };
            facts = facts.answered(atom, result);
        }
    }

    fn assert_expected(
        &self,
        policy: &Policy,
        decision: &Decision,
        expected: &Expected,
        facts: &Context<'_>,
    ) {
        let is_expected = match (decision, expected) {
            (Decision::Grant, Expected::Grant) => true,
            (Decision::Deny(denial), expected) => match (denial, expected) {
                (
                    Denial::Unauthenticated { rejection, .. },
                    Expected::Unauthenticated { rejected },
                ) => rejection.is_some() == *rejected,
                (Denial::InsufficientScope { scopes, .. }, Expected::InsufficientScope(best)) => {
                    best.contains(&self.bits_of(scopes))
                }
                (Denial::StepUp { .. }, Expected::StepUp)
                | (Denial::SenderConstraintRequired, Expected::SenderConstraint)
                | (Denial::Forbidden { reason: None }, Expected::Forbidden)
                | (Denial::Unverifiable { .. }, Expected::Unverifiable) => true,
                _ => false,
            },
            _ => false,
        };
        assert!(
            is_expected,
            "{policy}: {decision:?}, not {expected:?}: {facts:?}"
        );
    }

    /// The requested class and age are those of a smallest set that leads to a grant, beside the methods, which no
    /// field requests. The new login replaces the present one, so it needs what the caller has already.
    fn assert_login(&self, decision: &Decision, holds: Set, succeeded: Set, policy: &Policy) {
        let Decision::Deny(Denial::StepUp {
            acr_values,
            max_age,
        }) = decision
        else {
            return;
        };
        let is_requested = |set: &Set| {
            let has = |kind| set & self.of(&[kind]) != 0;
            let classes = has(Kind::Acr).then_some(CLASS);
            acr_values.iter().eq(&classes) && *max_age == has(Kind::MaxAge).then_some(AGE)
        };
        let fresh = self.of(&FRESH);
        // A check that cannot change the status does not run.
        let mut certain = subsets(succeeded).map(|checks| (holds & !fresh) | checks);
        assert!(
            certain.any(|others| self.smallest(fresh, holds, others).iter().any(is_requested)),
            "{policy} {decision:?} {holds:b} {succeeded:b}"
        );
    }
}
