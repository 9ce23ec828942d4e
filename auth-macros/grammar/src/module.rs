//! A policy on an inline module, which every handler in it inherits.
//!
//! Items are parsed only as far as needed to tell them apart, so that a half-typed item still
//! reaches the compiler and the editor. Constructs that could hide a handler from the policy are
//! rejected.

mod arguments;
mod calls;
mod items;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Meta, Token, Visibility};

pub use self::arguments::{Arguments, within_module};
use self::calls::refuse_helpers;
use self::items::{ItemKind, ModuleItem, items_of, next_item};
use crate::attribute::{
    is_inert, left_out, policy_attribute_by_any_path, policy_in_cfg_attr, policy_within,
    refuse_conditional_policy, renamed, with_left_out,
};
use crate::errors::Errors;
use crate::item::{refuse_depth, refuse_second_policy, too_deep};
use crate::requirement::Requires;
use crate::{check, codes};

/// An inline module.
pub struct Module {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    inner: Vec<Attribute>,
    items: Vec<ModuleItem>,
    braces: Span,
    /// The place where the module is nested too deeply to be parsed; its contents are one item then.
    too_deep: Option<Span>,
}

impl Module {
    /// Reads a module; `None` if the item is something else.
    pub fn read(item: &TokenStream) -> Option<Self> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            input.parse::<Token![mod]>()?;
            let name = input.parse()?;
            let body: Group = input.parse()?;
            Ok((attributes, visibility, name, body))
        };
        let (attributes, visibility, name, body) = parser.parse2(item.clone()).ok()?;
        if body.delimiter() != Delimiter::Brace {
            return None;
        }
        let too_deep = too_deep(item);
        let parser = |input: ParseStream<'_>| {
            let inner = input.call(Attribute::parse_inner).unwrap_or_default();
            let mut items = Vec::new();
            while !input.is_empty() {
                items.push(next_item(input));
            }
            Ok((inner, items))
        };
        let (inner, items) = if too_deep.is_some() {
            let all = ModuleItem {
                attributes: Vec::new(),
                kind: ItemKind::Other,
                rest: body.stream(),
            };
            (Vec::new(), vec![all])
        } else {
            parser.parse2(items_of(body.stream())).ok()?
        };
        Some(Self {
            attributes,
            visibility,
            name,
            inner,
            items,
            braces: body.span(),
            too_deep,
        })
    }

    /// Adds the policy of the module to each handler in it, and records mistakes.
    pub fn inherit(&mut self, arguments: &Arguments, requires: &Requires, errors: &mut Errors) {
        // A module has one policy of its own, as a handler has.
        refuse_second_policy(&mut self.attributes, "requires", errors);
        if let Some(span) = self.too_deep {
            refuse_depth(span, errors);
            return;
        }
        check::module(requires, errors);
        let policy = arguments.inherit(errors.is_empty());
        let krate = arguments.krate_within();
        let krate = krate.map_or_else(|| quote!(::auth_runtime), ToTokens::into_token_stream);
        self.give(&policy, &krate, errors);
    }

    fn give(&mut self, policy: &TokenStream, krate: &TokenStream, errors: &mut Errors) {
        refuse_helpers(&mut self.items, errors);
        let mut others = Vec::new();
        for item in &self.items {
            renamed(item.rest.clone(), &mut others);
        }
        for item in &mut self.items {
            item.take(policy, krate, &others, errors);
        }
    }
}

