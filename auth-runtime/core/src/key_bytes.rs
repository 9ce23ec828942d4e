//! Keys of caches, written part by part.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The bytes of a key. Each part has its length or a fixed one, so that two keys have the same bytes only if all
/// parts are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct KeyBytes(Vec<u8>);

impl KeyBytes {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes the kind of the next part.
    pub(crate) fn kind(&mut self, kind: u8) {
        self.0.push(kind);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend(text.bytes());
    }

    pub(crate) fn optional(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    pub(crate) fn texts<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t str>) {
        self.number(texts.len());
        texts.for_each(|text| self.text(text));
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    pub(crate) fn number(&mut self, number: usize) {
        self.0.extend(number.to_ne_bytes());
    }

    pub(crate) fn integer(&mut self, integer: i64) {
        self.0.extend(integer.to_ne_bytes());
    }

    pub(crate) fn duration(&mut self, duration: Duration) {
        self.0.extend(duration.as_nanos().to_ne_bytes());
    }

    pub(crate) fn time(&mut self, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH);
        self.flag(since.is_ok());
        self.duration(since.unwrap_or_else(|before| before.duration()));
    }
}
