//! The JSON form of schemas.

use auth_grammar::cedar::SchemaForm;

use super::{assert_declares, assert_refused};

#[test]
fn json_form_has_same_declarations() {
    let text = r#" { "" : { "entityTypes": { "A": {}, "E": { "enum": ["a"], "annotations": {} } }, "actions": { "x": { "appliesTo": null } } },
        "N::M": {
            "commonTypes": { "T": { "type": "Long", "n": [0, -1, 1.5, 10e3, 2E+1, 3e-07, true, false, null] } },
            "entityTypes": {
                "B": { "memberOfTypes": ["A"], "shape": {}, "tags": {}, "annotations": { "doc": "B\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t" } },
                "C": { "annotations": { "doc": null, "x": "y" } }
            },
            "actions": {
                "read": {
                    "memberOf": [{ "id": "all" }], "attributes": {},
                    "appliesTo": { "principalTypes": ["A"], "resourceTypes": ["B", "A", "N::M::B"], "context": {} },
                    "annotations": { "doc": "Read it" }
                },
                "all": {},
                "none": { "appliesTo": { "principalTypes": [], "resourceTypes": [] } }
            },
            "annotations": {}
        }
    } "#;
    let at = |part: &str| text.find(part).expect("a part");
    let expected = [
        format!("A at {}: \"\"", at("\"A\": {}")),
        format!("E at {}: \"\"", at("\"E\":")),
        format!(
            "N::M::B at {}: {:?}",
            at("\"B\": {"),
            "Bé😀\"\\/\u{8}\u{c}\n\r\t"
        ),
        format!("N::M::C at {}: \"\"", at("\"C\":")),
        format!("[] \"x\" at {}: \"\" on ", at("\"x\": {")),
        format!("[N::M] \"all\" at {}: \"\" on ", at("\"all\": {}")),
        format!("[N::M] \"none\" at {}: \"\" on ", at("\"none\"")),
        format!(
            "[N::M] \"read\" at {}: \"Read it\" on N::M::B A",
            at("\"read\"")
        ),
    ];
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_declares(SchemaForm::Json, text, &expected);
    assert_declares(SchemaForm::Json, "{}", &[]);
}

