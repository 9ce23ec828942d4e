//! The parser of `auth.toml`, and all mistakes in the text.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ipnet::IpNet;
use proc_macro2::TokenStream;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{MAX_BLOCKS, MAX_IMPLYING, MAX_TERMS, Policy, Term, Terms, Vocabulary, implying};
use crate::characters::legible;
use crate::check::Written;
use crate::errors::Errors;
use crate::requirement::{Kind, Namespace, Requirement};
use crate::resolve::Dictionary;
use crate::suggest::nearest;
use crate::{args, check, codes, resolve, values};

/// A mistake, and the byte at which it begins.
#[derive(Debug, PartialEq)]
pub struct Mistake {
    /// The byte offset in the text.
    pub at: usize,
    /// The message without a code: all mistakes of a vocabulary have the same code.
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

/// Reads a vocabulary and records every mistake, in the order of the text.
pub fn read(text: &str) -> (Vocabulary, Vec<Mistake>) {
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
        reader.vocabulary(table.get_ref())
    } else {
        Vocabulary::default()
    };
    let mut mistakes = reader.mistakes;
    mistakes.sort_by_key(|mistake| mistake.at);
    if mistakes.len() > MAX_MISTAKES {
        let further = mistakes.split_off(MAX_MISTAKES);
        mistakes.extend(further.first().map(|first| Mistake {
            at: first.at,
            message: format!("from here on, {} further mistakes", further.len()),
        }));
    }
    (vocabulary, mistakes)
}

/// The maximum number of mistakes that are shown.
const MAX_MISTAKES: usize = 100;

