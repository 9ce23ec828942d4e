//! A small AuthZEN server, with a policy: the owner of an object may do everything.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The server. It ends when it is dropped.
pub(crate) struct Pdp {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    seen: Mutex<Vec<Seen>>,
}

/// The reaction to requests.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Decides by the policy.
    Decide,
    /// Decides by the policy, with this header field in requests.
    Require(&'static str, &'static str),
    /// Sends this document with the status 200.
    Send(String),
    /// Sends the decisions of the policy with another status.
    Status(u16),
    /// Decides after this time.
    Late(Duration),
    /// Sends nothing.
    Never,
    /// Sends a granting response, and a space every 100 ms before it.
    Trickle,
    /// Sends a granting response after that many spaces.
    Long(usize),
    /// Sends spaces without an end.
    Endless,
    /// Sends a redirect to this server, which then grants.
    Redirect(u16),
    /// Sends a part of a granting response, and ends the connection.
    Broken,
    /// Ends the connection without a response.
    Close,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Value,
}

impl Pdp {
    pub(crate) fn start() -> Self {
        let mut pdp = Self {
            address: ([127, 0, 0, 1], 0).into(),
            shared: Arc::new(Shared {
                behaviour: Mutex::new(Behaviour::Decide),
                seen: Mutex::default(),
            }),
            runtime: None,
        };
        pdp.start_again();
        pdp
    }

    /// Starts the server at its address.
    pub(crate) fn start_again(&mut self) {
        let listener = self.listen();
        self.address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(respond);
        let app = app.with_state(Arc::clone(&self.shared));
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        self.runtime = Some(runtime);
    }

    /// The previous server may not have left the address yet.
    fn listen(&self) -> TcpListener {
        let begun = Instant::now();
        loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => return listener,
                Err(error) => assert!(begun.elapsed().as_secs() < 10, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the server, with its connections.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let begun = Instant::now();
        while std::net::TcpStream::connect(self.address).is_ok() {
            assert!(begun.elapsed().as_secs() < 10, "it does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    pub(crate) fn send(&self, document: &Value) {
        self.behave(Behaviour::Send(document.to_string()));
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that arrived.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("a request")
    }
}

impl Drop for Pdp {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn respond(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    fields: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let decided = decide(&body);
    let grant = grant(&body);
    let path = uri.path().to_owned();
    shared.seen.lock().unwrap().push(Seen {
        method,
        path: path.clone(),
        fields: fields.clone(),
        body,
    });
    let behaviour = shared.behaviour.lock().unwrap().clone();
    match behaviour {
        Behaviour::Decide => decided.to_string().into_response(),
        Behaviour::Require(name, value) => match fields.get(name) {
            Some(found) if found == value => decided.to_string().into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        },
        Behaviour::Send(document) => document.into_response(),
        Behaviour::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, grant.to_string()).into_response()
        }
        Behaviour::Late(time) => {
            tokio::time::sleep(time).await;
            decided.to_string().into_response()
        }
        Behaviour::Never => std::future::pending().await,
        Behaviour::Trickle => {
            let parts = stream::unfold(0, move |sent| {
                let grant = grant.to_string();
                async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let part = if sent < 100 { " ".to_owned() } else { grant };
                    (sent <= 100).then_some((Ok::<_, std::io::Error>(part), sent + 1))
                }
            });
            Body::from_stream(parts).into_response()
        }
        Behaviour::Long(spaces) => format!("{}{grant}", " ".repeat(spaces)).into_response(),
        Behaviour::Endless => {
            let spaces = stream::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(4096)));
            Body::from_stream(spaces).into_response()
        }
        Behaviour::Redirect(_) if path == "/moved" => grant.to_string().into_response(),
        Behaviour::Redirect(status) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            let location = HeaderValue::from_static("/moved");
            response.headers_mut().insert("location", location);
            response
        }
        Behaviour::Close => panic!("the server ends this connection"),
        Behaviour::Broken => {
            let text = grant.to_string();
            let half = text.get(..text.len() - 1).unwrap_or_default().to_owned();
            let parts = stream::unfold(Some(half), |half| async {
                if let Some(half) = half {
                    return Some((Ok(half), None));
                }
                // The first part is sent before the connection ends.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Err(std::io::Error::other("broken")), None))
            });
            Body::from_stream(parts).into_response()
        }
    }
}

/// The decisions of the policy.
fn decide(body: &Value) -> Value {
    let decision = |subject: &Value, resource: &Value| {
        let owner = &resource["properties"]["owner"];
        json!({ "decision": owner.is_string() && *owner == subject["id"] })
    };
    match body["evaluations"].as_array() {
        Some(evaluations) => {
            let each = evaluations.iter();
            let each = each.map(|evaluation| decision(&body["subject"], &evaluation["resource"]));
            json!({ "evaluations": each.collect::<Vec<_>>() })
        }
        None => decision(&body["subject"], &body["resource"]),
    }
}

/// A response that allows everything.
fn grant(body: &Value) -> Value {
    match body["evaluations"].as_array() {
        Some(evaluations) => {
            json!({ "evaluations": vec![json!({ "decision": true }); evaluations.len()] })
        }
        None => json!({ "decision": true }),
    }
}
