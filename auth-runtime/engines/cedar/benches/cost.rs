//! The time of a question through the engine, compared with `cedar-policy` called by hand:
//! `cargo bench -p auth-runtime-cedar`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a measurement ends by a panic"
)]

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationRequest, ObjectDecision, Resource, Value,
};
use auth_runtime_cedar::Cedar;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression, Schema,
};

const SCHEMA: &str = "
    entity User;
    entity Repository { owner: User, public: Bool };
    action read, update appliesTo { principal: User, resource: Repository };
";
const POLICIES: &str = r#"
    permit (principal, action == Action::"read", resource) when { resource.public };
    permit (principal, action, resource) when { resource.owner == principal };
    forbid (principal, action == Action::"update", resource == Repository::"archive");
"#;

fn best(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..7).map(|_| time(&mut run)).min().unwrap()
}

fn main() {
    let cedar = Cedar::builder()
        .policies(POLICIES)
        .schema(SCHEMA)
        .build()
        .unwrap();
    let schema: Schema = Schema::from_cedarschema_str(SCHEMA).unwrap().0;
    let policies: PolicySet = POLICIES.parse().unwrap();
    let authorizer = Authorizer::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let ann = Identity::new("ann");
    for count in [1, 100, 10_000] {
        let questions: Vec<Evaluation> = (0..count)
            .map(|number| {
                let resource = Resource::new("Repository", format!("r{number}"))
                    .with_property("owner", Value::Reference("User".into(), "ann".to_owned()))
                    .with_property("public", number % 2 == 0);
                Evaluation::new("read", resource)
            })
            .collect();
        let engine = best(|| {
            let request = EvaluationRequest::new(&ann, &questions);
            let decisions = runtime.block_on(cedar.evaluate(request)).unwrap();
            assert!(black_box(decisions).iter().all(ObjectDecision::is_allowed));
        });
        let by_hand = best(|| {
            let user: EntityTypeName = "User".parse().unwrap();
            let repository: EntityTypeName = "Repository".parse().unwrap();
            let action: EntityUid = "Action::\"read\"".parse().unwrap();
            let principal = EntityUid::from_type_name_and_id(user, EntityId::new("ann"));
            let uids = (0..count).map(|number| {
                let id = EntityId::new(format!("r{number}"));
                EntityUid::from_type_name_and_id(repository.clone(), id)
            });
            let uids: Vec<EntityUid> = uids.collect();
            let entities = uids.iter().enumerate().map(|(number, uid)| {
                let owner = RestrictedExpression::new_entity_uid(principal.clone());
                let public = RestrictedExpression::new_bool(number % 2 == 0);
                let attributes =
                    HashMap::from([("owner".to_owned(), owner), ("public".to_owned(), public)]);
                Entity::new(uid.clone(), attributes, HashSet::new()).unwrap()
            });
            let own = Entity::new_no_attrs(principal.clone(), HashSet::new());
            let entities = Entities::from_entities(entities.chain([own]), Some(&schema)).unwrap();
            for uid in uids {
                let context = Context::empty();
                let (principal, action) = (principal.clone(), action.clone());
                let request = Request::new(principal, action, uid, context, Some(&schema)).unwrap();
                let response = authorizer.is_authorized(&request, &policies, &entities);
                assert_eq!(black_box(response).decision(), Decision::Allow);
            }
        });
        let ratio = engine.as_secs_f64() / by_hand.as_secs_f64();
        println!("{count} questions: engine {engine:?}, by hand {by_hand:?}, ratio {ratio:.2}");
    }
}
