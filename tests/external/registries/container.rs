//! A container registry with two levels of names, and its token server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use auth_runtime::decision::{DenialBody, DenialDetails, RequestSnapshot};
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{AccessClaim, Basic, Bearer, Password};
use auth_runtime::{
    Caller, Guard, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, UnknownPaths,
    requires,
};
use auth_tests::{AUDIENCE, token, verifier};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use crate::location;

/// The blobs and the manifests, by their digests and by `name:tag`. A manifest has a media type.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<HashMap<String, (String, Bytes)>>>);

/// The addresses of a running registry and of its token server.
pub(crate) struct Registry {
    pub(crate) base: String,
    pub(crate) token_server: String,
    _runtime: Runtime,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let token_server = crate::serve(&runtime, tokens()) + "/token";
        let base = crate::serve(&runtime, registry(&token_server));
        Self {
            base,
            token_server,
            _runtime: runtime,
        }
    }

    /// The host and the port, as in names of images.
    pub(crate) fn host(&self) -> &str {
        self.base.strip_prefix("http://").expect("a URL")
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

/// The token server: ann may do everything, and bob may pull from repositories of ann that are not hidden.
#[requires(authenticated)]
async fn give_token(guard: Guard, Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    let user = guard.identity().subject();
    assert!(
        query.contains(&("service".to_owned(), AUDIENCE.to_owned())),
        "{query:?}"
    );
    let scopes = query.iter().filter(|(name, _)| name == "scope");
    let access = scopes.filter_map(|(_, scope)| {
        let [kind, name, actions]: [&str; 3] =
            scope.split(':').collect::<Vec<_>>().try_into().ok()?;
        let is_allowed = |action: &&str| match user {
            "ann" => true,
            _ => *action == "pull" && name.starts_with("ann/"),
        };
        let actions: Vec<&str> = actions.split(',').filter(is_allowed).collect();
        Some(json!({ "type": kind, "name": name, "actions": actions }))
    });
    let access: Vec<Value> = access.collect();
    let token = token(json!({ "sub": user, "access": access }));
    Json(json!({ "token": token, "expires_in": 600 }))
}

async fn log_in(user: String, password: Password) -> Caller {
    match (user.as_str(), password.as_str()) {
        ("ann" | "bob", "secret") => Caller::known(Identity::new(user)),
        _ => Caller::rejected(),
    }
}

fn tokens() -> ProtectedRouter {
    let space = ProtectionSpace::builder()
        .realm("tokens")
        .scheme(Basic::new(log_in));
    let routes = GuardedRouter::new().route("/token", get(give_token));
    routes
        .protect(space.build().expect("a space"))
        .expect("a router")
}

#[requires(authenticated)]
async fn version() -> &'static str {
    "{}"
}

type Name = Path<(String, String)>;
type Item = Path<(String, String, String)>;

#[requires(can = "pull", on = "Repository::{namespace}/{image}")]
async fn manifest(
    State(store): State<Store>,
    Path((namespace, image, reference)): Item,
) -> Response {
    store.find(&[format!("{namespace}/{image}:{reference}"), reference])
}

#[requires(can = "pull", can = "push", on = "Repository::{namespace}/{image}")]
async fn put_manifest(
    State(store): State<Store>,
    Path((namespace, image, reference)): Item,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let media_type = headers["content-type"].to_str().expect("text");
    store.put(
        &format!("{namespace}/{image}:{reference}"),
        media_type,
        body.clone(),
    );
    store.put(&digest_of(&body), media_type, body.clone());
    let digest = [("docker-content-digest", digest_of(&body))];
    (
        digest,
        location(
            201,
            &format!("/v2/{namespace}/{image}/manifests/{reference}"),
        ),
    )
        .into_response()
}

#[requires(can = "pull", on = "Repository::{namespace}/{image}")]
async fn blob(State(store): State<Store>, Path((_, _, digest)): Item) -> Response {
    store.find(&[digest])
}

#[requires(can = "pull", can = "push", on = "Repository::{namespace}/{image}")]
async fn start_upload(Path((namespace, image)): Name) -> Response {
    location(202, &format!("/v2/{namespace}/{image}/blobs/uploads/1"))
}

