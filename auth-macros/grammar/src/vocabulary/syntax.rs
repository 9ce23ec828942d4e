//! Messages about syntax, more helpful than those of the parsers.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::characters::called;

/// Returns the message for a duplicate key, with the line of the first one.
pub(super) fn duplicate(text: &str, at: Range<usize>, table: &DeTable<'_>) -> String {
    fn earlier(table: &DeTable<'_>, name: &str, end: usize) -> Option<usize> {
        let places = table.iter().flat_map(|(key, value)| {
            let own = (key.get_ref().as_ref() == name).then_some(key.span().start);
            let inner = match value.get_ref() {
                DeValue::Table(inner) => earlier(inner, name, end),
                _ => None,
            };
            [own, inner]
        });
        places.flatten().filter(|place| *place < end).max()
    }
    let written = text.get(at.clone()).unwrap_or_default().trim();
    let name = written.trim_matches(['"', '\'']);
    // The parser drops the first of two tables with the same header.
    let header = format!("[{written}]");
    let before = text.get(..at.start).unwrap_or_default();
    let place = earlier(table, name, at.start).or_else(|| before.find(&header));
    let first = place.and_then(|place| text.get(..place));
    match first.map(|before| before.matches('\n').count() + 1) {
        Some(line) => {
            format!("duplicate `{written}`, first in line {line}\nhelp: remove one of them")
        }
        None => format!("duplicate `{written}`\nhelp: remove one of them"),
    }
}

/// Returns the message for a line that ends after its equals sign. The parser would report the next
/// line.
pub(super) fn without_value(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?.trim_end().strip_suffix('=')?;
    let after = text.get(at..)?.trim_start_matches([' ', '\t']);
    let ends = after.is_empty() || after.starts_with(['\n', '\r', '#']);
    let key = before.lines().next_back()?.trim();
    ends.then(|| format!("`{key}` has no value\nhelp: write `{key} = \"...\"`"))
}

/// Returns a message about the unmatched parenthesis or quote of a text.
pub(super) fn unclosed(text: &str) -> String {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let mut is_escaped = false;
                let is_closed = characters.any(|(_, c)| {
                    let closes = c == '"' && !is_escaped;
                    is_escaped = c == '\\' && !is_escaped;
                    closes
                });
                if !is_closed {
                    let rest = text.get(at..).unwrap_or_default();
                    return format!(
                        "the quote before `{}` is not closed",
                        rest.trim_matches('"')
                    );
                }
            }
            '(' | '[' | '{' => open.push((at, character)),
            ')' | ']' | '}' => {
                let opened = open.pop().map(|(_, opened)| opened);
                let matches = matches!(
                    (opened, character),
                    (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')
                );
                if !matches {
                    return format!("unmatched `{character}`\nhelp: remove it");
                }
            }
            '\'' | '‘' | '’' | '“' | '”' | '„' => {
                return format!(
                    "{} does not begin a string\nhelp: write strings in double quotes, such as \
                     `requires = 'role = \"admin\"'`",
                    called(character)
                );
            }
            _ => {}
        }
    }
    match open.last() {
        Some((at, opened)) => {
            let before = text.get(..*at).unwrap_or_default();
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let word = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
            format!("`{word}{opened}` is not closed")
        }
        None => "the text is not a list of arguments of `#[requires(...)]`".to_owned(),
    }
}
