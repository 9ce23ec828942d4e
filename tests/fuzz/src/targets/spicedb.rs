//! Responses of SpiceDB over gRPC: the first line of an input is the status, and each further line is one decision
//! about a question, or one object of a list. With the line `raw`, the rest is the message in its encoding.

use std::sync::{Arc, Mutex};
use std::thread;

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionPoint, DecisionPointError, Evaluation, EvaluationRequest, ObjectDecision, Permitted,
    Resource,
};
use auth_runtime_spicedb::SpiceDb;
use axum::Router;
use axum::body::Body;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Response, Uri};
use http_body_util::StreamBody;
use prost::{Message, Oneof};
use tokio::runtime::{Builder, Runtime};

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "spicedb",
    cost: 20,
    dictionary: &[
        "0\n",
        "5\n",
        "none\n",
        "raw\n",
        "2 own\n",
        "1 own\n",
        "3 own\n",
        "0 own\n",
        "2 other\n",
        "1 other\n",
        "2 own user\n",
        "2 own document write\n",
        "2 own document read bob\n",
        "error 9\n",
        "error 0\n",
        "empty\n",
        "2 d=2E1\n",
        "2 d=2e1\n",
        "1 *\n",
        "1 =\n",
        "\x0a",
        "\x12",
        "\x08\x02",
    ],
    start,
};

/// The ids of the questions.
const IDS: [&str; 2] = ["own", "other"];
/// The values of `Permissionship` and of `LookupPermissionship` for permission.
const PERMITTED: i32 = 2;
const LISTED: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct ObjectReference {
    #[prost(string, tag = "1")]
    object_type: String,
    #[prost(string, tag = "2")]
    object_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct SubjectReference {
    #[prost(message, optional, tag = "1")]
    object: Option<ObjectReference>,
    #[prost(string, tag = "2")]
    relation: String,
}

#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(message, optional, tag = "1")]
    resource: Option<ObjectReference>,
    #[prost(string, tag = "2")]
    permission: String,
    #[prost(message, optional, tag = "3")]
    subject: Option<SubjectReference>,
}

#[derive(Clone, PartialEq, Message)]
struct Decisions {
    #[prost(message, repeated, tag = "2")]
    pairs: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(message, optional, tag = "1")]
    request: Option<Question>,
    #[prost(oneof = "Decided", tags = "2, 3")]
    response: Option<Decided>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Decided {
    #[prost(message, tag = "2")]
    Item(Number),
    #[prost(message, tag = "3")]
    Error(Number),
}

/// A message with a number as its first field.
#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(int32, tag = "1")]
    number: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Found {
    #[prost(string, tag = "2")]
    id: String,
    #[prost(int32, tag = "3")]
    permissionship: i32,
}

/// A response to a check, and one to a search.
#[derive(Clone, Default)]
struct Plan {
    status: Option<u16>,
    decisions: Vec<u8>,
    found: Vec<Vec<u8>>,
}

fn reference(object_type: &str, id: &str) -> Option<ObjectReference> {
    Some(ObjectReference {
        object_type: object_type.to_owned(),
        object_id: id.to_owned(),
    })
}

fn question(object_type: &str, id: &str, permission: &str, subject: &str) -> Question {
    Question {
        resource: reference(object_type, id),
        permission: permission.to_owned(),
        subject: Some(SubjectReference {
            object: reference("user", subject),
            relation: String::new(),
        }),
    }
}

impl Plan {
    fn parse(input: &[u8]) -> Self {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (status, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        let status = String::from_utf8_lossy(status).trim().parse().ok();
        if let Some(message) = rest.strip_prefix(b"raw\n") {
            return Self {
                status,
                decisions: message.to_vec(),
                found: vec![message.to_vec()],
            };
        }
        let rest = String::from_utf8_lossy(rest);
        let (mut pairs, mut found) = (Vec::new(), Vec::new());
        for line in rest.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let word = |at: usize, default| words.get(at).copied().unwrap_or(default);
            let number = |at| word(at, "").parse().unwrap_or(0);
            let request = question(
                word(2, "document"),
                word(1, "own"),
                word(3, "read"),
                word(4, "ann"),
            );
            pairs.push(Pair {
                request: (words[0] != "nothing").then_some(request),
                response: match words[0] {
                    "empty" => None,
                    "error" => Some(Decided::Error(Number { number: number(1) })),
                    _ => Some(Decided::Item(Number { number: number(0) })),
                },
            });
            let message = Found {
                id: word(1, "own").to_owned(),
                permissionship: number(0),
            };
            found.push(message.encode_to_vec());
        }
        Self {
            status,
            decisions: Decisions { pairs }.encode_to_vec(),
            found,
        }
    }

    /// The right response to both questions.
    fn good() -> Self {
        Self::parse(b"0\n1 own\n1 other\n")
    }

