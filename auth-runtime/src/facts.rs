//! What a requirement is held against.

use std::net::IpAddr;
use std::time::SystemTime;

use crate::caller::Caller;
use crate::check::Check;
use crate::requirement::{Atom, Group};
use crate::truth::Truth;

/// Everything that is known of a request when its policy is decided.
///
/// ```
/// use auth_runtime::{Caller, Facts};
///
/// let caller = Caller::Anonymous;
/// let facts = Facts::new(&caller).from_address("192.0.2.7".parse()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) is_oauth: bool,
    /// Whether some scheme that the caller could use binds credentials to a key.
    pub(crate) can_be_bound: bool,
    address: Option<IpAddr>,
    now: Option<SystemTime>,
    answers: Vec<(Check, Option<bool>)>,
}

impl<'a> Facts<'a> {
    /// Who calls, with nothing else known: not by an OAuth scheme, from nowhere, at this moment, and
    /// before any check was asked.
    pub fn new(caller: &'a Caller) -> Self {
        Self {
            caller,
            is_oauth: false,
            can_be_bound: true,
            address: None,
            now: None,
            answers: Vec::new(),
        }
    }

    /// The caller used a scheme whose tokens carry scopes that can be asked for (Bearer, DPoP).
    #[must_use]
    pub fn by_oauth(self) -> Self {
        Self {
            is_oauth: true,
            ..self
        }
    }

    /// No scheme that the caller could use binds credentials to a key, so to ask for bound ones would
    /// help nobody (rule 3b). Default: some scheme does.
    #[must_use]
    pub fn without_binding(self) -> Self {
        Self {
            can_be_bound: false,
            ..self
        }
    }

    /// The client's address. Without one a request comes from no network.
    #[must_use]
    pub fn from_address(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// When the request came. Default: now.
    #[must_use]
    pub fn at(self, now: SystemTime) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    /// The same, at `now` if no moment was given.
    pub(crate) fn at_one_moment(self, now: SystemTime) -> Self {
        Self {
            now: self.now.or(Some(now)),
            ..self
        }
    }

    /// What `check` said; `None` if it failed.
    #[must_use]
    pub fn checked(mut self, check: Check, answer: Option<bool>) -> Self {
        self.answers.push((check, answer));
        self
    }

    /// What is known of `atom`: of a caller who is not known nothing is, but where the request
    /// comes from.
    pub(crate) fn truth(&self, atom: Atom) -> Truth {
        match (atom, self.caller) {
            (Atom::Network(network), _) => self
                .address
                .is_some_and(|address| network.contains(address))
                .into(),
            (Atom::Check(check), Caller::Known(_)) => {
                let answer = self.answers.iter().find(|(asked, _)| *asked == check);
                match answer {
                    Some((_, Some(answer))) => (*answer).into(),
                    Some((_, None)) | None => Truth::Unknown,
                }
            }
            (Atom::MaxAge(age), Caller::Known(identity)) => {
                let now = self.now.unwrap_or_else(SystemTime::now);
                identity.logged_in_within(age, now).into()
            }
            (_, Caller::Known(identity)) => identity.meets(atom).into(),
            _ => Truth::Unknown,
        }
    }

    /// Whether other credentials of the same caller's would make `atom` true since they are bound to a
    /// key.
    pub(crate) fn can_bind(&self, atom: Atom) -> bool {
        self.can_be_bound && atom.group() == Group::Binding
    }

    /// Whether `atom` is a check that was not asked yet.
    pub(crate) fn open_check(&self, atom: Atom) -> Option<Check> {
        match atom {
            Atom::Check(check) if self.answers.iter().all(|(asked, _)| *asked != check) => {
                Some(check)
            }
            _ => None,
        }
    }
}
