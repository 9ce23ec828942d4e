//! Sizes: allowed ones are checked quickly, and larger ones are rejected.

use std::time::{Duration, Instant};

use auth_grammar::errors::Errors;
use auth_grammar::vocabulary::{self, MAX_BLOCKS, MAX_IMPLYING, MAX_TERMS};
use auth_grammar::{MAX_SIZE, args, check, requires};

use crate::loaded;

/// Algorithms with superlinear time took minutes here.
const PATIENCE: Duration = Duration::from_secs(10);

fn messages(arguments: &str, vocabulary: Option<&str>) -> Vec<String> {
    let found = vocabulary.map(loaded);
    let mut errors = Errors::default();
    let start = Instant::now();
    requires(
        arguments.parse().expect("tokens"),
        found.as_ref(),
        &mut errors,
    );
    let elapsed = start.elapsed();
    assert!(
        elapsed < PATIENCE,
        "{elapsed:?}: {}",
        &arguments[..100.min(arguments.len())]
    );
    errors.messages()
}

fn mistakes(vocabulary: &str) -> Vec<String> {
    let start = Instant::now();
    let (_, mistakes) = vocabulary::read(vocabulary);
    let elapsed = start.elapsed();
    assert!(elapsed < PATIENCE, "{elapsed:?}");
    mistakes
        .into_iter()
        .map(|mistake| mistake.message)
        .collect()
}

/// Joins `count` members.
fn list(count: usize, member: impl Fn(usize) -> String) -> String {
    (0..count).map(member).collect::<Vec<_>>().join(", ")
}

fn scopes(count: usize) -> String {
    list(count, |index| format!("scope = \"s{index}\""))
}

#[test]
fn too_many_schemes_are_one_mistake() {
    let schemes = |count| {
        let names = list(count, |index| format!("\"s{index}\""));
        messages(&format!("authenticated, schemes({names})"), None)
    };
    assert_eq!(schemes(64), Vec::<String>::new());
    let expected = "`schemes` has 20000 names; the maximum is 64 [AUTH0064]";
    assert_eq!(schemes(20_000), [expected]);
}

#[test]
fn largest_policies_are_checked_quickly() {
    let triples = list(MAX_SIZE / 3, |index| {
        format!("all(scope = \"a{index}\", role = \"b{index}\", permission = \"c{index}\")")
    });
    let sharing = list(MAX_SIZE / 2, |index| {
        format!("all(role = \"admin\", scope = \"s{index}\")")
    });
    let pairs = list(10, |index| {
        format!("any(role = \"a{index}\", role = \"b{index}\")")
    });
    let networks = list(MAX_SIZE, |index| {
        format!("network = \"10.{}.{}.0/24\"", index / 128, index % 128 * 2)
    });
    let half = MAX_SIZE / 2;
    for policy in [
        scopes(MAX_SIZE),
        format!("any({})", scopes(MAX_SIZE)),
        format!("any({triples})"),
        format!("any({sharing})"),
        format!("{}, {pairs}", scopes(MAX_SIZE - 20)),
        format!("any({networks})"),
        format!(
            "{}, any({})",
            scopes(half),
            list(half, |index| format!("role = \"r{index}\""))
        ),
        format!(
            "any({}), any({})",
            scopes(half),
            list(half, |index| format!("permission = \"p{index}\""))
        ),
        format!(
            "any({}), hide_as = 404, hide_unless = any({})",
            scopes(half),
            list(half, |index| format!("permission = \"p{index}\""))
        ),
        format!(
            "any({})",
            list(MAX_SIZE, |index| format!("check = checks::c{index}"))
        ),
    ] {
        assert_eq!(
            messages(&policy, None),
            Vec::<String>::new(),
            "{}",
            &policy[..80]
        );
    }
}

/// Errors in a large policy are reported quickly as well.
#[test]
fn largest_mistakes_are_found_quickly() {
    let half = MAX_SIZE / 2;
    let members = list(half - 1, |index| format!("scope = \"s{index}\""));
    for (policy, count) in [
        (list(MAX_SIZE, |_| "scope = \"s\"".to_owned()), 100),
        (list(MAX_SIZE, |_| "authenticated".to_owned()), 100),
        (format!("any({}, authenticated)", scopes(MAX_SIZE - 1)), 100),
        // All of the first parts are needed to detect that the last one is redundant.
        (format!("{members}, any(all({members}), role = \"r\")"), 1),
        (
            format!(
                "{}, any(acr = \"a\", acr = \"b\"), any(acr = \"c\", acr = \"d\")",
                scopes(MAX_SIZE - 4)
            ),
            1,
        ),
        (list(MAX_SIZE, |index| format!("acr = \"a{index}\"")), 100),
    ] {
        let messages = messages(&policy, None);
        assert_eq!(
            messages.len(),
            count,
            "{}: {:?}",
            &policy[..80],
            messages.first()
        );
    }
}

