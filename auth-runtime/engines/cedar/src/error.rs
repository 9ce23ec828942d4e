//! Errors in policies and schemas, with the lines that they are about.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use miette::Diagnostic;

/// An error of building a [`Cedar`](crate::Cedar), or of reading its policies again.
///
/// The texts of [`Policies`](Self::Policies) and [`Schema`](Self::Schema) have a paragraph for each
/// mistake: `file:line:column: message`, and the line. In place of a file, `policies` and `schema` name
/// the texts that the builder was given.
///
/// ```
/// use auth_runtime_cedar::Cedar;
///
/// let policies = "permit (principal, action, resource)\nwhen { resource.public = true };";
/// let error = Cedar::builder().policies(policies).build().unwrap_err();
/// let text = error.to_string();
/// assert!(text.starts_with("the Cedar policies are invalid\npolicies:2:"), "{text}");
/// assert!(text.ends_with("\n    when { resource.public = true };"), "{text}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CedarError {
    /// No policy was given, so every question would be denied.
    NoPolicies,
    /// A file of policies cannot be read.
    File {
        /// The path as it was given.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// Policies have invalid syntax, do not match the schema, or are templates.
    Policies(String),
    /// The schema is invalid.
    Schema(String),
    /// The type of callers is not the name of an entity type, or the schema does not declare it.
    SubjectType(String),
    /// The schema requires data that the engine does not have, or declares it with another type.
    Declaration(String),
}

impl fmt::Display for CedarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPolicies => f.write_str(
                "there are no Cedar policies, so everything would be denied; add some with \
                 `.policies(…)` or `.policy_file(…)`",
            ),
            Self::File { path, problem } => {
                write!(
                    f,
                    "the policies {} cannot be read: {problem}",
                    path.display()
                )
            }
            Self::Policies(mistakes) => write!(f, "the Cedar policies are invalid\n{mistakes}"),
            Self::Schema(mistakes) => write!(f, "the Cedar schema is invalid\n{mistakes}"),
            Self::SubjectType(name) => write!(
                f,
                "the schema declares no entity type `{name}` for callers; name another with \
                 `.subject_type(\"…\")`",
            ),
            Self::Declaration(problem) => f.write_str(problem),
        }
    }
}

impl Error for CedarError {}

/// Describes all mistakes that Cedar reports together about `text`, each with its place.
pub(crate) fn describe(file: &str, text: &str, diagnostic: &dyn Diagnostic) -> String {
    let mut paragraphs = vec![describe_one(file, text, diagnostic)];
    for related in diagnostic.related().into_iter().flatten() {
        paragraphs.push(describe(file, text, related));
    }
    paragraphs.join("\n")
}

fn describe_one(file: &str, text: &str, diagnostic: &dyn Diagnostic) -> String {
    let label = diagnostic.labels().and_then(|mut labels| labels.next());
    let mut message = diagnostic.to_string();
    let mut cause = diagnostic.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    if let Some(detail) = label.as_ref().and_then(|label| label.label()) {
        message = format!("{message}, {detail}");
    }
    if let Some(help) = diagnostic.help() {
        message = format!("{message}; {help}");
    }
    match label {
        Some(label) => {
            let (line, column, content) = place(text, label.offset());
            format!("{file}:{line}:{column}: {message}\n    {content}")
        }
        None => format!("{file}: {message}"),
    }
}

/// Returns the line and the column of an offset, both from 1, and the content of the line.
fn place(text: &str, offset: usize) -> (usize, usize, &str) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    let content = text.get(start..).and_then(|rest| rest.lines().next());
    (line, column, content.unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_count_from_one() {
        let text = "é one\n  two ü\r\nthree";
        assert_eq!(place(text, 0), (1, 1, "é one"));
        assert_eq!(place(text, 3), (1, 3, "é one"));
        assert_eq!(place(text, 9), (2, 3, "two ü"));
        assert_eq!(place(text, text.len()), (3, 6, "three"));
        assert_eq!(place("", 7), (1, 1, ""));
    }
}
