//! The routes of guarded routers, if their paths are literals at the mount. They reveal open
//! patterns that match spellings of guarded paths.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::codes;
use auth_grammar::lower;
use auth_grammar::requirement::Policy;
use auth_runtime_core::route_pattern::{Callers, Kind, Routed, find_covers};
use auth_runtime_policy::compare::{Change, compare};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Block, Expr, ExprMethodCall, Lit, Stmt};

use super::expressions::{handler, line_of, path_of, variable};
use super::mount::{argument_of, makes_route};
use super::{Entry, Finding, Place, Sources, named};

/// A router that a function makes.
pub(super) struct Router {
    /// The function.
    pub(super) within: Vec<String>,
    /// True if the function returns it.
    pub(super) is_result: bool,
    /// True if it belongs to a package that is reported.
    pub(super) is_told: bool,
    pub(super) chain: Chain,
}

/// A chain such as `GuardedRouter::new().route(…).merge(…)`.
#[derive(Clone)]
pub(super) struct Chain {
    /// The function at the beginning of the chain.
    begin: Vec<String>,
    scope: usize,
    links: Vec<Link>,
    /// True if `protect` was called: later routes are mounted on a plain router.
    is_protected: bool,
}

#[derive(Clone)]
enum Link {
    Mounted {
        path: String,
        kind: Kind,
        is_service: bool,
        /// The methods, each with its handler or policy, if that has a name.
        methods: Vec<(Option<String>, Option<Vec<String>>)>,
        spot: Spot,
    },
    Nested(String, Chain),
    Merged(Chain),
}

/// The place of a link.
#[derive(Clone)]
struct Spot {
    scope: usize,
    place: Place,
    /// The line to which a comment above it refers.
    line: usize,
}

/// An open pattern, and the guarded paths that it covers.
pub(super) struct OpenPattern {
    pub(super) place: Place,
    pub(super) line: usize,
    /// The pattern, such as `GET /files/{*path}`.
    pub(super) pattern: String,
    covers: BTreeSet<String>,
}

impl OpenPattern {
    pub(super) fn finding(&self) -> Finding {
        let paths = self.covers.iter().map(|path| format!("`{path}`"));
        let paths = paths.collect::<Vec<_>>().join(", ");
        Finding {
            place: self.place.clone(),
            code: Some(codes::OPEN_PATTERN.as_str().to_owned()),
            message: format!(
                "`{}` also answers percent-encoded spellings of {paths}, for more callers\nhelp: give it a \
                 policy that allows no others, or say above it why that is right: `// unguarded: the reason`",
                self.pattern
            ),
        }
    }
}

/// A reader of the chains of a function.
pub(super) struct Reader<'r> {
    pub(super) file: &'r str,
    pub(super) scope: usize,
    /// The variables that are routers.
    pub(super) variables: &'r mut BTreeMap<String, Chain>,
}

