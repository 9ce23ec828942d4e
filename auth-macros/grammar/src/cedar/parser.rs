//! The declarations in Cedar's own syntax: the grammar of `cedar-policy`, with its keywords as names.

use std::collections::BTreeSet;

use super::declarations::{ActionDeclaration, Name, Namespace};
use super::lexer::{Token, Tokens};
use super::schema::{MAX_DEPTH, is_name};
use crate::mistake::Mistake;

/// Parses a schema. Declarations outside namespaces are one namespace without a name, at the end.
pub(super) fn parse(text: &str) -> Result<Vec<Namespace>, Mistake> {
    let mut tokens = Tokens::new(text)?;
    let mut namespaces = Vec::new();
    let mut unnamed = Namespace::default();
    while *tokens.peek() != Token::End {
        let description = annotations(&mut tokens)?;
        if !tokens.skip_word("namespace")? {
            declaration(&mut tokens, description, &mut unnamed)?;
            continue;
        }
        let Name { text: name, at } = path(&mut tokens)?;
        let mut namespace = Namespace {
            name,
            at,
            ..Namespace::default()
        };
        tokens.expect("{")?;
        while !tokens.skip("}")? {
            let description = annotations(&mut tokens)?;
            declaration(&mut tokens, description, &mut namespace)?;
        }
        namespaces.push(namespace);
    }
    namespaces.push(unnamed);
    Ok(namespaces)
}

/// Parses annotations, and returns the value of `@doc`.
fn annotations(tokens: &mut Tokens<'_>) -> Result<String, Mistake> {
    let mut description = String::new();
    let mut seen = BTreeSet::new();
    while tokens.skip("@")? {
        let at = tokens.at();
        let Token::Word(key) = *tokens.peek() else {
            return Err(tokens.unexpected("the name of an annotation"));
        };
        tokens.advance()?;
        if !seen.insert(key) {
            let message = format!("duplicate annotation `@{key}`\nhelp: remove one of them");
            return Err(Mistake::schema(at, message));
        }
        if tokens.skip("(")? {
            let value = tokens.text()?;
            tokens.expect(")")?;
            if key == "doc" {
                description = value.text;
            }
        }
    }
    Ok(description)
}

fn declaration(
    tokens: &mut Tokens<'_>,
    description: String,
    namespace: &mut Namespace,
) -> Result<(), Mistake> {
    if tokens.skip_word("entity")? {
        let types = entity(tokens)?.into_iter();
        let types = types.map(|name| (name, description.clone()));
        namespace.types.extend(types);
    } else if tokens.skip_word("action")? {
        namespace.actions.push(action(tokens, description)?);
    } else if tokens.skip_word("type")? {
        namespace.common_types.push(identifier(tokens)?);
        tokens.expect("=")?;
        kind(tokens, 0)?;
    } else {
        return Err(tokens.unexpected("`entity`, `action`, `type` or `namespace`"));
    }
    tokens.expect(";")
}

/// Parses the rest of `entity A, B in [C] = { … } tags T`, or of `entity A enum ["a"]`.
fn entity(tokens: &mut Tokens<'_>) -> Result<Vec<Name>, Mistake> {
    let names = list(tokens, identifier)?;
    if tokens.skip_word("enum")? {
        tokens.expect("[")?;
        list(tokens, Tokens::text)?;
        tokens.expect("]")?;
        return Ok(names);
    }
    if tokens.skip_word("in")? {
        types(tokens)?;
    }
    if tokens.skip("=")? || *tokens.peek() == Token::Mark("{") {
        record(tokens, 0)?;
    }
    if tokens.skip_word("tags")? {
        kind(tokens, 0)?;
    }
    Ok(names)
}

/// Parses the rest of `action a, "b" in [c] appliesTo { … } attributes {}`.
fn action(tokens: &mut Tokens<'_>, description: String) -> Result<ActionDeclaration, Mistake> {
    let names = list(tokens, name)?;
    if tokens.skip_word("in")? {
        if tokens.skip("[")? {
            list(tokens, qualified_name)?;
            tokens.expect("]")?;
        } else {
            qualified_name(tokens)?;
        }
    }
    let resources = if tokens.skip_word("appliesTo")? {
        applies_to(tokens)?
    } else {
        Vec::new()
    };
    if tokens.skip_word("attributes")? {
        tokens.expect("{")?;
        tokens.expect("}")?;
    }
    Ok(ActionDeclaration {
        names,
        description,
        resources,
    })
}

