//! A client for requests, with limits on time and size, and without redirects.

use std::fmt;
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderValue, StatusCode, Uri};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::causes::with_causes;

/// The time after which an unused connection is closed. A short time: if a connection is lost without a
/// sign, the next request on it waits for its whole time.
const IDLE: Duration = Duration::from_secs(15);
/// The media types of documents: metadata, and key sets with the type of their own (RFC 7517 §8.5.2), which some servers
/// such as that of Kubernetes send only to clients that accept it.
const DOCUMENTS: &str = "application/json, application/jwk-set+json, */*;q=0.1";
const REQUEST_ID: &str = "x-request-id";

/// An HTTP client for one server, or a few.
///
/// Only a response with the status 200 is a result. Redirects are not followed, since trust applies only to
/// the configured URL. Cloning is cheap; clones share their connections.
///
/// Unused connections are closed after 15 seconds, and the protocol is HTTP/1.1: a request that exceeds its time
/// ends its connection, so that a connection that was lost without a sign is not used again.
///
/// ```no_run
/// use auth_runtime_remote::{HttpClient, HttpError};
///
/// async fn keys(http: &HttpClient) -> Result<Vec<u8>, HttpError> {
///     http.get("https://issuer.example/jwks").await
/// }
/// ```
#[derive(Clone)]
pub struct HttpClient {
    client: Client,
    timeout: Duration,
    authorization: Option<Zeroizing<String>>,
    repeats: bool,
}

/// Builds an [`HttpClient`].
///
/// ```
/// use std::time::Duration;
///
/// use auth_runtime_remote::HttpClient;
///
/// let client = HttpClient::builder("https://pdp.example")
///     .timeout(Duration::from_secs(2))
///     .repeat_lost_requests()
///     .build();
/// assert!(client.is_ok());
/// ```
#[must_use]
pub struct HttpClientBuilder {
    client: ClientBuilder,
    ca_certificates: Option<Vec<u8>>,
    timeout: Duration,
    authorization: Option<Zeroizing<String>>,
    repeats: bool,
}

/// The reason for a missing response. It never contains sent data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// The status was not 200.
    Status(StatusCode),
    /// The response was longer than [`HttpClient::MAX_RESPONSE`]. Responses to other requests may be shorter.
    TooLong,
    /// There was no response, or it was too late.
    Failed(String),
}

/// The reason for a missing client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpClientError {
    /// The text has no certificate in PEM, or an invalid one.
    Certificates,
    /// Anything else.
    Client(String),
}

impl HttpClientBuilder {
    /// Trusts the certificate authorities of this PEM file only. Default, and `None`: those of the system.
    pub fn ca_certificates(mut self, pem: Option<Vec<u8>>) -> Self {
        self.ca_certificates = pem;
        self
    }

    /// Sets the value of `Authorization` in every request. Default: none.
    pub fn authorization(mut self, value: Option<Zeroizing<String>>) -> Self {
        self.authorization = value;
        self
    }

    /// Sets the time for a whole request, from connecting to the end of the response. Default:
    /// [`HttpClient::TIMEOUT`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the time for connecting. Default: that of the whole request.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.connect_timeout(timeout);
        self
    }

    /// Sends a request again, once, if its connection ends before a response, within the same time. Default:
    /// it fails.
    ///
    /// Servers end unused connections, also at the moment a request is sent. Only for requests that
    /// change nothing, so that they may be repeated (RFC 9110 §9.2.2).
    pub fn repeat_lost_requests(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// The certificates are not valid, or the TLS library cannot be used.
    pub fn build(self) -> Result<HttpClient, HttpClientError> {
        let mut client = self.client;
        if let Some(pem) = &self.ca_certificates {
            let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(HttpClientError::Certificates);
            }
            client = client.tls_certs_only(certificates);
        }
        let client = client.build().map_err(|error| match self.ca_certificates {
            Some(_) => HttpClientError::Certificates,
            None => HttpClientError::Client(format!("the HTTP client cannot be created: {error}")),
        })?;
        Ok(HttpClient {
            client,
            timeout: self.timeout,
            authorization: self.authorization,
            repeats: self.repeats,
        })
    }
}

