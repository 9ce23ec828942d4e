//! The differences between the responses and the accepted ones.

use std::collections::BTreeMap;
use std::fmt;

use super::response::says_granted;
use super::text::UNGUARDED;

/// The compared part of the file. The rest explains it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Accepted {
    personas: BTreeMap<String, String>,
    /// By the method and path of the row, then by the persona; in Markdown.
    rows: BTreeMap<String, BTreeMap<String, String>>,
}

/// The differences between the responses and the file. New grants come first.
#[derive(Debug)]
pub(super) struct Changes {
    /// In their order.
    changes: Vec<Change>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    kind: CellChange,
    /// The row. Empty if the change is about a persona.
    place: String,
    persona: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CellChange {
    Granted,
    Added,
    Changed,
    ShutOut,
    Removed,
    Persona,
}

impl Accepted {
    /// Parses a file. `None` if it has no table, a malformed line in the table, a persona twice, or an
    /// unresolved merge conflict.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut matrix = Self::default();
        let mut names: Option<Vec<&str>> = None;
        for line in text.lines().map(str::trim_end) {
            if let Some((name, description)) = line
                .strip_prefix("- ")
                .and_then(|persona| persona.split_once(": "))
            {
                let (name, description) = (name.to_owned(), description.to_owned());
                if matrix.personas.insert(name, description).is_some() {
                    return None;
                }
                continue;
            }
            if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") {
                return None;
            }
            if line.starts_with("|---") {
                continue;
            }
            let Some(cells) = line.strip_prefix("| ") else {
                continue;
            };
            // No cell contains this separator.
            let cells: Vec<_> = cells.strip_suffix(" |")?.split(" | ").collect();
            let [method, path, cells @ ..] = cells.as_slice() else {
                return None;
            };
            let Some(names) = &names else {
                names = Some(cells.to_vec());
                continue;
            };
            if cells.len() != names.len() {
                return None;
            }
            let cells = names.iter().zip(cells);
            let cells = cells.map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned()));
            let cells: BTreeMap<String, String> = cells.collect();
            // Of two columns of one name, a reviewer could read the other one.
            if cells.len() != names.len() {
                return None;
            }
            let mut place = format!("{method} {path}");
            while *method == UNGUARDED && matrix.rows.contains_key(&place) {
                place.push_str(", another");
            }
            if matrix.rows.insert(place, cells).is_some() {
                return None;
            }
        }
        names.map(|_| matrix)
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn between(before: &Accepted, after: &Accepted) -> Self {
        let none = BTreeMap::new();
        let places = before.rows.keys().chain(after.rows.keys());
        let mut changes = Vec::new();
        for place in places {
            let was = before.rows.get(place).unwrap_or(&none);
            let is = after.rows.get(place).unwrap_or(&none);
            for persona in was.keys().chain(is.keys()) {
                let (before, after) = (was.get(persona), is.get(persona));
                let Some(kind) = cell_change(before, after) else {
                    continue;
                };
                changes.push(Change {
                    kind,
                    place: place.clone(),
                    persona: persona.clone(),
                    before: before.cloned(),
                    after: after.cloned(),
                });
            }
        }
        for persona in before.personas.keys().chain(after.personas.keys()) {
            let (was, is) = (before.personas.get(persona), after.personas.get(persona));
            if was != is {
                changes.push(Change {
                    kind: CellChange::Persona,
                    place: String::new(),
                    persona: persona.clone(),
                    before: was.cloned(),
                    after: is.cloned(),
                });
            }
        }
        changes.sort();
        changes.dedup();
        Self { changes }
    }
}

fn cell_change(before: Option<&String>, after: Option<&String>) -> Option<CellChange> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) if before == after => return None,
        (Some(before), Some(after)) => (before, after),
        (None, _) => return Some(CellChange::Added),
        (Some(_), None) => return Some(CellChange::Removed),
    };
    Some(match (says_granted(before), says_granted(after)) {
        (false, true) => CellChange::Granted,
        (true, false) => CellChange::ShutOut,
        _ => CellChange::Changed,
    })
}

