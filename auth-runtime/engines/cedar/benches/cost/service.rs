//! A service with repositories of users and teams, and its policies.

use auth_runtime::Identity;

pub(crate) const SCHEMA: &str = "
    entity Role;
    entity Team;
    entity User in [Role, Team] { scopes?: Set<String> };
    entity Repository { owner: User, team: Team, public: Bool };
    action read, update appliesTo {
        principal: User, resource: Repository, context: { method: String, time: Long }
    };
";

pub(crate) const POLICIES: &str = r#"
    @id("public")
    permit (principal, action == Action::"read", resource) when { resource.public };
    @id("owners")
    permit (principal, action, resource) when { resource.owner == principal };
    @id("teams")
    permit (principal, action == Action::"read", resource) when { principal in resource.team };
    @id("auditors")
    permit (principal in Role::"auditor", action == Action::"read", resource)
    when { principal has scopes && principal.scopes.contains("audit") };
    @id("archive")
    forbid (principal, action == Action::"update", resource == Repository::"archive");
"#;

/// A row of a table.
#[derive(Clone)]
pub(crate) struct Repo {
    pub(crate) id: String,
    pub(crate) owner: &'static str,
    pub(crate) team: &'static str,
    pub(crate) is_public: bool,
}

impl Repo {
    /// The expected decision. Only a loader knows the teams of a caller.
    pub(crate) fn is_readable_by_ann(&self, with_loader: bool) -> bool {
        let is_in_team = with_loader && TEAMS_OF_ANN.contains(&self.team);
        self.is_public || self.owner == "ann" || is_in_team
    }
}

const TEAMS_OF_ANN: [&str; 1] = ["core"];

pub(crate) fn ann() -> Identity {
    let ann = Identity::new("ann").with_scopes(["repo:read", "repo:write"]);
    ann.with_roles(["member"])
}

/// The id of a row has its number, by which the "table" finds it without a search.
pub(crate) fn repos(count: usize) -> Vec<Repo> {
    (0..count).map(repo).collect()
}

fn repo(number: usize) -> Repo {
    Repo {
        id: format!("green/r{number}"),
        owner: ["ann", "bob", "cat"][number % 3],
        team: ["core", "docs"][number % 2],
        is_public: number.is_multiple_of(5),
    }
}

/// The query of both sides for repositories.
pub(crate) async fn repos_with_ids(ids: &[&str]) -> Vec<Repo> {
    let number = |id: &&str| id.trim_start_matches("green/r").parse().ok();
    ids.iter().filter_map(number).map(repo).collect()
}

/// The query of both sides for the teams of a user.
pub(crate) async fn teams_of(user: &str) -> &'static [&'static str] {
    match user {
        "ann" => &TEAMS_OF_ANN,
        _ => &[],
    }
}
