//! Routers that the lines of an input build.

use auth_runtime::routing::GuardedMethodRouter;
use auth_runtime::{GuardedRouter, ProtectedRouter, UnknownPaths, public, requires};
use axum::middleware::from_fn;
use axum::routing::MethodFilter;
use http::StatusCode;
use tower::service_fn;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;

use crate::targets::hiding::{change, field, inspect, missing, nothing, object, secret, space};
use crate::targets::requests::Sent;

/// The letters of methods.
const METHODS: [(char, MethodFilter, &[&str]); 4] = [
    ('g', MethodFilter::GET, &["GET", "HEAD"]),
    ('p', MethodFilter::POST, &["POST"]),
    ('u', MethodFilter::PUT, &["PUT"]),
    ('d', MethodFilter::DELETE, &["DELETE"]),
];

/// A segment of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// `a`, `b`, `h`, and `/` at the end for an empty one.
    Literal(&'static str),
    /// `p`, or `s` behind the text `a-`.
    Parameter(&'static str),
    /// `*`, or `+` behind the text `a-`.
    Rest(&'static str),
}

/// The kind of a route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// `h`, `o` or `w`: hidden.
    Hidden,
    /// `v` or `x`: public. `x` is unguarded.
    Public,
    /// `s`: visible, for readers.
    ForReaders,
}

/// A route, as the properties see it.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) pattern: Vec<Segment>,
    pub(super) kind: Kind,
    methods: String,
    /// A service for all paths below it.
    pub(super) is_subtree: bool,
}

#[public(reason = "a visible path")]
async fn visible() -> &'static str {
    "visible"
}

#[requires(scope = "read")]
async fn for_readers() -> &'static str {
    "visible"
}

#[public(reason = "a visible path")]
struct VisibleTree;

#[requires(scope = "admin", hide_as = 404)]
struct HiddenTree;

impl Route {
    pub(super) fn has_method(&self, method: &str) -> bool {
        let mut own = METHODS
            .iter()
            .filter(|(letter, ..)| self.methods.contains(*letter))
            .peekable();
        let is_any = self.is_subtree || self.methods.contains('a') || own.peek().is_none();
        is_any || own.any(|(_, _, names)| names.contains(&method))
    }

    /// Returns whether the route may match a path, with or without the slashes at its end. It is true too often.
    pub(super) fn may_match(&self, path: &str) -> bool {
        [path, path.trim_end_matches('/')]
            .iter()
            .any(|path| self.matches(path))
    }

    fn matches(&self, path: &str) -> bool {
        let mut path = path.split('/').skip(1);
        for segment in &self.pattern {
            match segment {
                Segment::Literal("") => {}
                Segment::Literal(text) if path.next() == Some(text) => {}
                Segment::Parameter(prefix)
                    if path.next().is_some_and(|own| own.starts_with(prefix)) => {}
                Segment::Rest(prefix) => {
                    return path.next().is_none_or(|own| own.starts_with(prefix));
                }
                _ => return false,
            }
        }
        self.is_subtree || path.all(str::is_empty)
    }
}

/// The segments for some letters.
fn segments(letters: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    for letter in letters.chars().take(4) {
        let rest = segments.last();
        if rest.is_some_and(|last| matches!(last, Segment::Rest(_) | Segment::Literal(""))) {
            break;
        }
        segments.extend(match letter {
            'a' => Some(Segment::Literal("a")),
            'b' => Some(Segment::Literal("b")),
            'h' => Some(Segment::Literal("hhhh")),
            '/' => Some(Segment::Literal("")),
            'p' => Some(Segment::Parameter("")),
            's' => Some(Segment::Parameter("a-")),
            '*' => Some(Segment::Rest("")),
            '+' => Some(Segment::Rest("a-")),
            _ => None,
        });
    }
    segments
}

