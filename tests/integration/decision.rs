//! The rules of deciding.

pub(crate) mod atoms;
mod disclosure;
mod explanations;
mod grants;
mod oracle;
mod scopes;
mod step_up;

use std::net::IpAddr;

use Bit::{Authenticated, Bound, Checked, Mfa, Office, Open, Read, Staff, Write};
use auth_runtime::decision::{Context, Decision, Denial, Explanation, Rule};
use auth_runtime::policy::{Atom, IpNet, Network, Truth};
use auth_runtime::{Caller, Identity, Policy, Requirement};

/// A requirement in the oracle.
#[derive(Clone, Debug)]
enum Expression {
    Atom(Bit),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// An atom, as one bit of the state.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bit {
    Authenticated = 1,
    Read = 2,
    Write = 4,
    Staff = 8,
    Mfa = 16,
    Checked = 32,
    Office = 64,
    Bound = 128,
    Open = 256,
}

/// The state of a caller: the bits of the true atoms.
type Holds = u16;

const SCOPES: Holds = Read as Holds | Write as Holds;

const OFFICE: [IpNet; 1] = [IpNet::V4(ipnet::Ipv4Net::new_assert(
    std::net::Ipv4Addr::new(192, 0, 2, 0),
    24,
))];
const IN_OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// The name of a check. Each test sets its result.
const A_CHECK: &str = "is_fine";

impl Expression {
    /// The two-valued meaning.
    fn grants(&self, holds: Holds) -> bool {
        match self {
            Self::Atom(bit) => holds & *bit as Holds != 0,
            Self::All(parts) => parts.iter().all(|part| part.grants(holds)),
            Self::Any(parts) => parts.iter().any(|part| part.grants(holds)),
        }
    }

    /// Returns all of its atoms.
    fn atoms(&self) -> Holds {
        match self {
            Self::Atom(bit) => *bit as Holds,
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().fold(0, |atoms, part| atoms | part.atoms())
            }
        }
    }

    fn requirement(&self) -> Requirement {
        match self {
            Self::Atom(Authenticated) => Requirement::authenticated(),
            Self::Atom(Read) => Requirement::scope("read"),
            Self::Atom(Write) => Requirement::scope("write"),
            Self::Atom(Staff) => Requirement::role("staff"),
            Self::Atom(Mfa) => Requirement::acr("mfa"),
            Self::Atom(Bound) => Requirement::sender_constrained(),
            Self::Atom(Checked) => Requirement::check(A_CHECK),
            Self::Atom(Open) => Requirement::setting("open"),
            Self::Atom(Office) => Requirement::network(Network::new("office", &OFFICE)),
            Self::All(parts) => Requirement::all(parts.iter().map(Self::requirement)),
            Self::Any(parts) => Requirement::any(parts.iter().map(Self::requirement)),
        }
    }
}

/// Returns every expression with exactly `leaves` leaves from `alphabet`.
fn expressions(leaves: usize, alphabet: &[Expression]) -> Vec<Expression> {
    if leaves == 1 {
        return alphabet.to_vec();
    }
    let lists = (2..=leaves).flat_map(|parts| lists(leaves, parts, alphabet));
    lists
        .flat_map(|parts| [Expression::All(parts.clone()), Expression::Any(parts)])
        .collect()
}

/// Returns every list of `parts` expressions with `leaves` leaves in total.
fn lists(leaves: usize, parts: usize, alphabet: &[Expression]) -> Vec<Vec<Expression>> {
    if parts == 1 {
        let single = expressions(leaves, alphabet).into_iter();
        return single.map(|expression| vec![expression]).collect();
    }
    let mut found = Vec::new();
    for first in 1..=leaves + 1 - parts {
        let rests = lists(leaves - first, parts - 1, alphabet);
        for head in expressions(first, alphabet) {
            for rest in &rests {
                let mut list = vec![head.clone()];
                list.extend_from_slice(rest);
                found.push(list);
            }
        }
    }
    found
}

/// Decides like a router: runs the check if it is necessary.
fn decide(policy: &Policy, facts: &Context<'_>, check: Option<bool>) -> (Decision, bool) {
    match Decision::of(policy, facts) {
        Decision::Undecided(asked) => {
            assert_eq!(asked, Atom::Check(A_CHECK.into()));
            let facts = facts.clone().answered(asked, check);
            (Decision::of(policy, &facts), true)
        }
        decision => (decision, false),
    }
}

fn identity(granted: Holds) -> Identity {
    let has = |bit: Bit| granted & bit as Holds != 0;
    let identity = Identity::new("somebody")
        .with_scopes(has(Read).then_some("read"))
        .with_scopes(has(Write).then_some("write"))
        .with_roles(has(Staff).then_some("staff"));
    let identity = if has(Bound) {
        identity.with_sender_constraint()
    } else {
        identity
    };
    if has(Mfa) {
        identity.with_acr("mfa")
    } else {
        identity.with_acr("pwd")
    }
}
