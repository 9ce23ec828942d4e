//! Parses an arbitrary vocabulary. If it is accepted, it can be used.
#![no_main]

use auth_grammar::errors::Errors;
use auth_grammar::vocabulary::{self, LoadedVocabulary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (vocabulary, mistakes) = vocabulary::read(text);
    if !mistakes.is_empty() {
        assert!(mistakes.iter().all(|mistake| !mistake.message.is_empty()));
        return;
    }
    let found = LoadedVocabulary {
        path: "auth.toml".into(),
        shown: "auth.toml".to_owned(),
        schema: None,
        vocabulary: Some(vocabulary.into()),
        mistakes: Vec::new(),
    };
    for attribute in [
        r#"scope = "a", role = "b", network = "c", setting = "f", policy = "d""#,
        r#"policy = "d", policy = "e""#,
        r#"role = "b", hide_as = 404, hide_unless = policy("d")"#,
        r#"module(policy = "d"), policy = "e", loosen = "x""#,
    ] {
        let tokens = attribute.parse().expect("tokens");
        let _ = auth_grammar::requires(tokens, Some(&found), &mut Errors::default());
    }
});
