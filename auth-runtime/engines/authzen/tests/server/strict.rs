//! A server that evaluates and lists by the same decisions, and that rejects each request that the
//! specification does not allow.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};

/// Decides about one question, a body with a subject, an action and a resource.
type Decide = Box<dyn Fn(&Value) -> bool + Send + Sync>;

pub(crate) struct World {
    /// Each with a type, an id and, if the server knows them, properties.
    pub(crate) objects: Vec<Value>,
    pub(crate) decide: Decide,
    /// The number of objects on a page.
    pub(crate) page: usize,
    /// Repeats the last object of a page as the first one of the next page (§8.2).
    pub(crate) repeats: bool,
}

/// The server. It ends with the runtime of its test.
pub(crate) struct Strict {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<Arc<World>>,
    /// The lists that continue: the request, without its token, and the begin of the page.
    continued: Mutex<HashMap<String, (Value, usize)>>,
    seen: Mutex<Vec<Value>>,
    problems: Mutex<Vec<String>>,
}

impl Strict {
    pub(crate) async fn start(world: World) -> Self {
        let shared = Arc::new(Shared {
            world: Mutex::new(Arc::new(world)),
            continued: Mutex::default(),
            seen: Mutex::default(),
            problems: Mutex::default(),
        });
        let app = Router::new()
            .route("/access/v1/evaluation", post(evaluation))
            .route("/access/v1/evaluations", post(evaluations))
            .route("/access/v1/search/resource", post(search))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn change(&self, world: World) {
        *self.shared.world.lock().unwrap() = Arc::new(world);
    }

    /// Takes the bodies of the searches that arrived, and asserts that all requests were valid.
    #[track_caller]
    pub(crate) fn searches(&self) -> Vec<Value> {
        let problems = self.shared.problems.lock().unwrap().clone();
        assert!(problems.is_empty(), "{problems:#?}");
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }
}

type Answer = Result<Value, String>;

async fn body_of(request: Request) -> Result<Map<String, Value>, String> {
    let content_type = request.headers().get("content-type").cloned();
    if content_type.is_none_or(|found| found != "application/json") {
        return Err("the content type is not application/json".to_owned());
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    match serde_json::from_slice(&body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err("the body is not a JSON object".to_owned()),
    }
}

fn respond(shared: &Shared, answer: Answer) -> Response {
    match answer {
        Ok(answer) => ([("content-type", "application/json")], answer.to_string()).into_response(),
        Err(problem) => {
            shared.problems.lock().unwrap().push(problem.clone());
            (StatusCode::BAD_REQUEST, problem).into_response()
        }
    }
}

/// Checks that the object has these members, and no others. Those of optional members end with `?`.
fn check_members(name: &str, object: &Value, members: &[&str]) -> Result<(), String> {
    let object = object.as_object().ok_or(format!("{name} is no object"))?;
    for member in members {
        let is_required = !member.ends_with('?');
        if is_required && !object.contains_key(*member) {
            return Err(format!("{name} has no {member}"));
        }
    }
    for (found, value) in object {
        let is_text = matches!(found.as_str(), "type" | "id" | "name" | "token");
        let is_object = matches!(
            found.as_str(),
            "properties" | "subject" | "action" | "resource"
        ) || matches!(found.as_str(), "context" | "page" | "options");
        let is_known = members.iter().any(|own| own.trim_end_matches('?') == found);
        let is_valid = match found.as_str() {
            _ if is_text => value.as_str().is_some_and(|text| !text.is_empty()),
            _ if is_object => value.is_object(),
            "limit" => value.is_u64(),
            "evaluations" => value.is_array(),
            _ => false,
        };
        if !is_known || !is_valid {
            return Err(format!("{name} has the member {found}: {value}"));
        }
    }
    Ok(())
}

fn check_question(question: &Value) -> Result<(), String> {
    check_members(
        "subject",
        &question["subject"],
        &["type", "id", "properties?"],
    )?;
    check_members("action", &question["action"], &["name", "properties?"])
}

async fn evaluation(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = body_of(request).await.and_then(|body| {
        let question = Value::Object(body);
        check_members(
            "request",
            &question,
            &["subject", "action", "resource", "context?"],
        )?;
        check_question(&question)?;
        check_members(
            "resource",
            &question["resource"],
            &["type", "id", "properties?"],
        )?;
        let world = shared.world.lock().unwrap();
        Ok(json!({ "decision": (world.decide)(&question) }))
    });
    respond(&shared, answer)
}

async fn evaluations(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = body_of(request).await.and_then(|body| {
        let body = Value::Object(body);
        check_members(
            "request",
            &body,
            &["subject", "evaluations", "context?", "options?"],
        )?;
        let world = shared.world.lock().unwrap();
        let decide = |one: &Value| {
            let mut question = one.clone();
            question["subject"] = body["subject"].clone();
            check_question(&question)?;
            check_members("resource", &one["resource"], &["type", "id", "properties?"])?;
            Ok(json!({ "decision": (world.decide)(&question) }))
        };
        let each = body["evaluations"].as_array().unwrap().iter().map(decide);
        let each: Result<Vec<Value>, String> = each.collect();
        Ok(json!({ "evaluations": each? }))
    });
    respond(&shared, answer)
}

async fn search(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let answer = body_of(request).await.and_then(|body| {
        let body = Value::Object(body);
        shared.seen.lock().unwrap().push(body.clone());
        shared.list(body)
    });
    respond(&shared, answer)
}

impl Shared {
    /// A page of a list (§8.5).
    fn list(&self, mut body: Value) -> Answer {
        let members = ["subject", "action", "resource", "context?", "page?"];
        check_members("request", &body, &members)?;
        check_question(&body)?;
        // The id should be omitted.
        check_members("resource", &body["resource"], &["type", "properties?"])?;
        let mut begin = 0;
        if body.get("page").is_some() {
            check_members("page", &body["page"], &["token?", "limit?", "properties?"])?;
            if let Some(token) = body["page"].as_object_mut().unwrap().remove("token") {
                let token = token.as_str().unwrap();
                let found = self.continued.lock().unwrap().remove(token);
                let (first, next) = found.ok_or("the token is unknown, or was used")?;
                if first != body {
                    return Err("the request differs from the preceding one".to_owned());
                }
                begin = next;
            }
        }
        let world = Arc::clone(&self.world.lock().unwrap());
        let permitted: Vec<&Value> = world
            .objects
            .iter()
            .filter(|object| {
                let mut question = body.clone();
                question["resource"] = (*object).clone();
                object["type"] == body["resource"]["type"] && (world.decide)(&question)
            })
            .collect();
        let total = permitted.len();
        let limit = body["page"]["limit"]
            .as_u64()
            .map_or(usize::MAX, |it| it as usize);
        let end = total.min(begin.saturating_add(world.page.min(limit)));
        let again = usize::from(world.repeats && begin > 0);
        let results: Vec<Value> = permitted[begin - again..end]
            .iter()
            .map(|object| json!({ "type": object["type"], "id": object["id"] }))
            .collect();
        if begin == 0 && end == total {
            return Ok(json!({ "results": results, "context": { "milliseconds": 42 } }));
        }
        let mut token = String::new();
        if end < total {
            let mut continued = self.continued.lock().unwrap();
            token = format!(
                "t={}&{end}",
                continued.len() + self.seen.lock().unwrap().len()
            );
            continued.insert(token.clone(), (body, end));
        }
        let page = json!({ "next_token": token, "count": results.len(), "total": total });
        Ok(json!({ "page": page, "results": results }))
    }
}

/// The ids of a set, for objects of one type.
pub(crate) fn objects_of(kind: &str, ids: impl IntoIterator<Item = String>) -> Vec<Value> {
    let ids: HashSet<String> = ids.into_iter().collect();
    let mut ids: Vec<String> = ids.into_iter().collect();
    ids.sort();
    let objects = ids.into_iter();
    objects
        .map(|id| json!({ "type": kind, "id": id }))
        .collect()
}
