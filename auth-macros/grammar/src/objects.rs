//! The objects of `can` requirements: the default `on` of an attribute, and the declared actions and
//! types.

use auth_runtime_policy::{
    Atom, ObjectSource, ResourcePattern, ResourcePatternError, is_identifier,
};
use proc_macro2::Span;
use syn::spanned::Spanned;

use crate::characters::unfit;
use crate::codes;
use crate::errors::Errors;
use crate::requirement::{
    Can, DefaultObject, Function, Name, ParsedRequirement, RequirementKind, Requires,
};
use crate::resolver::Resolver;
use crate::suggest::nearest;

/// Moves the `on` of each attribute to the `can` requirements in it that have none. The `on` of an
/// enclosing module is the default. Returns the default of the attribute.
pub(crate) fn place(requires: &mut Requires) -> Option<DefaultObject> {
    let around = requires.module.as_mut().and_then(|module| place(module));
    let own = DefaultObject::of(requires.on.take(), requires.resource.take());
    let on = own.clone().or(around);
    let mut is_used = false;
    let lesser = requires.hide_unless.as_mut().map(|hide| &mut hide.lesser);
    for part in requires.requirements.iter_mut().chain(lesser) {
        is_used |= put(part, on.as_ref());
    }
    requires.idle_on = own.filter(|_| !is_used);
    on
}

/// Returns whether a `can` requirement without an object is in it.
fn put(requirement: &mut ParsedRequirement, on: Option<&DefaultObject>) -> bool {
    match &mut requirement.kind {
        RequirementKind::Can(can) => {
            let is_open = can.on.is_none() && can.resource.is_none();
            if let Some(on) = on.filter(|_| is_open) {
                can.on = on.name.clone();
                can.resource = on.resource.clone();
            }
            is_open
        }
        RequirementKind::All(parts) | RequirementKind::Any(parts) => {
            let parts = parts.iter_mut().map(|part| put(part, on));
            parts.fold(false, |one, other| one | other)
        }
        _ => false,
    }
}

/// Records an object without effect. On a module, it is the default of the handlers.
pub(crate) fn idle(requires: &Requires, errors: &mut Errors) {
    let idle = requires.idle_on.as_ref();
    if let Some((key, span)) = idle.filter(|_| errors.is_empty()).map(DefaultObject::key) {
        let message = format!(
            "`{key}` has no effect: no `can` uses it\n\
             help: add `can = \"...\"` with the action, or remove `{key}`"
        );
        errors.add(codes::IDLE_DISCLOSURE, span, message);
    }
}

/// Records actions and types that are not declared, and invalid objects.
pub(crate) fn check(requirement: &ParsedRequirement, resolver: Resolver<'_>, errors: &mut Errors) {
    if errors.is_full() {
        return;
    }
    match &requirement.kind {
        RequirementKind::Can(can) => check_one(can, resolver, errors),
        RequirementKind::All(parts) | RequirementKind::Any(parts) => {
            parts.iter().for_each(|part| check(part, resolver, errors));
        }
        _ => {}
    }
}

fn check_one(can: &Can, resolver: Resolver<'_>, errors: &mut Errors) {
    let Can { action, on, .. } = can;
    if let Some(problem) = action_problem(&action.text) {
        errors.add(codes::NAME, action.span, problem);
        return;
    }
    let source = source(can)
        .map_err(|(span, message)| errors.add(codes::OBJECT, span, message))
        .ok();
    let Some(vocabulary) = resolver.vocabulary else {
        return;
    };
    let declared = vocabulary.actions.get(&action.text);
    if declared.is_none() {
        let message = resolver.undeclared("action", &action.text);
        errors.add(codes::UNDECLARED, action.span, message);
    }
    // Of an invalid object, no type is known.
    let kind = match &source {
        None => return,
        Some(ObjectSource::Service) => None,
        Some(source) => Some(source.resource_type()),
    };
    if let (Some(kind), Some(on)) = (kind, on)
        && !vocabulary.resources.contains_key(kind)
    {
        errors.add(
            codes::UNDECLARED,
            on.span,
            resolver.undeclared("resource", kind),
        );
        return;
    }
    let Some(declared) = declared.filter(|declared| !declared.on.is_empty()) else {
        return;
    };
    // The attribute that names a policy of the vocabulary may state its object.
    if kind.is_none() && resolver.shown.is_empty() {
        return;
    }
    let kind = kind.unwrap_or(ResourcePattern::SERVICE);
    if declared.on.iter().any(|own| own == kind) {
        return;
    }
    let types = declared.on.join("`, `");
    let (object, advice) = match kind {
        ResourcePattern::SERVICE => (
            "the service itself".to_owned(),
            format!(
                "name the object, such as `on = \"{}::{{id}}\"`",
                declared.on.first().map_or("Type", String::as_str)
            ),
        ),
        kind => {
            let others = vocabulary.actions.iter();
            let others = others.filter(|(_, other)| other.on.iter().any(|own| own == kind));
            let others: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
            let add = match &vocabulary.schema {
                Some(own) => format!(
                    "add `{kind}` to the types of `{}` in `{}`",
                    action.text, own.path
                ),
                None => format!("add `{kind}` to the types of `{}`", action.text),
            };
            let advice = match (nearest(&action.text, &others), others.as_slice()) {
                (Some(meant), _) => format!("did you mean `{meant}`?"),
                (None, []) => add,
                (None, others) => format!("use `{}`, or {add}", others.join("`, `")),
            };
            (format!("objects of the type `{kind}`"), advice)
        }
    };
    let message = format!(
        "the action `{}` applies to `{types}`, not to {object}\nhelp: {advice}",
        action.text
    );
    errors.add(codes::OBJECT, action.span, message);
}

