//! The builder of a decision point.

use std::fmt;
use std::time::Duration;

use auth_runtime_core::url::{TrustedUrl, without_secrets};
use auth_runtime_core::{EntityLoader, UrlProblem};
use auth_runtime_remote::{HttpClient, HttpClientError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::discovery::Endpoints;
use crate::engine::{AuthZen, Settings};
use crate::error::AuthZenError;
use crate::question::SubjectNames;

/// The longest timeout. A request of the service waits for it.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

impl AuthZen {
    /// Starts without a URL, which is required.
    pub fn builder() -> AuthZenBuilder {
        AuthZenBuilder {
            url: None,
            is_plain: false,
            ca_certificates: None,
            authorization: Ok(None),
            subject_type: "user".to_owned(),
            roles_property: "roles".to_owned(),
            has_search: false,
            timeout: Duration::from_secs(2),
            loader: None,
            questions_per_request: usize::MAX,
        }
    }
}

/// Builds an [`AuthZen`].
#[must_use]
pub struct AuthZenBuilder {
    url: Option<String>,
    /// Whether the URL may be `http`.
    is_plain: bool,
    ca_certificates: Option<Vec<u8>>,
    /// The value of `Authorization`.
    authorization: Result<Option<Zeroizing<String>>, AuthZenError>,
    subject_type: String,
    roles_property: String,
    /// Whether the server has the default endpoint for lists.
    has_search: bool,
    timeout: Duration,
    loader: Option<Box<dyn EntityLoader>>,
    questions_per_request: usize,
}

impl AuthZenBuilder {
    /// Sets the URL of the server, its identifier: `https` (or `http` on loopback, for tests). Required.
    ///
    /// It may have a path, such as that of a tenant, and has no query.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self.is_plain = false;
        self
    }

    /// Sets the URL of the server, which may be `http` on any host, in place of [`url`](Self::url).
    ///
    /// For networks that only trusted machines reach, such as those of a cluster or of containers: each
    /// machine on the network path reads the questions and the credentials of this service, and can forge
    /// decisions.
    ///
    /// ```
    /// use auth_runtime_authzen::AuthZen;
    ///
    /// let engine = AuthZen::builder()
    ///     .url_over_plain_http("http://cerbos:3592")
    ///     .build()?;
    /// # Ok::<(), auth_runtime_authzen::AuthZenError>(())
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

    /// Authenticates this service with a bearer token (RFC 6750 §2.1), such as an API key. Default: no
    /// authentication. Replaces [`basic`](Self::basic).
    pub fn bearer_token(mut self, token: &str) -> Self {
        let is_valid = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        self.authorization = if is_valid {
            Ok(Some(Zeroizing::new(format!("Bearer {token}"))))
        } else {
            Err(AuthZenError::Credentials)
        };
        self
    }

    /// Authenticates this service with a name and a secret, by Basic (RFC 7617). Default: no
    /// authentication. Replaces [`bearer_token`](Self::bearer_token).
    pub fn basic(mut self, client: &str, secret: &str) -> Self {
        let has_control = |text: &str| text.chars().any(char::is_control);
        let is_valid = !client.is_empty()
            && !client.contains(':')
            && !has_control(client)
            && !has_control(secret);
        self.authorization = if is_valid {
            let pair = Zeroizing::new(format!("{client}:{secret}"));
            let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            Ok(Some(Zeroizing::new(format!("Basic {}", *encoded))))
        } else {
            Err(AuthZenError::Credentials)
        };
        self
    }

    /// Sets the type of all subjects. Default: `user`.
    pub fn subject_type(mut self, name: impl Into<String>) -> Self {
        self.subject_type = name.into();
        self
    }

    /// Sets the name of the property with the roles of the subject. Default: `roles`. Cerbos takes the
    /// roles of its policies from `cerbos.roles`. It gives a caller without roles, and no other, the role with the name
    /// of the [`subject_type`](Self::subject_type): a rule for every caller has `roles: ["*"]`.
    pub fn roles_property(mut self, name: impl Into<String>) -> Self {
        self.roles_property = name.into();
        self
    }

    /// Asks the server for the objects of lists, at the default path `/access/v1/search/resource` (§8.5).
    /// Default: the server is asked about each object of a list.
    ///
    /// With [`discover`](Self::discover), it is needed only for a server whose configuration document does
    /// not name the endpoint.
    ///
    /// ```
    /// use auth_runtime_authzen::AuthZen;
    ///
    /// let engine = AuthZen::builder()
    ///     .url("https://pdp.example")
    ///     .search_resources()
    ///     .build()?;
    /// # Ok::<(), auth_runtime_authzen::AuthZenError>(())
    /// ```
    pub fn search_resources(mut self) -> Self {
        self.has_search = true;
        self
    }

    /// Sets the time for a whole request, from connecting to the end of the response: up to a minute. All
    /// pages of a list are read within it. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the loader of the properties of the caller and of objects. Default: none, so that the server
    /// receives the properties that the questions have.
    ///
    /// The loader receives the caller as an entity of the [`subject_type`](Self::subject_type). An object that the loader does
    /// not return, and that the question has no properties of, is denied without asking the server.
    pub fn entities(mut self, loader: impl EntityLoader) -> Self {
        self.loader = Some(Box::new(loader));
        self
    }

    /// Sets the maximum number of questions in an HTTP request: 50 for the default settings of Cerbos and
    /// OpenFGA. More are sent in several requests, one after the other. Default: no bound.
    pub fn questions_per_request(mut self, questions: usize) -> Self {
        self.questions_per_request = questions;
        self
    }

    /// Builds the decision point, with the endpoints at their default paths below the URL (§10.1). Nothing
    /// is sent.
    ///
    /// # Errors
    ///
    /// [`AuthZenError`] names a missing or invalid setting.
    pub fn build(self) -> Result<AuthZen, AuthZenError> {
        let has_search = self.has_search;
        let (url, settings) = self.check()?;
        Ok(AuthZen::new(Endpoints::below(&url, has_search), settings))
    }

    /// Builds the decision point, with the endpoints of the configuration document of the server (§9), which
    /// is read once. In place of [`build`](Self::build), at the start of the service.
    ///
    /// The document of `https://pdp.example/tenant` is
    /// `https://pdp.example/.well-known/authzen-configuration/tenant`. Its `policy_decision_point` has to be
    /// identical to the URL (§9.2.3), and the endpoints have to be on the host of the URL, since they receive
    /// the credentials of this service.
    ///
    /// OpenFGA has its document at another path, `/.well-known/authzen-configuration/<store>`: use
    /// [`build`](Self::build) with `.url("https://fga.example/stores/<store>")`.
    ///
    /// ```no_run
    /// use auth_runtime_authzen::{AuthZen, AuthZenError};
    ///
    /// async fn engine() -> Result<AuthZen, AuthZenError> {
    ///     AuthZen::builder().url("https://pdp.example").discover().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Like [`build`](Self::build); and if the document cannot be read, is about another server, or has no
    /// endpoint for several questions in one request (§7).
    pub async fn discover(self) -> Result<AuthZen, AuthZenError> {
        let has_search = self.has_search;
        let (url, settings) = self.check()?;
        let parts = TrustedUrl::read_over_plain_http(&url);
        let parts = parts.map_err(|problem| url_error(&url, problem))?;
        let mut endpoints = Endpoints::discover(&settings.http, &url, &parts).await?;
        if endpoints.search_resource.is_none() {
            endpoints.search_resource = Endpoints::below(&url, has_search).search_resource;
        }
        Ok(AuthZen::new(endpoints, settings))
    }

    /// Returns the valid settings.
    fn check(self) -> Result<(String, Settings), AuthZenError> {
        let url = self.url.ok_or(AuthZenError::NoUrl)?;
        let read = if self.is_plain {
            TrustedUrl::read_over_plain_http(&url)
        } else {
            TrustedUrl::read(&url)
        };
        let parts = read.map_err(|problem| url_error(&url, problem))?;
        if parts.query.is_some() {
            return Err(AuthZenError::Query(without_secrets(&url)));
        }
        if self.subject_type.is_empty() {
            return Err(AuthZenError::SubjectType);
        }
        if self.roles_property.is_empty() {
            return Err(AuthZenError::RolesProperty);
        }
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(AuthZenError::Timeout(self.timeout));
        }
        if self.questions_per_request == 0 {
            return Err(AuthZenError::QuestionsPerRequest);
        }
        let http = HttpClient::builder(&url)
            .ca_certificates(self.ca_certificates)
            .timeout(self.timeout)
            .authorization(self.authorization?)
            // Questions change nothing.
            .repeat_lost_requests()
            .build();
        let http = http.map_err(|error| match error {
            HttpClientError::Certificates => AuthZenError::CaCertificates,
            HttpClientError::Client(problem) => AuthZenError::Client(problem),
        })?;
        let names = SubjectNames {
            subject_type: self.subject_type,
            roles_property: self.roles_property,
        };
        let settings = Settings {
            names,
            loader: self.loader,
            questions_per_request: self.questions_per_request,
            timeout: self.timeout,
            http,
        };
        Ok((url, settings))
    }
}

fn url_error(url: &str, problem: UrlProblem) -> AuthZenError {
    let url = without_secrets(url);
    AuthZenError::Url { url, problem }
}

impl fmt::Debug for AuthZenBuilder {
    /// Omits the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthZenBuilder")
            .field("url", &self.url.as_deref().map(without_secrets))
            .field("subject_type", &self.subject_type)
            .field("roles_property", &self.roles_property)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
