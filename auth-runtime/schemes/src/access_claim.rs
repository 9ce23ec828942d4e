//! Decisions by the claim `access` of container registries.

use auth_runtime_core::{
    DecisionPoint, Evaluation, EvaluationFuture, EvaluationRequest, Identity, ObjectDecision,
    Permitted, PermittedFuture, TokenScope,
};
use serde_json::Value;

use crate::Claims;

/// A [`DecisionPoint`] that allows the actions in the claim `access` of the caller's token, as token servers of
/// container registries write it (the token authentication of the CNCF distribution):
///
/// ```json
/// "access": [{ "type": "repository", "name": "ann/web", "actions": ["pull", "push"] }]
/// ```
///
/// `type` is the type of the object in lower case: `Repository` is `repository`. `name` is its id, and the action
/// `*` in the token allows all. Such a `can` is a scope, which challenges name: `repository:ann/web:pull`. Names
/// with other characters than the names of OCI repositories, or of more than 255 characters, have no scope.
///
/// A cache of its decisions must not
/// [ignore extensions](auth_runtime_core::DecisionCacheBuilder::ignore_extensions), since the claims are one.
///
/// ```
/// # #[cfg(feature = "jwt")]
/// # fn space(jwt: auth_runtime::schemes::Jwt)
/// #     -> Result<auth_runtime::ProtectionSpace, auth_runtime::SpaceError> {
/// use auth_runtime::schemes::{AccessClaim, Bearer};
/// use auth_runtime::{ProtectionSpace, requires};
///
/// #[requires(can = "pull", on = "Repository::{namespace}/{image}")]
/// async fn manifest() {}
///
/// // Bearer realm="https://auth.example/token", service="registry.example", scope="repository:ann/web:pull"
/// let bearer = Bearer::jwt(jwt).token_server("https://auth.example/token", "registry.example");
/// let space = ProtectionSpace::builder()
///     .realm("registry")
///     .scheme(bearer)
///     .decision_point(AccessClaim)
///     .build()?;
/// # Ok(space)
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessClaim;

/// The longest name of a repository (OCI distribution, "Pulling manifests").
const MAX_NAME: usize = 255;

impl DecisionPoint for AccessClaim {
    fn name(&self) -> &'static str {
        "access claim"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let decisions = request.evaluations.iter().map(|evaluation| {
            let resource = &evaluation.resource;
            let mut names = allowed(
                request.identity,
                &evaluation.action,
                resource.resource_type(),
            );
            ObjectDecision::from(names.any(|name| name == resource.id()))
        });
        let decisions = decisions.collect();
        Box::pin(async move { Ok(decisions) })
    }

    fn permitted<'r>(
        &'r self,
        action: &'r str,
        resource_type: &'r str,
        request: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        let names = allowed(request.identity, action, resource_type);
        let mut ids: Vec<String> = names.map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        Box::pin(async move { Ok(Permitted::Ids(ids)) })
    }

    /// A type in a token has letters and digits only.
    fn decides_about(&self, _action: &str, resource_type: &str) -> bool {
        resource_type
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
    }

    fn token_scope(&self) -> Option<TokenScope> {
        Some(scope_of)
    }
}

/// The names of the objects of a type on which the token of the caller allows an action.
fn allowed<'c>(
    identity: &'c Identity,
    action: &'c str,
    resource_type: &'c str,
) -> impl Iterator<Item = &'c str> {
    let access = identity
        .extension::<Claims>()
        .and_then(|claims| claims.get("access")?.as_array());
    access.into_iter().flatten().filter_map(move |entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let matches = text("type").is_some_and(|own| is_type(own, resource_type));
        let mut actions = entry.get("actions")?.as_array()?.iter();
        let is_allowed = actions.any(|own| own == action || own == "*");
        text("name").filter(|_| matches && is_allowed)
    })
}

/// Returns whether a type in a token is that of an object.
fn is_type(own: &str, resource_type: &str) -> bool {
    own.bytes()
        .eq(resource_type.bytes().map(|byte| byte.to_ascii_lowercase()))
}

fn scope_of(evaluation: &Evaluation) -> Option<String> {
    let resource = &evaluation.resource;
    let (kind, name) = (resource.resource_type().to_ascii_lowercase(), resource.id());
    is_name(name).then(|| format!("{kind}:{name}:{}", evaluation.action))
}

/// Returns whether a text is the name of a repository: parts of lower-case letters and digits, with separators
/// between them, and slashes between the parts.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME && name.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_separator =
        |text: &str| matches!(text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    part.starts_with(is_word) && part.ends_with(is_word) && part.split(is_word).all(is_separator)
}
