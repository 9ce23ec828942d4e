//! Pairs of a hidden and an unknown path through routers whose routes, nests, fallbacks and layers are drawn from the
//! input. The same path is also compared with a router that does not have the hidden routes.
//!
//! The lines with `@` build the router, in their order:
//!
//! | line | effect |
//! |---|---|
//! | `@route: ahp gp h` | adds a route: letters of [segments](shape::Segment), of methods, and of its [kind](Kind); a further `l` or `r` adds a layer |
//! | `@nest: a`, `@merge:`, `@end:` | the routes between are those of a nested or merged router |
//! | `@second:` | the next routes are those of a router with a protection space of its own |
//! | `@layer: 1`, `@fallback: 1`, `@others:` | a layer, a fallback, and one for other methods |
//! | `@around: 3`, `@challenge:` | the layers around all, and the response to unknown paths |
//! | `@path: ah` | the requested path, unless it is that of the first hidden route |

mod shape;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use auth_runtime::UnknownPaths;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use self::shape::{Kind, Route, Shape, example, number, requested};
use super::hiding::{Service, layered};
use super::requests::Sent;
use super::service::Answer;
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "router_shapes",
    cost: 1,
    dictionary: &[
        "\n@route: h g h",
        "\n@route: ah gp o",
        "\n@route: p a h",
        "\n@route: a g v",
        "\n@route: a p h",
        "\n@route: s g h",
        "\n@route: s* g h",
        "\n@route: * g v",
        "\n@route: * g h",
        "\n@route: h/ g h",
        "\n@route: h g s",
        "\n@route: a g H",
        "\n@route: a g V",
        "\n@route: b g x",
        "\n@route: h g h l",
        "\n@route: h p w r",
        "\n@nest: a",
        "\n@nest: p",
        "\n@nest: ab",
        "\n@merge:",
        "\n@end:",
        "\n@second:",
        "\n@layer: 0",
        "\n@layer: 1",
        "\n@layer: 2",
        "\n@layer: 3",
        "\n@fallback: 1",
        "\n@fallback: 2",
        "\n@others:",
        "\n@around: 1",
        "\n@around: 15",
        "\n@challenge:",
        "\n@path: h",
        "\n@path: ah/",
        "\n@path: k",
        "\nauthorization: Bearer reader",
        "\nauthorization: Bearer dead",
        "\nauthorization: Bearer down",
        "\nauthorization: ?",
        "\naccept-encoding: gzip",
        "\norigin: https://elsewhere.example",
        "\naccess-control-request-method: GET",
        "\naccept: text/html",
        "\nif-none-match: *",
        "\ncontent-type: application/x-www-form-urlencoded",
        "\n\naccess_token=reader",
        "GET ",
        "HEAD ",
        "OPTIONS ",
        "POST ",
        "PUT ",
        "?a=b",
    ],
    start,
};

/// The two services of a shape, and its routes.
struct Pair {
    services: [Service; 2],
    routes: Vec<Route>,
}

impl Pair {
    /// `None` if axum or the framework refuses such a router.
    fn build(sent: &Sent) -> Option<Self> {
        let unknown_paths = match sent.option("challenge") {
            Some(_) => UnknownPaths::Challenge,
            None => UnknownPaths::NotFound,
        };
        let around = number(sent.option("around").unwrap_or_default()) % 16;
        let built = [true, false].map(|with_hidden| {
            let build = || {
                let shape = Shape::new(sent, with_hidden);
                let routes = shape.routes.clone();
                let router = shape.protect(unknown_paths)?;
                Some((layered(Service::new(router), around), routes))
            };
            catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|panic| {
                let message = panic.downcast_ref::<String>().map(String::as_str);
                let message = message.or(panic.downcast_ref::<&str>().copied());
                let is_refused =
                    message.is_some_and(|text| REFUSALS.iter().any(|it| text.contains(it)));
                if !is_refused {
                    resume_unwind(panic);
                }
                None
            })
        });
        let [Some((with, routes)), Some((without, _))] = built else {
            return None;
        };
        Some(Self {
            services: [with, without],
            routes,
        })
    }
}

/// Parts of the messages of axum for routers that cannot exist.
const REFUSALS: [&str; 6] = [
    "Overlapping method route",
    "Insertion failed",
    "Invalid route",
    "that both have a fallback",
    "Nesting at the root",
    "is a no-op",
];

