//! The context that a requirement is evaluated in.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use auth_runtime_policy::{Atom, Group, Truth};

use crate::caller::Caller;
use crate::clock::Clock;
use crate::decision_point::object_decision::ObjectDecision;
use crate::settings::Settings;

/// Everything known about one request when its policy is evaluated.
///
/// ```
/// use auth_runtime::Caller;
/// use auth_runtime::decision::Context;
///
/// let caller = Caller::Anonymous;
/// let context = Context::new(&caller).with_address("192.0.2.7".parse()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Context<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) is_oauth: bool,
    /// True if the client requests a token with other scopes after a 401.
    pub(crate) has_token_server: bool,
    /// True if a challenge can request credentials that are bound to a key. For an unverifiable caller: true if its
    /// credentials may be.
    pub(crate) can_be_bound: bool,
    /// True if a challenge can request a new login.
    pub(crate) can_step_up: bool,
    /// The client's address. A request without one is in no network.
    pub(crate) address: Option<IpAddr>,
    /// The values of all settings.
    pub(crate) settings: Settings,
    now: Option<SystemTime>,
    /// The source of the time of the request, unless a time is set.
    pub(crate) clock: Clock,
    answers: Vec<AtomResult>,
    /// The scopes of tokens that would make `can` requirements true.
    object_scopes: Vec<(Atom, Cow<'static, str>)>,
    /// The time after which to retry, if a decision point failed and names it.
    pub(crate) retry_after: Option<Duration>,
}

/// The result of a check, or of a decision point, for one atom.
#[derive(Clone, Debug)]
struct AtomResult {
    atom: Atom,
    /// `None` if the check or the decision point failed.
    is_met: Option<bool>,
    /// The context classes of a login that would change a denial.
    acr_values: Vec<Cow<'static, str>>,
    /// The reason for a denial, for the caller.
    reason: Option<String>,
}

impl<'a> Context<'a> {
    /// Creates the context of a caller with defaults: no OAuth scheme, no address, no settings, the current
    /// time, and no results of checks.
    pub fn new(caller: &'a Caller) -> Self {
        Self {
            caller,
            is_oauth: false,
            has_token_server: false,
            can_be_bound: true,
            can_step_up: true,
            address: None,
            settings: Settings::default(),
            now: None,
            clock: Clock::system(),
            answers: Vec::new(),
            object_scopes: Vec::new(),
            retry_after: None,
        }
    }

    /// Marks the caller as using a scheme with tokens that have scopes (Bearer, DPoP), so that
    /// missing scopes can be requested.
    #[must_use]
    pub fn by_oauth(self) -> Self {
        Self {
            is_oauth: true,
            ..self
        }
    }

    /// Adds the scope of a token that would make a `can` requirement true. The requirement counts as a scope
    /// then.
    pub(crate) fn add_object_scope(&mut self, atom: Atom, scope: Cow<'static, str>) {
        self.object_scopes.push((atom, scope));
    }

    /// Marks the context as without an accepted scheme that binds credentials to a key and has a
    /// challenge. Rule 3b then does not apply, and `sender_constrained` is false for a caller that is not known.
    /// Default: there is such a scheme.
    #[must_use]
    pub fn without_binding(self) -> Self {
        Self {
            can_be_bound: false,
            ..self
        }
    }

