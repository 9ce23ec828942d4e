//! What is mounted on routers, in the bodies of functions.

use std::collections::{BTreeMap, BTreeSet};

use auth_grammar::attribute::is_test;
use auth_grammar::codes;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use serde::Serialize;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Expr, ExprCall, ExprMethodCall, ExprPath, ImplItemFn, Item, ItemImpl, ItemTrait,
    Lit, Local, Macro, Pat, PatIdent, Path, Signature, Stmt, Token, TraitItemFn, Type,
};

use super::names::Names;
use super::reasons::Reason;
use super::walk::{Around, Walk, readable};
use super::{Finding, Place, Sources, named, one_line};

/// What is open to everybody for a reason.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Unguarded {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) way: Way,
    /// As it is written, if it is not a text.
    pub(crate) reason: String,
    /// What is mounted, if it has a name.
    #[serde(skip)]
    pub(crate) target: String,
}

/// How it came to be open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    /// A plain router was merged by `merge_unguarded`.
    Merged,
    /// It is mounted on a plain router, below a comment that says why.
    Plain,
    /// It is mounted on a plain router that was merged by `merge_unguarded`.
    Excused,
    /// It is mounted on a plain router, and nobody says why.
    Unsaid,
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
    /// A method that mounts what it is given, if that is an `async fn`: a guarded router would not take one
    /// without a policy. It may begin with a function.
    Any(Option<Vec<String>>),
    /// A function that is not called where it stands.
    HandedOn(Vec<String>),
    /// `merge` or `nest` of a plain router; how that begins, if it is not sure.
    Merge(Option<Vec<String>>),
}

#[derive(Clone)]
enum Target {
    Handler(Vec<String>),
    /// An `async` closure, or one with an `async` block, which could only be a handler.
    Closure,
    /// What a router is made by.
    Router(Vec<String>),
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
    /// The names of the type and the function.
    owner: Option<String>,
    function: String,
    /// The variables in it.
    variables: Variables,
    is_excused: bool,
    /// The lines on which all begins that is being read, up to the innermost block, link of a chain or arm
    /// that has a line of its own.
    begins: Vec<usize>,
    /// The variables that may be plain routers, with how these begin.
    plain: BTreeMap<String, Option<Vec<String>>>,
    /// How variables begin.
    made_by: BTreeMap<String, Vec<String>>,
}

impl<'b, 'w> Body<'b, 'w> {
    pub(super) fn new(walk: &'b mut Walk<'w>, around: &'b Around) -> Self {
        Self {
            scope: around.scope,
            walk,
            around,
            owner: None,
            function: String::new(),
            variables: Variables::default(),
            is_excused: false,
            begins: Vec::new(),
            plain: BTreeMap::new(),
            made_by: BTreeMap::new(),
        }
    }

    /// Reads what has that name, and is no function.
    pub(super) fn named(&mut self, name: &str) {
        self.function = name.to_owned();
    }

    pub(super) fn function(&mut self, name: &str, signature: &Signature, block: &Block) {
        let outer = std::mem::replace(&mut self.function, name.to_owned());
        let mut variables = Variables::default();
        variables.visit_signature(signature);
        variables.visit_block(block);
        let others = std::mem::replace(&mut self.variables, variables);
        let plain = std::mem::take(&mut self.plain);
        let made_by = std::mem::take(&mut self.made_by);
        self.visit_block(block);
        self.made_by = made_by;
        self.plain = plain;
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
            target: String::new(),
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
        let target = match handler(expression) {
            // It hides a function of its name.
            Some(path) if self.is_variable(&path) => Target::Expression,
            Some(path) => Target::Handler(path),
            None if is_async_closure(expression) => Target::Closure,
            None => Target::Expression,
        };
        self.mount_at(expression, by, target);
    }

