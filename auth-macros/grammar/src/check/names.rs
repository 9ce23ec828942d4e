//! Names that cannot match any other, or cannot be sent.

use auth_runtime_policy::scope::is_scope_character;

use crate::characters::{called, code_point, is_invisible, too_long};
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Namespace, ParsedRequirement, RequirementKind};
use crate::values::bare;

/// The position of a name, which determines the suggested replacement.
#[derive(Clone, Copy)]
pub(crate) enum NamePosition {
    /// `scope = "…"` in a list.
    Listed,
    /// The single value of `hide_unless`.
    Alone,
    /// In the section `[scopes]`.
    Declared,
}

impl NamePosition {
    /// Returns the suggestion for one name.
    fn one(self, namespace: Namespace, name: &str) -> String {
        let key = namespace.key();
        match self {
            Self::Listed => format!("`{key} = {name:?}`"),
            Self::Alone => format!("`{key}({name:?})`"),
            Self::Declared => format!("`{} = \"...\"`", bare(name)),
        }
    }

    /// Returns the suggestion for several names.
    fn several(self, namespace: Namespace, names: &[&str]) -> String {
        let key = namespace.key();
        let quoted: Vec<String> = match self {
            Self::Declared => names.iter().map(|name| format!("`{name:?}`")).collect(),
            _ => names
                .iter()
                .map(|name| format!("{key} = {name:?}"))
                .collect(),
        };
        match (self, namespace) {
            (Self::Declared, _) => format!("declare {} on separate lines", quoted.join(" and ")),
            // A login has only one acr.
            (_, Namespace::Acr) => {
                format!("write `any({})` to require one of them", quoted.join(", "))
            }
            (Self::Listed, _) => format!(
                "write `{}`, within `any(...)` if one is enough",
                quoted.join(", ")
            ),
            (Self::Alone, _) => {
                let list = quoted.join(", ");
                format!(
                    "write `any({list})` to require one of them, or `all({list})` to require all"
                )
            }
        }
    }
}

pub(super) fn names(requirement: &ParsedRequirement, written: NamePosition, errors: &mut Errors) {
    match &requirement.kind {
        RequirementKind::Named(namespace, name) => {
            if let Some(problem) = problem(*namespace, &name.text, written) {
                let code = match namespace {
                    Namespace::Scope => codes::SCOPE,
                    _ => codes::NAME,
                };
                errors.add(code, name.span, problem);
            }
        }
        RequirementKind::All(parts) | RequirementKind::Any(parts) => {
            for part in parts {
                names(part, NamePosition::Listed, errors);
            }
        }
        _ => {}
    }
}

/// Returns the reason why a text is not a valid name of that kind.
pub fn name_problem(namespace: Namespace, text: &str) -> Option<String> {
    problem(namespace, text, NamePosition::Listed)
}

/// Returns the reason why a text is not a valid name of that kind, with a suggestion.
pub(crate) fn problem(namespace: Namespace, text: &str, written: NamePosition) -> Option<String> {
    if text.trim().is_empty() {
        let key = namespace.key();
        return Some(match (written, namespace) {
            (NamePosition::Declared, _) => {
                format!("the {key} has no name\nhelp: name it, or remove it")
            }
            (_, Namespace::Acr) => "the acr is empty\n\
                                    help: name a class of authentication, such as \
                                    `urn:example:mfa`"
                .to_owned(),
            (_, Namespace::Amr) => {
                "the amr is empty\nhelp: name a method, such as `otp`".to_owned()
            }
            _ => format!("the {key} is empty\nhelp: name the required {key}"),
        });
    }
    if let Some(problem) = too_long(namespace.key(), text) {
        return Some(problem);
    }
    match namespace {
        Namespace::Scope => scope_problem(text, written),
        Namespace::Acr => word_problem(namespace, "RFC 9470 §3", text, written),
        Namespace::Amr => word_problem(namespace, "RFC 8176 §6.1", text, written),
        _ => plain_problem(namespace, text, written),
    }
}

/// Checks a scope token (RFC 6749 §3.3).
fn scope_problem(text: &str, written: NamePosition) -> Option<String> {
    if text == "offline_access" {
        return Some(
            "the scope `offline_access` requests a refresh token, and grants no access\n\
             help: name the required scope"
                .to_owned(),
        );
    }
    let illegal = |c: &char| !is_scope_character(*c);
    let (index, character) = text.chars().enumerate().find(|(_, c)| illegal(c))?;
    let advice = match character {
        ' ' => several_or_one(Namespace::Scope, text, written),
        c if c.is_ascii() => "remove it".to_owned(),
        _ => "write it in ASCII, as the authorization server does".to_owned(),
    };
    // The compiler cannot point into a literal; the message states the column.
    let (shown, column) = shown_with_column(text, index);
    let caret = " ".repeat(column);
    Some(format!(
        "{} is not allowed in a scope (RFC 6749 §3.3)\n\n    {shown}\n    {caret}^\nhelp: {advice}",
        called(character)
    ))
}

