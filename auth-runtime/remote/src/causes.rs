//! Errors with their causes, for the log.

use std::error::Error;

/// Returns the text of an error, followed by those of its causes.
///
/// ```
/// use std::fmt;
/// use std::error::Error;
///
/// use auth_runtime_remote::with_causes;
///
/// #[derive(Debug)]
/// struct NoKeys(fmt::Error);
///
/// impl fmt::Display for NoKeys {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("no keys")
///     }
/// }
///
/// impl Error for NoKeys {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let text = with_causes(&NoKeys(fmt::Error));
/// assert_eq!(text, format!("no keys: {}", fmt::Error));
/// ```
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
