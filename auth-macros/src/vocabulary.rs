//! The vocabulary of the crate that is being compiled.

use std::collections::BTreeMap;

use auth_grammar::errors::Errors;
use auth_grammar::module::within_module;
use auth_grammar::vocabulary::{self, DeclaredNames, LoadedVocabulary, Vocabulary};
use auth_grammar::{args, codes};
use auth_runtime_policy::Network;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Path};

use crate::policy::network;
use crate::runtime;

/// Finds and reads the vocabulary.
pub(crate) fn find() -> Option<LoadedVocabulary> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")?;
    vocabulary::find(manifest.as_ref())
}

/// Makes the compiler compile the crate again when its vocabulary or the Cedar schema changes.
pub(crate) fn tracked(found: &LoadedVocabulary) -> TokenStream {
    let files = found.files().filter(|path| path.is_file());
    let paths = files.map(|path| path.to_string_lossy().into_owned());
    paths
        .map(|path| {
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        })
        .collect()
}

/// Expands `vocabulary!()`: the declarations, as data.
pub(crate) fn expand(arguments: TokenStream) -> TokenStream {
    let (found, runtime, errors) = read("vocabulary", arguments);
    let mistakes = errors.to_compile_error();
    let none = Vocabulary::default();
    let declared = found.as_ref().and_then(|found| found.vocabulary.as_deref());
    let data = data(declared.unwrap_or(&none), &runtime);
    let tracked = found.as_ref().map(tracked);
    quote!({ #mistakes #tracked #data })
}

/// Reads the arguments of a macro, and the vocabulary that it requires. Returns the path of the private module as
/// well.
fn read(name: &str, arguments: TokenStream) -> (Option<LoadedVocabulary>, Path, Errors) {
    let mut errors = Errors::default();
    let krate = args::macro_call(name, arguments, &mut errors);
    let found = find();
    match &found {
        None => errors.add(
            codes::NO_VOCABULARY,
            Span::call_site(),
            "no `auth.toml` was found\n\
             help: create one beside the `Cargo.toml`, or in a folder above it up to the root of \
             the workspace, with scopes below `[scopes]`",
        ),
        Some(found) => found.report(&mut errors),
    }
    (found, runtime::private(krate.as_ref()), errors)
}

/// Expands `actions!()`: a module with a constant for each action.
pub(crate) fn expand_actions(arguments: TokenStream) -> TokenStream {
    let (found, runtime, mut errors) = read("actions", arguments);
    let declared = found.as_ref().and_then(|found| found.vocabulary.as_deref());
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let (mut constants, mut uses) = (Vec::new(), Vec::new());
    let within = within_module(runtime.clone());
    for (action, declared) in declared.into_iter().flat_map(|it| &it.actions) {
        let name = constant(action);
        if let Some(other) = names.insert(name.clone(), action) {
            errors.add(
                codes::VOCABULARY,
                Span::call_site(),
                format!(
                    "the actions `{other}` and `{action}` have the same constant `{name}`\n\
                     help: rename one of them"
                ),
            );
            continue;
        }
        let name = Ident::new(&name, Span::call_site());
        let description = match declared.description.as_str() {
            "" => format!("The action `{action}`."),
            text => text.to_owned(),
        };
        constants.push(quote! {
            #[doc = #description]
            pub const #name: #within::Action = #within::Action::new(#action);
        });
        uses.push(quote!(actions::#name));
    }
    let mistakes = errors.to_compile_error();
    let tracked = found.as_ref().map(tracked);
    quote! {
        #mistakes
        #tracked
        /// The actions that `auth.toml` or its Cedar schema declares.
        pub(crate) mod actions {
            #(#constants)*
        }
        // Some actions are in attributes only, and an `allow` contradicts a `forbid`.
        const _: &[#runtime::Action] = &[#(#uses),*];
    }
}

/// Returns the name of the constant of an action.
fn constant(action: &str) -> String {
    let name: String = action
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let is_identifier = name.starts_with(|first: char| !first.is_ascii_digit()) && name != "_";
    if is_identifier {
        name
    } else {
        format!("_{name}")
    }
}

fn data(vocabulary: &Vocabulary, runtime: &Path) -> TokenStream {
    let terms = |terms: &DeclaredNames| {
        let terms = terms.iter().map(|(name, term)| {
            let description = &term.description;
            let implies = &term.implies;
            quote!(#runtime::VocabularyEntry::new(#name, #description, &[#(#implies),*]))
        });
        quote!(&[#(#terms),*])
    };
    let realm = match &vocabulary.realm {
        Some(realm) => quote!(::core::option::Option::Some(#realm)),
        None => quote!(::core::option::Option::None),
    };
    let networks = vocabulary
        .networks
        .iter()
        .map(|(name, blocks)| network(&Network::owned(name, blocks.clone()), runtime));
    let policies = vocabulary.policies.iter().map(|(name, policy)| {
        let description = &policy.description;
        let requires = &policy.requires;
        quote!(#runtime::DeclaredPolicy::new(#name, #description, #requires))
    });
    let actions = vocabulary.actions.iter().map(|(name, action)| {
        let (description, on) = (&action.description, &action.on);
        quote!(#runtime::DeclaredAction::new(#name, #description, &[#(#on),*]))
    });
    let resources = vocabulary.resources.iter();
    let resources = resources.map(
        |(name, description)| quote!(#runtime::VocabularyEntry::new(#name, #description, &[])),
    );
    let (scopes, roles) = (terms(&vocabulary.scopes), terms(&vocabulary.roles));
    let (permissions, settings) = (terms(&vocabulary.permissions), terms(&vocabulary.settings));
    // A constant of its own: a constant function cannot take a temporary value with a destructor.
    quote! {
        const NETWORKS: &[#runtime::Network] = &[#(#networks),*];
        const VOCABULARY: #runtime::Vocabulary = #runtime::Vocabulary::new(
            #realm, #scopes, #roles, #permissions, NETWORKS, &[#(#policies),*],
        )
        .with_settings(#settings)
        .with_objects(&[#(#actions),*], &[#(#resources),*]);
        VOCABULARY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_policies_lose_their_comments() {
        let (vocabulary, mistakes) = vocabulary::read(
            "[roles]\nadmin = \"Runs it\"\n[policies.staff]\ndescription = \"Us\"\n\
             requires = '''role=\"admin\", // for now\nhide_as = 404'''\n",
        );
        assert_eq!(mistakes, []);
        let data = data(&vocabulary, &runtime::private(None)).to_string();
        let policy = r#"("staff" , "Us" , "role = \"admin\", hide_as = 404")"#;
        assert!(data.contains(policy), "{data}");
    }

    #[test]
    fn the_runtime_has_the_given_path() {
        let krate = syn::parse_quote!(::auth);
        let data = data(&Vocabulary::default(), &runtime::private(Some(&krate)));
        let data = data.to_string();
        assert!(data.contains(":: auth ::"), "{data}");
        assert!(!data.contains("auth_runtime"), "{data}");
    }
}
