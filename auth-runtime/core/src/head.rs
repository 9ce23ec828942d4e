//! The head of a request, borrowed from its owner.

use std::fmt;
use std::net::SocketAddr;

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Uri};

/// The head of a request, as an adapter passes it to the core.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    /// The method.
    pub method: &'r Method,
    /// The target, without the prefixes that nested routers removed.
    pub routed_uri: &'r Uri,
    /// The header fields.
    pub headers: &'r HeaderMap,
    /// The extensions that the server, the framework and outer layers added.
    pub extensions: &'r Extensions,
    /// The framework that routed the request.
    pub framework: &'static Framework,
}

/// Reads the data that a web framework keeps in the extensions of a request.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    /// Returns the target as the client sent it; `None` if it is the target of the request.
    pub original_uri: fn(&Extensions) -> Option<&Uri>,
    /// Returns the matched route, as written.
    pub matched_path: fn(&Extensions) -> Option<&str>,
    /// Returns the other end of the connection.
    pub peer: fn(&Extensions) -> Option<SocketAddr>,
}

impl Framework {
    /// No framework: the server adds the other end of the connection as a [`SocketAddr`].
    pub const NONE: Self = Self {
        original_uri: |_| None,
        matched_path: |_| None,
        peer: |extensions| extensions.get().copied(),
    };
}

impl<'r> Head<'r> {
    /// The target as the client sent it, at any depth of nested routers; behind a layer around the router that changes
    /// it, only if the layer keeps an `OriginalUri`.
    pub fn sent_uri(self) -> &'r Uri {
        (self.framework.original_uri)(self.extensions).unwrap_or(self.routed_uri)
    }

    /// The matched route, as written.
    pub fn matched_path(self) -> Option<&'r str> {
        (self.framework.matched_path)(self.extensions)
    }

    /// The other end of the connection, if the server names it.
    pub fn peer(self) -> Option<SocketAddr> {
        (self.framework.peer)(self.extensions)
    }
}

/// The query and the header fields may hold credentials.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", self.method)
            .field("path", &self.routed_uri.path())
            .finish_non_exhaustive()
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    /// The head of a request that no framework routed.
    fn from(parts: &'r Parts) -> Self {
        Self {
            method: &parts.method,
            routed_uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
            framework: &Framework::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_credentials() {
        let request = http::Request::get("/files?access_token=secret")
            .header("cookie", "id=secret")
            .body(())
            .expect("a request");
        let (parts, ()) = request.into_parts();
        let shown = format!("{:?}", Head::from(&parts));
        assert_eq!(shown, "Head { method: GET, path: \"/files\", .. }");
    }
}
