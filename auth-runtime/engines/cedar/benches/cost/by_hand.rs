//! The same questions to `cedar-policy`, as an experienced engineer writes it for this service.

use std::collections::{HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::Identity;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression, Schema,
};

use crate::service::{POLICIES, Repo, SCHEMA, repos_with_ids, teams_of};

/// The parts that are prepared at start.
pub(crate) struct ByHand {
    schema: Schema,
    policies: PolicySet,
    authorizer: Authorizer,
    user: EntityTypeName,
    role: EntityTypeName,
    team: EntityTypeName,
    repository: EntityTypeName,
    read: EntityUid,
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

impl ByHand {
    pub(crate) fn new() -> Self {
        let name = |name: &str| name.parse::<EntityTypeName>().unwrap();
        Self {
            schema: Schema::from_cedarschema_str(SCHEMA).unwrap().0,
            policies: POLICIES.parse().unwrap(),
            authorizer: Authorizer::new(),
            user: name("User"),
            role: name("Role"),
            team: name("Team"),
            repository: name("Repository"),
            read: uid(&name("Action"), "read"),
        }
    }

    pub(crate) fn with_rows(&self, ann: &Identity, rows: &[Repo]) -> Vec<bool> {
        self.decide(ann, &[], rows)
    }

    pub(crate) async fn with_loader(&self, ann: &Identity, asked: &[Repo]) -> Vec<bool> {
        let ids: Vec<&str> = asked.iter().map(|row| row.id.as_str()).collect();
        let rows = repos_with_ids(&ids).await;
        let teams = teams_of(ann.subject()).await;
        self.decide(ann, teams, &rows)
    }

    fn decide(&self, ann: &Identity, teams: &[&str], rows: &[Repo]) -> Vec<bool> {
        let principal = uid(&self.user, ann.subject());
        let mut entities = Vec::with_capacity(rows.len() + 1);
        entities.push(self.caller(ann, teams, principal.clone()));
        entities.extend(rows.iter().map(|row| self.object(row)));
        let entities = Entities::from_entities(entities, Some(&self.schema)).unwrap();
        let context = self.context();
        let decisions = rows.iter().map(|row| {
            let request = Request::new(
                principal.clone(),
                self.read.clone(),
                uid(&self.repository, &row.id),
                context.clone(),
                Some(&self.schema),
            );
            let request = request.unwrap();
            let authorizer = &self.authorizer;
            let response = authorizer.is_authorized(&request, &self.policies, &entities);
            assert!(response.diagnostics().errors().next().is_none());
            response.decision() == Decision::Allow
        });
        decisions.collect()
    }

    fn caller(&self, ann: &Identity, teams: &[&str], principal: EntityUid) -> Entity {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let scopes = RestrictedExpression::new_set(ann.scopes().map(text));
        let roles = ann.roles().map(|role| uid(&self.role, role));
        let teams = teams.iter().map(|team| uid(&self.team, team));
        let parents: HashSet<EntityUid> = roles.chain(teams).collect();
        let attributes = HashMap::from([("scopes".to_owned(), scopes)]);
        Entity::new(principal, attributes, parents).unwrap()
    }

    fn object(&self, row: &Repo) -> Entity {
        let reference = RestrictedExpression::new_entity_uid;
        let attributes = HashMap::from([
            ("owner".to_owned(), reference(uid(&self.user, row.owner))),
            ("team".to_owned(), reference(uid(&self.team, row.team))),
            (
                "public".to_owned(),
                RestrictedExpression::new_bool(row.is_public),
            ),
        ]);
        Entity::new(uid(&self.repository, &row.id), attributes, HashSet::new()).unwrap()
    }

    fn context(&self) -> Context {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let time = i64::try_from(time.as_secs()).unwrap();
        let pairs = [
            (
                "method".to_owned(),
                RestrictedExpression::new_string("GET".to_owned()),
            ),
            ("time".to_owned(), RestrictedExpression::new_long(time)),
        ];
        Context::from_pairs(pairs).unwrap()
    }
}
