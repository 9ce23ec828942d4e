//! The metadata of a protected resource (RFC 9728).

use std::collections::BTreeSet;
use std::fmt;

use auth_runtime_policy::{Atom, Policy, Requirement};
use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::Serialize;

use crate::url::{TrustedUrl, UrlProblem, without_secrets};

/// A protected resource: its identifier, and the authorization servers that issue tokens for it.
///
/// If [`ProtectionSpaceBuilder::resource`](crate::ProtectionSpaceBuilder::resource) sets it, a
/// `GuardedRouter` serves the metadata document below
/// `/.well-known/oauth-protected-resource` (RFC 9728 §3), without authentication and to scripts of
/// every origin, and OAuth challenges refer to it. A CORS layer around the router replaces the fields for scripts.
/// `scopes_supported` lists the scopes that the router's policies require, except those that only handlers on hidden
/// paths require.
///
/// ```
/// use auth_runtime::resource::ProtectedResource;
///
/// let resource = ProtectedResource::builder("https://api.example/mcp")
///     .authorization_server("https://issuer.example")
///     .name("Notes")
///     .build()?;
/// assert_eq!(
///     resource.metadata_url(),
///     "https://api.example/.well-known/oauth-protected-resource/mcp",
/// );
/// # Ok::<(), auth_runtime::resource::ResourceError>(())
/// ```
///
/// The router that serves the document has to be the outermost one, or at least must not be nested:
/// the path of the document begins at the root of the host.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    identifier: String,
    authorization_servers: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
    metadata_url: String,
    metadata_path: String,
}

/// The path prefix of metadata documents (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl ProtectedResource {
    /// Starts a resource with its identifier: the URL that clients request, `https` and without
    /// a fragment (RFC 9728 §1.2). `http` is accepted on loopback, for tests.
    ///
    /// Clients compare it byte by byte, so it is published exactly as given here. A client that finds the metadata by a
    /// challenge must not use them if the identifier is not the URL of its request (RFC 9728 §3.3). Some clients, such
    /// as the MCP clients of npm and Python, also accept a path above that of the request. An MCP server therefore has
    /// a space of its own, with the URL of its endpoint as the identifier; `ProtectedRouter::merge` adds it to the
    /// application.
    pub fn builder(identifier: impl Into<String>) -> ProtectedResourceBuilder {
        ProtectedResourceBuilder {
            identifier: identifier.into(),
            authorization_servers: Vec::new(),
            name: None,
            documentation: None,
        }
    }

    /// The identifier of the resource.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The URL of the metadata document.
    pub fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// The path of the document on this host.
    pub fn metadata_path(&self) -> &str {
        &self.metadata_path
    }

    /// The metadata document, serialized as JSON.
    pub(crate) fn document(&self, scopes: &[&str], tokens: &AcceptedTokens) -> Bytes {
        let document = Document {
            resource: &self.identifier,
            authorization_servers: &self.authorization_servers,
            scopes_supported: scopes,
            bearer_methods_supported: &tokens.bearer_methods,
            dpop_bound_access_tokens_required: tokens.dpop_is_required,
            tls_client_certificate_bound_access_tokens: tokens.can_have_certificates,
            resource_name: self.name.as_deref(),
            resource_documentation: self.documentation.as_deref(),
        };
        // Serialization cannot fail: the document consists of strings and truth values.
        serde_json::to_vec(&document).unwrap_or_default().into()
    }
}

/// The tokens that the spaces of a resource accept.
pub(crate) struct AcceptedTokens {
    /// The ways to send a Bearer token, in the terms of RFC 9728 §2.
    pub(crate) bearer_methods: Vec<&'static str>,
    /// Whether each token needs a proof of possession (RFC 9449).
    pub(crate) dpop_is_required: bool,
    /// Whether a token can be bound to a client certificate (RFC 8705).
    pub(crate) can_have_certificates: bool,
}

/// The metadata (RFC 9728 §2). Parameters without a value, and those that are false by default, are omitted (§3.2).
#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_servers: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_supported: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    bearer_methods_supported: &'a [&'a str],
    #[serde(skip_serializing_if = "is_false")]
    dpop_bound_access_tokens_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde expects"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// The scopes that `policies` require and that may be disclosed. Scopes that only hidden handlers
/// require are omitted, since they would reveal these handlers.
pub(crate) fn scopes_supported<'p>(policies: impl Iterator<Item = &'p Policy>) -> Vec<&'p str> {
    let shown = policies.filter(|policy| !policy.is_hidden());
    let atoms = shown
        .filter_map(Policy::requirement)
        .flat_map(Requirement::atoms);
    let scopes: BTreeSet<&str> = atoms
        .filter_map(|atom| match atom {
            Atom::Scope(scope) => Some(scope.as_ref()),
            _ => None,
        })
        .collect();
    scopes.into_iter().collect()
}

/// Collects the metadata of a [`ProtectedResource`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ProtectedResourceBuilder {
    identifier: String,
    authorization_servers: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
}

impl ProtectedResourceBuilder {
    /// Adds the issuer of an authorization server that grants access. At least one is required:
    /// without one, a client cannot obtain a token.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Sets the human-readable name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the URL of the documentation for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Returns the resource.
    ///
    /// # Errors
    ///
    /// [`ResourceError`] if the authorization server is missing, a URL is invalid, or the path cannot be a route.
    pub fn build(self) -> Result<ProtectedResource, ResourceError> {
        let parts = read(&self.identifier)?;
        if self.authorization_servers.is_empty() {
            return Err(ResourceError::NoAuthorizationServer);
        }
        for issuer in &self.authorization_servers {
            read(issuer)?;
        }
        // axum panics on a route with such a segment.
        if parts
            .path
            .split('/')
            .any(|part| part.starts_with([':', '*']))
        {
            return Err(ResourceError::Path(without_secrets(&self.identifier)));
        }
        // A slash directly after the host is removed before the well-known path is inserted (RFC
        // 9728 §3.1).
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
        url: without_secrets(url),
        problem,
    })
}

/// The reason for rejecting a [`ProtectedResource`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceError {
    /// No authorization server was given.
    NoAuthorizationServer,
    /// A URL cannot identify a resource or an issuer.
    Url {
        /// The URL as given, without its user information and its query.
        url: String,
        /// The reason for rejecting the URL.
        problem: UrlProblem,
    },
    /// A segment of the path of this resource begins with `:` or `*`, so that its metadata cannot be a route.
    Path(String),
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
            Self::Path(url) => write!(
                f,
                "a segment of the path of {url:?} begins with `:` or `*`, so that its metadata cannot be a route"
            ),
        }
    }
}

impl std::error::Error for ResourceError {}

/// The response to a request for the document. It needs no authentication, is cacheable, and is
/// readable by scripts of every origin, unless a CORS layer replaces the field. A preflight response
/// allows these scripts to send additional fields, as MCP clients do.
pub fn metadata_response(document: &Bytes, method: &Method) -> http::Response<Bytes> {
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
