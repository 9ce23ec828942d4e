//! The origins of routers, through chains and variables.

use std::collections::BTreeMap;

use syn::{Expr, ExprMethodCall, GenericArgument, Pat, PatType, PathArguments, Signature, Type};

use super::expressions::{names_in, path_of, segments_of, variable};
use super::items::parameters_of;
use super::text::{any_word, named};

/// The origin of an expression that may be a router, as far as its own function tells.
#[derive(Clone)]
pub(super) enum Origin {
    /// A function makes it, or its type is written.
    Made {
        by: Option<Vec<String>>,
        ty: Option<Vec<String>>,
    },
    /// It is certainly a plain router, made from a protected one.
    Plain,
    /// It is certainly a protected router.
    Protected,
}

impl Origin {
    /// Returns whether it is certainly a guarded router, by the name of its type.
    pub(super) fn is_guarded(&self) -> bool {
        match self {
            Self::Made { by, ty } => [by, ty]
                .into_iter()
                .flatten()
                .any(|path| names_guarded(path)),
            Self::Plain | Self::Protected => false,
        }
    }
}

/// Returns whether a path is that of the guarded router, or of one of its functions.
pub(super) fn names_guarded(path: &[String]) -> bool {
    path.iter().any(|name| name == "GuardedRouter")
}

/// The variables of a function that may be routers.
#[derive(Clone, Default)]
pub(super) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Returns the variables for the parameters of a function.
    pub(super) fn of_parameters(signature: &Signature) -> Self {
        let mut origins = Self::default();
        for parameter in parameters_of(signature) {
            origins.bind(&parameter.pat, of_type(&parameter.ty));
        }
        origins
    }

    /// Returns the origin of an expression. A chain has that of its beginning: also a result, which
    /// is converted on the way.
    pub(super) fn of(&self, expression: &Expr) -> Option<Origin> {
        match expression {
            Expr::Await(inner) => self.of(&inner.base),
            Expr::Call(call) => Some(of_call(path_of(&call.func)?)),
            Expr::MethodCall(call) => self.of_method(call),
            Expr::Paren(inner) => self.of(&inner.expr),
            Expr::Path(_) => match path_of(expression)?.as_slice() {
                [name] => self.0.get(name).cloned(),
                _ => None,
            },
            Expr::Reference(inner) => self.of(&inner.expr),
            Expr::Try(inner) => self.of(&inner.expr),
            _ => None,
        }
    }

    fn of_method(&self, call: &ExprMethodCall) -> Option<Origin> {
        match named(&call.method).as_str() {
            "protect" => Some(Origin::Protected),
            "into_router" | "metadata_router" => Some(Origin::Plain),
            // The closure decides.
            "map" | "and_then" => {
                let Some(Expr::Closure(closure)) = call.args.first() else {
                    return None;
                };
                let mut inner = self.clone();
                inner.bind(closure.inputs.first()?, self.of(&call.receiver));
                inner.of(&closure.body)
            }
            // The response of a router is no router.
            "and" | "call" | "map_or" | "map_or_else" | "oneshot" => None,
            _ => self.of(&call.receiver),
        }
    }

    /// Records the variables of a pattern. Only that of a whole value, or of the value in `Ok` or
    /// `Some`, has an origin.
    pub(super) fn bind(&mut self, pattern: &Pat, origin: Option<Origin>) {
        let mut names = Vec::new();
        names_in(pattern, &mut names);
        for name in names {
            self.0.remove(&name);
        }
        let origin = match pattern {
            Pat::Type(written) => with_type(origin, written),
            _ => origin,
        };
        if let (Some(name), Some(origin)) = (variable(pattern), origin) {
            self.0.insert(name, origin);
        }
    }
}

/// Returns the origin of the result of a function. A method may be called as one.
fn of_call(path: Vec<String>) -> Origin {
    match path.as_slice() {
        [_, .., name] if matches!(name.as_str(), "into_router" | "metadata_router") => {
            Origin::Plain
        }
        _ => Origin::Made {
            by: Some(path),
            ty: None,
        },
    }
}

/// Adds the type of a pattern to the origin of its value.
fn with_type(origin: Option<Origin>, written: &PatType) -> Option<Origin> {
    match (origin, of_type(&written.ty)) {
        (Some(Origin::Made { by, .. }), Some(Origin::Made { ty, .. })) => {
            Some(Origin::Made { by, ty })
        }
        (Some(Origin::Made { .. }) | None, typed @ Some(_)) => typed,
        (origin, _) => origin,
    }
}

/// Returns the origin of a value of a type, or of the value in a result of that type.
fn of_type(ty: &Type) -> Option<Origin> {
    if any_word(ty, &|word| word == "ProtectedRouter") {
        return Some(Origin::Protected);
    }
    Some(Origin::Made {
        by: None,
        ty: Some(router_type(ty)?),
    })
}

/// Returns the path of a type that may be a router, without references, options, results and boxes.
pub(super) fn router_type(ty: &Type) -> Option<Vec<String>> {
    let path = match ty {
        Type::Path(path) => path,
        Type::Paren(inner) => return router_type(&inner.elem),
        Type::Reference(inner) => return router_type(&inner.elem),
        _ => return None,
    };
    let last = path.path.segments.last()?;
    let is_around = matches!(
        named(&last.ident).as_str(),
        "Arc" | "Box" | "Option" | "Result"
    );
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if is_around => match arguments.args.first()? {
            GenericArgument::Type(inner) => router_type(inner),
            _ => None,
        },
        _ => Some(segments_of(&path.path)),
    }
}
