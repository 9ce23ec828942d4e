//! Decisions of a real Cerbos, by three policies: the owner may update, everybody may read public documents,
//! administrators may do everything.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, also in its helpers"
)]

#[path = "../../../../../tests/src/ports.rs"]
mod ports;
mod server;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, Evaluation, EvaluationRequest, ObjectDecision, Resource,
};
use auth_runtime_authzen::{AuthZen, AuthZenBuilder};

use crate::server::Cerbos;

const POLICIES: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: Document
  version: default
  rules:
    - name: owner-may-update
      actions: ["update"]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: R.attr.owner == P.id
    - name: everybody-may-read-public
      actions: ["read"]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: R.attr.public == true
    - name: administrators-may-do-everything
      actions: ["*"]
      effect: EFFECT_ALLOW
      roles: ["admin"]
"#;

/// The engine of a server that decides by the policies.
fn engine(cerbos: &Cerbos) -> AuthZenBuilder {
    AuthZen::builder()
        .url(cerbos.url())
        .roles_property("cerbos.roles")
}

fn start() -> Cerbos {
    Cerbos::start(&[("document.yaml", POLICIES)])
}

fn document(owner: &str, is_public: bool) -> Resource {
    Resource::new("Document", format!("{owner}-{is_public}"))
        .with_property("owner", owner)
        .with_property("public", is_public)
}

async fn decide(
    engine: &AuthZen,
    identity: &Identity,
    evaluations: &[Evaluation],
) -> Result<Vec<bool>, String> {
    let decided = engine
        .evaluate(EvaluationRequest::new(identity, evaluations))
        .await;
    let decided = decided.map_err(|error| error.to_string())?;
    Ok(decided.iter().map(ObjectDecision::is_allowed).collect())
}

/// Compares the decisions about all callers, actions and documents with the policies, one by one and all
/// together.
async fn assert_policies_decide(engine: &AuthZen) {
    let callers = [
        (Identity::new("ann"), false),
        (Identity::new("bob").with_roles(["editor"]), false),
        (Identity::new("admin"), false),
        (
            Identity::new("eve")
                .with_scopes(["admin"])
                .with_permissions(["admin"]),
            false,
        ),
        (Identity::new("carl").with_roles(["admin", "editor"]), true),
    ];
    for (caller, is_admin) in callers {
        let (mut evaluations, mut expected) = (Vec::new(), Vec::new());
        for action in ["read", "update", "delete"] {
            for owner in ["ann", "bob", "carl"] {
                for is_public in [true, false] {
                    evaluations.push(Evaluation::new(action, document(owner, is_public)));
                    let is_owner = owner == caller.subject();
                    expected.push(match action {
                        "read" => is_public || is_admin,
                        "update" => is_owner || is_admin,
                        _ => is_admin,
                    });
                }
            }
        }
        evaluations.push(Evaluation::new("read", Resource::new("Unknown", "u1")));
        expected.push(false);
        evaluations.push(Evaluation::new("update", Resource::new("Document", "d1")));
        expected.push(is_admin);
        let together = decide(engine, &caller, &evaluations).await;
        assert_eq!(together.as_ref(), Ok(&expected), "{caller:?}");
        for (evaluation, expected) in evaluations.iter().zip(expected) {
            let alone = decide(engine, &caller, std::slice::from_ref(evaluation)).await;
            assert_eq!(alone, Ok(vec![expected]), "{caller:?} {evaluation:?}");
        }
    }
}

#[tokio::test]
async fn policies_decide() {
    let cerbos = start();
    assert_policies_decide(&engine(&cerbos).build().unwrap()).await;
    let discovered = engine(&cerbos).discover().await.unwrap();
    assert_policies_decide(&discovered).await;
    let endpoint = format!("{}/access/v1/evaluation", cerbos.url());
    assert!(format!("{discovered:?}").contains(&endpoint));
}

/// Cerbos does not know the property `roles`.
#[tokio::test]
async fn roles_need_their_property() {
    let cerbos = start();
    let carl = Identity::new("carl").with_roles(["admin"]);
    let delete = [Evaluation::new("delete", document("ann", true))];
    let with_roles = engine(&cerbos).build().unwrap();
    assert_eq!(decide(&with_roles, &carl, &delete).await, Ok(vec![true]));
    let without = engine(&cerbos).roles_property("roles").build().unwrap();
    assert_eq!(decide(&without, &carl, &delete).await, Ok(vec![false]));
}

#[tokio::test]
async fn too_many_questions_are_an_error_of_one_request() {
    let cerbos = start();
    let bounded = engine(&cerbos).questions_per_request(50).build().unwrap();
    let engine = engine(&cerbos).build().unwrap();
    let ann = Identity::new("ann");
    let question = Evaluation::new("update", document("ann", false));
    let most = vec![question.clone(); 50];
    assert_eq!(decide(&engine, &ann, &most).await, Ok(vec![true; 50]));
    let too_many = vec![question.clone(); 51];
    for _ in 0..10 {
        let error = decide(&engine, &ann, &too_many).await.unwrap_err();
        assert!(error.contains("400"), "{error}");
    }
    assert_eq!(decide(&bounded, &ann, &too_many).await, Ok(vec![true; 51]));
    assert_eq!(decide(&engine, &ann, &[question]).await, Ok(vec![true]));
}

#[tokio::test]
async fn nothing_is_granted_while_it_is_down() {
    let mut cerbos = start();
    let engine = engine(&cerbos).build().unwrap();
    let carl = Identity::new("carl").with_roles(["admin"]);
    let read = [Evaluation::new("read", document("ann", true))];
    let several = [read[0].clone(), read[0].clone()];
    assert_eq!(decide(&engine, &carl, &read).await, Ok(vec![true]));
    cerbos.stop();
    assert!(decide(&engine, &carl, &read).await.is_err());
    assert!(decide(&engine, &carl, &several).await.is_err());
    cerbos.start_again();
    assert_eq!(decide(&engine, &carl, &several).await, Ok(vec![true, true]));
}
