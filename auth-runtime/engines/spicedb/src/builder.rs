//! The builder of a decision point.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use auth_runtime_core::UrlProblem;
use auth_runtime_core::url::{TrustedUrl, without_secrets};
use auth_runtime_remote::with_causes;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::transport::{ClientTlsConfig, Endpoint};
use zeroize::Zeroizing;

use crate::client::Client;
use crate::engine::SpiceDb;
use crate::names::{Names, is_permission, is_type};

/// The time between pings on a connection with calls under way, and the time to wait for their answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The longest timeout. A request of the service waits for it.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

impl SpiceDb {
    /// Starts without a URL and a key, which are required.
    pub fn builder() -> SpiceDbBuilder {
        SpiceDbBuilder {
            url: None,
            is_plain: false,
            ca_certificates: None,
            preshared_key: None,
            names: Names {
                subject_type: "user".to_owned(),
                types: HashMap::new(),
                permissions: HashMap::new(),
            },
            is_fully_consistent: false,
            timeout: Duration::from_secs(1),
        }
    }
}

/// Builds a [`SpiceDb`].
#[must_use]
pub struct SpiceDbBuilder {
    url: Option<String>,
    /// Whether the URL may be `http`.
    is_plain: bool,
    ca_certificates: Option<Vec<u8>>,
    preshared_key: Option<Zeroizing<String>>,
    names: Names,
    is_fully_consistent: bool,
    timeout: Duration,
}

impl SpiceDbBuilder {
    /// Sets the URL of the server: `https` (or `http` on loopback, for tests). Required.
    ///
    /// It has no path. SpiceDB listens on the port 50051 by default.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self.is_plain = false;
        self
    }

    /// Sets the URL of the server, which may be `http` on any host, in place of [`url`](Self::url).
    ///
    /// For networks that only trusted machines reach, such as those of a cluster or of containers: each
    /// machine on the network path reads the questions and the key of this service, and can forge decisions.
    ///
    /// ```
    /// use auth_runtime_spicedb::SpiceDb;
    ///
    /// let engine = SpiceDb::builder()
    ///     .url_over_plain_http("http://spicedb:50051")
    ///     .preshared_key("key-of-this-service")
    ///     .build()?;
    /// # Ok::<(), auth_runtime_spicedb::SpiceDbError>(())
    /// ```
    pub fn url_over_plain_http(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self.is_plain = true;
        self
    }

    /// Trusts the certificate authorities of this PEM file, in place of those of the system, for the TLS
    /// connection to the server.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates = Some(pem.into());
        self
    }

    /// Authenticates this service with a key of the server (`--grpc-preshared-key`). Required.
    pub fn preshared_key(mut self, key: &str) -> Self {
        self.preshared_key = Some(Zeroizing::new(key.to_owned()));
        self
    }

    /// Sets the type of all subjects. Default: `user`.
    pub fn subject_type(mut self, name: impl Into<String>) -> Self {
        self.names.subject_type = name.into();
        self
    }

    /// Sets the type in the schema for a resource type of policies. It may have a prefix: `forge/repo`.
    /// Default: the lower-case form, as `pull_request` for `PullRequest`.
    pub fn resource_type(mut self, name: impl Into<String>, in_schema: impl Into<String>) -> Self {
        self.names.types.insert(name.into(), in_schema.into());
        self
    }

    /// Sets the permission (or the relation) in the schema for an action of policies. Default: the lower-case
    /// form of the action.
    pub fn action(mut self, name: impl Into<String>, permission: impl Into<String>) -> Self {
        self.names
            .permissions
            .insert(name.into(), permission.into());
        self
    }

    /// Decides by the present state of all relationships, also for lists. Slower than the default, which is
    /// described at [`SpiceDb`](SpiceDb#consistency).
    pub fn fully_consistent(mut self) -> Self {
        self.is_fully_consistent = true;
        self
    }

    /// Sets the time for all calls of a decision or a list, from connecting to the end of the response: up
    /// to a minute. Default: 1 second.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the decision point. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SpiceDbError`] names a missing or invalid setting.
    pub fn build(self) -> Result<SpiceDb, SpiceDbError> {
        let url = self.url.ok_or(SpiceDbError::NoUrl)?;
        let read = if self.is_plain {
            TrustedUrl::read_over_plain_http(&url)
        } else {
            TrustedUrl::read(&url)
        };
        let parts = read.map_err(|problem| SpiceDbError::Url {
            url: without_secrets(&url),
            problem,
        })?;
        if !matches!(parts.path, "" | "/") || parts.query.is_some() {
            return Err(SpiceDbError::Path(without_secrets(&url)));
        }
        let key = self.preshared_key.ok_or(SpiceDbError::NoPresharedKey)?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SpiceDbError::PresharedKey);
        }
        check(&self.names)?;
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(SpiceDbError::Timeout(self.timeout));
        }
        let endpoint = endpoint(&url, self.ca_certificates.as_deref(), self.timeout)?;
        let authorization = Zeroizing::new(format!("Bearer {}", *key));
        let client = Client::new(endpoint, authorization);
        Ok(SpiceDb::new(
            self.names,
            self.is_fully_consistent,
            self.timeout,
            client,
        ))
    }
}

