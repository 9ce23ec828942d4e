//! The signatures of handlers.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    FnArg, Ident, PatType, Path, PathArguments, Receiver, Safety, Signature, Type, TypePath,
};

use crate::attribute::is_conditional;
use crate::codes;
use crate::errors::Errors;

/// The maximum number of arguments of an axum handler; the guard is one of them.
const MAX_PARAMETERS: usize = 16;

/// Records each reason why a function is not a handler. Returns `None` if a guard cannot even be added.
pub(super) fn check(
    signature: &Signature,
    attribute: &str,
    krate: Option<&Path>,
    errors: &mut Errors,
) -> Option<()> {
    if let Some(receiver) = signature.receiver() {
        errors.add(
            codes::SIGNATURE,
            receiver.self_token.span,
            format!(
                "`#[{attribute}]` is only allowed on free functions, not on methods\n\
                 help: move it out of the `impl`, and extract the service from the state: `async \
                 fn {}(State(service): State<Service>)`",
                signature.ident
            ),
        );
        return None;
    }
    check_kind(signature, errors);
    check_policy_name(signature, errors);
    let guards = check_guards(signature, attribute, krate, errors);
    check_count(signature, guards, errors);
    Some(())
}

/// Records each keyword that is missing, and each that axum cannot call.
fn check_kind(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.add(
            codes::SIGNATURE,
            signature.fn_token.span,
            "the handler is not an `async fn`\nhelp: write `async` before `fn`",
        );
    }
    for (keyword, span) in [
        ("unsafe", unsafe_token(&signature.safety)),
        ("const", signature.constness.map(|keyword| keyword.span)),
        (
            "extern",
            signature.abi.as_ref().map(|abi| abi.extern_token.span),
        ),
        ("...", signature.variadic.as_ref().map(Spanned::span)),
    ] {
        if let Some(span) = span {
            let message =
                format!("axum cannot call a handler with `{keyword}`\nhelp: remove `{keyword}`");
            errors.add(codes::SIGNATURE, span, message);
        }
    }
}

/// Records a type parameter that hides the type of the policy.
fn check_policy_name(signature: &Signature, errors: &mut Errors) {
    let policy_type = policy_type(&signature.ident);
    if let Some(parameter) = signature
        .generics
        .type_params()
        .find(|it| it.ident == policy_type)
    {
        errors.add(
            codes::GUARD,
            parameter.ident.span(),
            format!(
                "the type parameter has the name of the handler's policy, `{policy_type}`\n\
                 help: rename the parameter"
            ),
        );
    }
}

/// Records guards other than a plain one in front. Returns the number of guards.
fn check_guards(
    signature: &Signature,
    attribute: &str,
    krate: Option<&Path>,
    errors: &mut Errors,
) -> usize {
    let mut guards = 0;
    for (index, parameter) in signature.inputs.iter().enumerate() {
        let Some(arguments) = guard(parameter, krate).and_then(arguments_of) else {
            continue;
        };
        guards += 1;
        if let Some(condition) = condition(parameter) {
            errors.add(
                codes::GUARD,
                condition,
                "the guard depends on the build configuration\n\
                 help: remove the condition, so that the guard is present in every build",
            );
        }
        if guards > 1 {
            let message = "duplicate guard\nhelp: remove this parameter";
            errors.push(codes::GUARD.over(parameter, message));
        } else if index > 0 {
            errors.push(codes::GUARD.over(
                parameter,
                "the guard is not the first parameter\n\
                 help: move it to the front, so that access is checked before the request is \
                 parsed",
            ));
        }
        if !arguments.is_none() {
            errors.add(
                codes::GUARD,
                arguments.span(),
                format!(
                    "the guard has a type argument\n\
                     help: write `Guard` alone; `#[{attribute}]` adds the argument"
                ),
            );
        }
    }
    guards
}

/// Records parameters that are too many. A guard is added if there is none.
fn check_count(signature: &Signature, guards: usize, errors: &mut Errors) {
    let added = usize::from(guards == 0);
    // The compiler reports those that are too many in one build only.
    let inputs = signature.inputs.iter();
    let in_every_build = inputs.filter(|parameter| condition(parameter).is_none());
    if let Some(extra) = in_every_build.clone().nth(MAX_PARAMETERS - added) {
        errors.push(codes::ARGUMENTS.over(
            extra,
            format!(
                "the handler has {} parameters besides the guard; the maximum is {}\n\
                 help: gather some of them in a struct that derives `FromRequestParts`",
                in_every_build.count() + added - 1,
                MAX_PARAMETERS - 1
            ),
        ));
    }
}

