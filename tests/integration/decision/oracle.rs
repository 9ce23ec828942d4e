//! Every small policy for every caller, against an oracle that knows nothing of three-valued logic: it
//! tries all credentials.

use std::borrow::Cow;

use auth_runtime::Rejection;
use auth_runtime::decision::Rule;
use auth_runtime::policy::Truth;

use super::*;

/// The atoms that depend on the identity.
const PERSONAL: Holds = ALL & !(Office as Holds) & !(Open as Holds);
const ALL: Holds = (1 << ALL_ATOMS.len()) - 1;

const ALL_ATOMS: [Bit; 9] = [
    Authenticated,
    Read,
    Write,
    Staff,
    Mfa,
    Checked,
    Office,
    Bound,
    Open,
];

const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

/// Returns expressions with up to two leaves of every kind, including the constants, and with three leaves without
/// the constants. `tests/fuzz` has those with four leaves.
fn all_expressions() -> Vec<Expression> {
    let atoms = |bits: &[Bit]| -> Vec<_> { bits.iter().copied().map(Expression::Atom).collect() };
    let mut with_constants = atoms(&ALL_ATOMS);
    with_constants.push(Expression::Any(vec![]));
    with_constants.push(Expression::All(vec![]));
    let small = (1..=2).flat_map(|leaves| expressions(leaves, &with_constants));
    small.chain(expressions(3, &atoms(&ALL_ATOMS))).collect()
}

fn subsets(of: Holds) -> impl Iterator<Item = Holds> {
    (0..=ALL).filter(move |subset| subset & !of == 0)
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
/// and `check` is its result, or `None` if it failed. A login makes the atoms `fresh` true.
fn by_the_rules(
    expression: &Expression,
    holds: Holds,
    check: Option<bool>,
    (oauth, fresh): (bool, Holds),
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
    if grants(fresh) {
        return (401, vec![]);
    }
    if grants(fresh | Bound as Holds) {
        return (UNBOUND, vec![]);
    }
    let without_scopes = (holds & !SCOPES) | at_worst | fresh | Bound as Holds;
    let enough = best_scopes(holds, |scopes| expression.grants(without_scopes | scopes));
    if oauth && !enough.is_empty() {
        return (403, enough);
    }
    // With the failed check, the same credentials could have led to a grant.
    let obtainable = fresh | Bound as Holds | if oauth { SCOPES } else { 0 };
    if expression.grants(holds | at_best | obtainable) {
        return (503, vec![]);
    }
    (403, vec![])
}

/// A 401 of rule 3b. A hidden policy conceals it, but not that of 3a.
const UNBOUND: u16 = 4010;

fn context_of(caller: &Caller, address: IpAddr, is_open: bool) -> Context<'_> {
    let context = Context::new(caller).with_address(address);
    context.with_setting("open", is_open)
}

