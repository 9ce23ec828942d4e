//! What the checks say of an expression, held against everybody who could call.

use std::sync::{Arc, LazyLock};

use auth_grammar::check;
use auth_grammar::errors::Errors;
use auth_grammar::requirement::{Requirement, Requires};
use auth_grammar::vocabulary::{self, Found, Vocabulary};
use proptest::prelude::*;

use crate::expression::{ATOMS, Atom, Caller, Expression, VOCABULARY, expressions};

static EVERYBODY: LazyLock<Vec<Caller>> = LazyLock::new(Caller::all);

static DECLARED: LazyLock<Arc<Vocabulary>> = LazyLock::new(|| {
    let (vocabulary, mistakes) = vocabulary::read(VOCABULARY);
    assert_eq!(mistakes, []);
    Arc::new(vocabulary)
});

fn read(arguments: &str) -> (Requires, Vec<String>) {
    read_within(None, arguments)
}

fn read_within(module: Option<&str>, arguments: &str) -> (Requires, Vec<String>) {
    let found = Found {
        path: "auth.toml".into(),
        shown: "auth.toml".to_owned(),
        vocabulary: Some(Arc::clone(&DECLARED)),
        mistakes: Vec::new(),
    };
    let mut errors = Errors::default();
    let tokens = |text: &str| text.parse().expect("tokens");
    let modules = module.map(tokens).into_iter().collect();
    let requires = auth_grammar::within(modules, tokens(arguments), Some(&found), &mut errors);
    (requires, errors.messages())
}

fn requirement(expression: &Expression) -> Requirement {
    let (requires, _) = read(&expression.to_string());
    requires.requirements.into_iter().next().expect("one")
}

fn is_met_by(expression: &Expression) -> Vec<bool> {
    EVERYBODY
        .iter()
        .map(|caller| caller.meets(expression))
        .collect()
}

/// The expression without one member of one of its lists, for each of them.
fn with_one_less(expression: &Expression) -> Vec<Expression> {
    let (parts, list): (_, fn(Vec<Expression>) -> Expression) = match expression {
        Expression::Atom(_) => return Vec::new(),
        Expression::All(parts) => (parts, Expression::All),
        Expression::Any(parts) => (parts, Expression::Any),
    };
    let mut found = Vec::new();
    for index in 0..parts.len() {
        let mut rest = parts.clone();
        let part = rest.remove(index);
        found.push(list(rest));
        for less in with_one_less(&part) {
            let mut other = parts.clone();
            other[index] = less;
            found.push(list(other));
        }
    }
    found
}

fn any(atoms: [Atom; 2]) -> Expression {
    Expression::Any(atoms.map(Expression::Atom).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn one_requirement_implies_another_when_whoever_meets_it_meets_the_other(
        one in expressions(), other in expressions(),
    ) {
        let implied = std::iter::zip(is_met_by(&one), is_met_by(&other)).all(|(one, other)| !one || other);
        prop_assert_eq!(check::entails(&requirement(&one), &requirement(&other)), implied);
    }

    #[test]
    fn whoever_meets_a_requirement_is_known_or_need_not_be(one in expressions()) {
        let strangers = EVERYBODY.iter().filter(|caller| caller.known.is_none());
        let lets_strangers_in = strangers.into_iter().any(|caller| caller.meets(&one));
        let (requires, errors) = read(&one.to_string());
        // What nobody meets does not compile, so it does not matter who that would be.
        if errors.is_empty() {
            prop_assert_eq!(check::makes_known(&requires.requirements), !lets_strangers_in);
        }
    }

    #[test]
    fn what_compiles_is_met_by_somebody_and_every_part_of_it_decides(one in expressions()) {
        let met = is_met_by(&one);
        let is_met = met.contains(&true);
        let all_decide = with_one_less(&one).iter().all(|less| is_met_by(less) != met);
        let (_, errors) = read(&one.to_string());
        prop_assert_eq!(errors.is_empty(), is_met && all_decide, "{}: {:#?}", one, errors);
    }

    #[test]
    fn what_a_handler_adds_to_its_module_decides(module in expressions(), own in expressions()) {
        let module_alone = read(&module.to_string()).1;
        let own_alone = read(&own.to_string()).1;
        // What is wrong on its own is told as such.
        if !module_alone.is_empty() || !own_alone.is_empty() {
            return Ok(());
        }
        let (_, errors) = read_within(Some(&module.to_string()), &own.to_string());
        let whole = |own: &Expression| Expression::All(vec![module.clone(), own.clone()]);
        let met = is_met_by(&whole(&own));
        let decides = |less: &Expression| is_met_by(&whole(less)) != met;
        let parts_decide = with_one_less(&own).iter().all(decides);
        let right = met.contains(&true) && met != is_met_by(&module) && parts_decide;
        prop_assert_eq!(errors.is_empty(), right, "{} within {}: {:#?}", own, module, errors);
    }
}

/// Every pair of atoms in either list, and every atom beside every pair.
#[test]
fn small_expressions_are_right_without_exception() {
    let mut all: Vec<Expression> = Vec::new();
    for one in ATOMS {
        for two in ATOMS {
            all.push(any([one, two]));
            all.push(Expression::All([one, two].map(Expression::Atom).to_vec()));
            for three in ATOMS {
                let atom = Expression::Atom(three);
                all.push(Expression::All(vec![atom, any([one, two])]));
            }
        }
    }
    for one in &all {
        let met = is_met_by(one);
        let right =
            met.contains(&true) && with_one_less(one).iter().all(|less| is_met_by(less) != met);
        let (_, errors) = read(&one.to_string());
        assert_eq!(errors.is_empty(), right, "{one}: {errors:#?}");
    }
}
