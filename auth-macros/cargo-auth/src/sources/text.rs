//! Names, paths and tokens as text.

use std::path::Path;

use auth_grammar::is_invisible;
use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{GenericArgument, Ident, PathArguments, Type};

/// Returns a name for comparison: `r#get` becomes `get`, and `r#type` is not changed.
pub(super) fn named(name: &Ident) -> String {
    let bare = name.unraw();
    if name == &bare || syn::parse_str::<Ident>(&bare.to_string()).is_err() {
        name.to_string()
    } else {
        bare.to_string()
    }
}

/// Returns the displayed path of a file: from the root of the workspace, also to a member beside it.
pub(super) fn shown(root: &Path, path: &Path) -> String {
    let mut ancestors = root.ancestors().enumerate();
    let within = ancestors.find_map(|(up, folder)| Some((up, path.strip_prefix(folder).ok()?)));
    let (up, within) = within.unwrap_or((0, path));
    let parts: Vec<_> = within
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    one_line(&("../".repeat(up) + &parts.join("/")))
}

/// Returns a text on one line, without characters that control a terminal or are invisible.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if is_invisible(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Returns whether tokens contain a word that passes a test.
pub(super) fn any_word(tokens: &impl ToTokens, test: &impl Fn(&str) -> bool) -> bool {
    let tokens = tokens.to_token_stream();
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => any_word(&group.stream(), test),
        TokenTree::Ident(word) => test(&named(&word)),
        _ => false,
    })
}

pub(super) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Formats tokens like source code, on one line.
pub(super) fn readable(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let text = text
        .replace(" :: ", "::")
        .replace(" (", "(")
        .replace("( ", "(");
    one_line(&text.replace(" )", ")").replace(" ,", ","))
}

/// Returns a type without the modules in its paths.
pub(super) fn type_text(ty: &Type) -> String {
    let Type::Path(path) = ty else {
        return match ty {
            Type::Reference(inner) => format!("&{}", type_text(&inner.elem)),
            Type::Tuple(list) => {
                let parts: Vec<_> = list.elems.iter().map(type_text).collect();
                format!("({})", parts.join(", "))
            }
            Type::ImplTrait(_) => "impl …".to_owned(),
            other => as_written(other),
        };
    };
    let Some(last) = path.path.segments.last() else {
        return String::new();
    };
    let name = named(&last.ident);
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return name;
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(type_text(ty)),
        _ => None,
    });
    let types: Vec<_> = types.collect();
    match types.as_slice() {
        [] => name,
        types => format!("{name}<{}>", types.join(", ")),
    }
}

/// Returns tokens as they are written, on one line and without comments.
pub(super) fn as_written(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text, &mut None);
    one_line(&text)
}

/// The maximum number of characters of an excerpt.
const EXCERPT: usize = 40;

/// Returns the beginning of tokens, as they are written.
pub(super) fn excerpt(tokens: &impl ToTokens) -> String {
    let text = as_written(tokens);
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text,
    }
}

/// Writes tokens. `end` is the end of the last one, if a space can follow it.
fn write(tokens: TokenStream, text: &mut String, end: &mut Option<LineColumn>) {
    for token in tokens {
        let span = token.span();
        // The links of a chain may be on lines of their own.
        let is_joined =
            matches!(&token, TokenTree::Punct(it) if matches!(it.as_char(), '.' | '?' | ',' | ';'));
        if end.is_some_and(|end| end != span.start() && !is_joined) {
            text.push(' ');
        }
        match &token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace if group.stream().is_empty() => ("{", "}"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text, &mut None);
                if text.ends_with(',') {
                    text.pop();
                }
                text.push_str(close);
            }
            other => text.push_str(&other.to_string()),
        }
        *end = Some(span.end());
    }
}