    fn mount_at(&mut self, at: &impl Spanned, by: Means, target: Target) {
        let names = &self.walk.sources.names;
        let mount = Mount {
            place: Place::of(&self.walk.file, at.span()),
            scope: self.scope,
            by,
            target,
            within: [
                names.path_in(
                    self.around.scope,
                    self.owner.as_ref().unwrap_or(&self.function),
                ),
                self.owner.iter().map(|_| self.function.clone()).collect(),
            ]
            .concat(),
            is_excused: self.is_excused,
            begins: self.begins.iter().copied().chain([line_of(at)]).collect(),
        };
        self.walk.sources.mounts.push(mount);
    }

    fn is_variable(&self, path: &[String]) -> bool {
        matches!(path, [name] if self.variables.names.contains(name))
    }

    /// The last link of a chain, such as `.post(write)` behind `get(read)`.
    fn link(&mut self, call: &ExprMethodCall) {
        let arguments: Vec<_> = call.args.iter().collect();
        let name = named(&call.method);
        match (name.as_str(), arguments.as_slice()) {
            ("merge_unguarded", [reason, router]) => {
                let place = Place::of(&self.walk.file, call.method.span());
                return self.merge_unguarded(place, reason, router);
            }
            // A guarded router takes the policy before the service.
            ("route_service" | "nest_service", [_, service]) | ("fallback_service", [service]) => {
                self.mount(service, Means::Service);
            }
            ("merge", [router]) | ("nest", [_, router]) => self.merge(&call.receiver, router),
            ("into_make_service" | "into_make_service_with_connect_info", _) => {
                self.mount(&call.receiver, Means::Any(None));
            }
            (name, arguments) => self.handled(&call.receiver, name, arguments),
        }
        for argument in arguments {
            self.visit_expr(argument);
        }
    }

    /// A method that may take a handler.
    fn handled(&mut self, receiver: &Expr, method: &str, arguments: &[&Expr]) {
        let name = method.strip_prefix("typed_").unwrap_or(method);
        let Some(argument) = arguments
            .get(argument_of(name))
            .filter(|_| takes_handler(name))
        else {
            return;
        };
        let begins = beginning(receiver);
        if let Some(path) = &begins {
            self.mount(argument, Means::Method(path.clone(), is_of_service(name)));
        }
        // Streams have an `any`, and sockets an `on`, that take functions too.
        let is_telling = match name {
            "any" => false,
            "on" => arguments
                .first()
                .is_some_and(|filter| names_methods(filter)),
            _ => true,
        };
        if is_telling {
            self.mount(argument, Means::Any(begins));
        }
    }

    /// A plain router takes in another one, whose routes are read where they are made, if that is here.
    fn merge(&mut self, into: &Expr, router: &Expr) {
        let Some(plain) = self.plain(into) else {
            return;
        };
        let made_by = match path_of(router).as_deref() {
            Some([name]) => self.made_by.get(name).cloned(),
            _ => beginning(router),
        };
        if let Some(path) = made_by {
            self.mount_at(router, Means::Merge(plain), Target::Router(path));
        }
    }

