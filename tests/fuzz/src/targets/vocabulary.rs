//! The file `auth.toml`. If it is accepted, policies are resolved in it.

use auth_grammar::errors::Errors;
use auth_grammar::vocabulary::{self, LoadedVocabulary};

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "vocabulary",
    cost: 1,
    dictionary: &[
        "[scopes]\n",
        "[roles]\n",
        "[permissions]\n",
        "[actions]\n",
        "[networks]\n",
        "[settings]\n",
        "[resources]\n",
        "requires = 'scope = \"a\"'",
        "[policies]\n",
        "[cedar]\n",
        "[objects]\n",
        "a = \"x\"\n",
        "\"repo:read\" = \"x\"\n",
        "implies = [\"a\"]",
        "c = \"10.0.0.0/8\"\n",
        "d = 'scope = \"a\"'\n",
        "policy = \"d\"",
        "= {",
        "}",
        "description = \"x\"",
        "on = [\"Repository\"]",
        "type = \"Repository\"",
        "acr",
        "amr",
        "[[",
        "\"\"\"",
        "\\u0000",
        "\n",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let (vocabulary, mistakes) = vocabulary::read(&text);
        if !mistakes.is_empty() {
            for mistake in &mistakes {
                assert!(!mistake.message.is_empty());
                assert!(text.is_char_boundary(mistake.at), "{}", mistake.message);
            }
            return Outcome::of_messages(mistakes.into_iter().map(|mistake| mistake.message));
        }
        let found = LoadedVocabulary {
            path: "auth.toml".into(),
            shown: "auth.toml".to_owned(),
            schema: None,
            vocabulary: Some(vocabulary.into()),
            mistakes: Vec::new(),
        };
        let attributes = [
            r#"scope = "a", role = "b", network = "c", setting = "f", policy = "d""#,
            r#"policy = "d", policy = "e""#,
            r#"role = "b", hide_as = 404, hide_unless = policy("d")"#,
            r#"module(policy = "d"), policy = "e", loosen = "x""#,
        ];
        let messages = attributes.map(|attribute| {
            let tokens = attribute.parse().expect("tokens");
            let mut errors = Errors::default();
            let _ = auth_grammar::requires(tokens, Some(&found), &mut errors);
            let messages = errors.messages();
            assert!(messages.iter().all(|message| !message.is_empty()));
            messages.len()
        });
        Outcome::of((messages, text.lines().count().min(20)))
    })
}
