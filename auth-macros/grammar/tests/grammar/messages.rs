//! The messages of `tests/ui` and `tests/vocabulary`, without the compiler: the grammar reads the same files, and
//! finds the same mistakes at the same places. Messages of the compiler itself are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::{panic, thread};

use auth_grammar::annotated::{self, Target};
use auth_grammar::args;
use auth_grammar::attribute::policy_attribute;
use auth_grammar::errors::Errors;
use auth_grammar::module::Module;
use auth_grammar::vocabulary::{self, LoadedVocabulary};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ImplItemFn, Item, Macro, Meta, TraitItemFn};

/// The cases with attributes that only the compiler finds: under another name, or in a macro. Their messages are
/// not found here.
const ONLY_COMPILED: [&str; 7] = [
    "module/renamed_attribute.rs",
    "module/attribute_called_test.rs",
    "module/renamed_attribute_by_a_glob.rs",
    "module/renamed_attribute_on_middleware.rs",
    "module/renamed_attribute_on_a_struct.rs",
    "module/attribute_called_derive.rs",
    "syntax/too_many_requirements.rs",
];

/// The cases with an error of syntax, which only the compiler reads beyond.
const NOT_PARSED: [&str; 2] = [
    "items/a_half_typed_parameter.rs",
    "module/a_half_typed_parameter.rs",
];

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// A message with its line and column; without them, if it is about the whole attribute.
type Message = (Option<(usize, usize)>, String);

/// Returns the errors with a code of the attributes in the output of the compiler.
fn printed(output: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut lines = output.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("error: ") else {
            continue;
        };
        let mut message = first.to_owned();
        while let Some(next) = lines.next_if(|next| !next.trim_start().starts_with("--> ")) {
            message.push('\n');
            message.push_str(next.strip_prefix("       ").unwrap_or(next));
        }
        let place = lines.next().and_then(|place| {
            let mut numbers = place.rsplit(':').map(|number| number.parse().ok());
            let column = numbers.next()??;
            Some((numbers.next()??, column))
        });
        if first.contains(" [AUTH") {
            messages.push((place, message));
        }
    }
    messages
}

/// Reads attributes as the macros do, from the outside inwards.
struct Walk<'w> {
    found: Option<&'w LoadedVocabulary>,
    messages: Vec<Message>,
}

impl Walk<'_> {
    /// Removes the first policy attribute.
    fn take(attributes: &mut Vec<Attribute>) -> Option<(&'static str, Attribute)> {
        let at = attributes
            .iter()
            .position(|attribute| policy_attribute(attribute).is_some())?;
        let attribute = attributes.remove(at);
        Some((policy_attribute(&attribute)?, attribute))
    }

    /// Reads an attribute and its item. Returns a module with the attributes that it writes.
    fn read(&mut self, name: &str, attribute: &Attribute, tokens: TokenStream) -> Option<Module> {
        let arguments = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let annotated = match name {
            "public" => annotated::public(arguments, tokens),
            _ => annotated::requires(arguments, tokens, self.found),
        };
        self.note(annotated.errors);
        match annotated.target {
            Target::Module(module) => Some(*module),
            Target::Item(_) => None,
        }
    }

    fn note(&mut self, errors: Errors) {
        for error in errors {
            let start = error.span().start();
            // The place of the whole attribute, outside the compiler.
            let is_placed = (start.line, start.column) != (1, 0);
            let place = is_placed.then_some((start.line, start.column + 1));
            let message = (place, error.to_string());
            // The compiler prints equal messages once.
            if place.is_none() || !self.messages.contains(&message) {
                self.messages.push(message);
            }
        }
    }
}

impl VisitMut for Walk<'_> {
    fn visit_item_mut(&mut self, item: &mut Item) {
        let attributes = match item {
            Item::Const(it) => &mut it.attrs,
            Item::Enum(it) => &mut it.attrs,
            Item::Fn(it) => &mut it.attrs,
            Item::Impl(it) => &mut it.attrs,
            Item::Macro(it) => &mut it.attrs,
            Item::Mod(it) => &mut it.attrs,
            Item::Static(it) => &mut it.attrs,
            Item::Struct(it) => &mut it.attrs,
            Item::Trait(it) => &mut it.attrs,
            Item::Use(it) => &mut it.attrs,
            _ => return,
        };
        if let Some((name, attribute)) = Self::take(attributes) {
            let module = self.read(name, &attribute, item.to_token_stream());
            if let Some(read) = module.and_then(|it| syn::parse2(it.into_token_stream()).ok()) {
                *item = read;
            }
        }
        visit_mut::visit_item_mut(self, item);
    }

    /// `vocabulary!()` reports the mistakes in the file as well.
    fn visit_macro_mut(&mut self, call: &mut Macro) {
        if call.path.is_ident("vocabulary") {
            let mut errors = Errors::default();
            args::macro_call("vocabulary", call.tokens.clone(), &mut errors);
            if let Some(found) = self.found {
                found.report(&mut errors);
            }
            self.note(errors);
        }
    }

    fn visit_impl_item_fn_mut(&mut self, method: &mut ImplItemFn) {
        if let Some((name, attribute)) = Self::take(&mut method.attrs) {
            self.read(name, &attribute, method.to_token_stream());
        }
        visit_mut::visit_impl_item_fn_mut(self, method);
    }

    fn visit_trait_item_fn_mut(&mut self, method: &mut TraitItemFn) {
        if let Some((name, attribute)) = Self::take(&mut method.attrs) {
            self.read(name, &attribute, method.to_token_stream());
        }
        visit_mut::visit_trait_item_fn_mut(self, method);
    }
}

