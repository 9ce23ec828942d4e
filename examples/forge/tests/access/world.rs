//! A forge for each test, and its callers.

use std::net::SocketAddr;

use auth_forge::routes;
use auth_runtime::ProtectedRouter;
use auth_runtime::objects::DecisionPoint;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use serde_json::Value;
use tower::ServiceExt;

use crate::support::Demo;
use crate::support::people::{PLACES, Person};

pub(crate) struct World {
    app: ProtectedRouter,
    people: Vec<Person>,
}

/// The visible parts of a response.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    /// In their order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn challenge(&self) -> Option<&str> {
        let mut fields = self.fields.iter();
        let challenge = fields.find(|(name, _)| name == "www-authenticate");
        challenge.map(|(_, value)| value.as_str())
    }

    /// Whether the body has the form of a denial (RFC 9457).
    pub(crate) fn is_problem(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|(name, value)| name == "content-type" && value == "application/problem+json")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}

/// The address of the office network. Other callers are at home.
pub(crate) const OFFICE: &str = "10.20.0.7:4711";
pub(crate) const HOME: &str = "203.0.113.9:4711";
/// The address of a proxy, or of a program, on the host of the forge.
pub(crate) const SAME_HOST: &str = "127.0.0.1:4711";

impl World {
    pub(crate) async fn new() -> Self {
        let demo = Demo::new().expect("the database is filled");
        let cedar = demo.forge.cedar().expect("valid policies");
        Self::with(&demo, cedar)
    }

    /// A forge with another engine.
    pub(crate) fn with(demo: &Demo, engine: impl DecisionPoint) -> Self {
        let space = demo.space(engine).expect("a valid key");
        Self {
            app: demo.forge.app(space).expect("the routes are in order"),
            people: demo.people.clone(),
        }
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = &'static str> {
        self.people.iter().map(Person::name)
    }

    /// Sends a request from the office, with the credentials of a person: `GET /user`.
    pub(crate) async fn ask(&self, who: &str, request: &str, body: &str) -> Seen {
        let mut people = self.people.iter();
        let person = people.find(|person| person.name() == who);
        let person = person.unwrap_or_else(|| panic!("nobody is called {who}"));
        self.send(OFFICE, person.authorization(), request, body)
            .await
    }

    pub(crate) async fn status(&self, who: &str, request: &str, body: &str) -> u16 {
        self.ask(who, request, body).await.status
    }

    /// Sends a request from an address, with these credentials.
    pub(crate) async fn send(
        &self,
        from: &str,
        authorization: Option<&str>,
        request: &str,
        body: &str,
    ) -> Seen {
        let field = authorization.map(|value| ("authorization", value));
        self.send_fields(from, field.as_slice(), request, body)
            .await
    }

    /// Sends a request from an address, with these fields.
    pub(crate) async fn send_fields(
        &self,
        from: &str,
        fields: &[(&str, &str)],
        request: &str,
        body: &str,
    ) -> Seen {
        let (method, target) = request.split_once(' ').expect("a method and a target");
        let mut request = Request::builder().method(method).uri(target);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let from: SocketAddr = from.parse().expect("an address");
        let request = request.extension(ConnectInfo(from));
        let request = request.body(Body::from(body.to_owned())).expect("legal");
        let answer = self.app.clone().oneshot(request).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let fields = head.headers.iter().map(|(name, value)| {
            let value = value.to_str().expect("ASCII");
            (name.to_string(), value.to_owned())
        });
        let bytes = to_bytes(body, usize::MAX).await.expect("a whole body");
        Seen {
            status: head.status.as_u16(),
            fields: fields.collect(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) fn authorization(&self, who: &str) -> Option<&str> {
        let mut people = self.people.iter();
        people.find(|person| person.name() == who)?.authorization()
    }
}

/// A route of the access table.
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) is_hidden: bool,
    pub(crate) is_public: bool,
}

/// All routes with a method.
pub(crate) fn all_routes() -> Vec<Route> {
    let table = routes().access_table();
    let rows = table.rows().iter().filter_map(|row| {
        Some(Route {
            method: row.method()?.to_string(),
            path: row.path().to_owned(),
            is_hidden: row.policy().is_some_and(auth_runtime::Policy::is_hidden),
            is_public: row.policy()?.public_reason().is_some(),
        })
    });
    let routes: Vec<Route> = rows.collect();
    assert!(routes.len() > 80, "the table has them all");
    routes
}

/// Returns the path of an existing object for a route.
pub(crate) fn filled(path: &str) -> String {
    PLACES.iter().fold(path.to_owned(), |path, (name, value)| {
        path.replace(&format!("{{{name}}}"), value)
    })
}
