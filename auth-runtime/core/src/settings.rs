//! The values of the settings that policies require.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The value of each setting, by its name. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(Option<Arc<Values>>);

type Values = BTreeMap<Cow<'static, str>, bool>;

impl Settings {
    /// Sets a value, and returns the previous one.
    pub(crate) fn insert(&mut self, name: Cow<'static, str>, value: bool) -> Option<bool> {
        Arc::make_mut(self.0.get_or_insert_default()).insert(name, value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<bool> {
        self.0.as_ref()?.get(name).copied()
    }

    /// The names and values, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let values = self.0.iter().flat_map(|values| values.iter());
        values.map(|(name, value)| (name.as_ref(), *value))
    }
}
