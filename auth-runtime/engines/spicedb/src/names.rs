//! The names of types and permissions in the schema.

use std::borrow::Cow;
use std::collections::HashMap;

/// The longest name of a permission, and of a type without its prefix, in bytes.
const MAX_NAME: usize = 64;
/// The longest name of a type with its prefixes, in bytes.
const MAX_TYPE: usize = 128;

/// The names in the schema for those of policies.
pub(crate) struct Names {
    pub(crate) subject_type: String,
    /// The types in the schema by those of policies.
    pub(crate) types: HashMap<String, String>,
    /// The permissions in the schema by the actions of policies.
    pub(crate) permissions: HashMap<String, String>,
}

impl Names {
    /// The type in the schema; `None` if the default form of the type is not a name of SpiceDB.
    pub(crate) fn object_type(&self, resource_type: &str) -> Option<Cow<'_, str>> {
        in_schema(&self.types, resource_type, is_type)
    }

    /// The permission in the schema; `None` if the default form of the action is not a name of SpiceDB.
    pub(crate) fn permission(&self, action: &str) -> Option<Cow<'_, str>> {
        in_schema(&self.permissions, action, is_permission)
    }
}

fn in_schema<'n>(
    names: &'n HashMap<String, String>,
    name: &str,
    is_valid: fn(&str) -> bool,
) -> Option<Cow<'n, str>> {
    match names.get(name) {
        Some(name) => Some(Cow::Borrowed(name)),
        None => Some(snake_case(name))
            .filter(|name| is_valid(name))
            .map(Cow::Owned),
    }
}

/// Returns whether SpiceDB allows the name of a type: `document`, or with a prefix `docs/document`.
pub(crate) fn is_type(name: &str) -> bool {
    name.len() <= MAX_TYPE && name.split('/').all(is_permission)
}

/// Returns whether SpiceDB allows the name of a permission: `[a-z][a-z0-9_]{1,62}[a-z0-9]`.
pub(crate) fn is_permission(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (3..=MAX_NAME).contains(&name.len())
        && name.bytes().all(is_allowed)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
}

/// The lower-case form of a name: `PullRequest` is `pull_request`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut previous = None::<char>;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let is_after_word = previous
            .is_some_and(|previous| previous.is_ascii_lowercase() || previous.is_ascii_digit());
        let is_before_word = previous.is_some_and(|previous| previous.is_ascii_uppercase())
            && characters.peek().is_some_and(char::is_ascii_lowercase);
        if character.is_ascii_uppercase() && (is_after_word || is_before_word) {
            snake.push('_');
        }
        snake.push(match character {
            '-' => '_',
            _ => character.to_ascii_lowercase(),
        });
        previous = Some(character);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let table = |name: &str, other: &str| HashMap::from([(name.to_owned(), other.to_owned())]);
        Names {
            subject_type: "user".to_owned(),
            types: table("Repository", "forge/repo"),
            permissions: table("update", "write"),
        }
    }

    #[test]
    fn types_have_a_lower_case_form() {
        for (name, expected) in [
            ("Repository", Some("forge/repo")),
            ("repository", Some("repository")),
            ("PullRequest", Some("pull_request")),
            ("HTTPServer", Some("http_server")),
            ("OAuth2Client", Some("o_auth2_client")),
            ("Api", Some("api")),
            ("API", Some("api")),
            ("pull-request", Some("pull_request")),
            ("Service", Some("service")),
            ("Io", None),
            ("_Hidden", None),
            ("Hidden_", None),
            ("2Fa", None),
            ("Straße", None),
            ("a b c", None),
            ("", None),
            ("*", None),
            ("user:ann#member", None),
        ] {
            assert_eq!(names().object_type(name).as_deref(), expected, "{name:?}");
        }
    }

    #[test]
    fn actions_have_a_lower_case_form() {
        for (action, expected) in [
            ("update", Some("write")),
            ("read", Some("read")),
            ("readAll", Some("read_all")),
            ("close-issue", Some("close_issue")),
            ("docs/read", None),
            ("issue:close", None),
            ("ls", None),
        ] {
            assert_eq!(
                names().permission(action).as_deref(),
                expected,
                "{action:?}"
            );
        }
        assert!(is_permission(&"a".repeat(MAX_NAME)));
        assert!(!is_permission(&"a".repeat(MAX_NAME + 1)));
    }

    #[test]
    fn types_have_prefixes() {
        for (name, is_valid) in [
            ("forge/repo", true),
            ("acme/forge/repo", true),
            ("/repo", false),
            ("forge/", false),
            ("forge//repo", false),
            ("Forge/repo", false),
        ] {
            assert_eq!(is_type(name), is_valid, "{name:?}");
        }
    }
}