#[test]
fn small_policies_decide_as_the_oracle() {
    let mut decided = 0_u32;
    for expression in all_expressions() {
        let requirement = expression.requirement();
        let asks = requirement.to_string();
        let shown = Policy::requires(requirement);
        let hidden = shown.clone().hide_as_not_found();
        let half_hidden = hidden.clone().hide_unless(Requirement::scope("read"));

        let places = [
            0,
            Office as Holds,
            Open as Holds,
            Office as Holds | Open as Holds,
        ];
        for place in places
            .into_iter()
            .filter(|place| place & !expression.atoms() & Open as Holds == 0)
        {
            let address = if place & Office as Holds == 0 {
                ELSEWHERE
            } else {
                IN_OFFICE
            };
            let is_open = place & Open as Holds != 0;

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
                let context = || format!("{asks} {caller:?} {address} {is_open}");
                let expected = match (expression.grants(place), anybody_gets_in) {
                    (true, _) => 200,
                    (false, true) => worth_a_try,
                    (false, false) => 403,
                };
                let facts = context_of(&caller, address, is_open);
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

            // Atoms outside the policy make no difference.
            let asked_for = expression.atoms();
            let grantable = SCOPES | Staff as Holds | Mfa as Holds | Bound as Holds;
            let answers = if asked_for & Checked as Holds == 0 {
                vec![Some(true)]
            } else {
                vec![Some(true), Some(false), None]
            };
            for granted in subsets(grantable & asked_for) {
                let caller = Caller::known(identity(granted));
                let facts = context_of(&caller, address, is_open);
                let holds = granted | Authenticated as Holds | place;
                for &check in &answers {
                    for oauth in [false, true] {
                        let facts = facts.clone();
                        let facts = if oauth { facts.by_oauth() } else { facts };
                        let context = || format!("{asks} {caller:?} {place:b} {check:?} {oauth}");
                        let (expected, best) =
                            by_the_rules(&expression, holds, check, (oauth, Mfa as Holds));

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
                            Decision::Deny(Denial::InsufficientScope { scopes, .. }) => {
                                assert!(best.contains(&bits_of(&scopes)), "{}", context());
                            }
                            Decision::Deny(Denial::Forbidden { .. }) => {
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
                        // Callers with this scope see the denial; the others see the path as hidden.
                        let seen = if granted & Read as Holds == 0 {
                            &hidden
                        } else {
                            &shown
                        };
                        let [half_hidden, seen] =
                            [&half_hidden, seen].map(|policy| decide(policy, &facts, check).0);
                        assert_eq!(half_hidden, seen, "{}", context());
                        let may_matter = expression.grants(holds | Checked as Holds | Mfa as Holds)
                            && !expression.grants(holds);
                        assert!(may_matter || !asked, "asked for nothing: {}", context());
                        decided += 1;
                    }
                }
            }
        }
    }
    // Every shape of two leaves of eleven kinds and of three of nine, in two places: the number of callers that
    // are not known, and a part of those that are.
    let shapes = 11 + 2 * 11 * 11 + 10 * 9 * 9 * 9;
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

fn status(decision: &Decision) -> u16 {
    match decision {
        Decision::Grant => 200,
        Decision::Deny(denial) => denial.status().as_u16(),
        Decision::Conceal => 404,
        Decision::Undecided(check) => panic!("{check:?} was asked already"),
    }
}

/// A requirement that the decision point decides about.
fn can_update() -> Atom {
    Atom::Can {
        action: "update".into(),
        on: auth_runtime::objects::ObjectSource::Service,
    }
}

/// Returns the policy with a `can` in place of the check.
fn with_can(policy: &Policy) -> Policy {
    policy.map(|requirement| {
        requirement.map(&|atom| {
            Requirement::Atom(match atom {
                Atom::Check(_) => can_update(),
                other => other.clone(),
            })
        })
    })
}

/// A `can` requirement decides as a check with the same result does, and is asked for in the same cases.
#[test]
fn decision_point_decides_as_check() {
    let decide =
        |policy: &Policy, context: &Context<'_>, answer| match Decision::of(policy, context) {
            Decision::Undecided(atom) => {
                let context = context.clone().answered(atom, answer);
                (Decision::of(policy, &context), true)
            }
            decision => (decision, false),
        };
    let checked: Vec<_> = all_expressions()
        .into_iter()
        .filter(|expression| expression.atoms() & Checked as Holds != 0)
        .collect();
    let mut compared = 0;
    for expression in checked.iter().step_by(3) {
        let requirement = expression.requirement();
        let lesser = Requirement::all([Requirement::scope("read"), Requirement::check(A_CHECK)]);
        let shown = Policy::requires(requirement);
        for policy in [shown.clone(), shown.hide_as_not_found().hide_unless(lesser)] {
            let by_object = with_can(&policy);
            for holds in [0, Read as Holds, Staff as Holds, SCOPES | Mfa as Holds] {
                let caller = Caller::known(identity(holds));
                let context = Context::new(&caller).by_oauth();
                for answer in [Some(true), Some(false), None] {
                    let (by_check, by_engine) = (
                        decide(&policy, &context, answer),
                        decide(&by_object, &context, answer),
                    );
                    assert_eq!(by_check, by_engine, "{policy} {holds:b} {answer:?}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 1_000, "{compared}");
}

/// A `can` that the decision point denies until a login counts as a freshness atom (rule 3).
#[test]
fn login_for_object_counts_as_freshness() {
    let denied = auth_runtime::objects::ObjectDecision::deny_until_login(["mfa"]);
    let mut scopes_named = 0;
    let checked = all_expressions().into_iter();
    for expression in checked.filter(|it| it.atoms() & Checked as Holds != 0) {
        let policy = with_can(&Policy::requires(expression.requirement()));
        let grantable = SCOPES | Staff as Holds | Mfa as Holds | Bound as Holds;
        for granted in subsets(grantable & expression.atoms()) {
            let caller = Caller::known(identity(granted));
            let context = context_of(&caller, ELSEWHERE, false).by_oauth();
            let context = context.decided(can_update(), &denied);
            let holds = granted | Authenticated as Holds;
            let fresh = Mfa as Holds | Checked as Holds;
            let (expected, best) = by_the_rules(&expression, holds, Some(false), (true, fresh));
            let decision = Decision::of(&policy, &context);
            let found = match &decision {
                Decision::Deny(Denial::SenderConstraintRequired) => UNBOUND,
                decision => status(decision),
            };
            assert_eq!(found, expected, "{policy} {granted:b}");
            match decision {
                Decision::Deny(Denial::InsufficientScope { scopes, .. }) => {
                    assert!(
                        best.contains(&bits_of(&scopes)),
                        "{policy} {granted:b}: {scopes:?}"
                    );
                    scopes_named += 1;
                }
                Decision::Deny(Denial::Forbidden { .. }) => {
                    assert!(best.is_empty(), "{policy} {granted:b}");
                }
                _ => {}
            }
        }
    }
    assert!(scopes_named > 100, "{scopes_named}");
}
