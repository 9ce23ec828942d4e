//! The disagreements about tokens.

use crate::known::Known;

/// Whether this framework, `jose` and PyJWT accept the tokens of some kinds.
pub(super) const DISAGREEMENTS: &[Known<3>] = &[];
