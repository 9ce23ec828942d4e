//! Single forms: those that both readers refuse, and those that only the engine refuses.

use std::fmt::Write as _;

use auth_grammar::cedar::SchemaForm;
use cedar_policy::{Schema, SchemaFragment};

use super::{compare, ours, theirs};

#[test]
fn both_readers_refuse() {
    for (name, text) in [
        ("no semicolon", "entity A"),
        ("no name", "entity ;"),
        ("a reserved word", "entity if;"),
        ("a keyword of policies", "entity in;"),
        ("a comma at the end", "entity A,;"),
        ("an equals sign without a record", "entity A = String;"),
        ("an enum without ids", "entity A enum [];"),
        ("an enum with a record", "entity A enum [\"x\"] {};"),
        ("tags before the record", "entity A tags String {};"),
        (
            "a comma at the end of parents",
            "entity B; entity A in [B,];",
        ),
        ("an unknown declaration", "entities A;"),
        ("a nested namespace", "namespace A { namespace B {} }"),
        ("an open namespace", "namespace A {"),
        ("a namespace without a name", "namespace { }"),
        ("a brace too many", "entity A; }"),
        ("an action without a name", "action;"),
        ("a path as a name of an action", "action A::b;"),
        ("a parent without quotes", "action a in A::b;"),
        ("an empty list of parents", "action a in [];"),
        ("appliesTo without a member", "action a appliesTo {};"),
        (
            "no principal",
            "entity A; action a appliesTo { resource: A };",
        ),
        (
            "no resource",
            "entity A; action a appliesTo { principal: A };",
        ),
        (
            "no type",
            "entity A; action a appliesTo { principal: A, resource: [] };",
        ),
        (
            "two resources",
            "entity A; action a appliesTo { principal: A, resource: A, resource: A };",
        ),
        (
            "two contexts",
            "entity A; action a appliesTo { principal: A, resource: A, context: {}, context: {} };",
        ),
        (
            "an unknown member",
            "entity A; action a appliesTo { principal: A, resource: A, object: A };",
        ),
        (
            "attributes of an action",
            "action a attributes { x: Long };",
        ),
        (
            "an unknown resource",
            "entity A; action a appliesTo { principal: A, resource: B };",
        ),
        (
            "a common type as a resource",
            "entity A; type B = A; action a appliesTo { principal: A, resource: B };",
        ),
        (
            "a resource of another namespace",
            "entity A; namespace N { entity B; } action a appliesTo { principal: A, resource: B };",
        ),
        ("two types of one name", "entity A; entity A;"),
        ("one type twice in a list", "entity A, A;"),
        ("two actions of one name", "action a; action \"a\";"),
        (
            "two common types of one name",
            "type A = Long; type A = String;",
        ),
        (
            "two namespaces of one name",
            "namespace A {} namespace A {}",
        ),
        ("the type of actions", "entity Action;"),
        ("the reserved namespace", "namespace __cedar {}"),
        ("a reserved type", "entity __cedar;"),
        ("a reserved common type", "type Set = Long;"),
        ("one annotation twice", "@doc(\"a\") @doc(\"b\") entity A;"),
        ("an annotation without a declaration", "@doc(\"a\")"),
        ("an annotation with a word", "@doc(a) entity A;"),
        ("a string without an end", "action \"a;"),
        ("an unknown escape", "action \"\\q\";"),
        ("an escape beyond ASCII", "action \"\\xff\";"),
        ("a surrogate", "action \"\\u{d800}\";"),
        ("an empty escape", "action \"\\u{}\";"),
        ("a carriage return in a string", "action \"a\rb\";"),
        ("an escaped line break", "action \"a\\\n b\";"),
        ("a comment in the style of C", "/* entity */ entity A;"),
        ("a byte order mark", "\u{feff}entity A;"),
        ("a number", "entity 1A;"),
        ("a letter outside ASCII", "entity É;"),
    ] {
        assert!(theirs(text).is_err(), "{name}: cedar accepts it");
        assert!(ours(text, SchemaForm::Cedar).is_err(), "{name}");
    }
}

/// The words of policies are reserved everywhere, and those of schemas are names.
#[test]
fn reserved_words_are_those_of_cedar() {
    for word in [
        "true",
        "false",
        "if",
        "then",
        "else",
        "in",
        "is",
        "like",
        "has",
        "permit",
        "forbid",
        "when",
        "unless",
        "principal",
        "action",
        "resource",
        "context",
        "entity",
        "type",
        "namespace",
        "Set",
        "enum",
        "tags",
        "appliesTo",
        "attributes",
        "String",
        "Long",
        "Bool",
        "Action",
        "__cedar",
    ] {
        for text in [
            format!("entity {word};"),
            format!("action {word};"),
            format!("namespace {word} {{}}"),
            format!("type {word} = Long;"),
            format!("entity A {{ {word}: Long }};"),
            format!("@{word} entity A;"),
        ] {
            let is_accepted = ours(&text, SchemaForm::Cedar).is_ok();
            assert_eq!(is_accepted, theirs(&text).is_ok(), "{text}");
        }
    }
}

