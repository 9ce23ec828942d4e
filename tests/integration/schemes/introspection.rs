//! Opaque tokens, and an endpoint on loopback that knows them, authenticates its clients, and can
//! be unavailable.

mod answers;
mod client;
mod memory;
mod outages;
mod shares;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::{Introspection, IntrospectionBuilder};
use auth_tests::App;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Form, Json, routing};

use crate::schemes::tokens::now;
use crate::schemes::*;

/// The responses of the endpoint by token, and the requesting clients.
#[derive(Default)]
struct Endpoint {
    tokens: Mutex<HashMap<String, Value>>,
    status: Mutex<u16>,
    questions: AtomicUsize,
    in_flight: AtomicUsize,
    most_at_a_time: AtomicUsize,
    /// The duration of a response, besides 30 ms.
    delay: Mutex<Duration>,
    last: Mutex<(Option<String>, HashMap<String, String>)>,
}

pub(crate) struct Server {
    address: SocketAddr,
    endpoint: Arc<Endpoint>,
    server: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let endpoint = Arc::new(Endpoint::default());
        *endpoint.status.lock().unwrap() = 200;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let app = Router::new()
            .route("/introspect", routing::post(introspect))
            .with_state(Arc::clone(&endpoint));
        let server = async move { axum::serve(listener, app).await.expect("it serves") };
        Self {
            address,
            endpoint,
            server: tokio::spawn(server),
        }
    }

    pub(crate) fn says(&self, token: &str, answer: Value) {
        let mut tokens = self.endpoint.tokens.lock().unwrap();
        tokens.insert(token.to_owned(), answer);
    }

    pub(crate) fn questions(&self) -> usize {
        self.endpoint.questions.load(Ordering::SeqCst)
    }

    pub(crate) fn builder(&self) -> IntrospectionBuilder {
        self.undecided().any_audience()
    }

    /// Returns a builder without an audience.
    fn undecided(&self) -> IntrospectionBuilder {
        Introspection::builder()
            .endpoint(format!("http://{}/introspect", self.address))
            .client_secret("my:api", "a secret & more")
    }

    fn app(&self) -> ProtectedRouter {
        of(self.builder())
    }
}

fn of(builder: IntrospectionBuilder) -> ProtectedRouter {
    app(space(Bearer::introspection(builder.build().unwrap())))
}

async fn introspect(
    State(endpoint): State<Arc<Endpoint>>,
    headers: http::HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    endpoint.questions.fetch_add(1, Ordering::SeqCst);
    let in_flight = endpoint.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    endpoint
        .most_at_a_time
        .fetch_max(in_flight, Ordering::SeqCst);
    let delay = *endpoint.delay.lock().unwrap();
    tokio::time::sleep(Duration::from_millis(30) + delay).await;
    endpoint.in_flight.fetch_sub(1, Ordering::SeqCst);
    let token = form.get("token").cloned().unwrap_or_default();
    let authorization = headers.get("authorization");
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    *endpoint.last.lock().unwrap() = (authorization, form);
    let status = StatusCode::from_u16(*endpoint.status.lock().unwrap()).unwrap();
    let tokens = endpoint.tokens.lock().unwrap();
    let answer = tokens.get(&token).cloned();
    (status, Json(answer.unwrap_or(json!({ "active": false })))).into_response()
}

async fn status(app: &impl App, token: &str) -> u16 {
    send(app, "/read", &bearer(token)).await.status().as_u16()
}

pub(crate) fn active() -> Value {
    json!({ "active": true, "sub": "ann", "scope": "read", "exp": now() + 600 })
}

impl Server {
    fn takes(&self, delay: Duration) {
        *self.endpoint.delay.lock().unwrap() = delay;
    }

    /// Waits for this number of requests to the endpoint.
    async fn was_asked(&self, times: usize) {
        while self.questions() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
