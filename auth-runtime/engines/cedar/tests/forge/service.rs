//! The engine in a running service.

use std::collections::BTreeSet;

use auth_runtime::objects::{Action, Resource};
use auth_runtime::routing::get;
use auth_runtime::schemes::{Credentials, Scheme, Verification};
use auth_runtime::{Caller, Denied, Guard, GuardedRouter, Identity, ProtectionSpace, requires};
use auth_runtime_cedar::Cedar;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{Database, Repository, User, World};

/// The value of `Authorization` is `Name ` and the subject.
struct Named;

impl Scheme for Named {
    fn name(&self) -> &str {
        "Name"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let identity = Identity::new(credentials.value()).with_scopes(["repo:write"]);
        Verification::done(Caller::known(identity))
    }
}

#[requires(can = "read", on = "Repository::{owner}/{name}", hide_as = 404)]
async fn read() -> &'static str {
    "the code"
}

#[requires(can = "create")]
async fn create() -> &'static str {
    "created"
}

#[requires(authenticated)]
async fn list(guard: Guard) -> Result<String, Denied> {
    const READ: Action = Action::new("read");
    guard
        .can(READ, Resource::new("Repository", "ann/garden"))
        .await?;
    Ok("the garden".to_owned())
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/r/{owner}/{name}", get(read))
        .route("/new", get(create))
        .route("/garden", get(list))
}

fn world() -> World {
    let user = |id: &str| User {
        id: id.to_owned(),
        teams: BTreeSet::new(),
        is_admin: false,
        can_write: true,
        acr: None,
    };
    World {
        users: vec![user("ann"), user("bob")],
        repositories: vec![Repository {
            id: "ann/garden".to_owned(),
            owner: 0,
            is_public: false,
            is_archived: false,
            collaborators: BTreeSet::new(),
            maintainers: None,
            organization: None,
        }],
        ..World::default()
    }
}

async fn serve(cedar: Cedar) -> std::net::SocketAddr {
    let space = ProtectionSpace::builder()
        .realm("forge")
        .scheme(Named)
        .decision_point(cedar)
        .build()
        .unwrap();
    let app = routes().protect(space).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn status(server: std::net::SocketAddr, path: &str, name: &str) -> u16 {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: forge\r\nauthorization: Name {name}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn requests_are_decided_by_policies() {
    let server = serve(Database::new(world()).cedar()).await;
    assert_eq!(status(server, "/r/ann/garden", "ann").await, 200);
    assert_eq!(status(server, "/r/ann/garden", "bob").await, 404);
    assert_eq!(status(server, "/r/ann/nothing", "ann").await, 404);
    assert_eq!(status(server, "/new", "bob").await, 200);
    assert_eq!(status(server, "/garden", "ann").await, 200);
    assert_eq!(status(server, "/garden", "bob").await, 403);
}

/// Without a loader and a schema, the owner is missing, and the policy fails.
#[tokio::test]
async fn policy_that_fails_is_an_outage() {
    let cedar = Cedar::builder()
        .policies("permit (principal, action, resource) when { resource.owner == principal };")
        .build()
        .unwrap();
    let server = serve(cedar).await;
    assert_eq!(status(server, "/garden", "ann").await, 503);
}

#[test]
fn undeclared_actions_are_found_at_start() {
    let schema = "entity User; entity Repository; action read appliesTo { principal: User, \
                  resource: Repository };";
    let cedar = Cedar::builder()
        .policies("permit (principal, action, resource);")
        .schema(schema)
        .build()
        .unwrap();
    let space = ProtectionSpace::builder()
        .realm("forge")
        .scheme(Named)
        .decision_point(cedar);
    let error = routes()
        .protect(space.build().unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("create"), "{error}");
}