impl Reader<'_> {
    /// Returns the routers that the statements of a block make, each with whether it is returned.
    pub(super) fn block(&mut self, block: &Block) -> Vec<(Chain, bool)> {
        let mut found = Vec::new();
        for statement in &block.stmts {
            let (chain, is_result) = match statement {
                Stmt::Local(local) => {
                    let init = local.init.as_ref();
                    let chain = init.and_then(|init| self.chain(&init.expr));
                    if let Some(name) = variable(&local.pat) {
                        self.keep(name, chain.clone());
                    }
                    (chain, false)
                }
                Stmt::Expr(Expr::Assign(assigned), _) => {
                    let chain = self.chain(&assigned.right);
                    if let Some([name]) = path_of(&assigned.left).as_deref() {
                        self.keep(name.clone(), chain.clone());
                    }
                    (chain, false)
                }
                Stmt::Expr(Expr::Return(returned), _) => {
                    let value = returned.expr.as_ref();
                    (value.and_then(|value| self.chain(value)), true)
                }
                Stmt::Expr(expression, end) => (self.chain(expression), end.is_none()),
                Stmt::Item(_) | Stmt::Macro(_) => continue,
            };
            let chain = chain.filter(|chain| is_result || !chain.links.is_empty());
            found.extend(chain.map(|chain| (chain, is_result)));
        }
        found
    }

    fn keep(&mut self, name: String, chain: Option<Chain>) {
        match chain {
            Some(chain) => self.variables.insert(name, chain),
            None => self.variables.remove(&name),
        };
    }

    fn chain(&self, expression: &Expr) -> Option<Chain> {
        match expression {
            Expr::MethodCall(call) => {
                let mut chain = self.chain(&call.receiver)?;
                if !chain.is_protected {
                    chain.links.extend(self.link(call));
                }
                chain.is_protected |= call.method == "protect";
                Some(chain)
            }
            Expr::Call(call) => {
                let begin = path_of(&call.func)?;
                match (begin.as_slice(), call.args.first()) {
                    ([wrapper], Some(inner)) if wrapper == "Ok" || wrapper == "Some" => {
                        self.chain(inner)
                    }
                    _ => Some(Chain {
                        begin,
                        scope: self.scope,
                        links: Vec::new(),
                        is_protected: false,
                    }),
                }
            }
            Expr::Path(_) => match path_of(expression)?.as_slice() {
                [name] => self.variables.get(name).cloned(),
                _ => None,
            },
            Expr::Await(inner) => self.chain(&inner.base),
            Expr::Group(inner) => self.chain(&inner.expr),
            Expr::Paren(inner) => self.chain(&inner.expr),
            Expr::Try(inner) => self.chain(&inner.expr),
            _ => None,
        }
    }

    fn link(&self, call: &ExprMethodCall) -> Option<Link> {
        let arguments: Vec<_> = call.args.iter().collect();
        let name = named(&call.method);
        let mounted = |path: &str, kind, is_service, methods| Link::Mounted {
            path: path.to_owned(),
            kind,
            is_service,
            methods,
            spot: Spot {
                scope: self.scope,
                place: Place::of(self.file, call.method.span()),
                line: line_of(&call.method),
            },
        };
        Some(match (name.as_str(), arguments.as_slice()) {
            ("route", [path, methods]) => {
                mounted(&text(path)?, Kind::Route, false, methods_of(methods))
            }
            ("route_service", [path, policy, _]) => {
                let methods = vec![(None, path_of(policy))];
                mounted(&text(path)?, Kind::Route, true, methods)
            }
            ("nest_service", [path, policy, _]) => {
                let path = below(&text(path)?);
                mounted(&path, Kind::Route, true, vec![(None, path_of(policy))])
            }
            ("fallback_service", [policy, _]) => {
                mounted("/*", Kind::Fallback, true, vec![(None, path_of(policy))])
            }
            ("fallback", [handler]) => {
                let methods = vec![(None, path_of(handler))];
                mounted("/*", Kind::Fallback, false, methods)
            }
            ("merge_unguarded", [_, paths, _]) => {
                let paths = texts(paths).into_iter();
                let paths =
                    paths.map(|path| mounted(&path, Kind::Unguarded, false, vec![(None, None)]));
                Link::Merged(Chain {
                    begin: Vec::new(),
                    scope: self.scope,
                    links: paths.collect(),
                    is_protected: false,
                })
            }
            ("nest", [prefix, router]) => Link::Nested(text(prefix)?, self.chain(router)?),
            ("merge", [router]) => Link::Merged(self.chain(router)?),
            _ => return None,
        })
    }
}

