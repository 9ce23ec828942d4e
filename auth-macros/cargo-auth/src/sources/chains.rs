//! The chains that make guarded routers, if their paths are literals at the mount.

use std::collections::BTreeMap;

use auth_runtime_core::open_pattern::MountKind;
use syn::{Block, Expr, ExprMethodCall, Stmt};

use super::expressions::{handler, is_reason, line_of, literal, methods_in, path_of, variable};
use super::finding::Place;
use super::routing::{argument_of, makes_route};
use super::text::{named, one_line, readable};

/// A router that a function makes.
pub(super) struct Router {
    /// The function.
    pub(super) within: Vec<String>,
    /// True if the function returns it.
    pub(super) is_result: bool,
    /// Whether it belongs to a package that is reported.
    pub(super) is_selected: bool,
    pub(super) chain: Chain,
}

/// A chain such as `GuardedRouter::new().route(…).merge(…)`.
#[derive(Clone)]
pub(super) struct Chain {
    /// The function at the beginning of the chain.
    pub(super) begin: Vec<String>,
    pub(super) scope: usize,
    pub(super) links: Vec<Link>,
    /// Whether `protect` was called: later routes are mounted on a plain router.
    is_protected: bool,
}

#[derive(Clone)]
pub(super) enum Link {
    Route {
        path: String,
        kind: MountKind,
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
pub(super) struct Spot {
    pub(super) scope: usize,
    pub(super) place: Place,
    /// The line to which a comment above it refers.
    pub(super) line: usize,
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
        let mounted = |path: &str, kind, is_service, methods| Link::Route {
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
            ("route", [path, methods]) => mounted(
                &literal(path)?,
                MountKind::Route,
                false,
                methods_of(methods),
            ),
            ("route_service", [path, policy, _]) => {
                let methods = vec![(None, path_of(policy))];
                mounted(&literal(path)?, MountKind::Route, true, methods)
            }
            ("nest_service", [path, policy, _]) => {
                let path = below(&literal(path)?);
                mounted(&path, MountKind::Route, true, vec![(None, path_of(policy))])
            }
            ("fallback_service", [policy, _]) => mounted(
                "/*",
                MountKind::Fallback,
                true,
                vec![(None, path_of(policy))],
            ),
            ("fallback", [handler]) => {
                let methods = vec![(None, path_of(handler))];
                mounted("/*", MountKind::Fallback, false, methods)
            }
            ("adopt", [_, reason]) if is_reason(reason) => {
                mounted("/*", MountKind::Unguarded, false, vec![(None, None)])
            }
            ("merge_unguarded", [_, paths, _]) => {
                let paths = texts(paths).into_iter();
                let paths = paths
                    .map(|path| mounted(&path, MountKind::Unguarded, false, vec![(None, None)]));
                Link::Merged(Chain {
                    begin: Vec::new(),
                    scope: self.scope,
                    links: paths.collect(),
                    is_protected: false,
                })
            }
            ("nest", [prefix, router]) => Link::Nested(literal(prefix)?, self.chain(router)?),
            ("merge", [router]) => Link::Merged(self.chain(router)?),
            _ => return None,
        })
    }
}

/// Returns the strings of a list.
fn texts(list: &Expr) -> Vec<String> {
    match list {
        Expr::Reference(inner) => texts(&inner.expr),
        Expr::Array(list) => list.elems.iter().filter_map(literal).collect(),
        _ => Vec::new(),
    }
}

/// Returns the listed paths of `merge_unguarded` as text.
pub(super) fn paths_of(list: &Expr) -> String {
    match texts(list).as_slice() {
        [] => readable(list),
        paths => one_line(&paths.join(", ")),
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
            let filter = arguments.first().into_iter();
            filter
                .flat_map(|filter| methods_in(filter))
                .map(Some)
                .collect()
        }
        method => vec![Some(method.to_ascii_uppercase())],
    };
    methods.extend(named.into_iter().map(|method| (method, target.clone())));
    methods
}
