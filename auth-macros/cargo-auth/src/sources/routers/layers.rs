//! The layers around routes, and those that seem to check access.

use std::collections::BTreeMap;
use std::rc::Rc;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprCall, ExprMethodCall, GenericArgument, Local, PathArguments, Stmt, Type,
};

use super::check_names::{lets_everyone_pass, names_certain_check, names_check, refuses};
use super::definitions::Definitions;
use super::extractors::{extractor_check, fails, refuses_within, result_of};
use super::value::{Check, CheckKind, Layer, Source};
use crate::sources::expressions::{path_of, receiver_of, segments_of, variable};
use crate::sources::items::{parameters_of, types_of};
use crate::sources::text::{named, type_text};

/// The maximum number of functions and variables between a layer and its construction.
const MAX_DEPTH: usize = 6;

/// Returns the layers that an expression makes, the innermost first.
pub(super) fn layers_of(definitions: &Definitions<'_>, source: Source<'_>) -> Vec<Rc<Layer>> {
    let layers = read(definitions, source, MAX_DEPTH);
    layers.into_iter().map(Rc::new).collect()
}

/// Returns the layers that a part of an expression makes; none below the maximum depth.
fn part_of<'s>(
    definitions: &Definitions<'_>,
    source: Source<'s>,
    expression: &'s Expr,
    depth: usize,
) -> Vec<Layer> {
    let part = Source {
        expression,
        ..source
    };
    match depth {
        0 => Vec::new(),
        _ => read(definitions, part, depth - 1),
    }
}

fn read(definitions: &Definitions<'_>, source: Source<'_>, depth: usize) -> Vec<Layer> {
    let inner = |expression| part_of(definitions, source, expression, depth);
    match source.expression {
        Expr::Paren(it) => inner(&it.expr),
        Expr::Group(it) => inner(&it.expr),
        Expr::Reference(it) => inner(&it.expr),
        Expr::Try(it) => inner(&it.expr),
        Expr::Await(it) => inner(&it.base),
        Expr::Block(it) => match it.block.stmts.last() {
            Some(Stmt::Expr(last, None)) => inner(last),
            _ => vec![other("layer")],
        },
        Expr::Tuple(list) => list.elems.iter().rev().flat_map(inner).collect(),
        Expr::Macro(written) => {
            let name = segments_of(&written.mac.path).pop().unwrap_or_default();
            vec![named_layer(&format!("{name}!"), &name)]
        }
        Expr::Closure(_) => vec![other("closure")],
        Expr::MethodCall(call) => chain(definitions, source, call, depth),
        Expr::Call(call) => function(definitions, source, call, depth),
        Expr::Path(_) => {
            let path = path_of(source.expression).unwrap_or_default();
            let local = match path.as_slice() {
                [name] => init_of(definitions, source.function, name),
                _ => None,
            };
            match (local, path.last()) {
                (Some(init), _) if depth > 0 => inner(init),
                (_, Some(name)) => vec![named_layer(name, name)],
                (_, None) => Vec::new(),
            }
        }
        Expr::Struct(it) => {
            let name = segments_of(&it.path).pop().unwrap_or_default();
            let name = own_name(definitions, source, &name);
            vec![named_layer(&name, &name)]
        }
        _ => vec![other("layer")],
    }
}

/// Returns the name of a type, which may be written `Self`.
fn own_name(definitions: &Definitions<'_>, source: Source<'_>, name: &str) -> String {
    let owner = definitions.owner_of(source.function);
    match (name, owner.and_then(|it| it.last())) {
        ("Self", Some(owner)) => owner.clone(),
        _ => name.to_owned(),
    }
}

fn other(text: &str) -> Layer {
    Layer {
        text: text.to_owned(),
        check: None,
        is_conditional: false,
    }
}

/// Returns layers that only some configurations add.
fn conditional(mut layers: Vec<Layer>) -> Vec<Layer> {
    layers.iter_mut().for_each(|it| it.is_conditional = true);
    layers
}

/// Returns a layer that is known only by its name.
fn named_layer(text: &str, name: &str) -> Layer {
    Layer {
        text: text.to_owned(),
        check: names_check(name).then(|| Check {
            kind: CheckKind::Layer,
            text: text.to_owned(),
        }),
        is_conditional: false,
    }
}

