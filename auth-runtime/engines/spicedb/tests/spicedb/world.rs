//! Users, teams, organizations and repositories at random, and a function that decides about them.

use std::collections::BTreeSet;

use crate::writes::{Relationship, id, relationship};

pub(crate) const SCHEMA: &str = "
definition user {}

definition team {
    relation member: user | team#member
}

definition organization {
    relation owner: user
    relation staff: team
    permission admin = owner
    permission member = owner + staff->member
}

definition repository {
    relation organization: organization
    relation writer: user | team#member
    relation reader: user | user:* | team#member
    relation banned: user
    permission write = (writer + organization->admin) - banned
    permission read = (reader + writer + organization->member) - banned
}
";

/// Also ids that SpiceDB does not allow, and pairs that a lossy form would confuse.
pub(crate) const USERS: [&str; 14] = [
    "ann",
    "bob",
    "Ann",
    "auth0|7f3a",
    "ann@example.org",
    "ann=40example=2Eorg",
    "ann.example.org",
    "ä",
    "=C3=A4",
    "team:0#member",
    "a b",
    "**",
    "*",
    "",
];
pub(crate) const REPOSITORIES: [&str; 12] = [
    "ann/garden",
    "ann/garden.rs",
    "ann/garden=2Ers",
    "bob/site",
    "bob/Site",
    "x*",
    "r\u{301}",
    "r'--",
    "organization:0",
    "a+b=c",
    "*",
    "",
];
const TEAMS: usize = 5;
const ORGANIZATIONS: usize = 3;

type Set = BTreeSet<usize>;

#[derive(Default)]
struct Team {
    users: Set,
    /// Teams with a higher number, so that no team contains itself.
    teams: Set,
}

#[derive(Default)]
struct Organization {
    owners: Set,
    teams: Set,
}

#[derive(Default)]
struct Repository {
    organization: Option<usize>,
    writers: Set,
    writing_teams: Set,
    readers: Set,
    reading_teams: Set,
    is_public: bool,
    banned: Set,
}

pub(crate) struct World {
    teams: Vec<Team>,
    organizations: Vec<Organization>,
    repositories: Vec<Repository>,
}

/// Pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// Some numbers of the range, each with the probability `1 / one_in`.
    fn some(&mut self, range: std::ops::Range<usize>, one_in: u64) -> Set {
        range.filter(|_| self.below(one_in) == 0).collect()
    }
}

/// Returns whether relationships with the object can be written.
fn is_writable(id: &str) -> bool {
    !matches!(id, "" | "*")
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let users = 0..USERS.len();
        let teams = (0..TEAMS).map(|number| Team {
            users: random.some(users.clone(), 5),
            teams: random.some(number + 1..TEAMS, 4),
        });
        let teams = teams.collect();
        let organizations = (0..ORGANIZATIONS).map(|_| Organization {
            owners: random.some(users.clone(), 8),
            teams: random.some(0..TEAMS, 4),
        });
        let organizations = organizations.collect();
        let repositories = REPOSITORIES.iter().map(|_| Repository {
            organization: Some(random.below(5) as usize).filter(|number| *number < ORGANIZATIONS),
            writers: random.some(users.clone(), 10),
            writing_teams: random.some(0..TEAMS, 8),
            readers: random.some(users.clone(), 10),
            reading_teams: random.some(0..TEAMS, 8),
            is_public: random.below(5) == 0,
            banned: random.some(users.clone(), 12),
        });
        let repositories = repositories.collect();
        Self {
            teams,
            organizations,
            repositories,
        }
    }

    pub(crate) fn relationships(&self) -> Vec<Relationship> {
        let mut found = Vec::new();
        let mut add = |object: String, relation: &str, subject: String| {
            found.push(relationship(&format!("{object}#{relation}@{subject}")));
        };
        let users = |numbers: &Set| {
            let ids = numbers
                .iter()
                .map(|number| USERS[*number])
                .filter(|id| is_writable(id));
            ids.map(|user| format!("user:{}", id(user)))
                .collect::<Vec<_>>()
        };
        let members = |numbers: &Set| {
            let teams = numbers.iter().map(|number| format!("team:{number}#member"));
            teams.collect::<Vec<_>>()
        };
        for (number, team) in self.teams.iter().enumerate() {
            for subject in users(&team.users).into_iter().chain(members(&team.teams)) {
                add(format!("team:{number}"), "member", subject);
            }
        }
        for (number, organization) in self.organizations.iter().enumerate() {
            let object = format!("organization:{number}");
            for subject in users(&organization.owners) {
                add(object.clone(), "owner", subject);
            }
            for team in &organization.teams {
                add(object.clone(), "staff", format!("team:{team}"));
            }
        }
        for (repository, name) in self.repositories.iter().zip(REPOSITORIES) {
            if !is_writable(name) {
                continue;
            }
            let object = format!("repository:{}", id(name));
            if let Some(number) = repository.organization {
                add(
                    object.clone(),
                    "organization",
                    format!("organization:{number}"),
                );
            }
            for subject in users(&repository.writers)
                .into_iter()
                .chain(members(&repository.writing_teams))
            {
                add(object.clone(), "writer", subject);
            }
            for subject in users(&repository.readers)
                .into_iter()
                .chain(members(&repository.reading_teams))
            {
                add(object.clone(), "reader", subject);
            }
            if repository.is_public {
                add(object.clone(), "reader", "user:*".to_owned());
            }
            for subject in users(&repository.banned) {
                add(object.clone(), "banned", subject);
            }
        }
        found
    }

    fn is_member(&self, user: usize, teams: &Set) -> bool {
        teams.iter().any(|number| {
            let team = &self.teams[*number];
            team.users.contains(&user) || self.is_member(user, &team.teams)
        })
    }

    pub(crate) fn may(&self, user: usize, action: &str, repository: usize) -> bool {
        if !is_writable(USERS[user]) || !is_writable(REPOSITORIES[repository]) {
            return false;
        }
        let repository = &self.repositories[repository];
        let organization = repository
            .organization
            .map(|number| &self.organizations[number]);
        let is_owner = organization.is_some_and(|found| found.owners.contains(&user));
        let is_staff = organization.is_some_and(|found| self.is_member(user, &found.teams));
        let is_writer =
            repository.writers.contains(&user) || self.is_member(user, &repository.writing_teams);
        let is_reader = repository.is_public
            || repository.readers.contains(&user)
            || self.is_member(user, &repository.reading_teams);
        let may = match action {
            "update" => is_writer || is_owner,
            "read" => is_reader || is_writer || is_owner || is_staff,
            _ => panic!("{action}"),
        };
        may && !repository.banned.contains(&user)
    }
}