    /// How a chain begins that may be a plain router; `Some(None)` if it surely is one, since a guarded one
    /// was protected.
    fn plain(&self, chain: &Expr) -> Option<Option<Vec<String>>> {
        match chain {
            Expr::MethodCall(call) if call.method == "protect" => Some(None),
            Expr::MethodCall(call) => self.plain(&call.receiver),
            Expr::Call(call) => path_of(&call.func).map(Some),
            Expr::Paren(inner) => self.plain(&inner.expr),
            Expr::Try(inner) => self.plain(&inner.expr),
            Expr::Path(_) => match path_of(chain)?.as_slice() {
                [name] => self.plain.get(name).cloned(),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a macro may make routes of, though it is not called like a function: what looks like a call.
    pub(super) fn routes_in(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut is_signature = false;
        while let Some((first, others)) = rest.split_first() {
            let length = if is_signature { 0 } else { calls(rest) };
            is_signature = matches!(first, TokenTree::Ident(word) if word == "fn");
            let Some((call, behind)) = rest.split_at_checked(length).filter(|_| length > 0) else {
                if let TokenTree::Group(group) = first {
                    self.routes_in(&group.stream());
                }
                rest = others;
                continue;
            };
            let whole: TokenStream = call.iter().cloned().collect();
            match syn::parse2::<Expr>(whole) {
                Ok(expression) => self.visit_expr(&expression),
                Err(_) => self.pattern(call),
            }
            rest = behind;
        }
    }

    /// The same of what has gaps, such as `get($handler)`.
    fn pattern(&mut self, call: &[TokenTree]) {
        let is_group = |token: &&TokenTree| matches!(token, TokenTree::Group(_));
        let path = call
            .split(|token| is_group(&token))
            .next()
            .unwrap_or_default();
        let tokens: TokenStream = path.iter().cloned().collect();
        if let Ok(function) = syn::parse2::<Expr>(tokens)
            && let Some(path) = path_of(&function)
        {
            self.mount_at(&function, Means::HandedOn(path), Target::Expression);
        }
        for group in call.iter().filter(is_group) {
            if let TokenTree::Group(group) = group {
                self.routes_in(&group.stream());
            }
        }
    }

    /// Reads what begins on a line.
    fn at_line(&mut self, line: usize, visit: impl FnOnce(&mut Self)) {
        // A chain begins where its links do.
        if self.begins.last() == Some(&line) {
            return visit(self);
        }
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
        let attributes = match statement {
            Stmt::Local(local) => local.attrs.as_slice(),
            Stmt::Macro(written) => &written.attrs,
            Stmt::Item(_) | Stmt::Expr(..) => &[],
        };
        if attributes.iter().any(is_test) {
            return;
        }
        self.at_line(line_of(statement), |body| {
            visit::visit_stmt(body, statement);
        });
    }

    fn visit_arm(&mut self, arm: &Arm) {
        self.apart(line_of(arm), |body| visit::visit_arm(body, arm));
    }

    fn visit_expr(&mut self, expression: &Expr) {
        self.at_line(line_of(leftmost(expression)), |body| {
            visit::visit_expr(body, expression);
        });
    }

    fn visit_item_impl(&mut self, written: &ItemImpl) {
        let name = match &*written.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| named(&last.ident)),
            _ => None,
        };
        let outer = std::mem::replace(&mut self.owner, name);
        visit::visit_item_impl(self, written);
        self.owner = outer;
    }

    fn visit_item_trait(&mut self, written: &ItemTrait) {
        let outer = self.owner.replace(named(&written.ident));
        visit::visit_item_trait(self, written);
        self.owner = outer;
    }

    fn visit_impl_item_fn(&mut self, function: &ImplItemFn) {
        if function.attrs.iter().any(is_test) {
            return;
        }
        let signature = &function.sig;
        self.function(&named(&signature.ident), signature, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &TraitItemFn) {
        if let Some(block) = &function.default {
            let signature = &function.sig;
            self.function(&named(&signature.ident), signature, block);
        }
    }

    fn visit_local(&mut self, local: &Local) {
        if self.variables.excused.contains(&start_of(local)) {
            self.excused(|body| visit::visit_local(body, local));
        } else {
            visit::visit_local(self, local);
        }
        let (Some(name), Some(init)) = (variable(&local.pat), &local.init) else {
            return;
        };
        match self.plain(&init.expr) {
            Some(plain) => self.plain.insert(name.clone(), plain),
            None => self.plain.remove(&name),
        };
        match beginning(&init.expr) {
            Some(path) => self.made_by.insert(name, path),
            None => self.made_by.remove(&name),
        };
    }

    fn visit_expr_path(&mut self, expression: &ExprPath) {
        let path = segments_of(&expression.path);
        if path.last().is_some_and(|name| makes_route(name)) && !self.is_variable(&path) {
            self.mount_at(expression, Means::HandedOn(path), Target::Expression);
        }
        visit::visit_expr_path(self, expression);
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
        if let (Some("route_service" | "nest_service"), [_, _, service])
        | (Some("fallback_service"), [_, service]) = (function, arguments.as_slice())
        {
            self.mount(service, Means::Service);
        }
        let Some(path) = path else {
            return visit::visit_expr_call(self, call);
        };
        // `Router::fallback(router, handler)`
        if let ([.., _, name], [_, handler, ..]) = (path.as_slice(), arguments.as_slice())
            && takes_handler(name)
        {
            self.mount(handler, Means::Any(Some(path.clone())));
        }
        for (index, argument) in arguments.into_iter().enumerate() {
            if index < 2 {
                self.mount(argument, Means::Function(path.clone(), index));
            }
            self.visit_expr(argument);
        }
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
        } else {
            self.routes_in(tokens);
        }
        self.walk.writes_policies(tokens);
    }
}

/// The variables of a function.
#[derive(Default)]
struct Variables {
    /// All of them, wherever in it they are known.
    names: BTreeSet<String>,
    /// Where each of them was made last, so far.
    made: BTreeMap<String, usize>,
    /// Where those were made that are given to `merge_unguarded`.
    excused: BTreeSet<usize>,
}

impl Visit<'_> for Variables {
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.names.insert(named(&pattern.ident));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_local(&mut self, local: &Local) {
        // A variable of its name may be a part of it.
        visit::visit_local(self, local);
        if let Some(name) = variable(&local.pat) {
            self.made.insert(name, start_of(local));
        }
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        if call.method == "merge_unguarded"
            && let Some([name]) = call.args.last().and_then(path_of).as_deref()
        {
            self.excused.extend(self.made.get(name));
        }
    }

