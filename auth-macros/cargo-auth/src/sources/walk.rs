//! The walk over the items of a crate, from its root source file. It visits every item once.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use auth_grammar::annotated::{self, Target};
use auth_grammar::attribute::{is_test, refuse_conditional_policy};
use auth_grammar::errors::Errors;
use auth_grammar::module::Arguments;
use auth_grammar::requirement::ParsedPolicy;
use auth_grammar::vocabulary::LoadedVocabulary;
use auth_grammar::{codes, item};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, Meta};

use super::aliases;
use super::conditions::{Conditional, both, is_conditional, paths, unconditional};
use super::configured_items;
use super::finding::{Finding, Place, is_written};
use super::items::{
    attributes_in, attributes_of, borrowed_guard, endless_stream, kind_of, name_of, types_of,
};
use super::lists;
use super::names::NameKind;
use super::nesting;
use super::plain_mounts::Body;
use super::policy_attribute::{PolicyAttribute, is_hard_to_find, names_runtime, policy_attribute};
use super::reasons;
use super::record::{AttributeName, Entry, EntryKind, ReadItem, Sources};
use super::test_code;
use super::text::{named, readable, shown};
use super::used_names::UsedNames;
use crate::workspace::Crate;

/// The state of a walk.
pub(super) struct Walk<'w> {
    root: &'w Path,
    krate: &'w Crate,
    found: Option<&'w LoadedVocabulary>,
    used: Option<&'w mut UsedNames>,
    sources: &'w mut Sources,
    /// The name of the file for messages.
    file: String,
    /// The text of the file; spans are relative to it.
    text: String,
    /// The file, and the files of its parent modules.
    open: Vec<PathBuf>,
}

/// The surroundings of items.
#[derive(Clone)]
struct Around {
    /// The scope of their names.
    scope: usize,
    /// The folder of the files of modules.
    folder: PathBuf,
    /// The folder to which `#[path]` is relative.
    beside: PathBuf,
    /// The `cfg` condition of the items.
    cfg: Option<String>,
    /// The `cfg` condition of the enclosing module's policy.
    condition: Option<String>,
    /// The name of the enclosing module's policy.
    attribute: Option<Rc<AttributeName>>,
}