/// Parses `{ principal: A, resource: [B, C], context: D }`, and returns the types of the objects.
fn applies_to(tokens: &mut Tokens<'_>) -> Result<Vec<Name>, Mistake> {
    let start = tokens.at();
    tokens.expect("{")?;
    let (mut principals, mut resources, mut has_context) = (None, None, false);
    loop {
        let at = tokens.at();
        let Token::Word(key @ ("principal" | "resource" | "context")) = *tokens.peek() else {
            return Err(tokens.unexpected("`principal`, `resource` or `context`"));
        };
        tokens.advance()?;
        tokens.expect(":")?;
        let is_second = match key {
            "context" => {
                match tokens.peek() {
                    Token::Mark("{") => record(tokens, 0)?,
                    _ => _ = path(tokens)?,
                }
                std::mem::replace(&mut has_context, true)
            }
            _ => {
                let types = types(tokens)?;
                if types.is_empty() {
                    let message = format!(
                        "`{key}` has no type\n\
                         help: name some, or remove `appliesTo` for a group of actions"
                    );
                    return Err(Mistake::schema(at, message));
                }
                let own = match key {
                    "principal" => &mut principals,
                    _ => &mut resources,
                };
                own.replace(types).is_some()
            }
        };
        if is_second {
            let message = format!("duplicate `{key}`\nhelp: remove one of them");
            return Err(Mistake::schema(at, message));
        }
        let is_last = !tokens.skip(",")?;
        if is_last || *tokens.peek() == Token::Mark("}") {
            break;
        }
    }
    tokens.expect("}")?;
    match (principals, resources) {
        (Some(_), Some(resources)) => Ok(resources),
        (principals, _) => {
            let missing = if principals.is_none() {
                "principal"
            } else {
                "resource"
            };
            let message = format!("`appliesTo` has no `{missing}`\nhelp: name its types");
            Err(Mistake::schema(start, message))
        }
    }
}

/// Parses one type, or types in brackets, of which there may be none.
fn types(tokens: &mut Tokens<'_>) -> Result<Vec<Name>, Mistake> {
    if !tokens.skip("[")? {
        return Ok(vec![path(tokens)?]);
    }
    if tokens.skip("]")? {
        return Ok(Vec::new());
    }
    let types = list(tokens, path)?;
    tokens.expect("]")?;
    Ok(types)
}

/// Parses a type: a name, a set or a record.
fn kind(tokens: &mut Tokens<'_>, depth: usize) -> Result<(), Mistake> {
    if *tokens.peek() == Token::Mark("{") {
        return record(tokens, depth);
    }
    let name = path(tokens)?;
    if name.text == "Set" && tokens.skip("<")? {
        kind(tokens, deeper(tokens, depth)?)?;
        tokens.expect(">")?;
    }
    Ok(())
}

/// Parses `{ @a("b") name?: Type, … }`.
fn record(tokens: &mut Tokens<'_>, depth: usize) -> Result<(), Mistake> {
    let depth = deeper(tokens, depth)?;
    tokens.expect("{")?;
    while !tokens.skip("}")? {
        annotations(tokens)?;
        name(tokens)?;
        tokens.skip("?")?;
        tokens.expect(":")?;
        kind(tokens, depth)?;
        if !tokens.skip(",")? {
            return tokens.expect("}");
        }
    }
    Ok(())
}

fn deeper(tokens: &Tokens<'_>, depth: usize) -> Result<usize, Mistake> {
    if depth < MAX_DEPTH {
        return Ok(depth + 1);
    }
    let message = format!("types are nested too deeply; the maximum is {MAX_DEPTH}");
    Err(Mistake::schema(tokens.at(), message))
}

/// Parses one or more elements, with commas between them.
fn list<'t, E>(
    tokens: &mut Tokens<'t>,
    element: fn(&mut Tokens<'t>) -> Result<E, Mistake>,
) -> Result<Vec<E>, Mistake> {
    let mut elements = vec![element(tokens)?];
    while tokens.skip(",")? {
        elements.push(element(tokens)?);
    }
    Ok(elements)
}

fn identifier(tokens: &mut Tokens<'_>) -> Result<Name, Mistake> {
    let at = tokens.at();
    match *tokens.peek() {
        Token::Word(word) if is_name(word) => {
            tokens.advance()?;
            let text = word.to_owned();
            Ok(Name { text, at })
        }
        Token::Word(word) => {
            let message = format!("`{word}` is a reserved word of Cedar\nhelp: rename it");
            Err(Mistake::schema(at, message))
        }
        _ => Err(tokens.unexpected("a name")),
    }
}

/// Parses an identifier or a string.
fn name(tokens: &mut Tokens<'_>) -> Result<Name, Mistake> {
    match tokens.peek() {
        Token::Text(_) => tokens.text(),
        _ => identifier(tokens),
    }
}

/// Parses `A::B`.
fn path(tokens: &mut Tokens<'_>) -> Result<Name, Mistake> {
    let Name { mut text, at } = identifier(tokens)?;
    while tokens.skip("::")? {
        text.push_str("::");
        text.push_str(&identifier(tokens)?.text);
    }
    Ok(Name { text, at })
}

/// Parses a name, or `App::Action::"read"`.
fn qualified_name(tokens: &mut Tokens<'_>) -> Result<(), Mistake> {
    if matches!(tokens.peek(), Token::Text(_)) {
        tokens.text()?;
        return Ok(());
    }
    identifier(tokens)?;
    while tokens.skip("::")? {
        if matches!(tokens.peek(), Token::Text(_)) {
            tokens.text()?;
            return Ok(());
        }
        identifier(tokens)?;
        if *tokens.peek() != Token::Mark("::") {
            return Err(tokens.unexpected("`::` and the action in quotes"));
        }
    }
    Ok(())
}
