//! The facts that a requirement is evaluated with.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use auth_runtime_policy::{Atom, Group, Truth};

use crate::caller::Caller;
use crate::clock::Clock;

/// All facts about one request that its policy is evaluated with.
///
/// ```
/// use auth_runtime::Caller;
/// use auth_runtime::decision::Context;
///
/// let caller = Caller::Anonymous;
/// let facts = Context::new(&caller).from_address("192.0.2.7".parse()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Context<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) is_oauth: bool,
    /// True if the caller could use a scheme that binds credentials to a key.
    pub(crate) can_be_bound: bool,
    address: Option<IpAddr>,
    now: Option<SystemTime>,
    clock: Clock,
    answers: Vec<(Cow<'static, str>, Option<bool>)>,
}

impl<'a> Context<'a> {
    /// Creates facts about a caller with defaults: no OAuth scheme, no address, the current time,
    /// and no results of checks.
    pub fn new(caller: &'a Caller) -> Self {
        Self {
            caller,
            is_oauth: false,
            can_be_bound: true,
            address: None,
            now: None,
            clock: Clock::system(),
            answers: Vec::new(),
        }
    }

    /// Marks the caller as using a scheme with tokens that carry scopes (Bearer, DPoP), so that
    /// missing scopes can be requested.
    #[must_use]
    pub fn by_oauth(self) -> Self {
        Self {
            is_oauth: true,
            ..self
        }
    }

    /// Marks the facts as without a scheme, available to the caller, that binds credentials to a
    /// key. Rule 3b then does not apply. Default: there is such a scheme.
    #[must_use]
    pub fn without_binding(self) -> Self {
        Self {
            can_be_bound: false,
            ..self
        }
    }

    /// Sets the client's address. A request without one is in no network.
    #[must_use]
    pub fn from_address(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// Sets the time of the request. Default: now.
    #[must_use]
    pub fn at(self, now: SystemTime) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    /// Reads the time of the request from `clock`, unless a time is set.
    pub(crate) fn by_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
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
    pub fn checked(mut self, check: impl Into<Cow<'static, str>>, answer: Option<bool>) -> Self {
        self.answers.push((check.into(), answer));
        self
    }

    /// The truth value of `atom`. For a caller that is not known, every atom except `network` is
    /// unknown.
    pub(crate) fn truth(&self, atom: &Atom) -> Truth {
        match (atom, self.caller) {
            (Atom::Network(network), _) => self
                .address
                .is_some_and(|address| network.contains(address))
                .into(),
            (Atom::Check(check), Caller::Known(_)) => {
                let answer = self.answers.iter().find(|(asked, _)| asked == check);
                match answer {
                    Some((_, Some(answer))) => (*answer).into(),
                    Some((_, None)) | None => Truth::Unknown,
                }
            }
            (Atom::MaxAge(age), Caller::Known(identity)) => {
                identity.logged_in_within(*age, self.time()).into()
            }
            (_, Caller::Known(identity)) => identity.meets(atom).into(),
            _ => Truth::Unknown,
        }
    }

    /// Returns whether credentials of the same caller that are bound to a key would make `atom`
    /// true.
    pub(crate) fn can_bind(&self, atom: &Atom) -> bool {
        self.can_be_bound && atom.group() == Group::Binding
    }

    /// The check in `atom`, unless it already has a result.
    pub(crate) fn open_check(&self, atom: &Atom) -> Option<Cow<'static, str>> {
        match atom {
            Atom::Check(check) if self.answers.iter().all(|(asked, _)| asked != check) => {
                Some(check.clone())
            }
            _ => None,
        }
    }
}