    // Functions in it have their own.
    fn visit_item(&mut self, _: &Item) {}
}

/// The name in `let name = …`.
fn variable(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(name) => Some(named(&name.ident)),
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

/// Whether that is the name of a method or function that takes a handler, be it of a router.
fn takes_handler(name: &str) -> bool {
    makes_route(name) || matches!(name, "fallback" | "method_not_allowed_fallback")
}

/// Whether it is made of axum's `MethodFilter`.
fn names_methods(filter: &Expr) -> bool {
    match filter {
        Expr::MethodCall(call) => names_methods(&call.receiver),
        Expr::Binary(both) => names_methods(&both.left),
        other => path_of(other).is_some_and(|path| path.iter().any(|name| name == "MethodFilter")),
    }
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
    Some(segments_of(&path.path))
}

fn segments_of(path: &Path) -> Vec<String> {
    let segments = path.segments.iter();
    segments.map(|segment| named(&segment.ident)).collect()
}

fn is_async_closure(expression: &Expr) -> bool {
    match expression {
        Expr::Closure(closure) => {
            closure.asyncness.is_some() || matches!(&*closure.body, Expr::Async(_))
        }
        _ => false,
    }
}

/// How many tokens at the beginning are a call with what is chained to it; 0 if it is none.
fn calls(tokens: &[TokenTree]) -> usize {
    let is_punct = |index: usize, wanted: char| matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    let is_ident = |index: usize| matches!(tokens.get(index), Some(TokenTree::Ident(_)));
    let is_group = |index: usize| matches!(tokens.get(index), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    let mut end = if is_punct(0, ':') && is_punct(1, ':') {
        2
    } else {
        0
    };
    loop {
        if !is_ident(end) {
            return 0;
        }
        end += 1;
        if !(is_punct(end, ':') && is_punct(end + 1, ':')) {
            break;
        }
        end += 2;
    }
    if !is_group(end) {
        return 0;
    }
    end += 1;
    loop {
        if is_punct(end, '?') {
            end += 1;
        } else if is_punct(end, '.') && is_ident(end + 1) && is_group(end + 2) {
            end += 3;
        } else {
            return end;
        }
    }
}

/// Where it stands in its file.
fn start_of(tokens: &impl Spanned) -> usize {
    tokens.span().byte_range().start
}

/// What an expression begins with: a long chain is not to be looked through at each of its links.
fn leftmost(expression: &Expr) -> &Expr {
    match expression {
        Expr::Await(inner) => leftmost(&inner.base),
        Expr::Binary(inner) => leftmost(&inner.left),
        Expr::Call(inner) => leftmost(&inner.func),
        Expr::Field(inner) => leftmost(&inner.base),
        Expr::MethodCall(inner) => leftmost(&inner.receiver),
        Expr::Try(inner) => leftmost(&inner.expr),
        other => other,
    }
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
        .flat_map(|excused| names.resolve(excused.scope, &excused.path))
        .collect();
    let mut reasons: BTreeMap<&str, Vec<&Reason>> = BTreeMap::new();
    for reason in sources.reasons.iter().filter(|it| !it.text.is_empty()) {
        let of_file = reasons.entry(reason.place.file.as_str()).or_default();
        of_file.push(reason);
    }
    let mut findings = Vec::new();
    let mut allowed = Vec::new();
    let mut open = Vec::new();
    let mut needed = BTreeSet::new();
    for mount in &sources.mounts {
        let Some(is_service) = mount.takes_service(names, &sources.functions) else {
            continue;
        };
        let what = match &mount.target {
            _ if is_service => {
                "a service is mounted on a plain router, where it can have no policy; give it that of \
                 a unit struct, and mount both on a `GuardedRouter`"
                    .to_owned()
            }
            Target::Handler(path) => {
                let whole = names.resolve(mount.scope, path);
                let mut whole = whole.iter().map(|path| path.join("::"));
                if whole.all(|it| guarded.contains(it.as_str()) && !sources.bare.contains(&it)) {
                    continue;
                }
                let name = path.join("::");
                format!(
                    "`{name}` is mounted on a plain router, and no policy of it is to be seen; put \
                     `#[requires(...)]` or `#[public(reason = \"...\")]` on it, and mount it on a \
                     `GuardedRouter`"
                )
            }
            Target::Router(path) => {
                let name = path.join("::");
                format!(
                    "what `{name}` makes is taken into a plain router, and its routes are not to be seen; \
                     give it to `merge_unguarded` of the `GuardedRouter`, with the reason"
                )
            }
            Target::Expression if matches!(mount.by, Means::HandedOn(_)) => {
                "this makes routes of a plain router, and what it is given is not to be seen; call that of \
                 `auth_runtime::routing`"
                    .to_owned()
            }
            Target::Closure | Target::Expression => {
                "this is mounted on a plain router, and cannot have a policy; make it an `async fn` \
                 with one, and mount that on a `GuardedRouter`"
                    .to_owned()
            }
        };
        let route = |way, reason| Unguarded {
            place: mount.place.clone(),
            way,
            reason,
            target: mount.target.name(),
        };
        if mount.is_excused || excused.contains(&mount.within) {
            open.push(route(Way::Excused, String::new()));
            continue;
        }
        let reasons = reasons.get(mount.place.file.as_str()).into_iter().flatten();
        let mut above = reasons.filter(|reason| mount.begins.contains(&reason.about));
        if let Some(reason) = above.next() {
            needed.insert(&reason.place);
            allowed.push(route(Way::Plain, reason.text.clone()));
            continue;
        }
        open.push(route(Way::Unsaid, String::new()));
        findings.push(Finding {
            place: mount.place.clone(),
            code: Some(codes::UNGUARDED.as_str().to_owned()),
            message: what,
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
    sources.open = open;
    findings
}

impl Mount {
    /// Whether a plain router takes it as a service; `None` if it is not given to a plain router.
    fn takes_service(&self, names: &Names, functions: &BTreeSet<String>) -> Option<bool> {
        if let Means::Function(path, _) | Means::Method(path, _) | Means::HandedOn(path) = &self.by
            && !can_make_route(path, names)
        {
            return None;
        }
        match &self.by {
            Means::Service => Some(true),
            Means::Function(path, index) => {
                let paths = names.resolve(self.scope, path);
                let mut found = paths.iter().filter_map(|path| routing_function(path));
                let name = found.find(|name| makes_route(name) && argument_of(name) == *index)?;
                Some(is_of_service(name))
            }
            Means::Method(path, is_service) => {
                let paths = names.resolve(self.scope, path);
                let is_one = |path: &Vec<String>| routing_function(path).is_some();
                paths.iter().any(is_one).then_some(*is_service)
            }
            Means::Any(path) => {
                let path = path.as_ref();
                let paths = path.map_or_else(BTreeSet::new, |path| names.resolve(self.scope, path));
                self.is_handler(&paths, names, functions).then_some(false)
            }
            Means::HandedOn(path) => {
                let paths = names.resolve(self.scope, path);
                let is_one = |path: &Vec<String>| routing_function(path).is_some_and(makes_route);
                paths.iter().any(is_one).then_some(false)
            }
            Means::Merge(begins) => {
                let paths = begins.as_ref().map(|path| names.resolve(self.scope, path));
                let is_plain = paths.is_none_or(|paths| paths.iter().any(|path| is_router(path)));
                let Target::Router(path) = &self.target else {
                    return None;
                };
                let made_by = names.resolve(self.scope, path);
                let is_elsewhere = |path: &Vec<String>| is_elsewhere(path, names);
                (is_plain && made_by.iter().any(is_elsewhere)).then_some(false)
            }
        }
    }

    /// Whether it can only be a handler, in a chain that begins with one of these functions.
    fn is_handler(
        &self,
        begins: &BTreeSet<Vec<String>>,
        names: &Names,
        functions: &BTreeSet<String>,
    ) -> bool {
        let is_ours =
            |path: &Vec<String>| path.first().is_some_and(|krate| krate == "auth_runtime");
        // A guarded one takes nothing without a policy, and of a plain one it is known without this.
        let is_known = |path: &Vec<String>| is_ours(path) || routing_function(path).is_some();
        if begins.iter().any(is_known) {
            return false;
        }
        match &self.target {
            Target::Closure => true,
            Target::Handler(path) => {
                let paths = names.resolve(self.scope, path);
                paths
                    .iter()
                    .any(|path| functions.contains(&path.join("::")))
            }
            Target::Router(_) | Target::Expression => false,
        }
    }
}

impl Target {
    fn name(&self) -> String {
        match self {
            Self::Handler(path) | Self::Router(path) => path.join("::"),
            Self::Closure | Self::Expression => String::new(),
        }
    }
}

/// Whether that makes a plain router.
fn is_router(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["axum", "Router", ..])
}

/// Whether a path leads to a crate whose sources are not read.
fn is_elsewhere(path: &[String], names: &Names) -> bool {
    let [krate, _, ..] = path else {
        return false;
    };
    // A type parameter, say, is no crate.
    let is_crate = krate.starts_with(|first: char| first.is_lowercase());
    let is_known = matches!(
        krate.as_str(),
        "axum" | "auth_runtime" | "std" | "core" | "alloc"
    );
    is_crate && !is_known && !names.has_crate(krate)
}

/// Whether a path may be one of those, by its last names.
fn can_make_route(path: &[String], names: &Names) -> bool {
    let is_router = |name: &String| names.can_be(name, |name| name == "MethodRouter");
    match path {
        [.., router, name] if is_router(router) => matches!(name.as_str(), "new" | "default"),
        [.., name] => names.can_be(name, makes_route),
        [] => false,
    }
}

/// The name of a function of axum's that makes something to mount.
pub(super) fn routing_function(path: &[String]) -> Option<&str> {
    let (name, module) = path.split_last()?;
    let module: Vec<_> = module.iter().map(String::as_str).collect();
    let is_one = match module.as_slice() {
        ["axum", "routing"] => makes_route(name),
        ["axum", "routing", "MethodRouter"] => name == "new" || name == "default",
        _ => false,
    };
    is_one.then_some(name)
}
