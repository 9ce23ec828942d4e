//! Tokens that are bound to a key, and proofs of possession.

mod forms;
mod keys;
mod proofs;
mod replays;
mod time;

use std::time::Duration;

use auth_runtime::routing::post;
use auth_runtime::schemes::{Dpop, DpopBuilder};
use auth_runtime::{ProtectedRouter, public};
use auth_tests::proof::ProofKey;
use auth_tests::{token, verifier};
use axum::extract::OriginalUri;
use tower::Layer;
use tower::util::MapRequestLayer;

use crate::schemes::tokens::now;
use crate::schemes::*;

const ORIGIN: &str = "https://api.example";
const READ: &str = "https://api.example/read";
const BAD_PROOF: &str = "DPoP realm=\"api\", scope=\"read\", error=\"invalid_dpop_proof\", \
                         algs=\"ES256 PS256 EdDSA\", error_description=\"the proof of possession \
                         is missing or not valid\"";

const WANTS_NONCE: &str = "DPoP realm=\"api\", scope=\"read\", error=\"use_dpop_nonce\", \
                           algs=\"ES256 PS256 EdDSA\", error_description=\"the proof of possession must contain the nonce of this response\"";

/// A client with a key, and a token that is bound to it.
struct Client {
    key: ProofKey,
    token: String,
}

impl Client {
    fn new() -> Self {
        let key = ProofKey::new();
        let confirmation = json!({ "scope": "read", "cnf": { "jkt": key.thumbprint() } });
        Self {
            token: token(confirmation),
            key,
        }
    }

    /// A request with this proof.
    fn with(&self, proof: impl Into<Vec<u8>>) -> Lines {
        let mut lines = authorization(format!("DPoP {}", self.token));
        lines.push(("dpop", proof.into()));
        lines
    }

    /// A request with a valid proof, except for these changes of its header and its claims.
    fn changed(&self, header: Value, claims: Value) -> Lines {
        self.with(self.proof(header, claims))
    }

    fn proof(&self, header: Value, claims: Value) -> String {
        let mut own_header = self.key.header();
        let mut own_claims = self.key.claims("GET", READ, &self.token, now());
        for (own, changes) in [(&mut own_header, header), (&mut own_claims, claims)] {
            let own = own.as_object_mut().expect("an object");
            own.extend(changes.as_object().expect("an object").clone());
        }
        self.key.sign(&own_header, &own_claims)
    }

    fn good(&self) -> Lines {
        self.changed(json!({}), json!({}))
    }
}

fn dpop() -> DpopBuilder {
    Dpop::jwt(verifier()).origin(ORIGIN)
}

fn app_of(dpop: DpopBuilder) -> ProtectedRouter {
    app(space(dpop.build().expect("it is in order")))
}

#[public(reason = "there is nothing")]
async fn nothing() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing")
}

#[tokio::test]
async fn challenge_requests_a_stronger_login() {
    #[requires(acr = "mfa", max_age = "5m")]
    async fn strong() {}

    let app = GuardedRouter::new()
        .route("/read", get(strong))
        .protect(space(dpop().build().expect("it is in order")))
        .expect("in order");
    let mut client = Client::new();
    let response = send(&app, "/read", &client.good()).await;
    assert_eq!(response.status(), 401);
    let expected = "DPoP realm=\"api\", error=\"insufficient_user_authentication\", \
                    acr_values=\"mfa\", max_age=\"300\", algs=\"ES256 PS256 EdDSA\", \
                    error_description=\"the login is too old or too weak\"";
    assert_eq!(challenges(&response), [expected]);
    client.token = token(json!({
        "acr": "mfa", "auth_time": now() - 60, "cnf": { "jkt": client.key.thumbprint() },
    }));
    assert_eq!(send(&app, "/read", &client.good()).await.status(), 200);
}

/// A layer around the router that changes the target keeps the sent one, which proofs contain.
#[tokio::test]
async fn proofs_have_target_that_layer_keeps() {
    let client = Client::new();
    for (keeps, target, expected) in [
        (true, "https://api.example/v2/read", 200),
        (true, READ, 401),
        (false, "https://api.example/v2/read", 401),
        (false, READ, 200),
    ] {
        let rewrite = MapRequestLayer::new(move |mut request: Request| {
            if keeps {
                let sent = OriginalUri(request.uri().clone());
                request.extensions_mut().insert(sent);
            }
            *request.uri_mut() = http::Uri::from_static("/read");
            request
        });
        let app = rewrite.layer(app_of(dpop()));
        let lines = client.changed(json!({}), json!({ "htu": target }));
        let response = send(&app, "/v2/read", &lines).await;
        assert_eq!(response.status(), expected, "{keeps} {target}");
    }
}
