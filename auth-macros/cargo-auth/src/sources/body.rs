//! What is mounted on routers, in the bodies of functions.

use std::collections::BTreeSet;

use auth_grammar::codes;
use quote::ToTokens;
use serde::Serialize;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Expr, ExprCall, ExprMethodCall, ImplItemFn, Item, Lit, Local, Macro, Pat, PatIdent,
    Signature, Stmt, Token, TraitItemFn,
};

use super::names::Names;
use super::reasons::Reason;
use super::walk::{Around, Walk, readable};
use super::{Finding, Place, Sources, one_line};

/// What is open to everybody for a reason.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Unguarded {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) way: Way,
    /// As it is written, if it is not a text.
    pub(crate) reason: String,
}

/// How it came to be open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    /// A plain router was merged by `merge_unguarded`.
    Merged,
    /// It is mounted on a plain router, below a comment that says why.
    Plain,
}

/// Something that may be given to a plain router: who knows all names decides.
pub(super) struct Mount {
    place: Place,
    scope: usize,
    by: Means,
    target: Target,
    /// The function that it happens in.
    within: Vec<String>,
    /// Whether the routes are merged by `merge_unguarded`, which is told on its own.
    is_excused: bool,
    /// The lines on which it begins, and what it is a part of.
    begins: BTreeSet<usize>,
}

/// What makes a route of it.
#[derive(Clone)]
enum Means {
    /// A function, of which this is the argument at that index.
    Function(Vec<String>, usize),
    /// A method behind such a function, with whether it takes a service.
    Method(Vec<String>, bool),
    /// A method that takes a service, and of so few arguments on a plain router only.
    Service,
}

enum Target {
    Handler(Vec<String>),
    /// A closure, a variable, or what else is no path of a function.
    Expression,
}

/// A function whose router is given to `merge_unguarded`.
pub(super) struct Excused {
    scope: usize,
    path: Vec<String>,
}

