//! The values of a TOML document, with a record of the mistakes.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::characters::legible;
use crate::codes;
use crate::declared::MAX_TERMS;
use crate::mistake::Mistake;
use crate::suggest::nearest;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;
pub(super) type Key<'t> = Spanned<DeString<'t>>;

/// A reader, and the mistakes that it found.
pub(super) struct Reader {
    pub(super) mistakes: Vec<Mistake>,
}

impl Reader {
    pub(super) fn note(&mut self, at: usize, message: String) {
        let message = legible(&message);
        let code = codes::VOCABULARY;
        self.mistakes.push(Mistake { at, code, message });
    }

    /// Returns the declarations of a section, unless they are too many to process.
    pub(super) fn section<'v, 't>(
        &mut self,
        value: &'v Value<'t>,
        name: &str,
    ) -> Option<&'v DeTable<'t>> {
        let instead = match name {
            "policies" => "\nhelp: write `[policies.staff]` with `requires`".to_owned(),
            _ => format!("\nhelp: write `[{name}]`, with the declarations on the lines below"),
        };
        let table = self.table(value, &format!("`{name}`"), &instead)?;
        let count = table.len();
        if count > MAX_TERMS {
            let message = format!("`[{name}]` has {count} names; the maximum is {MAX_TERMS}");
            self.note(value.span().start, message);
            return None;
        }
        Some(table)
    }

    /// Returns the string; `instead` is an example for the message.
    pub(super) fn string(
        &mut self,
        value: &Value<'_>,
        what: &str,
        instead: &str,
    ) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                let message = format!("{what} is not text in quotes\nhelp: write {instead}");
                self.note(value.span().start, message);
                None
            }
        }
    }

    /// Returns a string or the strings of an array, each with its byte offset.
    pub(super) fn strings(
        &mut self,
        value: &Value<'_>,
        what: &str,
        instead: &str,
    ) -> Vec<(String, usize)> {
        let members = match value.get_ref() {
            DeValue::String(text) => return vec![(text.to_string(), value.span().start)],
            DeValue::Array(members) => members,
            _ => {
                let instead = instead.trim_matches('`');
                let message = format!("{what} is not an array\nhelp: write `[{instead}]`");
                self.note(value.span().start, message);
                return Vec::new();
            }
        };
        let mut strings = Vec::new();
        for member in members.iter() {
            let what = format!("a member of {what}");
            if let Some(text) = self.string(member, &what, instead) {
                strings.push((text, member.span().start));
            }
        }
        strings
    }

    /// Returns the table; `instead` is an example for the message.
    pub(super) fn table<'v, 't>(
        &mut self,
        value: &'v Value<'t>,
        what: &str,
        instead: &str,
    ) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                let message = format!("{what} is not a table{instead}");
                self.note(value.span().start, message);
                None
            }
        }
    }

    /// Reads a description, the value of `key`.
    pub(super) fn description(
        &mut self,
        value: &Value<'_>,
        kind: &str,
        name: &str,
        key: &str,
    ) -> String {
        let what = format!("the description of the {kind} `{name}`");
        let description = self.string(value, &what, &format!("`{key} = \"...\"`"));
        let description = description.unwrap_or_default();
        if description.trim().is_empty() && matches!(value.get_ref(), DeValue::String(_)) {
            let message = format!("{what} is empty\nhelp: describe its purpose");
            self.note(value.span().start, message);
        }
        description
    }

    pub(super) fn unknown(&mut self, at: Range<usize>, name: &str, what: &str, known: &[&str]) {
        let message = match nearest(name, known) {
            Some(nearest) => format!("`{name}` is not {what}\nhelp: did you mean `{nearest}`?"),
            None => format!(
                "`{name}` is not {what}\nhelp: use one of `{}`",
                known.join("`, `")
            ),
        };
        self.note(at.start, message);
    }
}

/// Returns the entries in the order of the text; a table is sorted by name.
pub(super) fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Key<'t>, &'v Value<'t>)> {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    members
}
