//! The text of `auth.toml`, and every mistake in it.

use std::collections::BTreeMap;
use std::ops::Range;

use ipnet::IpNet;
use proc_macro2::TokenStream;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Policy, Term, Terms, Vocabulary};
use crate::check::Written;
use crate::errors::Errors;
use crate::requirement::{Kind, Namespace, Requirement};
use crate::resolve::Dictionary;
use crate::suggest::nearest;
use crate::{args, check, codes, resolve, values};

/// What is wrong, and the byte at which it begins.
#[derive(Debug, PartialEq)]
pub struct Mistake {
    /// The byte of the text.
    pub at: usize,
    /// Without a code: all mistakes of a vocabulary have the same.
    pub message: String,
}

const SECTIONS: [&str; 6] = [
    "realm",
    "scopes",
    "roles",
    "permissions",
    "networks",
    "policies",
];

type Value<'t> = Spanned<DeValue<'t>>;
type Key<'t> = Spanned<DeString<'t>>;

/// Reads a vocabulary, and notes every mistake, in the order of the text.
pub fn read(text: &str) -> (Vocabulary, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        mistakes: Vec::new(),
    };
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        let message = without_value(text, at).unwrap_or_else(|| error.message().to_owned());
        reader.note(at, message);
    }
    let vocabulary = if errors.is_empty() {
        reader.vocabulary(table.get_ref())
    } else {
        Vocabulary::default()
    };
    reader.mistakes.sort_by_key(|mistake| mistake.at);
    (vocabulary, reader.mistakes)
}

struct Reader {
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn note(&mut self, at: usize, message: String) {
        self.mistakes.push(Mistake { at, message });
    }

