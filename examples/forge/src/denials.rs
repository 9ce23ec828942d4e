//! The latest denials, for the staff.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use auth_runtime::events::AuditRecord;
use serde::Serialize;

/// The latest denials, up to [`Denials::KEPT`]. Without this limit, requests of strangers could
/// fill the memory.
#[derive(Clone, Default)]
pub(crate) struct Denials(Arc<Mutex<VecDeque<DenialNote>>>);

/// A denial. If it was hidden, the response was that of an unknown path.
#[derive(Clone, Serialize)]
pub(crate) struct DenialNote {
    method: String,
    path: String,
    outcome: &'static str,
    subject: Option<String>,
}

impl Denials {
    const KEPT: usize = 100;

    /// Records a denial. It is the hook of the protection space, which delays requests, so it is
    /// fast.
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
