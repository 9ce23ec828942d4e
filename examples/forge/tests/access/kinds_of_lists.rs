//! Engines that name the objects of a list in different ways.

use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationFuture, EvaluationRequest, ObjectDecision, Permitted,
    PermittedFuture, Resource,
};
use auth_runtime_cedar::Cedar;

use crate::lists::{all, assert_lists_agree, fill};
use crate::support::Demo;
use crate::world::World;

/// The decisions of Cedar, about single objects only.
struct PerObject(Cedar);

impl DecisionPoint for PerObject {
    fn name(&self) -> &'static str {
        "per object"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        self.0.evaluate(request)
    }
}

/// The decisions of Cedar, with lists of ids.
struct ByIds(Cedar, Vec<String>);

impl DecisionPoint for ByIds {
    fn name(&self) -> &'static str {
        "by ids"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        self.0.evaluate(request)
    }

    fn permitted<'r>(
        &'r self,
        action: &'r str,
        kind: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        Box::pin(async move {
            let question = |id: &String| {
                let resource = Resource::new(kind.to_owned(), id.as_str());
                Evaluation::new(action.to_owned(), resource)
            };
            let questions: Vec<Evaluation> = self.1.iter().map(question).collect();
            let mut request = request;
            request.evaluations = &questions;
            let decisions = self.0.evaluate(request).await?;
            let ids = self.1.iter().zip(&decisions);
            let ids = ids.filter(|(_, decision)| ObjectDecision::is_allowed(decision));
            Ok(Permitted::Ids(ids.map(|(id, _)| id.clone()).collect()))
        })
    }
}

async fn forge_with<D: DecisionPoint>(engine: impl FnOnce(Cedar) -> D) -> World {
    let demo = Demo::new().expect("the database is filled");
    let cedar = demo.forge.cedar().expect("valid policies");
    let world = World::with(&demo, engine(cedar));
    fill(&world).await;
    world
}

#[tokio::test]
async fn all_kinds_of_lists_are_equal() {
    let by_condition = forge_with(|cedar| cedar).await;
    assert_lists_agree(&by_condition, &by_condition).await;
    let per_object = forge_with(PerObject).await;
    assert_lists_agree(&per_object, &by_condition).await;
    let by_ids = forge_with(|cedar| ByIds(cedar, all())).await;
    assert_lists_agree(&by_ids, &by_condition).await;
}