    fn vocabulary(&mut self, table: &DeTable<'_>) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        let mut policies = None;
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "realm" => vocabulary.realm = self.realm(value),
                "scopes" => vocabulary.scopes = self.terms(Namespace::Scope, value),
                "roles" => vocabulary.roles = self.terms(Namespace::Role, value),
                "permissions" => vocabulary.permissions = self.terms(Namespace::Permission, value),
                "networks" => vocabulary.networks = self.networks(value),
                "policies" => policies = Some(value),
                other => self.unknown(key.span(), other, "a section", &SECTIONS),
            }
        }
        // Policies are held against everything else, wherever it stands.
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

    /// `name = "description"`, or a table with `description` and `implies`.
    fn terms(&mut self, namespace: Namespace, value: &Value<'_>) -> Terms {
        let kind = namespace.key();
        let mut terms = Terms::new();
        let mut implied = Vec::new();
        let Some(table) = self.table(value, &format!("`{kind}s`"), &section(&format!("{kind}s")))
        else {
            return terms;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if let Some(problem) = check::problem(namespace, &name, Written::Declared) {
                self.note(key.span().start, problem);
            }
            let term = match value.get_ref() {
                DeValue::Table(inner) => self.term(kind, &name, key.span(), inner, &mut implied),
                _ => Term {
                    description: self.description(value, kind, &name, &bare(&name)),
                    implies: Vec::new(),
                },
            };
            terms.insert(name, term);
        }
        self.implications(kind, &terms, &implied);
        terms
    }

    fn term(
        &mut self,
        kind: &str,
        name: &str,
        at: Range<usize>,
        table: &DeTable<'_>,
        implied: &mut Vec<(String, String, usize)>,
    ) -> Term {
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
                format!("the {kind} `{name}` has no description; add `description = \"...\"`"),
            );
        }
        Term {
            description: description.unwrap_or_default(),
            implies,
        }
    }

    /// A text for people, behind `key`.
    fn description(&mut self, value: &Value<'_>, kind: &str, name: &str, key: &str) -> String {
        let what = format!("the description of the {kind} `{name}`");
        let description = self.string(value, &what, &format!("`{key} = \"...\"`"));
        let description = description.unwrap_or_default();
        if description.trim().is_empty() && matches!(value.get_ref(), DeValue::String(_)) {
            let message = format!("{what} is empty; say what it is for");
            self.note(value.span().start, message);
        }
        description
    }

    /// Each implied name is declared, and none implies itself, directly or through others.
    fn implications(&mut self, kind: &str, terms: &Terms, implied: &[(String, String, usize)]) {
        let names: Vec<&str> = terms.keys().map(String::as_str).collect();
        let mut told: Vec<String> = Vec::new();
        for (index, (name, other, at)) in implied.iter().enumerate() {
            let is_twice = implied
                .iter()
                .take(index)
                .any(|earlier| (&earlier.0, &earlier.1) == (name, other));
            let message = if !terms.contains_key(other) {
                let advice = match nearest(other, &names) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("declare it below `[{kind}s]`, or remove it"),
                };
                format!("the {kind} `{other}`, which `{name}` implies, is not declared; {advice}")
            } else if is_twice {
                format!("`{other}` is named twice; remove one")
            } else if name == other {
                format!("`{name}` implies itself; remove it")
            } else if let Some(circle) = circle(terms, name, other) {
                // It is one mistake, wherever in the circle one begins.
                if told.contains(name) {
                    continue;
                }
                let shown: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
                told.extend(circle);
                format!(
                    "these imply each other, so they mean the same: {}; remove one of the implications, \
                     or keep one of the names",
                    shown.join(", which implies ")
                )
            } else {
                continue;
            };
            self.note(*at, message);
        }
    }

    /// `name = ["192.0.2.0/24", …]`, or one block without brackets.
    fn networks(&mut self, value: &Value<'_>) -> BTreeMap<String, Vec<IpNet>> {
        let mut networks = BTreeMap::new();
        let Some(table) = self.table(value, "`networks`", &section("networks")) else {
            return networks;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let at = key.span().start;
            if name.trim().is_empty() {
                let message = "this network has no name; give it one, or remove it".to_owned();
                self.note(at, message);
            } else if !values::is_network_name(&name) {
                let message = format!(
                    "`{name}` would be taken for addresses wherever it is required; give the network a \
                     name, such as `office`"
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
                    "the network `{name}` has no addresses, so nobody is in it; write some, such as \
                     `[\"10.0.0.0/8\"]`, or remove it"
                );
                self.note(value.span().start, message);
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
                            let message =
                                format!("`{small}` lies in `{large}`; remove `\"{small}\"`");
                            self.note(at, message);
                        }
                        blocks.push(block);
                    }
                    Err(problem) => self.note(at, problem),
                }
            }
            if values::is_everywhere(&blocks) {
                let message = format!(
                    "the network `{name}` is every address there is, of IPv4 and of IPv6, so it keeps \
                     nobody out; leave out the blocks that it is not about"
                );
                self.note(at, message);
            }
            networks.insert(name, blocks);
        }
        networks
    }

    /// `[policies.staff]` with `requires = '…'` in the grammar of the attribute.
    fn policies(&mut self, value: &Value<'_>, vocabulary: &Vocabulary) -> BTreeMap<String, Policy> {
        let mut policies = BTreeMap::new();
        let Some(table) = self.table(
            value,
            "`policies`",
            "; write `[policies.staff]`, with `requires`",
        ) else {
            return policies;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let requires = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                _ => "...".to_owned(),
            };
            let instead = format!(
                "; write `[policies.{}]` with `requires = '{requires}'`",
                bare(&name)
            );
            let Some(table) = self.table(value, &format!("the policy `{name}`"), &instead) else {
                continue;
            };
            let mut requires = None;
            let mut description = None;
            for (key, value) in in_order(table) {
                match key.get_ref().as_ref() {
                    "requires" => requires = Some(self.requires(&name, value, vocabulary)),
                    "description" => {
                        description = Some(self.description(value, "policy", &name, "description"));
                    }
                    other => {
                        self.unknown(key.span(), other, "a key", &["requires", "description"]);
                    }
                }
            }
            if requires.is_none() {
                let message = format!(
                    "the policy `{name}` requires nothing; add `requires = 'role = \"...\"'`, with \
                     what would stand in `#[requires(...)]`"
                );
                self.note(key.span().start, message);
            }
            policies.insert(
                name,
                Policy {
                    description: description.unwrap_or_default(),
                    requires: requires.unwrap_or_default(),
                },
            );
        }
        policies
    }

    fn requires(&mut self, name: &str, value: &Value<'_>, vocabulary: &Vocabulary) -> String {
        let at = value.span().start;
        let what = format!("`requires` of the policy `{name}`");
        let Some(text) = self.string(value, &what, "`requires = 'role = \"...\"'`") else {
            return String::new();
        };
        let Ok(tokens) = text.parse::<TokenStream>() else {
            let message = format!("in the policy `{name}`: {}", unclosed(&text));
            self.note(at, message);
            return text;
        };
        let mut errors = Errors::default();
        let mut requires = args::requires(tokens, &mut errors);
        let lesser = requires.hide_unless.iter().map(|hidden| &hidden.lesser);
        let mut parts = requires.requirements.iter().chain(lesser);
        if let Some(other) = parts.find_map(named_policy) {
            let message = format!(
                "in the policy `{name}`: a policy cannot be made of others; write out what `{other}` \
                 requires"
            );
            self.note(at, message);
            return text;
        }
        let dictionary = Dictionary {
            vocabulary: Some(vocabulary),
            shown: "",
        };
        // As it is read, so that neither comments nor line breaks are left.
        let written = requires.to_string();
        resolve::requires(&mut requires, dictionary, &mut errors);
        check::requires(&requires, &mut errors);
        for message in errors.messages() {
            let (message, _) = codes::split(&message);
            self.note(at, format!("in the policy `{name}`: {message}"));
        }
        written
    }

    /// The text, where `instead` shows how one is written.
    fn string(&mut self, value: &Value<'_>, what: &str, instead: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                let message = format!("{what} has to be text in quotes; write {instead}");
                self.note(value.span().start, message);
                None
            }
        }
    }

    /// A string, or an array of them, each with the place where it stands.
    fn strings(&mut self, value: &Value<'_>, what: &str, instead: &str) -> Vec<(String, usize)> {
        let members = match value.get_ref() {
            DeValue::String(text) => return vec![(text.to_string(), value.span().start)],
            DeValue::Array(members) => members,
            _ => {
                let instead = instead.trim_matches('`');
                let message = format!("{what} has to be an array; write `[{instead}]`");
                self.note(value.span().start, message);
                return Vec::new();
            }
        };
        let mut strings = Vec::new();
        for member in members.iter() {
            let what = format!("each member of {what}");
            if let Some(text) = self.string(member, &what, instead) {
                strings.push((text, member.span().start));
            }
        }
        strings
    }

    /// The table, where `instead` says how one is written.
    fn table<'v, 't>(
        &mut self,
        value: &'v Value<'t>,
        what: &str,
        instead: &str,
    ) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                let message = format!("{what} has to be a table{instead}");
                self.note(value.span().start, message);
                None
            }
        }
    }

    fn unknown(&mut self, at: Range<usize>, name: &str, what: &str, known: &[&str]) {
        let message = match nearest(name, known) {
            Some(nearest) => format!("`{name}` is not {what}; did you mean `{nearest}`?"),
            None => format!(
                "`{name}` is not {what}; the known ones are `{}`",
                known.join("`, `")
            ),
        };
        self.note(at.start, message);
    }
}

