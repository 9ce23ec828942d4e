//! The functions that can make routers.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ExprCall, ExprMethodCall, Item, ItemMacro, Macro, Path};

use super::definitions::{Definitions, Function};
use crate::sources::expressions::{path_of, segments_of};
use crate::sources::routing::{is_like_routing, is_router_type, makes_route, routing_function};
use crate::sources::text::named;

/// The functions that can make routers.
pub(super) struct RouterFunctions {
    /// All of them: other functions are not evaluated.
    pub(super) relevant: Vec<usize>,
    /// Those that nothing calls.
    pub(super) unused: BTreeSet<usize>,
}

/// The functions that a body mentions.
#[derive(Default)]
struct Mentions {
    /// Full paths, and paths that are not resolved.
    paths: BTreeSet<Vec<String>>,
    /// The names of methods, and the words in macros.
    names: BTreeSet<String>,
}

impl RouterFunctions {
    pub(super) fn of(definitions: &Definitions<'_>) -> Self {
        let makers = |(index, function): (usize, &Function<'_>)| {
            let name = || named(&function.signature.ident);
            definitions.makes_router(index).then(|| (index, name()))
        };
        let makers: BTreeMap<usize, String> = definitions
            .functions
            .iter()
            .enumerate()
            .filter_map(makers)
            .collect();
        let mut wanted: BTreeSet<String> = makers.values().cloned().collect();
        wanted.extend(definitions.router_aliases.iter().cloned());
        let renamed = definitions
            .sources
            .names
            .renamed_to(|name| is_router_type(name) || wanted.contains(name));
        wanted.extend(renamed);
        let mut relevant = Vec::new();
        let mut always = Mentions::default();
        let mut by_maker: BTreeMap<usize, Mentions> = BTreeMap::new();
        for (index, function) in definitions.functions.iter().enumerate() {
            let mut reader = Reader::new(&wanted);
            reader.visit_signature(function.signature);
            reader.visit_block(function.block);
            let is_method = function.signature.receiver().is_some();
            let resolve = |path: &[String]| {
                definitions.resolve_in(function.scope, function.owner.as_ref(), path)
            };
            let makes_routes = |path: &Vec<String>| {
                let whole = resolve(path);
                routing_function(&whole).is_some() || is_like_routing(&whole, path)
            };
            if reader.is_relevant
                || (is_method && makers.contains_key(&index))
                || reader.calls.iter().any(makes_routes)
            {
                relevant.push(index);
            }
            let mentions = reader.mentions(resolve);
            if makers.contains_key(&index) {
                by_maker.insert(index, mentions);
            } else {
                always.extend(&mentions);
            }
        }
        for read in &definitions.sources.items {
            let mut reader = Reader::new(&wanted);
            match &read.item {
                Item::Const(_) | Item::Static(_) | Item::Macro(_) => reader.visit_item(&read.item),
                _ => continue,
            }
            always.extend(&reader.mentions(|path| definitions.resolve(read.scope, path)));
        }
        let unused = unused(definitions, &makers, always, &by_maker);
        Self { relevant, unused }
    }
}

/// Returns the functions that nothing calls, except each other.
fn unused(
    definitions: &Definitions<'_>,
    makers: &BTreeMap<usize, String>,
    always: Mentions,
    by_maker: &BTreeMap<usize, Mentions>,
) -> BTreeSet<usize> {
    let mut known = always;
    let mut left: BTreeSet<usize> = makers.keys().copied().collect();
    loop {
        let is_used = |index: &usize| {
            let function = definitions.functions.get(*index);
            function.is_none_or(|it| is_entry(definitions, it) || known.has(it))
        };
        let (used, rest): (BTreeSet<usize>, BTreeSet<usize>) =
            left.iter().copied().partition(is_used);
        if used.is_empty() {
            return rest;
        }
        let more = used.iter().filter_map(|index| by_maker.get(index));
        more.for_each(|mentions| known.extend(mentions));
        left = rest;
    }
}