#[test]
fn larger_policies_are_refused() {
    let too_large = format!("any({})", scopes(MAX_SIZE + 1));
    let [message] = messages(&too_large, None).try_into().expect("one message");
    assert_eq!(
        message,
        "this policy has 1025 requirements; the maximum is 1024 [AUTH0064]\n\
         help: require a role or a permission in place of several requirements"
    );
    let several = format!(
        "{}, hide_as = 404, hide_unless = role(\"r\")",
        scopes(MAX_SIZE)
    );
    assert_eq!(messages(&several, None).len(), 1);
    let module = format!("any({})", scopes(MAX_SIZE));
    let mut errors = Errors::default();
    let tokens = |text: &str| text.parse().expect("tokens");
    auth_grammar::within(
        vec![tokens(&module)],
        tokens("role = \"r\""),
        None,
        &mut errors,
    );
    assert_eq!(errors.messages().len(), 1, "with the module around it");
    let start = Instant::now();
    messages(&format!("any({})", scopes(100_000)), None);
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn nested_modules_are_checked_quickly() {
    let tokens = |text: String| text.parse().expect("tokens");
    let module = |index| tokens(format!("any(scope = \"s{index}\", role = \"r{index}\")"));
    let mut errors = Errors::default();
    let start = Instant::now();
    auth_grammar::within(
        (0..100).map(module).collect(),
        tokens("permission = \"p\"".to_owned()),
        None,
        &mut errors,
    );
    let elapsed = start.elapsed();
    assert_eq!(errors.messages(), Vec::<String>::new());
    assert!(elapsed < PATIENCE / 10, "{elapsed:?}");
}

/// A name counts for all names that imply it, and a policy for all of its requirements.
#[test]
fn expanded_policies_count() {
    let implying = list(MAX_IMPLYING, |index| format!("b{index}"))
        .split(", ")
        .map(|name| format!("{name} = {{ description = \"x\", implies = [\"a\"] }}\n"))
        .collect::<String>();
    let vocabulary = format!(
        "[scopes]\na = \"x\"\n{implying}[policies.large]\ndescription = \"x\"\nrequires = \
         'any({})'\n",
        list(200, |index| format!("scope = \"b{index}\""))
    );
    for (policy, size) in [
        ("scope = \"a\"".to_owned(), None),
        (
            format!("any({})", list(4, |_| "scope = \"a\"".to_owned())),
            Some(4 * 257),
        ),
        (
            format!("any({})", list(6, |_| "policy = \"large\"".to_owned())),
            Some(1200),
        ),
        // Its names are not looked up.
        (
            format!(
                "any({}, scope = \"undeclared\")",
                list(6, |_| "policy = \"large\"".to_owned())
            ),
            Some(1200),
        ),
    ] {
        let messages = messages(&policy, Some(&vocabulary));
        match (messages.as_slice(), size) {
            ([], None) => {}
            ([message], Some(size)) => {
                let begin = format!("this policy has {size} requirements");
                assert!(message.starts_with(&begin), "{message}");
            }
            other => panic!("{policy}: {other:?}"),
        }
    }
}

fn chain(length: usize) -> String {
    let implied = (1..length).map(|index| {
        format!(
            "s{index} = {{ description = \"x\", implies = [\"s{}\"] }}\n",
            index - 1
        )
    });
    format!("[scopes]\ns0 = \"x\"\n{}", implied.collect::<String>())
}

#[test]
fn implication_is_bounded() {
    assert_eq!(mistakes(&chain(MAX_IMPLYING + 1)), Vec::<String>::new());
    assert_eq!(
        mistakes(&chain(3000)),
        [
            "the scope `s0` is implied by 2999 others; the maximum is 256\n\
             help: require a broader scope in its place"
        ]
    );
    let circle = chain(3000).replace(
        "s0 = \"x\"",
        "s0 = { description = \"x\", implies = [\"s2999\"] }",
    );
    let found = mistakes(&circle);
    assert!(
        found[0].starts_with("cycle of implications: ") && found[0].contains("2993 others"),
        "{}",
        found[0]
    );
    assert!(found[0].len() < 1000, "{}", found[0]);
}

#[test]
fn vocabularies_have_an_end() {
    let terms = |count: usize| {
        let terms = (0..count).map(|index| format!("r{index} = \"x\"\n"));
        format!("[roles]\n{}", terms.collect::<String>())
    };
    assert_eq!(mistakes(&terms(MAX_TERMS)), Vec::<String>::new());
    assert_eq!(
        mistakes(&terms(MAX_TERMS + 1)),
        ["`[roles]` has 4097 names; the maximum is 4096"]
    );
    let blocks = |count: usize| {
        let block = |index: usize| format!("\"10.{}.{}.0/24\"", index / 128, index % 128 * 2);
        format!("[networks]\noffice = [{}]\n", list(count, block))
    };
    assert_eq!(mistakes(&blocks(MAX_BLOCKS)), Vec::<String>::new());
    assert_eq!(
        mistakes(&blocks(MAX_BLOCKS + 1)),
        [
            "the network `office` has 1025 blocks of addresses; the maximum is 1024\n\
             help: combine neighbouring blocks"
        ]
    );
    // A suggestion is searched for each of these names.
    let undeclared = list(4000, |index| format!("\"undeclared{index}\""));
    let text = format!("[roles]\nr = {{ description = \"x\", implies = [{undeclared}] }}\n");
    assert_eq!(mistakes(&text).len(), 101);
    let unknown =
        |count: usize| -> String { (0..count).map(|index| format!("x{index} = 1\n")).collect() };
    assert_eq!(mistakes(&unknown(100)).len(), 100);
    let found = mistakes(&unknown(102));
    let further = "from here on, 2 further mistakes";
    assert_eq!((found.len(), found[100].as_str()), (101, further));
    let nested = format!(
        "[policies.p]\ndescription = \"x\"\nrequires = '{}authenticated{}'\n",
        "all(".repeat(100_000),
        ")".repeat(100_000)
    );
    assert_eq!(mistakes(&nested).len(), 1);
}

#[test]
fn names_and_messages_are_bounded() {
    let name = |length: usize| "x".repeat(length);
    for key in [
        "scope",
        "role",
        "permission",
        "acr",
        "amr",
        "network",
        "setting",
        "policy",
    ] {
        let long = messages(&format!("{key} = \"{}\"", name(1 << 20)), None);
        let [message] = long.as_slice() else {
            panic!("{key}: {}", long.len());
        };
        let rest = "…` has 1048576 characters; the maximum is 256 [AUTH0064]";
        assert_eq!(*message, format!("the {key} `{}{rest}", name(32)));
    }
    for key in ["scope", "role", "permission", "acr", "amr", "setting"] {
        let text = format!("{key} = \"{}\"", name(256));
        assert_eq!(messages(&text, None), Vec::<String>::new(), "{key}");
    }
    let says = |length| messages(&format!("authenticated, says = \"{}\"", name(length)), None);
    assert_eq!(says(512), Vec::<String>::new());
    assert_eq!(
        says(513),
        [
            "the text has 513 characters; the maximum is 512 [AUTH0065]\n\
          help: link to a page with the rest"
        ]
    );
    for arguments in [
        format!("authenticated, realm = \"{}\"", name(257)),
        format!("authenticated, schemes(\"{}\")", name(257)),
        format!("authenticated, scope = \"x\" \"{}\"", name(1 << 20)),
        format!("authenticated, scope = b\"{}\"", name(1 << 20)),
        format!("authenticated, {} = 5", name(1 << 20)),
        format!("authenticated, max_age = \"{}\"", name(1 << 20)),
        format!("authenticated, check = \"{}\"", name(1 << 20)),
        format!("authenticated, hide_as = \"{}\"", name(1 << 20)),
    ] {
        for message in messages(&arguments, None) {
            assert!(message.chars().count() < 1000, "{message}");
        }
    }
    for text in [
        format!("[roles]\n{} = \"x\"\n", name(257)),
        format!("[settings]\n{} = \"x\"\n", name(257)),
        format!("[networks]\n{} = \"10.0.0.0/8\"\n", name(257)),
        format!(
            "[policies.{}]\ndescription = \"x\"\nrequires = 'authenticated'\n",
            name(257)
        ),
        format!("realm = \"{}\"\n", name(257)),
    ] {
        let [message] = mistakes(&text).try_into().expect("one mistake");
        assert!(
            message.ends_with("has 257 characters; the maximum is 256"),
            "{message}"
        );
    }
}

/// A caller from the networks is anonymous, even if there are too many alternatives for a comparison.
#[test]
fn many_network_alternatives_leave_callers_unknown() {
    let pair = |number| {
        format!(
            "any(network = \"10.0.0.0/{}\", scope = \"s{number}\")",
            8 + number
        )
    };
    let many: Vec<String> = (0..11).map(pair).collect();
    let many = format!("all({})", many.join(", "));
    for (arguments, is_known) in [
        (many.clone(), false),
        (format!("authenticated, {many}"), true),
    ] {
        let mut errors = Errors::default();
        let requires = args::requires(arguments.parse().expect("tokens"), &mut errors);
        assert_eq!(errors.messages(), [""; 0], "{arguments}");
        let found = check::makes_known(&requires.requirements);
        assert_eq!(found, is_known, "{arguments}");
    }
}
