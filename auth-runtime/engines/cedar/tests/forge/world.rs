//! The data of the service, its policies, and the same rules in Rust.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth_runtime::Identity;
use auth_runtime::objects::{
    EntitiesFuture, Entity, EntityLoader, EntityUid, Evaluation, Resource, Value,
};
use auth_runtime_cedar::Cedar;

pub(crate) const SCHEMA: &str = r#"
    entity Role;
    entity Organization { suspended: Bool };
    entity Team in [Organization];
    entity User in [Role, Team] { scopes: Set<String>, acr?: String };
    entity Repository {
        owner: User,
        public: Bool,
        archived: Bool,
        collaborators: Set<User>,
        maintainers?: Team,
        organization?: Organization,
    };
    entity Service;

    type Surroundings = { method: String, ip?: ipaddr, time: Long };
    action read, update, delete appliesTo {
        principal: User, resource: Repository, context: Surroundings
    };
    action create appliesTo { principal: User, resource: Service, context: Surroundings };
"#;

pub(crate) const POLICIES: &str = r#"
    @id("public")
    permit (principal, action == Action::"read", resource) when { resource.public };

    @id("owners")
    permit (principal, action, resource is Repository) when { resource.owner == principal };

    @id("collaborators")
    permit (principal, action in [Action::"read", Action::"update"], resource)
    when { resource.collaborators.contains(principal) };

    @id("maintainers")
    permit (principal, action in [Action::"read", Action::"update"], resource)
    when { resource has maintainers && principal in resource.maintainers };

    @id("members")
    permit (principal, action == Action::"read", resource)
    when { resource has organization && principal in resource.organization };

    @id("admins")
    permit (principal in Role::"admin", action, resource);

    @id("creators")
    permit (principal, action == Action::"create", resource == Service::"forge")
    when { principal.scopes.contains("repo:write") };

    @id("archived")
    forbid (principal, action == Action::"update", resource) when { resource.archived };

    @id("suspended")
    forbid (principal, action, resource is Repository)
    when { resource has organization && resource.organization.suspended }
    unless { principal in Role::"admin" };

    @id("scopes")
    forbid (principal, action in [Action::"update", Action::"delete"], resource)
    unless { principal.scopes.contains("repo:write") };

    @id("strong login")
    forbid (principal, action == Action::"delete", resource)
    unless { principal has acr && principal.acr == "gold" };

    @id("office")
    forbid (principal, action == Action::"delete", resource)
    when { context has ip && !context.ip.isInRange(ip("10.0.0.0/8")) };
"#;

pub(crate) const ACTIONS: [&str; 3] = ["read", "update", "delete"];

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) users: Vec<User>,
    /// The organization of each team.
    pub(crate) teams: Vec<usize>,
    /// Whether each organization is suspended.
    pub(crate) organizations: Vec<bool>,
    pub(crate) repositories: Vec<Repository>,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) teams: BTreeSet<usize>,
    pub(crate) is_admin: bool,
    pub(crate) can_write: bool,
    pub(crate) acr: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) id: String,
    pub(crate) owner: usize,
    pub(crate) is_public: bool,
    pub(crate) is_archived: bool,
    pub(crate) collaborators: BTreeSet<usize>,
    pub(crate) maintainers: Option<usize>,
    pub(crate) organization: Option<usize>,
}

impl World {
    pub(crate) fn identity(&self, user: usize) -> Identity {
        let user = &self.users[user];
        let mut identity = Identity::new(user.id.as_str());
        if user.is_admin {
            identity = identity.with_roles(["admin"]);
        }
        if user.can_write {
            identity = identity.with_scopes(["repo:write"]);
        }
        match user.acr {
            Some(acr) => identity.with_acr(acr),
            None => identity,
        }
    }

    /// Every action on every repository.
    pub(crate) fn questions(&self) -> Vec<Evaluation> {
        let repositories = self.repositories.iter();
        let questions = repositories.flat_map(|repository| {
            ACTIONS.map(|action| {
                Evaluation::new(action, Resource::new("Repository", repository.id.as_str()))
            })
        });
        questions.collect()
    }

