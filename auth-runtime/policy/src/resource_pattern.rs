//! The object of a `can` requirement, by the parameters of the route.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The object of a `can` requirement: its type, and its id with path parameters, as in
/// `on = "Repository::{owner}/{repo}"`.
///
/// ```
/// # mod auth_runtime { pub mod objects { pub use auth_runtime_policy::*; } }
/// use auth_runtime::objects::ResourcePattern;
///
/// let pattern = ResourcePattern::parse("Repository::{owner}/{repo}")?;
/// assert_eq!(pattern.resource_type(), "Repository");
/// assert_eq!(pattern.parameters().collect::<Vec<_>>(), ["owner", "repo"]);
///
/// let value = |name: &str| Some(if name == "owner" { "ann" } else { "garden" });
/// assert_eq!(pattern.fill(value).as_deref(), Ok("ann/garden"));
/// # Ok::<(), auth_runtime::objects::ResourcePatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourcePattern(Cow<'static, str>);

/// A part of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'p> {
    Text(&'p str),
    Parameter(&'p str),
}

/// The reason why a text is not a [`ResourcePattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourcePatternError {
    /// The `::` between a type and an id is missing.
    NoId,
    /// The type is not made of identifiers, joined by `::`.
    Type,
    /// The type is that of the service itself, which has no path parameters.
    Service,
    /// The id is empty.
    EmptyId,
    /// A brace has no counterpart, or the name between braces is not an identifier.
    Parameter,
    /// Two parameters have no text between them, so different values could have the same id.
    Adjacent,
    /// A parameter occurs twice. The second one cannot have another value.
    Repeated,
    /// The text of the id contains a character other than visible ASCII, or `:` or `%`.
    Character(char),
}

impl fmt::Display for ResourcePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoId => f.write_str("there is no `::` between the type and the id"),
            Self::Type => f.write_str("the type is not an identifier"),
            Self::Service => f.write_str("`Service` is the type of the service itself"),
            Self::EmptyId => f.write_str("the id is empty"),
            Self::Parameter => f.write_str("a parameter is not an identifier between braces"),
            Self::Adjacent => f.write_str("two parameters have no text between them"),
            Self::Repeated => f.write_str("a parameter occurs twice"),
            Self::Character(other) => {
                write!(f, "the id contains `{}`", other.escape_debug())
            }
        }
    }
}

impl std::error::Error for ResourcePatternError {}