/// Returns the suggestion for a text with spaces.
fn several_or_one(namespace: Namespace, text: &str, written: NamePosition) -> String {
    let names: Vec<&str> = text.split_whitespace().collect();
    match names.as_slice() {
        [only] => format!("write {}", written.one(namespace, only)),
        names => written.several(namespace, names),
    }
}

/// Checks one value of `acr_values`, which separates them with spaces (RFC 9470 §3), or the name of a method of
/// authentication, which has the characters of a scope (RFC 8176 §6.1).
fn word_problem(
    namespace: Namespace,
    source: &str,
    text: &str,
    written: NamePosition,
) -> Option<String> {
    let character = text.chars().find(|c| !is_scope_character(*c))?;
    let advice = match character {
        ' ' => several_or_one(namespace, text, written),
        c if c.is_ascii() => "remove it".to_owned(),
        _ => "write it in ASCII, as the authorization server does".to_owned(),
    };
    Some(format!(
        "{} is not allowed in an {} ({source})\nhelp: {advice}",
        called(character),
        namespace.key()
    ))
}

/// Returns the reason why a text is not a valid realm. Every challenge contains the realm, and
/// clients search challenges for other parameters as text.
pub(crate) fn realm_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the realm is empty\nhelp: name it, or remove it".to_owned());
    }
    if let Some(problem) = too_long("realm", text) {
        return Some(problem);
    }
    if let Some(character) = text.chars().find(|c| !matches!(c, ' '..='~')) {
        let words: Vec<&str> = text
            .split(is_invisible)
            .filter(|it| !it.is_empty())
            .collect();
        let words = words.join(" ");
        let advice = if words.is_ascii() && !words.is_empty() {
            format!("write `{words:?}`")
        } else {
            "write it in ASCII".to_owned()
        };
        return Some(format!(
            "{} is not allowed in a realm, which consists of visible ASCII characters\n\
             help: {advice}",
            called(character)
        ));
    }
    let searched = ["scope=", "error=", "resource_metadata="];
    let (at, found) = searched
        .into_iter()
        .find_map(|it| Some((text.find(it)?, it)))?;
    let word = text.get(at..).and_then(|rest| rest.split(' ').next());
    Some(format!(
        "the realm contains `{found}`, which clients would read as a parameter\nhelp: remove `{}`",
        word.unwrap_or(found)
    ))
}

/// The maximum length of the text of denials, in characters.
const MAX_TEXT: usize = 512;

/// Returns the reason why a text of denials cannot be shown to clients.
pub(super) fn text_problem(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(
            "the text is empty\nhelp: write a sentence for denied callers, or remove it".to_owned(),
        );
    }
    let length = text.chars().count();
    if length > MAX_TEXT {
        return Some(format!(
            "the text has {length} characters; the maximum is {MAX_TEXT}\n\
             help: link to a page with the rest"
        ));
    }
    if text.trim() != text {
        return Some(format!(
            "the text begins or ends with white space\nhelp: write `{:?}`",
            text.trim()
        ));
    }
    // A no-break space is common in texts, and harmless.
    let is_shown = |c: char| matches!(c, '\u{a0}' | '\u{202f}') || !is_invisible(c);
    let character = text.chars().find(|c| !is_shown(*c))?;
    Some(format!(
        "{} is not allowed in the text of denials\nhelp: remove it",
        called(character)
    ))
}

/// Returns the text on one line, and the column of the character at `index`.
fn shown_with_column(text: &str, index: usize) -> (String, usize) {
    let mut shown = String::new();
    let mut column = 0;
    for (at, character) in text.chars().enumerate() {
        if at == index {
            column = shown.chars().count();
        }
        if matches!(character, '\t' | '\n' | '\r') {
            shown.extend(character.escape_default());
        } else if is_invisible(character) {
            shown.push_str(&code_point(character));
        } else {
            shown.push(character);
        }
    }
    (shown, column)
}

fn plain_problem(namespace: Namespace, text: &str, written: NamePosition) -> Option<String> {
    let key = namespace.key();
    if text.trim() != text {
        return Some(format!(
            "the {key} `{}` begins or ends with white space\nhelp: write {}",
            text.escape_debug(),
            written.one(namespace, text.trim())
        ));
    }
    let character = text.chars().find(|c| is_invisible(*c))?;
    let rest: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let advice = match rest.trim() {
        "" => format!("name the required {key}"),
        rest => format!("write {}", written.one(namespace, rest)),
    };
    Some(format!(
        "{} is not allowed in a {key}\nhelp: {advice}",
        called(character)
    ))
}
