//! The extractors of handlers, and those that seem to be an authenticated caller.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Block, ExprCall, ExprMethodCall, ExprPath, ExprReturn, ExprStruct, ExprTry, GenericArgument,
    Macro, Pat, PathArguments, Type,
};

use super::check_names::{is_log, is_optional, is_refusal, names_caller, refuses};
use super::definitions::{Definitions, Function};
use super::value::{Check, CheckKind};
use crate::sources::expressions::{path_of, segments_of};
use crate::sources::text::{any_word, named, type_text};

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
    if is_optional(&name) {
        // A pattern, or a header, refuses nobody.
        functions.iter().any(|it| makes_refusal(it.block))
    } else {
        // To read credentials is no check, if nobody is refused.
        names_caller(&name) || functions.iter().any(|it| refuses_within(definitions, it))
    }
}

/// Returns whether a value of a type identifies the caller: an identity, an extension, or headers.
pub(super) fn identifies_caller(ty: &Type) -> bool {
    let is_part = |name: &str| {
        matches!(
            name,
            "Extension" | "HeaderMap" | "Parts" | "Request" | "Session" | "TypedHeader"
        )
    };
    // The content of a request may name anybody.
    let text = type_text(ty);
    let mut contents = ["Form<", "Json<", "Path<", "Query<", "State<"].into_iter();
    !contents.any(|content| text.starts_with(content))
        && any_word(ty, &|name| {
            is_part(name) || name.ends_with("CookieJar") || names_caller(name)
        })
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
    if makes_refusal(function.block) {
        return true;
    }
    let mut calls = Calls(Vec::new());
    calls.visit_block(function.block);
    calls.0.iter().any(|path| {
        let whole = definitions.resolve_in(function.scope, function.owner.as_ref(), path);
        let called = definitions.function(&whole);
        let called = called.and_then(|index| definitions.functions.get(index));
        called.is_some_and(|it| makes_refusal(it.block))
    })
}

/// Returns whether a body makes a response that refuses a caller. A pattern makes none, and neither does
/// a header.
pub(super) fn makes_refusal(block: &Block) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_pat(&mut self, _: &Pat) {}

        fn visit_expr_path(&mut self, path: &ExprPath) {
            let name = segments_of(&path.path).pop().unwrap_or_default();
            self.0 |= is_refusal(&name) && !is_header(&name);
        }

        fn visit_expr_struct(&mut self, made: &ExprStruct) {
            let name = segments_of(&made.path).pop().unwrap_or_default();
            self.0 |= is_refusal(&name) && !is_header(&name);
            visit::visit_expr_struct(self, made);
        }

        fn visit_macro(&mut self, written: &Macro) {
            let name = segments_of(&written.path).pop().unwrap_or_default();
            self.0 |= !is_log(&name) && refuses(&written.tokens);
        }
    }
    fn is_header(name: &str) -> bool {
        name.to_ascii_lowercase().ends_with("authorization")
    }
    let mut search = Search(false);
    search.visit_block(block);
    search.0
}

/// Returns the type `T` of `Result<T, _>`.
pub(super) fn result_of(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if last.ident == "Result" => Some(ty),
        _ => None,
    }
}

/// Returns whether a body may end with an error or another response of its own. A pattern is none.
pub(super) fn fails(block: &Block) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_pat(&mut self, _: &Pat) {}

        fn visit_expr_path(&mut self, path: &ExprPath) {
            self.0 |= segments_of(&path.path).last().is_some_and(|it| it == "Err");
        }

        fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
            self.0 |= call.method == "into_response";
            visit::visit_expr_method_call(self, call);
        }

        fn visit_expr_return(&mut self, _: &ExprReturn) {
            self.0 = true;
        }

        fn visit_expr_try(&mut self, _: &ExprTry) {
            self.0 = true;
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
