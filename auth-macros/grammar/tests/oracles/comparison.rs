//! The reported change of a policy, compared with the access of every caller before and after.

use std::sync::Arc;

use auth_grammar::errors::Errors;
use auth_grammar::lower;
use auth_grammar::requirement::{ParsedPolicy, Requires};
use auth_grammar::vocabulary::{self, LoadedVocabulary};
use auth_runtime_policy::Policy;
use auth_runtime_policy::compare::{Aspect, Change, Impact, compare};
use proptest::prelude::*;

use crate::expression::{ATOMS, Atom, Caller, Expression, VOCABULARY, expressions};

const SCHEMES: [&[&str]; 4] = [
    &["Basic"],
    &["Bearer"],
    &["Basic", "Bearer"],
    &["Bearer", "Basic"],
];

/// A policy in the oracle.
#[derive(Clone, Debug)]
enum Stated {
    Public,
    Requires {
        callers: Expression,
        hidden: Hidden,
        schemes: Option<&'static [&'static str]>,
        /// True if `write` implies `read` in the vocabulary of this version.
        implied: bool,
    },
}

#[derive(Clone, Debug)]
enum Hidden {
    FromNobody,
    FromEverybody,
    Unless(Expression),
}

/// A client: a caller of the other tests, with the granted scopes and the scheme.
struct Client {
    caller: Caller,
    read: bool,
    write: bool,
    scheme: &'static str,
}

impl Client {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for scheme in ["Basic", "Bearer", "Other"] {
            for caller in Caller::all() {
                let is_known = caller.known.as_ref().is_some();
                let has_scope = caller
                    .known
                    .as_ref()
                    .is_some_and(|known| known.scope.is_some());
                // Each scope once, as granted.
                if has_scope {
                    continue;
                }
                for (read, write) in [(false, false), (true, false), (false, true), (true, true)] {
                    if is_known || !(read || write) {
                        all.push(Self {
                            caller: caller.clone(),
                            read,
                            write,
                            scheme,
                        });
                    }
                }
            }
        }
        all
    }

    fn meets(&self, expression: &Expression, implied: bool) -> bool {
        match expression {
            Expression::Atom(Atom::Read) => self.read || implied && self.write,
            Expression::Atom(Atom::Write) => self.write,
            Expression::Atom(_) => self.caller.meets(expression),
            Expression::All(parts) => parts.iter().all(|part| self.meets(part, implied)),
            Expression::Any(parts) => parts.iter().any(|part| self.meets(part, implied)),
        }
    }

    /// Returns the client's state under a policy that accepts these schemes.
    fn seen_by(&self, schemes: Option<&'static [&'static str]>) -> Self {
        let is_accepted = schemes.is_none_or(|schemes| schemes.contains(&self.scheme));
        let mut caller = self.caller.clone();
        caller.known = caller.known.filter(|_| is_accepted);
        Self {
            caller,
            read: self.read && is_accepted,
            write: self.write && is_accepted,
            scheme: self.scheme,
        }
    }
}

impl Stated {
    fn policy(&self) -> Policy {
        let (arguments, implied) = match self {
            Self::Public => return public("it is for everybody"),
            Self::Requires {
                callers,
                hidden,
                schemes,
                implied,
            } => {
                let mut arguments = callers.to_string();
                arguments += &match hidden {
                    Hidden::FromNobody => String::new(),
                    Hidden::FromEverybody => ", hide_as = 404".to_owned(),
                    Hidden::Unless(lesser) => {
                        format!(", hide_as = 404, hide_unless = any({lesser}, {lesser})")
                    }
                };
                if let Some(schemes) = schemes {
                    arguments += &format!(", schemes({})", schemes.join(", "));
                }
                (arguments, *implied)
            }
        };
        let text = if implied {
            VOCABULARY.to_owned()
        } else {
            VOCABULARY.replace(", implies = [\"read\"]", "")
        };
        requires(&arguments, &text)
    }

    fn lets_in(&self, client: &Client) -> bool {
        match self {
            Self::Public => true,
            Self::Requires {
                callers,
                schemes,
                implied,
                ..
            } => client.seen_by(*schemes).meets(callers, *implied),
        }
    }

    fn tells(&self, client: &Client) -> bool {
        match self {
            Self::Requires {
                hidden: Hidden::FromEverybody,
                ..
            } => false,
            Self::Requires {
                hidden: Hidden::Unless(lesser),
                schemes,
                implied,
                ..
            } => client.seen_by(*schemes).meets(lesser, *implied),
            _ => true,
        }
    }
}

fn public(reason: &str) -> Policy {
    let arguments = format!("reason = {reason:?}").parse().expect("tokens");
    let public = auth_grammar::args::public(arguments, &mut Errors::default());
    lower::policy(&ParsedPolicy::Public(public))
}

