//! The extractors of handlers, and those that seem to be an authenticated caller.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, ExprCall, ExprPath, GenericArgument, Pat, PathArguments, Type};

use super::definitions::{Definitions, Function};
use super::value::{Check, CheckKind};
use super::words::{is_optional, is_refusal, names_caller, names_credential, refuses};
use crate::sources::expressions::{path_of, segments_of};
use crate::sources::text::named;

/// The extractors that take their type from the request, whatever its name.
const CONTENTS: [&str; 21] = [
    "Arc",
    "Bytes",
    "ConnectInfo",
    "Form",
    "HeaderMap",
    "Host",
    "Json",
    "MatchedPath",
    "Method",
    "Multipart",
    "Option",
    "OriginalUri",
    "Path",
    "Query",
    "RawQuery",
    "Request",
    "Result",
    "State",
    "String",
    "Uri",
    "WebSocketUpgrade",
];

/// The maximum number of aliases of one type.
const MAX_ALIASES: usize = 8;

/// Returns a type without the modules in its paths.
pub(super) fn type_text(ty: &Type) -> String {
    let Type::Path(path) = ty else {
        return match ty {
            Type::Reference(inner) => format!("&{}", type_text(&inner.elem)),
            Type::Tuple(list) => {
                let parts: Vec<_> = list.elems.iter().map(type_text).collect();
                format!("({})", parts.join(", "))
            }
            Type::ImplTrait(_) => "impl …".to_owned(),
            other => crate::sources::text::readable(&other.to_token_stream()),
        };
    };
    let Some(last) = path.path.segments.last() else {
        return String::new();
    };
    let name = named(&last.ident);
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return name;
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(type_text(ty)),
        _ => None,
    });
    let types: Vec<_> = types.collect();
    match types.as_slice() {
        [] => name,
        types => format!("{name}<{}>", types.join(", ")),
    }
}

/// Returns the check that an extractor seems to make.
pub(super) fn extractor_check(
    definitions: &Definitions<'_>,
    scope: usize,
    owner: Option<&Vec<String>>,
    ty: &Type,
) -> Option<Check> {
    is_check(definitions, scope, owner, ty, MAX_ALIASES).then(|| Check {
        kind: CheckKind::Extractor,
        text: type_text(ty),
    })
}

fn is_check(
    definitions: &Definitions<'_>,
    scope: usize,
    owner: Option<&Vec<String>>,
    ty: &Type,
    aliases: usize,
) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    let name = named(&last.ident);
    if CONTENTS.contains(&name.as_str()) {
        return false;
    }
    let argument = || {
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        match arguments.args.first() {
            Some(GenericArgument::Type(Type::Path(path))) => {
                path.path.segments.last().map(|last| named(&last.ident))
            }
            _ => None,
        }
    };
    match name.as_str() {
        // Without the middleware that inserts it, the request fails.
        "Extension" => return argument().is_some_and(|it| names_caller(&it) && !is_optional(&it)),
        "TypedHeader" => return argument().is_some_and(|it| it == "Authorization"),
        _ => {}
    }
    let whole = definitions.resolve_type(scope, owner, &segments_of(&path.path));
    if let (Some(alias), true) = (definitions.alias(&whole), aliases > 0) {
        return is_check(definitions, alias.scope, None, &alias.item.ty, aliases - 1);
    }
    let Some(written) = definitions.extractor(&whole) else {
        return names_caller(&name) && !is_optional(&name);
    };
    if accepts_everyone(&written.to_token_stream()) {
        return false;
    }
    let functions = definitions.methods_of(written);
    match is_optional(&name) {
        // A pattern, or a header that is read, refuses nobody.
        true => functions.iter().any(|it| makes_refusal(it.block)),
        false => {
            let is_refusing = |it: &&Function<'_>| refuses_within(definitions, it);
            names_caller(&name)
                || (names_credential(&name) || refuses(&written.to_token_stream()))
                    && functions.iter().any(is_refusing)
        }
    }
}

/// Returns whether a function refuses callers, or one of the functions that it calls.
pub(super) fn refuses_within(definitions: &Definitions<'_>, function: &Function<'_>) -> bool {
    struct Calls(Vec<Vec<String>>);
    impl Visit<'_> for Calls {
        fn visit_expr_call(&mut self, call: &ExprCall) {
            self.0.extend(path_of(&call.func));
            visit::visit_expr_call(self, call);
        }
    }
    if refuses(&function.block.to_token_stream()) {
        return true;
    }
    let mut calls = Calls(Vec::new());
    calls.visit_block(function.block);
    calls.0.iter().any(|path| {
        let whole = definitions.resolve_in(function.scope, function.owner.as_ref(), path);
        let called = definitions.function(&whole);
        let called = called.and_then(|index| definitions.functions.get(index));
        called.is_some_and(|it| refuses(&it.block.to_token_stream()))
    })
}

/// Returns whether a body makes a response that refuses a caller.
fn makes_refusal(block: &Block) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_pat(&mut self, _: &Pat) {}

        fn visit_expr_path(&mut self, path: &ExprPath) {
            let name = segments_of(&path.path).pop().unwrap_or_default();
            self.0 |= is_refusal(&name) && !name.to_ascii_lowercase().ends_with("authorization");
        }
    }
    let mut search = Search(false);
    search.visit_block(block);
    search.0
}

/// Returns whether an extractor cannot refuse a request, by its type `Rejection`.
fn accepts_everyone(tokens: &TokenStream) -> bool {
    let any = |tokens: TokenStream| {
        let mut tokens = tokens.into_iter();
        tokens.any(|token| matches!(token, TokenTree::Ident(name) if name == "Infallible"))
    };
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => any(group.stream()),
        _ => false,
    })
}
