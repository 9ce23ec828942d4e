//! A small AuthZEN server, with a policy: the owner of an object may do everything. The objects of
//! [`OWNERS`] are known to it, so that it lists them.

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

use crate::ports::free_port;

/// The known objects, and their owners.
pub(crate) const OWNERS: [(&str, &str); 4] =
    [("d1", "ann"), ("d2", "bob"), ("d3", "ann"), ("d4", "ann")];
/// The number of objects on a page of a list.
const PAGE: usize = 2;

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
    /// Sends this page for the request with this number, from 0, after this time.
    Pages(Duration, Arc<dyn Fn(usize) -> Value + Send + Sync>),
    /// Sends a part of a granting response, and ends the connection.
    Broken,
    /// Ends the connection without a response.
    Close,
    /// Allows everything, with the first half of the decisions, or of the results of a page.
    Half,
    /// Allows everything, with twice as many decisions as questions, or with too many results.
    TooMuch,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Value,
}

impl Behaviour {
    /// Sends these pages, one for each request.
    pub(crate) fn pages(pages: Vec<Value>) -> Self {
        Self::each_page(Duration::ZERO, move |number| pages[number].clone())
    }

    pub(crate) fn each_page(
        after: Duration,
        page: impl Fn(usize) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self::Pages(after, Arc::new(page))
    }
}

impl Pdp {
    pub(crate) fn start() -> Self {
        let mut pdp = Self {
            address: ([127, 0, 0, 1], free_port()).into(),
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

impl Shared {
    /// Returns the number of earlier requests.
    fn note(&self, request: Seen) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.push(request);
        seen.len() - 1
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
    let decided = decide(uri.path(), &body);
    let path = uri.path().to_owned();
    let number = shared.note(Seen {
        method,
        path: path.clone(),
        fields: fields.clone(),
        body: body.clone(),
    });
    // A granting list is long.
    let grant = || grant(&path, &body);
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
            (status, grant().to_string()).into_response()
        }
        Behaviour::Late(time) => {
            tokio::time::sleep(time).await;
            decided.to_string().into_response()
        }
        Behaviour::Never => std::future::pending().await,
        Behaviour::Trickle => {
            let text = grant().to_string();
            let parts = stream::unfold(0, move |sent| {
                let grant = text.clone();
                async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let part = if sent < 100 { " ".to_owned() } else { grant };
                    (sent <= 100).then_some((Ok::<_, std::io::Error>(part), sent + 1))
                }
            });
            Body::from_stream(parts).into_response()
        }
        Behaviour::Long(spaces) => format!("{}{}", " ".repeat(spaces), grant()).into_response(),
        Behaviour::Endless => {
            let spaces = stream::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(4096)));
            Body::from_stream(spaces).into_response()
        }
        Behaviour::Redirect(_) if path == "/moved" => grant().to_string().into_response(),
        Behaviour::Redirect(status) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            let location = HeaderValue::from_static("/moved");
            response.headers_mut().insert("location", location);
            response
        }
        Behaviour::Pages(after, page) => {
            tokio::time::sleep(after).await;
            page(number).to_string().into_response()
        }
        Behaviour::Half => cut(grant(), |count| count / 2).to_string().into_response(),
        Behaviour::TooMuch => {
            let more = cut(grant(), |count| if count < 100 { count * 2 } else { count });
            more.to_string().into_response()
        }
        Behaviour::Close => panic!("the server ends this connection"),
        Behaviour::Broken => {
            let text = grant().to_string();
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

/// Returns whether a body asks for a list.
fn is_search(path: &str) -> bool {
    path.contains("/search/")
}

/// The decisions of the policy, or a page of a list by it.
fn decide(path: &str, body: &Value) -> Value {
    let subject = &body["subject"]["id"];
    if is_search(path) {
        let own = OWNERS.iter().filter(|(_, owner)| subject == owner);
        let own: Vec<&str> = own.map(|(id, _)| *id).collect();
        // Other behaviours have tokens of their own.
        let begin = body["page"]["token"]
            .as_str()
            .and_then(|token| token.parse().ok());
        let begin = own.len().min(begin.unwrap_or(0));
        let end = own.len().min(begin + PAGE);
        let next = if end < own.len() {
            end.to_string()
        } else {
            String::new()
        };
        return page(body, own[begin..end].iter().map(ToString::to_string), &next);
    }
    let decision = |resource: &Value| {
        let known = OWNERS.iter().find(|(id, _)| resource["id"] == *id);
        let owner = match &resource["properties"]["owner"] {
            Value::String(owner) => Some(owner.as_str()),
            _ => known.map(|(_, owner)| *owner),
        };
        json!({ "decision": owner.is_some_and(|owner| subject == owner) })
    };
    match body["evaluations"].as_array() {
        Some(evaluations) => {
            let each = evaluations.iter();
            let each = each.map(|evaluation| decision(&evaluation["resource"]));
            json!({ "evaluations": each.collect::<Vec<_>>() })
        }
        None => decision(&body["resource"]),
    }
}

fn page(body: &Value, ids: impl Iterator<Item = String>, next: &str) -> Value {
    let results = ids.map(|id| json!({ "type": body["resource"]["type"], "id": id }));
    let results: Vec<Value> = results.collect();
    json!({ "page": { "next_token": next, "count": results.len() }, "results": results })
}

/// A response that allows everything, also objects that do not exist.
fn grant(path: &str, body: &Value) -> Value {
    if is_search(path) {
        return page(body, (0..=10_000).map(|id| format!("d{id}")), "");
    }
    match body["evaluations"].as_array() {
        Some(evaluations) => {
            json!({ "evaluations": vec![json!({ "decision": true }); evaluations.len()] })
        }
        None => json!({ "decision": true }),
    }
}

/// Changes the number of decisions or results. A single decision is no longer one.
fn cut(mut response: Value, count: impl Fn(usize) -> usize) -> Value {
    for name in ["evaluations", "results"] {
        if let Some(list) = response[name].as_array() {
            let count = count(list.len());
            let cut: Vec<Value> = list.iter().cycle().take(count).cloned().collect();
            response[name] = cut.into();
            return response;
        }
    }
    json!({ "evaluations": vec![response; count(1)] })
}