/// Returns the value of a string literal.
fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the strings of a list.
pub(super) fn texts(list: &Expr) -> Vec<String> {
    match list {
        Expr::Reference(inner) => texts(&inner.expr),
        Expr::Array(list) => list.elems.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

fn below(prefix: &str) -> String {
    format!("{}/*", prefix.trim_end_matches('/'))
}

/// Returns the methods of `get(read).post(write)`, each with its handler. Any other expression
/// counts as all methods, with an unknown handler.
fn methods_of(expression: &Expr) -> Vec<(Option<String>, Option<Vec<String>>)> {
    let (mut methods, name, arguments) = match expression {
        Expr::MethodCall(call) => {
            let arguments: Vec<_> = call.args.iter().collect();
            (methods_of(&call.receiver), named(&call.method), arguments)
        }
        Expr::Call(call) => {
            let name = path_of(&call.func).and_then(|path| path.last().cloned());
            let arguments = call.args.iter().collect();
            match name.filter(|name| makes_route(name)) {
                Some(name) => (Vec::new(), name, arguments),
                None => return vec![(None, None)],
            }
        }
        _ => return vec![(None, None)],
    };
    if !makes_route(&name) {
        return methods;
    }
    let target = arguments.get(argument_of(&name));
    let target = target.and_then(|target| handler(target));
    let named = match name.strip_suffix("_service").unwrap_or(&name) {
        "any" => vec![None],
        "on" => {
            let mut words = Vec::new();
            if let Some(filter) = arguments.first() {
                capitals(&filter.to_token_stream(), &mut words);
            }
            words.into_iter().map(Some).collect()
        }
        method => vec![Some(method.to_ascii_uppercase())],
    };
    methods.extend(named.into_iter().map(|method| (method, target.clone())));
    methods
}

/// Collects the methods in `MethodFilter::GET.or(MethodFilter::PUT)`.
fn capitals(tokens: &TokenStream, words: &mut Vec<String>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => capitals(&group.stream(), words),
            TokenTree::Ident(word) => {
                let word = word.to_string();
                let is_method = word.chars().all(|letter| letter.is_ascii_uppercase());
                words.extend(is_method.then_some(word));
            }
            _ => {}
        }
    }
}

/// A handler or service at its full path.
struct Route<'s> {
    path: String,
    method: Option<&'s str>,
    kind: Kind,
    is_service: bool,
    /// `None` if the policy is unknown, or if the handler is public.
    policy: Option<&'s Policy>,
    spot: &'s Spot,
}

/// The limits for one router. Functions can call each other in a cycle, or merge each other
/// repeatedly.
const MAX_ROUTES: usize = 2_000;
const MAX_CHAINS: usize = 10_000;

/// The routes of a router, as far as they were read.
#[derive(Default)]
struct Expanded<'s> {
    routes: Vec<Route<'s>>,
    /// The number of chains that were read.
    chains: usize,
    /// The functions that are being read.
    open: Vec<&'s [String]>,
}

/// The sources, indexed by the paths of functions.
struct Index<'s> {
    sources: &'s Sources,
    policies: BTreeMap<&'s str, Vec<&'s Entry>>,
    /// The routers that functions return.
    results: BTreeMap<&'s [String], Vec<&'s Chain>>,
}

/// The places of an open pattern and of a guarded path, and the method of the pattern.
type Pair<'s> = (&'s Place, &'s Place, Option<&'s str>);

/// Returns the open patterns of all routers, in the order of their places.
pub(super) fn open_patterns(sources: &Sources) -> Vec<OpenPattern> {
    let mut index = Index {
        sources,
        policies: BTreeMap::new(),
        results: BTreeMap::new(),
    };
    for entry in &sources.entries {
        let of_path = index.policies.entry(entry.path.as_str()).or_default();
        of_path.push(entry);
    }
    for router in sources.routers.iter().filter(|router| router.is_result) {
        let of_function = index.results.entry(router.within.as_slice()).or_default();
        of_function.push(&router.chain);
    }
    // A router is read by itself, and again at each merge or nest, where its paths are longer.
    let mut found: BTreeMap<Pair<'_>, (String, String, usize)> = BTreeMap::new();
    for router in sources.routers.iter().filter(|router| router.is_told) {
        let mut expanded = Expanded {
            open: vec![&router.within],
            ..Expanded::default()
        };
        index.expand(&router.chain, "", &mut expanded);
        let routes = expanded.routes;
        let routed: Vec<_> = routes
            .iter()
            .map(|route| Routed {
                path: route.path.as_str().into(),
                method: route.method,
                kind: route.kind,
                is_service: route.is_service,
            })
            .collect();
        let callers = |open: usize, guarded: usize| match (routes.get(open), routes.get(guarded)) {
            (Some(open), Some(guarded)) => callers(open, guarded),
            _ => Callers::Within,
        };
        for cover in find_covers(&routed, callers) {
            let (Some(open), Some(guarded)) =
                (routes.get(cover.pattern), routes.get(cover.guarded))
            else {
                continue;
            };
            let key = (&open.spot.place, &guarded.spot.place, open.method);
            let value = (open.path.clone(), guarded.path.clone(), open.spot.line);
            let longest = found.entry(key).or_insert_with(|| value.clone());
            if longest.0.len() < value.0.len() {
                *longest = value;
            }
        }
    }
    let mut patterns: BTreeMap<(&Place, String), OpenPattern> = BTreeMap::new();
    for ((place, _, method), (path, guarded, line)) in found {
        let pattern = format!("{} {path}", method.unwrap_or("any"));
        let open = patterns
            .entry((place, pattern.clone()))
            .or_insert_with(|| OpenPattern {
                place: place.clone(),
                line,
                pattern,
                covers: BTreeSet::new(),
            });
        open.covers.insert(guarded);
    }
    patterns.into_values().collect()
}