fn requires(arguments: &str, vocabulary: &str) -> Policy {
    lower::requires(&read(arguments, vocabulary))
}

fn read(arguments: &str, vocabulary: &str) -> Requires {
    let (vocabulary, mistakes) = vocabulary::read(vocabulary);
    assert_eq!(mistakes, []);
    let found = LoadedVocabulary {
        path: "auth.toml".into(),
        shown: "auth.toml".to_owned(),
        schema: None,
        vocabulary: Some(Arc::new(vocabulary)),
        mistakes: Vec::new(),
    };
    // The policy of a module is written behind `module:`.
    let (module, own) = match arguments.strip_prefix("module: ") {
        Some(arguments) => arguments.split_once("; ").expect("what is within"),
        None => ("", arguments),
    };
    let modules = [module].into_iter().filter(|module| !module.is_empty());
    let modules = modules.map(|module| module.parse().expect("tokens"));
    let own = own.parse().expect("tokens");
    // Contradictory policies can be compared as well.
    auth_grammar::within(modules.collect(), own, Some(&found), &mut Errors::default())
}

/// Returns the change of the access, from that of each client.
fn change(were: &[bool], are: &[bool]) -> Change {
    let pairs = || std::iter::zip(were, are);
    match (
        pairs().any(|(was, is)| !was && *is),
        pairs().any(|(was, is)| *was && !is),
    ) {
        (false, false) => Change::Same,
        (true, false) => Change::Loosened,
        (false, true) => Change::Tightened,
        (true, true) => Change::Changed,
    }
}

fn stated() -> impl Strategy<Value = Stated> {
    let hidden = prop_oneof![
        Just(Hidden::FromNobody),
        Just(Hidden::FromEverybody),
        expressions().prop_map(Hidden::Unless),
    ];
    let schemes = prop_oneof![
        2 => Just(None),
        1 => proptest::sample::select(SCHEMES.as_slice())
        .prop_map(Some),
    ];
    let requires = (expressions(), hidden, schemes, any::<bool>()).prop_map(
        |(callers, hidden, schemes, implied)| Stated::Requires {
            callers,
            hidden,
            schemes,
            implied,
        },
    );
    prop_oneof![1 => Just(Stated::Public), 15 => requires]
}

/// Two versions. The second one often differs only slightly.
fn versions() -> impl Strategy<Value = (Stated, Stated)> {
    let related = (stated(), stated(), 0..5_u8).prop_map(|(before, other, kept)| {
        let mut after = before.clone();
        if let (
            Stated::Requires {
                callers,
                hidden,
                schemes,
                implied,
            },
            Stated::Requires {
                callers: other_callers,
                hidden: other_hidden,
                schemes: other_schemes,
                implied: other_implied,
            },
        ) = (&mut after, other)
        {
            match kept {
                0 => *callers = Expression::Any(vec![callers.clone(), other_callers]),
                1 => *callers = Expression::All(vec![callers.clone(), other_callers]),
                2 => *hidden = other_hidden,
                3 => *schemes = other_schemes,
                _ => *implied = other_implied,
            }
        }
        (before, after)
    });
    prop_oneof![1 => (stated(), stated()), 4 => related]
}

/// Compares the reported change with the oracle, and returns it.
fn hold(before: &Stated, after: &Stated, clients: &[Client]) -> Change {
    let who = |holds: &dyn Fn(&Client) -> bool| clients.iter().map(holds).collect::<Vec<_>>();
    let comparison = compare(&before.policy(), &after.policy());
    let callers = change(
        &who(&|it| before.lets_in(it)),
        &who(&|it| after.lets_in(it)),
    );
    let told = change(&who(&|it| before.tells(it)), &who(&|it| after.tells(it)));
    assert_eq!(
        (comparison.callers, comparison.disclosure),
        (callers, told),
        "{before:?} {after:?}"
    );
    callers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn changes_of_callers_match_the_oracle((before, after) in versions()) {
        hold(&before, &after, &Client::all());
    }
}

