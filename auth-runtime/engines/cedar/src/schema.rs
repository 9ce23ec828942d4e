//! The declarations of a schema: entity types with their attributes, and actions with their context.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{EntityTypeName, EntityUid, Schema, SchemaFragment};
use serde_json::{Map, Value as Json};

use crate::error::{CedarError, describe};

/// A schema, from the view of one type of callers.
pub(crate) struct Declared {
    pub(crate) schema: Schema,
    types: HashMap<String, DeclaredType>,
    /// The actions of the callers, by their names.
    actions: HashMap<String, DeclaredAction>,
    /// Whether a role can be a parent of a caller.
    pub(crate) has_roles: bool,
}

pub(crate) struct DeclaredType {
    pub(crate) name: EntityTypeName,
    pub(crate) attributes: Members,
    /// Whether an entity of this type can have attributes or parents.
    pub(crate) has_data: bool,
    /// The ids of the only entities of this type, if the schema lists them.
    pub(crate) ids: Option<HashSet<String>>,
}

pub(crate) struct DeclaredAction {
    pub(crate) uid: EntityUid,
    /// The types of its objects.
    pub(crate) resources: HashSet<String>,
    pub(crate) context: Members,
}

/// The members of a record, by their names.
pub(crate) type Members = BTreeMap<String, Member>;

pub(crate) struct Member {
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    /// An entity of this type.
    Entity(String),
    Address,
    Decimal,
    DateTime,
    Duration,
    Set(Box<Kind>),
    /// A record, or a type of a later version of Cedar.
    Other,
}

impl Declared {
    /// Reads a schema, and checks that its declarations of callers and contexts can be met.
    pub(crate) fn read(text: &str, names: &Names, has_loader: bool) -> Result<Self, CedarError> {
        let invalid = |error| CedarError::Schema(describe("schema", text, &error));
        let (schema, warnings) = Schema::from_cedarschema_str(text).map_err(invalid)?;
        for warning in warnings {
            tracing::warn!("Cedar schema: {}", describe("schema", text, &warning));
        }
        let (fragment, _) = SchemaFragment::from_cedarschema_str(text).map_err(invalid)?;
        let json = fragment
            .to_json_value()
            .map_err(|error| CedarError::Schema(describe("schema", text, &error)))?;
        let reader = Reader { json: &json };
        let types = reader.types(&schema);
        if !types.contains_key(&names.subject) {
            return Err(CedarError::SubjectType(names.subject.clone()));
        }
        let actions = reader.actions(&schema, names);
        let subject = types.get(&names.subject);
        let ancestors = subject.and_then(|subject| schema.ancestors(&subject.name));
        let has_roles = ancestors
            .into_iter()
            .flatten()
            .any(|ancestor| ancestor.to_string() == names.role);
        let declared = Self {
            types,
            actions,
            has_roles,
            schema,
        };
        declared.check(names, has_loader)?;
        Ok(declared)
    }

    pub(crate) fn entity_type(&self, name: &str) -> Option<&DeclaredType> {
        self.types.get(name)
    }

    /// Returns whether an entity of this type can have attributes or parents. An unknown type is reported
    /// when its name is converted.
    pub(crate) fn has_data(&self, entity_type: &str) -> bool {
        let declared = self.entity_type(entity_type);
        declared.is_none_or(|declared| declared.has_data)
    }

    /// Returns the name and the declaration of an entity type.
    pub(crate) fn entity_type_entry(&self, name: &str) -> Option<(&str, &DeclaredType)> {
        let (name, declared) = self.types.get_key_value(name)?;
        Some((name, declared))
    }

    /// Returns an action of the callers.
    pub(crate) fn action(&self, name: &str) -> Option<&DeclaredAction> {
        self.actions.get(name)
    }

