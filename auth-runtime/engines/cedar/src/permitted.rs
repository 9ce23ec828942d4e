//! The objects that a caller may act on, as a condition on their attributes.
//!
//! A policy is a boolean expression. The parts that do not mention the object have a value for a request,
//! which Cedar computes. The other parts become a condition, if a database can evaluate them.

use std::collections::HashSet;

use auth_runtime_core::{
    Condition, DecisionPointError, EvaluationRequest, Permitted, Resource, Value,
};
use cedar_policy::{
    Context, Decision, Effect, Entities, EntityId, EntityUid, Policy, PolicyId, PolicySet, Request,
};
use serde_json::{Value as Json, json};

use crate::engine::Engine;
use crate::gather::{Gathered, Known, load};
use crate::schema::{Kind, Members};
use crate::uid::Uid;
use crate::values::Types;

/// A part of a policy that a database cannot evaluate.
struct Untranslatable(String);

/// The request, without an object.
struct RequestWithoutObject<'e> {
    engine: &'e Engine,
    entities: Entities,
    principal: EntityUid,
    action: EntityUid,
    /// An object of the type, for the parts that do not mention it.
    object: EntityUid,
    object_type: &'e str,
    context: Context,
    /// The attributes of objects.
    attributes: &'e Members,
    /// The caller and all of its ancestors.
    ancestors: HashSet<Uid<'e>>,
}

impl Engine {
    /// Returns the condition for objects of a type.
    pub(crate) async fn permitted(
        &self,
        action: &str,
        object_type: &str,
        mut request: EvaluationRequest<'_>,
    ) -> Result<Permitted, DecisionPointError> {
        let Some(declared) = &self.declared else {
            let message = "lists need a schema, which has the types of attributes";
            return Err(DecisionPointError::new(message));
        };
        let object_type = match object_type {
            Resource::SERVICE => self.names.service.as_str(),
            other => other,
        };
        let Some((object_type, objects)) = declared.entity_type_entry(object_type) else {
            let message = format!("the schema declares no entity type `{object_type}`");
            return Err(DecisionPointError::new(message));
        };
        let applies = declared.action(action);
        if !applies.is_some_and(|action| action.resources.contains(object_type)) {
            let message = format!("the schema has no action `{action}` on `{object_type}`");
            return Err(DecisionPointError::new(message));
        }
        request.evaluations = &[];
        let policies = self.policies();
        let loader = self.loader.as_deref();
        let has_roles = declared.has_roles;
        let loaded = load(request, &self.names, Some(declared), has_roles, loader).await?;
        let gathered = Gathered::new(request, &self.names, has_roles, &loaded)?;
        let mut types = Types::new(Some(declared));
        let (action, context) = self.action(request, action)?;
        let asked = RequestWithoutObject {
            engine: self,
            entities: self.entities(&gathered, &mut types)?,
            principal: types.uid(gathered.caller)?,
            action,
            object: EntityUid::from_type_name_and_id(objects.name.clone(), EntityId::new("")),
            object_type,
            context,
            attributes: &objects.attributes,
            ancestors: ancestors(&gathered),
        };
        let mut permits = Vec::new();
        let mut forbids = Vec::new();
        for policy in policies.policies() {
            let condition = asked.condition_of(policy)?;
            match policy.effect() {
                Effect::Permit => permits.push(condition),
                Effect::Forbid => forbids.push(condition),
            }
        }
        let condition = and(any(permits), not(any(forbids)));
        Ok(Permitted::When(condition))
    }
}

/// Returns the caller, and the entities that it belongs to, directly or through others.
fn ancestors<'g>(gathered: &Gathered<'g>) -> HashSet<Uid<'g>> {
    let mut found = HashSet::from([gathered.caller]);
    let mut open = vec![gathered.caller];
    while let Some(entity) = open.pop() {
        let known = gathered.entities.get(&entity);
        for parent in known.into_iter().flat_map(Known::parents) {
            if found.insert(parent) {
                open.push(parent);
            }
        }
    }
    found
}

