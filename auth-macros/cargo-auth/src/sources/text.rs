//! Names, paths and tokens as text.

use std::path::Path;

use proc_macro2::TokenStream;
use syn::Ident;
use syn::ext::IdentExt;

/// Returns a name for comparison: `r#get` becomes `get`, and `r#type` is not changed.
pub(super) fn named(name: &Ident) -> String {
    let bare = name.unraw();
    match name == &bare || syn::parse_str::<Ident>(&bare.to_string()).is_err() {
        true => name.to_string(),
        false => bare.to_string(),
    }
}

/// Returns the displayed path of a file: from the root of the workspace.
pub(super) fn shown(root: &Path, path: &Path) -> String {
    let within = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = within
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    one_line(&parts.join("/"))
}

/// Returns a text on one line, without characters that control a terminal or are invisible.
pub(super) fn one_line(text: &str) -> String {
    // Characters that change the direction of the text, or are invisible.
    let is_unseen = |it| matches!(it, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() || is_unseen(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Formats tokens like source code.
pub(super) fn readable(tokens: &TokenStream) -> String {
    let text = tokens.to_string();
    let text = text
        .replace(" :: ", "::")
        .replace(" (", "(")
        .replace("( ", "(");
    text.replace(" )", ")").replace(" ,", ",")
}