/// Returns whether code outside the sources may call a function.
fn is_entry(definitions: &Definitions<'_>, function: &Function<'_>) -> bool {
    let krate = function.path.split("::").next().unwrap_or_default();
    let is_program = definitions
        .function(&[krate.to_owned(), "main".to_owned()])
        .is_some();
    let is_method = function.signature.receiver().is_some();
    named(&function.signature.ident) == "main"
        || is_method
        || (function.is_public && !is_program)
        || !function.attributes.iter().all(is_plain)
}

/// Returns whether an attribute adds no caller to a function.
fn is_plain(attribute: &Attribute) -> bool {
    let name = segments_of(attribute.path()).pop().unwrap_or_default();
    matches!(
        name.as_str(),
        "allow" | "cfg" | "deprecated" | "doc" | "expect" | "inline" | "instrument" | "must_use"
    )
}

impl Mentions {
    fn extend(&mut self, other: &Self) {
        self.paths.extend(other.paths.iter().cloned());
        self.names.extend(other.names.iter().cloned());
    }

    fn has(&self, function: &Function<'_>) -> bool {
        let name = named(&function.signature.ident);
        let whole: Vec<&str> = function.path.split("::").collect();
        let is_one = |path: &Vec<String>| {
            let relative = path.iter().map(String::as_str);
            let relative: Vec<&str> = relative
                .filter(|it| !matches!(*it, "crate" | "self" | "super" | "Self"))
                .collect();
            whole.ends_with(&relative)
        };
        self.names.contains(&name) || self.paths.iter().any(is_one)
    }
}

/// A reader of one body.
struct Reader<'n> {
    /// The names of the functions and types that make routers.
    wanted: &'n BTreeSet<String>,
    is_relevant: bool,
    paths: BTreeSet<Vec<String>>,
    names: BTreeSet<String>,
    /// The called functions that are named like `get`.
    calls: BTreeSet<Vec<String>>,
}

impl<'n> Reader<'n> {
    fn new(wanted: &'n BTreeSet<String>) -> Self {
        Self {
            wanted,
            is_relevant: false,
            paths: BTreeSet::new(),
            names: BTreeSet::new(),
            calls: BTreeSet::new(),
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        is_router_type(name) || self.wanted.contains(name)
    }

    fn words(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Group(group) => self.words(&group.stream()),
                TokenTree::Ident(word) => {
                    let word = named(&word);
                    if self.is_wanted(&word) {
                        self.is_relevant = true;
                        self.names.insert(word);
                    }
                }
                _ => {}
            }
        }
    }

    fn mentions(self, resolve: impl Fn(&[String]) -> Vec<String>) -> Mentions {
        let paths = self.paths.iter().map(|path| resolve(path));
        Mentions {
            paths: paths.collect(),
            names: self.names,
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_path(&mut self, path: &Path) {
        let is_wanted = |segment: &syn::PathSegment| self.is_wanted(&named(&segment.ident));
        if path.segments.iter().any(is_wanted) {
            self.is_relevant = true;
            self.paths.insert(segments_of(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        let path = path_of(&call.func).filter(|path| path.last().is_some_and(|it| makes_route(it)));
        self.calls.extend(path);
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        let name = named(&call.method);
        self.is_relevant |= name == "route";
        if self.is_wanted(&name) {
            self.is_relevant = true;
            self.names.insert(name);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, written: &Macro) {
        self.words(&written.tokens);
        visit::visit_macro(self, written);
    }

    fn visit_item_macro(&mut self, written: &ItemMacro) {
        self.words(&written.mac.tokens);
    }

    /// The items in blocks are read on their own.
    fn visit_item_fn(&mut self, _: &syn::ItemFn) {}

    fn visit_item_impl(&mut self, _: &syn::ItemImpl) {}

    fn visit_item_mod(&mut self, _: &syn::ItemMod) {}

    fn visit_attribute(&mut self, _: &Attribute) {}
}