/// What axum makes routes of handlers with; with `_service` behind it, of services.
const METHODS: [&str; 10] = [
    "any", "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// Reads a body.
pub(super) struct Body<'b, 'w> {
    walk: &'b mut Walk<'w>,
    around: &'b Around,
    scope: usize,
    /// The name of the function.
    function: String,
    /// The variables in it.
    variables: Variables,
    is_excused: bool,
    /// The lines on which all begins that is being read, up to the innermost block, link of a chain or arm
    /// that has a line of its own.
    begins: Vec<usize>,
}

impl<'b, 'w> Body<'b, 'w> {
    pub(super) fn new(walk: &'b mut Walk<'w>, around: &'b Around) -> Self {
        Self {
            scope: around.scope,
            walk,
            around,
            function: String::new(),
            variables: Variables::default(),
            is_excused: false,
            begins: Vec::new(),
        }
    }

    pub(super) fn function(&mut self, name: &str, signature: &Signature, block: &Block) {
        let outer = std::mem::replace(&mut self.function, name.to_owned());
        let mut variables = Variables::default();
        variables.visit_signature(signature);
        variables.visit_block(block);
        let others = std::mem::replace(&mut self.variables, variables);
        self.visit_block(block);
        self.variables = others;
        self.function = outer;
    }

    fn excused(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.is_excused, true);
        visit(self);
        self.is_excused = outer;
    }

    fn merge_unguarded(&mut self, place: Place, reason: &Expr, router: &Expr) {
        let reason = match reason {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => one_line(&text.value()),
                other => readable(&other.to_token_stream()),
            },
            other => readable(&other.to_token_stream()),
        };
        self.walk.sources.unguarded.push(Unguarded {
            place,
            way: Way::Merged,
            reason,
        });
        if let Expr::Call(call) = router
            && let Some(path) = path_of(&call.func)
        {
            let scope = self.scope;
            self.walk.sources.excused.push(Excused { scope, path });
        }
        self.excused(|body| body.visit_expr(router));
    }

    fn mount(&mut self, expression: &Expr, by: Means) {
        let names = &self.walk.sources.names;
        let mount = Mount {
            place: Place::of(&self.walk.file, expression.span()),
            scope: self.scope,
            by,
            target: match handler(expression) {
                // It hides a function of its name.
                Some(path) if self.is_variable(&path) => Target::Expression,
                Some(path) => Target::Handler(path),
                None => Target::Expression,
            },
            within: names.path_in(self.around.scope, &self.function),
            is_excused: self.is_excused,
            begins: self
                .begins
                .iter()
                .copied()
                .chain([line_of(expression)])
                .collect(),
        };
        self.walk.sources.mounts.push(mount);
    }

    fn is_variable(&self, path: &[String]) -> bool {
        matches!(path, [name] if self.variables.names.contains(name))
    }

    /// The last link of a chain, such as `.post(write)` behind `get(read)`.
    fn link(&mut self, call: &ExprMethodCall) {
        let arguments: Vec<_> = call.args.iter().collect();
        let name = call.method.to_string();
        match (name.as_str(), arguments.as_slice()) {
            ("merge_unguarded", [reason, router]) => {
                let place = Place::of(&self.walk.file, call.method.span());
                return self.merge_unguarded(place, reason, router);
            }
            // A guarded router takes the policy before the service.
            ("route_service" | "nest_service", [_, service]) => self.mount(service, Means::Service),
            _ => {}
        }
        let makes_route =
            makes_route(&name) || matches!(name.as_str(), "fallback" | "fallback_service");
        if let Some(function) = beginning(&call.receiver).filter(|_| makes_route)
            && let Some(argument) = call.args.iter().nth(argument_of(&name))
        {
            self.mount(argument, Means::Method(function, is_of_service(&name)));
        }
        for argument in arguments {
            self.visit_expr(argument);
        }
    }

    /// Reads what begins on a line.
    fn at_line(&mut self, line: usize, visit: impl FnOnce(&mut Self)) {
        self.begins.push(line);
        visit(self);
        self.begins.pop();
    }

    /// The same for a part with a line of its own, which is not what begins above it.
    fn apart(&mut self, line: usize, visit: impl FnOnce(&mut Self)) {
        if self.begins.last() == Some(&line) {
            return visit(self);
        }
        let around = std::mem::replace(&mut self.begins, vec![line]);
        visit(self);
        self.begins = around;
    }
}