/// Reads `ServiceBuilder::new().layer(…)`, or a builder of one layer.
fn chain(
    definitions: &Definitions<'_>,
    source: Source<'_>,
    call: &ExprMethodCall,
    depth: usize,
) -> Vec<Layer> {
    let begin = receiver_of(source.expression);
    let within = |expression| part_of(definitions, source, expression, depth);
    if !is_service_builder(begin) {
        // `enabled.then(|| layer)` and `layer.into_layer()`.
        let mut layers = within(begin);
        if let (true, Some(Expr::Closure(closure))) = (call.method == "then", call.args.first()) {
            layers = conditional(within(&closure.body));
        }
        return layers;
    }
    let mut links = Vec::new();
    let mut rest = source.expression;
    while let Expr::MethodCall(link) = rest {
        links.push(link);
        rest = &link.receiver;
    }
    // The links are read from the last one, which is the innermost.
    links
        .into_iter()
        .flat_map(|link| {
            let name = named(&link.method);
            match (name.as_str(), link.args.first()) {
                ("layer", Some(layer)) => within(layer),
                ("option_layer", Some(layer)) => conditional(within(layer)),
                ("into_inner" | "check_clone" | "check_service" | "boxed" | "clone", _) => {
                    Vec::new()
                }
                _ => vec![other(&name)],
            }
        })
        .collect()
}

fn is_service_builder(begin: &Expr) -> bool {
    let path = match begin {
        Expr::Call(call) => path_of(&call.func),
        other => path_of(other),
    };
    path.is_some_and(|path| path.iter().any(|name| name == "ServiceBuilder"))
}

fn function(
    definitions: &Definitions<'_>,
    source: Source<'_>,
    call: &ExprCall,
    depth: usize,
) -> Vec<Layer> {
    let within = |expression| part_of(definitions, source, expression, depth);
    let Some(path) = path_of(&call.func) else {
        return vec![other("layer")];
    };
    let name = path.last().map_or("", String::as_str);
    match (name, call.args.last()) {
        (
            "from_fn" | "from_fn_with_state" | "map_request" | "map_request_with_state",
            Some(last),
        ) => {
            return vec![middleware(definitions, source, name, last)];
        }
        ("from_extractor" | "from_extractor_with_state", _) => {
            let layer = of_extractor(definitions, source, call);
            return vec![layer.unwrap_or_else(|| other(name))];
        }
        ("Some" | "Ok", Some(inner)) => return within(inner),
        ("option_layer", Some(inner)) => return conditional(within(inner)),
        ("new", Some(inner)) if path.iter().any(|it| it == "Box" || it == "Arc") => {
            return within(inner);
        }
        _ => {}
    }
    let owner = definitions.owner_of(source.function);
    let whole = definitions.resolve_in(source.scope, owner, &path);
    if let (Some(index), true) = (definitions.function(&whole), depth > 0)
        && let Some(made) = definitions.functions.get(index)
        && let Some(Stmt::Expr(result, None)) = made.block.stmts.last()
    {
        let source = Source {
            expression: result,
            scope: made.scope,
            function: index,
        };
        let layers = read(definitions, source, depth - 1);
        let parameters = parameters_of(made.signature);
        let parameters: Vec<_> = parameters.filter_map(|it| variable(&it.pat)).collect();
        // `layer_if(enabled, || layer)`: the caller makes the layer.
        if layers.iter().any(|it| parameters.contains(&it.text)) {
            let closures = call.args.iter().filter_map(|argument| match argument {
                Expr::Closure(closure) => Some(&*closure.body),
                _ => None,
            });
            let layers: Vec<Layer> = closures.flat_map(within).collect();
            if !layers.is_empty() {
                return conditional(layers);
            }
        } else if layers.iter().any(|it| it.text != "layer") {
            return layers;
        }
    }
    let ty = path.iter().rev().nth(1);
    let ty = ty.filter(|it| it.starts_with(char::is_uppercase));
    let ty = ty.map(|it| own_name(definitions, source, it));
    if name == "Self" {
        let name = own_name(definitions, source, name);
        return vec![named_layer(&name, &name)];
    }
    match ty.as_ref() {
        Some(ty) if name == "accept" => vec![other(ty)],
        Some(ty) if ty == "ValidateRequestHeaderLayer" => {
            vec![named_layer(&format!("{ty}::{name}"), "authorization")]
        }
        Some(ty) => vec![named_layer(ty, ty)],
        None => vec![named_layer(&format!("{name}()"), name)],
    }
}

