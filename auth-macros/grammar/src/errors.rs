//! The mistakes of an attribute, reported together.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::codes::Code;

/// The maximum number of mistakes that are recorded for one attribute.
const MAX_ERRORS: usize = 100;

/// Mistakes, in the order in which they were found.
#[derive(Default)]
pub struct Errors {
    found: Option<syn::Error>,
    count: usize,
    unknown_keys: Vec<UnknownKey>,
}

/// A word in place of a key, likely one that is being typed.
pub struct UnknownKey {
    /// The word as typed so far.
    pub key: Ident,
    /// The keys that are valid there.
    pub known: Vec<&'static str>,
}

impl Errors {
    /// Records a mistake.
    pub fn add(&mut self, code: Code, span: Span, message: impl Display) {
        self.push(code.at(span, message));
    }

    /// Records a mistake in two places at once: the span reaches from the one to the other.
    pub(crate) fn add_across(&mut self, code: Code, start: Span, end: Span, message: impl Display) {
        let ends = [Ident::new("start", start), Ident::new("end", end)];
        self.push(syn::Error::new_spanned(
            quote!(#(#ends)*),
            code.write(message),
        ));
    }

    /// Records a mistake that already has its code, or that has none because the compiler would
    /// report it too.
    pub(crate) fn push(&mut self, error: syn::Error) {
        if self.is_full() {
            return;
        }
        self.count += 1;
        match &mut self.found {
            Some(errors) => errors.combine(error),
            None => self.found = Some(error),
        }
    }

    /// Records an unknown key, for an editor to complete. The mistake itself is reported
    /// separately.
    pub(crate) fn unknown_key(&mut self, key: UnknownKey) {
        self.unknown_keys.push(key);
    }

    /// Returns the unknown keys.
    pub fn unknown_keys(&self) -> &[UnknownKey] {
        &self.unknown_keys
    }

    /// Returns whether the maximum number of mistakes is reached.
    pub fn is_full(&self) -> bool {
        self.count >= MAX_ERRORS
    }

    /// Returns whether there are no mistakes.
    pub fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// Returns a `compile_error!` for each mistake.
    pub fn to_compile_error(&self) -> TokenStream {
        self.found
            .as_ref()
            .map(syn::Error::to_compile_error)
            .unwrap_or_default()
    }

    /// Returns the messages, with their codes.
    pub fn messages(self) -> Vec<String> {
        self.into_iter().map(|error| error.to_string()).collect()
    }

    /// Records all mistakes of another list.
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
