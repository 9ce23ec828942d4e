//! The parser of `auth.toml`, and all mistakes in the text.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ipnet::IpNet;
use toml::de::{DeTable, DeValue};

use super::cedar::LoadSchema;
use super::cycles::{circle, may_circle};
use super::reader::{Reader, Value, in_order};
use super::syntax::{duplicate, without_value};
use crate::characters::unfit;
use crate::check::NamePosition;
use crate::declared::{
    DeclaredName, DeclaredNames, MAX_BLOCKS, MAX_IMPLYING, Vocabulary, implying,
};
use crate::mistake::Mistake;
use crate::requirement::Namespace;
use crate::suggest::nearest;
use crate::values::bare;
use crate::{check, values};

const SECTIONS: [&str; 10] = [
    "realm",
    "scopes",
    "roles",
    "permissions",
    "actions",
    "resources",
    "cedar",
    "networks",
    "settings",
    "policies",
];

/// Reads a vocabulary without a Cedar schema, and records every mistake, in the order of the text.
pub fn read(text: &str) -> (Vocabulary, Vec<Mistake>) {
    read_with_schema(text, &mut |_| Err("no file can be read here".to_owned()))
}

/// Reads a vocabulary, and the Cedar schema that it names. `load` returns the text of a file, by its path in
/// the vocabulary, or the reason why it cannot be read. Records every mistake: those of the vocabulary in the
/// order of its text, and then those of the schema in the order of its own.
pub fn read_with_schema(text: &str, load: LoadSchema<'_>) -> (Vocabulary, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        mistakes: Vec::new(),
    };
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        let message = match error.message() {
            "duplicate key" => duplicate(text, error.span().unwrap_or_default(), table.get_ref()),
            other => without_value(text, at).unwrap_or_else(|| other.to_owned()),
        };
        reader.note(at, message);
    }
    let vocabulary = if errors.is_empty() {
        reader.vocabulary(table.get_ref(), load)
    } else {
        Vocabulary::default()
    };
    let mut mistakes = reader.mistakes;
    mistakes.sort_by_key(|mistake| (mistake.is_in_schema(), mistake.at));
    if mistakes.len() > MAX_MISTAKES {
        let further = mistakes.split_off(MAX_MISTAKES);
        mistakes.extend(further.first().map(|first| Mistake {
            at: first.at,
            code: first.code,
            message: format!("from here on, {} further mistakes", further.len()),
        }));
    }
    (vocabulary, mistakes)
}

/// The maximum number of mistakes that are shown.
const MAX_MISTAKES: usize = 100;

