//! A registry with the error bodies of four kinds of clients: OCI, GraphQL, JSON:API and gRPC-web. Everybody may
//! pull if the operator sets `OPEN_REGISTRY=true`. Run `cargo run --example envelopes` and paste its `curl` lines,
//! or add `-- --tour`.
//!
//! docker and podman also need the route `/v2/` and a token server: see "Registries" in the crate's documentation.

use auth_examples::Authority;
use auth_runtime::decision::{DenialBody, DenialDetails, RequestSnapshot};
use auth_runtime::policy::Atom;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{Bearer, Jwt, JwtKey};
use auth_runtime::{GuardedRouter, ProtectedRouter, ProtectionSpace, requires};
use auth_tour::Persona;
use axum::http::HeaderValue;
use serde_json::{Value, json};

#[requires(
    any(setting = "open_registry", scope = "pull"),
    says = "Log in to pull from this registry."
)]
async fn manifest() -> &'static str {
    "a manifest\n"
}

#[requires(scope = "push", says = "Only publishers can push to this registry.")]
async fn push() -> &'static str {
    "pushed\n"
}

#[requires(scope = "pull")]
async fn query() -> &'static str {
    "{\"data\":{}}\n"
}

#[requires(role = "team", says = "Only members of the team can see this report.")]
async fn report() -> &'static str {
    "a report\n"
}

#[requires(
    role = "admin",
    hide_as = 404,
    hide_unless = role("team"),
    says = "Only administrators can delete a repository."
)]
async fn delete() -> &'static str {
    "deleted\n"
}

/// Returns the body that the client of a path expects. Its form depends on the path only, and a hidden denial has
/// the status and the message of an unknown path. So a hidden path has the body of an unknown one.
fn render(denial: &DenialDetails<'_>, request: &RequestSnapshot) -> DenialBody {
    let path = request.uri().path();
    let json = |media_type, body: Value| {
        DenialBody::new(HeaderValue::from_static(media_type), body.to_string())
    };
    if path.starts_with("/v2/") {
        json("application/json", oci(denial))
    } else if path == "/graphql" {
        json("application/graphql-response+json", graphql(denial))
    } else if path.starts_with("/registry.v1.") {
        let media_type = HeaderValue::from_static("application/grpc-web+proto");
        DenialBody::new(media_type, grpc_web(denial))
    } else {
        json("application/vnd.api+json", json_api(denial))
    }
}

/// The errors of the OCI distribution specification, with the missing scopes as the detail.
fn oci(denial: &DenialDetails<'_>) -> Value {
    let code = match denial.status().as_u16() {
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        400 | 431 => "UNSUPPORTED",
        // 503. The specification has no code for it; this one is docker's.
        _ => "UNAVAILABLE",
    };
    let scopes = denial.missing().iter().filter_map(|atom| match atom {
        Atom::Scope(scope) => Some(scope.as_ref()),
        // The names of roles and settings are internal.
        _ => None,
    });
    let scopes: Vec<&str> = scopes.collect();
    json!({ "errors": [{ "code": code, "message": denial.message(), "detail": { "scopes": scopes } }] })
}

/// An error of GraphQL over HTTP, with the codes of Apollo's clients.
fn graphql(denial: &DenialDetails<'_>) -> Value {
    let code = match denial.status().as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "FORBIDDEN",
        400 | 431 => "BAD_REQUEST",
        _ => "INTERNAL_SERVER_ERROR",
    };
    json!({ "errors": [{ "message": denial.message(), "extensions": { "code": code } }] })
}

/// An error of JSON:API 1.1.
fn json_api(denial: &DenialDetails<'_>) -> Value {
    let status = denial.status();
    json!({ "errors": [{
        "status": status.as_str(),
        "title": status.canonical_reason(),
        "detail": denial.message(),
    }] })
}

/// The frame of trailers of gRPC-web. The status of HTTP stays that of the denial, which clients map to the same
/// code.
fn grpc_web(denial: &DenialDetails<'_>) -> Vec<u8> {
    let status = match denial.status().as_u16() {
        401 => 16,
        403 => 7,
        404 => 12,
        400 => 13,
        503 => 14,
        _ => 2,
    };
    // Percent-encoded, as the protocol requires for characters outside printable ASCII.
    let mut trailers = format!("grpc-status:{status}\r\ngrpc-message:").into_bytes();
    for byte in denial.message().bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => trailers.push(byte),
            _ => trailers.extend(format!("%{byte:02X}").bytes()),
        }
    }
    trailers.extend(b"\r\n");
    let length = u32::try_from(trailers.len()).unwrap_or_default();
    [&[0x80][..], &length.to_be_bytes(), &trailers].concat()
}

fn app(jwt: Jwt, is_open: bool) -> Result<ProtectedRouter, Box<dyn std::error::Error>> {
    let space = ProtectionSpace::builder()
        .realm("registry")
        .scheme(Bearer::jwt(jwt))
        .setting("open_registry", is_open)
        .render(render)
        .build()?;
    let routes = GuardedRouter::new()
        .route("/v2/{name}/manifests/{tag}", get(manifest).put(push))
        .route("/graphql", get(query).post(query))
        .route("/reports/{id}", get(report))
        .route("/registry.v1.Registry/Delete", post(delete));
    Ok(routes.protect(space)?)
}

/// The requests of the tour, with the expected status and challenge.
const TOUR: &str = r#"
/v2/garden/manifests/1  anonymous  401  Bearer realm="registry", scope="pull"
/v2/garden/manifests/1  petra      200
/graphql                anonymous  401  Bearer realm="registry", scope="pull"
/reports/7              petra      403  Bearer realm="registry"
/reports/7              tim        200
/nowhere                petra      404
"#;