/// Compares the callers of an open route with those of a guarded one.
fn callers(open: &Route<'_>, guarded: &Route<'_>) -> Callers {
    let Some(guarded @ Policy::Requires(_)) = guarded.policy else {
        return Callers::Within;
    };
    match open.policy {
        Some(Policy::Public(_)) => Callers::Everybody,
        None if open.kind == Kind::Unguarded => Callers::Everybody,
        None => Callers::Within,
        Some(open) => match compare(&lower::policy(guarded), &lower::policy(open)).callers {
            Change::Same | Change::Tightened => Callers::Within,
            Change::Loosened => Callers::More,
            Change::Changed => Callers::Others,
        },
    }
}

impl<'s> Index<'s> {
    /// Adds the routes of a chain.
    fn expand(&self, chain: &'s Chain, prefix: &str, expanded: &mut Expanded<'s>) {
        expanded.chains += 1;
        if expanded.chains > MAX_CHAINS {
            return;
        }
        let begin = match chain.begin.as_slice() {
            [] => BTreeSet::new(),
            begin => self.sources.names.resolve(chain.scope, begin),
        };
        let is_plain = |path: &Vec<String>| path.starts_with(&["axum".into(), "Router".into()]);
        if begin.iter().any(is_plain) {
            return;
        }
        for path in &begin {
            let Some((path, chains)) = self.results.get_key_value(path.as_slice()) else {
                continue;
            };
            if expanded.open.contains(path) {
                continue;
            }
            expanded.open.push(path);
            for chain in chains {
                self.expand(chain, prefix, expanded);
            }
            expanded.open.pop();
        }
        for link in &chain.links {
            match link {
                _ if expanded.routes.len() >= MAX_ROUTES => return,
                Link::Merged(inner) => self.expand(inner, prefix, expanded),
                Link::Nested(path, inner) => self.expand(inner, &joined(prefix, path), expanded),
                Link::Mounted {
                    path,
                    kind,
                    is_service,
                    methods,
                    spot,
                } => expanded
                    .routes
                    .extend(methods.iter().map(|(method, target)| {
                        Route {
                            path: joined(prefix, path),
                            method: method.as_deref(),
                            kind: *kind,
                            is_service: *is_service,
                            policy: target
                                .as_ref()
                                .and_then(|target| self.policy(spot.scope, target)),
                            spot,
                        }
                    })),
            }
        }
    }

    /// Returns the policy of the handler or service of that name, if there is only one.
    fn policy(&self, scope: usize, path: &[String]) -> Option<&'s Policy> {
        let paths = self.sources.names.resolve(scope, path);
        let mut paths = paths.iter().map(|path| path.join("::"));
        let (only, None) = (paths.next()?, paths.next()) else {
            return None;
        };
        match self.policies.get(only.as_str())?.as_slice() {
            [entry] if !entry.is_mistaken => Some(&entry.policy),
            _ => None,
        }
    }
}

/// Joins a prefix and a path as axum does.
fn joined(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        None if path == "/" && !prefix.is_empty() => prefix.to_owned(),
        None => format!("{prefix}{path}"),
        Some(prefix) => format!("{prefix}{path}"),
    }
}
