//! The response on unknown paths.

/// The response to an anonymous caller on unknown paths, and therefore on hidden ones.
///
/// On both, a known caller receives 404, or the response of the service's fallback. Rejected credentials lead to 401,
/// except with [`NotFound`](Self::NotFound) and a fallback of the service in an application that hides no path: that
/// fallback responds to all credentials.
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
    /// 404, or the response of the service's fallback. The default.
    #[default]
    NotFound,
    /// 401 with challenges, for clients that ask their user for a password only after a 401, such
    /// as git and browsers.
    Challenge,
}