impl Visit<'_> for Body<'_, '_> {
    fn visit_block(&mut self, block: &Block) {
        let item = |statement: &Stmt| match statement {
            Stmt::Item(item) => Some(item.clone()),
            _ => None,
        };
        let items: Vec<Item> = block.stmts.iter().filter_map(item).collect();
        let outer = self.scope;
        if !items.is_empty() {
            self.scope = self.walk.sources.names.block(outer, &self.function);
            let around = self.around.in_scope(self.scope);
            self.walk.items(items, &around);
        }
        let around = std::mem::take(&mut self.begins);
        for statement in &block.stmts {
            if !matches!(statement, Stmt::Item(_)) {
                self.visit_stmt(statement);
            }
        }
        self.begins = around;
        self.scope = outer;
    }

    fn visit_stmt(&mut self, statement: &Stmt) {
        self.at_line(line_of(statement), |body| {
            visit::visit_stmt(body, statement);
        });
    }

    fn visit_arm(&mut self, arm: &Arm) {
        self.apart(line_of(arm), |body| visit::visit_arm(body, arm));
    }

    fn visit_expr(&mut self, expression: &Expr) {
        self.at_line(line_of(expression), |body| {
            visit::visit_expr(body, expression);
        });
    }

    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        let signature = &function.sig;
        self.function(&signature.ident.to_string(), signature, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &TraitItemFn) {
        if let Some(block) = &function.default {
            let signature = &function.sig;
            self.function(&signature.ident.to_string(), signature, block);
        }
    }

    fn visit_local(&mut self, local: &Local) {
        match variable(&local.pat) {
            Some(name) if self.variables.excused.contains(&name) => {
                self.excused(|body| visit::visit_local(body, local));
            }
            _ => visit::visit_local(self, local),
        }
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        // What was chained before begins further up.
        self.visit_expr(&call.receiver);
        self.apart(line_of(&call.method), |body| body.link(call));
    }

    fn visit_expr_call(&mut self, call: &ExprCall) {
        let arguments: Vec<_> = call.args.iter().collect();
        let path = path_of(&call.func);
        let function = path
            .as_ref()
            .and_then(|path| path.last())
            .map(String::as_str);
        if let (Some("merge_unguarded"), [guarded, reason, router]) =
            (function, arguments.as_slice())
        {
            let place = Place::of(&self.walk.file, call.func.span());
            self.merge_unguarded(place, reason, router);
            return self.visit_expr(guarded);
        }
        // A guarded router takes the policy before the service.
        if let (Some("route_service" | "nest_service"), [_, _, service]) =
            (function, arguments.as_slice())
        {
            self.mount(service, Means::Service);
        }
        if let Some(path) = path {
            for (index, argument) in arguments.into_iter().enumerate().take(2) {
                self.mount(argument, Means::Function(path.clone(), index));
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, written: &Macro) {
        // Most are called like functions, or with a block.
        let tokens = &written.tokens;
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(list) = list.parse2(tokens.clone()) {
            for expression in &list {
                self.visit_expr(expression);
            }
        } else if let Ok(statements) = Block::parse_within.parse2(tokens.clone()) {
            for statement in &statements {
                self.visit_stmt(statement);
            }
        }
        self.walk.writes_policies(tokens);
    }
}

/// The variables of a function.
#[derive(Default)]
struct Variables {
    /// All of them, wherever in it they are known.
    names: BTreeSet<String>,
    /// Those that are given to `merge_unguarded`.
    excused: BTreeSet<String>,
}

impl Visit<'_> for Variables {
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.names.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if call.method == "merge_unguarded"
            && let Some([name]) = call.args.last().and_then(path_of).as_deref()
        {
            self.excused.insert(name.clone());
        }
        visit::visit_expr_method_call(self, call);
    }

    // Functions in it have their own.
    fn visit_item(&mut self, _: &Item) {}
}

/// The name in `let name = …`.
fn variable(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(name) => Some(name.ident.to_string()),
        Pat::Type(typed) => variable(&typed.pat),
        _ => None,
    }
}

/// The function that begins a chain like `get(read).post(write)`.
fn beginning(chain: &Expr) -> Option<Vec<String>> {
    match chain {
        Expr::MethodCall(call) => beginning(&call.receiver),
        Expr::Call(call) => path_of(&call.func),
        Expr::Paren(inner) => beginning(&inner.expr),
        _ => None,
    }
}

/// Whether that is the name of a function that makes a route.
fn makes_route(name: &str) -> bool {
    let method = name.strip_suffix("_service").unwrap_or(name);
    method == "on" || METHODS.contains(&method)
}

/// The index of what is mounted: `on` takes the methods first.
fn argument_of(name: &str) -> usize {
    usize::from(matches!(name, "on" | "on_service"))
}

fn is_of_service(name: &str) -> bool {
    name.ends_with("_service")
}

/// The path of a handler, whatever layers and states are added to it.
fn handler(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::MethodCall(call) => handler(&call.receiver),
        Expr::Paren(inner) => handler(&inner.expr),
        other => path_of(other),
    }
}

fn path_of(expression: &Expr) -> Option<Vec<String>> {
    let Expr::Path(path) = expression else {
        return None;
    };
    let segments = path.path.segments.iter();
    Some(segments.map(|segment| segment.ident.to_string()).collect())
}

