//! Records of decisions, for audit hooks, logs and metrics.

#[cfg(feature = "metrics")]
pub(crate) mod count;
mod record;
#[cfg(feature = "tracing")]
pub(crate) mod trace;
mod watch;

pub(crate) use self::record::Audit;
pub use self::record::{AuditRecord, Outcome};
pub use self::watch::Watch;
