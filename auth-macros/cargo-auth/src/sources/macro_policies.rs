//! Policy attributes in the tokens of macros.

use auth_grammar::module::Arguments;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use serde::Serialize;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;

use super::finding::Place;
use super::policy_alias::{HiddenBy, PolicyAlias};
use super::policy_attribute::is_hard_to_find;
use super::text::{as_written, is_punct, named};

/// A policy attribute in the tokens of a macro. Only its text is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct MacroPolicy {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The name of the macro.
    #[serde(rename = "macro")]
    pub(crate) name: String,
    /// The attribute and the beginning of its item, up to the parameters or the block.
    pub(crate) text: String,
}

/// A reader of the tokens of a macro.
pub(super) struct MacroReader<'m> {
    /// The name of the macro.
    pub(super) name: &'m str,
    pub(super) file: &'m str,
    /// The text of the file.
    pub(super) text: &'m str,
    pub(super) scope: usize,
    /// True if the crate can use the attributes.
    pub(super) uses_attributes: bool,
    pub(super) policies: Vec<MacroPolicy>,
    /// The policies that a text search may miss.
    pub(super) aliases: Vec<PolicyAlias>,
}

/// A policy attribute in a macro.
struct MacroAttribute {
    /// The path, or the name alone behind a placeholder.
    path: Vec<String>,
    span: Span,
    is_conditional: bool,
    /// True if it has a path, a placeholder or the argument `crate`. Without the runtime, another name
    /// is that of another crate.
    names_crate: bool,
}

impl MacroReader<'_> {
    pub(super) fn read(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut is_import = false;
        for (index, token) in tokens.iter().enumerate() {
            let (before, after) = tokens.split_at(index);
            let after = after.get(1..).unwrap_or_default();
            match token {
                // In a type, `use<'a>` lists lifetimes.
                TokenTree::Ident(word) if word == "use" => {
                    is_import = !after.first().is_some_and(|it| is_punct(it, '<'));
                }
                end if is_punct(end, ';') => is_import = false,
                // The imports of a macro are read on their own.
                _ if is_import => {}
                TokenTree::Ident(word) => self.argument(word, before, after),
                TokenTree::Group(group)
                    if group.delimiter() == Delimiter::Bracket
                        && before.last().is_some_and(|it| is_punct(it, '#')) =>
                {
                    self.attribute(group, after);
                }
                TokenTree::Group(group) => self.read(&group.stream()),
                _ => {}
            }
        }
    }

    fn attribute(&mut self, group: &Group, after: &[TokenTree]) {
        let Some(written) = policy(group.stream()) else {
            return;
        };
        let item = beginning(after.iter().take(MAX_BEGINNING).cloned());
        self.policies.push(MacroPolicy {
            place: Place::of(self.file, group.span()),
            name: self.name.to_owned(),
            text: format!("#{} {}", as_written(group), as_written(&item)),
        });
        let Some(name) = written.path.last().cloned() else {
            return;
        };
        if !self.uses_attributes && !written.names_crate {
            return;
        }
        let hidden_by = if written.is_conditional {
            HiddenBy::Condition
        } else if is_hard_to_find(&name, written.span, self.text) {
            HiddenBy::Spelling
        } else {
            return;
        };
        self.aliases.push(PolicyAlias {
            place: Place::of(self.file, written.span),
            scope: self.scope,
            path: written.path,
            shown: name,
            hidden_by,
        });
    }

    /// Reads a name outside attributes. If it has a path or arguments, it may be a policy that the
    /// macro writes into an attribute.
    fn argument(&mut self, word: &Ident, before: &[TokenTree], after: &[TokenTree]) {
        let name = named(word);
        let is_module = after.first().is_some_and(|it| is_punct(it, ':'));
        if !matches!(name.as_str(), "requires" | "public") || is_module {
            return;
        }
        let mut path = vec![name.clone()];
        let mut rest = before;
        while let [
            outer @ ..,
            TokenTree::Ident(module),
            TokenTree::Punct(one),
            TokenTree::Punct(other),
        ] = rest
            && one.as_char() == ':'
            && other.as_char() == ':'
        {
            path.push(named(module));
            rest = outer;
        }
        path.reverse();
        // Placeholders are in the definition of the macro, which writes the attribute.
        let has_arguments = match after.first() {
            Some(TokenTree::Group(list)) => {
                let mut tokens = list.stream().into_iter();
                list.delimiter() == Delimiter::Parenthesis && !tokens.any(|it| is_punct(&it, '$'))
            }
            _ => false,
        };
        if path.len() > 1 || has_arguments {
            self.aliases.push(PolicyAlias {
                place: Place::of(self.file, word.span()),
                scope: self.scope,
                path,
                shown: name,
                hidden_by: HiddenBy::Argument,
            });
        }
    }
}

/// The maximum number of tokens of a beginning, since many policies may be in front of one item.
const MAX_BEGINNING: usize = 256;

/// Returns the beginning of an item without its further attributes, up to its first group.
fn beginning(mut tokens: impl Iterator<Item = TokenTree>) -> TokenStream {
    let mut beginning = TokenStream::new();
    while let Some(token) = tokens.next() {
        if is_punct(&token, '#') {
            tokens.next();
        } else if is_punct(&token, ';') || matches!(token, TokenTree::Group(_)) {
            break;
        } else {
            beginning.extend([token]);
        }
    }
    beginning
}

/// Returns the policy that the tokens of an attribute are, also in a `cfg_attr`. A path may begin with
/// `$crate`.
fn policy(attribute: TokenStream) -> Option<MacroAttribute> {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    let has_placeholder = match tokens.as_slice() {
        [dollar, TokenTree::Ident(name), ..] => is_punct(dollar, '$') && name != "crate",
        _ => false,
    };
    let tokens = tokens.into_iter().filter(|it| !is_punct(it, '$'));
    let path_and_rest = |input: ParseStream<'_>| {
        let path: syn::Path = input.parse()?;
        Ok((path, input.parse::<TokenStream>()?))
    };
    let (path, rest) = path_and_rest.parse2(tokens.collect()).ok()?;
    let segments = path.segments.iter();
    let mut names: Vec<String> = segments.map(|it| named(&it.ident)).collect();
    match names.last()?.as_str() {
        "requires" | "public" => {
            let is_runtime = |token| match token {
                TokenTree::Group(list) => Arguments::read(list.stream()).krate().is_some(),
                _ => false,
            };
            let names_crate =
                has_placeholder || names.len() > 1 || rest.into_iter().any(is_runtime);
            if has_placeholder {
                names.drain(..names.len() - 1);
            }
            Some(MacroAttribute {
                path: names,
                span: path.span(),
                is_conditional: false,
                names_crate,
            })
        }
        "cfg_attr" => rest.into_iter().find_map(|token| match token {
            TokenTree::Group(list) => {
                let parts: Vec<_> = list.stream().into_iter().collect();
                // The first one is the condition.
                let mut parts = parts.split(|token| is_punct(token, ',')).skip(1);
                let written = parts.find_map(|part| policy(part.iter().cloned().collect()))?;
                Some(MacroAttribute {
                    is_conditional: true,
                    ..written
                })
            }
            _ => None,
        }),
        _ => None,
    }
}
