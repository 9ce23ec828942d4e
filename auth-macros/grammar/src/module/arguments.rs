//! The arguments of an attribute, with those of the enclosing modules.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Ident, Path};

use crate::args::krate_in;
use crate::check::is_from_here;
use crate::errors::Errors;
use crate::requirement::Requires;
use crate::vocabulary::LoadedVocabulary;

/// The arguments of an attribute: lists in braces with the arguments of the enclosing modules, and
/// then its own.
///
/// ```text
/// arguments := {inherited} own
/// inherited := { own } | { invalid {, crate = path} }
/// ```
///
/// The attribute of a module writes a list for each handler in the module. `invalid` replaces
/// arguments with mistakes, which are reported at the module only.
pub struct Arguments {
    /// The lists of the enclosing modules, outermost first.
    pub inherited: Vec<Group>,
    /// The arguments of the attribute itself.
    pub own: TokenStream,
}

impl Arguments {
    /// Separates the lists of the enclosing modules from the attribute's own arguments.
    pub fn read(arguments: TokenStream) -> Self {
        let mut arguments = arguments.into_iter().peekable();
        let mut inherited = Vec::new();
        while let Some(TokenTree::Group(list)) =
            arguments.next_if(|token| matches!(token, TokenTree::Group(list) if is_inherited(list)))
        {
            inherited.push(list);
        }
        Self {
            inherited,
            own: arguments.collect(),
        }
    }

    /// Reads all of the arguments together.
    pub fn requires(&self, found: Option<&LoadedVocabulary>, errors: &mut Errors) -> Requires {
        let modules = self.inherited.iter().map(Group::stream);
        let modules = modules.map(|list| {
            if is_invalid(&list) {
                TokenStream::new()
            } else {
                list
            }
        });
        crate::within(modules.collect(), self.own.clone(), found, errors)
    }

    /// Returns the path of the runtime, if it is not `::auth_runtime`. The innermost attribute
    /// decides.
    pub fn krate(&self) -> Option<Path> {
        let inherited = self.inherited.iter().map(Group::stream);
        let mut lists = inherited.chain([self.own.clone()]).rev();
        lists.find_map(krate_in)
    }

    /// Returns this path as the items of a module with this attribute have to write it: one that begins with
    /// `self` or `super` is reported once, and not as unresolved at each item as well.
    pub(super) fn krate_within(&self) -> Option<Path> {
        self.krate().map(within_module)
    }

    /// Returns the lists for the items of a module with this attribute.
    pub(super) fn inherit(&self, is_valid: bool) -> TokenStream {
        let Self { inherited, own } = self;
        // The attribute of an enclosing module may be the one with a relative path.
        let is_relative = self.krate().is_some_and(|krate| is_from_here(&krate));
        if !is_valid || is_relative {
            let krate = self.krate_within().into_iter();
            return quote!({ invalid #(, crate = #krate)* });
        }
        if own.is_empty() {
            quote!(#(#inherited)*)
        } else {
            quote!(#(#inherited)* { #own })
        }
    }
}

/// Returns a path as the items of an inline module have to write it, if it is written beside the module.
pub fn within_module(mut path: Path) -> Path {
    let up = Ident::new("super", Span::call_site());
    if let Some(first) = path.segments.first_mut() {
        if first.ident == "self" {
            first.ident = up;
        } else if first.ident == "super" {
            path.segments.insert(0, up.into());
        }
    }
    path
}

/// Returns whether the group is the list of a module. A module always writes something into it.
fn is_inherited(list: &Group) -> bool {
    list.delimiter() == Delimiter::Brace && !list.stream().is_empty()
}

fn is_invalid(list: &TokenStream) -> bool {
    matches!(list.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "invalid")
}
