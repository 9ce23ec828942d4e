//! The table as text: in columns, and as Markdown.

use std::fmt;

use super::{AccessRow, AccessTable, EndpointKind};
use crate::handler_location::HandlerLocation;
use crate::route_pattern::Pattern;

const HEADINGS: [&str; 6] = ["METHOD", "PATH", "POLICY", "DENIALS", "HANDLER", "SOURCE"];

fn cells(row: &AccessRow) -> [String; 6] {
    let is_for_everybody = row.public_reason().is_some() || row.unguarded_reason().is_some();
    let denials = if row.is_hidden() {
        "hidden"
    } else if is_for_everybody {
        "none"
    } else {
        "shown"
    };
    [
        row.method_shown().to_owned(),
        visible(row.path()),
        row.written().into_owned(),
        denials.to_owned(),
        handler(row),
        format!("{}:{}", row.file(), row.line()),
    ]
}

/// The handler, or the unit struct of a service with its kind.
pub fn handler(row: &AccessRow) -> String {
    let name = row.location().map_or("-", HandlerLocation::handler);
    match row.endpoint_kind() {
        None | Some(EndpointKind::Handler) => name.to_owned(),
        Some(kind) => format!("{name} ({})", kind.name()),
    }
}

/// The sentences about open patterns and about hidden paths that other routes show, with places and paths
/// in one word each.
pub fn notes(table: &AccessTable, in_one_word: fn(&str) -> String) -> Vec<String> {
    let place =
        |row: &AccessRow| in_one_word(&format!("{} {}", row.method_shown(), visible(row.path())));
    let open = table.rows().iter().filter(|row| !row.covers().is_empty());
    let open = open.map(|row| {
        let covers = row.covers().iter().map(|path| in_one_word(&visible(path)));
        let covers = covers.collect::<Vec<_>>().join(", ");
        let place = place(row);
        format!("{place} also responds to percent-encoded spellings of {covers}, for more callers")
    });
    let shown = table.rows().iter().filter_map(|row| {
        let other = shown_beside(table, row)?;
        let (path, other) = (in_one_word(&visible(row.path())), place(other));
        Some(format!(
            "the hidden path {path} is revealed: without it, {other} would respond"
        ))
    });
    let mut notes: Vec<String> = open.chain(shown).collect();
    notes.dedup();
    notes
}

/// The row that is not hidden and would respond on the path of a hidden row if that did not exist.
fn shown_beside<'t>(table: &'t AccessTable, row: &AccessRow) -> Option<&'t AccessRow> {
    if !row.is_hidden() || row.kind().is_fallback() {
        return None;
    }
    let path = Pattern::of(row.path());
    table.rows().iter().find(|other| {
        let is_route = !other.kind().is_fallback();
        let is_other = is_route && !other.is_hidden() && other.path() != row.path();
        is_other && Pattern::of(other.path()).covers(&path)
    })
}

/// A path in one word: one with a space or a line break would look like more than it is.
pub fn visible(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter.is_whitespace() || letter == '\\' {
            text.extend(letter.escape_unicode());
        } else {
            text.extend(letter.escape_debug().filter(|_| !is_quote(letter)));
            text.extend(is_quote(letter).then_some(letter));
        }
    }
    text
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'')
}

impl fmt::Display for AccessTable {
    /// In columns, a line for each row, and below them a note for each open pattern.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = HEADINGS.map(str::to_owned);
        let rows = self.rows().iter().map(cells);
        let lines: Vec<_> = std::iter::once(headings).chain(rows).collect();
        write_columns(&lines, f)?;
        let notes = notes(self, str::to_owned);
        if !notes.is_empty() {
            writeln!(f)?;
        }
        notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

/// Lines of as many cells each, every column as wide as its widest cell.
pub fn write_columns(lines: &[impl AsRef<[String]>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut widths = Vec::new();
    for line in lines {
        let line = line.as_ref();
        widths.resize(line.len(), 0_usize);
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in lines {
        let mut text = String::new();
        for (width, cell) in widths.iter().zip(line.as_ref()) {
            text.push_str(&format!("{cell:width$}  "));
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}

impl AccessTable {
    /// The table as Markdown (GitHub's tables), for a wiki or a comment on a pull request.
    pub fn to_markdown(&self) -> String {
        let mut lines = vec![
            "| method | path | policy | denials | handler | source |".to_owned(),
            "|---|---|---|---|---|---|".to_owned(),
        ];
        for row in self.rows() {
            let [method, path, access, denials, handler, source] = cells(row);
            let [path, access, handler, source] =
                [path, access, handler, source].map(|cell| code(&cell));
            lines.push(format!(
                "| {method} | {path} | {access} | {denials} | {handler} | {source} |"
            ));
        }
        let notes = notes(self, code);
        if !notes.is_empty() {
            lines.push(String::new());
        }
        lines.extend(notes.iter().map(|note| format!("- {note}")));
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A cell in which nothing is markup.
pub fn code(text: &str) -> String {
    if !text.contains(['|', '`']) {
        return format!("`{text}`");
    }
    // Between backticks these cannot be written in every case.
    format!("<code>{}</code>", without_markup(text, ""))
}

/// Returns text of one line without markup.
pub fn markdown(text: &str) -> String {
    let line = text.split(char::is_control).collect::<Vec<_>>().join(" ");
    // These characters are common, and are never markup in the middle of a line.
    without_markup(&line, "\"',-.:/()")
}

fn without_markup(text: &str, harmless: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() && !harmless.contains(letter) {
            plain.push_str(&format!("&#{};", u32::from(letter)));
        } else {
            plain.push(letter);
        }
    }
    plain
}