    fn check(&self, names: &Names, has_loader: bool) -> Result<(), CedarError> {
        let subject = &names.subject;
        if let Some(declared) = self.entity_type(subject) {
            for (name, member) in &declared.attributes {
                let problem = match identity_kind(name) {
                    Some(kind) if kind != member.kind => {
                        format!("`{name}` has to be a {}", cedar_name(&kind))
                    }
                    None if member.is_required && !has_loader => {
                        format!("`{name}` is required, and no loader of entities is set")
                    }
                    _ => continue,
                };
                let problem = format!("the schema declares attributes of `{subject}`: {problem}");
                return Err(CedarError::Declaration(problem));
            }
        }
        for (action, declared) in &self.actions {
            for (name, member) in &declared.context {
                let kinds = context_kinds(name);
                let problem = match kinds {
                    [] if member.is_required => {
                        format!("`{name}` is required, and is none of method, path, ip and time")
                    }
                    [first, ..] if !kinds.contains(&member.kind) => {
                        format!("`{name}` has to be a {}", cedar_name(first))
                    }
                    _ => continue,
                };
                let problem = format!("the schema declares the context of `{action}`: {problem}");
                return Err(CedarError::Declaration(problem));
            }
        }
        Ok(())
    }
}

/// The attributes of callers that identities have. No loader sets them for the caller.
pub(crate) const IDENTITY: [&str; 6] = ["issuer", "scopes", "roles", "permissions", "acr", "amr"];

fn identity_kind(attribute: &str) -> Option<Kind> {
    match attribute {
        "issuer" | "acr" => Some(Kind::Text),
        "scopes" | "roles" | "permissions" | "amr" => Some(Kind::Set(Box::new(Kind::Text))),
        _ => None,
    }
}

fn context_kinds(member: &str) -> &'static [Kind] {
    match member {
        "method" | "path" => &[Kind::Text],
        "ip" => &[Kind::Address, Kind::Text],
        "time" => &[Kind::Number],
        _ => &[],
    }
}

pub(crate) fn cedar_name(kind: &Kind) -> String {
    let name = match kind {
        Kind::Text => "String",
        Kind::Number => "Long",
        Kind::Flag => "Bool",
        Kind::Entity(name) => name,
        Kind::Address => "ipaddr",
        Kind::Decimal => "decimal",
        Kind::DateTime => "datetime",
        Kind::Duration => "duration",
        Kind::Set(element) => return format!("Set<{}>", cedar_name(element)),
        Kind::Other => "record",
    };
    name.to_owned()
}

/// The types that the engine names. All have the namespace of the callers.
pub(crate) struct Names {
    pub(crate) subject: String,
    pub(crate) action: String,
    pub(crate) role: String,
    pub(crate) service: String,
}

impl Names {
    pub(crate) fn new(subject: String) -> Self {
        let namespace = subject
            .rsplit_once("::")
            .map(|(namespace, _)| namespace.to_owned());
        let within = |name: &str| match &namespace {
            Some(namespace) => format!("{namespace}::{name}"),
            None => name.to_owned(),
        };
        Self {
            action: within("Action"),
            role: within("Role"),
            service: within(auth_runtime_core::Resource::SERVICE),
            subject,
        }
    }
}

/// Reads the JSON form of a valid schema: namespaces with common types and entity types.
struct Reader<'j> {
    json: &'j Json,
}

