//! The kinds of routers that chains begin with.

use syn::{ReturnType, Type};

use super::definitions::{Definitions, NameScope};
use crate::sources::origins::{Origin, router_type};
use crate::sources::routing::{is_plain_router, routing_function};

/// The maximum number of type aliases within each other, which may be cyclic.
const MAX_ALIASES: usize = 8;

/// The receiver of a method that may mount its argument.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Receiver {
    Unknown,
    /// It is a type of the framework: its methods take only handlers with a policy.
    Guarded,
    /// It is axum's, and takes handlers without a policy. If a `cfg` chooses, one of the receivers.
    Plain,
}

impl Receiver {
    pub(in super::super) fn of(
        origin: Option<&Origin>,
        name_scope: NameScope<'_>,
        definitions: &Definitions<'_>,
    ) -> Self {
        match origin {
            None => Self::Unknown,
            Some(Origin::Plain) => Self::Plain,
            Some(Origin::Protected) => Self::Guarded,
            Some(Origin::Made { by, ty }) => {
                let by = by
                    .as_ref()
                    .map(|path| made_by(path, name_scope, definitions));
                let ty = ty
                    .as_ref()
                    .map(|path| named(path, name_scope, definitions, 0));
                by.max(ty).unwrap_or(Self::Unknown)
            }
        }
    }

    /// Returns the kind for the full path of a function or a type.
    fn of_path(path: &[String]) -> Self {
        let is_method_router = matches!(
            path,
            [krate, module, ty, ..] if krate == "axum" && module == "routing" && ty == "MethodRouter"
        );
        if is_plain_router(path) || is_method_router || routing_function(path).is_some() {
            Self::Plain
        } else if path.first().is_some_and(|krate| krate == "auth_runtime") {
            Self::Guarded
        } else {
            Self::Unknown
        }
    }
}

/// Returns the kind of the result of a function.
fn made_by(path: &[String], name_scope: NameScope<'_>, definitions: &Definitions<'_>) -> Receiver {
    let NameScope { scope, owner } = name_scope;
    let wholes = definitions.paths_in(scope, owner, path);
    let of_paths = wholes.iter().map(|whole| Receiver::of_path(whole)).max();
    // A function such as `new`, of an alias.
    let ty = path
        .split_last()
        .map(|(_, ty)| ty)
        .filter(|ty| !ty.is_empty());
    let of_type = ty.map(|ty| named(ty, name_scope, definitions, 0));
    let functions = definitions.functions_in(scope, owner, path);
    let results = functions.filter_map(|index| {
        let function = definitions.functions.get(index)?;
        let ReturnType::Type(_, ty) = &function.signature.output else {
            return None;
        };
        let name_scope = NameScope {
            scope: function.scope,
            owner: function.owner.as_ref(),
        };
        Some(written(ty, name_scope, definitions, 0))
    });
    let all = of_paths.into_iter().chain(of_type).chain(results);
    all.max().unwrap_or(Receiver::Unknown)
}

fn written(
    ty: &Type,
    name_scope: NameScope<'_>,
    definitions: &Definitions<'_>,
    depth: usize,
) -> Receiver {
    router_type(ty).map_or(Receiver::Unknown, |path| {
        named(&path, name_scope, definitions, depth)
    })
}

/// Returns the kind of the type of that path, also through an alias.
fn named(
    path: &[String],
    name_scope: NameScope<'_>,
    definitions: &Definitions<'_>,
    depth: usize,
) -> Receiver {
    let whole = definitions.resolve_type(name_scope.scope, name_scope.owner, path);
    match (Receiver::of_path(&whole), definitions.alias(&whole)) {
        (Receiver::Unknown, Some(alias)) if depth < MAX_ALIASES => {
            let name_scope = NameScope {
                scope: alias.scope,
                owner: None,
            };
            written(&alias.item.ty, name_scope, definitions, depth + 1)
        }
        (kind, _) => kind,
    }
}