impl RequestWithoutObject<'_> {
    fn condition_of(&self, policy: &Policy) -> Result<Condition, DecisionPointError> {
        let json = policy.to_json().map_err(|_| {
            DecisionPointError::new(format!("the policy `{}` has no JSON form", policy.id()))
        })?;
        self.translate_policy(&json)
            .map_err(|Untranslatable(part)| {
                DecisionPointError::new(format!(
                    "the policy `{}` is not a condition for a list: {part}",
                    policy.id()
                ))
            })
    }

    fn translate_policy(&self, json: &Json) -> Result<Condition, Untranslatable> {
        if !self.evaluate(&json["principal"], &json["action"], &json!([]))? {
            return Ok(never());
        }
        let mut condition = self.object_scope(&json["resource"])?;
        for part in json["conditions"].as_array().into_iter().flatten() {
            // Cedar does not evaluate the other conditions either.
            if condition == never() {
                break;
            }
            let body = self.translate(&part["body"])?;
            condition = and(
                condition,
                match part["kind"].as_str() {
                    Some("unless") => not(body),
                    _ => body,
                },
            );
        }
        Ok(condition)
    }

    /// The scope `resource`, `resource == …`, `resource is …` of a policy.
    fn object_scope(&self, scope: &Json) -> Result<Condition, Untranslatable> {
        let is_type = |name: &Json| name.as_str() == Some(self.object_type);
        match scope["op"].as_str() {
            Some("All") => Ok(always()),
            Some("==") => Ok(self.is_object(&scope["entity"])),
            Some("is") if scope["in"].is_null() => Ok(constant(is_type(&scope["entity_type"]))),
            Some("is") if !is_type(&scope["entity_type"]) => Ok(never()),
            _ => Err(Untranslatable("`resource in …`".to_owned())),
        }
    }

    /// The condition that the object is this entity.
    fn is_object(&self, entity: &Json) -> Condition {
        match reference(entity) {
            Some((kind, id)) if kind == self.object_type => Condition::equal("id", id),
            _ => never(),
        }
    }

    fn translate(&self, part: &Json) -> Result<Condition, Untranslatable> {
        if !mentions_object(part) {
            let all = json!({ "op": "All" });
            let when = json!([{ "kind": "when", "body": part }]);
            return self.evaluate(&all, &all, &when).map(constant);
        }
        let Some((operator, operands)) = part.as_object().and_then(|part| part.iter().next())
        else {
            return Err(Untranslatable("an unknown expression".to_owned()));
        };
        let (left, right) = (&operands["left"], &operands["right"]);
        match operator.as_str() {
            // Cedar does not evaluate the right side either if the left side decides.
            "&&" => match self.translate(left)? {
                left if left == never() => Ok(never()),
                left => Ok(and(left, self.translate(right)?)),
            },
            "||" => match self.translate(left)? {
                left if left == always() => Ok(always()),
                left => Ok(any(vec![left, self.translate(right)?])),
            },
            "!" => Ok(not(self.translate(&operands["arg"])?)),
            "if-then-else" => {
                let condition = self.translate(&operands["if"])?;
                if condition == always() {
                    return self.translate(&operands["then"]);
                }
                if condition == never() {
                    return self.translate(&operands["else"]);
                }
                let then = self.translate(&operands["then"])?;
                let otherwise = self.translate(&operands["else"])?;
                Ok(any(vec![
                    and(condition.clone(), then),
                    and(not(condition), otherwise),
                ]))
            }
            "==" => self.equal(left, right),
            "!=" => Ok(not(self.equal(left, right)?)),
            "contains" => self.contains(left, right),
            "in" => self.within(left, right),
            "is" if is_object(left) && operands["in"].is_null() => Ok(constant(
                operands["entity_type"].as_str() == Some(self.object_type),
            )),
            "has" if is_object(left) => {
                let name = operands["attr"].as_str().unwrap_or_default();
                is_property(name, None)?;
                match self.attributes.get(name) {
                    None => Ok(never()),
                    Some(declared) if declared.is_required => Ok(always()),
                    Some(_) => Ok(Condition::exists(name)),
                }
            }
            "." => {
                let (name, kind) = self.attribute(part)?;
                match kind {
                    None | Some(Kind::Flag) => Ok(Condition::equal(name, true)),
                    Some(_) => Err(unsupported(".")),
                }
            }
            other => Err(unsupported(other)),
        }
    }

    /// `resource.owner == principal`, in either order.
    fn equal(&self, left: &Json, right: &Json) -> Result<Condition, Untranslatable> {
        let (object, other) = if mentions_object(left) {
            (left, right)
        } else {
            (right, left)
        };
        let value = self.value(other)?;
        if is_object(object) {
            return match value {
                Value::Reference(kind, id) if kind == self.object_type => {
                    Ok(Condition::equal("id", id))
                }
                _ => Ok(never()),
            };
        }
        let (name, kind) = self.attribute(object)?;
        Ok(if has_kind(&value, kind.as_ref()) {
            Condition::equal(name, value)
        } else {
            never()
        })
    }

    /// `resource.members.contains(principal)`, or `["a", "b"].contains(resource.name)`.
    fn contains(&self, left: &Json, right: &Json) -> Result<Condition, Untranslatable> {
        if mentions_object(left) {
            let (name, kind) = self.attribute(left)?;
            let value = self.value(right)?;
            let element = match &kind {
                Some(Kind::Set(element)) => Some(&**element),
                _ => None,
            };
            return Ok(if has_kind(&value, element) {
                Condition::contains(name, value)
            } else {
                never()
            });
        }
        let Some(members) = left["Set"].as_array() else {
            return Err(unsupported("contains"));
        };
        let parts = members.iter().map(|member| self.equal(right, member));
        Ok(any(parts.collect::<Result<_, _>>()?))
    }

    /// `principal in resource.team`, or `principal in resource.teams`.
    fn within(&self, left: &Json, right: &Json) -> Result<Condition, Untranslatable> {
        if !is_principal(left) {
            return Err(unsupported("in"));
        }
        let (name, kind) = self.attribute(right)?;
        let (entity_type, is_set) = match &kind {
            Some(Kind::Entity(entity_type)) => (entity_type, false),
            Some(Kind::Set(element)) => match &**element {
                Kind::Entity(entity_type) => (entity_type, true),
                _ => return Err(unsupported("in")),
            },
            _ => return Err(unsupported("in")),
        };
        let mut ancestors: Vec<&Uid<'_>> = self
            .ancestors
            .iter()
            .filter(|ancestor| ancestor.kind == entity_type)
            .collect();
        ancestors.sort();
        let parts = ancestors.into_iter().map(|ancestor| {
            let id = ancestor.id.to_owned();
            let value = Value::Reference(entity_type.clone().into(), id);
            if is_set {
                Condition::contains(name.clone(), value)
            } else {
                Condition::equal(name.clone(), value)
            }
        });
        Ok(any(parts.collect()))
    }

    /// The name of an attribute of the object, and its type. The attribute of an attribute,
    /// `resource.organization.suspended`, has a name with a full stop.
    fn attribute(&self, part: &Json) -> Result<(String, Option<Kind>), Untranslatable> {
        let Some((name, member)) = attribute(part) else {
            return Err(Untranslatable("an expression with `resource`".to_owned()));
        };
        is_property(name, member)?;
        let declared = self.attributes.get(name).map(|declared| &declared.kind);
        let Some(member) = member else {
            return Ok((name.to_owned(), declared.cloned()));
        };
        let Some(Kind::Entity(entity_type)) = declared else {
            return Err(Untranslatable(format!("`resource.{name}.{member}`")));
        };
        let types = self.engine.declared.as_ref();
        let inner = types.and_then(|types| types.entity_type(entity_type));
        let kind = inner.and_then(|inner| inner.attributes.get(member));
        Ok((format!("{name}.{member}"), kind.map(|own| own.kind.clone())))
    }

    /// A value that does not depend on the object: a literal, or the caller.
    fn value(&self, part: &Json) -> Result<Value, Untranslatable> {
        if is_principal(part) {
            let kind = self.principal.type_name().to_string();
            return Ok(Value::Reference(
                kind.into(),
                self.principal.id().unescaped().to_owned(),
            ));
        }
        let literal = &part["Value"];
        match literal {
            Json::String(text) => Some(Value::Text(text.clone())),
            Json::Bool(flag) => Some(Value::Flag(*flag)),
            Json::Number(number) => number.as_i64().map(Value::Number),
            other => {
                let entity = reference(other);
                entity.map(|(kind, id)| Value::Reference(kind.to_owned().into(), id))
            }
        }
        .ok_or_else(|| {
            Untranslatable("a value that is neither a literal nor `principal`".to_owned())
        })
    }

    /// Evaluates a policy with this principal, action and conditions, which do not mention the object.
    fn evaluate(
        &self,
        principal: &Json,
        action: &Json,
        conditions: &Json,
    ) -> Result<bool, Untranslatable> {
        let policy = json!({
            "effect": "permit",
            "principal": principal,
            "action": action,
            "resource": { "op": "All" },
            "conditions": conditions,
        });
        let invalid = |_| Untranslatable("an invalid expression".to_owned());
        let policy = Policy::from_json(Some(PolicyId::new("part")), policy).map_err(invalid)?;
        let mut policies = PolicySet::new();
        policies
            .add(policy)
            .map_err(|_| Untranslatable("an invalid expression".to_owned()))?;
        let request = Request::new(
            self.principal.clone(),
            self.action.clone(),
            self.object.clone(),
            self.context.clone(),
            None,
        )
        .map_err(|_| Untranslatable("an invalid request".to_owned()))?;
        let authorizer = &self.engine.authorizer;
        let response = authorizer.is_authorized(&request, &policies, &self.entities);
        match response.diagnostics().errors().next() {
            Some(_) => Err(Untranslatable("a part of it failed".to_owned())),
            None => Ok(response.decision() == Decision::Allow),
        }
    }
}

