//! The response on unknown paths.

/// The response to an anonymous caller on unknown paths, and therefore on hidden ones.
///
/// On both, the response to a known caller is 404, and the response to rejected credentials is 401.
///
/// ```
/// use auth_runtime::{ProtectionSpace, UnknownPaths};
///
/// let builder = ProtectionSpace::builder()
///     .realm("git")
///     .unknown_paths(UnknownPaths::Challenge);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownPaths {
    /// 404. The default.
    #[default]
    NotFound,
    /// 401 with challenges, for clients that ask their user for a password only after a 401, such
    /// as git and browsers.
    Challenge,
}
