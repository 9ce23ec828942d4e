//! The rules of deciding, held against an oracle that knows nothing of three-valued logic: it
//! enumerates the credentials that a caller could present, and asks whether any of them grants.

use auth_runtime::{Caller, Decision, Denial, Identity, Policy, Rejection, Requirement};

/// A requirement, as the oracle reads it.
#[derive(Clone, Debug)]
enum Expression {
    Atom(Atom),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Atom {
    Authenticated,
    Scope(&'static str),
    Role(&'static str),
}

const SCOPES: [&str; 2] = ["read", "write"];
const ATOMS: [Atom; 4] = [
    Atom::Authenticated,
    Atom::Scope(SCOPES[0]),
    Atom::Scope(SCOPES[1]),
    Atom::Role("staff"),
];

/// What somebody could present: nothing, or credentials that grant these.
#[derive(Clone, Debug, PartialEq)]
struct Granted {
    scopes: Vec<&'static str>,
    roles: Vec<&'static str>,
}

impl Expression {
    /// Plain two-valued meaning.
    fn grants(&self, presented: Option<&Granted>) -> bool {
        match self {
            Self::Atom(atom) => presented.is_some_and(|granted| match atom {
                Atom::Authenticated => true,
                Atom::Scope(scope) => granted.scopes.contains(scope),
                Atom::Role(role) => granted.roles.contains(role),
            }),
            Self::All(parts) => parts.iter().all(|part| part.grants(presented)),
            Self::Any(parts) => parts.iter().any(|part| part.grants(presented)),
        }
    }

    fn requirement(&self) -> Requirement {
        let leak = |parts: &[Self]| -> &'static [Requirement] {
            let parts: Vec<_> = parts.iter().map(Self::requirement).collect();
            Box::leak(parts.into_boxed_slice())
        };
        match self {
            Self::Atom(Atom::Authenticated) => Requirement::authenticated(),
            Self::Atom(Atom::Scope(scope)) => Requirement::scope(scope),
            Self::Atom(Atom::Role(role)) => Requirement::role(role),
            Self::All(parts) => Requirement::all(leak(parts)),
            Self::Any(parts) => Requirement::any(leak(parts)),
        }
    }
}

/// Every expression of exactly `leaves` leaves from `alphabet`.
fn expressions(leaves: usize, alphabet: &[Expression]) -> Vec<Expression> {
    if leaves == 1 {
        return alphabet.to_vec();
    }
    let lists = (2..=leaves).flat_map(|parts| lists(leaves, parts, alphabet));
    lists
        .flat_map(|parts| [Expression::All(parts.clone()), Expression::Any(parts)])
        .collect()
}

/// Every list of `parts` expressions with `leaves` leaves in all.
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

/// Up to four atoms; up to three, with "nobody" and "everybody" among them.
fn all_expressions() -> Vec<Expression> {
    let atoms: Vec<_> = ATOMS.into_iter().map(Expression::Atom).collect();
    let mut with_constants = atoms.clone();
    with_constants.push(Expression::Any(vec![]));
    with_constants.push(Expression::All(vec![]));
    let small = (1..=3).flat_map(|leaves| expressions(leaves, &with_constants));
    small.chain(expressions(4, &atoms)).collect()
}

fn subsets(names: &[&'static str]) -> Vec<Vec<&'static str>> {
    (0..1_u32 << names.len())
        .map(|bits| {
            let chosen = names.iter().enumerate();
            chosen
                .filter(|(index, _)| bits >> index & 1 == 1)
                .map(|(_, name)| *name)
                .collect()
        })
        .collect()
}

fn everything_that_could_be_granted() -> Vec<Granted> {
    let mut all = Vec::new();
    for scopes in subsets(&SCOPES) {
        for roles in subsets(&["staff"]) {
            let scopes = scopes.clone();
            all.push(Granted { scopes, roles });
        }
    }
    all
}

/// The smallest sets of scopes with which `grants` holds; of these the nearest to what is `held`.
fn best_scopes(
    held: &[&'static str],
    grants: impl Fn(&[&'static str]) -> bool,
) -> Vec<Vec<&'static str>> {
    let enough: Vec<_> = subsets(&SCOPES).into_iter().filter(|s| grants(s)).collect();
    let cost = |set: &Vec<&'static str>| {
        let missing = set.iter().filter(|scope| !held.contains(scope)).count();
        (set.len(), missing)
    };
    let Some(best) = enough.iter().map(cost).min() else {
        return vec![];
    };
    enough.into_iter().filter(|set| cost(set) == best).collect()
}

#[test]
fn every_small_policy_decides_as_the_oracle_does_for_every_caller() {
    let could_be = everything_that_could_be_granted();
    let mut decided = 0_u32;
    for expression in all_expressions() {
        let requirement = expression.requirement();
        let policy = Policy::requires(requirement);
        let anybody_gets_in = could_be.iter().any(|c| expression.grants(Some(c)));
        let shown = || format!("{requirement}");

        // Whoever is not known: granted, worth (another) try, or hopeless.
        let unknown_callers = [
            (Caller::Anonymous, 401),
            (Caller::Rejected(Rejection::Expired), 401),
            (Caller::Rejected(Rejection::Malformed), 401),
            (Caller::Rejected(Rejection::Invalid), 401),
            (Caller::unverifiable(), 503),
        ];
        for (caller, worth_a_try) in unknown_callers {
            let expected = match (expression.grants(None), anybody_gets_in) {
                (true, _) => 200,
                (false, true) => worth_a_try,
                (false, false) => 403,
            };
            let decision = policy.decide(&caller, false);
            assert_eq!(status(&decision), expected, "{} {caller:?}", shown());
            if let Decision::Deny(Denial::Unauthenticated { scopes, rejection }) = decision {
                let roles = |roles: Vec<&'static str>| {
                    best_scopes(&[], |scopes| {
                        let scopes = scopes.to_vec();
                        let roles = roles.clone();
                        expression.grants(Some(&Granted { scopes, roles }))
                    })
                };
                let by_scopes_alone = roles(vec![]);
                let best = if by_scopes_alone.is_empty() {
                    roles(vec!["staff"])
                } else {
                    by_scopes_alone
                };
                assert!(best.contains(&sorted(scopes)), "{} wants {best:?}", shown());
                assert_eq!(rejection.is_some(), matches!(caller, Caller::Rejected(_)));
            }
            decided += 1;
        }

        for granted in &could_be {
            let identity = Identity::new("somebody")
                .with_scopes(granted.scopes.iter().copied())
                .with_roles(granted.roles.iter().copied());
            let caller = Caller::known(identity);
            let enough = best_scopes(&granted.scopes, |scopes| {
                let scopes = scopes.to_vec();
                let roles = granted.roles.clone();
                expression.grants(Some(&Granted { scopes, roles }))
            });
            for oauth in [false, true] {
                let context = || format!("{} {granted:?} oauth: {oauth}", shown());
                match policy.decide(&caller, oauth) {
                    Decision::Grant => {
                        assert!(expression.grants(Some(granted)), "{}", context());
                    }
                    Decision::Deny(denial) => {
                        assert!(!expression.grants(Some(granted)), "{}", context());
                        match denial {
                            Denial::InsufficientScope { scopes } => {
                                assert!(oauth, "{}", context());
                                assert!(enough.contains(&sorted(scopes)), "{}", context());
                            }
                            Denial::Forbidden => {
                                assert!(!oauth || enough.is_empty(), "{}", context());
                            }
                            other => panic!("{}: {other:?}", context()),
                        }
                    }
                }
                decided += 1;
            }
        }
    }
    // Four atoms, two operators, every shape: this many, or the enumeration has lost some.
    assert_eq!(decided, 21 * (6 + 36 * 2 + 216 * 10 + 256 * 62));
}

#[test]
fn a_public_policy_grants_whoever_calls() {
    let policy = Policy::public("a test");
    for caller in [
        Caller::Anonymous,
        Caller::rejected(),
        Caller::unverifiable(),
        Caller::known(Identity::new("ann")),
    ] {
        assert_eq!(policy.decide(&caller, true), Decision::Grant, "{caller:?}");
    }
}

#[test]
fn hide_unless_shows_denials_to_those_who_meet_the_lesser_requirement() {
    let write = Policy::requires(Requirement::scope("write"));
    let hidden = write.hide_as_not_found();
    let half_hidden = hidden.hide_unless(Requirement::scope("read"));
    let reader = Caller::known(Identity::new("ann").with_scopes(["read"]));
    let stranger = Caller::known(Identity::new("bob"));

    for (policy, caller, hides) in [
        (write, &reader, false),
        (write, &Caller::Anonymous, false),
        (hidden, &reader, true),
        (hidden, &stranger, true),
        (hidden, &Caller::Anonymous, true),
        (half_hidden, &reader, false),
        (half_hidden, &stranger, true),
        (half_hidden, &Caller::Anonymous, true),
        (half_hidden, &Caller::rejected(), true),
        (half_hidden, &Caller::unverifiable(), true),
    ] {
        assert_eq!(policy.hides_from(caller), hides, "{policy} {caller:?}");
    }
}

#[test]
fn the_smallest_sufficient_scopes_are_exact_where_alternatives_overlap() {
    const OVERLAPPING: Requirement = Requirement::all(&[
        Requirement::any(&[Requirement::scope("a"), Requirement::scope("b")]),
        Requirement::any(&[Requirement::scope("b"), Requirement::scope("c")]),
        Requirement::any(&[Requirement::scope("c"), Requirement::scope("b")]),
    ]);
    let caller = Caller::known(Identity::new("ann").with_scopes(["a"]));
    assert_eq!(
        Policy::requires(OVERLAPPING).decide(&caller, true),
        Decision::Deny(Denial::InsufficientScope { scopes: vec!["b"] }),
    );
}

#[test]
fn of_sufficient_sets_the_smallest_is_named_then_the_nearest_then_the_first() {
    const SCOPES: [Requirement; 5] = [
        Requirement::scope("a"),
        Requirement::scope("b"),
        Requirement::scope("c"),
        Requirement::scope("d"),
        Requirement::scope("e"),
    ];
    let [a, b, c, d, e] = SCOPES;
    let any = |parts: Vec<Requirement>| Requirement::any(parts.leak());
    let two = |one, other| Requirement::all(vec![one, other].leak());
    let three = |one, two, three| Requirement::all(vec![one, two, three].leak());
    for (requirement, held, named) in [
        (
            any(vec![two(a, b), three(c, d, e)]),
            vec!["c", "d"],
            vec!["a", "b"],
        ),
        (any(vec![two(a, b), two(c, d)]), vec!["c"], vec!["c", "d"]),
        (any(vec![two(a, b), two(c, d)]), vec![], vec!["a", "b"]),
        (any(vec![two(c, d), two(a, b)]), vec![], vec!["c", "d"]),
    ] {
        let caller = Caller::known(Identity::new("ann").with_scopes(held));
        assert_eq!(
            Policy::requires(requirement).decide(&caller, true),
            Decision::Deny(Denial::InsufficientScope { scopes: named }),
            "{requirement}"
        );
    }
}

#[test]
fn a_policy_with_very_many_alternatives_is_decided_in_bounded_time() {
    fn alternatives(index: usize) -> Requirement {
        let scope = |letter| -> Requirement {
            let name = format!("{letter}{index}").leak();
            Requirement::scope(name)
        };
        Requirement::any(Vec::leak(vec![scope('x'), scope('y')]))
    }
    let many = Requirement::all(Vec::leak((0..40).map(alternatives).collect()));
    let caller = Caller::known(Identity::new("ann"));
    match Policy::requires(many).decide(&caller, true) {
        Decision::Deny(Denial::InsufficientScope { scopes }) => assert_eq!(scopes.len(), 40),
        other => panic!("{other:?}"),
    }
}

fn status(decision: &Decision) -> u16 {
    match decision {
        Decision::Grant => 200,
        Decision::Deny(denial) => denial.status().as_u16(),
    }
}

fn sorted(mut scopes: Vec<&'static str>) -> Vec<&'static str> {
    scopes.sort_unstable();
    scopes
}