/// Returns whether a value can equal one of this type. Ids of entities of two types can be equal.
fn has_kind(value: &Value, kind: Option<&Kind>) -> bool {
    match (value, kind) {
        (Value::Reference(own, _), Some(Kind::Entity(kind))) => own == kind,
        (Value::Reference(..), Some(_)) => false,
        _ => true,
    }
}

/// Fails for attributes with the names of other properties: `id` is the id of the object, and a full stop
/// separates the attribute of an attribute.
fn is_property(name: &str, member: Option<&str>) -> Result<(), Untranslatable> {
    let mut names = [Some(name), member].into_iter().flatten();
    if names.any(|name| name.contains('.')) || (name == "id" && member.is_none()) {
        return Err(Untranslatable(format!("an attribute `{name}`")));
    }
    Ok(())
}

/// The attribute in `resource.name` or `resource.name.member`.
fn attribute(part: &Json) -> Option<(&str, Option<&str>)> {
    let operands = part.get(".")?;
    let name = operands["attr"].as_str()?;
    let left = &operands["left"];
    if is_object(left) {
        return Some((name, None));
    }
    let inner = left.get(".")?;
    is_object(&inner["left"]).then_some((inner["attr"].as_str()?, Some(name)))
}

fn is_object(part: &Json) -> bool {
    part["Var"] == "resource"
}

