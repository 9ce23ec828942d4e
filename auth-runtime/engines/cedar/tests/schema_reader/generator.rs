//! Random schemas in all forms of the grammar, from a list of choices.

use std::fmt::Write as _;

/// Numbers that a generator consumes. After the last one, all are zero, so that each text ends.
pub(crate) struct Choices<'c> {
    left: std::slice::Iter<'c, u8>,
}

/// The names of types and namespaces: some are keywords, which Cedar allows as names.
const NAMES: [&str; 12] = [
    "User",
    "Team",
    "Repository",
    "Issue",
    "_x1",
    "entity",
    "type",
    "tags",
    "principal",
    "Set",
    "Thing",
    "enum",
];
const NAMESPACES: [&str; 4] = ["App", "App::Inner", "Other", "namespace"];
const ACTIONS: [&str; 10] = [
    "read",
    "write",
    "action",
    "appliesTo",
    "\"create issue\"",
    "\"\"",
    "\"a\\u{e9}\\n\\x41\\\"\\0\"",
    "_",
    "\"read\"",
    "\"é\"",
];
const SPACES: [&str; 6] = [" ", "\n", "\t ", " // entity X;\n", " //\r\n", "\u{a0}"];

impl<'c> Choices<'c> {
    pub(crate) fn new(choices: &'c [u8]) -> Self {
        Self {
            left: choices.iter(),
        }
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.left.next().copied().unwrap_or_default()) % end
    }

    fn is(&mut self) -> bool {
        self.below(2) == 1
    }

    fn of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len())]
    }

    fn space(&mut self) -> &'static str {
        self.of(&SPACES)
    }

    /// One to three elements with commas between them.
    fn list(&mut self, element: impl Fn(&mut Self) -> String) -> String {
        let mut text = element(self);
        for _ in 0..self.below(3) {
            let space = self.space();
            let _ = write!(text, ",{space}{}", element(self));
        }
        text
    }

    fn path(&mut self) -> String {
        match self.below(4) {
            0 => format!("{}::{}", self.of(&NAMESPACES), self.of(&NAMES)),
            1 => self
                .of(&["String", "Long", "Bool", "__cedar::String"])
                .to_owned(),
            _ => self.of(&NAMES).to_owned(),
        }
    }

    /// A declared type, most of the time.
    fn entity_path(&mut self) -> String {
        match self.below(6) {
            0 => format!("{}::{}", self.of(&NAMESPACES), self.of(&NAMES)),
            _ => self.of(&["User", "Repository", "Thing"]).to_owned(),
        }
    }

    fn entity_types(&mut self) -> String {
        match self.below(5) {
            0 => "[]".to_owned(),
            1 | 2 => self.entity_path(),
            _ => format!("[{}]", self.list(Self::entity_path)),
        }
    }

    fn kind(&mut self, depth: usize) -> String {
        match self.below(if depth > 3 { 2 } else { 4 }) {
            0 => self.of(&["String", "Long", "Bool", "ipaddr"]).to_owned(),
            1 => self.path(),
            2 => format!("Set<{}{}>", self.kind(depth + 1), self.space()),
            _ => self.record(depth + 1),
        }
    }

    fn record(&mut self, depth: usize) -> String {
        let mut text = format!("{{{}", self.space());
        let count = self.below(3);
        for number in 0..count {
            let name = self.of(&["owner", "\"a b\"", "in_", "type", "context"]);
            let name = match name.ends_with('"') {
                true => format!("\"a b{number}\""),
                false => format!("{name}{number}"),
            };
            let annotation = self.of(&["", "", "@doc(\"x\") ", "@in "]);
            let mark = self.of(&["", "?"]);
            let _ = write!(text, "{annotation}{name}{mark}: {}", self.kind(depth));
            if number + 1 < count || self.is() {
                text.push(',');
            }
            text.push_str(self.space());
        }
        text.push('}');
        text
    }

    fn annotations(&mut self) -> String {
        let mut text = String::new();
        for key in ["doc", "id", "if"] {
            match self.below(6) {
                0 => _ = write!(text, "@{key}(\"about {key} \\\"it\\\"\"){}", self.space()),
                1 => _ = write!(text, "@{key}{}", self.space()),
                _ => {}
            }
        }
        text
    }

    fn entity(&mut self, names: &str) -> String {
        let mut text = format!("entity {names}");
        if self.below(6) == 0 {
            let ids =
                self.list(|own| format!("\"{}\"", own.of(&["red", "blue", "x y", "\\u{41}"])));
            let _ = write!(text, " enum [{ids}];");
            return text;
        }
        if self.below(3) == 0 {
            let _ = write!(text, " in {}", self.entity_types());
        }
        if self.is() {
            let equals = self.of(&["", "="]);
            let _ = write!(text, "{}{equals}{}", self.space(), self.record(0));
        }
        if self.below(4) == 0 {
            let _ = write!(text, " tags {}", self.kind(0));
        }
        text.push(';');
        text
    }

    fn applies_to(&mut self) -> String {
        let mut parts = vec![
            format!("principal:{}{}", self.space(), self.entity_types()),
            format!("resource: {}", self.entity_types()),
        ];
        match self.below(4) {
            0 => parts.push(format!("context: {}", self.record(0))),
            1 => parts.push(format!("context: {}", self.path())),
            2 => parts.swap(0, 1),
            _ => {}
        }
        if self.below(20) == 0 {
            parts.pop();
        }
        if self.below(20) == 0 {
            parts.extend(parts.clone());
        }
        let end = self.of(&["", ","]);
        format!("{{ {}{end} }}", parts.join(", "))
    }

    fn action(&mut self, names: &str) -> String {
        let mut text = format!("action {names}");
        match self.below(5) {
            0 => _ = write!(text, " in {}", self.of(&ACTIONS)),
            1 => text.push_str(" in [\"read\", App::Action::\"read\"]"),
            _ => {}
        }
        if self.below(4) > 0 {
            let _ = write!(text, "{}appliesTo {}", self.space(), self.applies_to());
        }
        text.push_str(self.of(&["", "", " attributes {}"]));
        text.push(';');
        text
    }

    fn declarations(&mut self, text: &mut String) {
        // Each name once, most of the time, so that most schemas are valid.
        let mut types: Vec<&str> = NAMES.to_vec();
        let mut actions: Vec<&str> = ACTIONS[..8].to_vec();
        let _ = write!(
            text,
            "{}entity User, Repository, Thing;",
            self.annotations()
        );
        types.retain(|name| !["User", "Repository", "Thing"].contains(name));
        for _ in 0..self.below(6) {
            text.push_str(self.space());
            text.push_str(&self.annotations());
            let declaration = match self.below(5) {
                0 | 1 => {
                    let names = self.take(&mut types);
                    self.entity(&names)
                }
                2 | 3 => {
                    let names = self.take(&mut actions);
                    self.action(&names)
                }
                _ => format!("type {} = {};", self.take_one(&mut types), self.kind(0)),
            };
            text.push_str(&declaration);
        }
    }

    fn take_one(&mut self, names: &mut Vec<&'static str>) -> String {
        let index = self.below(names.len().max(1));
        match names.len() {
            0 => "User".to_owned(),
            _ if self.below(30) == 0 => names[index].to_owned(),
            _ => names.swap_remove(index).to_owned(),
        }
    }

    fn take(&mut self, names: &mut Vec<&'static str>) -> String {
        let mut text = self.take_one(names);
        if self.below(3) == 0 {
            let _ = write!(text, ",{}{}", self.space(), self.take_one(names));
        }
        text
    }

    /// A schema, most often a valid one.
    pub(crate) fn schema(&mut self) -> String {
        let mut text = String::new();
        let mut namespaces = NAMESPACES.to_vec();
        if self.below(3) == 0 {
            self.declarations(&mut text);
        }
        for _ in 0..self.below(3) {
            let name = self.take_one(&mut namespaces);
            let _ = write!(
                text,
                "{}{}namespace {name} {{",
                self.space(),
                self.annotations()
            );
            self.declarations(&mut text);
            text.push('}');
        }
        text
    }

    /// Changes a few characters of a text.
    pub(crate) fn damage(&mut self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(2) {
            let at = (self.below(256) * 256 + self.below(256)) % characters.len().max(1);
            let piece = self.of(&[
                ",", ";", ":", "::", "{", "}", "[", "]", "<", ">", "=", "?", "@", "(", ")", "\"",
                "\\", "/", "in", " ", "\r", "é", "1", "__cedar", "if", "Action", "\u{feff}",
                "\u{85}",
            ]);
            let end = (at + self.below(3)).min(characters.len());
            characters.splice(
                at.min(end)..end,
                piece.chars().filter(|_| !end.is_multiple_of(3)),
            );
        }
        characters.into_iter().collect()
    }
}