/// The pattern in axum's form, at a depth within other routers.
fn pattern(segments: &[Segment], depth: usize) -> String {
    let texts = segments
        .iter()
        .zip(depth..)
        .map(|(segment, at)| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Parameter(prefix) => format!("/{prefix}{{p{at}}}"),
            Segment::Rest(prefix) => format!("/{prefix}{{*rest}}"),
        });
    Some(texts.collect::<String>())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "/".to_owned())
}

/// A path that a pattern matches.
pub(super) fn example(segments: &[Segment]) -> String {
    let texts = segments.iter().map(|segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Parameter(prefix) => format!("/{prefix}hhhh"),
        Segment::Rest(prefix) => format!("/{prefix}hhhh/7"),
    });
    Some(texts.collect::<String>())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "/".to_owned())
}

/// A requested path, also one in an odd spelling.
pub(super) fn requested(letters: &str) -> String {
    let texts = letters.chars().take(6).map(|letter| match letter {
        'a' => "/a",
        'b' => "/b",
        'h' => "/hhhh",
        's' => "/a-hhhh",
        'k' => "/hh%2fh",
        '%' => "/%61",
        'd' => "/7",
        '.' => "/..",
        _ => "/",
    });
    Some(texts.collect::<String>())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "/".to_owned())
}

/// A router that is being built.
struct Level {
    router: GuardedRouter,
    /// The prefix within the outer router; `None` for a merged one.
    prefix: Option<Vec<Segment>>,
    /// All prefixes.
    path: Vec<Segment>,
}

/// The routers of an input, with or without the hidden routes.
pub(super) struct Shape {
    /// The finished routers, each with a space of its own.
    finished: Vec<GuardedRouter>,
    levels: Vec<Level>,
    pub(super) routes: Vec<Route>,
    with_hidden: bool,
}

impl Shape {
    pub(super) fn new(sent: &Sent, with_hidden: bool) -> Self {
        let mut shape = Self {
            finished: Vec::new(),
            levels: vec![Level::root()],
            routes: Vec::new(),
            with_hidden,
        };
        for (name, value) in sent.options().take(24) {
            shape.add(name, value);
        }
        shape.finish();
        shape
    }

    fn add(&mut self, name: &str, value: &str) {
        match name {
            "route" => self.add_route(value),
            "second" if self.finished.is_empty() => {
                self.finish();
                self.levels.push(Level::root());
            }
            "nest" | "merge" if self.levels.len() < 4 => {
                let prefix = segments(value).into_iter();
                let prefix = prefix.filter(|segment| match segment {
                    Segment::Literal(text) => matches!(*text, "a" | "b"),
                    Segment::Parameter(_) => true,
                    Segment::Rest(_) => false,
                });
                let prefix = Some(prefix.collect())
                    .filter(|prefix: &Vec<_>| name == "nest" && !prefix.is_empty());
                let outer = self.levels.last().map(|level| level.path.clone());
                let outer = outer.unwrap_or_default();
                self.levels.push(Level {
                    router: GuardedRouter::new(),
                    path: [outer, prefix.clone().unwrap_or_default()].concat(),
                    prefix,
                });
            }
            "end" if self.levels.len() > 1 => self.end(),
            "layer" => self.change(|router| match number(value) % 4 {
                0 => router.layer(field("x-layer")),
                1 => router.layer(
                    CompressionLayer::new().compress_when(|_: StatusCode, _, _: &_, _: &_| true),
                ),
                2 => router.layer(from_fn(inspect)),
                _ => router.layer(CorsLayer::permissive()),
            }),
            "fallback" => self.change(|router| match number(value) % 2 {
                0 => router.fallback(nothing),
                _ => router.fallback(missing),
            }),
            "others" => self.change(|router| router.method_not_allowed_fallback(nothing)),
            _ => {}
        }
    }

    fn change(&mut self, change: impl FnOnce(GuardedRouter) -> GuardedRouter) {
        let level = self.levels.last_mut().expect("a level");
        level.router = change(std::mem::take(&mut level.router));
    }

