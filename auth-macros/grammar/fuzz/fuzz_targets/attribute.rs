//! Whatever stands in an attribute is understood or refused, and what was understood can be printed
//! and means the same.
#![no_main]

use auth_grammar::errors::Errors;
use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

fuzz_target!(|text: &str| {
    // The compiler itself refuses what is no tokens.
    let Ok(tokens) = text.parse::<TokenStream>() else {
        return;
    };
    let mut errors = Errors::default();
    let requires = auth_grammar::requires(tokens, None, &mut errors);
    if !errors.is_empty() {
        let messages = errors.messages();
        assert!(messages.iter().all(|message| !message.is_empty()));
        return;
    }
    let printed = requires.to_string();
    let tokens = printed.parse().expect("tokens again");
    let again = auth_grammar::requires(tokens, None, &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new(), "{printed}");
    assert_eq!(again.to_string(), printed);
});
