//! The output of the commands, and the reasons for a missing one.

use std::fmt::{self, Display};

use clap::ValueEnum;

/// The limits of reading the sources. Lists of policies and of their changes end with them.
pub(crate) const LIMITS: &str =
    "code from macros, build scripts and `include!` is not read; tests are left out";

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For code scanning (SARIF 2.1.0)
    Sarif,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum PlainFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// The reason for a missing report.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Display) -> Self {
        Self(message.to_string())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// The output, and whether it is free of findings.
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) is_clean: bool,
}

/// Returns a document as JSON, with a final line break.
pub(crate) fn json(document: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(Failure::new)?;
    Ok(format!("{text}\n"))
}

/// Returns a number with a noun: `1 handler`, `2 handlers`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
