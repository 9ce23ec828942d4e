//! The grammar of `auth-runtime`'s attributes and vocabulary, and their checks, for the macros and
//! tools. Services depend on `auth-runtime`.
//!
//! Data flows in one direction: an [attribute and its item](annotated) are parsed ([`args`], [`item`]) into plain
//! types ([`requirement`]), their names are resolved in the [`vocabulary`], which may name a [Cedar schema](cedar), and
//! the result is checked ([`check`]). Every mistake is recorded in [`Errors`], each with its [code](codes). Parsed
//! policies are [lowered](lower) to the model that the runtime evaluates.
//!
//! ```
//! use auth_grammar::errors::Errors;
//!
//! let mut errors = Errors::default();
//! let arguments = r#"any(scope = "read", scope = "raed")"#.parse().unwrap();
//! let requires = auth_grammar::requires(arguments, None, &mut errors);
//! assert!(errors.is_empty());
//! assert_eq!(requires.to_string(), r#"any(scope = "read", scope = "raed")"#);
//! ```
#![forbid(unsafe_code)]

pub mod annotated;
pub mod args;
pub mod attribute;
pub mod cedar;
mod characters;
pub mod check;
pub mod codes;
mod declared;
pub mod errors;
pub mod item;
pub mod lower;
mod mistake;
pub mod module;
mod objects;
pub mod requirement;
mod resolve;
mod resolver;
mod size;
mod suggest;
mod tokens;
mod values;
pub mod vocabulary;

use proc_macro2::TokenStream;

pub use crate::characters::is_invisible;
use crate::errors::Errors;
use crate::requirement::Requires;
use crate::resolver::Resolver;
pub use crate::size::MAX_SIZE;
use crate::size::is_too_large;
use crate::vocabulary::LoadedVocabulary;

/// Reads the arguments of `#[requires(...)]`, resolves their names, and records every mistake,
/// including those in the vocabulary itself. Mistakes that follow from these are not reported.
pub fn requires(
    arguments: TokenStream,
    found: Option<&LoadedVocabulary>,
    errors: &mut Errors,
) -> Requires {
    within(Vec::new(), arguments, found, errors)
}

/// Reads the arguments like [`requires`], within modules that have policies. `modules` are the
/// arguments of their attributes, outermost first. Empty arguments stand for an invalid attribute,
/// which was reported.
pub fn within(
    modules: Vec<TokenStream>,
    arguments: TokenStream,
    found: Option<&LoadedVocabulary>,
    errors: &mut Errors,
) -> Requires {
    let mut module = None;
    for arguments in modules {
        let mut requires = args::requires(arguments, errors);
        requires.module = module;
        module = Some(Box::new(requires));
    }
    let mut requires = args::requires(arguments, errors);
    requires.module = module;
    let vocabulary = found.and_then(|found| found.vocabulary.as_deref());
    if is_too_large(&requires, vocabulary, errors) {
        return requires;
    }
    let resolver = match found {
        None => Resolver {
            vocabulary: None,
            shown: "",
        },
        Some(found) => {
            // Within a module, the attribute of the module has reported them.
            if requires.module.is_none() {
                found.report(errors);
            }
            let Some(vocabulary) = &found.vocabulary else {
                return requires;
            };
            Resolver {
                vocabulary: Some(&**vocabulary),
                shown: &found.shown,
            }
        }
    };
    let was_readable = errors.is_empty();
    resolve::requires(&mut requires, resolver, errors);
    objects::place(&mut requires);
    resolve::objects(&requires, resolver, errors);
    if is_too_large(&requires, None, errors) {
        return requires;
    }
    let has_unknown_names = was_readable && !errors.is_empty();
    if !has_unknown_names {
        check::requires(&requires, errors);
    }
    requires
}