impl HttpClient {
    /// The longest response, in bytes: 1 MiB. Longer ones are a mistake or an attack.
    pub const MAX_RESPONSE: usize = 1024 * 1024;
    /// The default of [`timeout`](HttpClientBuilder::timeout): 10 seconds.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// Starts with the certificate authorities of the system, for requests to the server of this URL.
    ///
    /// If the URL is `https`, requests use the proxies of the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    /// Otherwise they use none: they are for a trusted network, and a proxy could read and change them.
    pub fn builder(url: &str) -> HttpClientBuilder {
        let client = Client::builder()
            // Without this, the feature `native-tls` of `reqwest` in another crate would replace rustls.
            .tls_backend_rustls()
            .redirect(Policy::none())
            .pool_idle_timeout(IDLE)
            // Also if another crate enables HTTP/2.
            .http1_only()
            .user_agent(concat!("auth-runtime/", env!("CARGO_PKG_VERSION")));
        let url: Option<Uri> = url.parse().ok();
        let is_https = url.is_some_and(|url| url.scheme() == Some(&Scheme::HTTPS));
        HttpClientBuilder {
            client: if is_https { client } else { client.no_proxy() },
            ca_certificates: None,
            timeout: Self::TIMEOUT,
            authorization: None,
            repeats: false,
        }
    }

    /// Gets a document, and returns the body of the response.
    ///
    /// # Errors
    ///
    /// [`HttpError`]: the response is missing, late or too long, or has another status than 200.
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, HttpError> {
        self.read(self.client.get(url).header("accept", DOCUMENTS))
            .await
    }

    /// Posts a document, with the value of `X-Request-ID`, and returns the body of the response.
    ///
    /// # Errors
    ///
    /// Like [`get`](Self::get).
    pub async fn post_json(
        &self,
        url: &str,
        json: Vec<u8>,
        request_id: Option<&HeaderValue>,
    ) -> Result<Vec<u8>, HttpError> {
        let mut request = self.post(url, "application/json", json);
        if let Some(id) = request_id {
            request = request.header(REQUEST_ID, id);
        }
        self.read(request).await
    }

    /// Posts a form, and returns the body of the response.
    ///
    /// # Errors
    ///
    /// Like [`get`](Self::get).
    pub async fn post_form(&self, url: &str, form: String) -> Result<Vec<u8>, HttpError> {
        let form = form.into_bytes();
        let request = self.post(url, "application/x-www-form-urlencoded", form);
        self.read(request).await
    }

    fn post(&self, url: &str, content_type: &str, body: Vec<u8>) -> RequestBuilder {
        let request = self.client.post(url).body(body);
        request
            .header("content-type", content_type)
            .header("accept", "application/json")
    }

    async fn read(&self, mut request: RequestBuilder) -> Result<Vec<u8>, HttpError> {
        if let Some(authorization) = &self.authorization {
            let value = HeaderValue::from_str(authorization);
            let mut value = value.map_err(|_| {
                HttpError::Failed("the credentials are not a valid field value".to_owned())
            })?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        match timeout(self.timeout, self.answer(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpError::Failed("the response is too late".to_owned())),
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, HttpError> {
        let response = self.send(request).await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(HttpError::Status(response.status()));
        }
        body(response).await
    }

    async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let again = self.repeats.then(|| request.try_clone()).flatten();
        match (request.send().await, again) {
            (Err(error), Some(again)) if error.is_request() && !error.is_connect() => {
                again.send().await
            }
            (sent, _) => sent,
        }
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > HttpClient::MAX_RESPONSE {
            return Err(HttpError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the error with its causes, and without the URL.
fn failed(error: reqwest::Error) -> HttpError {
    HttpError::Failed(with_causes(&error.without_url()))
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the response has the status {status}"),
            Self::TooLong => f.write_str("the response is too long"),
            Self::Failed(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for HttpError {}

impl fmt::Display for HttpClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificates => f.write_str("the CA certificates are missing, or not valid PEM"),
            Self::Client(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for HttpClientError {}

impl fmt::Debug for HttpClient {
    /// Omits the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpClientBuilder {
    /// Omits the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
