//! The file `access.lock`.

use auth_runtime_audit::AccessLock;

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "access_lock",
    cost: 1,
    dictionary: &[
        "GET      ",
        "any      ",
        "fallback ",
        "/v1/repos/{id}",
        "/*",
        "  ",
        "requires(",
        "public(reason = \"x\")",
        "unguarded(reason = \"x\")",
        "scope = \"a\"",
        "role = \"b\"",
        "any(",
        "all(",
        "hide_as = 404",
        "hide_unless = role(\"c\")",
        "network = \"192.0.2.0/24\"",
        "check = fine",
        "can = \"update\"",
        "on = \"Repository::{id}\"",
        "schemes(Bearer)",
        "realm = \"x\"",
        "identity = optional",
        "setting = \"s\"",
        "max_age = \"15m\"",
        "sender_constrained",
        "authenticated",
        ")",
        ", ",
        "shop::x",
        "covers ",
        "#",
        "\\u{202e}",
        "if ",
        "policy = \"p\"",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let lock: AccessLock = match text.parse() {
            Ok(lock) => lock,
            Err(error) => {
                let error: auth_runtime_audit::AccessLockError = error;
                return Outcome::of_messages([error.to_string()]);
            }
        };
        let printed = lock.to_string();
        let again: AccessLock = printed
            .parse()
            .unwrap_or_else(|error| panic!("{printed}: {error}"));
        assert_eq!(again.to_string(), printed);
        assert!(lock.changes_to(&lock).is_empty(), "{printed}");
        assert!(lock.changes_to(&again).is_empty(), "{printed}");
        assert!(again.changes_to(&lock).is_empty(), "{printed}");
        let lines = printed.lines().filter(|line| !line.starts_with('#'));
        let starts = lines.filter_map(|line| line.split_whitespace().nth(2));
        let starts = starts.filter_map(|start| start.split('(').next());
        Outcome::of(starts.collect::<Vec<_>>())
    })
}
