//! The styles of the output on a terminal. Without a terminal, they are left out.

use anstyle::{AnsiColor, Style};

/// A code, a file and the other parts that lead elsewhere.
pub(crate) const PLACE: Style = AnsiColor::Cyan.on_default();
/// The fact of a message, and the path of a handler.
pub(crate) const SUBJECT: Style = Style::new().bold();
/// A finding, and a loosened policy.
pub(crate) const ALERT: Style = AnsiColor::Red.on_default().bold();
/// A public policy, and a policy that changed in another way.
pub(crate) const NOTICE: Style = AnsiColor::Yellow.on_default();
/// Advice, and a tightened policy.
pub(crate) const ADVICE: Style = AnsiColor::Green.on_default();
/// Notes and summaries.
pub(crate) const NOTE: Style = Style::new().dimmed();