/// The engine reports these at start, and none of them changes an action or its types.
#[test]
fn engine_checks_relations_between_other_declarations() {
    for (name, text) in [
        ("an unknown parent", "entity A in B;"),
        (
            "an unknown principal",
            "entity A; action a appliesTo { principal: B, resource: A };",
        ),
        ("an unknown attribute type", "entity A { x: B };"),
        (
            "an unknown context",
            "entity A; action a appliesTo { principal: A, resource: A, context: B };",
        ),
        ("an unknown group", "action a in b;"),
        ("a cycle of groups", "action a in b; action b in a;"),
        ("a cycle of common types", "type A = B; type B = A;"),
        ("a hidden type", "entity A; namespace N { entity A; }"),
    ] {
        assert!(theirs(text).is_err(), "{name}: cedar accepts it");
        assert!(SchemaFragment::from_cedarschema_str(text).is_ok(), "{name}");
        assert!(ours(text, SchemaForm::Cedar).is_ok(), "{name}");
    }
}

#[test]
fn both_readers_accept() {
    for text in [
        "",
        "// nothing",
        "entity entity, action, type, namespace, tags, Set, enum, context;",
        "entity A {}; entity B = { a: Long, }; entity C in [] tags Set<Set<A>>;",
        "entity A enum [\"x\", \"\\u{1F600}\"];",
        "entity A; action a, \"b c\", \"d\\u{e_9}\\x41\\0\" appliesTo { principal: [A], resource: [A, A], };",
        "namespace N::M { entity A; action a in [\"b\", N::M::Action::\"b\"]; action b; }",
        "@doc(\"x\") @if namespace N { @doc entity A; }",
        "entity A; namespace N { entity B; action a appliesTo { context: { x?: { y: A } }, resource: [A, B, N::B], principal: A }; }",
        "action \"a\nb\";",
    ] {
        assert!(theirs(text).is_ok(), "{text}: {:?}", theirs(text));
        compare(text);
    }
}