/// The reason why a request has no object for a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FillError<'p> {
    /// The route has no parameter of this name.
    Missing(&'p str),
    /// The value of this parameter is empty, or contains the character after it in the pattern, so that
    /// another object could have the same id. The last parameter may contain any character.
    Ambiguous(&'p str),
}

impl ResourcePattern {
    /// The type of the service itself, which `can = "action"` without `on` is about.
    pub const SERVICE: &'static str = "Service";

    /// Parses `Type::id`, where the id contains names of path parameters in braces.
    ///
    /// # Errors
    ///
    /// [`ResourcePatternError`] names the first mistake.
    pub fn parse(text: impl Into<Cow<'static, str>>) -> Result<Self, ResourcePatternError> {
        let pattern = Self(text.into());
        let (kind, id) = pattern
            .0
            .rsplit_once("::")
            .ok_or(ResourcePatternError::NoId)?;
        if !kind.split("::").all(is_identifier) {
            return Err(ResourcePatternError::Type);
        }
        if kind == Self::SERVICE {
            return Err(ResourcePatternError::Service);
        }
        check_id(id)?;
        let mut seen = BTreeSet::new();
        if !pattern.parameters().all(|name| seen.insert(name)) {
            return Err(ResourcePatternError::Repeated);
        }
        Ok(pattern)
    }

    /// For the expansion of an attribute only, which checked the text.
    #[doc(hidden)]
    pub const fn checked(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The type of the object: `Repository`, or `App::Repository`.
    pub fn resource_type(&self) -> &str {
        self.split().0
    }

    /// The names of the path parameters, in the order of the id.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts().filter_map(|part| match part {
            Part::Parameter(name) => Some(name),
            Part::Text(_) => None,
        })
    }

    /// The id of the object, with `value` for each parameter.
    ///
    /// # Errors
    ///
    /// [`FillError`] if a value is missing, or if another object could have the same id.
    pub fn fill<'p, 'v>(
        &'p self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<String, FillError<'p>> {
        let mut id = String::new();
        let mut parts = self.parts();
        while let Some(part) = parts.next() {
            let name = match part {
                Part::Text(text) => {
                    id.push_str(text);
                    continue;
                }
                Part::Parameter(name) => name,
            };
            let value = value(name).ok_or(FillError::Missing(name))?;
            // The id has one reading only if the value ends where the text behind it begins. Behind the
            // last parameter, the text has a known length.
            let ends_early = parts.has_parameter()
                && parts
                    .text_start()
                    .is_some_and(|first| value.contains(first));
            if value.is_empty() || ends_early {
                return Err(FillError::Ambiguous(name));
            }
            id.push_str(value);
        }
        Ok(id)
    }

    /// Returns the values of the path parameters that [`fill`](Self::fill) makes this id of, each name once;
    /// `None` if there are none.
    ///
    /// There are never two such lists: `fill` refuses values with which an id would be ambiguous.
    ///
    /// ```
    /// # mod auth_runtime { pub mod objects { pub use auth_runtime_policy::*; } }
    /// use auth_runtime::objects::ResourcePattern;
    ///
    /// let pattern = ResourcePattern::parse("Repository::{owner}/{repo}")?;
    /// let values = pattern.parse_id("ann/garden");
    /// assert_eq!(values, Some(vec![("owner", "ann"), ("repo", "garden")]));
    /// assert_eq!(pattern.parse_id("garden"), None);
    /// # Ok::<(), auth_runtime::objects::ResourcePatternError>(())
    /// ```
    pub fn parse_id<'p, 'i>(&'p self, id: &'i str) -> Option<Vec<(&'p str, &'i str)>> {
        let mut values: Vec<(&str, &str)> = Vec::new();
        let mut parts = self.parts();
        let mut rest = id;
        while let Some(part) = parts.next() {
            let name = match part {
                Part::Text(text) => {
                    rest = rest.strip_prefix(text)?;
                    continue;
                }
                Part::Parameter(name) => name,
            };
            let length = if parts.has_parameter() {
                rest.find(parts.text_start()?)?
            } else {
                rest.strip_suffix(parts.0)?.len()
            };
            let (value, after) = rest.split_at_checked(length)?;
            if value.is_empty() {
                return None;
            }
            values.push((name, value));
            rest = after;
        }
        rest.is_empty().then_some(values)
    }

    /// Returns the pattern with other names for its parameters. The names have no braces and no `::`.
    ///
    /// ```
    /// # mod auth_runtime { pub mod objects { pub use auth_runtime_policy::*; } }
    /// use auth_runtime::objects::ResourcePattern;
    ///
    /// let pattern = ResourcePattern::parse("Order::{id}")?;
    /// let renamed = pattern.rename_parameters(|_| "order".into());
    /// assert_eq!(renamed.as_str(), "Order::{order}");
    /// # Ok::<(), auth_runtime::objects::ResourcePatternError>(())
    /// ```
    #[must_use]
    pub fn rename_parameters<'n>(&self, name: impl Fn(&str) -> Cow<'n, str>) -> Self {
        let mut text = format!("{}::", self.resource_type());
        for part in self.parts() {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Parameter(own) => text.push_str(&format!("{{{}}}", name(own))),
            }
        }
        Self(Cow::Owned(text))
    }

    /// The id with the names of the path parameters in braces: `{owner}/{repo}`.
    pub fn id(&self) -> &str {
        self.split().1
    }

    /// The type and the id. An id contains no `:`.
    fn split(&self) -> (&str, &str) {
        let (kind, id) = self.0.rsplit_once(':').unwrap_or((&self.0, ""));
        (kind.strip_suffix(':').unwrap_or(kind), id)
    }

    fn parts(&self) -> Parts<'_> {
        Parts(self.id())
    }
}

