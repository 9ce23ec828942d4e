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

/// Cerbos decides all questions about one object by the properties of the first.
#[tokio::test]
async fn one_object_has_one_owner() {
    let cerbos = start();
    let all = engine(&cerbos).build().unwrap();
    let single = engine(&cerbos).questions_per_request(1).build().unwrap();
    let ann = Identity::new("ann");
    let bare = || Resource::new("Document", "d1");
    let (own, other) = (
        bare().with_property("owner", "ann"),
        bare().with_property("owner", "bob"),
    );
    let public = bare().with_property("public", true);
    for engine in [&all, &single] {
        for two in [[&own, &other], [&other, &own]] {
            let questions = two.map(|one| Evaluation::new("update", one.clone()));
            let error = decide(engine, &ann, &questions).await.unwrap_err();
            let expected = "two questions about one `Document` have different values of `owner`";
            assert_eq!(error, expected);
        }
        let questions = [
            Evaluation::new("update", bare()),
            Evaluation::new("update", own.clone()),
            Evaluation::new("read", own.clone()),
            Evaluation::new("update", public.clone()),
        ];
        let decided = decide(engine, &ann, &questions).await;
        assert_eq!(decided, Ok(vec![true; 4]));
        let bob = Identity::new("bob");
        let decided = decide(engine, &bob, &questions).await;
        assert_eq!(decided, Ok(vec![false, false, true, false]));
    }
}

/// It has the role with the name of the type of subjects, and no other caller has it.
#[tokio::test]
async fn callers_without_roles_have_default_role() {
    const BY_ROLE: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: Document
  version: default
  rules:
    - actions: ["read"]
      effect: EFFECT_ALLOW
      roles: ["person"]
    - actions: ["list"]
      effect: EFFECT_ALLOW
      roles: ["*"]
"#;
    let cerbos = Cerbos::start(&[("document.yaml", BY_ROLE)]);
    let engine = engine(&cerbos).subject_type("person").build().unwrap();
    let actions = ["read", "list"];
    let questions = actions.map(|action| Evaluation::new(action, document("ann", true)));
    for (caller, expected) in [
        (Identity::new("ann"), [true, true]),
        (Identity::new("ann").with_roles(["editor"]), [false, true]),
        (Identity::new("ann").with_roles(["person"]), [true, true]),
    ] {
        let decided = decide(&engine, &caller, &questions).await;
        assert_eq!(decided, Ok(expected.to_vec()), "{caller:?}");
    }
}

/// A space does not put questions about an empty id, except that of a service without a realm.
#[tokio::test]
async fn an_empty_id_is_refused() {
    let cerbos = start();
    let engine = engine(&cerbos).build().unwrap();
    for kind in ["Document", Resource::SERVICE] {
        let without_id = Evaluation::new("read", Resource::new(kind, ""));
        let questions = [Evaluation::new("read", document("ann", true)), without_id];
        for questions in [&questions[..], &questions[1..]] {
            let decided = decide(&engine, &Identity::new("ann"), questions).await;
            assert!(decided.unwrap_err().contains("400"), "{kind}");
        }
    }
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
async fn too_many_questions_fail_one_request() {
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
async fn outages_grant_nothing() {
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
