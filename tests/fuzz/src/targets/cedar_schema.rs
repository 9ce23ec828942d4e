//! The reader of Cedar schemas, in both forms.

use auth_grammar::cedar::{self, MAX_PAIRS, MAX_SCHEMA, SchemaForm};

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "cedar_schema",
    cost: 1,
    dictionary: &[
        "entity ",
        "action ",
        "namespace ",
        "type ",
        "appliesTo ",
        "principal: ",
        "resource: ",
        "context: ",
        "User",
        "Repository",
        "App::",
        "in [",
        "{",
        "}",
        "[",
        "]",
        ";",
        ",",
        "\"read\"",
        "@doc(\"x\")",
        "Set<",
        "Long",
        "?: ",
        "enum ",
        "tags ",
        "//",
        "\\u{1f600}",
        "\"entityTypes\":",
        "\"actions\":",
        "\"commonTypes\":",
        "\"appliesTo\":",
        "\"resourceTypes\":",
        "\"principalTypes\":",
        "\"memberOf\":",
        "\"shape\":",
        "\"type\":",
        "\"annotations\":",
        "null",
        "{}",
        "[]",
        "\\ud83d\\ude00",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let outcomes = [SchemaForm::Cedar, SchemaForm::Json].map(|form| {
            let (schema, mistakes) = cedar::read(&text, form);
            for mistake in &mistakes {
                assert!(text.is_char_boundary(mistake.at), "{}", mistake.message);
                assert!(!mistake.message.is_empty());
            }
            if !mistakes.is_empty() {
                return Outcome::of_messages(mistakes.into_iter().map(|mistake| mistake.message));
            }
            assert!(text.len() <= MAX_SCHEMA);
            let pairs: usize = schema.actions.values().map(|action| action.on.len()).sum();
            assert!(pairs <= MAX_PAIRS, "{pairs}");
            let places = schema.types.values().map(|it| it.at);
            for at in places.chain(schema.actions.values().map(|it| it.at)) {
                assert!(at < text.len() && text.is_char_boundary(at), "{at}");
            }
            for name in schema.types.keys() {
                let mut parts = name.split("::");
                assert!(parts.all(auth_runtime_policy::is_identifier), "{name}");
            }
            for action in schema.actions.values() {
                for kind in &action.on {
                    assert!(schema.types.contains_key(kind), "{kind}");
                }
            }
            Outcome::of((schema.types.len(), schema.actions.len(), pairs))
        });
        Outcome::of(outcomes)
    })
}
