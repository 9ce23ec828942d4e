//! Cedar schemas: their declarations, and each mistake with its place. The tests of `auth-runtime-cedar` compare
//! this reader with Cedar's own.

mod json;
mod syntax;

use auth_grammar::cedar::{self, CedarSchema, MAX_DEPTH, MAX_SCHEMA, SchemaForm};

use self::json::with_value;

/// Returns the types, and the actions with their types, one on a line.
fn listed(schema: &CedarSchema) -> Vec<String> {
    let types = schema
        .types
        .iter()
        .map(|(name, declared)| format!("{name} at {}: {:?}", declared.at, declared.description));
    let actions = schema.actions.iter().map(|((namespace, name), declared)| {
        let (at, description) = (declared.at, &declared.description);
        let on = declared.on.join(" ");
        format!("[{namespace}] {name:?} at {at}: {description:?} on {on}")
    });
    types.chain(actions).collect()
}

#[track_caller]
fn assert_declares(form: SchemaForm, text: &str, expected: &[&str]) {
    let (schema, mistakes) = cedar::read(text, form);
    assert_eq!(mistakes, [], "{text}");
    assert_eq!(listed(&schema), expected, "{text}");
}

/// Compares the mistakes of a text with those in a list: the text from the place on, and the message.
#[track_caller]
fn assert_refused(form: SchemaForm, text: &str, expected: &[(&str, &str)]) {
    let (_, mistakes) = cedar::read(text, form);
    let found = mistakes.iter().map(|mistake| {
        assert!(mistake.is_in_schema(), "{text}");
        (&text[mistake.at..], mistake.message.as_str())
    });
    assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn forms_have_an_end() {
    for (name, form) in [
        ("a.cedarschema", Some(SchemaForm::Cedar)),
        ("a/b.cedarschema.json", Some(SchemaForm::Json)),
        ("a.json", None),
        ("a.cedar", None),
        ("cedarschema", None),
    ] {
        assert_eq!(SchemaForm::of(name), form, "{name}");
    }
}

#[test]
fn declarations_have_names_places_and_descriptions() {
    for (text, expected) in [
        ("", &[][..]),
        (" \t\r\n// a comment", &[]),
        ("entity A;", &["A at 7: \"\""]),
        (
            "// a comment\nentity A, _b1; // another\r// and another\rentity C;",
            &["A at 20: \"\"", "C at 61: \"\"", "_b1 at 23: \"\""],
        ),
        (
            "@doc(\"it is\") @other(\"x\") @if entity A, B in [A] = { a: Long, };",
            &["A at 37: \"it is\"", "B at 40: \"it is\""],
        ),
        (
            "entity A enum [\"x\", \"y\"]; entity B in A tags Set<Set<A>>; entity C in [] {} tags { \"a b\"?: N::T };",
            &["A at 7: \"\"", "B at 33: \"\"", "C at 65: \"\""],
        ),
        (
            "entity entity, action, type, namespace, tags, Set, enum;",
            &[
                "Set at 46: \"\"",
                "action at 15: \"\"",
                "entity at 7: \"\"",
                "enum at 51: \"\"",
                "namespace at 29: \"\"",
                "tags at 40: \"\"",
                "type at 23: \"\"",
            ],
        ),
        (
            "entity A; type T = { @doc a: Set<T> }; @doc(\"do it\") action a, \"b c\" appliesTo { principal: [A], resource: [A, A], context: T, } attributes {};",
            &[
                "A at 7: \"\"",
                "[] \"a\" at 60: \"do it\" on A",
                "[] \"b c\" at 63: \"do it\" on A",
            ],
        ),
        (
            "action group; action a in group; action b in [\"group\", N::M::Action::\"b\", group]; action c in Action::\"a\";",
            &[
                "[] \"a\" at 21: \"\" on ",
                "[] \"b\" at 40: \"\" on ",
                "[] \"c\" at 89: \"\" on ",
                "[] \"group\" at 7: \"\" on ",
            ],
        ),
        (
            "entity A; namespace N::M { @doc(\"B\") entity B; entity A; action a appliesTo { context: {}, resource: [A, B, N::M::B], principal: A }; } action a appliesTo { principal: A, resource: N::M::B };",
            &[
                "A at 7: \"\"",
                "N::M::A at 54: \"\"",
                "N::M::B at 44: \"B\"",
                "[] \"a\" at 143: \"\" on N::M::B",
                "[N::M] \"a\" at 64: \"\" on N::M::A N::M::B",
            ],
        ),
        (
            r#"action "\"\\\'\n\r\t\0\x41\u{e9}\u{1F_600}";"#,
            &["[] \"\\\"\\\\'\\n\\r\\t\\0Aé😀\" at 7: \"\" on "],
        ),
        ("action \"a\nb\";", &["[] \"a\\nb\" at 7: \"\" on "]),
        ("@doc(\"a\") @doc2(\"b\") entity A;", &["A at 28: \"a\""]),
    ] {
        assert_declares(SchemaForm::Cedar, text, expected);
    }
}

#[test]
fn sizes_and_depths_have_a_maximum() {
    let sets = |depth: usize| {
        format!(
            "type A = {}Long{};",
            "Set<".repeat(depth),
            ">".repeat(depth)
        )
    };
    let records =
        |depth: usize| format!("type A = {}Long{};", "{a:".repeat(depth), "}".repeat(depth));
    assert_declares(SchemaForm::Cedar, &sets(MAX_DEPTH), &[]);
    assert_declares(SchemaForm::Cedar, &records(MAX_DEPTH), &[]);
    for text in [sets(MAX_DEPTH + 1), records(MAX_DEPTH + 1)] {
        let (_, mistakes) = cedar::read(&text, SchemaForm::Cedar);
        assert_eq!(
            mistakes[0].message,
            "types are nested too deeply; the maximum is 128"
        );
    }
    // The attributes of an action are nested four deep already.
    let values = |depth: usize| with_value(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let inner = MAX_DEPTH - 3;
    assert_declares(
        SchemaForm::Json,
        &values(inner),
        &["[] \"a\" at 33: \"\" on "],
    );
    let (_, mistakes) = cedar::read(&values(inner + 1), SchemaForm::Json);
    assert_eq!(
        mistakes[0].message,
        "values are nested too deeply; the maximum is 128"
    );

    assert_declares(SchemaForm::Cedar, &" ".repeat(MAX_SCHEMA), &[]);
    let (_, mistakes) = cedar::read(&" ".repeat(MAX_SCHEMA + 1), SchemaForm::Cedar);
    assert_eq!(
        mistakes[0].message,
        "the schema has 1048577 bytes; the maximum is 1048576"
    );

    let names = |count: usize| -> String {
        let names: Vec<String> = (0..count).map(|number| format!("A{number}")).collect();
        names.join(",")
    };
    let many = |types: usize, actions: usize, on: usize| {
        format!(
            "entity {}; action {} appliesTo {{ principal: A0, resource: [{}] }};",
            names(types),
            names(actions),
            names(on)
        )
    };
    for (types, actions, on, expected) in [
        (4096, 16, 4096, None),
        (1, 4096, 1, None),
        (
            4097,
            1,
            1,
            Some("the schema has 4097 entity types; the maximum is 4096"),
        ),
        (
            1,
            4097,
            1,
            Some("the schema has 4097 actions; the maximum is 4096"),
        ),
        (
            4096,
            17,
            4096,
            Some("the schema has 69632 pairs of an action and a type; the maximum is 65536"),
        ),
    ] {
        let (_, mistakes) = cedar::read(&many(types, actions, on), SchemaForm::Cedar);
        let found = mistakes.first().map(|mistake| mistake.message.as_str());
        assert_eq!(found, expected, "{types} {actions} {on}");
    }
}

/// Reading ends after some mistakes.
#[test]
fn mistakes_have_a_maximum() {
    let unknown: Vec<String> = (0..40).map(|number| format!("B{number}")).collect();
    let text = format!(
        "entity A; action a appliesTo {{ principal: A, resource: [{}] }}; action a;",
        unknown.join(",")
    );
    assert_eq!(cedar::read(&text, SchemaForm::Cedar).1.len(), 32);
    let twice = "entity A;".repeat(40);
    assert_eq!(cedar::read(&twice, SchemaForm::Cedar).1.len(), 32);
    let actions = "action a;".repeat(40);
    assert_eq!(cedar::read(&actions, SchemaForm::Cedar).1.len(), 32);
}
