//! Comments that say why something on a plain router needs no policy: `// unguarded: it is no secret`.
//!
//! As `// SAFETY:` stands above what is unsafe, such a comment stands right above the statement, the link
//! of a chain, the arm of a `match` or the argument that it is about, and may go on for several lines. It is
//! not about the statements of a block in that, nor about links and arms on lines of their own: what is
//! added there one day needs a reason of its own.

use std::collections::BTreeSet;

use auth_grammar::codes;
use proc_macro2::{TokenStream, TokenTree};

use super::{Finding, Place, one_line};

const BEGINNING: &str = "// unguarded:";

/// One of those comments.
pub(super) struct Reason {
    pub(super) place: Place,
    /// Empty if it says nothing.
    pub(super) text: String,
    /// The line below it, on which something has to begin.
    pub(super) about: usize,
}

impl Reason {
    /// That nothing needs it, or that it says nothing.
    pub(super) fn finding(&self) -> Finding {
        let message = match self.text.as_str() {
            "" => {
                "this says nothing of why everybody may call what is below; write the reason behind \
                 `// unguarded:`"
            }
            _ => {
                "this is a reason for nothing: what begins on the line below mounts nothing without a \
                 policy on a plain router; put it right above what does, or remove it"
            }
        };
        Finding {
            place: self.place.clone(),
            code: Some(codes::IDLE_REASON.as_str().to_owned()),
            message: message.to_owned(),
        }
    }
}

/// All of them in a file.
pub(super) fn read(file: &str, source: &str) -> Vec<Reason> {
    if !source.contains(BEGINNING) {
        return Vec::new();
    }
    let mut quoted = BTreeSet::new();
    // It was read as Rust before.
    lines_of_literals(source.parse().unwrap_or_default(), &mut quoted);
    let mut reasons = Vec::new();
    let mut lines = std::iter::zip(1.., source.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        let comment = line.trim_start();
        let Some(begun) = comment.strip_prefix(BEGINNING) else {
            continue;
        };
        if quoted.contains(&number) {
            continue;
        }
        let mut text = begun.trim().to_owned();
        let mut about = number + 1;
        while let Some((number, line)) = lines.next_if(|(_, line)| continuation(line).is_some()) {
            text = format!("{text} {}", continuation(line).unwrap_or_default());
            about = number + 1;
        }
        let indent = line.chars().count() - comment.chars().count();
        reasons.push(Reason {
            place: Place {
                file: file.to_owned(),
                line: number,
                column: indent + 1,
            },
            text: one_line(text.trim()),
            about,
        });
    }
    reasons
}

/// What a line of the same comment says.
fn continuation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let is_another = line.starts_with(BEGINNING) || line.starts_with("///");
    line.strip_prefix("//")
        .filter(|_| !is_another)
        .map(str::trim)
}

/// The lines that begin within a text.
fn lines_of_literals(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => lines_of_literals(group.stream(), lines),
            TokenTree::Literal(text) => {
                let span = text.span();
                lines.extend(span.start().line + 1..=span.end().line);
            }
            _ => {}
        }
    }
}