impl ToTokens for Module {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attributes,
            visibility,
            name,
            inner,
            items,
            braces,
            ..
        } = self;
        let mut body = Group::new(Delimiter::Brace, quote!(#(#inner)* #(#items)*));
        body.set_span(*braces);
        tokens.extend(quote!(#(#attributes)* #visibility mod #name #body));
    }
}

impl ModuleItem {
    /// Adds the policy, if it applies to this item. `others` are further names of policy
    /// attributes.
    fn take(
        &mut self,
        policy: &TokenStream,
        krate: &TokenStream,
        others: &[String],
        errors: &mut Errors,
    ) {
        if self.is_built_for_tests() {
            return;
        }
        let written = self.attributes.len();
        self.attributes.retain(|attribute| {
            let found = policy_in_cfg_attr(attribute);
            if let Some(span) = found {
                refuse_conditional_policy(span, errors);
            }
            found.is_none()
        });
        // A rejected attribute still counts as a policy: otherwise its absence would be reported as
        // well.
        let had_policy = self.attributes.len() < written;
        let is_test = self.is_test();
        if !is_test {
            self.refuse_what_is_out_of_reach(others, errors);
            refuse_debug_handler_above(&mut self.attributes, errors);
        }
        // A policy attribute that was found is reported already.
        if !matches!(self.kind, ItemKind::Module | ItemKind::Macro(_))
            && policy_within(self.rest.clone(), others).is_none()
            && let Some(marked) = with_left_out(&self.rest)
        {
            self.rest = marked;
        }
        for attribute in &mut self.attributes {
            if policy_attribute_by_any_path(attribute).is_some() {
                add(attribute, policy, errors);
            }
        }
        if self.has_policy() {
            return;
        }
        let takes_one = match self.kind {
            // An attribute that is called `test` marks a function.
            ItemKind::Module => true,
            ItemKind::Handler(_) => !is_test,
            ItemKind::UnitStruct => had_policy,
            _ => false,
        };
        if takes_one {
            let added = syn::parse_quote!(#[#krate::requires(#policy)]);
            self.attributes.insert(0, added);
        } else if !self.attributes.iter().all(is_inert) {
            // One of them may be a policy attribute by another name.
            self.attributes.push(left_out());
        }
    }

    fn refuse_what_is_out_of_reach(&self, others: &[String], errors: &mut Errors) {
        match &self.kind {
            ItemKind::Module => {}
            ItemKind::FileModule(name) => errors.add(
                codes::OUT_OF_REACH,
                name.span(),
                format!(
                    "the policy of the module does not reach another file\n\
                     help: write `mod {name} {{ ... }}` here, or move `mod {name};` out of the \
                     module"
                ),
            ),
            ItemKind::Macro(path) => {
                let name = path.to_string().replace(' ', "");
                errors.add(
                    codes::OUT_OF_REACH,
                    path.span(),
                    format!(
                        "the policy of the module does not reach the items of `{name}!`\n\
                         help: write the items out, or move the macro out of the module"
                    ),
                );
            }
            _ => {
                if let Some(span) = policy_within(self.rest.clone(), others) {
                    errors.add(
                        codes::OUT_OF_REACH,
                        span,
                        "the policy of the module does not reach a handler within another \
                         item\n\
                         help: move the handler to the items of the module",
                    );
                }
            }
        }
    }
}

/// Records axum's `debug_handler` above a policy attribute, where it checks the function before the
/// guard is added, and removes it: it would report a missing argument as well.
fn refuse_debug_handler_above(attributes: &mut Vec<Attribute>, errors: &mut Errors) {
    let ours = attributes
        .iter()
        .enumerate()
        .find_map(|(index, attribute)| Some((index, policy_attribute_by_any_path(attribute)?)));
    let Some((index, policy)) = ours else { return };
    let checks = attributes.iter().take(index).position(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "debug_handler")
    });
    if let Some(checks) = checks {
        let checks = attributes.remove(checks);
        let message = format!(
            "`debug_handler` checks the handler before `#[{policy}]` adds the guard\n\
             help: put it below `#[{policy}]`"
        );
        errors.push(codes::GUARD.over(checks.path(), message));
    }
}

/// Puts the policy of the module in front of the attribute's own arguments.
fn add(attribute: &mut Attribute, policy: &TokenStream, errors: &mut Errors) {
    let own = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(value) => {
            let name = value.path.to_token_stream().to_string().replace(' ', "");
            errors.add(
                codes::FORM,
                value.eq_token.span(),
                format!("expected parentheses after `{name}`\nhelp: write `#[{name}(...)]`"),
            );
            TokenStream::new()
        }
    };
    let Arguments { inherited, own } = Arguments::read(own);
    let path = attribute.path().to_token_stream();
    attribute.meta = syn::parse_quote!(#path(#(#inherited)* #policy #own));
}

#[cfg(test)]
mod tests;
