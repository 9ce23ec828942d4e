//! Conditions on the properties of objects, for queries of a database.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::decision_point::object::Resource;
use crate::decision_point::properties::Value;

/// The objects of one type on which a caller may perform an action, as a
/// [`DecisionPoint`](crate::DecisionPoint) knows them. [`Guard::permitted`] makes a [`Condition`] of each.
///
/// [`Guard::permitted`]: https://docs.rs/auth-runtime/latest/auth_runtime/struct.Guard.html#method.permitted
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Permitted {
    /// Not known: the engine decides about single objects only.
    PerObject,
    /// The objects with these ids, and no others.
    Ids(Vec<String>),
    /// The objects that meet the condition, and no others.
    When(Condition),
}

/// A boolean expression over the properties of an object. The property `id` is the id of the object, unless
/// the object has a property of this name.
///
/// ```
/// use auth_runtime::objects::{Condition, Resource, SqlColumns};
///
/// let condition = Condition::any([
///     Condition::equal("is_public", true),
///     Condition::equal("owner", "ann"),
/// ]);
/// let repo = Resource::new("Repository", "ann/garden")
///     .with_property("is_public", false)
///     .with_property("owner", "ann");
/// assert_eq!(condition.holds(&repo), Some(true));
///
/// let columns = SqlColumns::new()
///     .column("is_public", "repositories.is_public")
///     .column("owner", "owners.login");
/// let sql = condition.to_sql(&columns)?;
/// assert_eq!(sql.text(), "((repositories.is_public) = ? OR (owners.login) = ?)");
/// assert_eq!(sql.parameters(), [true.into(), "ann".into()]);
/// # Ok::<(), auth_runtime::objects::UnknownColumn>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// All of these. An empty list is always true.
    All(Vec<Condition>),
    /// At least one of these. An empty list is always false.
    Any(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
    /// The property has a value.
    Exists(String),
    /// The property has this value.
    Equal(String, Value),
    /// The property has one of these values. An empty list is always false.
    OneOf(String, Vec<Value>),
    /// The property, a list, contains this value.
    Contains(String, Value),
}

impl Condition {
    /// All of `parts`.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::All(parts.into_iter().collect())
    }

    /// At least one of `parts`.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::Any(parts.into_iter().collect())
    }

    /// The opposite of `part`.
    #[expect(
        clippy::should_implement_trait,
        reason = "it builds an expression, as `all` does"
    )]
    pub fn not(part: Self) -> Self {
        Self::Not(Box::new(part))
    }

    /// The property `name` has a value.
    pub fn exists(name: impl Into<String>) -> Self {
        Self::Exists(name.into())
    }

    /// The property `name` has this value.
    pub fn equal(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Equal(name.into(), value.into())
    }

    /// The property `name` has one of these values.
    ///
    /// ```
    /// use auth_runtime::objects::{Condition, SqlColumns};
    ///
    /// let condition = Condition::one_of("id", ["ann/garden", "bob/shed"]);
    /// let sql = condition.to_sql(&SqlColumns::new().column("id", "repositories.path"))?;
    /// assert_eq!(sql.text(), "(repositories.path) IN (?, ?)");
    /// # Ok::<(), auth_runtime::objects::UnknownColumn>(())
    /// ```
    pub fn one_of<V: Into<Value>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self::OneOf(name.into(), values.into_iter().map(Into::into).collect())
    }

    /// The property `name`, a list, contains this value.
    pub fn contains(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Contains(name.into(), value.into())
    }

    /// Returns whether an object with all of its properties meets the condition. A list that is missing is
    /// empty. The result is `None`, as that of `NULL` in SQL, if it depends on another value that is
    /// missing.
    pub fn holds(&self, object: &Resource) -> Option<bool> {
        let property = |name: &str| {
            let mut properties = object.properties();
            let found = properties.find(|(own, _)| *own == name);
            let id = || (name == "id").then(|| Cow::Owned(Value::from(object.id())));
            found.map(|(_, value)| Cow::Borrowed(value)).or_else(id)
        };
        match self {
            Self::All(parts) => decide(parts, object, false),
            Self::Any(parts) => decide(parts, object, true),
            Self::Not(part) => part.holds(object).map(|holds| !holds),
            Self::Exists(name) => Some(property(name).is_some()),
            Self::Equal(name, value) => property(name).map(|own| *own == *value),
            Self::OneOf(_, values) if values.is_empty() => Some(false),
            Self::OneOf(name, values) => property(name).map(|own| values.contains(&own)),
            Self::Contains(name, value) => Some(match property(name).as_deref() {
                Some(Value::List(members)) => members.contains(value),
                _ => false,
            }),
        }
    }

    /// Translates the condition into SQL, with a `?` for each value.
    ///
    /// # Errors
    ///
    /// [`UnknownColumn`] names a property without a column.
    pub fn to_sql(&self, columns: &SqlColumns) -> Result<Sql, UnknownColumn> {
        let mut sql = Sql {
            text: String::new(),
            parameters: Vec::new(),
        };
        sql.write(self, columns)?;
        Ok(sql)
    }
}

/// Joins parts until one has the value `deciding`.
fn decide(parts: &[Condition], object: &Resource, deciding: bool) -> Option<bool> {
    let mut is_unknown = false;
    for part in parts {
        match part.holds(object) {
            Some(holds) if holds == deciding => return Some(deciding),
            Some(_) => {}
            None => is_unknown = true,
        }
    }
    (!is_unknown).then_some(!deciding)
}

