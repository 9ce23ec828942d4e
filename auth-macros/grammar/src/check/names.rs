//! Names that could not match any other, or could not be sent.

use crate::codes;
use crate::errors::Errors;
use crate::requirement::{Kind, Namespace, Requirement};

pub(super) fn names(requirement: &Requirement, errors: &mut Errors) {
    match &requirement.kind {
        Kind::Named(namespace, name) => {
            if let Some(problem) = name_problem(*namespace, &name.text) {
                let code = match namespace {
                    Namespace::Scope => codes::SCOPE,
                    _ => codes::NAME,
                };
                errors.add(code, name.span, problem);
            }
        }
        Kind::All(parts) | Kind::Any(parts) => {
            for part in parts {
                names(part, errors);
            }
        }
        _ => {}
    }
}

/// What keeps a text from being a name of that kind.
pub fn name_problem(namespace: Namespace, text: &str) -> Option<String> {
    match namespace {
        Namespace::Scope => scope_problem(text),
        Namespace::Acr => acr_problem(text),
        _ => plain_problem(namespace, text),
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
fn scope_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the scope is empty; name the scope that is required".to_owned());
    }
    if text == "offline_access" {
        return Some(
            "`offline_access` asks the authorization server for a refresh token, and grants nothing \
             here; name the scope that is required"
                .to_owned(),
        );
    }
    let illegal = |c: &char| !is_scope_character(*c);
    let (index, character) = text.chars().enumerate().find(|(_, c)| illegal(c))?;
    let why = match character {
        ' ' => "one `scope = \"...\"` names one scope; write one for each, with a comma between",
        '"' | '\\' => "a scope cannot contain quotes or backslashes",
        c if c.is_ascii() => "a scope cannot contain control characters",
        _ => "a scope is ASCII",
    };
    // The compiler cannot be pointed into a literal, so the message points itself.
    let (shown, column) = shown_with_column(text, index);
    let caret = " ".repeat(column);
    Some(format!(
        "the character {character:?} is not allowed in a scope (RFC 6749 §3.3): {why}\n\
         \n    {shown}\n    {caret}^"
    ))
}

fn is_scope_character(character: char) -> bool {
    matches!(character, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}

/// One of the values of `acr_values`, which has them with spaces between (RFC 9470 §3).
fn acr_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the acr is empty; name the one that is required".to_owned());
    }
    let character = text.chars().find(|c| !is_scope_character(*c))?;
    let why = match character {
        ' ' => {
            "one `acr = \"...\"` names one; write `any(acr = \"...\", acr = \"...\")` for several"
        }
        _ => "it is visible ASCII without quotes and backslashes",
    };
    Some(format!(
        "the character {character:?} is not allowed in an acr (RFC 9470 §3): {why}"
    ))
}

/// What keeps a text from being a realm: it goes into every challenge, where clients search for other
/// parameters by text.
pub fn realm_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the realm is empty; name it, or remove it".to_owned());
    }
    if let Some(character) = text.chars().find(|c| !matches!(c, ' '..='~')) {
        return Some(format!(
            "the character {character:?} is not allowed in a realm: it is sent to clients, and many \
             of them read visible ASCII only"
        ));
    }
    let searched = ["scope=", "error=", "resource_metadata="];
    let found = searched.into_iter().find(|found| text.contains(found))?;
    Some(format!(
        "the realm contains `{found}`, which clients would read as a parameter"
    ))
}

/// The text on one line, and where in it the character at `index` begins.
fn shown_with_column(text: &str, index: usize) -> (String, usize) {
    let mut shown = String::new();
    let mut column = 0;
    for (at, character) in text.chars().enumerate() {
        if at == index {
            column = shown.chars().count();
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    (shown, column)
}

fn plain_problem(namespace: Namespace, text: &str) -> Option<String> {
    let key = namespace.key();
    if text.trim().is_empty() {
        return Some(format!(
            "the {key} is empty; name the {key} that is required"
        ));
    }
    if text.trim() != text {
        return Some(format!(
            "the {key} {text:?} begins or ends with white space, so it would match no other; write \
             `{key} = {:?}`",
            text.trim()
        ));
    }
    let character = text.chars().find(|c| c.is_control())?;
    Some(format!(
        "the {key} {text:?} has a control character in it: {character:?}; remove it"
    ))
}
