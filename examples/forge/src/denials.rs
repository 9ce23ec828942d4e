//! Who was denied what of late, as the staff gets to read it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use auth_runtime::events::AuditRecord;
use serde::Serialize;

/// The latest denials, up to [`Denials::KEPT`]: more would let strangers fill the memory.
#[derive(Clone, Default)]
pub(crate) struct Denials(Arc<Mutex<VecDeque<DenialNote>>>);

/// One of them. Where it was hidden, its sender was told of a path that is not there.
#[derive(Clone, Serialize)]
pub(crate) struct DenialNote {
    method: String,
    path: String,
    outcome: &'static str,
    subject: Option<String>,
}

impl Denials {
    const KEPT: usize = 100;

    /// For the hook of the protection space, which requests wait for.
    pub(crate) fn note(&self, record: &AuditRecord<'_>) {
        if record.outcome().denial().is_none() {
            return;
        }
        let identity = record.caller().and_then(|caller| caller.identity());
        let note = DenialNote {
            method: record.method().to_string(),
            path: record.matched_path().unwrap_or_default().to_owned(),
            outcome: record.outcome().name(),
            subject: identity.map(|identity| identity.subject().to_owned()),
        };
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.truncate(Self::KEPT - 1);
        notes.push_front(note);
    }

    pub(crate) fn latest(&self) -> Vec<DenialNote> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.iter().cloned().collect()
    }
}