#[requires(can = "pull", can = "push", on = "Repository::{namespace}/{image}")]
async fn upload(
    State(store): State<Store>,
    Path((namespace, image, _)): Item,
    body: Bytes,
) -> Response {
    let target = format!("/v2/{namespace}/{image}/blobs/uploads/1");
    let range = [("range", format!("0-{}", body.len().saturating_sub(1)))];
    store.put(&format!("upload of {namespace}/{image}"), "", body);
    (range, location(202, &target)).into_response()
}

#[requires(can = "pull", can = "push", on = "Repository::{namespace}/{image}")]
async fn end_upload(
    State(store): State<Store>,
    Path((namespace, image, _)): Item,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let digest = &query["digest"];
    let begun = store.get(&format!("upload of {namespace}/{image}"));
    let blob = [begun.map(|(_, bytes)| bytes).unwrap_or_default(), body].concat();
    if digest_of(&blob) != *digest {
        return StatusCode::BAD_REQUEST.into_response();
    }
    store.put(digest, "application/octet-stream", blob.into());
    location(201, &format!("/v2/{namespace}/{image}/blobs/{digest}"))
}

/// The image of a hidden namespace.
#[requires(can = "pull", on = "Repository::secret/{image}", hide_as = 404)]
async fn secret(Path((image, _)): Path<(String, String)>) -> Response {
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": [] } });
    let config = config.to_string();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "annotations": { "name": image },
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest_of(config.as_bytes()), "size": config.len(),
        },
    });
    let media_type = [("content-type", "application/vnd.oci.image.manifest.v1+json")];
    (media_type, manifest.to_string()).into_response()
}

impl Store {
    fn get(&self, key: &str) -> Option<(String, Bytes)> {
        self.0.lock().expect("no panic").get(key).cloned()
    }

    fn put(&self, key: &str, media_type: &str, bytes: Bytes) {
        let value = (media_type.to_owned(), bytes);
        self.0
            .lock()
            .expect("no panic")
            .insert(key.to_owned(), value);
    }

    fn find(&self, keys: &[String]) -> Response {
        let Some((media_type, bytes)) = keys.iter().find_map(|key| self.get(key)) else {
            let body = json!({ "errors": [{ "code": "MANIFEST_UNKNOWN", "message": "unknown" }] });
            return (StatusCode::NOT_FOUND, Json(body)).into_response();
        };
        let fields = [
            ("content-type", media_type),
            ("docker-content-digest", digest_of(&bytes)),
        ];
        (fields, bytes).into_response()
    }
}

/// The errors of the OCI distribution specification.
fn render(denial: &DenialDetails<'_>, _: &RequestSnapshot) -> DenialBody {
    let code = match denial.status().as_u16() {
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        _ => "UNAVAILABLE",
    };
    let body = json!({ "errors": [{ "code": code, "message": denial.message() }] });
    DenialBody::new(
        HeaderValue::from_static("application/json"),
        body.to_string(),
    )
}

fn registry(token_server: &str) -> ProtectedRouter {
    let bearer = Bearer::jwt(verifier()).token_server(token_server, AUDIENCE);
    let space = ProtectionSpace::builder()
        .realm("registry")
        .scheme(bearer)
        .decision_point(AccessClaim)
        // Otherwise a client would not learn the token server of a hidden repository.
        .unknown_paths(UnknownPaths::Challenge)
        .render(render);
    let manifests = get(manifest).put(put_manifest);
    let routes = GuardedRouter::new()
        .route("/v2/", get(version))
        .route("/v2/secret/{image}/manifests/{reference}", get(secret))
        .route("/v2/{namespace}/{image}/manifests/{reference}", manifests)
        .route("/v2/{namespace}/{image}/blobs/{digest}", get(blob))
        .route("/v2/{namespace}/{image}/blobs/uploads/", post(start_upload))
        .route(
            "/v2/{namespace}/{image}/blobs/uploads/{id}",
            auth_runtime::routing::patch(upload).put(end_upload),
        )
        .with_state(Store::default());
    routes
        .protect(space.build().expect("a space"))
        .expect("a router")
}
