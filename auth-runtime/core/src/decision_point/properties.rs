//! The properties of objects and entities.

use std::borrow::Cow;

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A list.
    List(Vec<Value>),
    /// A reference to another object, by its type and id.
    Reference(Cow<'static, str>, String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(values: Vec<V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// Values by their names, sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Properties(Vec<(Cow<'static, str>, Value)>);

impl Properties {
    /// Adds a value. A second value for a name replaces the first.
    pub(crate) fn insert(&mut self, name: Cow<'static, str>, value: Value) {
        match self.place(&name) {
            Ok(place) => {
                if let Some((_, own)) = self.0.get_mut(place) {
                    *own = value;
                }
            }
            Err(place) => self.0.insert(place, (name, value)),
        }
    }

    /// Adds all values of `other`. The error is the name of a property with two values.
    pub(crate) fn add<'o>(&mut self, other: &'o Self) -> Result<(), &'o str> {
        for (name, value) in &other.0 {
            match self.get(name) {
                Some(own) if own != value => return Err(name),
                Some(_) => {}
                None => self.insert(name.clone(), value.clone()),
            }
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let place = self.place(name).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The index of a name, or else the one where it would be inserted.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_ref().cmp(name))
    }
}
