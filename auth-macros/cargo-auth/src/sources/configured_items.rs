//! The items in macros such as `cfg_if!`, which write them as they are.

use proc_macro2::TokenStream;
use syn::parse::{Error, Parse, ParseStream, Parser, Result};
use syn::punctuated::Punctuated;
use syn::{Attribute, File, Item, Token, braced, parse_quote};

use super::conditions::is_conditional;
use super::items::attributes_of;
use super::test_code;

/// Returns items with those in `cfg_if!` in place of the macro, each with its conditions.
pub(super) fn flattened(items: Vec<Item>) -> Vec<Item> {
    let items = items.into_iter().flat_map(|item| {
        let inner = match &item {
            Item::Macro(written) => configured(&written.attrs, &written.mac.tokens),
            _ => None,
        };
        inner.map_or_else(|| vec![item], flattened)
    });
    items.collect()
}

/// The maximum number of conditions of an item. Each branch adds one to those behind it. With more,
/// `cfg_if!` reaches the compiler's limit of recursion, and is read here like any other macro.
const MAX_CONDITIONS: usize = 128;

/// Returns the items in `if #[cfg(a)] { … } else if #[cfg(b)] { … } else { … }`.
fn configured(outer: &[Attribute], tokens: &TokenStream) -> Option<Vec<Item>> {
    let branches = Punctuated::<Branch, Token![else]>::parse_separated_nonempty;
    let branches = branches.parse2(tokens.clone()).ok()?;
    branches.first()?.cfg.as_ref()?;
    let cfgs = outer.iter().filter(|attribute| is_conditional(attribute));
    let mut conditions: Vec<Attribute> = cfgs.cloned().collect();
    if conditions.len() + branches.len() > MAX_CONDITIONS {
        return None;
    }
    let mut items = Vec::new();
    for Branch { cfg, mut file } in branches {
        let mut own = conditions.clone();
        if let Some(cfg) = cfg {
            own.push(parse_quote!(#[cfg(#cfg)]));
            conditions.push(parse_quote!(#[cfg(not(#cfg))]));
        }
        test_code::remove(&mut file);
        for item in &mut file.items {
            if let Some(attributes) = attributes_of(item) {
                attributes.extend(own.iter().cloned());
            }
        }
        items.append(&mut file.items);
    }
    Some(items)
}

/// A branch.
struct Branch {
    /// The predicate; `None` behind the last `else`.
    cfg: Option<TokenStream>,
    file: File,
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let cfg = if input.parse::<Option<Token![if]>>()?.is_some() {
            let attributes = input.call(Attribute::parse_outer)?;
            match attributes.as_slice() {
                [cfg] if is_conditional(cfg) => Some(cfg.meta.require_list()?.tokens.clone()),
                _ => return Err(Error::new(input.span(), "expected `#[cfg(...)]`")),
            }
        } else {
            None
        };
        let items;
        braced!(items in input);
        Ok(Self {
            cfg,
            file: items.parse()?,
        })
    }
}
