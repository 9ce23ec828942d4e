//! The rules of deciding, compared with an oracle without three-valued logic: it enumerates the
//! possible credentials of a caller, and evaluates each of them.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use auth_runtime::decision::{Context, Decision, Denial, Explanation, Rule};
use auth_runtime::policy::{IpNet, Network, Truth};
use auth_runtime::{Caller, Identity, Policy, Rejection, Requirement};

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
}

use Bit::{Authenticated, Bound, Checked, Mfa, Office, Read, Staff, Write};

/// The state of a caller: the bits of the true atoms.
type Holds = u8;

const SCOPES: Holds = Read as Holds | Write as Holds;
/// The atoms that depend on the identity.
const PERSONAL: Holds = !(Office as Holds);

const IDENTITY_ATOMS: [Bit; 4] = [Authenticated, Read, Write, Staff];
const ALL_ATOMS: [Bit; 8] = [
    Authenticated,
    Read,
    Write,
    Staff,
    Mfa,
    Checked,
    Office,
    Bound,
];

const OFFICE: [IpNet; 1] = [IpNet::V4(ipnet::Ipv4Net::new_assert(
    std::net::Ipv4Addr::new(192, 0, 2, 0),
    24,
))];
const IN_OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

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

/// Returns expressions with up to two leaves of every kind, including the constants; with three
/// leaves without the constants; and with four leaves of identity atoms.
fn all_expressions() -> Vec<Expression> {
    let atoms = |bits: &[Bit]| -> Vec<_> { bits.iter().copied().map(Expression::Atom).collect() };
    let mut with_constants = atoms(&ALL_ATOMS);
    with_constants.push(Expression::Any(vec![]));
    with_constants.push(Expression::All(vec![]));
    let small = (1..=2).flat_map(|leaves| expressions(leaves, &with_constants));
    small
        .chain(expressions(3, &atoms(&ALL_ATOMS)))
        .chain(expressions(4, &atoms(&IDENTITY_ATOMS)))
        .collect()
}

fn subsets(of: Holds) -> impl Iterator<Item = Holds> {
    (0..=Holds::MAX).filter(move |subset| subset & !of == 0)
}

/// Returns the smallest sets of scopes for which `grants` is true, and of these the nearest to
/// `held`.
fn best_scopes(held: Holds, grants: impl Fn(Holds) -> bool) -> Vec<Holds> {
    let cost = |set: &Holds| (set.count_ones(), (set & !held).count_ones());
    let enough: Vec<Holds> = subsets(SCOPES).filter(|scopes| grants(*scopes)).collect();
    let best = enough.iter().map(cost).min();
    let is_best = |set: &Holds| Some(cost(set)) == best;
    enough.into_iter().filter(is_best).collect()
}

