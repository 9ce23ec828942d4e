//! Comments that give the reason why a mount on a plain router needs no policy:
//! `// unguarded: it is no secret`.
//!
//! Like `// SAFETY:`, such a comment is directly above its subject: a statement, a link of a chain,
//! a match arm, an element of a list or an argument. It may have several lines. It does not apply to the
//! statements of a block in its subject, or to links, arms and elements on lines of their own: later
//! additions there need their own reason.

use std::collections::BTreeSet;

use auth_grammar::codes;
use proc_macro2::{TokenStream, TokenTree};

use super::finding::{Finding, Place};
use super::text::one_line;

const BEGINNING: &str = "// unguarded:";

/// A comment with a reason.
pub(super) struct Reason {
    pub(super) place: Place,
    /// The reason; empty if it is missing.
    pub(super) text: String,
    /// The line after the comment, on which its subject has to begin.
    pub(super) about: usize,
}

impl Reason {
    /// Returns the finding that the reason has no subject, or that it is empty.
    pub(super) fn finding(&self) -> Finding {
        let message = match self.text.as_str() {
            "" => "the reason is empty\nhelp: write the reason after `// unguarded:`",
            _ => {
                "the line below this reason mounts no unguarded route on a plain router\n\
                 help: move it right above such a route, or remove it"
            }
        };
        Finding::new(self.place.clone(), codes::IDLE_REASON, message)
    }
}

/// Reads all reasons in a file.
pub(super) fn read(file: &str, source: &str) -> Vec<Reason> {
    if !source.contains(BEGINNING) {
        return Vec::new();
    }
    let mut quoted = BTreeSet::new();
    // The source was parsed as Rust before.
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

/// Returns the text of a continuation line of the same comment.
fn continuation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let is_another = line.starts_with(BEGINNING) || line.starts_with("///");
    line.strip_prefix("//")
        .filter(|_| !is_another)
        .map(str::trim)
}

/// Collects the lines that begin within a string literal.
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
