//! The words of names, by which access checks are recognized.

use proc_macro2::TokenTree;
use quote::ToTokens;

use crate::sources::text::any_word;

/// Words of names that stand for a check by themselves.
const CHECKS: [&str; 22] = [
    "acl",
    "admin",
    "auth",
    "authed",
    "authenticate",
    "authenticated",
    "authentication",
    "authn",
    "authorization",
    "authorize",
    "authorized",
    "authorizer",
    "authz",
    "bearer",
    "enforce",
    "jwt",
    "login",
    "permission",
    "permissions",
    "protect",
    "protected",
    "rbac",
];

/// Verbs that stand for a check if they are about one of the [`OBJECTS`].
const VERBS: [&str; 11] = [
    "assert", "can", "check", "ensure", "has", "is", "must", "require", "required", "validate",
    "verify",
];

const OBJECTS: [&str; 16] = [
    "access",
    "apikey",
    "auth",
    "key",
    "member",
    "owner",
    "privilege",
    "privileges",
    "role",
    "roles",
    "scope",
    "scopes",
    "session",
    "signature",
    "token",
    "user",
];

/// Words of types that stand for an authenticated caller.
const CALLERS: [&str; 7] = [
    "caller",
    "claims",
    "credentials",
    "identity",
    "member",
    "principal",
    "user",
];

/// Returns the words of a name in lower case: of `AuthUser`, `auth_user` and `AUTH_USER`.
pub(super) fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let is_lower = |letter: Option<&char>| letter.is_some_and(|it| it.is_lowercase());
        let is_begin = letter.is_uppercase()
            && before
                .is_some_and(|before| !before.is_uppercase() || is_lower(letters.get(index + 1)));
        if is_begin || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn has_one(words: &[String], of: &[&str]) -> bool {
    words.iter().any(|word| of.contains(&word.as_str()))
}

/// Returns whether a function or a layer with that name seems to check access.
pub(super) fn names_check(name: &str) -> bool {
    let words = words(name);
    // A layer that only loads the session refuses nobody.
    let only_loads = has_one(&words, &["manager", "session"])
        && !has_one(&words, &VERBS)
        && !has_one(&words, &["auth", "authenticate", "authorize"]);
    let about = has_one(&words, &VERBS) && has_one(&words, &OBJECTS);
    (has_one(&words, &CHECKS) || about) && !only_loads && !lets_everyone_pass(name)
}

/// Returns whether a name stands for a check even if its function is not known to refuse callers.
/// Other things have tokens and keys as well.
pub(super) fn names_certain_check(name: &str) -> bool {
    let words = words(name);
    has_one(&words, &CHECKS) || has_one(&words, &["must", "require", "required"])
}

/// Returns whether a middleware with that name seems to have another purpose, or to accept requests
/// without credentials.
pub(super) fn lets_everyone_pass(name: &str) -> bool {
    has_one(
        &words(name),
        &[
            "agent", "audit", "limit", "limiter", "log", "logger", "logging", "maybe", "metrics",
            "optional", "trace",
        ],
    )
}

/// Returns whether a call of a function or method seems to check access. `receiver` is its type, or
/// the beginning of its chain.
pub(super) fn call_checks(name: &str, receiver: &str) -> bool {
    let (own, outer) = (words(name), words(receiver));
    let is_change = has_one(
        &own,
        &[
            "add", "create", "delete", "get", "list", "new", "set", "update",
        ],
    );
    let is_about = has_one(&own, &VERBS) && (has_one(&own, &OBJECTS) || has_one(&own, &CHECKS));
    let is_verb = matches!(own.as_slice(), [only] if VERBS.contains(&only.as_str()))
        && has_one(&outer, &CHECKS);
    let is_plain = has_one(
        &own,
        &[
            "authenticate",
            "authorize",
            "authorized",
            "authz",
            "enforce",
            "permission",
            "permissions",
            "protect",
        ],
    );
    !is_change && (is_about || is_verb || is_plain)
}

/// Returns whether an extractor with that name seems to be an authenticated caller.
pub(super) fn names_caller(name: &str) -> bool {
    let words = words(name);
    // A session, or the agent of a browser, may be anonymous.
    let is_other = has_one(
        &words,
        &[
            "agent", "manager", "service", "session", "config", "settings",
        ],
    );
    !is_other && (has_one(&words, &CHECKS) || ends_with_caller(&words))
}

fn ends_with_caller(words: &[String]) -> bool {
    let is_one = |word: &String| CALLERS.contains(&word.as_str());
    words.last().is_some_and(is_one) || words.first().is_some_and(|first| first == "require")
}

/// Returns whether a type may be absent, by its name.
pub(super) fn is_optional(name: &str) -> bool {
    let words = words(name);
    matches!(
        words.first().map(String::as_str),
        Some("maybe" | "optional" | "opt" | "option")
    )
}

/// Returns whether a handler seems to receive the credentials that it checks, as a login does.
pub(super) fn is_login(name: &str) -> bool {
    let words = words(name);
    let pairs = words.windows(2);
    let is_sign_in = |pair: &[String]| pair == ["sign", "in"] || pair == ["log", "in"];
    has_one(
        &words,
        &[
            "authenticate",
            "callback",
            "forgot",
            "password",
            "pwd",
            "login",
            "logout",
            "oauth",
            "oauth2",
            "signin",
            "reset",
        ],
    ) || pairs.clone().any(is_sign_in)
}

/// Returns whether a variable with that name seems to be a credential of the caller, or to be about
/// its authentication. One that is exchanged for another is none.
pub(super) fn is_credential(name: &str) -> bool {
    const CREDENTIALS: [&str; 5] = ["apikey", "secret", "signature", "ticket", "token"];
    let words = words(name);
    let last = words.last().map(String::as_str);
    let is_one = last.is_some_and(|last| CREDENTIALS.contains(&last)) || has_one(&words, &CHECKS);
    is_one && !has_one(&words, &["refresh", "reset"])
}

/// Returns whether a macro with that name only writes a text.
pub(super) fn is_log(name: &str) -> bool {
    matches!(
        name,
        "debug" | "error" | "format" | "info" | "println" | "trace" | "warn"
    )
}

/// Returns whether tokens refuse a caller, or read its credentials.
pub(super) fn refuses(tokens: &impl ToTokens) -> bool {
    let tokens = tokens.to_token_stream();
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => refuses(&group.stream()),
        TokenTree::Ident(name) => is_refusal(&name.to_string()),
        TokenTree::Literal(text) => {
            let text = text.to_string().to_ascii_lowercase();
            let text = text.trim_matches('"').trim();
            matches!(
                text,
                "authorization" | "bearer" | "basic" | "unauthorized" | "forbidden" | "x-api-key"
            )
        }
        TokenTree::Punct(_) => false,
    })
}

pub(super) fn is_refusal(name: &str) -> bool {
    let words = words(name);
    let has = |word: &str| words.iter().any(|it| it == word);
    let is_denied = has("denied") && (has("access") || has("permission"));
    let is_missing = (has("missing") || has("invalid") || has("expired"))
        && (has("auth") || has("credentials") || has("jwt") || has("token"));
    let is_status = has_one(
        &words,
        &[
            "unauthorized",
            "unauthenticated",
            "forbidden",
            "authorization",
            "unauthorised",
        ],
    );
    is_status || is_denied || is_missing
}

/// Returns whether tokens are about a password: a login, and no check of a caller.
pub(super) fn is_about_password(tokens: &impl ToTokens) -> bool {
    let about = ["password", "passwd", "hash", "captcha", "otp"];
    any_word(tokens, &|name| has_one(&words(name), &about))
}
