//! A client for requests with JSON, with limits on time and size, and without redirects.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The longest response, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// The time after which an unused connection is closed. A short time: if a connection is lost without a
/// sign, the next request on it waits for the deadline.
const IDLE: Duration = Duration::from_secs(15);
const REQUEST_ID: &str = "x-request-id";

pub(crate) struct HttpClient {
    client: Client,
    timeout: Duration,
    authorization: Option<Zeroizing<String>>,
}

/// The reason for a missing response. It never contains sent data.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// The status was not 200.
    Status(StatusCode),
    /// There was no response, or it was too late or too long.
    Failed(String),
}

/// The reason for a missing client.
pub(crate) enum HttpClientError {
    /// The text has no certificate in PEM, or an invalid one.
    Certificates,
    /// Anything else.
    Client(String),
}

impl HttpClient {
    /// Trusts the certificate authorities of this PEM file only, or else those of the system.
    /// `timeout` includes connecting and reading the response.
    pub(crate) fn new(
        ca_certificates: Option<&[u8]>,
        timeout: Duration,
        authorization: Option<Zeroizing<String>>,
    ) -> Result<Self, HttpClientError> {
        let mut client = Client::builder()
            .pool_idle_timeout(IDLE)
            // A request that exceeds the deadline ends its connection. With HTTP/2, a lost connection
            // would be used again.
            .http1_only()
            // Trust applies only to the configured URL.
            .redirect(Policy::none())
            .user_agent(concat!("auth-runtime/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = ca_certificates {
            let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(HttpClientError::Certificates);
            }
            client = client.tls_certs_only(certificates);
        }
        let client = client.build().map_err(|error| match ca_certificates {
            Some(_) => HttpClientError::Certificates,
            None => HttpClientError::Client(format!("the HTTP client cannot be created: {error}")),
        })?;
        Ok(Self {
            client,
            timeout,
            authorization,
        })
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, HttpError> {
        self.read(self.client.get(url)).await
    }

    pub(crate) async fn post(
        &self,
        url: &str,
        json: Vec<u8>,
        request_id: Option<&HeaderValue>,
    ) -> Result<Vec<u8>, HttpError> {
        let request = self.client.post(url).body(json);
        let mut request = request.header("content-type", "application/json");
        if let Some(id) = request_id {
            request = request.header(REQUEST_ID, id);
        }
        self.read(request).await
    }

    async fn read(&self, request: RequestBuilder) -> Result<Vec<u8>, HttpError> {
        let mut request = request.header("accept", "application/json");
        if let Some(authorization) = &self.authorization {
            let value = HeaderValue::from_str(authorization);
            let mut value = value.map_err(|_| {
                HttpError::Failed("the credentials are no value of a header field".to_owned())
            })?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        match timeout(self.timeout, answer(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpError::Failed("the response is too late".to_owned())),
        }
    }
}

async fn answer(request: RequestBuilder) -> Result<Vec<u8>, HttpError> {
    let response = send(request).await?;
    if response.status() != StatusCode::OK {
        return Err(HttpError::Status(response.status()));
    }
    body(response).await
}

/// Sends a request, and sends it again if its connection ends before a response: servers end unused
/// connections, also in the moment in which a request is sent. Requests change nothing, so that they may
/// be repeated (RFC 9110 §9.2.2).
async fn send(request: RequestBuilder) -> reqwest::Result<Response> {
    let again = request.try_clone();
    match (request.send().await, again) {
        (Err(error), Some(again)) if error.is_request() && !error.is_connect() => {
            again.send().await
        }
        (sent, _) => sent,
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(HttpError::Failed("the response is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::Failed(text)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the response has the status {status}"),
            Self::Failed(problem) => f.write_str(problem),
        }
    }
}