/// Every atom in place of every other one.
#[test]
fn single_requirements_are_compared_without_exception() {
    let clients = Client::all();
    let states = ATOMS.map(|atom| Stated::Requires {
        callers: Expression::Atom(atom),
        hidden: Hidden::FromNobody,
        schemes: None,
        implied: true,
    });
    let mut seen = Vec::new();
    for before in &states {
        for after in &states {
            let change = hold(before, after, &clients);
            if !seen.contains(&change) {
                seen.push(change);
            }
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

/// Policies that are written in another way, and their changes.
#[test]
fn differences_beside_access_are_named() {
    let none: Vec<Aspect> = Vec::new();
    for (before, after, callers, told, others) in [
        (
            r#"any(scope = "read", role = "editor")"#,
            r#"any(role = "editor", scope = "read", scope = "write")"#,
            Change::Same,
            Change::Same,
            none.clone(),
        ),
        (
            r#"role = "editor", hide_as = 404"#,
            r#"role = "editor""#,
            Change::Same,
            Change::Loosened,
            none.clone(),
        ),
        (
            r#"role = "editor", hide_as = 404, hide_unless = scope("read")"#,
            r#"role = "editor", hide_as = 404"#,
            Change::Same,
            Change::Tightened,
            none.clone(),
        ),
        (
            r#"role = "editor", schemes(Basic, Bearer)"#,
            r#"role = "editor", schemes(Bearer)"#,
            Change::Tightened,
            Change::Same,
            vec![Aspect::Schemes],
        ),
        (
            r#"network = "desk", schemes(Bearer)"#,
            r#"network = "desk", schemes(Basic)"#,
            Change::Same,
            Change::Same,
            vec![Aspect::Schemes],
        ),
        (
            r#"role = "editor", schemes(Basic, Bearer), realm = "a""#,
            r#"role = "editor", schemes(Bearer, Basic), realm = "b""#,
            Change::Same,
            Change::Same,
            vec![Aspect::Schemes, Aspect::Realm],
        ),
        (
            r#"module: role = "editor"; scope = "read""#,
            r#"module: role = "editor"; scope = "read", loosen = "they are not all editors""#,
            Change::Loosened,
            Change::Same,
            vec![Aspect::Reason],
        ),
        (
            r#"module: role = "editor"; scope = "read""#,
            r#"role = "editor", scope = "read""#,
            Change::Same,
            Change::Same,
            none.clone(),
        ),
        (
            "check = is_owner",
            "check = is_member",
            Change::Changed,
            Change::Same,
            none,
        ),
    ] {
        let [was, is] = [before, after].map(|text| requires(text, VOCABULARY));
        let comparison = compare(&was, &is);
        assert_eq!(
            (comparison.callers, comparison.disclosure, comparison.others),
            (callers, told, others),
            "{before} {after}"
        );
    }
}

/// A policy that becomes weaker and hidden is loosened nevertheless.
#[test]
fn gain_and_loss_is_changed() {
    let shown = r#"role = "editor""#;
    let hidden = "authenticated, hide_as = 404";
    for (before, after, callers, told) in [
        (shown, hidden, Change::Loosened, Change::Tightened),
        (hidden, shown, Change::Tightened, Change::Loosened),
    ] {
        let [was, is] = [before, after].map(|text| requires(text, VOCABULARY));
        let comparison = compare(&was, &is);
        assert_eq!((comparison.callers, comparison.disclosure), (callers, told));
        assert_eq!(comparison.change(), Change::Loosened, "{before} {after}");
        assert_eq!(comparison.impact(), Some(Impact::Loosened));
    }
    let other = r#"role = "auditor", hide_as = 404"#;
    let [was, is] = [shown, other].map(|text| requires(text, VOCABULARY));
    assert_eq!(compare(&was, &is).impact(), Some(Impact::Changed));
}

/// An undecidable change must not look harmless.
#[test]
fn oversized_policies_are_changed() {
    let pairs: Vec<String> = (0..11)
        .map(|n| format!("any(role = \"a{n}\", all(role = \"b{n}\", role = \"c{n}\"))"))
        .collect();
    let policy = |parts: &[String]| {
        let arguments = parts.join(", ").parse().expect("tokens");
        let requires = auth_grammar::requires(arguments, None, &mut Errors::default());
        lower::requires(&requires)
    };
    let many = policy(&pairs);
    assert_eq!(compare(&many, &many).change(), Change::Same);
    let mut turned = pairs.clone();
    turned.reverse();
    assert_eq!(compare(&many, &policy(&turned)).change(), Change::Changed);
    let fewer = policy(&pairs[1..]);
    assert_eq!(compare(&many, &fewer).change(), Change::Changed);
    assert_eq!(compare(&fewer, &many).change(), Change::Changed);
}

#[test]
fn impact_of_attributes() {
    let read = |arguments: &str| requires(arguments, VOCABULARY);
    let editor = || read(r#"role = "editor""#);
    let changes = [
        (
            read("authenticated"),
            public("it is time"),
            Impact::Loosened,
        ),
        (
            read("authenticated, hide_as = 404"),
            read("authenticated"),
            Impact::Loosened,
        ),
        (editor(), read(r#"role = "auditor""#), Impact::Changed),
        (read("authenticated"), editor(), Impact::Tightened),
        (public("one"), public("another"), Impact::Restated),
    ];
    for (before, after, impact) in changes {
        assert_eq!(
            compare(&before, &after).impact(),
            Some(impact),
            "{before} → {after}"
        );
    }
    assert_eq!(compare(&editor(), &editor()).impact(), None);
}
