//! A mistake in a file that the attributes read.

use crate::characters::legible;
use crate::codes::{self, Code};

/// A mistake, and the byte at which it begins.
#[derive(Debug, PartialEq)]
pub struct Mistake {
    /// The byte offset in the text.
    pub at: usize,
    /// The code of the message: [`SCHEMA`](codes::SCHEMA) for a mistake in the Cedar schema, and another one
    /// for a mistake in the vocabulary.
    pub code: Code,
    /// The message, without the code.
    pub message: String,
}

impl Mistake {
    /// A mistake in a Cedar schema.
    pub(crate) fn schema(at: usize, message: String) -> Self {
        Self {
            at,
            code: codes::SCHEMA,
            message: legible(&message),
        }
    }

    /// Returns whether the place of the mistake is in the Cedar schema.
    pub fn is_in_schema(&self) -> bool {
        self.code == codes::SCHEMA
    }
}
