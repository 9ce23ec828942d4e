//! The text of `auth.toml`, and every mistake in it.

use std::collections::BTreeMap;
use std::ops::Range;

use ipnet::IpNet;
use proc_macro2::TokenStream;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Term, Terms, Vocabulary, implying};
use crate::codes::without_code;
use crate::errors::Errors;
use crate::requirement::{Kind, Namespace, Requirement};
use crate::resolve::Dictionary;
use crate::suggest::nearest;
use crate::{args, check, resolve, values};

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
        reader.note(at, error.message().to_owned());
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
        let realm = self.string(value, "the realm")?;
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
        let Some(table) = self.table(value, &format!("`{kind}s`")) else {
            return terms;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if let Some(problem) = check::name_problem(namespace, &name) {
                self.note(key.span().start, problem);
            }
            let term = match value.get_ref() {
                DeValue::Table(inner) => self.term(kind, &name, key.span(), inner, &mut implied),
                _ => Term {
                    description: self.description(value, kind, &name),
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
                "description" => description = Some(self.description(value, kind, name)),
                "implies" => {
                    for (other, at) in self.strings(value, &format!("`implies` of `{name}`")) {
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

    fn description(&mut self, value: &Value<'_>, kind: &str, name: &str) -> String {
        let what = format!("the description of the {kind} `{name}`");
        let description = self.string(value, &what).unwrap_or_default();
        if description.trim().is_empty() && matches!(value.get_ref(), DeValue::String(_)) {
            let message = format!("{what} is empty; say what it is for");
            self.note(value.span().start, message);
        }
        description
    }

    /// Each implied name is declared, and none implies itself, directly or through others.
    fn implications(&mut self, kind: &str, terms: &Terms, implied: &[(String, String, usize)]) {
        let names: Vec<&str> = terms.keys().map(String::as_str).collect();
        for (index, (name, other, at)) in implied.iter().enumerate() {
            let is_twice = implied
                .iter()
                .take(index)
                .any(|earlier| (&earlier.0, &earlier.1) == (name, other));
            if !terms.contains_key(other) {
                self.note(*at, undeclared(kind, other, &names, ""));
            } else if is_twice {
                self.note(*at, format!("`{other}` is named twice; remove one"));
            } else if name == other {
                let message = format!("`{name}` implies itself; remove it");
                self.note(*at, message);
            } else if implying(terms, name).contains(other) {
                let message = format!(
                    "`{name}` and `{other}` imply each other, so they mean the same; keep one of \
                     them, or one direction"
                );
                self.note(*at, message);
            }
        }
    }

    /// `name = ["192.0.2.0/24", …]`, or one block without brackets.
    fn networks(&mut self, value: &Value<'_>) -> BTreeMap<String, Vec<IpNet>> {
        let mut networks = BTreeMap::new();
        let Some(table) = self.table(value, "`networks`") else {
            return networks;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let at = key.span().start;
            if name.trim().is_empty() {
                self.note(at, "the network has no name".to_owned());
            } else if name.contains('/') {
                let message = format!("{name:?} looks like a block of addresses; give it a name");
                self.note(at, message);
            }
            let mut blocks: Vec<IpNet> = Vec::new();
            let texts = self.strings(value, &format!("the network `{name}`"));
            if texts.is_empty()
                && matches!(value.get_ref(), DeValue::Array(array) if array.is_empty())
            {
                let message = format!("the network `{name}` has no addresses, so nobody is in it");
                self.note(value.span().start, message);
            }
            for (text, at) in texts {
                match values::block(&text) {
                    Ok(block) if blocks.iter().any(|other| other.contains(&block)) => {
                        let message = format!("{text:?} lies in a block that is named before it");
                        self.note(at, message);
                    }
                    Ok(block) => blocks.push(block),
                    Err(problem) => self.note(at, problem),
                }
            }
            if let Some(kind) = values::every_address(&blocks) {
                let message = format!(
                    "the network `{name}` is every {kind} address there is, so it keeps nobody out; \
                     leave out the blocks that it is not about"
                );
                self.note(at, message);
            }
            networks.insert(name, blocks);
        }
        networks
    }

    /// `[policies.staff]` with `requires = '…'` in the grammar of the attribute.
    fn policies(&mut self, value: &Value<'_>, vocabulary: &Vocabulary) -> BTreeMap<String, String> {
        let mut policies = BTreeMap::new();
        let Some(table) = self.table(value, "`policies`") else {
            return policies;
        };
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let Some(table) = self.table(value, &format!("the policy `{name}`")) else {
                continue;
            };
            let mut requires = None;
            for (key, value) in in_order(table) {
                match key.get_ref().as_ref() {
                    "requires" => requires = Some(self.requires(&name, value, vocabulary)),
                    "description" => drop(self.description(value, "policy", &name)),
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
            policies.insert(name, requires.unwrap_or_default());
        }
        policies
    }

    fn requires(&mut self, name: &str, value: &Value<'_>, vocabulary: &Vocabulary) -> String {
        let at = value.span().start;
        let Some(text) = self.string(value, &format!("`requires` of the policy `{name}`")) else {
            return String::new();
        };
        let Ok(tokens) = text.parse::<TokenStream>() else {
            let message = format!("in the policy `{name}`: the quotes or parentheses do not match");
            self.note(at, message);
            return text;
        };
        let mut errors = Errors::default();
        let mut requires = args::requires(tokens, &mut errors);
        if requires.requirements.iter().any(names_policy) {
            let message = format!("in the policy `{name}`: a policy cannot be made of others");
            self.note(at, message);
            return text;
        }
        let dictionary = Dictionary {
            vocabulary: Some(vocabulary),
            shown: "",
        };
        resolve::requires(&mut requires, dictionary, &mut errors);
        check::requires(&requires, &mut errors);
        for message in errors.messages() {
            let message = without_code(&message);
            self.note(at, format!("in the policy `{name}`: {message}"));
        }
        text
    }

    fn string(&mut self, value: &Value<'_>, what: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.note(value.span().start, format!("{what} has to be a string"));
                None
            }
        }
    }

    /// A string, or an array of them, each with the place where it stands.
    fn strings(&mut self, value: &Value<'_>, what: &str) -> Vec<(String, usize)> {
        let members = match value.get_ref() {
            DeValue::String(text) => return vec![(text.to_string(), value.span().start)],
            DeValue::Array(members) => members,
            _ => {
                let message = format!("{what} has to be an array of strings");
                self.note(value.span().start, message);
                return Vec::new();
            }
        };
        let mut strings = Vec::new();
        for member in members.iter() {
            if let Some(text) = self.string(member, &format!("each member of {what}")) {
                strings.push((text, member.span().start));
            }
        }
        strings
    }

    fn table<'v, 't>(&mut self, value: &'v Value<'t>, what: &str) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.note(value.span().start, format!("{what} has to be a table"));
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

fn names_policy(requirement: &Requirement) -> bool {
    match &requirement.kind {
        Kind::Policy(_) => true,
        Kind::All(parts) | Kind::Any(parts) => parts.iter().any(names_policy),
        _ => false,
    }
}

/// That a name is not declared in the file, with the nearest one that is.
pub(crate) fn undeclared(kind: &str, name: &str, declared: &[&str], shown: &str) -> String {
    let place = match shown {
        "" => String::new(),
        file => format!(" in {file}"),
    };
    let advice = match (nearest(name, declared), declared.is_empty()) {
        (Some(nearest), _) => format!("did you mean `{nearest}`?"),
        (None, true) => format!("no {kind} is declared there yet"),
        (None, false) if declared.len() <= 8 => {
            format!("the declared ones are `{}`", declared.join("`, `"))
        }
        (None, false) => "declare it there, or use one that is".to_owned(),
    };
    format!("the {kind} `{name}` is not declared{place}; {advice}")
}

/// A table is sorted by name; mistakes and descriptions are wanted as they are written.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Key<'t>, &'v Value<'t>)> {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    members
}