    /// The rules in Rust: whether the action is allowed, and the policies that determine this.
    pub(crate) fn decide(
        &self,
        user: usize,
        action: &str,
        repository: &Repository,
        is_in_office: Option<bool>,
    ) -> (bool, Option<String>) {
        let own = &self.users[user];
        let is_member = |organization: usize| {
            let mut teams = own.teams.iter();
            teams.any(|team| self.teams[*team] == organization)
        };
        let reads_or_updates = matches!(action, "read" | "update");
        let permits = [
            ("public", action == "read" && repository.is_public),
            ("owners", repository.owner == user),
            (
                "collaborators",
                reads_or_updates && repository.collaborators.contains(&user),
            ),
            (
                "maintainers",
                reads_or_updates
                    && repository
                        .maintainers
                        .is_some_and(|team| own.teams.contains(&team)),
            ),
            (
                "members",
                action == "read" && repository.organization.is_some_and(is_member),
            ),
            ("admins", own.is_admin),
        ];
        let is_suspended = |organization: usize| self.organizations[organization];
        let forbids = [
            ("archived", action == "update" && repository.is_archived),
            (
                "suspended",
                repository.organization.is_some_and(is_suspended) && !own.is_admin,
            ),
            (
                "scopes",
                matches!(action, "update" | "delete") && !own.can_write,
            ),
            (
                "strong login",
                action == "delete" && own.acr != Some("gold"),
            ),
            ("office", action == "delete" && is_in_office == Some(false)),
        ];
        let of = |rules: &[(&str, bool)]| {
            let mut names: Vec<String> = rules
                .iter()
                .filter(|(_, applies)| *applies)
                .map(|(name, _)| (*name).to_owned())
                .collect();
            names.sort();
            names.join(", ")
        };
        match (of(&permits), of(&forbids)) {
            (permits, forbids) if !permits.is_empty() && forbids.is_empty() => {
                (true, Some(permits))
            }
            (_, forbids) if !forbids.is_empty() => (false, Some(forbids)),
            _ => (false, None),
        }
    }

    fn load(&self, wanted: &EntityUid) -> Option<Entity> {
        let (kind, id) = (wanted.entity_type(), wanted.id());
        let entity = Entity::new(kind.to_owned(), id);
        let number = || id.parse::<usize>().ok();
        match kind {
            "User" => {
                let user = self.users.iter().find(|user| user.id == id)?;
                let teams = user.teams.iter();
                // Identities have the scopes. Those of other users are not known.
                let entity = entity.with_property("scopes", Vec::<String>::new());
                Some(teams.fold(entity, |entity, team| {
                    entity.with_parent("Team", team.to_string())
                }))
            }
            "Team" => {
                let organization = self.teams.get(number()?)?;
                Some(entity.with_parent("Organization", organization.to_string()))
            }
            "Organization" => {
                let suspended = *self.organizations.get(number()?)?;
                Some(entity.with_property("suspended", suspended))
            }
            "Repository" => {
                let mut repositories = self.repositories.iter();
                let repository = repositories.find(|repository| repository.id == id)?;
                let user = |user: &usize| reference("User", &self.users[*user].id);
                let collaborators = repository.collaborators.iter().map(user);
                let mut entity = entity
                    .with_property("owner", user(&repository.owner))
                    .with_property("public", repository.is_public)
                    .with_property("archived", repository.is_archived)
                    .with_property("collaborators", collaborators.collect::<Vec<_>>())
                    // The schema does not declare it, so it is left out.
                    .with_property("stars", 7);
                if let Some(team) = repository.maintainers {
                    let team = reference("Team", &team.to_string());
                    entity = entity.with_property("maintainers", team);
                }
                if let Some(organization) = repository.organization {
                    let organization = reference("Organization", &organization.to_string());
                    entity = entity.with_property("organization", organization);
                }
                Some(entity)
            }
            _ => None,
        }
    }
}

pub(crate) fn reference(kind: &'static str, id: &str) -> Value {
    Value::Reference(kind.into(), id.to_owned())
}

/// Loads from the data, and counts.
#[derive(Clone, Default)]
pub(crate) struct Database {
    pub(crate) world: Arc<World>,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) asked: Arc<Mutex<Vec<EntityUid>>>,
}

impl Database {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: Arc::new(world),
            ..Self::default()
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn cedar(&self) -> Cedar {
        Cedar::builder()
            .policies(POLICIES)
            .schema(SCHEMA)
            .entities(self.clone())
            .build()
            .expect("valid policies")
    }
}

impl EntityLoader for Database {
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.asked.lock().unwrap().extend(wanted.iter().cloned());
            let found = wanted.iter().filter_map(|wanted| self.world.load(wanted));
            Ok(found.collect())
        })
    }
}