impl<'j> Reader<'j> {
    fn section(&self, namespace: &str, name: &str) -> Option<&'j Map<String, Json>> {
        self.json.get(namespace)?.get(name)?.as_object()
    }

    fn types(&self, schema: &Schema) -> HashMap<String, DeclaredType> {
        let types = schema.entity_types().map(|name| {
            let namespace = name.namespace();
            let own = self.section(&namespace, "entityTypes");
            let own = own.and_then(|types| types.get(name.basename()));
            let shape = own.and_then(|own| own.get("shape"));
            let ids = own.and_then(|own| own.get("enum")?.as_array());
            let attributes = shape.map_or_else(Members::new, |it| self.members(&namespace, it));
            let mut parents = schema.ancestors(name).into_iter().flatten();
            let declared = DeclaredType {
                name: name.clone(),
                has_data: !attributes.is_empty() || parents.next().is_some(),
                attributes,
                ids: ids.map(|ids| {
                    let ids = ids.iter().filter_map(Json::as_str);
                    ids.map(str::to_owned).collect()
                }),
            };
            (name.to_string(), declared)
        });
        types.collect()
    }

    fn actions(&self, schema: &Schema, names: &Names) -> HashMap<String, DeclaredAction> {
        let mut actions = HashMap::new();
        for uid in schema.actions() {
            let mut principals = schema.principals_for_action(uid).into_iter().flatten();
            let is_ours = uid.type_name().to_string() == names.action
                && principals.any(|principal| principal.to_string() == names.subject);
            if !is_ours {
                continue;
            }
            let namespace = uid.type_name().namespace();
            let id = uid.id().unescaped();
            let own = self.section(&namespace, "actions");
            let context = own.and_then(|own| own.get(id)?.get("appliesTo")?.get("context"));
            let resources = schema.resources_for_action(uid).into_iter().flatten();
            let declared = DeclaredAction {
                uid: uid.clone(),
                resources: resources.map(ToString::to_string).collect(),
                context: context.map_or_else(Members::new, |it| self.members(&namespace, it)),
            };
            actions.insert(id.to_owned(), declared);
        }
        actions
    }

    /// Returns the members of a record, which may be a common type.
    fn members(&self, namespace: &str, json: &'j Json) -> Members {
        let Some(attributes) = json.get("attributes").and_then(Json::as_object) else {
            let common = self.common(namespace, name_of(json));
            return common.map_or_else(Members::new, |(namespace, json)| {
                self.members(namespace, json)
            });
        };
        let members = attributes.iter().map(|(name, json)| {
            let member = Member {
                kind: self.kind(namespace, json),
                is_required: json.get("required") != Some(&Json::Bool(false)),
            };
            (name.clone(), member)
        });
        members.collect()
    }

    fn kind(&self, namespace: &str, json: &'j Json) -> Kind {
        if json.get("attributes").is_some() {
            return Kind::Other;
        }
        if let Some(element) = json.get("element") {
            return Kind::Set(Box::new(self.kind(namespace, element)));
        }
        let name = name_of(json);
        if let Some((namespace, json)) = self.common(namespace, name) {
            return self.kind(namespace, json);
        }
        if let Some(name) = self.entity(namespace, name) {
            return Kind::Entity(name);
        }
        match name.strip_prefix("__cedar::").unwrap_or(name) {
            "String" => Kind::Text,
            "Long" => Kind::Number,
            "Bool" | "Boolean" => Kind::Flag,
            "ipaddr" => Kind::Address,
            "decimal" => Kind::Decimal,
            "datetime" => Kind::DateTime,
            "duration" => Kind::Duration,
            _ => Kind::Other,
        }
    }

    /// Returns a common type, and its namespace.
    fn common(&self, namespace: &str, name: &'j str) -> Option<(&'j str, &'j Json)> {
        for (namespace, name) in candidates(namespace, name) {
            let namespaces = self.json.as_object()?;
            if let Some((namespace, own)) = namespaces.get_key_value(namespace)
                && let Some(json) = own.get("commonTypes").and_then(|own| own.get(name))
            {
                return Some((namespace, json));
            }
        }
        None
    }

    /// Returns the full name of an entity type.
    fn entity(&self, namespace: &str, name: &str) -> Option<String> {
        let mut candidates = candidates(namespace, name).into_iter();
        let (namespace, name) = candidates.find(|(namespace, name)| {
            let types = self.section(namespace, "entityTypes");
            types.is_some_and(|types| types.contains_key(*name))
        })?;
        Some(match namespace {
            "" => name.to_owned(),
            namespace => format!("{namespace}::{name}"),
        })
    }
}

/// Returns the name of a type that is not a record or a set.
fn name_of(json: &Json) -> &str {
    let name = json.get("name").or_else(|| json.get("type"));
    name.and_then(Json::as_str).unwrap_or_default()
}

/// Returns the namespaces in which `name` is looked up, and its last part. A name without a namespace
/// belongs to the current one, or else to the empty one.
fn candidates<'n>(namespace: &'n str, name: &'n str) -> Vec<(&'n str, &'n str)> {
    match name.rsplit_once("::") {
        Some(qualified) => vec![qualified],
        None => vec![(namespace, name), ("", name)],
    }
}