/// Calls `run` with the stack of a program, since some cases are nested deeply.
fn with_large_stack(run: fn()) {
    let thread = thread::Builder::new().stack_size(64 << 20).spawn(run);
    if let Err(panic) = thread.expect("a thread").join() {
        panic::resume_unwind(panic);
    }
}

/// Returns the messages about a file; `None` if it is not a file of Rust outside the compiler.
fn found(text: &str, vocabulary: Option<&LoadedVocabulary>) -> Option<Vec<Message>> {
    let mut file = syn::parse_file(text).ok()?;
    let mut walk = Walk {
        found: vocabulary,
        messages: Vec::new(),
    };
    walk.visit_file_mut(&mut file);
    Some(walk.messages)
}

/// Returns the differences between printed and found messages, in any order.
fn differences(case: &str, printed: Vec<Message>, mut found: Vec<Message>) -> Vec<String> {
    let mut differences = Vec::new();
    for (place, message) in printed {
        let same = |(own, text): &Message| *text == message && (own.is_none() || *own == place);
        match found.iter().position(same) {
            Some(at) => drop(found.remove(at)),
            None => differences.push(format!("{case}: not found: {place:?} {message}")),
        }
    }
    for (place, message) in found {
        differences.push(format!("{case}: not printed: {place:?} {message}"));
    }
    differences
}

#[test]
fn mistakes_are_those_of_the_compiler() {
    with_large_stack(compare_mistakes);
}

fn compare_mistakes() {
    let mut cases = BTreeMap::new();
    for folder in fs::read_dir(tests().join("ui/fail")).expect("folders") {
        for file in fs::read_dir(folder.expect("a folder").path()).expect("files") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|end| end == "rs") {
                let name = path
                    .strip_prefix(tests())
                    .expect("a name")
                    .display()
                    .to_string();
                cases.insert(name, path);
            }
        }
    }
    let (mut compared, mut all) = (0, Vec::new());
    for (name, path) in cases {
        let output = fs::read_to_string(path.with_extension("stderr")).expect("its output");
        let expected = printed(&output);
        let text = fs::read_to_string(&path).expect("a case");
        let found = found(&text, None);
        if found.is_none() != NOT_PARSED.iter().any(|case| name.ends_with(case)) {
            all.push(format!("{name}: parsed: {}", found.is_some()));
        }
        let Some(found) = found else { continue };
        compared += found.len();
        let mut others = differences(&name, expected, found);
        if ONLY_COMPILED.iter().any(|case| name.ends_with(case)) {
            assert!(!others.is_empty(), "{name} is found without the compiler");
            others.retain(|other| !other.contains(": not found: "));
        }
        all.extend(others);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(compared > 250, "{compared}");
}

#[test]
fn vocabulary_mistakes_are_those_of_compiler() {
    let lab = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages");
    let (mut compared, mut all) = (0, Vec::new());
    for case in fs::read_dir(tests().join("vocabulary")).expect("cases") {
        let case = case.expect("a case").path();
        let name = case
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let project = lab.join(&name);
        let _ = fs::remove_dir_all(&project);
        fs::create_dir_all(project.join("policies")).expect("a folder");
        fs::write(
            project.join("Cargo.toml"),
            "[workspace]\n[package]\nname = \"a\"\n",
        )
        .expect("a file");
        for file in [
            "auth.toml",
            "schema.cedarschema",
            "policies/forge.cedarschema.json",
        ] {
            if let Ok(text) = fs::read(case.join(file)) {
                fs::write(project.join(file), text).expect("a file");
            }
        }
        let vocabulary = vocabulary::find(&project);
        let text = fs::read_to_string(case.join("lib.rs")).expect("a case");
        let mut expected = printed(&fs::read_to_string(case.join("expected")).expect("its output"));
        // The macro itself misses a vocabulary.
        expected.retain(|(_, message)| !message.starts_with("no `auth.toml` was found"));
        compared += expected.len();
        let found = found(&text, vocabulary.as_ref()).expect("a file of Rust");
        all.extend(differences(&name, expected, found));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(compared > 10, "{compared}");
}