/// Returns an error for a name that SpiceDB does not allow.
fn check(names: &Names) -> Result<(), SpiceDbError> {
    let is_invalid_type = |name: &&String| !is_type(name);
    let mut types = names.types.values().chain([&names.subject_type]);
    if let Some(name) = types.find(is_invalid_type) {
        return Err(SpiceDbError::Type(name.clone()));
    }
    match names.permissions.values().find(|name| !is_permission(name)) {
        Some(name) => Err(SpiceDbError::Permission(name.clone())),
        None => Ok(()),
    }
}

fn endpoint(
    url: &str,
    ca_certificates: Option<&[u8]>,
    timeout: Duration,
) -> Result<Endpoint, SpiceDbError> {
    let failed = |error: tonic::transport::Error| SpiceDbError::Client(with_causes(&error));
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(failed)?;
    let endpoint = endpoint
        .connect_timeout(timeout)
        // A connection that is lost without a sign is found while calls are under way.
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .user_agent(concat!("auth-runtime/", env!("CARGO_PKG_VERSION")))
        .map_err(failed)?;
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint);
    }
    let tls = ClientTlsConfig::new();
    match ca_certificates {
        None => endpoint.tls_config(tls.with_native_roots()).map_err(failed),
        Some(pem) => {
            let roots = roots(pem).ok_or(SpiceDbError::CaCertificates)?;
            endpoint
                .tls_config(tls.trust_anchors(roots.roots))
                .map_err(failed)
        }
    }
}

/// The authorities of a PEM file; `None` if one of them is invalid, or if there are none.
fn roots(pem: &[u8]) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.ok()?).ok()?;
    }
    (!roots.is_empty()).then_some(roots)
}

/// An error of building a [`SpiceDb`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpiceDbError {
    /// No URL was given.
    NoUrl,
    /// The URL of the server is invalid.
    Url {
        /// The URL as given, without its user information and its query.
        url: String,
        /// The problem of the URL.
        problem: UrlProblem,
    },
    /// The URL of the server, without its user information and its query: it has a path or a query.
    Path(String),
    /// No key was given.
    NoPresharedKey,
    /// The key is empty, or has a character that is not allowed in it.
    PresharedKey,
    /// SpiceDB does not allow the name of a type.
    Type(String),
    /// SpiceDB does not allow the name of a permission.
    Permission(String),
    /// The timeout is zero, or longer than a minute.
    Timeout(Duration),
    /// The CA certificates are missing, or not valid PEM.
    CaCertificates,
    /// The gRPC client could not be created.
    Client(String),
}

impl fmt::Display for SpiceDbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => f.write_str("the URL is missing; name it with `.url(\"https://…\")`"),
            Self::Url { url, problem } => {
                write!(f, "the URL {url:?} cannot be used: {problem}")?;
                match problem {
                    UrlProblem::NotHttps => {
                        f.write_str("; within a cluster, name it with `.url_over_plain_http(…)`")
                    }
                    _ => Ok(()),
                }
            }
            Self::Path(url) => write!(f, "the URL {url:?} must not have a path or a query"),
            Self::NoPresharedKey => {
                f.write_str("the key of the server is missing; set it with `.preshared_key(…)`")
            }
            Self::PresharedKey => {
                f.write_str("the preshared key is empty, or has a character that is not allowed")
            }
            Self::Type(name) => write!(
                f,
                "SpiceDB does not allow the type {name:?}: names have 3 to 64 lower-case letters, digits \
                 and `_`, begin with a letter and do not end with `_`; prefixes end with `/`"
            ),
            Self::Permission(name) => write!(
                f,
                "SpiceDB does not allow the permission {name:?}: names have 3 to 64 lower-case letters, \
                 digits and `_`, begin with a letter and do not end with `_`"
            ),
            Self::Timeout(timeout) => write!(
                f,
                "the timeout {timeout:?} cannot be used: it has to be positive, and up to a minute"
            ),
            Self::CaCertificates => {
                f.write_str("the CA certificates are missing, or not valid PEM")
            }
            Self::Client(problem) => write!(f, "the gRPC client cannot be created: {problem}"),
        }
    }
}

impl std::error::Error for SpiceDbError {}

impl fmt::Debug for SpiceDbBuilder {
    /// Omits the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiceDbBuilder")
            .field("url", &self.url.as_deref().map(without_secrets))
            .field("subject_type", &self.names.subject_type)
            .field("is_fully_consistent", &self.is_fully_consistent)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