struct Reader {
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn note(&mut self, at: usize, message: String) {
        let message = legible(&message);
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
    fn terms(&mut self, namespace: Namespace, value: &Value<'_>) -> Terms {
        let kind = namespace.key();
        let mut terms = Terms::new();
        let mut implied = Vec::new();
        let Some(table) = self.table(value, &format!("`{kind}s`"), &section(&format!("{kind}s")))
        else {
            return terms;
        };
        if self.is_too_large(table, &format!("`[{kind}s]`"), value) {
            return terms;
        }
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

    /// Checks that no name is implied by too many others.
    fn many_implying(&mut self, kind: &str, table: &DeTable<'_>, terms: &Terms) {
        // In a cycle all names imply all others, and that was recorded.
        if !may_circle(terms).is_empty() {
            return;
        }
        for (key, _) in in_order(table) {
            let name = key.get_ref().as_ref();
            let count = implying(terms, name).len();
            if count > MAX_IMPLYING {
                let message = format!(
                    "the {kind} `{name}` is implied by {count} others, and {MAX_IMPLYING} are allowed at \
                     most; require a broader one where that is meant"
                );
                self.note(key.span().start, message);
                break;
            }
        }
    }

    /// Records a table with too many names to process.
    fn is_too_large(&mut self, table: &DeTable<'_>, what: &str, value: &Value<'_>) -> bool {
        let is_too_large = table.len() > MAX_TERMS;
        if is_too_large {
            let message = format!(
                "{what} has {} names, and {MAX_TERMS} are allowed at most",
                table.len()
            );
            self.note(value.span().start, message);
        }
        is_too_large
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
            implied_by: Vec::new(),
        }
    }

    /// Reads a description, the value of `key`.
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

    /// Checks that each implied name is declared, and that no name implies itself, directly or
    /// indirectly.
    fn implications(&mut self, kind: &str, terms: &Terms, implied: &[(String, String, usize)]) {
        let names: Vec<&str> = terms.keys().map(String::as_str).collect();
        let may_circle = may_circle(terms);
        let mut told: BTreeSet<String> = BTreeSet::new();
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
                format!("the {kind} `{other}`, which `{name}` implies, is not declared; {advice}")
            } else if is_twice {
                format!("`{other}` is named twice; remove one")
            } else if name == other {
                format!("`{name}` implies itself; remove it")
            } else if told.contains(name) {
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

    /// Reads `name = ["192.0.2.0/24", …]`, or one block without brackets.
    fn networks(&mut self, value: &Value<'_>) -> BTreeMap<String, Vec<IpNet>> {
        let mut networks = BTreeMap::new();
        let Some(table) = self.table(value, "`networks`", &section("networks")) else {
            return networks;
        };
        if self.is_too_large(table, "`[networks]`", value) {
            return networks;
        }
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            let at = key.span().start;
            if name.trim().is_empty() {
                let message = "this network has no name; give it one, or remove it".to_owned();
                self.note(at, message);
            } else if let Some(problem) = check::unfit("network", &name) {
                self.note(at, problem);
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
            if texts.len() > MAX_BLOCKS {
                let message = format!(
                    "the network `{name}` has {} blocks of addresses, and {MAX_BLOCKS} are allowed at \
                     most; gather neighbours in larger ones",
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

    /// Reads `[policies.staff]` with `requires = '…'` in the grammar of the attribute.
    fn policies(&mut self, value: &Value<'_>, vocabulary: &Vocabulary) -> BTreeMap<String, Policy> {
        let mut policies = BTreeMap::new();
        let Some(table) = self.table(
            value,
            "`policies`",
            "; write `[policies.staff]`, with `requires`",
        ) else {
            return policies;
        };
        if self.is_too_large(table, "`[policies]`", value) {
            return policies;
        }
        for (key, value) in in_order(table) {
            let name = key.get_ref().to_string();
            if name.trim().is_empty() {
                let message = "this policy has no name; give it one, or remove it".to_owned();
                self.note(key.span().start, message);
            } else if let Some(problem) = check::unfit("policy", &name) {
                self.note(key.span().start, problem);
            }
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
            let (requires, size) = requires.unwrap_or_default();
            policies.insert(
                name,
                Policy {
                    description: description.unwrap_or_default(),
                    requires,
                    size,
                },
            );
        }
        policies
    }

    /// Returns the requirements of a policy as text, and their number.
    fn requires(
        &mut self,
        name: &str,
        value: &Value<'_>,
        vocabulary: &Vocabulary,
    ) -> (String, usize) {
        let at = value.span().start;
        let what = format!("`requires` of the policy `{name}`");
        let Some(text) = self.string(value, &what, "`requires = 'role = \"...\"'`") else {
            return (String::new(), 0);
        };
        if args::is_too_deep(&text) {
            let message = format!("in the policy `{name}`: {}", args::too_deep_message());
            self.note(at, message);
            return (String::new(), 0);
        }
        let Ok(tokens) = text.parse::<TokenStream>() else {
            let message = format!("in the policy `{name}`: {}", unclosed(&text));
            self.note(at, message);
            return (text, 0);
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
            return (text, 0);
        }
        let lesser = requires.hide_unless.iter().map(|hidden| &hidden.lesser);
        let mut parts = requires.requirements.iter().chain(lesser);
        if let Some(function) = parts.find_map(check::relative_check) {
            let message = format!(
                "in the policy `{name}`: a check is named from the root of a crate, since the path is \
                 followed from each handler; write `check = crate::...::{function}`"
            );
            self.note(at, message);
        }
        if requires.krate.is_some() {
            let message = format!(
                "in the policy `{name}`: `crate` belongs to the attribute that names the policy; remove it"
            );
            self.note(at, message);
        }
        let dictionary = Dictionary {
            vocabulary: Some(vocabulary),
            shown: "",
        };
        // Formatted from the parsed policy, without comments and line breaks.
        let written = requires.to_string();
        if !crate::is_too_large(&requires, None, &mut errors) {
            resolve::requires(&mut requires, dictionary, &mut errors);
            if !crate::is_too_large(&requires, None, &mut errors) {
                check::requires(&requires, &mut errors);
            }
        }
        let size = requires.requirements.iter().map(Requirement::size).sum();
        for message in errors.messages() {
            let (message, _) = codes::split(&message);
            self.note(at, format!("in the policy `{name}`: {message}"));
        }
        (written, size)
    }

    /// Returns the string; `instead` is an example for the message.
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

    /// Returns a string or the strings of an array, each with its byte offset.
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

    /// Returns the table; `instead` is an example for the message.
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

/// Returns the first policy that a requirement names.
fn named_policy(requirement: &Requirement) -> Option<&str> {
    match &requirement.kind {
        Kind::Policy(name) => Some(&name.text),
        Kind::All(parts) | Kind::Any(parts) => parts.iter().find_map(named_policy),
        _ => None,
    }
}

/// Returns the names that may be in a cycle. It repeatedly removes each name that implies no
/// remaining name, or is implied by no remaining name.
fn may_circle(terms: &Terms) -> BTreeSet<&str> {
    let mut left: BTreeSet<&str> = terms.keys().map(String::as_str).collect();
    for is_down in [true, false] {
        let next = |term: &Term| {
            let names = if is_down {
                &term.implies
            } else {
                &term.implied_by
            };
            names.iter().cloned().collect::<BTreeSet<String>>()
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, term) in terms {
            let next = next(term);
            let next = next.iter().filter(|next| left.contains(next.as_str()));
            counts.insert(name, next.count());
        }
        let mut free: Vec<&str> = left
            .iter()
            .filter(|name| counts.get(*name) == Some(&0))
            .copied()
            .collect();
        while let Some(name) = free.pop() {
            left.remove(name);
            let Some(term) = terms.get(name) else {
                continue;
            };
            let before = if is_down {
                &term.implied_by
            } else {
                &term.implies
            };
            for before in before.iter().collect::<BTreeSet<_>>() {
                if let Some((before, _)) = terms.get_key_value(before)
                    && let Some(count) = counts.get_mut(before.as_str())
                    && left.contains(before.as_str())
                {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        free.push(before);
                    }
                }
            }
        }
    }
    left
}

/// Returns the shortest cycle from `name` over `other`, which it implies, back to `name`.
fn circle(
    terms: &Terms,
    may_circle: &BTreeSet<&str>,
    name: &str,
    other: &str,
) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut reached = vec![other];
    // The list grows during the iteration.
    let mut at = 0;
    while let Some(last) = reached.get(at).copied() {
        for next in terms.get(last).into_iter().flat_map(|term| &term.implies) {
            if next == name {
                let mut circle = vec![name.to_owned(), last.to_owned()];
                let mut last = last;
                while let Some(earlier) = before.get(last) {
                    circle.push((*earlier).to_owned());
                    last = earlier;
                }
                circle.push(name.to_owned());
                circle.reverse();
                return Some(circle);
            }
            let is_new = next != other && !before.contains_key(next.as_str());
            if is_new && may_circle.contains(next.as_str()) {
                before.insert(next, last);
                reached.push(next);
            }
        }
        at += 1;
    }
    None
}

/// Returns the message for a duplicate key, with the line of the first one.
fn duplicate(text: &str, at: Range<usize>, table: &DeTable<'_>) -> String {
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
        Some(line) => format!("`{written}` is written twice, first in line {line}; remove one"),
        None => format!("`{written}` is written twice; remove one"),
    }
}

/// Formats a key as TOML.
pub(crate) fn bare(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

/// Returns the message for a line that ends after its equals sign. The parser would report the next
/// line.
fn without_value(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?.trim_end().strip_suffix('=')?;
    let behind = text.get(at..)?.trim_start_matches([' ', '\t']);
    let ends = behind.is_empty() || behind.starts_with(['\n', '\r', '#']);
    let key = before.lines().next_back()?.trim();
    ends.then(|| format!("`{key}` has no value; write `{key} = \"...\"`"))
}

/// Returns a message about the unmatched parenthesis or quote of a text.
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

/// Returns the entries in the order of the text; a table is sorted by name.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Key<'t>, &'v Value<'t>)> {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    members
}