#[test]
fn json_forms_are_accepted_and_refused() {
    let full = r#"{
        "": { "entityTypes": { "A": {} }, "actions": { "x": { "appliesTo": null } } },
        "N": {
            "commonTypes": { "T": { "type": "Long" } },
            "entityTypes": {
                "B": { "memberOfTypes": ["A"], "shape": { "type": "Record", "attributes": { "\u0061": { "type": "T" } } } },
                "C": { "enum": ["r\ud83d\ude00"] }
            },
            "actions": {
                "read \"it\"": {
                    "memberOf": [{ "id": "all" }],
                    "appliesTo": { "principalTypes": ["A"], "resourceTypes": ["B", "A", "N::C"] },
                    "annotations": { "doc": "Read it" }
                },
                "all": {},
                "none": { "appliesTo": { "principalTypes": [], "resourceTypes": [] } }
            },
            "annotations": { "doc": "about it" }
        }
    }"#;
    let schema = Schema::from_json_str(full).expect("cedar accepts it");
    assert_eq!(ours(full, SchemaForm::Json), Ok(schema.into()));
    for (name, text) in [
        ("no JSON", "entity A;"),
        ("no object", "[]"),
        ("no types", r#"{ "": { "actions": {} } }"#),
        ("no actions", r#"{ "": { "entityTypes": {} } }"#),
        (
            "an unknown section",
            r#"{ "": { "entityTypes": {}, "actions": {}, "types": {} } }"#,
        ),
        (
            "an unknown key",
            r#"{ "": { "entityTypes": { "A": { "attributes": {} } }, "actions": {} } }"#,
        ),
        (
            "an unknown key of an action",
            r#"{ "": { "entityTypes": {}, "actions": { "a": { "applies": {} } } } }"#,
        ),
        (
            "a type twice",
            r#"{ "": { "entityTypes": { "A": {}, "A": {} }, "actions": {} } }"#,
        ),
        (
            "an action twice",
            r#"{ "": { "entityTypes": {}, "actions": { "a": {}, "a": {} } } }"#,
        ),
        (
            "a reserved type",
            r#"{ "": { "entityTypes": { "if": {} }, "actions": {} } }"#,
        ),
        (
            "the type of actions",
            r#"{ "": { "entityTypes": { "Action": {} }, "actions": {} } }"#,
        ),
        (
            "an enum without ids",
            r#"{ "": { "entityTypes": { "A": { "enum": [] } }, "actions": {} } }"#,
        ),
        (
            "an enum with a shape",
            r#"{ "": { "entityTypes": { "A": { "enum": ["a"], "memberOfTypes": [] } }, "actions": {} } }"#,
        ),
        (
            "no resources",
            r#"{ "": { "entityTypes": { "A": {} }, "actions": { "a": { "appliesTo": { "principalTypes": ["A"] } } } } }"#,
        ),
        (
            "an unknown resource",
            r#"{ "": { "entityTypes": { "A": {} }, "actions": { "a": { "appliesTo": { "principalTypes": ["A"], "resourceTypes": ["B"] } } } } }"#,
        ),
        (
            "a resource with spaces",
            r#"{ "": { "entityTypes": { "A": {} }, "actions": { "a": { "appliesTo": { "principalTypes": ["A"], "resourceTypes": [" A"] } } } } }"#,
        ),
        (
            "a namespace with a space",
            r#"{ "A B": { "entityTypes": {}, "actions": {} } }"#,
        ),
        (
            "a comma at the end",
            r#"{ "": { "entityTypes": {}, "actions": {}, } }"#,
        ),
        (
            "a comment",
            r#"{ "": { "entityTypes": {}, /* none */ "actions": {} } }"#,
        ),
        (
            "a lone surrogate",
            r#"{ "": { "entityTypes": {}, "actions": { "\ud800": {} } } }"#,
        ),
        (
            "a line break in a string",
            "{ \"\": { \"entityTypes\": {}, \"actions\": { \"a\nb\": {} } } }",
        ),
        (
            "a number with a zero",
            r#"{ "": { "entityTypes": {}, "actions": { "a": { "attributes": { "x": 01 } } } } }"#,
        ),
        (
            "text at the end",
            r#"{ "": { "entityTypes": {}, "actions": {} } } x"#,
        ),
    ] {
        assert!(
            Schema::from_json_str(text).is_err(),
            "{name}: cedar accepts it"
        );
        assert!(ours(text, SchemaForm::Json).is_err(), "{name}");
    }
}

/// Sizes and depths are bounded, and no text takes long or overflows the stack.
#[test]
fn large_schemas_are_refused() {
    let deep = |depth: usize| {
        format!(
            "type A = {}Long{};",
            "Set<".repeat(depth),
            ">".repeat(depth)
        )
    };
    assert!(ours(&deep(128), SchemaForm::Cedar).is_ok());
    let mut names = String::from("entity A0");
    for number in 1..4096 {
        let _ = write!(names, ", A{number}");
    }
    let pairs = {
        let types = names.strip_prefix("entity ").expect("it begins so");
        format!("{names}; action {types} appliesTo {{ principal: A0, resource: [{types}] }};")
    };
    assert!(ours(&format!("{names};"), SchemaForm::Cedar).is_ok());
    for (expected, text, form) in [
        ("nested too deeply", deep(129), SchemaForm::Cedar),
        ("nested too deeply", deep(100_000), SchemaForm::Cedar),
        ("nested too deeply", "[".repeat(100_000), SchemaForm::Json),
        (
            "4097 entity types",
            format!("{names}, B;"),
            SchemaForm::Cedar,
        ),
        ("16777216 pairs", pairs, SchemaForm::Cedar),
        (
            "the maximum is 1048576",
            " ".repeat(1024 * 1024 + 1),
            SchemaForm::Json,
        ),
    ] {
        let messages = ours(&text, form).expect_err(expected);
        assert!(messages[0].contains(expected), "{messages:?}");
    }
}

/// The search for similar names must not take minutes in a schema with thousands of wrong ones.
#[test]
fn many_unknown_types_are_refused_soon() {
    let mut text = String::new();
    for number in 0..4096 {
        writeln!(text, "entity Typename{number:05}x;").unwrap();
    }
    for action in 0..4 {
        let unknown: Vec<_> = (0..10_000)
            .map(|number| format!("Typeneme{number:05}y"))
            .collect();
        let unknown = unknown.join(",");
        writeln!(
            text,
            "action a{action} appliesTo {{ principal: Typename00000x, resource: [{unknown}] }};"
        )
        .unwrap();
    }
    let begun = std::time::Instant::now();
    let mistakes = ours(&text, SchemaForm::Cedar).unwrap_err();
    assert_eq!(mistakes.len(), 32);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}
