//! Suggestions for unknown keys.

use proc_macro2::{TokenStream, TokenTree};
use syn::Ident;

use super::keys::{Place, REQUIREMENTS, TOP_LEVEL};
use super::value::{Form, example};
use crate::codes;
use crate::suggest::nearest;

/// Words of other frameworks and of everyday speech, each with the key of the same meaning.
const MEANT: [(&str, &str); 44] = [
    ("admin", "role"),
    ("group", "role"),
    ("groups", "role"),
    ("user", "authenticated"),
    ("login", "authenticated"),
    ("logged_in", "authenticated"),
    ("known", "authenticated"),
    ("authority", "permission"),
    ("privilege", "permission"),
    ("right", "permission"),
    ("claim", "permission"),
    ("and", "all"),
    ("all_of", "all"),
    ("or", "any"),
    ("any_of", "any"),
    ("one_of", "any"),
    ("either", "any"),
    ("ip", "network"),
    ("cidr", "network"),
    ("address", "network"),
    ("flag", "setting"),
    ("feature", "setting"),
    ("config", "setting"),
    ("toggle", "setting"),
    ("mfa", "acr"),
    ("level", "acr"),
    ("method", "amr"),
    ("age", "max_age"),
    ("fresh", "max_age"),
    ("dpop", "sender_constrained"),
    ("mtls", "sender_constrained"),
    ("bound", "sender_constrained"),
    ("predicate", "check"),
    ("action", "can"),
    ("may", "can"),
    ("allowed", "can"),
    ("object", "on"),
    ("target", "on"),
    ("message", "says"),
    ("text", "says"),
    ("detail", "says"),
    ("status", "hide_as"),
    ("hidden", "hide_as"),
    ("hide", "hide_as"),
];

/// The mistake of a policy for one caller. `authenticated` in its place would allow every known caller.
pub(super) const SINGLE_CALLER: &str = "requirements name no single caller\n\
    help: require a role, or compare the subject in a function: `check = path::to::function`";

/// Returns the error for a word that is not one of the `known` keys of this position. `behind` are the tokens
/// after it.
pub(super) fn unknown(
    key: &Ident,
    behind: &TokenStream,
    known: &[&str],
    place: Place,
) -> syn::Error {
    let name = key.to_string();
    let name = name.as_str();
    if place == Place::Lesser && name == "on" {
        return codes::KEY_ELSEWHERE.at(
            key.span(),
            "`on` names an object, and is not a requirement\n\
             help: name the action too: `can(\"...\", on = \"Type::{id}\")`, or `can(\"...\")` for the \
             object of the attribute",
        );
    }
    if place == Place::Lesser && (TOP_LEVEL.contains(&name) || name == "crate") {
        return codes::KEY_ELSEWHERE.at(
            key.span(),
            format!(
                "`{name}` applies to the whole attribute, and is not a requirement\n\
                 help: name the callers that learn of the resource, as in `hide_unless = scope(\"...\")`"
            ),
        );
    }
    if TOP_LEVEL.contains(&name) || name == "crate" {
        return codes::KEY_ELSEWHERE.at(
            key.span(),
            format!(
                "`{name}` applies to the whole attribute\n\
                 help: move it out of the list, after the closing parenthesis"
            ),
        );
    }
    let meant = MEANT.iter().find(|(word, _)| *word == name);
    let meant = meant.map(|(_, key)| *key).filter(|key| known.contains(key));
    let message = match name {
        "not" | "except" | "unless" => format!(
            "requirements have no `{name}`\n\
             help: name a scope, role or permission of the allowed callers"
        ),
        "public" | "everybody" | "everyone" | "anyone" | "anonymous" | "allow" => format!(
            "unknown key `{name}`\n\
             help: write `#[public(reason = \"...\")]` in place of `#[requires]` for a public \
             handler"
        ),
        "deny" | "nobody" | "never" | "none" => format!(
            "requirements have no `{name}`\n\
             help: name a scope, role or permission of the allowed callers, or remove the route"
        ),
        // A word may be similar to a key of another meaning: `and` to `any`.
        _ => match meant.or_else(|| nearest(name, known)) {
            Some("authenticated") if !is_switch(behind) => SINGLE_CALLER.to_owned(),
            Some(key) if meant.is_some() => {
                let written = with_value(key, name, behind, place);
                format!("unknown key `{name}`\nhelp: write `{written}`")
            }
            Some(meant) => format!("unknown key `{name}`\nhelp: did you mean `{meant}`?"),
            None => format!("unknown key `{name}`\nhelp: {}", listed(known)),
        },
    };
    codes::UNKNOWN_KEY.at(key.span(), message)
}

/// Returns a key as it is written in this position. `word` was written in its place, with the tokens `behind` it.
fn with_value(key: &str, word: &str, behind: &TokenStream, place: Place) -> String {
    let example = match word {
        "admin" => "\"admin\"",
        _ => example(key),
    };
    let own = behind.clone().into_iter().nth(1);
    let own = own.map(|value| value.to_string());
    let own = own.filter(|value| value.starts_with('"') && example.starts_with('"'));
    let value = own.as_deref().unwrap_or(example);
    match key {
        "authenticated" | "sender_constrained" => key.to_owned(),
        "any" | "all" => format!("{key}(...)"),
        _ if place == Place::Lesser => Form::Called.write(key, value),
        _ => Form::Assigned.write(key, value),
    }
}

/// Returns whether the tokens after a key are those of a switch, which is on or off. Without a value, they are another
/// argument, before which a comma is missing.
fn is_switch(behind: &TokenStream) -> bool {
    let has_value = match behind.clone().into_iter().next() {
        Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Punct(first)) => first.as_char() == '=',
        _ => false,
    };
    !has_value || matches!(behind.to_string().as_str(), "()" | "= true" | "= false")
}

/// Lists the keys, grouped by purpose.
fn listed(known: &[&str]) -> String {
    let quoted = |keys: &[&str]| {
        let keys = keys.iter().filter(|key| known.contains(key));
        let keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
        keys.join(", ")
    };
    let required = format!("the requirements are {}", quoted(&REQUIREMENTS));
    let others = quoted(&TOP_LEVEL);
    if others.is_empty() {
        required
    } else {
        format!("{required}; the other keys are {others}")
    }
}
