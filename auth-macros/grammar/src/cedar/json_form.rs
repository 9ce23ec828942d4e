//! The declarations in the JSON form.

use super::declarations::{ActionDeclaration, Name, Namespace};
use super::json::{self, Json, JsonKind};
use super::schema::is_name;
use crate::mistake::Mistake;
use crate::suggest::nearest;

const NAMESPACE: [&str; 4] = ["commonTypes", "entityTypes", "actions", "annotations"];
const ENTITY: [&str; 5] = ["memberOfTypes", "shape", "tags", "enum", "annotations"];
const ACTION: [&str; 4] = ["memberOf", "appliesTo", "attributes", "annotations"];
const APPLIES_TO: [&str; 3] = ["principalTypes", "resourceTypes", "context"];

/// Parses a schema: an object with a member for each namespace.
pub(super) fn parse(text: &str) -> Result<Vec<Namespace>, Mistake> {
    let json = json::parse(text)?;
    let namespaces = object(&json, "the schema")?;
    let namespaces = namespaces.iter().map(|(name, json)| namespace(name, json));
    namespaces.collect()
}

fn namespace(name: &Name, json: &Json) -> Result<Namespace, Mistake> {
    if !name.text.is_empty() {
        check_path(&name.text, name.at)?;
    }
    let what = format!("the namespace `{}`", name.text);
    let members = members(json, &what, &NAMESPACE)?;
    let mut namespace = Namespace {
        name: name.text.clone(),
        at: name.at,
        ..Namespace::default()
    };
    let common_types = match member(members, "commonTypes") {
        Some(json) => object(json, "`commonTypes`")?,
        None => &[],
    };
    for (name, _) in common_types {
        check_name(name)?;
        namespace.common_types.push(name.clone());
    }
    for (name, json) in object(
        required(members, "entityTypes", json, &what)?,
        "`entityTypes`",
    )? {
        check_name(name)?;
        namespace.types.push((name.clone(), entity(name, json)?));
    }
    for (name, json) in object(required(members, "actions", json, &what)?, "`actions`")? {
        namespace.actions.push(action(name, json)?);
    }
    Ok(namespace)
}

/// Checks an entity type, and returns its description.
fn entity(name: &Name, json: &Json) -> Result<String, Mistake> {
    let what = format!("the entity type `{}`", name.text);
    let members = members(json, &what, &ENTITY)?;
    if let Some(json) = member(members, "enum") {
        if strings(json, "`enum`")?.is_empty() {
            return Err(Mistake::schema(
                json.at,
                "`enum` is empty\nhelp: list the ids".to_owned(),
            ));
        }
        let mut others = members.iter().map(|(name, _)| name);
        let other = others.find(|it| !matches!(it.text.as_str(), "enum" | "annotations"));
        if let Some(other) = other {
            let message = format!(
                "`{}` is not allowed beside `enum`\nhelp: remove it",
                other.text
            );
            return Err(Mistake::schema(other.at, message));
        }
    }
    description(members)
}

fn action(name: &Name, json: &Json) -> Result<ActionDeclaration, Mistake> {
    let what = format!("the action `{}`", name.text);
    let own = members(json, &what, &ACTION)?;
    let resources = match member(own, "appliesTo").filter(|it| !matches!(it.kind, JsonKind::Null)) {
        None => Vec::new(),
        Some(json) => {
            let what = format!("`appliesTo` of `{}`", name.text);
            let own = members(json, &what, &APPLIES_TO)?;
            types(
                required(own, "principalTypes", json, &what)?,
                "`principalTypes`",
            )?;
            types(
                required(own, "resourceTypes", json, &what)?,
                "`resourceTypes`",
            )?
        }
    };
    Ok(ActionDeclaration {
        names: vec![name.clone()],
        description: description(own)?,
        resources,
    })
}

fn types(json: &Json, what: &str) -> Result<Vec<Name>, Mistake> {
    let types = strings(json, what)?;
    for name in &types {
        check_path(&name.text, name.at)?;
    }
    Ok(types)
}

/// Returns the annotation `doc`. Its value may be null.
fn description(members: &[(Name, Json)]) -> Result<String, Mistake> {
    let Some(json) = member(members, "annotations") else {
        return Ok(String::new());
    };
    let annotations = object(json, "`annotations`")?;
    match member(annotations, "doc").map(|json| &json.kind) {
        Some(JsonKind::Text(text)) => Ok(text.clone()),
        _ => Ok(String::new()),
    }
}

fn check_name(name: &Name) -> Result<(), Mistake> {
    if is_name(&name.text) {
        Ok(())
    } else {
        Err(not_a_name(&name.text, name.at))
    }
}

fn check_path(text: &str, at: usize) -> Result<(), Mistake> {
    if text.split("::").all(is_name) {
        Ok(())
    } else {
        Err(not_a_name(text, at))
    }
}

fn not_a_name(text: &str, at: usize) -> Mistake {
    let message = format!("`{text}` is not a name in Cedar\nhelp: write an identifier");
    Mistake::schema(at, message)
}

fn object<'j>(json: &'j Json, what: &str) -> Result<&'j [(Name, Json)], Mistake> {
    match &json.kind {
        JsonKind::Object(members) => Ok(members),
        _ => Err(Mistake::schema(json.at, format!("{what} is not an object"))),
    }
}

/// Returns the members of an object that has no other than the known ones.
fn members<'j>(json: &'j Json, what: &str, known: &[&str]) -> Result<&'j [(Name, Json)], Mistake> {
    let members = object(json, what)?;
    let mut names = members.iter().map(|(name, _)| name);
    let Some(other) = names.find(|name| !known.contains(&name.text.as_str())) else {
        return Ok(members);
    };
    let advice = match nearest(&other.text, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("use one of `{}`", known.join("`, `")),
    };
    let message = format!("`{}` is not a key of {what}\nhelp: {advice}", other.text);
    Err(Mistake::schema(other.at, message))
}

fn member<'j>(members: &'j [(Name, Json)], name: &str) -> Option<&'j Json> {
    let mut members = members.iter();
    members.find_map(|(own, json)| (own.text == name).then_some(json))
}

fn required<'j>(
    members: &'j [(Name, Json)],
    name: &str,
    json: &Json,
    what: &str,
) -> Result<&'j Json, Mistake> {
    member(members, name).ok_or_else(|| {
        let message = format!("{what} has no `{name}`\nhelp: add it, empty if there is none");
        Mistake::schema(json.at, message)
    })
}

fn strings(json: &Json, what: &str) -> Result<Vec<Name>, Mistake> {
    let JsonKind::Array(elements) = &json.kind else {
        return Err(Mistake::schema(json.at, format!("{what} is not an array")));
    };
    let strings = elements.iter().map(|element| match &element.kind {
        JsonKind::Text(text) => Ok(Name {
            text: text.clone(),
            at: element.at,
        }),
        _ => {
            let message = format!("a member of {what} is not text in quotes");
            Err(Mistake::schema(element.at, message))
        }
    });
    strings.collect()
}
