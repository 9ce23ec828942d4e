//! The access matrix: a request of every persona for every route, each on an unchanged forge.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use auth_forge::{Database, routes};
use auth_runtime::objects::DecisionPoint;
use auth_runtime::schemes::SignedUrls;
use auth_runtime::{Caller, Identity};
use auth_runtime_audit::{AccessMatrix, Persona};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::people::{PLACES, Person};
use super::{Demo, Result};

const OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 20, 0, 7));
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// The bodies of requests that create or change something.
#[rustfmt::skip]
const BODIES: &[(Method, &str, &str)] = &[
    (Method::PATCH, "/user", r#"{"bio": "draws maps"}"#),
    (Method::POST, "/user/tokens", r#"{"name": "x", "scopes": ["gist"], "days": 1}"#),
    (Method::POST, "/user/repos", r#"{"name": "draft", "visibility": "private"}"#),
    (Method::PATCH, "/repos/{owner}/{repo}", r#"{"description": "Hush"}"#),
    (Method::PUT, "/repos/{owner}/{repo}/collaborators/{login}", r#"{"level": "admin"}"#),
    (Method::POST, "/repos/{owner}/{repo}/keys", r#"{"title": "new", "key": "ssh-ed25519 AAAA"}"#),
    (Method::POST, "/repos/{owner}/{repo}/hooks", r#"{"url": "https://x.example", "event": "push"}"#),
    (Method::POST, "/repos/{owner}/{repo}/issues", r#"{"title": "It squeaks"}"#),
    (Method::PATCH, "/repos/{owner}/{repo}/issues/{number}", r#"{"state": "closed"}"#),
    (Method::POST, "/repos/{owner}/{repo}/issues/{number}/comments", r#"{"body": "Thanks."}"#),
    (Method::PATCH, "/repos/{owner}/{repo}/comments/{comment}", r#"{"body": "Thank you."}"#),
    (Method::POST, "/repos/{owner}/{repo}/labels", r#"{"name": "bell", "color": "00ff00"}"#),
    (Method::POST, "/repos/{owner}/{repo}/pulls", r#"{"title": "Oil", "head": "oil", "base": "main"}"#),
    (Method::POST, "/repos/{owner}/{repo}/releases", r#"{"tag": "v2"}"#),
    (Method::POST, "/orgs", r#"{"login": "smiths"}"#),
    (Method::PATCH, "/orgs/{org}", r#"{"bio": "since 1347"}"#),
    (Method::PUT, "/orgs/{org}/members/{login}", r#"{"role": "member"}"#),
    (Method::POST, "/orgs/{org}/repos", r#"{"name": "seal", "visibility": "private"}"#),
    (Method::POST, "/orgs/{org}/teams", r#"{"slug": "smiths"}"#),
    (Method::PUT, "/orgs/{org}/teams/{team}/repos/{repo}", r#"{"level": "write"}"#),
    (Method::POST, "/gists", r#"{"name": "new.txt", "content": "…", "is_secret": true}"#),
    (Method::PATCH, "/gists/{gist}", r#"{"content": "… and more"}"#),
    (Method::PUT, "/admin/settings/motd", r#"{"text": "be brief"}"#),
    (Method::PUT, "/admin/settings/maintenance", r#"{"on": true}"#),
];

/// The repositories that are requested: a public one, a private one with collaborators, and a private one of
/// an organization, to which a team may write.
const REPOSITORIES: &[&str] = &["ann/atlas", "ann/vault", "guild/ledger"];

/// The targets with a query, and those of routes that need another value than the parameter has
/// elsewhere.
const TARGETS: &[(&str, &str)] = &[
    (
        "/repos/{owner}/{repo}/issues/{number}",
        "/repos/{owner}/{repo}/issues/1",
    ),
    ("/search/issues", "/search/issues?q=door"),
    ("/search/repositories", "/search/repositories?q=maps"),
    ("/search/users", "/search/users?q=ra"),
];

impl Demo {
    /// Requests every route as every persona, each time with the present state of the forge, with the decisions
    /// of `engine`.
    pub(crate) async fn access_matrix(&self, engine: impl DecisionPoint) -> Result<AccessMatrix> {
        let space = self.space(engine)?;
        let app = self.forge.app(space.clone())?;
        let table = routes().access_table();
        let mut matrix = AccessMatrix::builder(&table, &space);
        for person in &self.people {
            let in_office = persona(person.name(), person).described(person.about());
            matrix = matrix.persona(in_office.with_address(OFFICE));
            if person.name() == "root" {
                let at_home =
                    persona("root at home", person).described("the same, outside the office");
                matrix = matrix.persona(at_home.with_address(HOME));
            }
        }
        matrix = matrix.persona(link(&self.links));
        for repository in REPOSITORIES {
            matrix = matrix.object("Repository", *repository);
        }
        for (name, value) in PLACES {
            matrix = matrix.path_value(*name, *value);
        }
        for (path, target) in TARGETS {
            matrix = matrix.target(*path, *target);
        }
        for (method, path, body) in BODIES {
            matrix = matrix.body(method.clone(), *path, "application/json", *body);
        }
        let at_first: Database = Arc::new(Connection::open_in_memory()?.into());
        copy(&self.database, &at_first)?;
        let database = Arc::clone(&self.database);
        matrix = matrix.before_each(move || {
            // If the state was not restored, the matrix shows it.
            if let Err(error) = copy(&at_first, &database) {
                tracing::error!(%error, "the forge was not brought back");
            }
            std::future::ready(())
        });
        Ok(matrix.send(&app).await?)
    }
}

/// Replaces a whole database by a copy of another one.
fn copy(from: &Database, to: &Database) -> rusqlite::Result<()> {
    let from = from.lock().unwrap_or_else(PoisonError::into_inner);
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    Backup::new(&from, &mut to)?.step(-1)?;
    Ok(())
}

fn persona(name: &str, person: &Person) -> Persona {
    let persona = match (person.identity(), person.authorization()) {
        (Some(identity), _) => Persona::known(name, identity.clone()),
        (None, Some(_)) => Persona::rejected(name),
        (None, None) => Persona::named(name, Caller::Anonymous),
    };
    match person.authorization() {
        Some(authorization) => persona.header(AUTHORIZATION, authorization),
        None => persona,
    }
}

/// Creates a persona that follows a link of ann: to a file of `ann/vault`, and to all other routes.
fn link(links: &SignedUrls) -> Persona {
    let identity = Identity::new("ann").with_scopes(["asset:download"]);
    let (links, signer) = (links.clone(), identity.clone());
    let link = Persona::known("link", identity).described("follows a link that ann made");
    link.each_request(move |head| {
        let target = head.uri.to_string();
        let signed = links.sign(&head.method, &target, Duration::from_secs(60), &signer);
        // If the link could not be signed, the matrix shows it.
        if let Some(signed) = signed.ok().and_then(|signed| signed.parse().ok()) {
            head.uri = signed;
        }
    })
}