    fn add_route(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace();
        let mut next = || words.next().unwrap_or_default();
        let (letters, methods, kind, layer) = (next(), next(), next(), next());
        let level = self.levels.last().expect("a level");
        let own = segments(letters);
        let mut segments = level.path.clone();
        // `/` of a nested router is its prefix.
        if own != [Segment::Literal("")] || segments.is_empty() {
            segments.extend(own.iter().cloned());
        }
        let (path, is_tree) = (pattern(&own, level.path.len()), matches!(kind, "H" | "V"));
        let route = Route {
            kind: match kind {
                "v" | "V" | "x" => Kind::Public,
                "s" => Kind::ForReaders,
                _ => Kind::Hidden,
            },
            methods: if kind == "x" { "g" } else { methods }.to_owned(),
            is_subtree: is_tree,
            pattern: segments,
        };
        let is_left_out = route.kind == Kind::Hidden && !self.with_hidden;
        self.routes.push(route);
        if is_left_out {
            return;
        }
        let tree = service_fn(|_| async { Ok::<_, std::convert::Infallible>("visible") });
        self.change(|router| match kind {
            "V" => router.nest_service(&path, VisibleTree, tree),
            "H" => router.nest_service(&path, HiddenTree, tree),
            "x" => {
                let unguarded =
                    axum::Router::new().route(&path, axum::routing::get(|| async { "visible" }));
                router.merge_unguarded("a visible path", &[&path], unguarded)
            }
            _ => {
                let methods = method_router(methods, kind);
                let methods = match layer {
                    "l" => methods.layer(field("x-own")),
                    "r" => methods.route_layer(field("x-route")),
                    _ => methods,
                };
                router.route(&path, methods)
            }
        });
    }

    /// Adds the innermost router to the one around it.
    fn end(&mut self) {
        let Level { router, prefix, .. } = self.levels.pop().expect("a level");
        let depth = self.levels.last().map_or(0, |outer| outer.path.len());
        self.change(|outer| match prefix {
            Some(prefix) => outer.nest(&pattern(&prefix, depth), router),
            None => outer.merge(router),
        });
    }

    fn finish(&mut self) {
        while self.levels.len() > 1 {
            self.end();
        }
        // One path is always hidden, since the responses of a router that hides nothing can be cached.
        let path = format!("/q{}", self.finished.len());
        self.add_anchor(&path);
        let level = self.levels.pop().expect("a level");
        self.finished.push(level.router);
    }

    fn add_anchor(&mut self, path: &str) {
        self.change(|router| router.route(path, method_router("g", "h")));
    }

    pub(super) fn protect(self, unknown_paths: UnknownPaths) -> Option<ProtectedRouter> {
        let mut protected = Vec::new();
        for router in self.finished {
            protected.push(router.protect(space(unknown_paths)).ok()?);
        }
        protected.into_iter().reduce(ProtectedRouter::merge)
    }
}

impl Level {
    fn root() -> Self {
        Self {
            router: GuardedRouter::new(),
            prefix: None,
            path: Vec::new(),
        }
    }
}

fn method_router(letters: &str, kind: &str) -> GuardedMethodRouter {
    let filters = METHODS
        .iter()
        .filter(|(letter, ..)| letters.contains(*letter));
    let filters = filters.map(|(_, filter, _)| *filter);
    let filter = filters.reduce(MethodFilter::or);
    let methods = GuardedMethodRouter::new();
    let is_any = letters.contains('a');
    macro_rules! with {
        ($handler:ident) => {{
            let methods = match filter {
                Some(filter) => methods.on(filter, $handler),
                None => methods,
            };
            if is_any || filter.is_none() {
                methods.fallback($handler)
            } else {
                methods
            }
        }};
    }
    match kind {
        "v" => with!(visible),
        "s" => with!(for_readers),
        "o" => with!(object),
        "w" => with!(change),
        _ => with!(secret),
    }
}

pub(super) fn number(value: &str) -> usize {
    value.parse().unwrap_or(0)
}
