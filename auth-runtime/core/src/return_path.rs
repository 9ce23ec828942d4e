//! The return path from a login page.

use std::fmt;

/// A path on this host, for the redirect after a login.
///
/// The `next` parameter of a link is untrusted input. A redirect to it without validation would
/// make the login page an open redirect. A `ReturnPath` leads to this host, however a browser
/// parses it.
///
/// ```
/// use auth_runtime::ReturnPath;
///
/// let next = |text| ReturnPath::new(text).map(|path| path.to_string());
/// assert_eq!(next("/orders?page=2").as_deref(), Some("/orders?page=2"));
/// assert_eq!(next("https://evil.example"), None);
/// assert_eq!(next("//evil.example"), None);
/// assert_eq!(next("/\\evil.example"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// The longest path that is accepted, in bytes.
    pub const MAX_LENGTH: usize = 4096;

    /// Parses the decoded value of `next`. `None` if it is not a path on this host: a single slash,
    /// then visible ASCII without a backslash, which browsers treat as a slash.
    pub fn new(text: &str) -> Option<Self> {
        let is_local = text.starts_with('/') && !text.starts_with("//");
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (is_local && is_plain && text.len() <= Self::MAX_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The path, with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