/// The number of shapes at hand.
const MAX_SHAPES: usize = 64;

fn start() -> Check {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut shapes: HashMap<Vec<(String, String)>, Option<Pair>> = HashMap::new();
    Box::new(move |input| {
        let Some(sent) = Sent::parse(input, "/") else {
            return Outcome::of("not a request");
        };
        if shapes.len() >= MAX_SHAPES {
            shapes.clear();
        }
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let shape: Vec<_> = sent.options().map(owned).collect();
        let pair = shapes.entry(shape).or_insert_with(|| Pair::build(&sent));
        match pair {
            Some(pair) => check(input, &sent, pair, &runtime),
            None => Outcome::of("not a router"),
        }
    })
}

fn check(input: &[u8], sent: &Sent, pair: &Pair, runtime: &Runtime) -> Outcome {
    let hidden = |route: &&Route| route.kind == Kind::Hidden;
    let path = match sent.option("path") {
        Some(letters) => requested(letters),
        None => {
            let first = pair.routes.iter().find(hidden).or(pair.routes.first());
            first.map_or_else(|| "/hhhh".to_owned(), |route| example(&route.pattern))
        }
    };
    let respond = |service: &Service, path: &str| {
        let sent = Sent::parse(input, path)?;
        Some(runtime.block_on(async {
            let Ok(response) = service.clone().oneshot(sent.to_request()).await;
            Answer::of(response).await
        }))
    };
    let unknown = path.replace('h', "z");
    let [with, without] = &pair.services;
    let (Some(answer), Some(other), Some(removed)) = (
        respond(with, &path),
        respond(with, &unknown),
        respond(without, &path),
    ) else {
        return Outcome::of("not a request");
    };
    let matching = |path: &str| {
        let routes = pair.routes.iter();
        routes
            .filter(|route| route.may_match(path))
            .cloned()
            .collect::<Vec<_>>()
    };
    let method = sent.method.as_str();
    let is_visible = |route: &&Route| route.kind != Kind::Hidden;
    let (own, others) = (matching(&path), matching(&unknown));
    let body = String::from_utf8_lossy(&answer.body);
    for secret in ["the secret", "the object"] {
        assert!(!body.contains(secret), "{answer:?}");
    }
    let is_granted = body == "visible";
    let mut granting = own.iter().filter(is_visible);
    assert!(
        !is_granted || granting.any(|route| route.has_method(method)),
        "{path}"
    );
    let has_visible = own.iter().any(|route| is_visible(&route));
    // The other methods of a path with a hidden one are unknown.
    let is_one_pattern = own
        .iter()
        .all(|route| route.pattern == own[0].pattern && !route.is_subtree);
    let is_concealed = own.iter().any(|route| hidden(&route))
        && is_one_pattern
        && !own
            .iter()
            .any(|route| is_visible(&route) && route.has_method(method));
    let mut compared = (false, false);
    if unknown != path
        && !others.iter().any(|route| is_visible(&route))
        && (!has_visible || is_concealed)
    {
        compared.0 = true;
        assert_eq!(
            shown(&answer, true),
            shown(&other, true),
            "{method} {path}: {:?}",
            pair.routes
        );
    }
    if !has_visible {
        compared.1 = true;
        assert_eq!(
            shown(&answer, false),
            shown(&removed, false),
            "{method} {path}: {:?}",
            pair.routes
        );
    }
    let names: Vec<_> = answer.fields.keys().map(ToString::to_string).collect();
    Outcome::of((
        compared,
        answer.status.as_u16(),
        names,
        own.len(),
        others.len(),
    ))
    .of_decision(is_granted)
}

/// The response, in which the letters of the paths are the same if two of them are compared.
fn shown(answer: &Answer, with_paths: bool) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let same = |text: String| {
        if with_paths {
            text.replace('z', "h")
        } else {
            text
        }
    };
    let fields = answer.fields.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), same(value))
    });
    // The compressed bytes of two paths have no common form.
    let is_compressed = answer.fields.contains_key("content-encoding");
    let body = match with_paths {
        true if is_compressed => Vec::new(),
        true => same(String::from_utf8_lossy(&answer.body).into_owned()).into_bytes(),
        false => answer.body.clone(),
    };
    (answer.status.as_u16(), fields.collect(), body)
}