impl CellChange {
    fn heading(self) -> &'static str {
        match self {
            Self::Granted => "newly allowed",
            Self::Added => "added",
            Self::Changed => "another response",
            Self::ShutOut => "no longer allowed",
            Self::Removed => "removed",
            Self::Persona => "changed personas",
        }
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heading = None;
        let mut place = None;
        for change in &self.changes {
            if heading != Some(change.kind) {
                let gap = if heading.is_some() { "\n" } else { "" };
                writeln!(f, "{gap}{}", change.kind.heading())?;
                heading = Some(change.kind);
                place = None;
            }
            if place != Some(&change.place) && !change.place.is_empty() {
                writeln!(f, "  {}", change.place)?;
            }
            place = Some(&change.place);
            let nothing = || "nothing".to_owned();
            let before = change.before.clone().unwrap_or_else(nothing);
            let after = change.after.clone().unwrap_or_else(nothing);
            let indent = if change.place.is_empty() { "" } else { "  " };
            writeln!(f, "  {indent}{}: {before} → {after}", change.persona)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "\
- anonymous: no credentials
- ann: known: scope \"a\"

| method | path | anonymous | ann |
|---|---|---|---|
| GET | `/a` | 401 | 200 |
| GET | `/b` | 401 | 404 hidden |
| PUT | `/b` | 401 | 415 own |
";

    fn changes(after: &str) -> String {
        let read = |text| Accepted::read(text).expect("a table");
        Changes::between(&read(BEFORE), &read(after)).to_string()
    }

    #[test]
    fn whoever_is_granted_stands_first() {
        let after = BEFORE
            .replace("`/a` | 401 | 200", "`/a` | 401 | 403 scope")
            .replace("401 | 404 hidden", "204 | 404 own")
            .replace("PUT", "POST")
            .replace("scope \"a\"", "scope \"b\"");
        assert_eq!(
            changes(&after),
            "newly allowed
  GET `/b`
    ann: 404 hidden → 404 own
    anonymous: 401 → 204

added
  POST `/b`
    ann: nothing → 415 own
    anonymous: nothing → 401

no longer allowed
  GET `/a`
    ann: 200 → 403 scope

removed
  PUT `/b`
    ann: 415 own → nothing
    anonymous: 401 → nothing

changed personas
  ann: known: scope \"a\" → known: scope \"b\"
"
        );
    }

    #[test]
    fn unknown_paths_are_not_newly_allowed() {
        let before = BEFORE.replace(
            "GET | `/a` | 401 | 200",
            "fallback | `/*` | - | 401 unknown",
        );
        let after = BEFORE.replace(
            "GET | `/a` | 401 | 200",
            "fallback | `/*` | 404 unknown | 200 unknown",
        );
        let read = |text: &str| Accepted::read(text).expect("a table");
        let changes = Changes::between(&read(&before), &read(&after)).to_string();
        assert!(changes.starts_with("another response\n"), "{changes}");
        let after = before.replace("401 unknown", "unfinished");
        let changes = Changes::between(&read(&before), &read(&after)).to_string();
        assert!(changes.starts_with("newly allowed\n"), "{changes}");
    }

    #[test]
    fn uncompared_parts_change_freely() {
        let after = format!("# Other words\r\n\n{}", BEFORE.replace('\n', "\r\n"));
        assert_eq!(changes(&after), "");
    }

    #[test]
    fn text_without_table_is_not_read() {
        for text in [
            "",
            "- anonymous: no credentials",
            "| method | path | a |\n| GET | `/a` | 200 | 200 |",
            "| method | path | a |\n| GET |",
            "| method | path | a |\n| GET | `/a` | 200",
            "| method | path | a |\n| GET | `/a` | 200 |\n| GET | `/a` | 401 |",
            "| method | path | a | a |\n| GET | `/a` | 401 | 200 |",
            "- a: no credentials\n- a: known\n\n| method | path | a |\n| GET | `/a` | 200 |",
            "| method | path | a |\n<<<<<<< HEAD\n| GET | `/a` | 200 |\n=======\n>>>>>>> other",
        ] {
            assert_eq!(Accepted::read(text), None, "{text}");
        }
    }
}