fn bits_of(scopes: &[Cow<'static, str>]) -> Holds {
    let bit = |scope: &Cow<'_, str>| if scope == "read" { Read } else { Write } as Holds;
    scopes.iter().map(bit).sum()
}

/// Returns the decision about a known caller by the text of the rules. `holds` excludes the check,
/// and `check` is its result, or `None` if it failed.
fn by_the_rules(
    expression: &Expression,
    holds: Holds,
    check: Option<bool>,
    oauth: bool,
) -> (u16, Vec<Holds>) {
    // A failed check may have had either result.
    let at_worst = if check == Some(true) {
        Checked as Holds
    } else {
        0
    };
    let at_best = if check == Some(false) {
        0
    } else {
        Checked as Holds
    };
    let grants = |more: Holds| expression.grants(holds | at_worst | more);
    if grants(0) {
        return (200, vec![]);
    }
    if expression.grants(holds | at_best) {
        return (503, vec![]);
    }
    if grants(Mfa as Holds) {
        return (401, vec![]);
    }
    if grants(Mfa as Holds | Bound as Holds) {
        return (UNBOUND, vec![]);
    }
    let without_scopes = (holds & !SCOPES) | at_worst | Mfa as Holds | Bound as Holds;
    let enough = best_scopes(holds, |scopes| expression.grants(without_scopes | scopes));
    (403, if oauth { enough } else { vec![] })
}

/// A 401 of rule 3b. A hidden policy conceals it, but not that of 3a.
const UNBOUND: u16 = 4010;

/// Decides like a router: runs the check if it is necessary.
fn decide(policy: &Policy, facts: &Context<'_>, check: Option<bool>) -> (Decision, bool) {
    match Decision::of(policy, facts) {
        Decision::Undecided(asked) => {
            assert_eq!(asked, A_CHECK);
            let facts = facts.clone().checked(asked, check);
            (Decision::of(policy, &facts), true)
        }
        decision => (decision, false),
    }
}

#[test]
fn every_small_policy_decides_as_the_oracle_does_for_every_caller() {
    let mut decided = 0_u32;
    for expression in all_expressions() {
        let requirement = expression.requirement();
        let asks = requirement.to_string();
        let shown = Policy::requires(requirement);
        let hidden = shown.clone().hide_as_not_found();

        for place in [0, Office as Holds] {
            let address = if place == 0 { ELSEWHERE } else { IN_OFFICE };

            // A caller that is not known: grants, a (new) login may help, or nothing helps.
            let anybody_gets_in = expression.grants(PERSONAL | place);
            let unknown_callers = [
                (Caller::Anonymous, 401),
                (Caller::Rejected(Rejection::Expired), 401),
                (Caller::Rejected(Rejection::Malformed), 401),
                (Caller::Rejected(Rejection::Invalid), 401),
                (Caller::unverifiable(), 503),
            ];
            for (caller, worth_a_try) in unknown_callers {
                let context = || format!("{asks} {caller:?} {address}");
                let expected = match (expression.grants(place), anybody_gets_in) {
                    (true, _) => 200,
                    (false, true) => worth_a_try,
                    (false, false) => 403,
                };
                let facts = Context::new(&caller).from_address(address);
                let decision = Decision::of(&shown, &facts);
                assert_eq!(status(&decision), expected, "{}", context());
                let rule = match (expected, worth_a_try) {
                    (200, _) => Rule::Met,
                    (_, 503) => Rule::Unverifiable,
                    _ => Rule::NotKnown,
                };
                assert_explained([&shown, &hidden], &facts, rule);
                let visible = Decision::of(&hidden, &facts);
                let hides = expected != 200;
                assert_eq!(visible == Decision::Conceal, hides, "{}", context());
                if let Decision::Deny(Denial::Unauthenticated { scopes, rejection }) = decision {
                    let with = |besides: Holds| {
                        best_scopes(0, |scopes| expression.grants(place | besides | scopes))
                    };
                    let by_scopes_alone =
                        with(Authenticated as Holds | Mfa as Holds | Bound as Holds);
                    let best = if by_scopes_alone.is_empty() {
                        with(PERSONAL & !SCOPES)
                    } else {
                        by_scopes_alone
                    };
                    assert!(best.contains(&bits_of(&scopes)), "{}: {best:?}", context());
                    assert_eq!(rejection.is_some(), matches!(caller, Caller::Rejected(_)));
                }
                decided += 1;
            }

            // Atoms outside of the policy make no difference.
            let asked_for = expression.atoms();
            let grantable = SCOPES | Staff as Holds | Mfa as Holds | Bound as Holds;
            let answers = if asked_for & Checked as Holds == 0 {
                vec![Some(true)]
            } else {
                vec![Some(true), Some(false), None]
            };
            for granted in subsets(grantable & asked_for) {
                let caller = Caller::known(identity(granted));
                let facts = Context::new(&caller).from_address(address);
                let holds = granted | Authenticated as Holds | place;
                for &check in &answers {
                    for oauth in [false, true] {
                        let facts = facts.clone();
                        let facts = if oauth { facts.by_oauth() } else { facts };
                        let context = || format!("{asks} {caller:?} {address} {check:?} {oauth}");
                        let (expected, best) = by_the_rules(&expression, holds, check, oauth);

                        let rule = match (expected, best.is_empty()) {
                            (200, _) => Rule::Met,
                            (401, _) => Rule::StaleLogin,
                            (UNBOUND, _) => Rule::NotBound,
                            (503, _) => Rule::Unverifiable,
                            (_, false) => Rule::MissingScope,
                            (_, true) => Rule::NotAllowed,
                        };
                        let all_is_known = facts.clone().checked(A_CHECK, check);
                        assert_explained([&shown, &hidden], &all_is_known, rule);
                        for policy in [&shown, &hidden] {
                            let explanation = Explanation::of(policy, &facts);
                            assert_eq!(explanation.decision(), &Decision::of(policy, &facts));
                        }

                        let (decision, asked) = decide(&shown, &facts, check);
                        let is_unbound =
                            decision == Decision::Deny(Denial::SenderConstraintRequired);
                        assert_eq!(is_unbound, expected == UNBOUND, "{}", context());
                        let shown_status = if is_unbound { 401 } else { expected };
                        assert_eq!(status(&decision), shown_status, "{}", context());
                        match decision {
                            Decision::Deny(Denial::InsufficientScope { scopes }) => {
                                assert!(best.contains(&bits_of(&scopes)), "{}", context());
                            }
                            Decision::Deny(Denial::Forbidden) => {
                                assert!(best.is_empty(), "{}", context());
                            }
                            Decision::Deny(Denial::StepUp {
                                acr_values,
                                max_age,
                            }) => {
                                assert_eq!((acr_values, max_age), (vec!["mfa".into()], None));
                            }
                            _ => {}
                        }
                        let may_matter =
                            expression.grants(PERSONAL | place) && !expression.grants(holds);
                        assert!(may_matter || !asked, "asked for nothing: {}", context());

                        // Hidden, unless only a new login is required.
                        let (visible, asked) = decide(&hidden, &facts, check);
                        match expected {
                            200 | 401 => assert_eq!(status(&visible), expected, "{}", context()),
                            _ => assert_eq!(visible, Decision::Conceal, "{}", context()),
                        }
                        let may_matter = expression.grants(holds | Checked as Holds | Mfa as Holds)
                            && !expression.grants(holds);
                        assert!(may_matter || !asked, "asked for nothing: {}", context());
                        decided += 1;
                    }
                }
            }
        }
    }
    // Every shape of two leaves of ten kinds, of three of eight and of four of four, in two places:
    // the number of callers that are not known, and a part of those that are.
    let shapes = 10 + 2 * 10 * 10 + 10 * 8 * 8 * 8 + 62 * 4 * 4 * 4 * 4;
    assert!(decided > shapes * 2 * (5 + 2), "only {decided}");
}

/// The explanation contains the decision, its rule, and whether it is concealed.
fn assert_explained([shown, hidden]: [&Policy; 2], facts: &Context<'_>, rule: Rule) {
    let denial = match Decision::of(shown, facts) {
        Decision::Deny(denial) => Some(denial),
        _ => None,
    };
    for policy in [shown, hidden] {
        let explanation = Explanation::of(policy, facts);
        assert_eq!(
            explanation.decision(),
            &Decision::of(policy, facts),
            "{explanation}"
        );
        assert_eq!(explanation.rule(), Some(rule), "{explanation}");
        assert_eq!(explanation.denial(), denial.as_ref(), "{explanation}");
        let truth = explanation
            .requirement()
            .map(auth_runtime::decision::Finding::truth);
        let is_met = truth == Some(Truth::True);
        assert_eq!(is_met, rule == Rule::Met, "{explanation}");
    }
}

#[test]
fn an_explanation_tells_of_every_part_whether_it_holds() {
    let staff_in_office = Requirement::all([
        Requirement::any([Requirement::role("staff"), Requirement::scope("write")]),
        Requirement::acr("mfa"),
        Requirement::network(Network::new("office", &OFFICE)),
    ]);
    let policy = Policy::requires(staff_in_office)
        .hide_as_not_found()
        .hide_unless(Requirement::scope("read"));
    let known = Caller::known(Identity::new("ann").with_scopes(["read"]).with_acr("mfa"));
    for (caller, told) in [
        (
            known,
            r#"rule 3c: no: all(no: any(no: role = "staff", no: scope = "write"), yes: acr = "mfa", yes: network = "office"); hide_unless: yes: scope = "read""#,
        ),
        (
            Caller::rejected(),
            r#"rule 2: unknown: all(unknown: any(unknown: role = "staff", unknown: scope = "write"), unknown: acr = "mfa", yes: network = "office"); hide_unless: unknown: scope = "read""#,
        ),
    ] {
        let facts = Context::new(&caller).by_oauth().from_address(IN_OFFICE);
        assert_eq!(Explanation::of(&policy, &facts).to_string(), told);
    }
}

#[test]
fn an_explanation_does_not_guess_what_a_check_would_say() {
    let policy = Policy::requires(Requirement::check(A_CHECK)).hide_as_not_found();
    let caller = Caller::known(Identity::new("ann"));
    let explanation = Explanation::of(&policy, &Context::new(&caller));
    assert_eq!(explanation.decision(), &Decision::Undecided(A_CHECK.into()));
    assert_eq!((explanation.rule(), explanation.denial()), (None, None));
    assert_eq!(
        explanation.to_string(),
        "undecided: unknown: check = is_fine"
    );
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

#[test]
fn a_public_policy_grants_whoever_calls() {
    let policy = Policy::public("a test");
    for caller in [
        Caller::Anonymous,
        Caller::rejected(),
        Caller::unverifiable(),
        Caller::known(Identity::new("ann")),
    ] {
        assert_eq!(
            Decision::of(&policy, &Context::new(&caller)),
            Decision::Grant,
            "{caller:?}"
        );
    }
}

#[test]
fn hide_unless_shows_denials_to_those_who_meet_the_lesser_requirement() {
    let write = Policy::requires(Requirement::scope("write"));
    let hidden = write.clone().hide_as_not_found();
    let half_hidden = hidden.clone().hide_unless(Requirement::scope("read"));
    let reader = Caller::known(Identity::new("ann").with_scopes(["read"]));
    let stranger = Caller::known(Identity::new("bob"));

    for (policy, caller, hides) in [
        (&write, &reader, false),
        (&write, &Caller::Anonymous, false),
        (&hidden, &reader, true),
        (&hidden, &stranger, true),
        (&hidden, &Caller::Anonymous, true),
        (&half_hidden, &reader, false),
        (&half_hidden, &stranger, true),
        (&half_hidden, &Caller::Anonymous, true),
        (&half_hidden, &Caller::rejected(), true),
        (&half_hidden, &Caller::unverifiable(), true),
    ] {
        let decision = Decision::of(policy, &Context::new(caller));
        assert_eq!(decision == Decision::Conceal, hides, "{policy} {caller:?}");
    }
}

#[test]
fn the_smallest_sufficient_scopes_are_exact_where_alternatives_overlap() {
    let overlapping = Requirement::all([
        Requirement::any([Requirement::scope("a"), Requirement::scope("b")]),
        Requirement::any([Requirement::scope("b"), Requirement::scope("c")]),
        Requirement::any([Requirement::scope("c"), Requirement::scope("b")]),
    ]);
    let caller = Caller::known(Identity::new("ann").with_scopes(["a"]));
    assert_eq!(
        Decision::of(
            &Policy::requires(overlapping),
            &Context::new(&caller).by_oauth()
        ),
        Decision::Deny(Denial::InsufficientScope {
            scopes: vec!["b".into()]
        }),
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
    let all = |names: &[usize]| Requirement::all(names.iter().map(|at| SCOPES[*at].clone()));
    let any = |parts: Vec<Requirement>| Requirement::any(parts);
    let two = |one, other| all(&[one, other]);
    let three = |one, two, three| all(&[one, two, three]);
    let [a, b, c, d, e] = [0, 1, 2, 3, 4];
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
            Decision::of(
                &Policy::requires(requirement.clone()),
                &Context::new(&caller).by_oauth()
            ),
            Decision::Deny(Denial::InsufficientScope {
                scopes: named.into_iter().map(Into::into).collect()
            }),
            "{requirement}"
        );
    }
}

/// More atoms than the limit of comparison, each written twice.
#[test]
fn of_many_scopes_each_is_named_once_and_in_its_order() {
    let names: Vec<&'static str> = (0..40)
        .map(|number| &*Box::leak(format!("area{:02}", (number * 7) % 40).into_boxed_str()))
        .collect();
    let scopes = || names.iter().copied().map(Requirement::scope);
    let twice = Requirement::all(scopes().chain(scopes().rev()));
    let held = Caller::known(Identity::new("ann").with_scopes(names[..39].iter().copied()));
    let insufficient = |requirement: &Requirement, caller: &Caller| match Decision::of(
        &Policy::requires(requirement.clone()),
        &Context::new(caller).by_oauth(),
    ) {
        Decision::Deny(Denial::InsufficientScope { scopes }) => scopes,
        other => panic!("{other:?}"),
    };
    let nobody = Caller::known(Identity::new("bob"));
    assert_eq!(insufficient(&twice, &nobody), names);
    assert_eq!(insufficient(&twice, &held), names);
    // Of alternatives with equal cost, the first one. Of an atom and a larger alternative, the
    // atom.
    let any = Requirement::any(scopes());
    assert_eq!(insufficient(&any, &nobody), names[..1]);
    let late = Requirement::any([twice.clone(), any]);
    assert_eq!(insufficient(&late, &nobody), names[..1]);
    // With a further alternative, the named scopes keep the order of their first occurrence.
    let admin = Requirement::role("admin");
    let either = Requirement::any([admin, twice]);
    assert_eq!(insufficient(&either, &nobody), names);
}

#[test]
fn a_policy_with_very_many_alternatives_is_decided_in_bounded_time() {
    fn alternatives(index: usize) -> Requirement {
        let scope = |letter| -> Requirement {
            let name = format!("{letter}{index}").leak();
            Requirement::scope(name)
        };
        Requirement::any([scope('x'), scope('y')])
    }
    let many = Requirement::all((0..40).map(alternatives));
    let caller = Caller::known(Identity::new("ann"));
    match Decision::of(&Policy::requires(many), &Context::new(&caller).by_oauth()) {
        Decision::Deny(Denial::InsufficientScope { scopes }) => assert_eq!(scopes.len(), 40),
        other => panic!("{other:?}"),
    }
}

const MFA: Requirement = Requirement::acr("mfa");
const HARDWARE: Requirement = Requirement::acr("hardware");
const FIVE_MINUTES: Requirement = Requirement::max_age(Duration::from_secs(300));
const ONE_MINUTE: Requirement = Requirement::max_age(Duration::from_secs(60));

#[test]
fn stepping_up_is_asked_for_in_the_smallest_way_with_every_class_that_would_do() {
    let all = |parts: Vec<Requirement>| Requirement::all(parts);
    let any = |parts: Vec<Requirement>| Requirement::any(parts);
    let minutes = |count: u64| Some(Duration::from_secs(count * 60));
    for (requirement, acr_values, max_age) in [
        (MFA, vec!["mfa"], None),
        (FIVE_MINUTES, vec![], minutes(5)),
        (all(vec![MFA, FIVE_MINUTES]), vec!["mfa"], minutes(5)),
        (all(vec![FIVE_MINUTES, ONE_MINUTE]), vec![], minutes(1)),
        (any(vec![HARDWARE, MFA]), vec!["hardware", "mfa"], None),
        (
            all(vec![any(vec![MFA, HARDWARE]), FIVE_MINUTES]),
            vec!["mfa", "hardware"],
            minutes(5),
        ),
        // Expensive or useless alternatives are not requested.
        (
            any(vec![all(vec![MFA, ONE_MINUTE]), HARDWARE]),
            vec!["hardware"],
            None,
        ),
        (
            any(vec![all(vec![MFA, Requirement::role("staff")]), HARDWARE]),
            vec!["hardware"],
            None,
        ),
        (Requirement::amr("otp"), vec![], None),
        // A login has one class, so an alternative with two is impossible.
        (
            any(vec![MFA, all(vec![HARDWARE, Requirement::acr("both")])]),
            vec!["mfa"],
            None,
        ),
    ] {
        let caller = Caller::known(Identity::new("ann").with_acr("pwd"));
        let acr_values: Vec<&str> = acr_values;
        let expected = Decision::Deny(Denial::StepUp {
            acr_values: acr_values
                .iter()
                .map(|acr| acr.to_string().into())
                .collect(),
            max_age,
        });
        let decision = Decision::of(
            &Policy::requires(requirement.clone()),
            &Context::new(&caller),
        );
        assert_eq!(decision, expected, "{requirement}");
    }
}

/// Rule 3c: a missing scope is reported before an old login, since a step-up would not have helped.
#[test]
fn a_missing_scope_is_told_before_a_stale_login() {
    let caller = Caller::known(Identity::new("ann"));
    let parts = [MFA, Requirement::scope("admin")];
    let policy = Policy::requires(Requirement::all(parts));
    let decision = Decision::of(&policy, &Context::new(&caller).by_oauth());
    let scopes = vec!["admin".into()];
    assert_eq!(
        decision,
        Decision::Deny(Denial::InsufficientScope { scopes })
    );
}

#[test]
fn a_login_is_as_old_as_the_clocks_let_it_be() {
    let policy = Policy::requires(FIVE_MINUTES);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let decide = |identity: Identity| {
        let caller = Caller::known(identity);
        Decision::of(&policy, &Context::new(&caller).at(now)) == Decision::Grant
    };
    assert!(!decide(Identity::new("without a time")));
    for (seconds_ago, skew, fresh) in [
        (0, 0, true),
        (300, 0, true),
        (301, 0, false),
        (301, 60, true),
        (360, 60, true),
        (361, 60, false),
        (-1, 0, false),
        (-60, 60, true),
        (-61, 60, false),
        (-1_000_000_000, 60, false),
        (1_000_000_000, 60, false),
    ] {
        let time = now.checked_sub(Duration::from_secs(u64::try_from(seconds_ago).unwrap_or(0)));
        let ahead = Duration::from_secs(u64::try_from(-seconds_ago).unwrap_or(0));
        let identity = Identity::new("ann")
            .with_auth_time(time.expect("after the beginning of time") + ahead)
            .with_clock_skew(Duration::from_secs(skew));
        assert_eq!(decide(identity), fresh, "{seconds_ago} s ago, {skew} s off");
    }
}

#[test]
fn a_check_in_hide_unless_decides_who_is_shown_a_denial() {
    let check = A_CHECK;
    let policy = Policy::requires(Requirement::role("staff"))
        .hide_as_not_found()
        .hide_unless(Requirement::check(check));
    let caller = Caller::known(Identity::new("ann"));
    let facts = Context::new(&caller);
    assert_eq!(
        Decision::of(&policy, &facts),
        Decision::Undecided(check.into())
    );
    for (answer, expected) in [
        (Some(true), Decision::Deny(Denial::Forbidden)),
        (Some(false), Decision::Conceal),
        (None, Decision::Conceal),
    ] {
        let facts = facts.clone().checked(check, answer);
        assert_eq!(Decision::of(&policy, &facts), expected, "{answer:?}");
    }
    assert_eq!(
        Decision::of(&policy, &Context::new(&Caller::Anonymous)),
        Decision::Conceal
    );
}

fn status(decision: &Decision) -> u16 {
    match decision {
        Decision::Grant => 200,
        Decision::Deny(denial) => denial.status().as_u16(),
        Decision::Conceal => 404,
        Decision::Undecided(check) => panic!("{check:?} was asked already"),
    }
}
