//! A server with the behaviour that a test sets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, Uri};
use futures_util::{StreamExt, stream};
use http_body_util::StreamBody;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::messages::{
    AnyRequest, CheckRequest, CheckResponse, Decided, Found, Pair, Permissionship, Requirement,
    Token,
};

/// The numbers of `Permissionship`.
const NO: i32 = 1;
const YES: i32 = 2;

#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Permits the objects with the id `own`.
    Decide,
    /// Changes the decisions.
    Change(fn(&mut Vec<Pair>)),
    /// Lists these objects.
    List(Vec<Found>),
    /// Sends this body.
    Send(Vec<u8>),
    /// Responds with a status of gRPC.
    Status(u16),
    /// Responds with a status of HTTP.
    HttpStatus(u16),
    /// Sends a response without a status of gRPC at its end.
    NoStatus,
    /// Decides with a message of this length.
    Long(usize),
    /// Decides after a time.
    Late(Duration),
    /// Lists one object, and nothing else.
    Unfinished,
    /// Sends the head of the response, and nothing else.
    OnlyHead,
    Never,
}

pub(crate) struct Pdp {
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    seen: Mutex<Vec<HeaderMap>>,
    requirements: Mutex<Vec<Requirement>>,
}

impl Pdp {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Behaviour::Decide),
            seen: Mutex::default(),
            requirements: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, port, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// The fields of the requests so far.
    pub(crate) fn seen(&self) -> Vec<HeaderMap> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns the consistency of each request so far.
    pub(crate) fn requirements(&self) -> Vec<Requirement> {
        self.shared.requirements.lock().unwrap().clone()
    }
}

/// The token of the response with this number, counted from 1.
pub(crate) fn token(number: usize) -> Token {
    let token = format!("at {number}");
    Token { token }
}

impl Drop for Pdp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    fields: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    shared.seen.lock().unwrap().push(fields);
    let behaviour = shared.behaviour.lock().unwrap().clone();
    let number = {
        let mut requirements = shared.requirements.lock().unwrap();
        let consistency = AnyRequest::decode(&body[5..]).unwrap().consistency;
        requirements.push(consistency.unwrap().requirement.unwrap());
        requirements.len()
    };
    let decided = |change| decided(&body, number, change);
    let is_list = match uri.path() {
        "/authzed.api.v1.PermissionsService/CheckBulkPermissions" => false,
        "/authzed.api.v1.PermissionsService/LookupResources" => true,
        path => panic!("{path}"),
    };
    let own = [Found {
        looked_up_at: Some(token(number)),
        id: "own".to_owned(),
        permissionship: 1,
    }];
    match behaviour {
        Behaviour::List(found) => respond(found.iter().map(framed).collect(), 0),
        Behaviour::Send(body) => respond(vec![body.into()], 0),
        Behaviour::Status(status) => respond(Vec::new(), status),
        Behaviour::HttpStatus(status) => {
            let response = Response::builder()
                .status(status)
                .header("content-type", "text/html");
            response
                .body(Body::from("<p>it does not work</p>"))
                .unwrap()
        }
        Behaviour::NoStatus => head(Body::from(decided(|_| ()))),
        Behaviour::Unfinished => {
            let first = stream::iter([Ok(framed(&own[0]))]);
            head(Body::from_stream(
                first.chain(stream::pending::<Result<Bytes, std::io::Error>>()),
            ))
        }
        Behaviour::OnlyHead => head(Body::from_stream(stream::pending::<
            Result<Bytes, std::io::Error>,
        >())),
        Behaviour::Never => std::future::pending().await,
        Behaviour::Change(change) if !is_list => respond(vec![decided(change)], 0),
        Behaviour::Long(length) => {
            let message = match is_list {
                true => framed(&own[0]),
                false => decided(|_| ()),
            };
            respond(vec![lengthened(&message, length)], 0)
        }
        behaviour => {
            if let Behaviour::Late(time) = behaviour {
                tokio::time::sleep(time).await;
            }
            match is_list {
                true => respond(own.iter().map(framed).collect(), 0),
                false => respond(vec![decided(|_| ())], 0),
            }
        }
    }
}

fn decided(body: &[u8], number: usize, change: fn(&mut Vec<Pair>)) -> Bytes {
    let request = CheckRequest::decode(&body[5..]).unwrap();
    let pairs = request.items.into_iter().map(|item| {
        let is_own = item
            .resource
            .as_ref()
            .is_some_and(|found| found.object_id == "own");
        let permissionship = if is_own { YES } else { NO };
        Pair {
            request: Some(item),
            response: Some(Decided::Item(Permissionship {
                number: permissionship,
            })),
        }
    });
    let mut pairs = pairs.collect();
    change(&mut pairs);
    framed(&CheckResponse {
        checked_at: Some(token(number)),
        pairs,
    })
}

fn framed(message: &impl Message) -> Bytes {
    let length = u32::try_from(message.encoded_len()).unwrap();
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend(message.encode_to_vec());
    frame.into()
}

/// Adds a field that no message has, with the number 15.
fn lengthened(frame: &[u8], length: usize) -> Bytes {
    let mut message = frame[5..].to_vec();
    message.push(15 << 3 | 2);
    prost::encoding::encode_varint(length as u64, &mut message);
    message.resize(message.len() + length, 0);
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    frame.into()
}

fn head(body: Body) -> Response<Body> {
    Response::builder()
        .header("content-type", "application/grpc")
        .body(body)
        .unwrap()
}

fn respond(messages: Vec<Bytes>, status: u16) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(status));
    trailers.insert(
        "grpc-message",
        HeaderValue::from_static("key-of-the-tests is wrong"),
    );
    let frames = messages.into_iter().map(http_body::Frame::data);
    let frames = frames.chain([http_body::Frame::trailers(trailers)]);
    let frames = frames.map(Ok::<_, std::convert::Infallible>);
    head(Body::new(StreamBody::new(stream::iter(frames))))
}