impl Reader {
    fn vocabulary(&mut self, table: &DeTable<'_>, load: LoadSchema<'_>) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        let (mut actions, mut policies, mut cedar) = (None, None, None);
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "realm" => vocabulary.realm = self.realm(value),
                "scopes" => vocabulary.scopes = self.terms(Namespace::Scope, value),
                "roles" => vocabulary.roles = self.terms(Namespace::Role, value),
                "permissions" => vocabulary.permissions = self.terms(Namespace::Permission, value),
                "actions" => actions = Some(value),
                "resources" => vocabulary.resources = self.resources(value),
                "cedar" => cedar = Some(value),
                "networks" => vocabulary.networks = self.networks(value),
                "settings" => vocabulary.settings = self.settings(value),
                "policies" => policies = Some(value),
                other => self.unknown(key.span(), other, "a section", &SECTIONS),
            }
        }
        if let Some(cedar) = cedar {
            let Some(schema) = self.cedar(cedar, load) else {
                // Actions and policies depend on the types of the schema.
                return vocabulary;
            };
            self.add_schema(schema, actions, &mut vocabulary);
        } else if let Some(actions) = actions {
            vocabulary.actions = self.actions(actions, &vocabulary.resources);
        }
        // Policies are checked against all other sections, wherever they are in the file.
        if let Some(policies) = policies {
            let policies = self.policies(policies, &vocabulary);
            vocabulary.policies = policies;
        }
        vocabulary
    }

    fn realm(&mut self, value: &Value<'_>) -> Option<String> {
        let realm = self.string(value, "the realm", "`realm = \"...\"`")?;
        if let Some(problem) = check::realm_problem(&realm) {
            self.note(value.span().start, problem);
        }
        Some(realm)
    }

    /// Reads `name = "description"`, or a table with `description` and `implies`.
    fn terms(&mut self, namespace: Namespace, value: &Value<'_>) -> DeclaredNames {
        let kind = namespace.key();
        let mut terms = DeclaredNames::new();
        let mut implied = Vec::new();
        let Some(table) = self.section(value, &format!("{kind}s")) else {
            return terms;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if let Some(problem) = check::problem(namespace, &name, NamePosition::Declared) {
                self.note(key.span().start, problem);
            }
            let term = match value.get_ref() {
                DeValue::Table(inner) => self.term(kind, &name, key.span(), inner, &mut implied),
                _ => DeclaredName {
                    description: self.description(value, kind, &name, &bare(&name)),
                    implies: Vec::new(),
                    implied_by: Vec::new(),
                },
            };
            terms.insert(name, term);
        }
        let mut implied_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (broader, name, _) in &implied {
            implied_by
                .entry(name.as_str())
                .or_default()
                .insert(broader.as_str());
        }
        for (name, broader) in implied_by {
            if let Some(term) = terms.get_mut(name) {
                term.implied_by = broader.into_iter().map(str::to_owned).collect();
            }
        }
        self.implications(kind, &terms, &implied);
        self.many_implying(kind, table, &terms);
        terms
    }

    /// Reads `name = "description"`.
    fn settings(&mut self, value: &Value<'_>) -> DeclaredNames {
        let mut settings = DeclaredNames::new();
        let Some(table) = self.section(value, "settings") else {
            return settings;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let problem = check::problem(Namespace::Setting, &name, NamePosition::Declared);
            if let Some(problem) = problem {
                self.note(key.span().start, problem);
            }
            let setting = DeclaredName {
                description: self.setting(value, &name),
                implies: Vec::new(),
                implied_by: Vec::new(),
            };
            settings.insert(name, setting);
        }
        settings
    }

    /// Returns the description of a setting. The file declares no value: the operator sets it.
    fn setting(&mut self, value: &Value<'_>, name: &str) -> String {
        if !matches!(value.get_ref(), DeValue::Boolean(_)) {
            return self.description(value, "setting", name, &bare(name));
        }
        let message = format!(
            "the setting `{name}` has a value in place of a description\n\
             help: describe it, as in `{} = \"...\"`, and give its value to the protection space: \
             `.setting({name:?}, ...)`",
            bare(name)
        );
        self.note(value.span().start, message);
        String::new()
    }

    /// Checks that no name is implied by too many others.
    fn many_implying(&mut self, kind: &str, table: &DeTable<'_>, terms: &DeclaredNames) {
        // In a cycle all names imply all others, and that was recorded.
        if !may_circle(terms).is_empty() {
            return;
        }
        for (key, _) in in_order(table) {
            let name = key.get_ref().as_ref();
            let count = implying(terms, name).len();
            if count > MAX_IMPLYING {
                let message = format!(
                    "the {kind} `{name}` is implied by {count} others; the maximum is \
                     {MAX_IMPLYING}\n\
                     help: require a broader {kind} in its place"
                );
                self.note(key.span().start, message);
                break;
            }
        }
    }

    fn term(
        &mut self,
        kind: &str,
        name: &str,
        at: Range<usize>,
        table: &DeTable<'_>,
        implied: &mut Vec<(String, String, usize)>,
    ) -> DeclaredName {
        let mut description = None;
        let mut implies = Vec::new();
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "description" => {
                    description = Some(self.description(value, kind, name, "description"));
                }
                "implies" => {
                    for (other, at) in
                        self.strings(value, &format!("`implies` of `{name}`"), "`\"...\"`")
                    {
                        implied.push((name.to_owned(), other.clone(), at));
                        implies.push(other);
                    }
                }
                other => self.unknown(key.span(), other, "a key", &["description", "implies"]),
            }
        }
        if description.is_none() {
            self.note(
                at.start,
                format!(
                    "the {kind} `{name}` has no description\nhelp: add `description = \"...\"`"
                ),
            );
        }
        DeclaredName {
            description: description.unwrap_or_default(),
            implies,
            implied_by: Vec::new(),
        }
    }

    /// Checks that each implied name is declared, and that no name implies itself, directly or
    /// indirectly.
    fn implications(
        &mut self,
        kind: &str,
        terms: &DeclaredNames,
        implied: &[(String, String, usize)],
    ) {
        let names: Vec<&str> = terms.keys().map(String::as_str).collect();
        let may_circle = may_circle(terms);
        let mut reported: BTreeSet<String> = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (name, other, at) in implied {
            // Further mistakes are not shown, and each takes time.
            if self.mistakes.len() > MAX_MISTAKES {
                return;
            }
            let is_twice = !seen.insert((name, other));
            let message = if !terms.contains_key(other) {
                let advice = match nearest(other, &names) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("declare it below `[{kind}s]`, or remove it"),
                };
                format!(
                    "the {kind} `{other}`, which `{name}` implies, is not declared\nhelp: {advice}"
                )
            } else if is_twice {
                format!("duplicate `{other}`\nhelp: remove one of them")
            } else if name == other {
                format!("`{name}` implies itself\nhelp: remove it")
            } else if reported.contains(name) {
                // A cycle is one mistake, wherever it is entered.
                continue;
            } else if may_circle.contains(name.as_str())
                && let Some(circle) = circle(terms, &may_circle, name, other)
            {
                let mut shown: Vec<String> =
                    circle.iter().map(|name| format!("`{name}`")).collect();
                if shown.len() > 16 {
                    let between = shown.len() - 8;
                    shown.splice(4..4 + between, [format!("{between} others")]);
                }
                reported.extend(circle);
                format!(
                    "cycle of implications: {}\n\
                     help: remove one of the implications, or keep one of the names",
                    shown.join(", which implies ")
                )
            } else {
                continue;
            };
            self.note(*at, message);
        }
    }

    /// Reads `name = ["192.0.2.0/24", …]`, or one block without brackets.
    fn networks(&mut self, value: &Value<'_>) -> BTreeMap<String, Vec<IpNet>> {
        let mut networks = BTreeMap::new();
        let Some(table) = self.section(value, "networks") else {
            return networks;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let at = key.span().start;
            if name.trim().is_empty() {
                let message = "the network has no name\nhelp: name it, or remove it".to_owned();
                self.note(at, message);
            } else if let Some(problem) = unfit("network", &name) {
                self.note(at, problem);
            } else if !values::is_network_name(&name) {
                let message = format!(
                    "`{name}` is an address, not a name\n\
                     help: give the network a name, such as `office`"
                );
                self.note(at, message);
            }
            let mut blocks: Vec<IpNet> = Vec::new();
            let what = format!("the network `{name}`");
            let texts = self.strings(value, &what, "`\"10.0.0.0/8\"`");
            if texts.is_empty()
                && matches!(value.get_ref(), DeValue::Array(array) if array.is_empty())
            {
                let message = format!(
                    "the network `{name}` has no addresses\n\
                     help: add some, such as `[\"10.0.0.0/8\"]`, or remove it"
                );
                self.note(value.span().start, message);
            }
            if texts.len() > MAX_BLOCKS {
                let message = format!(
                    "the network `{name}` has {} blocks of addresses; the maximum is \
                     {MAX_BLOCKS}\n\
                     help: combine neighbouring blocks",
                    texts.len()
                );
                self.note(at, message);
                continue;
            }
            for (text, at) in texts {
                match values::block(&text) {
                    Ok(block) => {
                        let mut others = blocks.iter();
                        let within =
                            |other: &&IpNet| other.contains(&block) || block.contains(*other);
                        if let Some(other) = others.find(within) {
                            let (small, large) = if other.contains(&block) {
                                (&block, other)
                            } else {
                                (other, &block)
                            };
                            let message = format!(
                                "`{small}` is part of `{large}`\nhelp: remove `\"{small}\"`"
                            );
                            self.note(at, message);
                        }
                        blocks.push(block);
                    }
                    Err(problem) => self.note(at, problem),
                }
            }
            if values::is_everywhere(&blocks) {
                let message = format!(
                    "the network `{name}` contains every IPv4 and IPv6 address\n\
                     help: name only the blocks of the allowed callers"
                );
                self.note(at, message);
            }
            networks.insert(name, blocks);
        }
        networks
    }
}