fn is_principal(part: &Json) -> bool {
    part["Var"] == "principal"
}

fn mentions_object(part: &Json) -> bool {
    match part {
        Json::Object(members) => is_object(part) || members.values().any(mentions_object),
        Json::Array(members) => members.iter().any(mentions_object),
        _ => false,
    }
}

/// The type and the id of an entity.
fn reference(json: &Json) -> Option<(&str, String)> {
    let entity = json.get("__entity").unwrap_or(json);
    let (kind, id) = (entity["type"].as_str()?, entity["id"].as_str()?);
    Some((kind, id.to_owned()))
}

fn unsupported(operator: &str) -> Untranslatable {
    Untranslatable(format!("`{operator}` on `resource`"))
}

fn always() -> Condition {
    Condition::All(Vec::new())
}

fn never() -> Condition {
    Condition::Any(Vec::new())
}

fn constant(is_true: bool) -> Condition {
    if is_true { always() } else { never() }
}

fn and(one: Condition, other: Condition) -> Condition {
    match (one == always(), other == always()) {
        (true, _) => other,
        (_, true) => one,
        _ if one == never() || other == never() => never(),
        _ => Condition::all([one, other]),
    }
}

fn any(parts: Vec<Condition>) -> Condition {
    if parts.contains(&always()) {
        return always();
    }
    let mut parts: Vec<Condition> = parts.into_iter().filter(|part| *part != never()).collect();
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            Condition::Any(parts)
        }
    }
}

fn not(part: Condition) -> Condition {
    match part {
        Condition::Not(inner) => *inner,
        part if part == always() => never(),
        part if part == never() => always(),
        part => Condition::not(part),
    }
}