impl Around {
    /// Adds the `cfg` conditions of an item or a file.
    fn add_cfgs(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|it| is_conditional(it)) {
            if let Meta::List(list) = &attribute.meta {
                self.cfg = both(self.cfg.take(), Some(readable(&list.tokens)));
            }
        }
    }

    /// Returns the surroundings of items in a block.
    fn in_scope(&self, scope: usize) -> Self {
        Self {
            scope,
            condition: None,
            ..self.clone()
        }
    }
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        root: &'w Path,
        krate: &'w Crate,
        found: Option<&'w LoadedVocabulary>,
        used: Option<&'w mut UsedNames>,
        sources: &'w mut Sources,
    ) -> Self {
        Self {
            root,
            krate,
            found,
            used,
            sources,
            file: String::new(),
            text: String::new(),
            open: Vec::new(),
        }
    }

    /// Reads the whole crate.
    pub(super) fn krate(mut self) {
        let path = std::slice::from_ref(&self.krate.name);
        let scope = self.sources.names.module(path, &self.krate.renamed);
        let folder = self.krate.source.parent().unwrap_or(Path::new(""));
        let around = Around {
            scope,
            folder: folder.to_owned(),
            beside: folder.to_owned(),
            cfg: None,
            condition: None,
            attribute: None,
        };
        let source = self.krate.source.clone();
        self.file(&source, &around);
    }

    fn file(&mut self, path: &Path, around: &Around) {
        let file = shown(self.root, path);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.fail(format!("{file} cannot be read: {error}")),
        };
        if nesting::is_too_deep(&text) {
            let depth = nesting::MAX_DEPTH;
            return self.fail(format!("{file} is nested more than {depth} levels deep"));
        }
        let mut parsed = match syn::parse_file(&text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let place = Place::of(&file, error.span());
                let (line, column) = (place.line, place.column);
                return self.fail(format!(
                    "{file}:{line}:{column}: this is not valid Rust: {error}"
                ));
            }
        };
        // The compiler rejects a module that contains itself; here, the recursion would not end.
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.open.contains(&whole) {
            return self.fail(format!("{file} is a module of itself"));
        }
        // `#![cfg(test)]` applies to the whole file.
        if parsed.attrs.iter().any(is_test) {
            return;
        }
        test_code::remove(&mut parsed);
        let mut around = around.clone();
        around.add_cfgs(&parsed.attrs);
        self.sources.reasons.extend(reasons::read(&file, &text));
        let tokens = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let shebang = parsed.shebang.as_ref().map_or(0, String::len);
        let tokens = tokens.get(shebang..).unwrap_or_default().to_owned();
        let outer = (
            std::mem::replace(&mut self.file, file),
            std::mem::replace(&mut self.text, tokens),
        );
        self.open.push(whole);
        self.items(parsed.items, &around);
        self.open.pop();
        (self.file, self.text) = outer;
    }

    /// Records a failure that makes the list incomplete.
    fn fail(&mut self, message: String) {
        self.sources.unread.push(message);
    }

    /// Reads items. Their names come first, because items refer to each other in any order.
    fn items(&mut self, items: Vec<Item>, around: &Around) {
        let items = configured_items::flattened(items);
        for item in &items {
            let is_conditional = attributes_in(item).iter().any(is_conditional);
            if let Some(name) = name_of(item) {
                let (name, kind) = (named(name), kind_of(item));
                let names = &mut self.sources.names;
                names.declare(around.scope, &name, kind, is_conditional);
            }
            match item {
                Item::Use(import) => {
                    let names = &mut self.sources.names;
                    names.import(around.scope, &import.tree, is_conditional);
                }
                Item::ExternCrate(krate) => {
                    if let Some((_, name)) = &krate.rename {
                        let (krate, name) = (named(&krate.ident), named(name));
                        let names = &mut self.sources.names;
                        names.import_crate(around.scope, &krate, &name);
                    }
                }
                _ => {}
            }
        }
        for item in items {
            self.item(item, around);
        }
    }

    fn item(&mut self, mut item: Item, around: &Around) {
        let mut around = around.clone();
        let name = name_of(&item).map(named);
        if let Some(attributes) = attributes_of(&mut item) {
            let all = unconditional(attributes.clone());
            // A policy on a test is reported, and so is a test attribute on an item that is not a
            // test.
            let is_tests =
                |(attribute, condition): &Conditional| condition.is_none() && is_test(attribute);
            let has_policy = all
                .iter()
                .any(|(attribute, _)| policy_attribute(attribute).is_some());
            let is_left_out = all
                .iter()
                .any(|it| is_tests(it) && (is_conditional(&it.0) || !has_policy));
            if is_left_out {
                return;
            }
            let aliases = all
                .iter()
                .filter_map(|(it, _)| aliases::of_attribute(it, &self.file, around.scope));
            self.sources.aliases.extend(aliases);
            around.add_cfgs(attributes);
            let written = self.take_policy(attributes, &around);
            if written.is_none() {
                self.without_policy(&item, name.as_deref(), &around);
            }
            if let Some(written) = written {
                around.condition.clone_from(&written.condition);
                if is_written(written.span) {
                    around.attribute = written.path.clone().map(|path| {
                        Rc::new(AttributeName {
                            place: Place::of(&self.file, written.span),
                            scope: around.scope,
                            path,
                        })
                    });
                }
                let Some(read) = self.policy(&written, item, &around) else {
                    return;
                };
                item = read;
            }
        }
        self.contents(item, name.as_deref(), &around);
    }

    /// Records an item without a policy, and reports a function that takes the guard of a handler.
    fn without_policy(&mut self, item: &Item, name: Option<&str>, around: &Around) {
        // A type or a module may have the name of a handler.
        if let Some(name) = name
            && !matches!(kind_of(item), NameKind::Type)
        {
            let path = self.sources.names.path_in(around.scope, name);
            let packages = self.sources.bare.entry(path.join("::")).or_default();
            packages.insert(self.krate.package.clone());
        }
        if let Item::Fn(function) = item
            && let Some(policy) = borrowed_guard(types_of(&function.sig))
        {
            let advice = "write `#[requires(...)]` or `#[public(reason = \"...\")]` above it";
            let place = Place::of(&self.file, policy.span());
            let finding = Finding::borrowed(place, &policy.to_string(), advice);
            self.sources.findings.push(finding);
        }
    }

    /// Reads the contents of an item.
    fn contents(&mut self, item: Item, name: Option<&str>, around: &Around) {
        match &item {
            Item::Mod(_) => {}
            Item::Use(import) => {
                let aliases = aliases::of_import(&import.tree, &self.file, around.scope);
                self.sources.aliases.extend(aliases);
            }
            Item::Macro(written) => self.body(around, |body| body.macro_item(written)),
            Item::Fn(function) => {
                let name = named(&function.sig.ident);
                self.body(around, |body| {
                    body.function(&name, &function.sig, &function.block);
                });
            }
            other => self.body(around, |body| {
                if let Some(name) = name {
                    body.named(name);
                }
                body.visit_item(other);
            }),
        }
        match item {
            Item::Mod(module) => self.module(module, around),
            mut item => {
                lists::as_arrays(&mut item);
                self.sources.items.push(ReadItem {
                    file: self.file.clone(),
                    scope: around.scope,
                    is_selected: self.krate.is_selected,
                    item,
                });
            }
        }
    }

    /// Reads a body, and then the items in its blocks.
    fn body(&mut self, around: &Around, read: impl FnOnce(&mut Body<'_>)) {
        let uses_attributes = self.krate.uses_attributes;
        let (file, text) = (&self.file, &self.text);
        let mut body = Body::new(self.sources, file, text, around.scope, uses_attributes);
        read(&mut body);
        let (items, texts) = body.into_parts();
        if let Some(used) = &mut self.used {
            used.note_texts(texts);
        }
        for (scope, items) in items {
            self.items(items, &around.in_scope(scope));
        }
    }

    /// Removes the policy attribute, as the compiler removes an attribute before expansion. A later
    /// `cfg_attr` still has its original form at that time.
    fn take_policy(
        &self,
        attributes: &mut Vec<Attribute>,
        around: &Around,
    ) -> Option<PolicyAttribute> {
        let mut written = None;
        let mut others = Vec::new();
        for attribute in std::mem::take(attributes) {
            if written.is_some() {
                others.push(attribute);
                continue;
            }
            let mut besides = Vec::new();
            for (attribute, condition) in unconditional(vec![attribute.clone()]) {
                // Without the crate, `requires` is an attribute of another crate.
                let is_ours = || {
                    self.krate.uses_attributes
                        || attribute.path().segments.len() > 1
                        || names_runtime(&attribute)
                };
                match policy_attribute(&attribute) {
                    Some(name) if written.is_none() && is_ours() => {
                        written = Some(PolicyAttribute::of(
                            name,
                            &attribute,
                            condition,
                            around.condition.as_ref(),
                        ));
                    }
                    _ => besides.push(attribute),
                }
            }
            match written {
                Some(_) => others.extend(besides),
                None => others.push(attribute),
            }
        }
        *attributes = others;
        written
    }

    /// Reads a policy as the macros do, and returns its item so that nested items can be read.
    fn policy(&mut self, written: &PolicyAttribute, item: Item, around: &Around) -> Option<Item> {
        // A policy that a module hands down is not in the source.
        let place = match name_of(&item) {
            Some(name) if !is_written(written.span) => Place::of(&self.file, name.span()),
            _ => Place::of(&self.file, written.span),
        };
        if written.is_conditional {
            let mut errors = Errors::default();
            refuse_conditional_policy(written.span, &mut errors);
            self.note(errors, &place);
        } else if is_hard_to_find(written.name, written.span, &self.text) {
            let finding = Finding::hidden(place.clone(), written.name);
            self.sources.findings.push(finding);
        }
        let (arguments, tokens) = (written.arguments.clone(), item.to_token_stream());
        let mut annotated = match written.name {
            "public" => annotated::public(arguments, tokens),
            _ => annotated::requires(arguments, tokens, self.found),
        };
        for list in &Arguments::read(written.arguments.clone()).inherited {
            if is_written(list.span_open()) {
                annotated.errors.add(
                    codes::STRAY,
                    list.span_open(),
                    "a list in braces is only for the expansion of a module\n\
                     help: write its requirements without the braces",
                );
            }
        }
        let is_readable = self.found.is_none_or(|found| found.vocabulary.is_some());
        let is_mistaken = !annotated.errors.is_empty() || !is_readable;
        self.note(annotated.errors, &place);
        if let ParsedPolicy::Requires(requires) = &annotated.policy
            && let Some(used) = &mut self.used
        {
            used.note(requires);
        }
        if let (Item::Fn(function), "requires") = (&item, written.name)
            && let Some(stream) = endless_stream(function)
        {
            let place = Place::of(&self.file, function.sig.ident.span());
            self.sources.findings.push(Finding::endless(place, stream));
        }
        let (name, kind) = match &annotated.target {
            Target::Module(module) => {
                return syn::parse2(module.to_token_stream()).ok().map(Item::Mod);
            }
            Target::Item(item::Item::Handler(handler)) => {
                (&handler.signature.ident, EntryKind::Handler)
            }
            Target::Item(item::Item::Struct(unit)) => (&unit.name, EntryKind::Service),
            Target::Item(item::Item::Other(_)) => return Some(item),
        };
        let path = self.sources.names.path_in(around.scope, &named(name));
        self.sources.entries.push(Entry {
            place,
            package: self.krate.package.clone(),
            path: path.join("::"),
            kind,
            policy: annotated.policy,
            condition: both(around.cfg.clone(), written.condition.clone()),
            is_selected: self.krate.is_selected,
            is_mistaken,
            attribute: around.attribute.clone(),
        });
        Some(item)
    }

    fn note(&mut self, errors: Errors, place: &Place) {
        let findings = errors.into_iter().map(|error| Finding::of(&error, place));
        self.sources.findings.extend(findings);
    }

    fn module(&mut self, module: ItemMod, around: &Around) {
        let name = module.ident.unraw().to_string();
        let path = self
            .sources
            .names
            .path_in(around.scope, &named(&module.ident));
        let (paths, is_surely_there) = paths(module.attrs.clone());
        let inner = |folder: PathBuf, beside: PathBuf, sources: &mut Sources| Around {
            scope: sources.names.module(&path, &self.krate.renamed),
            folder,
            beside,
            cfg: around.cfg.clone(),
            condition: around.condition.clone(),
            attribute: around.attribute.clone(),
        };
        if let Some((_, items)) = module.content {
            let first = paths.first();
            let folder =
                first.map_or_else(|| around.folder.join(&name), |it| around.beside.join(it));
            let inner = inner(folder.clone(), folder, self.sources);
            return self.items(items, &inner);
        }
        let file = around.folder.join(format!("{name}.rs"));
        let folder = around.folder.join(&name);
        let written = paths.iter().map(|path| at(around.beside.join(path)));
        let mut candidates: Vec<_> = written.collect();
        if !is_surely_there {
            candidates.extend([(file, folder.clone()), (folder.join("mod.rs"), folder)]);
        }
        let is_there = |(file, _): &(PathBuf, PathBuf)| file.is_file();
        let found: Vec<_> = candidates.into_iter().filter(is_there).collect();
        let attributes = unconditional(module.attrs);
        if found.is_empty() && !attributes.iter().any(|(it, _)| is_conditional(it)) {
            let Place { line, column, .. } = Place::of(&self.file, module.ident.span());
            let file = &self.file;
            self.fail(format!(
                "{file}:{line}:{column}: the file of the module `{name}` is missing"
            ));
        }
        for (file, folder) in found {
            let beside = file.parent().unwrap_or(Path::new("")).to_owned();
            let inner = inner(folder, beside, self.sources);
            self.file(&file, &inner);
        }
    }
}

/// Returns the path of a file, and the folder of its modules.
fn at(file: PathBuf) -> (PathBuf, PathBuf) {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    (file, folder)
}