#[cfg(test)]
mod tests {
    use super::{Declared, Kind, Names};
    use crate::error::CedarError;

    const SCHEMA: &str = r#"
        namespace App {
            type Name = String;
            type Surroundings = { ip?: ipaddr, time: Other::Instant };
            entity Role;
            entity User in [Role] { scopes?: Set<Name>, acr?: Name };
            entity Colour enum ["red", "blue"];
            entity String2;
            entity Repository {
                owner: User, root?: Root, name: Name, size: Other::Instant, rate: decimal,
                public: Bool, since: datetime, within: duration, from: ipaddr,
                labels: Set<Set<Name>>, place: { x: Long }, other: Other::Thing, plain: String2,
            };
            action group;
            action read in [group] appliesTo {
                principal: [User], resource: [Repository, Other::Thing], context: Surroundings
            };
            action paint appliesTo { principal: Other::Thing, resource: Colour };
        }
        namespace Other { type Instant = Long; entity Thing; }
        entity Root;
    "#;

    fn read(text: &str, subject: &str, has_loader: bool) -> Result<Declared, CedarError> {
        Declared::read(text, &Names::new(subject.to_owned()), has_loader)
    }

    #[test]
    fn declarations_are_found_in_their_namespaces() {
        let declared = read(SCHEMA, "App::User", false).unwrap();
        assert!(declared.has_roles);
        let repository = declared.entity_type("App::Repository").unwrap();
        let kind = |name: &str| &repository.attributes[name].kind;
        let entity = |name: &str| Kind::Entity(name.to_owned());
        for (name, expected) in [
            ("owner", entity("App::User")),
            ("root", entity("Root")),
            ("other", entity("Other::Thing")),
            ("plain", entity("App::String2")),
            ("name", Kind::Text),
            ("size", Kind::Number),
            ("rate", Kind::Decimal),
            ("public", Kind::Flag),
            ("since", Kind::DateTime),
            ("within", Kind::Duration),
            ("from", Kind::Address),
            ("place", Kind::Other),
        ] {
            assert_eq!(*kind(name), expected, "{name}");
        }
        let set = |kind| Kind::Set(Box::new(kind));
        assert_eq!(*kind("labels"), set(set(Kind::Text)));
        assert!(!repository.attributes["root"].is_required);
        assert!(repository.attributes["owner"].is_required);
        let colours = declared.entity_type("App::Colour").unwrap();
        assert!(colours.ids.as_ref().unwrap().contains("red"));
        let read = declared.action("read").unwrap();
        assert_eq!(read.context["ip"].kind, Kind::Address);
        assert_eq!(read.context["time"].kind, Kind::Number);
        assert!(read.resources.contains("Other::Thing"));
        // Of other callers, or a group.
        assert!(declared.action("paint").is_none());
        assert!(declared.action("group").is_none());
    }

    #[test]
    fn data_that_callers_lack_is_reported() {
        let problem = |text: &str| match read(text, "User", false) {
            Err(CedarError::Declaration(problem)) => problem,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("accepted: {text}"),
        };
        let found = problem("entity User { scopes: String };");
        assert!(
            found.ends_with("`scopes` has to be a Set<String>"),
            "{found}"
        );
        let found = problem("entity User { age: Long };");
        assert!(found.contains("`age` is required"), "{found}");
        assert!(read("entity User { age: Long };", "User", true).is_ok());
        assert!(read("entity User { age?: Long };", "User", false).is_ok());
        let action = |context: &str| {
            format!(
                "entity User; action read appliesTo {{ principal: User, resource: User, context: \
                 {context} }};"
            )
        };
        let found = problem(&action("{ mfa: Bool }"));
        assert!(found.contains("`read`: `mfa` is required"), "{found}");
        let found = problem(&action("{ time?: datetime }"));
        assert!(found.ends_with("`time` has to be a Long"), "{found}");
        assert!(read(&action("{ mfa?: Bool, ip?: String }"), "User", false).is_ok());
    }

    #[test]
    fn callers_have_a_declared_type() {
        let error = read("entity Person;", "User", false).err();
        assert_eq!(error, Some(CedarError::SubjectType("User".to_owned())));
    }
}
