//! The callers of the forge: people with an account, and their credentials.

use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_examples::Authority;
use auth_forge::Database;
use auth_runtime::Identity;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{AUDIENCE, Result};

/// A caller.
#[derive(Clone)]
pub(crate) struct Person {
    name: &'static str,
    about: &'static str,
    identity: Option<Identity>,
    authorization: Option<String>,
}

impl Person {
    /// The name in a tour or in a table.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The description.
    pub(crate) fn about(&self) -> &'static str {
        self.about
    }

    /// The intended identity. `None` for a caller without credentials or with invalid ones.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The value of `Authorization`. `None` without credentials.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

/// The values of path parameters for objects that exist and that most callers may not see:
/// `ann/vault` and its contents.
pub(crate) const PLACES: &[(&str, &str)] = &[
    ("owner", "ann"),
    ("repo", "vault"),
    ("number", "2"),
    ("comment", "1"),
    ("label", "door"),
    ("tag", "v1"),
    ("file", "notes.txt"),
    ("asset", "1"),
    ("key", "1"),
    ("hook", "1"),
    ("token", "1"),
    ("gist", "2"),
    ("org", "guild"),
    ("team", "clerks"),
    ("login", "rae"),
];

/// All scopes of one token. A role is not among them.
const EVERYTHING: &[&str] = &["repo:admin", "user:write", "org:write", "gist"];

/// The access token of a person.
struct Login {
    name: &'static str,
    subject: &'static str,
    about: &'static str,
    scopes: &'static [&'static str],
    role: &'static str,
    /// The age of the login, in seconds.
    at: u64,
    /// The lifetime, in seconds.
    lives: i64,
}

const LOGINS: &[Login] = &[
    login("ann", "ann", EVERYTHING, "owns ann/atlas and ann/vault"),
    login(
        "rae",
        "rae",
        EVERYTHING,
        "may read ann/vault, whatever her token says",
    ),
    login("wes", "wes", EVERYTHING, "may write to ann/vault"),
    login(
        "stu",
        "stu",
        EVERYTHING,
        "a stranger, whose token may do everything",
    ),
    login(
        "tim",
        "tim",
        EVERYTHING,
        "a member of the guild, and of its team",
    ),
    login(
        "sue",
        "sue",
        EVERYTHING,
        "administers ann/vault, and is suspended",
    ),
    login(
        "reading",
        "ann",
        &["repo:read", "user:read"],
        "ann, with a token that reads",
    ),
    login(
        "profile",
        "ann",
        &["user:write"],
        "ann, with a token for her profile alone",
    ),
    Login {
        lives: -3600,
        ..login("late", "ann", EVERYTHING, "ann, with a token that expired")
    },
    Login {
        role: "moderator",
        ..login("mo", "mo", &[], "a moderator")
    },
    Login {
        role: "admin",
        ..login("root", "root", &[], "an administrator who just logged in")
    },
    Login {
        role: "admin",
        at: 7200,
        ..login(
            "stale",
            "root",
            &[],
            "an administrator, two hours after the login",
        )
    },
];

/// The usual login: a moment ago, with a token for an hour, and without a role.
const fn login(
    name: &'static str,
    subject: &'static str,
    scopes: &'static [&'static str],
    about: &'static str,
) -> Login {
    Login {
        name,
        subject,
        about,
        scopes,
        role: "",
        at: 0,
        lives: 3600,
    }
}

/// All callers of the tour and of the matrix, with credentials for an hour.
pub(super) fn people(database: &Database, authority: &Authority) -> Result<Vec<Person>> {
    let anonymous = Person {
        name: "anonymous",
        about: "a visitor",
        identity: None,
        authorization: None,
    };
    let mut people = vec![anonymous];
    people.extend(LOGINS.iter().map(|login| with_login(login, authority)));
    let hour = Duration::from_secs(3600);
    let about = "a program of ann's, with a personal token";
    people.push(with_personal_token("bot", about, database, hour)?);
    let about = "the same program, with a token that expired";
    people.push(with_personal_token(
        "late_bot",
        about,
        database,
        Duration::ZERO,
    )?);
    Ok(people)
}

fn with_login(login: &Login, authority: &Authority) -> Person {
    let at = SystemTime::now() - Duration::from_secs(login.at);
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    let roles: Vec<&str> = [login.role]
        .into_iter()
        .filter(|role| !role.is_empty())
        .collect();
    let token = authority.sign(
        login.subject,
        AUDIENCE,
        login.lives,
        &json!({
            "scope": login.scopes.join(" "),
            "roles": roles,
            "auth_time": since.unwrap_or_default().as_secs(),
        }),
    );
    let identity = Identity::new(login.subject)
        .with_scopes(login.scopes.iter().copied())
        .with_roles(roles)
        .with_auth_time(at);
    Person {
        name: login.name,
        about: login.about,
        identity: (login.lives > 0).then_some(identity),
        authorization: Some(format!("Bearer {token}")),
    }
}

/// A program of ann's, which sends a personal token in place of a password.
fn with_personal_token(
    name: &'static str,
    about: &'static str,
    database: &Database,
    lives: Duration,
) -> Result<Person> {
    let scopes = ["repo:read", "issue:write"];
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let token = format!("forge_{}", URL_SAFE_NO_PAD.encode(random));
    let hash: [u8; 32] = Sha256::digest(&token).into();
    let expires = SystemTime::now().duration_since(UNIX_EPOCH)? + lives;
    let expires = i64::try_from(expires.as_secs())?;
    let sql = "INSERT INTO tokens (account, name, hash, scopes, expires)
               SELECT id, ?1, ?2, ?3, ?4 FROM accounts WHERE login = 'ann'";
    let database = database.lock().unwrap_or_else(PoisonError::into_inner);
    database.execute(sql, (name, hash, scopes.join(" "), expires))?;
    let credentials = STANDARD.encode(format!("ann:{token}"));
    let identity = Identity::new("ann").with_scopes(scopes);
    Ok(Person {
        name,
        about,
        identity: (!lives.is_zero()).then_some(identity),
        authorization: Some(format!("Basic {credentials}")),
    })
}