/// Returns the reason why a text cannot be the name of an action.
pub(crate) fn action_problem(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("the action is empty\nhelp: name the required action".to_owned());
    }
    if text.trim() != text {
        return Some(format!(
            "the action `{}` begins or ends with white space\nhelp: write `{:?}`",
            text.escape_debug(),
            text.trim()
        ));
    }
    unfit("action", text)
}

/// Returns the reason why a text cannot be the name of a type.
pub(crate) fn type_problem(text: &str) -> Option<String> {
    if text == ResourcePattern::SERVICE {
        let message = "`Service` is the type of the service itself, which every service has\n\
                       help: remove it";
        return Some(message.to_owned());
    }
    let is_right = text.split("::").all(is_identifier);
    (!is_right).then(|| {
        format!(
            "`{}` is not the name of a type\n\
             help: write an identifier, such as `Repository` or `App::Repository`",
            text.escape_debug()
        )
    })
}

/// Returns the object of a requirement, or the mistake in it and its place.
fn source(can: &Can) -> Result<ObjectSource, (Span, String)> {
    match (&can.on, &can.resource) {
        (None, None) => Ok(ObjectSource::Service),
        (Some(on), None) => parse(on)
            .map(ObjectSource::Path)
            .map_err(|message| (on.span, message)),
        (Some(on), Some(function)) => returned_by(function, on),
        (None, Some(function)) => Err((
            function.0.span(),
            "`resource` has no type\n\
             help: add `on = \"...\"` with the type of the object that the function returns"
                .to_owned(),
        )),
    }
}

fn parse(on: &Name) -> Result<ResourcePattern, String> {
    let text = &on.text;
    ResourcePattern::parse(text.clone()).map_err(|error| {
        let shown = text.escape_debug();
        match error {
            ResourcePatternError::NoId => {
                let kind = if is_identifier(text) { text } else { "Type" };
                format!(
                    "`{shown}` has no id after its type\n\
                     help: write the path parameters with the id: `on = \"{kind}::{{id}}\"`, or name \
                     a function that returns the object: `resource = path::to::function`"
                )
            }
            ResourcePatternError::EmptyId => format!(
                "`{shown}` has an empty id\n\
                 help: write the path parameters with the id: `on = \"{shown}{{id}}\"`"
            ),
            ResourcePatternError::Service => format!(
                "`{shown}` names the service itself, which has no path parameters\n\
                 help: remove `on`: without it, `can` is about the service"
            ),
            ResourcePatternError::Type => format!(
                "the type in `{shown}` is not an identifier\n\
                 help: write a declared type, as in `on = \"Repository::{{id}}\"`"
            ),
            ResourcePatternError::Parameter => format!(
                "a parameter in `{shown}` is not the name of a path parameter between braces\n\
                 help: write it as in the route, as in `on = \"Repository::{{owner}}/{{repo}}\"`"
            ),
            ResourcePatternError::Repeated => format!(
                "a parameter occurs twice in `{shown}`\n\
                 help: write each path parameter once"
            ),
            ResourcePatternError::Adjacent => format!(
                "two parameters in `{shown}` have no text between them, so two objects could have \
                 the same id\n\
                 help: write a character between them, such as `/`"
            ),
            other => format!("`{shown}` is not an object: {other}\nhelp: remove that character"),
        }
    })
}

/// Returns the object of the type `on` that a function returns.
fn returned_by(function: &Function, on: &Name) -> Result<ObjectSource, (Span, String)> {
    let text = on.text.as_str();
    if let Some(problem) = type_problem(text) {
        let kind = text.split("::{").next().filter(|kind| *kind != text);
        let message = match kind {
            Some(kind) => format!(
                "`{}` names the parameters of an id, and the function of `resource` returns the id\n\
                 help: write `on = {kind:?}`, or remove `resource`",
                text.escape_debug()
            ),
            None => problem,
        };
        return Err((on.span, message));
    }
    Ok(ObjectSource::Function {
        resource_type: on.text.clone().into(),
        function: function.to_string().into(),
    })
}

/// Returns the atom of a requirement.
pub(crate) fn lowered(can: &Can) -> Atom {
    Atom::Can {
        action: can.action.text.clone().into(),
        // Invalid objects were reported.
        on: source(can).unwrap_or(ObjectSource::Service),
    }
}
