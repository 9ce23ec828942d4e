//! What a protected resource says of itself (RFC 9728).

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::Serialize;

use crate::policy::Policy;
use crate::requirement::{Atom, Requirement};
use crate::url::{TrustedUrl, UrlProblem, without_user};

/// A protected resource: its identifier, and where tokens for it come from.
///
/// Given to [`ProtectionSpaceBuilder::resource`](crate::ProtectionSpaceBuilder::resource), it makes
/// a [`GuardedRouter`](crate::GuardedRouter) serve the metadata document below
/// `/.well-known/oauth-protected-resource` (RFC 9728 §3), to everybody and to scripts of every
/// origin, and OAuth challenges point to it. `scopes_supported` are the scopes that the router's
/// policies ask for, without those that only hidden handlers do.
///
/// ```
/// use auth_runtime::ProtectedResource;
///
/// let resource = ProtectedResource::builder("https://api.example/mcp")
///     .authorization_server("https://issuer.example")
///     .name("Notes")
///     .build()?;
/// assert_eq!(
///     resource.metadata_url(),
///     "https://api.example/.well-known/oauth-protected-resource/mcp",
/// );
/// # Ok::<(), auth_runtime::ResourceError>(())
/// ```
///
/// The router that has the document has to be the outermost one, or at least not be nested: the
/// document's path begins at the root of the host.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    identifier: String,
    authorization_servers: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
    metadata_url: String,
    metadata_path: String,
}

/// Where the documents are (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl ProtectedResource {
    /// Starts with the identifier of the resource: the URL that its clients know it by, `https` and
    /// without fragment (RFC 9728 §1.2). `http` is taken on loopback, for tests.
    ///
    /// Clients compare it byte by byte, so it is published just as it is given here.
    pub fn builder(identifier: impl Into<String>) -> ProtectedResourceBuilder {
        ProtectedResourceBuilder {
            identifier: identifier.into(),
            authorization_servers: Vec::new(),
            name: None,
            documentation: None,
        }
    }

    /// The identifier.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Where clients find the document.
    pub fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// The path of the document on this host.
    pub(crate) fn metadata_path(&self) -> &str {
        &self.metadata_path
    }

    /// The document.
    pub(crate) fn document(&self, scopes: &[&str], methods: &[&str]) -> Bytes {
        let document = Document {
            resource: &self.identifier,
            authorization_servers: &self.authorization_servers,
            scopes_supported: scopes,
            bearer_methods_supported: methods,
            resource_name: self.name.as_deref(),
            resource_documentation: self.documentation.as_deref(),
        };
        // Nothing in it can fail to be written: there are only strings.
        serde_json::to_vec(&document).unwrap_or_default().into()
    }
}

/// RFC 9728 §2; what has no value is left out (§3.2).
#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_servers: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_supported: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    bearer_methods_supported: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
}

/// The scopes that `policies` ask for and that may be known: a scope that only hidden handlers ask
/// for would tell of them.
pub(crate) fn scopes_supported<'p>(
    policies: impl Iterator<Item = &'p Policy>,
) -> Vec<&'static str> {
    let shown = policies.filter(|policy| !policy.is_hidden());
    let atoms = shown
        .filter_map(Policy::requirement)
        .flat_map(Requirement::atoms);
    let scopes: BTreeSet<&'static str> = atoms
        .filter_map(|atom| match atom {
            Atom::Scope(scope) => Some(scope),
            _ => None,
        })
        .collect();
    scopes.into_iter().collect()
}

/// Collects what a [`ProtectedResource`] says.
#[derive(Clone, Debug)]
#[must_use]
pub struct ProtectedResourceBuilder {
    identifier: String,
    authorization_servers: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
}

impl ProtectedResourceBuilder {
    /// Names the issuer of an authorization server that grants access, besides those named before.
    /// One at least is required: a client that finds none cannot go on.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// A name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A page for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] says what is missing or illegal.
    pub fn build(self) -> Result<ProtectedResource, ResourceError> {
        let parts = read(&self.identifier)?;
        if self.authorization_servers.is_empty() {
            return Err(ResourceError::NoAuthorizationServer);
        }
        for issuer in &self.authorization_servers {
            read(issuer)?;
        }
        // A slash that ends the host is dropped before the well-known path goes in (RFC 9728 §3.1).
        let path = if parts.path == "/" { "" } else { parts.path };
        let metadata_path = format!("{WELL_KNOWN}{path}");
        let query = parts.query.map(|query| format!("?{query}"));
        let metadata_url = format!(
            "{}{metadata_path}{}",
            parts.origin,
            query.unwrap_or_default()
        );
        Ok(ProtectedResource {
            metadata_url,
            metadata_path,
            identifier: self.identifier,
            authorization_servers: self.authorization_servers,
            name: self.name,
            documentation: self.documentation,
        })
    }
}

fn read(url: &str) -> Result<TrustedUrl<'_>, ResourceError> {
    TrustedUrl::read(url).map_err(|problem| ResourceError::Url {
        url: without_user(url),
        problem,
    })
}

/// What keeps a [`ProtectedResource`] from being built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceError {
    /// No authorization server was named.
    NoAuthorizationServer,
    /// An identifier that cannot be one.
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        problem: UrlProblem,
    },
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAuthorizationServer => f.write_str(
                "the resource names no authorization server, so no client could get a token; \
                 name one with `.authorization_server(\"https://…\")`",
            ),
            Self::Url { url, problem } => {
                write!(
                    f,
                    "{url:?} cannot identify a resource or an issuer: {problem}"
                )
            }
        }
    }
}

impl std::error::Error for ResourceError {}

/// The answer to a request for the document: open to everybody, storable, and readable for the
/// scripts of every origin, which may send fields of their own with it (MCP clients do).
pub(crate) fn answer(document: &Bytes, method: &Method) -> http::Response<Bytes> {
    use http::header;

    const FIELDS: [(http::HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    const PREFLIGHT: [(http::HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
    ];
    let (status, fields, body) = if method == Method::OPTIONS {
        (http::StatusCode::NO_CONTENT, PREFLIGHT, Bytes::new())
    } else {
        (http::StatusCode::OK, FIELDS, document.clone())
    };
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    for (name, value) in fields {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
