//! A small code host for every kind of client: repositories for git, an API for OAuth clients,
//! tools for MCP agents, and pages for browsers. Run `cargo run --example code_host` and paste its
//! lines.
//!
//! With `-- --issuer URL`, it accepts the tokens of that authorization server instead of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use auth_examples::Authority;
use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{Basic, Bearer, Jwt, JwtKey, PasswordHashes};
use auth_runtime::{
    Guard, GuardedRouter, Identity, ProtectionSpace, UnknownPaths, public, requires,
};
use axum::Json;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;
use tower_http::services::ServeDir;

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[public(reason = "the front page")]
async fn front() -> Html<&'static str> {
    Html("<!doctype html><title>code host</title><h1>A code host</h1>")
}

/// For browsers, which log in with a password, and for all other clients.
#[requires(authenticated)]
async fn profile(guard: Guard) -> String {
    // As text: the subject of a token could contain markup.
    guard.identity().subject().to_owned()
}

#[requires(authenticated, schemes(Basic))]
struct SharedRepository;

/// Callers without the role receive the response of an unknown path.
#[requires(role = "owner", schemes(Basic), hide_as = 404)]
struct SecretRepository;

#[requires(scope = "files:read", schemes(Bearer))]
async fn files() -> Json<Value> {
    Json(json!(["README.md", "main.rs"]))
}

#[requires(scope = "files:read", scope = "files:write", schemes(Bearer))]
async fn add_file() -> StatusCode {
    StatusCode::CREATED
}

#[requires(scope = "files:read", schemes(Bearer))]
async fn reading_tools(Json(message): Json<Value>) -> Response {
    answer(&message, &json!([tool("list_files")]))
}

#[requires(scope = "files:read", scope = "files:write", schemes(Bearer))]
async fn writing_tools(Json(message): Json<Value>) -> Response {
    answer(&message, &json!([tool("list_files"), tool("add_file")]))
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

/// Only the parts of the Model Context Protocol that listing tools requires.
fn answer(message: &Value, tools: &Value) -> Response {
    let Some(id) = message.get("id") else {
        return StatusCode::ACCEPTED.into_response();
    };
    let result = match message.get("method").and_then(Value::as_str) {
        Some("initialize") => json!({
            "protocolVersion": message.pointer("/params/protocolVersion"),
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "code host", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": tools }),
        Some("ping") => json!({}),
        _ => {
            let error = json!({ "code": -32601, "message": "no such method" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let index = arguments.iter().position(|argument| argument == name)?;
        arguments.get(index + 1).map(String::as_str)
    };
    let port = option("--port").unwrap_or("3000");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let api = format!("{base}/api");

    let authority = Authority::new()?;
    let issuer = option("--issuer").unwrap_or(authority.issuer());
    let tokens_for = |audience: &str| -> Result<Bearer> {
        let jwt = Jwt::builder().issuer(issuer).audience(audience);
        let jwt = match option("--issuer") {
            Some(_) => jwt.discover(),
            None => jwt.key(JwtKey::es256_pem(authority.public_key())?),
        };
        Ok(Bearer::jwt(jwt.build()?))
    };
    let resource = |url: &str, name: &str| {
        let resource = ProtectedResource::builder(url).authorization_server(issuer);
        resource.name(name).build()
    };
    let users = PasswordHashes::builder()
        .user(
            "ann",
            &auth_examples::hash("secret")?,
            Identity::new("ann").with_roles(["owner"]),
        )
        .user("bob", &auth_examples::hash("secret")?, Identity::new("bob"));
    let space = ProtectionSpace::builder()
        .realm("code host")
        .scheme(tokens_for(&api)?)
        // Browsers send the password with requests of other sites as well. Therefore only handlers that change
        // nothing accept it; the others would need a layer against such requests.
        .scheme(Basic::password_hashes(users.build()?))
        // git and browsers ask for a password only after a 401.
        .unknown_paths(UnknownPaths::Challenge)
        .resource(resource(&api, "Code host")?)
        .build()?;
    // A resource of its own: an MCP client compares its identifier with the URL of its request. Those of npm and Python
    // accept it for the path below as well.
    let mcp = format!("{api}/mcp");
    let tools = ProtectionSpace::builder()
        .realm("code host")
        .scheme(tokens_for(&mcp)?)
        .resource(resource(&mcp, "Code host for agents")?)
        .build()?;
    let tools = GuardedRouter::new()
        .route("/api/mcp", post(reading_tools))
        .route("/api/mcp/write", post(writing_tools))
        .protect(tools)?;

    let repository = ServeDir::new(repository()?);
    let app = GuardedRouter::new()
        .route("/", get(front))
        .route("/profile", get(profile))
        .route("/api/files", get(files).post(add_file))
        .nest_service("/git/shared.git", SharedRepository, repository.clone())
        .nest_service("/git/secret.git", SecretRepository, repository)
        .protect(space)?
        .merge(tools);
    // For scripts of another origin; see "Browsers" in the crate's documentation.
    let origin: HeaderValue = base.replace("127.0.0.1", "localhost").parse()?;
    let app = app.layer(
        CorsLayer::new()
            .allow_origin(origin)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([
                AUTHORIZATION,
                CONTENT_TYPE,
                HeaderName::from_static("mcp-protocol-version"),
            ])
            .expose_headers([WWW_AUTHENTICATE]),
    );

    println!("serving on {base}; Ctrl-C stops it\n");
    println!("curl -i {base}/profile                                      # 401, two challenges");
    println!("curl -i -u ann:secret {base}/profile                        # 200");
    println!(
        "git ls-remote http://bob:secret@{host}/git/shared.git   # lists it",
        host = &base[7..]
    );
    println!(
        "git ls-remote http://bob:secret@{host}/git/secret.git   # not found",
        host = &base[7..]
    );
    println!(
        "curl -s {base}/.well-known/oauth-protected-resource/api     # what it says of itself"
    );
    if option("--issuer").is_none() {
        let token = authority.token("ann", &api, "files:read", "", 3600);
        println!("curl -i -H 'Authorization: Bearer {token}' {base}/api/files");
        println!(
            "curl -i -X POST -H 'Authorization: Bearer {token}' {base}/api/files  # 403, the scope that is missing"
        );
    }
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

/// Creates a bare repository with one commit, as plain files that git can read over HTTP.
fn repository() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("code-host-{}", std::process::id()));
    let bare = folder.join("repository.git");
    let git = |arguments: &[&str]| -> Result<()> {
        let identity = ["-c", "user.name=ann", "-c", "user.email=ann@code.example"];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .output()?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
        }
    };
    let work = folder.join("work");
    let (work, at) = (work.to_string_lossy(), bare.to_string_lossy());
    git(&["init", "--quiet", &work])?;
    git(&[
        "-C",
        &work,
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "Begin",
    ])?;
    git(&["clone", "--quiet", "--bare", &work, &at])?;
    git(&["-C", &at, "update-server-info"])?;
    Ok(bare)
}
