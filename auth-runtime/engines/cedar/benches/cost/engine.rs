//! Questions through the engine.

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, EntitiesFuture, Entity, EntityLoader, EntityUid, Evaluation, EvaluationRequest,
    ObjectDecision, Resource, Value,
};
use auth_runtime_cedar::Cedar;

use crate::service::{POLICIES, Repo, SCHEMA, repos_with_ids, teams_of};

pub(crate) struct Engine {
    plain: Cedar,
    loading: Cedar,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let builder = || Cedar::builder().policies(POLICIES).schema(SCHEMA);
        Self {
            plain: builder().build().unwrap(),
            loading: builder().entities(Repositories).build().unwrap(),
        }
    }

    pub(crate) async fn with_properties(&self, ann: &Identity, rows: &[Repo]) -> Vec<bool> {
        let questions = rows.iter().map(|row| {
            let resource = Resource::new("Repository", row.id.as_str())
                .with_property("owner", Value::Reference("User".into(), row.owner.into()))
                .with_property("team", Value::Reference("Team".into(), row.team.into()))
                .with_property("public", row.is_public);
            Evaluation::new("read", resource)
        });
        ask(&self.plain, ann, questions.collect()).await
    }

    pub(crate) async fn with_loader(&self, ann: &Identity, rows: &[Repo]) -> Vec<bool> {
        let questions = rows.iter().map(|row| {
            let resource = Resource::new("Repository", row.id.as_str());
            Evaluation::new("read", resource)
        });
        ask(&self.loading, ann, questions.collect()).await
    }
}

async fn ask(cedar: &Cedar, ann: &Identity, questions: Vec<Evaluation>) -> Vec<bool> {
    let decisions = cedar
        .evaluate(EvaluationRequest::new(ann, &questions))
        .await;
    let decisions = decisions.unwrap();
    decisions.iter().map(ObjectDecision::is_allowed).collect()
}

/// Loads the teams of the caller, and repositories.
struct Repositories;

impl EntityLoader for Repositories {
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        Box::pin(async move {
            let of_type = |kind: &'static str| {
                let own = wanted.iter().filter(move |own| own.entity_type() == kind);
                own.map(EntityUid::id)
            };
            let ids: Vec<&str> = of_type("Repository").collect();
            let repos = repos_with_ids(&ids).await.into_iter().map(|row| {
                Entity::new("Repository", row.id)
                    .with_property("owner", Value::Reference("User".into(), row.owner.into()))
                    .with_property("team", Value::Reference("Team".into(), row.team.into()))
                    .with_property("public", row.is_public)
            });
            let mut entities: Vec<Entity> = repos.collect();
            for user in of_type("User") {
                let teams = teams_of(user).await.iter();
                let entity = Entity::new("User", user);
                let entity = teams.fold(entity, |entity, team| entity.with_parent("Team", *team));
                // A table of members has no row for a user without teams.
                if !entity.parents().is_empty() {
                    entities.push(entity);
                }
            }
            Ok(entities)
        })
    }
}
