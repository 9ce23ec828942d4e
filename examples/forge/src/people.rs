//! Who calls: people with an account each, and what they hold.

use std::time::{Duration, SystemTime};

use auth_examples::Authority;
use auth_runtime::Identity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::{AUDIENCE, Forge, Result, tokens};

/// Somebody who calls.
pub struct Person {
    name: &'static str,
    about: &'static str,
    identity: Option<Identity>,
    authorization: Option<String>,
}

impl Person {
    /// What he is called in a tour or in a table.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Who that is.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Whom the forge takes him for; `None` for nobody, and for whoever comes with bad credentials.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// What he sends in `Authorization`; `None` for nobody.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

/// What stands in paths to name something that is there, and that most people may not see: `ann/vault`, and
/// what is in it.
pub const PLACES: &[(&str, &str)] = &[
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

/// All that one token can hold; no role among it.
const EVERYTHING: &[&str] = &["repo:admin", "user:write", "org:write", "gist"];

/// An access token of somebody.
struct Login {
    name: &'static str,
    subject: &'static str,
    about: &'static str,
    scopes: &'static [&'static str],
    role: &'static str,
    /// How long ago, in seconds.
    at: u64,
    /// In seconds.
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

/// The usual: somebody who just logged in, with a token for an hour, and no role.
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

/// Everybody who calls in the tour and in the matrix, with credentials that are good for an hour.
///
/// # Errors
///
/// The system has no randomness to give.
pub async fn personas(forge: &Forge, authority: &Authority) -> Result<Vec<Person>> {
    let nobody = Person {
        name: "nobody",
        about: "somebody who passes by",
        identity: None,
        authorization: None,
    };
    let mut people = vec![nobody];
    people.extend(LOGINS.iter().map(|login| with_login(login, authority)));
    let hour = Duration::from_secs(3600);
    let about = "a program of ann's, with a personal token";
    people.push(with_personal_token("bot", about, forge, hour).await?);
    let about = "the same program, with a token that expired";
    people.push(with_personal_token("late_bot", about, forge, Duration::ZERO).await?);
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

/// A program of ann's: it sends a personal token where people send a password.
async fn with_personal_token(
    name: &'static str,
    about: &'static str,
    forge: &Forge,
    lives: Duration,
) -> Result<Person> {
    let scopes = ["repo:read", "issue:write"];
    let token = tokens::issue(&forge.store, "ann", name, &scopes, lives).await?;
    let credentials = STANDARD.encode(format!("ann:{token}"));
    let identity = Identity::new("ann").with_scopes(scopes);
    Ok(Person {
        name,
        about,
        identity: (!lives.is_zero()).then_some(identity),
        authorization: Some(format!("Basic {credentials}")),
    })
}
