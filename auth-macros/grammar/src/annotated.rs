//! An attribute and its item, read and checked.

use proc_macro2::TokenStream;
use syn::Path;

use crate::errors::Errors;
use crate::item::{self, Item};
use crate::module::{Arguments, Module};
use crate::requirement::ParsedPolicy;
use crate::vocabulary::LoadedVocabulary;
use crate::{args, objects};

/// An item with its policy.
pub struct Annotated<'v> {
    /// The item.
    pub target: Target,
    /// The policy, combined with those of the enclosing modules.
    pub policy: ParsedPolicy,
    /// The path of the runtime, if it is not `::auth_runtime`.
    pub krate: Option<Path>,
    /// The vocabulary of the crate. `None` for a public handler, which has no names.
    pub vocabulary: Option<&'v LoadedVocabulary>,
    /// True if the policy is part of the policy of an enclosing module.
    pub is_within_module: bool,
    /// The mistakes in the arguments, and then those of the item.
    pub errors: Errors,
}

/// The item that an attribute is on.
pub enum Target {
    /// An item other than a module.
    Item(Item),
    /// A module with items that already have its policy.
    Module(Box<Module>),
}

/// Reads `#[requires(...)]` and its item.
pub fn requires(
    arguments: TokenStream,
    item: TokenStream,
    vocabulary: Option<&LoadedVocabulary>,
) -> Annotated<'_> {
    let mut errors = Errors::default();
    let arguments = Arguments::read(arguments);
    let requires = arguments.requires(vocabulary, &mut errors);
    let krate = arguments.krate();
    let target = match Module::read(&item) {
        Some(mut module) => {
            module.inherit(&arguments, &requires, &mut errors);
            Target::Module(Box::new(module))
        }
        None => {
            objects::idle(&requires, &mut errors);
            Target::Item(item::read(item, "requires", krate.as_ref(), &mut errors))
        }
    };
    Annotated {
        target,
        policy: ParsedPolicy::Requires(Box::new(requires.with_modules())),
        krate,
        vocabulary,
        is_within_module: !arguments.inherited.is_empty(),
        errors,
    }
}

/// Reads `#[public(...)]` and its item. A public handler does not inherit the policy of an enclosing module.
pub fn public(arguments: TokenStream, item: TokenStream) -> Annotated<'static> {
    let mut errors = Errors::default();
    let arguments = Arguments::read(arguments);
    let krate = arguments.krate();
    let is_within_module = !arguments.inherited.is_empty();
    let public = args::public(arguments.own, &mut errors);
    Annotated {
        target: Target::Item(item::read(item, "public", krate.as_ref(), &mut errors)),
        policy: ParsedPolicy::Public(public),
        krate,
        vocabulary: None,
        is_within_module,
        errors,
    }
}