/// The smallest namespace, with a value in place of an attribute.
pub(super) fn with_value(value: &str) -> String {
    format!(r#"{{"":{{"entityTypes":{{}},"actions":{{"a":{{"attributes":{value}}}}}}}}}"#)
}

#[test]
fn values_of_json_are_strict() {
    for value in [
        "0",
        "-0",
        "12",
        "1.0",
        "-1.25e+3",
        "0e0",
        "1E-9",
        "true",
        "false",
        "null",
        "[]",
        "[ ]",
        "{ }",
        "[1,2 , [3]]",
        "\"\"",
        "\"\u{7f}é\"",
        "\"\\u0041\"",
        "\"\\uD800\\uDC00\"",
        "\"\\udbff\\udfff\"",
        "\"\\ue000\"",
        " 1\t\r\n",
    ] {
        assert_declares(
            SchemaForm::Json,
            &with_value(value),
            &["[] \"a\" at 33: \"\" on "],
        );
    }
    let escape = "a string contains an invalid escape\nhelp: write `\\\\` for a backslash";
    let control =
        "a string contains a control character\nhelp: write it as an escape, such as `\\n`";
    for (value, at, message) in [
        ("", "}", "expected a value, found `}`"),
        ("01", "01}", "expected a value, found `0`"),
        ("-", "-}", "expected a value, found `-`"),
        ("+1", "+1}", "expected a value, found `+`"),
        ("1.", "1.}", "expected a value, found `1`"),
        (".5", ".5}", "expected a value, found `.`"),
        ("1e", "1e}", "expected a value, found `1`"),
        ("1e+", "1e+}", "expected a value, found `1`"),
        ("0x1", "0x1}", "expected a value, found `0`"),
        ("nul", "nul}", "expected a value, found `n`"),
        ("True", "True}", "expected a value, found `T`"),
        ("[1,]", "]}", "expected a value, found `]`"),
        ("[1 2]", "2]}", "expected `]`, found `2`"),
        ("{\"a\" 1}", "1}}", "expected `:`, found `1`"),
        ("{\"a\":1,}", "}}", "expected `\"`, found `}`"),
        ("{\"a\":1 \"b\"", "\"b\"}", "expected `}`, found `\\\"`"),
        ("{a:1}", "a:1}}", "expected `\"`, found `a`"),
        (
            "{\"a\":1, \"a\":2}",
            "\"a\":2}}",
            "duplicate `a`\nhelp: remove one of them",
        ),
        ("\"\\q\"", "\\q\"}", escape),
        ("\"a\\u12\"", "\\u12\"}", escape),
        ("\"\\u12g4\"", "\\u12g4\"}", escape),
        ("\"\\u+123\"", "\\u+123\"}", escape),
        ("\"\\ud800\"", "\\ud800\"}", escape),
        ("\"\\ud800\\n\"", "\\ud800\\n\"}", escape),
        ("\"\\ud800\\ud800\"", "\\ud800\\ud800\"}", escape),
        ("\"\\ud800\\ue000\"", "\\ud800\\ue000\"}", escape),
        ("\"\\udc00\"", "\\udc00\"}", escape),
        ("\"a\nb\"", "\nb\"}", control),
        ("\"\u{1f}\"", "\u{1f}\"}", control),
    ] {
        let text = with_value(value);
        // The braces around the value.
        let at = format!("{at}}}}}}}");
        let at = match value {
            "" => "}}}}".to_owned(),
            _ => at,
        };
        assert_refused(SchemaForm::Json, &text, &[(&at, message)]);
    }
    for (text, at, message) in [
        ("", "", "expected a value, found the end of the file"),
        ("{", "", "expected `\"`, found the end of the file"),
        ("{} x", "x", "expected the end of the file, found `x`"),
        ("{\"a", "\"a", "the string is not closed\nhelp: add `\"`"),
        (
            "{\"a\\",
            "\\",
            "a string contains an invalid escape\nhelp: write `\\\\` for a backslash",
        ),
        ("[]", "[]", "the schema is not an object"),
    ] {
        assert_refused(SchemaForm::Json, text, &[(at, message)]);
    }
}

#[test]
fn keys_of_json_form_are_known() {
    let with_type =
        |members: &str| format!(r#"{{"":{{"entityTypes":{{"A":{members}}},"actions":{{}}}}}}"#);
    let with_action =
        |members: &str| format!(r#"{{"":{{"entityTypes":{{}},"actions":{{"a":{members}}}}}}}"#);
    for (text, at, message) in [
        (
            r#"{"":[]}"#.to_owned(),
            "[]}",
            "the namespace `` is not an object",
        ),
        (
            r#"{"N":{"actions":{}}}"#.to_owned(),
            "{\"actions\":{}}}",
            "the namespace `N` has no `entityTypes`\nhelp: add it, empty if there is none",
        ),
        (
            r#"{"":{"entityTypes":{}}}"#.to_owned(),
            "{\"entityTypes\":{}}}",
            "the namespace `` has no `actions`\nhelp: add it, empty if there is none",
        ),
        (
            r#"{"":{"entityTypes":{},"action":{}}}"#.to_owned(),
            "\"action\":{}}}",
            "`action` is not a key of the namespace ``\nhelp: did you mean `actions`?",
        ),
        (
            r#"{"":{"entityTypes":{},"actions":{},"x":1}}"#.to_owned(),
            "\"x\":1}}",
            "`x` is not a key of the namespace ``\nhelp: use one of `commonTypes`, `entityTypes`, `actions`, `annotations`",
        ),
        (
            r#"{"A B":{"entityTypes":{},"actions":{}}}"#.to_owned(),
            "\"A B\":{\"entityTypes\":{},\"actions\":{}}}",
            "`A B` is not a name in Cedar\nhelp: write an identifier",
        ),
        (
            r#"{"A":{"entityTypes":{},"actions":{}},"B::__cedar":{"entityTypes":{},"actions":{}}}"#
                .to_owned(),
            "\"B::__cedar\":{\"entityTypes\":{},\"actions\":{}}}",
            "`B::__cedar` is a reserved name of Cedar\nhelp: rename it",
        ),
        (
            r#"{"":{"commonTypes":{"if":{}},"entityTypes":{},"actions":{}}}"#.to_owned(),
            "\"if\":{}},\"entityTypes\":{},\"actions\":{}}}",
            "`if` is not a name in Cedar\nhelp: write an identifier",
        ),
        (
            r#"{"":{"commonTypes":[],"entityTypes":{},"actions":{}}}"#.to_owned(),
            "[],\"entityTypes\":{},\"actions\":{}}}",
            "`commonTypes` is not an object",
        ),
        (
            r#"{"":{"entityTypes":{"A::B":{}},"actions":{}}}"#.to_owned(),
            "\"A::B\":{}},\"actions\":{}}}",
            "`A::B` is not a name in Cedar\nhelp: write an identifier",
        ),
        (
            with_type("1"),
            "1},\"actions\":{}}}",
            "the entity type `A` is not an object",
        ),
        (
            with_type(r#"{"shapes":1}"#),
            "\"shapes\":1}},\"actions\":{}}}",
            "`shapes` is not a key of the entity type `A`\nhelp: did you mean `shape`?",
        ),
        (
            with_type(r#"{"enum":[]}"#),
            "[]}},\"actions\":{}}}",
            "`enum` is empty\nhelp: list the ids",
        ),
        (
            with_type(r#"{"enum":"a"}"#),
            "\"a\"}},\"actions\":{}}}",
            "`enum` is not an array",
        ),
        (
            with_type(r#"{"enum":["a",1]}"#),
            "1]}},\"actions\":{}}}",
            "a member of `enum` is not text in quotes",
        ),
        (
            with_type(r#"{"enum":["a"],"tags":1}"#),
            "\"tags\":1}},\"actions\":{}}}",
            "`tags` is not allowed beside `enum`\nhelp: remove it",
        ),
        (
            with_type(r#"{"annotations":1}"#),
            "1}},\"actions\":{}}}",
            "`annotations` is not an object",
        ),
        (
            with_action(r#"{"appliesT":1}"#),
            "\"appliesT\":1}}}}",
            "`appliesT` is not a key of the action `a`\nhelp: did you mean `appliesTo`?",
        ),
        (
            with_action(r#"{"appliesTo":1}"#),
            "1}}}}",
            "`appliesTo` of `a` is not an object",
        ),
        (
            with_action(r#"{"appliesTo":{"resourceTypes":[]}}"#),
            "{\"resourceTypes\":[]}}}}}",
            "`appliesTo` of `a` has no `principalTypes`\nhelp: add it, empty if there is none",
        ),
        (
            with_action(r#"{"appliesTo":{"principalTypes":[]}}"#),
            "{\"principalTypes\":[]}}}}}",
            "`appliesTo` of `a` has no `resourceTypes`\nhelp: add it, empty if there is none",
        ),
        (
            with_action(r#"{"appliesTo":{"principalTypes":["if"],"resourceTypes":[]}}"#),
            "\"if\"],\"resourceTypes\":[]}}}}}",
            "`if` is not a name in Cedar\nhelp: write an identifier",
        ),
        (
            with_action(r#"{"appliesTo":{"principalTypes":{},"resourceTypes":[]}}"#),
            "{},\"resourceTypes\":[]}}}}}",
            "`principalTypes` is not an array",
        ),
        (
            with_action(r#"{"appliesTo":{"principalTypes":[],"resourceTypes":{}}}"#),
            "{}}}}}}",
            "`resourceTypes` is not an array",
        ),
    ] {
        assert_refused(SchemaForm::Json, &text, &[(at, message)]);
    }
}
