//! An attribute and its item, read into a model and checked.

use auth_grammar::args;
use auth_grammar::errors::Errors;
use auth_grammar::item::{self, Item};
use auth_grammar::module::{Arguments, Module};
use auth_grammar::objects;
use auth_grammar::requirement::ParsedPolicy;
use auth_grammar::vocabulary::LoadedVocabulary;
use proc_macro2::TokenStream;
use syn::Path;

use crate::vocabulary;

/// An item with its policy.
pub(crate) struct Annotated {
    pub(crate) target: Target,
    /// The policy, combined with those of the enclosing modules.
    pub(crate) policy: ParsedPolicy,
    /// The path of the runtime, if it is not `::auth_runtime`.
    pub(crate) krate: Option<Path>,
    /// The vocabulary, if there is one.
    pub(crate) found: Option<LoadedVocabulary>,
    /// True if the policy is part of the policy of an enclosing module.
    pub(crate) is_within_module: bool,
    /// The mistakes in the arguments, and then those of the item.
    pub(crate) errors: Errors,
}

/// The item that an attribute is on.
pub(crate) enum Target {
    Item(Item),
    /// A module with items that already have its policy.
    Module(Box<Module>),
}

/// Reads `#[requires(...)]`.
pub(crate) fn requires(arguments: TokenStream, item: TokenStream) -> Annotated {
    let mut errors = Errors::default();
    let found = vocabulary::find();
    let arguments = Arguments::read(arguments);
    let requires = arguments.requires(found.as_ref(), &mut errors);
    let krate = arguments.krate();
    let target = match Module::read(&item) {
        Some(mut module) => {
            module.inherit(&arguments, &requires, &mut errors);
            Target::Module(Box::new(module))
        }
        None => {
            objects::idle(&requires, &mut errors);
            read("requires", item, krate.as_ref(), &mut errors)
        }
    };
    Annotated {
        target,
        policy: ParsedPolicy::Requires(Box::new(requires.with_modules())),
        krate,
        found,
        is_within_module: !arguments.inherited.is_empty(),
        errors,
    }
}

/// Reads `#[public(...)]`. A public handler does not inherit the policy of an enclosing module.
pub(crate) fn public(arguments: TokenStream, item: TokenStream) -> Annotated {
    let mut errors = Errors::default();
    let arguments = Arguments::read(arguments);
    let krate = arguments.krate();
    let is_within_module = !arguments.inherited.is_empty();
    let public = args::public(arguments.own, &mut errors);
    Annotated {
        target: read("public", item, krate.as_ref(), &mut errors),
        policy: ParsedPolicy::Public(public),
        krate,
        found: None,
        is_within_module,
        errors,
    }
}

/// Reads a handler or a unit struct. Tokens that are not an item remain as they are.
fn read(attribute: &str, tokens: TokenStream, krate: Option<&Path>, errors: &mut Errors) -> Target {
    let item = item::read(tokens.clone(), attribute, krate, errors);
    Target::Item(item.unwrap_or(Item::Other(tokens)))
}