/// Returns the place of a `cfg` or `cfg_attr`, which could remove a parameter.
fn condition(parameter: &FnArg) -> Option<Span> {
    let (FnArg::Receiver(Receiver { attrs, .. }) | FnArg::Typed(PatType { attrs, .. })) = parameter;
    let found = attrs.iter().find(|attribute| is_conditional(attribute));
    found.map(|attribute| attribute.path().span())
}

fn unsafe_token(safety: &Safety) -> Option<Span> {
    match safety {
        Safety::Unsafe(keyword) => Some(keyword.span),
        _ => None,
    }
}

/// Returns the type in `guard: Guard`, `guard: auth_runtime::Guard`, or with the path of `krate` in
/// its place. Another path may lead to any type.
pub fn guard<'p>(parameter: &'p FnArg, krate: Option<&Path>) -> Option<&'p TypePath> {
    let path = path_to_guard(parameter)?;
    let names = |path: &Path| -> Vec<String> {
        let segments = path.segments.iter();
        segments.map(|segment| segment.ident.to_string()).collect()
    };
    let mut before = names(&path.path);
    before.pop();
    let ours = before.is_empty()
        || before == ["auth_runtime"]
        || krate.is_some_and(|krate| names(krate) == before);
    ours.then_some(path)
}

/// Returns a type called `Guard`, by any path.
fn path_to_guard(parameter: &FnArg) -> Option<&TypePath> {
    let FnArg::Typed(parameter) = parameter else {
        return None;
    };
    let Type::Path(path) = ungrouped(&parameter.ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    (last.ident == "Guard").then_some(path)
}

fn arguments_of(guard: &TypePath) -> Option<&PathArguments> {
    guard.path.segments.last().map(|last| &last.arguments)
}

/// Returns whether a policy attribute has completed the guard already.
pub(super) fn is_expanded(signature: &Signature) -> bool {
    let policy_type = policy_type(&signature.ident);
    signature.inputs.iter().any(|parameter| {
        let arguments = path_to_guard(parameter).and_then(arguments_of);
        matches!(arguments, Some(PathArguments::AngleBracketed(arguments))
            if policy_type == arguments.args.to_token_stream().to_string())
    })
}

/// Returns a type without the invisible groups around it.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}

/// Returns the name of the type that carries the policy of a handler. For lints, the name belongs
/// to the attribute and not to the user, though its location is that of the handler.
pub fn policy_type(handler: &Ident) -> Ident {
    let span = Span::mixed_site().located_at(handler.span());
    Ident::new(&format!("policy_of_{}", handler.unraw()), span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_every_build_are_counted() {
        for (guard, count, conditional, is_allowed) in [
            ("", 15, 0, true),
            ("", 15, 3, true),
            ("", 16, 0, false),
            ("", 16, 1, false),
            ("guard: Guard, ", 15, 2, true),
            ("guard: Guard, ", 16, 0, false),
        ] {
            let parameters = "#[cfg(x)] a: A, ".repeat(conditional) + &"b: B, ".repeat(count);
            let signature = format!("async fn f({guard}{parameters})");
            let signature = syn::parse_str(&signature).expect("a signature");
            let mut errors = Errors::default();
            assert!(check(&signature, "requires", None, &mut errors).is_some());
            let expected = format!(
                "the handler has {count} parameters besides the guard; the maximum is 15 \
                 [AUTH0014]\n\
                 help: gather some of them in a struct that derives `FromRequestParts`"
            );
            let expected = if is_allowed { vec![] } else { vec![expected] };
            assert_eq!(errors.messages(), expected, "{guard}{count} {conditional}");
        }
    }

    /// A type of that name elsewhere is another one, which checks no policy.
    #[test]
    fn the_guard_has_one_path() {
        for (parameter, krate, is_ours) in [
            ("g: Guard", None, true),
            ("g: auth_runtime::Guard", None, true),
            ("g: ::auth_runtime::Guard", None, true),
            ("g: other::Guard", None, false),
            ("g: auth_runtime::other::Guard", None, false),
            ("g: a::b::Guard", None, false),
            ("g: Guard", Some("a::b"), true),
            ("g: auth_runtime::Guard", Some("a::b"), true),
            ("g: a::b::Guard", Some("a::b"), true),
            ("g: a::Guard", Some("a::b"), false),
            ("g: State", None, false),
        ] {
            let parameter: FnArg = syn::parse_str(parameter).expect("a parameter");
            let path = krate.map(|krate| syn::parse_str::<Path>(krate).expect("a path"));
            let found = guard(&parameter, path.as_ref()).is_some();
            assert_eq!(found, is_ours, "{} {krate:?}", parameter.to_token_stream());
        }
    }
}