fn line_of(tokens: &impl Spanned) -> usize {
    tokens.span().start().line
}

/// What is open to everybody, though nobody said so. What somebody said is noted.
pub(super) fn unguarded(sources: &mut Sources) -> Vec<Finding> {
    let names = &sources.names;
    let guarded: BTreeSet<&str> = sources
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    let excused = sources.excused.iter();
    let excused: BTreeSet<_> = excused
        .map(|excused| names.resolve(excused.scope, &excused.path))
        .collect();
    let mut findings = Vec::new();
    let mut allowed = Vec::new();
    let mut needed = BTreeSet::new();
    for mount in &sources.mounts {
        let Some(is_service) = mount.takes_service(names) else {
            continue;
        };
        if mount.is_excused || excused.contains(&mount.within) {
            continue;
        }
        let what = match &mount.target {
            _ if is_service => {
                "a service is mounted on a plain router, where it can have no policy; give it that of \
                 a unit struct, and mount both"
                    .to_owned()
            }
            Target::Handler(path) => {
                let whole = names.resolve(mount.scope, path).join("::");
                if guarded.contains(whole.as_str()) && !sources.bare.contains(&whole) {
                    continue;
                }
                let name = path.join("::");
                format!(
                    "`{name}` is mounted on a plain router, and no policy of it is to be seen; put \
                     `#[requires(...)]` or `#[public(reason = \"...\")]` on it, and mount it"
                )
            }
            Target::Expression => {
                "this is mounted on a plain router, and cannot have a policy; make it an `async fn` \
                 with one, and mount that"
                    .to_owned()
            }
        };
        let above = |reason: &&Reason| {
            reason.place.file == mount.place.file && mount.begins.contains(&reason.about)
        };
        let mut reasons = sources
            .reasons
            .iter()
            .filter(|reason| !reason.text.is_empty());
        if let Some(reason) = reasons.find(above) {
            needed.insert(&reason.place);
            allowed.push(Unguarded {
                place: mount.place.clone(),
                way: Way::Plain,
                reason: reason.text.clone(),
            });
            continue;
        }
        findings.push(Finding {
            place: mount.place.clone(),
            code: Some(codes::UNGUARDED.as_str().to_owned()),
            message: format!("{what} on a `GuardedRouter`"),
        });
    }
    findings.extend(sources.unguarded.iter().map(|unguarded| Finding {
        place: unguarded.place.clone(),
        code: Some(codes::MERGED_UNGUARDED.as_str().to_owned()),
        message: format!(
            "these routes are open to everybody ({}); mount them with a policy, or allow it with \
             `--allow-unguarded`",
            unguarded.reason
        ),
    }));
    let idle = sources
        .reasons
        .iter()
        .filter(|reason| !needed.contains(&reason.place));
    findings.extend(idle.map(Reason::finding));
    sources.unguarded.append(&mut allowed);
    findings
}

impl Mount {
    /// Whether a plain router takes it as a service; `None` if it is not given to a plain router.
    fn takes_service(&self, names: &Names) -> Option<bool> {
        match &self.by {
            Means::Service => Some(true),
            Means::Function(path, index) => {
                let path = names.resolve(self.scope, path);
                let name = routing_function(&path).filter(|name| makes_route(name))?;
                (argument_of(name) == *index).then(|| is_of_service(name))
            }
            Means::Method(path, is_service) => {
                let path = names.resolve(self.scope, path);
                routing_function(&path).map(|_| *is_service)
            }
        }
    }
}

/// The name of a function of axum's that makes something to mount.
fn routing_function(path: &[String]) -> Option<&str> {
    let (name, module) = path.split_last()?;
    let module: Vec<_> = module.iter().map(String::as_str).collect();
    let is_one = match module.as_slice() {
        ["axum", "routing"] => makes_route(name),
        ["axum", "routing", "MethodRouter"] => name == "new" || name == "default",
        _ => false,
    };
    is_one.then_some(name)
}