fn verifier(authority: &Authority, audience: &str) -> Result<Jwt, Box<dyn std::error::Error>> {
    let jwt = Jwt::builder()
        .issuer(authority.issuer())
        .audience(audience)
        .key(JwtKey::es256_pem(authority.public_key())?);
    Ok(jwt.build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (listener, base) = auth_tour::listen().await?;
    let authority = Authority::new()?;
    let is_open = std::env::var("OPEN_REGISTRY").is_ok_and(|value| value == "true");
    let app = app(verifier(&authority, &base)?, is_open)?;
    let token = |name, scope, role| authority.token(name, &base, scope, role, 3600);
    let personas = [
        Persona::new("petra", token("petra", "pull", "")),
        Persona::new("tim", token("tim", "", "team")),
    ];
    auth_tour::run_on(listener, &base, app, &personas, TOUR).await
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    const AUDIENCE: &str = "https://registry.example";

    /// Sends a request with a token of these grants, and returns the status, the media type and the body.
    async fn send(
        is_open: bool,
        method: &str,
        path: &str,
        grants: Option<[&str; 2]>,
    ) -> (u16, String, Vec<u8>) {
        let authority = Authority::new().expect("a key");
        let app = app(verifier(&authority, AUDIENCE).expect("a verifier"), is_open);
        let mut request = Request::builder().method(method).uri(path);
        if let Some([scope, role]) = grants {
            let token = authority.token("ann", AUDIENCE, scope, role, 60);
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        let Ok(response) = app.expect("a router").oneshot(request).await;
        let media_type = response.headers().get("content-type");
        let media_type = media_type
            .map_or("", |it| it.to_str().expect("text"))
            .to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await;
        (status, media_type, body.expect("a body").to_vec())
    }

    #[tokio::test]
    async fn each_client_receives_its_own_form() {
        let cases = [
            (
                "GET",
                "/v2/garden/manifests/1",
                None,
                401,
                "application/json",
                json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "Log in to pull from this registry.",
                    "detail": { "scopes": ["pull"] } }] }),
            ),
            (
                "PUT",
                "/v2/garden/manifests/1",
                Some(["pull", ""]),
                403,
                "application/json",
                json!({ "errors": [{ "code": "DENIED", "message": "Only publishers can push to this registry.",
                    "detail": { "scopes": ["push"] } }] }),
            ),
            (
                "POST",
                "/graphql",
                None,
                401,
                "application/graphql-response+json",
                json!({ "errors": [{ "message": "The request has no credentials of an accepted scheme.",
                    "extensions": { "code": "UNAUTHENTICATED" } }] }),
            ),
            (
                "GET",
                "/reports/7",
                Some(["pull", ""]),
                403,
                "application/vnd.api+json",
                json!({ "errors": [{ "status": "403", "title": "Forbidden",
                    "detail": "Only members of the team can see this report." }] }),
            ),
        ];
        for (method, path, grants, status, media_type, body) in cases {
            let answer = send(false, method, path, grants).await;
            assert_eq!(
                (answer.0, answer.1.as_str()),
                (status, media_type),
                "{path}"
            );
            let own: Value = serde_json::from_slice(&answer.2).expect("JSON");
            assert_eq!(own, body, "{path}");
        }
    }

    /// A client may retry after an outage, but not after a malformed request.
    #[tokio::test]
    async fn a_malformed_request_is_no_outage() {
        let authority = Authority::new().expect("a key");
        let app = app(verifier(&authority, AUDIENCE).expect("a verifier"), false);
        let app = app.expect("a router");
        let grpc = "/registry.v1.Registry/Delete";
        for (path, code) in [
            ("/v2/garden/manifests/1", "\"UNSUPPORTED\""),
            ("/graphql", "\"BAD_REQUEST\""),
            (grpc, "grpc-status:13"),
        ] {
            let method = if path == grpc { "POST" } else { "GET" };
            let request = Request::builder().method(method).uri(path);
            let request = request.header("authorization", "Bearer one");
            let request = request.header("authorization", "Bearer two");
            let request = request.body(Body::empty()).expect("a request");
            let Ok(response) = app.clone().oneshot(request).await;
            assert_eq!(response.status(), 400, "{path}");
            let body = to_bytes(response.into_body(), usize::MAX).await;
            let body = body.expect("a body");
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains(code), "{path}: {body}");
        }
    }

    #[tokio::test]
    async fn the_operator_opens_the_registry() {
        let path = "/v2/garden/manifests/1";
        assert_eq!(send(true, "GET", path, None).await.0, 200);
        assert_eq!(send(true, "PUT", path, None).await.0, 401);
    }

    #[tokio::test]
    async fn a_hidden_path_shows_no_text() {
        let delete = "/registry.v1.Registry/Delete";
        let team = send(false, "POST", delete, Some(["", "team"])).await;
        assert_eq!(
            (team.0, team.1.as_str()),
            (403, "application/grpc-web+proto")
        );
        let trailers =
            "grpc-status:7\r\ngrpc-message:Only administrators can delete a repository.\r\n";
        let length = u8::try_from(trailers.len()).expect("a short text");
        assert_eq!(
            team.2,
            [&[0x80, 0, 0, 0, length], trailers.as_bytes()].concat()
        );
        for grants in [None, Some(["pull", "guest"])] {
            let hidden = send(false, "POST", delete, grants).await;
            let unknown = send(false, "POST", "/registry.v1.Registry/Nothing", grants).await;
            assert_eq!(hidden, unknown);
            assert_eq!(hidden.0, 404);
        }
    }
}
