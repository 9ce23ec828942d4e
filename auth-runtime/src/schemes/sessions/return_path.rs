//! The way back from a page to log in on.

use std::fmt;

/// A path on this host, to lead somebody back to after logging in.
///
/// What stands in the `next` of a link was written by whoever made the link. Sending people there
/// without looking would make the page to log in on a springboard to any site (an open redirect);
/// what is a `ReturnPath` leads to this host, however a browser reads it.
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
    /// The longest path that is taken, in bytes.
    pub const MAX_LENGTH: usize = 4096;

    /// Reads what stands in `next`, already decoded; `None` for all that is no path on this host: a
    /// single slash, then visible ASCII without a backslash, which browsers take for a slash.
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
