//! Proofs that are sent again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{ReplayStore, ReplayStoreError, UsedProof};

use super::*;

#[tokio::test]
async fn a_proof_works_once() {
    let client = Client::new();
    let app = app_of(dpop());
    let proof = client.good();
    check(
        &app,
        "/read",
        vec![
            row("the first time", proof.clone(), 200, &[]),
            row("overheard", proof, 401, &[BAD_PROOF]),
            row("a new one", client.good(), 200, &[]),
        ],
    )
    .await;
    // The same id with another key is another proof.
    let id = json!({ "jti": "the same" });
    for client in [client, Client::new()] {
        let lines = client.changed(json!({}), id.clone());
        assert_eq!(send(&app, "/read", &lines).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_concurrent_uses_succeeds() {
    let client = Client::new();
    let app = app_of(dpop());
    let proof = client.good();
    let requests = (0..100).map(|_| {
        let (app, proof) = (app.clone(), proof.clone());
        tokio::spawn(async move { send(&app, "/read", &proof).await.status() })
    });
    let requests: Vec<_> = requests.collect();
    let mut allowed = 0;
    for request in requests {
        allowed += usize::from(request.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(allowed, 1);
}

#[tokio::test]
async fn invalid_proofs_are_not_remembered() {
    let client = Client::new();
    let app = app_of(dpop());
    let thief = ProofKey::new();
    let id = json!({ "jti": "mine" });
    let mut claims = thief.claims("GET", READ, &client.token, now());
    claims["jti"] = id["jti"].clone();
    let stolen = client.with(thief.sign(&thief.header(), &claims));
    assert_eq!(send(&app, "/read", &stolen).await.status(), 401);
    let own = client.changed(json!({}), id);
    assert_eq!(send(&app, "/read", &own).await.status(), 200);
}

/// A store that is unavailable.
struct Broken;

impl ReplayStore for Broken {
    async fn is_first(&self, _proof: UsedProof) -> Result<bool, ReplayStoreError> {
        Err(ReplayStoreError)
    }
}

/// A store that keeps everything.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<UsedProof>>>);

impl Recorder {
    pub(super) fn used(&self) -> Vec<UsedProof> {
        self.0.lock().expect("no panic").clone()
    }
}

impl ReplayStore for Recorder {
    async fn is_first(&self, proof: UsedProof) -> Result<bool, ReplayStoreError> {
        self.0.lock().expect("no panic").push(proof);
        Ok(true)
    }
}

#[tokio::test]
async fn all_keys_count_for_their_subject() {
    let client_of = |subject: &str| {
        let key = ProofKey::new();
        let confirmation = json!({ "jkt": key.thumbprint() });
        let claims = json!({ "sub": subject, "scope": "read", "cnf": confirmation });
        Client {
            token: token(claims),
            key,
        }
    };
    let recorder = Recorder::default();
    let app = app_of(dpop().replay_store(recorder.clone()));
    for subject in ["mallory", "mallory", "ann"] {
        let response = send(&app, "/read", &client_of(subject).good()).await;
        assert_eq!(response.status(), 200);
    }
    let used = recorder.used();
    let [one, other, ann] = used.as_slice() else {
        panic!("{used:?}");
    };
    assert_eq!(one.subject(), other.subject());
    assert_ne!(one.subject(), ann.subject());
    assert_ne!(one.id(), other.id());
}

#[tokio::test]
async fn store_outages_are_503() {
    let client = Client::new();
    let app = app_of(dpop().replay_store(Broken));
    let response = send(&app, "/read", &client.good()).await;
    assert_eq!(response.status(), 503);
    assert!(challenges(&response).is_empty());
    assert!(response.headers().contains_key("retry-after"));
    // An invalid proof is rejected before the store is used.
    let bad = client.changed(json!({}), json!({ "htm": "POST" }));
    assert_eq!(send(&app, "/read", &bad).await.status(), 401);
}

/// The store forgets a proof when its life ends. By a clock that is set back, the life would begin again.
#[tokio::test]
async fn used_proofs_outlast_set_back_clocks() {
    let start = SystemTime::now();
    let time = ManualClock::new(start);
    let client = Client::new();
    let app = app_of(dpop().clock(time.clock()));
    let proof = client.good();
    assert_eq!(send(&app, "/read", &proof).await.status(), 200);
    time.advance(Duration::from_secs(3600));
    time.set_wall(start);
    let rows = vec![row("set back", proof, 401, &[BAD_PROOF])];
    check(&app, "/read", rows).await;
}
