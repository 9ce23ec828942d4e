//! The results of the checks, compared with the access of all possible callers.

use std::sync::{Arc, LazyLock};

use auth_grammar::check;
use auth_grammar::errors::Errors;
use auth_grammar::requirement::{ParsedRequirement, Requires};
use auth_grammar::vocabulary::{self, LoadedVocabulary, Vocabulary};
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
    let found = LoadedVocabulary {
        path: "auth.toml".into(),
        shown: "auth.toml".to_owned(),
        schema: None,
        vocabulary: Some(Arc::clone(&DECLARED)),
        mistakes: Vec::new(),
    };
    let mut errors = Errors::default();
    let tokens = |text: &str| text.parse().expect("tokens");
    let modules = module.map(tokens).into_iter().collect();
    let requires = auth_grammar::within(modules, tokens(arguments), Some(&found), &mut errors);
    (requires, errors.messages())
}

fn requirement(expression: &Expression) -> ParsedRequirement {
    let (requires, _) = read(&expression.to_string());
    requires.requirements.into_iter().next().expect("one")
}

fn is_met_by(expression: &Expression) -> Vec<bool> {
    EVERYBODY
        .iter()
        .map(|caller| caller.meets(expression))
        .collect()
}

/// Returns whether some caller meets it, some caller does not, and every part of it matters.
fn is_right(expression: &Expression, met: &[bool]) -> bool {
    let lesser = with_one_less(expression);
    met.contains(&true) && met.contains(&false) && lesser.iter().all(|less| is_met_by(less) != met)
}

/// Writes it in the syntax of `hide_unless`.
fn called(expression: &Expression) -> String {
    let text = expression.to_string();
    match (expression, text.split_once(" = ")) {
        (Expression::Atom(_), Some((key, value))) => format!("{key}({value})"),
        _ => text,
    }
}

/// Returns the expressions without one member of one of their lists.
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
    fn implications_match_the_oracle(
        one in expressions(), other in expressions(),
    ) {
        let implied = std::iter::zip(is_met_by(&one), is_met_by(&other)).all(|(one, other)| !one || other);
        prop_assert_eq!(check::entails(&requirement(&one), &requirement(&other)), implied);
    }

    #[test]
    fn known_callers_match_the_oracle(one in expressions()) {
        let strangers = EVERYBODY.iter().filter(|caller| caller.known.is_none());
        let lets_strangers_in = strangers.into_iter().any(|caller| caller.meets(&one));
        let (requires, errors) = read(&one.to_string());
        // A requirement without any matching caller does not compile, so it is left out.
        if errors.is_empty() {
            prop_assert_eq!(check::makes_known(&requires.requirements), !lets_strangers_in);
        }
    }

    #[test]
    fn valid_policies_have_no_idle_part(one in expressions()) {
        let met = is_met_by(&one);
        let (_, errors) = read(&one.to_string());
        prop_assert_eq!(errors.is_empty(), is_right(&one, &met), "{}: {:#?}", one, errors);
    }

    #[test]
    fn additions_to_a_module_decide(module in expressions(), own in expressions()) {
        let module_alone = read(&module.to_string()).1;
        let own_alone = read(&own.to_string()).1;
        // An error of one part is reported as such.
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

    #[test]
    fn loosening_allows_further_callers(
        module in expressions(), own in expressions(),
    ) {
        if !read(&module.to_string()).1.is_empty() || !read(&own.to_string()).1.is_empty() {
            return Ok(());
        }
        let hidden = format!("{module}, hide_as = 404");
        let (requires, errors) = read_within(Some(&hidden), &format!("{own}, loosen = \"x\""));
        let mut callers = std::iter::zip(is_met_by(&module), is_met_by(&own));
        let right = callers.any(|(module, own)| own && !module);
        prop_assert_eq!(errors.is_empty(), right, "{} within {}: {:#?}", own, module, errors);
        // The requirements of the module are replaced, but hiding is kept.
        let whole = requires.with_modules();
        prop_assert!(whole.hide_as.is_some());
        let kept = check::entails(&requirement(&own), &whole.requirements[0]);
        prop_assert!(kept && whole.requirements.len() == 1);
    }

    #[test]
    fn hiding_exceptions_have_no_idle_part(
        own in expressions(), lesser in expressions(),
    ) {
        let lesser_alone = is_met_by(&lesser);
        if !read(&own.to_string()).1.is_empty() || !is_right(&lesser, &lesser_alone) {
            return Ok(());
        }
        let allowed = is_met_by(&own);
        let told = |lesser: &Expression| -> Vec<bool> {
            let callers = std::iter::zip(is_met_by(lesser), &allowed);
            callers.map(|(lesser, allowed)| lesser && !allowed).collect()
        };
        let shown = told(&lesser);
        let parts_decide = with_one_less(&lesser).iter().all(|less| told(less) != shown);
        let right = shown.contains(&true) && parts_decide;
        let text = format!("{own}, hide_as = 404, hide_unless = {}", called(&lesser));
        let (_, errors) = read(&text);
        prop_assert_eq!(errors.is_empty(), right, "{}: {:#?}", text, errors);
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
        let (_, errors) = read(&one.to_string());
        assert_eq!(errors.is_empty(), is_right(one, &met), "{one}: {errors:#?}");
    }
}