/// The columns of a database with the properties of objects.
#[derive(Clone, Debug, Default)]
pub struct SqlColumns {
    /// Expressions with the value.
    values: BTreeMap<&'static str, &'static str>,
    /// Conditions with one `?` for a member.
    members: BTreeMap<&'static str, &'static str>,
}

impl SqlColumns {
    /// Creates a map without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the SQL expression with the value of a property. It is `NULL` for objects without the property,
    /// and contains no `?`.
    ///
    /// The database compares texts by the collation of the expression, and decisions about single objects compare
    /// their bytes. If the collation ignores case or accents, as defaults of MySQL and SQL Server do, name a binary
    /// one: `owner COLLATE utf8mb4_0900_bin`. Otherwise a list has objects of `Ann` that `ann` must not read.
    #[must_use]
    pub fn column(mut self, property: &'static str, expression: &'static str) -> Self {
        self.values.insert(property, expression);
        self
    }

    /// Sets the SQL condition for the members of a property that is a list. The condition contains one `?`
    /// for the member: `EXISTS (SELECT 1 FROM members WHERE team = teams.id AND login = ?)`.
    /// It compares texts by a binary collation, as in [`column`](Self::column).
    #[must_use]
    pub fn members(mut self, property: &'static str, condition: &'static str) -> Self {
        self.members.insert(property, condition);
        self
    }

    fn value(&self, property: &str) -> Result<&'static str, UnknownColumn> {
        let expression = self.values.get(property);
        let expression = expression.filter(|expression| !expression.contains('?'));
        expression
            .copied()
            .ok_or_else(|| UnknownColumn(property.to_owned()))
    }

    fn member(&self, property: &str) -> Result<&'static str, UnknownColumn> {
        let condition = self.members.get(property);
        let condition = condition.filter(|condition| condition.matches('?').count() == 1);
        condition
            .copied()
            .ok_or_else(|| UnknownColumn(property.to_owned()))
    }
}

/// A condition in SQL, and the values of its parameters in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sql {
    text: String,
    parameters: Vec<Value>,
}

impl Sql {
    /// The condition, for a `WHERE` clause. It contains text of [`SqlColumns`] only, never a value.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values for each `?`, in their order.
    pub fn parameters(&self) -> &[Value] {
        &self.parameters
    }

    /// The condition with numbered placeholders, as PostgreSQL has them: `$1` for the first value if `first`
    /// is 1.
    ///
    /// ```
    /// use auth_runtime::objects::{Condition, SqlColumns};
    ///
    /// let columns = SqlColumns::new().column("owner", "owner");
    /// let condition = Condition::any([
    ///     Condition::equal("owner", "ann"),
    ///     Condition::equal("owner", "bob"),
    /// ]);
    /// let sql = condition.to_sql(&columns)?;
    /// assert_eq!(sql.numbered(2), "((owner) = $2 OR (owner) = $3)");
    /// # Ok::<(), auth_runtime::objects::UnknownColumn>(())
    /// ```
    pub fn numbered(&self, first: usize) -> String {
        let mut parts = self.text.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (index, part) in parts.enumerate() {
            text.push_str(&format!("${}{part}", first + index));
        }
        text
    }

    fn write(&mut self, condition: &Condition, columns: &SqlColumns) -> Result<(), UnknownColumn> {
        match condition {
            Condition::All(parts) => self.list(parts, "1 = 1", " AND ", columns),
            Condition::Any(parts) => self.list(parts, "1 = 0", " OR ", columns),
            Condition::Not(part) => {
                self.text.push_str("NOT (");
                self.write(part, columns)?;
                self.text.push(')');
                Ok(())
            }
            Condition::Exists(name) => {
                self.enclosed(columns.value(name)?);
                self.text.push_str(" IS NOT NULL");
                Ok(())
            }
            Condition::Equal(name, value) => {
                self.enclosed(columns.value(name)?);
                self.text.push_str(" = ?");
                self.parameters.push(value.clone());
                Ok(())
            }
            Condition::OneOf(name, values) => {
                let column = columns.value(name)?;
                let Some(others) = values.len().checked_sub(1) else {
                    self.text.push_str("1 = 0");
                    return Ok(());
                };
                self.enclosed(column);
                self.text.push_str(" IN (?");
                self.text.push_str(&", ?".repeat(others));
                self.text.push(')');
                self.parameters.extend_from_slice(values);
                Ok(())
            }
            Condition::Contains(name, value) => {
                self.enclosed(columns.member(name)?);
                self.parameters.push(value.clone());
                Ok(())
            }
        }
    }

    /// Adds a text of the service, which may contain operators of any precedence.
    fn enclosed(&mut self, text: &str) {
        self.text.push('(');
        self.text.push_str(text);
        self.text.push(')');
    }

    fn list(
        &mut self,
        parts: &[Condition],
        empty: &str,
        join: &str,
        columns: &SqlColumns,
    ) -> Result<(), UnknownColumn> {
        let Some((first, others)) = parts.split_first() else {
            self.text.push_str(empty);
            return Ok(());
        };
        self.text.push('(');
        self.write(first, columns)?;
        for part in others {
            self.text.push_str(join);
            self.write(part, columns)?;
        }
        self.text.push(')');
        Ok(())
    }
}

/// The error of [`Condition::to_sql`]: a property has no column, a list has no condition for its members, or
/// their text has another number of `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownColumn(String);

impl UnknownColumn {
    /// The name of the property.
    pub fn property(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the property `{}` has no SQL column of its kind", self.0)
    }
}

impl std::error::Error for UnknownColumn {}