/// The rest of an id, which is split into its parts.
struct Parts<'p>(&'p str);

impl<'p> Parts<'p> {
    /// The first character of the rest, which is a text; `None` at the end.
    fn text_start(&self) -> Option<char> {
        self.0.chars().next()
    }

    fn has_parameter(&self) -> bool {
        self.0.contains('{')
    }
}

impl<'p> Iterator for Parts<'p> {
    type Item = Part<'p>;

    fn next(&mut self) -> Option<Part<'p>> {
        let (part, rest) = match self.0.strip_prefix('{') {
            Some(inside) => {
                let (name, rest) = inside.split_once('}')?;
                (Part::Parameter(name), rest)
            }
            None if self.0.is_empty() => return None,
            None => {
                let (text, rest) = self.0.split_at(self.0.find('{').unwrap_or(self.0.len()));
                (Part::Text(text), rest)
            }
        };
        self.0 = rest;
        Some(part)
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether a text is an ASCII identifier, as names of types and of path parameters are.
pub fn is_identifier(text: &str) -> bool {
    let is_first = |first: char| first.is_ascii_alphabetic() || first == '_';
    text.starts_with(is_first)
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || it == '_')
}

fn check_id(id: &str) -> Result<(), ResourcePatternError> {
    if id.is_empty() {
        return Err(ResourcePatternError::EmptyId);
    }
    let mut rest = id;
    let mut is_behind_parameter = false;
    while let Some(first) = rest.chars().next() {
        if let Some(inside) = rest.strip_prefix('{') {
            if is_behind_parameter {
                return Err(ResourcePatternError::Adjacent);
            }
            let (name, after) = inside
                .split_once('}')
                .ok_or(ResourcePatternError::Parameter)?;
            if !is_identifier(name) {
                return Err(ResourcePatternError::Parameter);
            }
            rest = after;
            is_behind_parameter = true;
            continue;
        }
        match first {
            '}' => return Err(ResourcePatternError::Parameter),
            ':' | '%' => return Err(ResourcePatternError::Character(first)),
            other if !other.is_ascii_graphic() => {
                return Err(ResourcePatternError::Character(other));
            }
            _ => {}
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        is_behind_parameter = false;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_parsed_or_refused() {
        use ResourcePatternError as E;
        for right in [
            "Repository::{owner}/{repo}",
            "App::Repository::{id}",
            "Tenant::acme",
            "File::v1/{name}.txt",
        ] {
            assert!(ResourcePattern::parse(right).is_ok(), "{right}");
        }
        for (wrong, error) in [
            ("Repository", E::NoId),
            ("", E::NoId),
            ("::{id}", E::Type),
            ("My Repository::{id}", E::Type),
            ("1x::{id}", E::Type),
            ("Service::{id}", E::Service),
            ("Repository::", E::EmptyId),
            ("Repository::{", E::Parameter),
            ("Repository::}", E::Parameter),
            ("Repository::{}", E::Parameter),
            ("Repository::{*rest}", E::Parameter),
            ("Repository::{a}{b}", E::Adjacent),
            ("Repository::{owner}/{owner}", E::Repeated),
            ("Repository::{a}/{b}/x-{a}", E::Repeated),
            ("Repository::a b", E::Character(' ')),
            ("Repository::a%2F{b}", E::Character('%')),
            ("Repository::é", E::Character('é')),
        ] {
            assert_eq!(ResourcePattern::parse(wrong), Err(error), "{wrong}");
        }
    }

    /// Two different lists of values never have the same id.
    #[test]
    fn ids_are_injective() {
        let values = [
            "a", "b", "a/b", "b/", "/a", "a-b", "", "-", "a/-b", "a/q", "q/a", "q",
        ];
        for pattern in [
            "T::{x}/{y}",
            "T::{x}-{y}",
            "T::{x}/-{y}",
            "T::p/{x}/q/{y}",
            "T::{x}/{y}.q",
            "T::{x}",
        ] {
            let pattern = ResourcePattern::parse(pattern).expect("a pattern");
            let has_two = pattern.parameters().count() == 2;
            let mut seen: Vec<(String, (&str, &str))> = Vec::new();
            for x in values {
                for y in values {
                    let pair = if has_two { (x, y) } else { (x, "") };
                    let filled = pattern.fill(|name| Some(if name == "x" { x } else { y }));
                    let Ok(id) = filled else { continue };
                    let read = pattern.parse_id(&id).expect("the values");
                    let both = [("x", x), ("y", y)];
                    assert_eq!(read, &both[..1 + usize::from(has_two)], "{pattern}: {id}");
                    let same = seen.iter().find(|(other, _)| *other == id);
                    assert!(
                        same.is_none_or(|(_, other)| *other == pair),
                        "{pattern}: {id}"
                    );
                    seen.push((id, pair));
                }
            }
            assert!(!seen.is_empty(), "{pattern}");
        }
    }

    /// An id that can be read has exactly those values; any other split of it is refused by `fill`.
    #[test]
    fn an_id_has_one_reading() {
        let pieces = ["a", "/", "-", "b", ".q", "p/", "/q/"];
        let mut ids = vec![String::new()];
        for _ in 0..4 {
            let longer = ids
                .iter()
                .flat_map(|id| pieces.map(|piece| format!("{id}{piece}")));
            ids = ids.iter().cloned().chain(longer).collect();
            ids.sort();
            ids.dedup();
        }
        for pattern in [
            "T::{x}/{y}",
            "T::{x}-{y}",
            "T::{x}/-{y}",
            "T::p/{x}/q/{y}",
            "T::{x}/{y}.q",
            "T::{x}",
        ] {
            let pattern = ResourcePattern::parse(pattern).expect("a pattern");
            for id in &ids {
                // Every pair of parts of the id is tried.
                let ends =
                    || (0..=id.len()).flat_map(|from| (from..=id.len()).map(move |to| (from, to)));
                let parts: std::collections::BTreeSet<&str> =
                    ends().map(|(from, to)| &id[from..to]).collect();
                let has_two = pattern.parameters().count() == 2;
                let seconds: Vec<&str> = if has_two {
                    parts.iter().copied().collect()
                } else {
                    vec![""]
                };
                let mut readings = Vec::new();
                for x in &parts {
                    for y in &seconds {
                        let filled = pattern.fill(|name| Some(if name == "x" { *x } else { *y }));
                        if filled.as_deref() == Ok(id) {
                            let both = [("x", *x), ("y", *y)];
                            readings.push(both[..1 + usize::from(has_two)].to_vec());
                        }
                    }
                }
                assert!(readings.len() <= 1, "{pattern}: {id}: {readings:?}");
                assert_eq!(pattern.parse_id(id), readings.pop(), "{pattern}: {id}");
            }
        }
    }

    #[test]
    fn pattern_without_parameters_has_one_id() {
        let constant = ResourcePattern::parse("Tenant::acme").expect("a pattern");
        assert_eq!(constant.parse_id("acme"), Some(Vec::new()));
        assert_eq!(constant.parse_id("acme2"), None);
    }

    #[test]
    fn parameters_are_renamed() {
        let pattern = ResourcePattern::parse("App::File::v1/{a}.txt").expect("a pattern");
        let renamed = pattern.rename_parameters(|name| format!("{name}2").into());
        assert_eq!(renamed.as_str(), "App::File::v1/{a2}.txt");
        assert_eq!(renamed.id(), "v1/{a2}.txt");
    }

    #[test]
    fn values_without_neighbours_stay_as_written() {
        let pattern = ResourcePattern::parse("File::{path}").expect("a pattern");
        assert_eq!(
            pattern.fill(|_| Some("a/b c%2F")).as_deref(),
            Ok("a/b c%2F")
        );
        assert_eq!(pattern.fill(|_| None), Err(FillError::Missing("path")));
        assert_eq!(
            pattern.fill(|_| Some("")),
            Err(FillError::Ambiguous("path"))
        );
    }
}
