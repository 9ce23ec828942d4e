//! The scheme of the credentials that were sent, and their place.

/// The scheme of the credentials that were sent.
#[derive(Clone, Copy, Debug)]
pub struct UsedScheme {
    /// Its index in the order of the space.
    pub index: usize,
    /// The place of the credentials.
    pub place: CredentialsPlace,
}

/// The place of credentials in a request. Ambient ones are last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialsPlace {
    /// In `Authorization`.
    Authorization,
    /// In a field of the scheme's own.
    Field,
    /// In the query or a form.
    Elsewhere,
    /// In a cookie, which a browser adds on its own.
    Cookie,
    /// In the connection, for all of its requests.
    Connection,
}

impl CredentialsPlace {
    /// Returns whether the client sends the credentials with all requests, so that they are not explicit.
    pub(super) fn is_ambient(self) -> bool {
        matches!(self, Self::Cookie | Self::Connection)
    }
}