    fn respond(&self, uri: &Uri) -> Response<Body> {
        let is_list = uri.path().ends_with("/LookupResources");
        let messages = match is_list {
            true => self.found.clone(),
            false => vec![self.decisions.clone()],
        };
        let mut frames: Vec<_> = messages
            .into_iter()
            .map(|message| {
                let length = u32::try_from(message.len()).expect("a short message");
                let frame = [&[0], &length.to_be_bytes()[..], &message].concat();
                http_body::Frame::data(axum::body::Bytes::from(frame))
            })
            .collect();
        if let Some(status) = self.status {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from(status));
            frames.push(http_body::Frame::trailers(trailers));
        }
        let frames = frames.into_iter().map(Ok::<_, std::convert::Infallible>);
        let response = Response::builder().header("content-type", "application/grpc");
        let body = Body::new(StreamBody::new(stream::iter(frames)));
        response.body(body).expect("a response")
    }
}

type Decisive = Result<Vec<bool>, DecisionPointError>;
type Listed = Result<Vec<String>, DecisionPointError>;

struct Server {
    plan: Arc<Mutex<Plan>>,
    engine: SpiceDb,
    runtime: Runtime,
}

fn start() -> Check {
    let plan = Arc::new(Mutex::new(Plan::default()));
    let served = Arc::clone(&plan);
    let respond = move |uri: Uri| {
        let plan = served.lock().expect("no panic").clone();
        async move { plan.respond(&uri) }
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    listener.set_nonblocking(true).expect("a socket");
    // It ends with the process.
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            axum::serve(listener, Router::new().fallback(respond)).await
        })
    });
    let engine = SpiceDb::builder()
        .url(format!("http://{address}"))
        .preshared_key("key-of-the-fuzzer");
    let runtime = Builder::new_current_thread().enable_all().build();
    let server = Server {
        plan,
        engine: engine.build().expect("a URL"),
        runtime: runtime.expect("a runtime"),
    };
    Box::new(move |input| server.check(&Plan::parse(input)))
}

impl Server {
    fn check(&self, plan: &Plan) -> Outcome {
        self.serve(plan);
        let (decided, listed) = (self.ask(), self.list());
        if let Ok(decisions) = &decided {
            assert_eq!(Some(decisions), decisions_of(plan).as_ref());
        }
        if let Ok(ids) = &listed {
            assert_eq!(plan.status, Some(0));
            for id in ids {
                let encoded = SpiceDb::object_id(id).expect("an id");
                assert!(listed_by(plan).contains(&encoded), "{encoded}");
            }
            // An id that is its own form is in the list.
            let is_form = |id: &&String| SpiceDb::object_id(id).as_ref() == Some(*id);
            for id in listed_by(plan).iter().filter(is_form) {
                assert!(ids.contains(id), "{id}");
            }
        }
        if decided.is_err() || listed.is_err() {
            // It closes the circuit that failures open.
            self.serve(&Plan::good());
            assert_eq!(self.ask(), Ok(vec![false; 2]));
        }
        let is_granted = decided.as_ref().is_ok_and(|all| all.contains(&true));
        let listed = listed.map(|ids| ids.len().min(3));
        Outcome::of((decided.ok(), listed.ok())).of_decision(is_granted)
    }

    fn serve(&self, plan: &Plan) {
        *self.plan.lock().expect("no panic") = plan.clone();
    }

    fn ask(&self) -> Decisive {
        let ann = Identity::new("ann");
        let questions = IDS.map(|id| Evaluation::new("read", Resource::new("Document", id)));
        let request = EvaluationRequest::new(&ann, &questions);
        let decided = self.runtime.block_on(self.engine.evaluate(request))?;
        Ok(decided.iter().map(ObjectDecision::is_allowed).collect())
    }

    fn list(&self) -> Listed {
        let ann = Identity::new("ann");
        let request = EvaluationRequest::new(&ann, &[]);
        let listed = self.engine.permitted("read", "Document", request);
        match self.runtime.block_on(listed)? {
            Permitted::Ids(ids) => Ok(ids),
            other => panic!("{other:?}"),
        }
    }
}

/// The decisions about both questions, each beside its question. Conditional ones are denials.
fn decisions_of(plan: &Plan) -> Option<Vec<bool>> {
    let decisions = Decisions::decode(&*plan.decisions).ok()?;
    let is_whole = plan.status == Some(0) && decisions.pairs.len() == IDS.len();
    let pairs = decisions.pairs.into_iter().zip(IDS);
    let decided = pairs.map(|(pair, id)| {
        let is_own = pair.request? == question("document", id, "read", "ann");
        match pair.response? {
            Decided::Item(Number { number }) if is_own && (1..=3).contains(&number) => {
                Some(number == PERMITTED)
            }
            _ => None,
        }
    });
    decided.collect::<Option<_>>().filter(|_| is_whole)
}

/// The ids that the server lists as permitted.
fn listed_by(plan: &Plan) -> Vec<String> {
    let messages = plan.found.iter();
    let found = messages.filter_map(|message| Found::decode(&**message).ok());
    let permitted = found.filter(|found| found.permissionship == LISTED);
    permitted.map(|found| found.id).collect()
}
