//! `cargo auth check`: mistakes in the sources of a workspace.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use auth_grammar::codes;

use crate::progress;
use crate::report::{Failure, Format, Report, count, json};
use crate::sarif;
use crate::sources::{self, Finding, Place};
use crate::style::{ADVICE, ALERT, NOTE, PLACE, SUBJECT};
use crate::workspace::Workspace;

pub(crate) fn run(
    workspace: &Workspace,
    format: Format,
    allow_unguarded: bool,
    progress: bool,
) -> Result<Report, Failure> {
    let mut sources = sources::read(workspace)?;
    if allow_unguarded {
        let allowed = Some(codes::MERGED_UNGUARDED.as_str());
        sources
            .findings
            .retain(|finding| finding.code.as_deref() != allowed);
    }
    let findings = &sources.findings;
    let progress = if progress {
        progress::text(&sources::routes(&sources).routes)
    } else {
        String::new()
    };
    Ok(Report {
        is_clean: findings.is_empty(),
        text: match format {
            Format::Text => text(findings, sources.entries.len()) + &progress,
            Format::Json => json(findings)?,
            Format::Sarif => json(&sarif::findings(findings))?,
        },
    })
}

/// Returns the findings as text. Each advice is written once, at the first finding that it is for.
fn text(findings: &[Finding], policies: usize) -> String {
    let mut text = String::new();
    let mut advised = BTreeSet::new();
    for finding in findings {
        let Place { file, line, column } = &finding.place;
        let mut lines = finding.message.lines();
        let fact = lines.next().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{PLACE}{file}:{line}:{column}{PLACE:#}: {SUBJECT}{fact}{SUBJECT:#}"
        );
        let _ = match &finding.code {
            Some(code) => writeln!(text, " {ALERT}[{code}]{ALERT:#}"),
            None => writeln!(text),
        };
        for line in lines {
            let _ = match line.strip_prefix("help:") {
                Some(advice) if !advised.insert(advice) => Ok(()),
                Some(advice) => writeln!(text, "{ADVICE}help{ADVICE:#}:{advice}"),
                None => writeln!(text, "{line}"),
            };
        }
    }
    let ending = if policies == 1 { "y" } else { "ies" };
    let found = match findings.len() {
        0 => "nothing found".to_owned(),
        number => count(number, "finding"),
    };
    let _ = writeln!(
        text,
        "{NOTE}{found}, beside {policies} polic{ending}{NOTE:#}"
    );
    text
}
