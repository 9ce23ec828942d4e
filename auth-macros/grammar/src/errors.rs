//! All mistakes of an attribute, to be reported together.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::codes::Code;

/// The mistakes of one attribute that are noted, at most.
const MAX_ERRORS: usize = 100;

/// Mistakes, in the order in which they were found.
#[derive(Default)]
pub struct Errors {
    found: Option<syn::Error>,
    count: usize,
    unknown_keys: Vec<UnknownKey>,
}

/// A word where a key is expected: likely one that is being typed.
pub struct UnknownKey {
    /// As it is written so far.
    pub key: Ident,
    /// The keys that can stand there.
    pub known: Vec<&'static str>,
}

impl Errors {
    /// Notes a mistake.
    pub fn add(&mut self, code: Code, span: Span, message: impl Display) {
        self.push(code.at(span, message));
    }

    /// Notes a mistake that lies in two places at once: all from the one to the other is marked.
    pub fn add_across(&mut self, code: Code, start: Span, end: Span, message: impl Display) {
        let ends = [Ident::new("start", start), Ident::new("end", end)];
        self.push(syn::Error::new_spanned(
            quote!(#(#ends)*),
            code.write(message),
        ));
    }

    /// Notes a mistake that carries its code already, or none since the compiler would say it too.
    pub fn push(&mut self, error: syn::Error) {
        if self.is_full() {
            return;
        }
        self.count += 1;
        match &mut self.found {
            Some(errors) => errors.combine(error),
            None => self.found = Some(error),
        }
    }

    /// Notes a word that is no key, for an editor to complete. That it is a mistake is told beside it.
    pub fn unknown_key(&mut self, key: UnknownKey) {
        self.unknown_keys.push(key);
    }

    /// The words that are no keys.
    pub fn unknown_keys(&self) -> &[UnknownKey] {
        &self.unknown_keys
    }

    /// Whether so much is wrong that no more is noted.
    pub fn is_full(&self) -> bool {
        self.count >= MAX_ERRORS
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// `compile_error!` for each of them.
    pub fn to_compile_error(&self) -> TokenStream {
        self.found
            .as_ref()
            .map(syn::Error::to_compile_error)
            .unwrap_or_default()
    }

    /// The texts, with their codes.
    pub fn messages(self) -> Vec<String> {
        self.into_iter().map(|error| error.to_string()).collect()
    }

    /// Notes all that was noted elsewhere.
    pub fn extend(&mut self, others: Self) {
        self.unknown_keys.extend(others.unknown_keys);
        for error in others.found.into_iter().flatten() {
            self.push(error);
        }
    }
}

impl IntoIterator for Errors {
    type Item = syn::Error;
    type IntoIter = std::iter::Flatten<std::option::IntoIter<syn::Error>>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter().flatten()
    }
}
