//! The grammar of `auth-runtime`'s attributes and vocabulary, and their checks, for the macros and
//! tools. Services depend on `auth-runtime`.
//!
//! Data flows in one direction: tokens are parsed ([`args`]) into plain types ([`requirement`]),
//! their names are resolved in the [`vocabulary`], and the result is checked ([`check`]). Every
//! mistake is recorded in [`Errors`], each with its [code](codes). Parsed policies are
//! [lowered](lower) to the model that the runtime evaluates.
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

pub mod args;
pub mod attribute;
mod characters;
pub mod check;
pub mod codes;
pub mod errors;
pub mod item;
pub mod lower;
pub mod module;
pub mod requirement;
mod resolve;
mod suggest;
mod values;
pub mod vocabulary;

use proc_macro2::{Span, TokenStream};

use crate::errors::Errors;
use crate::requirement::{Requirement, Requires};
use crate::resolve::Dictionary;
use crate::vocabulary::{LoadedVocabulary, Vocabulary};

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
    let dictionary = match found {
        None => Dictionary {
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
            Dictionary {
                vocabulary: Some(&**vocabulary),
                shown: &found.shown,
            }
        }
    };
    let was_readable = errors.is_empty();
    resolve::requires(&mut requires, dictionary, errors);
    if is_too_large(&requires, None, errors) {
        return requires;
    }
    let has_unknown_names = was_readable && !errors.is_empty();
    if !has_unknown_names {
        check::requires(&requires, errors);
    }
    requires
}

/// The maximum number of single requirements of a policy, with those of the enclosing modules. Each name
/// counts, each name that implies it, and each block of addresses.
pub const MAX_SIZE: usize = 1024;

/// Checks the size. With a vocabulary, the policies in it are counted before they are resolved.
fn is_too_large(requires: &Requires, vocabulary: Option<&Vocabulary>, errors: &mut Errors) -> bool {
    let of_policies = |part: &Requirement| {
        vocabulary.map_or(0, |vocabulary| resolve::size_of_policies(part, vocabulary))
    };
    let mut size = 0;
    let mut of = Some(requires);
    while let Some(requires) = of {
        let lesser = requires.hide_unless.iter().map(|hidden| &hidden.lesser);
        let parts = requires.requirements.iter().chain(lesser);
        size += parts
            .map(|part| part.size().max(of_policies(part)))
            .sum::<usize>();
        of = requires.module.as_deref();
    }
    let is_too_large = size > MAX_SIZE;
    if is_too_large {
        let message = too_large(size);
        errors.add(codes::TOO_LARGE, Span::call_site(), message);
    }
    is_too_large
}

fn too_large(size: usize) -> String {
    format!(
        "this policy has {size} requirements, and {MAX_SIZE} are allowed at most\n\
         help: require a role or a permission that stands for several"
    )
}