/// Returns the layer of `from_fn(function)`.
fn middleware(
    definitions: &Definitions<'_>,
    source: Source<'_>,
    by: &str,
    function: &Expr,
) -> Layer {
    let by = by.strip_suffix("_with_state").unwrap_or(by);
    let function = match function {
        Expr::Paren(it) => &it.expr,
        Expr::MethodCall(_) => receiver_of(function),
        other => other,
    };
    let function = match path_of(function).as_deref() {
        Some([name]) => match init_of(definitions, source.function, name) {
            // `let trace = from_fn(trace)` is about the function `trace`.
            Some(init) if !is_within(function, init) => init,
            _ => function,
        },
        _ => function,
    };
    let path = match function {
        Expr::Call(call) => path_of(&call.func),
        other => path_of(other),
    };
    let Some(path) = path else {
        return Layer {
            text: format!("{by}(closure)"),
            check: refuses(function).then(|| Check {
                kind: CheckKind::Middleware,
                text: format!("{by}(closure)"),
            }),
            is_conditional: false,
        };
    };
    // The names of some functions say little without their modules.
    let name = match path.as_slice() {
        [.., module, name] if name == "middleware" => format!("{module}::{name}"),
        path => path.last().cloned().unwrap_or_default(),
    };
    let owner = definitions.owner_of(source.function);
    let whole = definitions.resolve_in(source.scope, owner, &path);
    let found = definitions
        .function(&whole)
        .and_then(|index| definitions.functions.get(index));
    let refuses_callers = found.is_some_and(|it| {
        let takes_caller = types_of(it.signature)
            .filter(|ty| !type_text(ty).starts_with("Extension"))
            .map(|ty| match result_of(ty) {
                // The function responds in place of the extractor.
                Some(extracted) if fails(it.block) => extracted,
                _ => ty,
            })
            .any(|ty| extractor_check(definitions, it.scope, it.owner.as_ref(), ty).is_some());
        takes_caller || refuses_within(definitions, it)
    });
    let is_certain = found.is_none() || names_certain_check(&name);
    let is_check =
        (names_check(&name) && is_certain) || (refuses_callers && !lets_everyone_pass(&name));
    Layer {
        text: format!("{by}({name})"),
        check: is_check.then_some(Check {
            kind: CheckKind::Middleware,
            text: name,
        }),
        is_conditional: false,
    }
}

/// Returns the layer of `from_extractor::<Caller>()`.
fn of_extractor(
    definitions: &Definitions<'_>,
    source: Source<'_>,
    call: &ExprCall,
) -> Option<Layer> {
    let Expr::Path(path) = &*call.func else {
        return None;
    };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    let Some(GenericArgument::Type(ty)) = arguments.args.first() else {
        return None;
    };
    Some(of_type(definitions, source.scope, ty))
}

fn of_type(definitions: &Definitions<'_>, scope: usize, ty: &Type) -> Layer {
    let text = type_text(ty);
    Layer {
        check: extractor_check(definitions, scope, None, ty).map(|_| Check {
            kind: CheckKind::Middleware,
            text: text.clone(),
        }),
        text: format!("from_extractor({text})"),
        is_conditional: false,
    }
}

/// Returns whether an expression is a part of another one.
fn is_within(part: &Expr, whole: &Expr) -> bool {
    let (part, whole) = (part.span().byte_range(), whole.span().byte_range());
    whole.start <= part.start && part.end <= whole.end
}

/// Returns the value of the variable in a function: the last one of that name.
pub(super) fn init_of<'s>(
    definitions: &Definitions<'s>,
    function: usize,
    name: &str,
) -> Option<&'s Expr> {
    let function = definitions.functions.get(function)?;
    let inits = function.inits.get_or_init(|| inits_in(function.block));
    inits.get(name).copied()
}

/// Returns the values of the variables in a block by name: the last one of each name.
fn inits_in(block: &Block) -> BTreeMap<String, &Expr> {
    struct Search<'s>(BTreeMap<String, &'s Expr>);
    impl<'s> Visit<'s> for Search<'s> {
        fn visit_local(&mut self, local: &'s Local) {
            if let Some(name) = variable(&local.pat)
                && let Some(init) = &local.init
                && path_of(&init.expr).as_deref() != Some(std::slice::from_ref(&name))
            {
                self.0.insert(name, &init.expr);
            }
            visit::visit_local(self, local);
        }
    }
    let mut search = Search(BTreeMap::new());
    search.visit_block(block);
    search.0
}