    /// Sets the client's address. A request without one is in no network.
    #[must_use]
    pub fn with_address(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// Sets the value of the setting `name`. A setting without a value is false.
    ///
    /// A [`ProtectionSpace`](crate::ProtectionSpace) does not evaluate a policy that requires a setting without a
    /// value: it reports an error.
    #[must_use]
    pub fn with_setting(mut self, name: impl Into<Cow<'static, str>>, value: bool) -> Self {
        self.settings.insert(name.into(), value);
        self
    }

    /// Sets the time of the request. Default: now.
    #[must_use]
    pub fn at(self, now: SystemTime) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    /// Sets the time to the present, unless a time is already set.
    pub(crate) fn at_one_moment(self) -> Self {
        Self {
            now: Some(self.time()),
            ..self
        }
    }

    fn time(&self) -> SystemTime {
        self.now.unwrap_or_else(|| self.clock.now())
    }

    /// Adds the result of the check of this name; `None` if it failed.
    #[must_use]
    pub fn checked(self, check: impl Into<Cow<'static, str>>, answer: Option<bool>) -> Self {
        self.answered(Atom::Check(check.into()), answer)
    }

    /// Adds the result for a `check` or `can` requirement; `None` if the check or the decision point
    /// failed.
    #[must_use]
    pub fn answered(mut self, atom: Atom, answer: Option<bool>) -> Self {
        self.add_answer(atom, answer);
        self
    }

    /// Adds the decision of a decision point about a `can` requirement, with its reason and the login that it
    /// requests.
    ///
    /// ```
    /// use auth_runtime::decision::{Context, Decision, Denial};
    /// use auth_runtime::objects::{ObjectDecision, ObjectSource};
    /// use auth_runtime::policy::Atom;
    /// use auth_runtime::{Caller, Identity, Policy, Requirement};
    ///
    /// let restart = Atom::Can { action: "restart".into(), on: ObjectSource::Service };
    /// let policy = Policy::requires(Requirement::Atom(restart.clone()));
    /// let ann = Caller::known(Identity::new("ann"));
    /// let denied = ObjectDecision::deny_until_login(["gold"]);
    /// let decision = Decision::of(&policy, &Context::new(&ann).decided(restart, &denied));
    /// assert!(matches!(decision, Decision::Deny(Denial::StepUp { .. })));
    /// ```
    #[must_use]
    pub fn decided(mut self, atom: Atom, decision: &ObjectDecision) -> Self {
        self.add_decision(atom, Some(decision));
        self
    }

    /// Adds the result for a `check` or `can` requirement, like [`answered`](Self::answered).
    pub(crate) fn add_answer(&mut self, atom: Atom, answer: Option<bool>) {
        self.answers.push(AtomResult {
            atom,
            is_met: answer,
            acr_values: Vec::new(),
            reason: None,
        });
    }

    /// Adds the decision about a `can` requirement; `None` if the decision point failed.
    pub(crate) fn add_decision(&mut self, atom: Atom, decision: Option<&ObjectDecision>) {
        let asks = decision.filter(|_| self.can_step_up);
        let acr_values = asks.into_iter().flat_map(ObjectDecision::acr_values);
        let acr_values = acr_values.map(|value| Cow::Owned(value.clone()));
        let acr_values = acr_values.collect();
        self.answers.push(AtomResult {
            atom,
            is_met: decision.map(ObjectDecision::is_allowed),
            acr_values,
            reason: decision.and_then(ObjectDecision::reason).map(str::to_owned),
        });
    }

    fn answer(&self, atom: &Atom) -> Option<&AtomResult> {
        self.answers.iter().find(|answer| answer.atom == *atom)
    }

    /// Returns whether a login would change a decision about an object.
    pub(crate) fn asks_login(&self) -> bool {
        self.answers
            .iter()
            .any(|answer| !answer.acr_values.is_empty())
    }

    /// The context classes of a login that would change the decision about `atom`.
    pub(crate) fn acr_values(&self, atom: &Atom) -> &[Cow<'static, str>] {
        self.answer(atom).map_or(&[], |answer| &answer.acr_values)
    }

    /// The scope of a token that makes `atom` true, for a scope and for a `can` that a token decides.
    pub(crate) fn scope_of<'s>(&'s self, atom: &'s Atom) -> Option<&'s Cow<'static, str>> {
        if let Atom::Scope(scope) = atom {
            return Some(scope);
        }
        let mut scopes = self.object_scopes.iter();
        scopes.find_map(|(own, scope)| (own == atom).then_some(scope))
    }

    /// The reason that the decision point gives to the caller for the denial of `atom`.
    pub(crate) fn reason(&self, atom: &Atom) -> Option<&str> {
        let denied = self
            .answer(atom)
            .filter(|answer| answer.is_met == Some(false));
        denied?.reason.as_deref()
    }

    /// The truth value of `atom`. For a caller that is not known, every atom except `network` and `setting`
    /// is unknown, but `sender_constrained` is false if no challenge can request it.
    pub(crate) fn truth(&self, atom: &Atom) -> Truth {
        match (atom, self.caller) {
            (Atom::Network(network), _) => self
                .address
                .is_some_and(|address| network.contains(address))
                .into(),
            (Atom::Setting(name), _) => self.settings.get(name).unwrap_or_default().into(),
            (Atom::Check(_) | Atom::Can { .. }, Caller::Known(_)) => {
                let answer = self.answer(atom).and_then(|answer| answer.is_met);
                answer.map_or(Truth::Unknown, Truth::from)
            }
            (Atom::MaxAge(age), Caller::Known(identity)) => {
                identity.logged_in_within(*age, self.time()).into()
            }
            (_, Caller::Known(identity)) => identity.meets(atom).into(),
            (Atom::SenderConstrained, _) if !self.can_be_bound => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// Returns whether a new login could make `atom` true: a freshness atom, or a `can` for which the
    /// decision point requests a login.
    pub(crate) fn is_fresh(&self, atom: &Atom) -> bool {
        atom.group() == Group::Freshness || !self.acr_values(atom).is_empty()
    }

    /// Returns whether credentials of the same caller that are bound to a key would make `atom`
    /// true.
    pub(crate) fn can_bind(&self, atom: &Atom) -> bool {
        self.can_be_bound && atom.group() == Group::Binding
    }

    /// Returns whether another login could make `atom` true. No login changes the network or a setting, nor
    /// binds credentials without a scheme that does.
    pub(crate) fn depends_on_login(&self, atom: &Atom) -> bool {
        match atom.group() {
            Group::Context => false,
            Group::Binding => self.can_bind(atom),
            Group::Identity | Group::Freshness => true,
        }
    }

    /// Returns whether `atom` needs a check or a decision point, and has no result yet.
    pub(crate) fn is_open(&self, atom: &Atom) -> bool {
        matches!(atom, Atom::Check(_) | Atom::Can { .. }) && self.answer(atom).is_none()
    }
}