fn section(name: &str) -> String {
    format!("; write `[{name}]`, and what is declared on the lines below it")
}

/// The first policy that a requirement names.
fn named_policy(requirement: &Requirement) -> Option<&str> {
    match &requirement.kind {
        Kind::Policy(name) => Some(&name.text),
        Kind::All(parts) | Kind::Any(parts) => parts.iter().find_map(named_policy),
        _ => None,
    }
}

/// From `name` over `other`, which it implies, back to `name`, by the shortest way.
fn circle(terms: &Terms, name: &str, other: &str) -> Option<Vec<String>> {
    let mut paths = vec![vec![name.to_owned(), other.to_owned()]];
    let mut seen = vec![other.to_owned()];
    // Grows while it is gone through.
    let mut at = 0;
    while let Some(path) = paths.get(at).cloned() {
        let term = path.last().and_then(|last| terms.get(last));
        for next in term.into_iter().flat_map(|term| &term.implies) {
            let longer = [path.as_slice(), std::slice::from_ref(next)].concat();
            if next == name {
                return Some(longer);
            }
            if !seen.contains(next) {
                seen.push(next.clone());
                paths.push(longer);
            }
        }
        at += 1;
    }
    None
}

/// A key as it is written in TOML.
pub(crate) fn bare(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

/// That a line ends behind its equals sign: the parser would speak of the line that follows.
fn without_value(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?.trim_end().strip_suffix('=')?;
    let behind = text.get(at..)?.trim_start_matches([' ', '\t']);
    let ends = behind.is_empty() || behind.starts_with(['\n', '\r', '#']);
    let key = before.lines().next_back()?.trim();
    ends.then(|| format!("`{key}` has no value; write `{key} = \"...\"`"))
}

/// Which parenthesis or quote of a text is one too many.
fn unclosed(text: &str) -> String {
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
                        "the quote before `{}` is never closed",
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
                    return format!("`{character}` closes nothing; remove it");
                }
            }
            _ => {}
        }
    }
    match open.last() {
        Some((at, opened)) => {
            let before = text.get(..*at).unwrap_or_default();
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let word = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
            format!("`{word}{opened}` is never closed")
        }
        None => "this is not what could stand in `#[requires(...)]`".to_owned(),
    }
}

/// A table is sorted by name; mistakes and descriptions are wanted as they are written.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Key<'t>, &'v Value<'t>)> {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    members
}
