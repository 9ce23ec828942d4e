//! A client for requests to other services, with limits on time and size, and without redirects.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};

/// The longest response, in bytes. Longer ones are a mistake or an attack.
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct HttpClient(Client);

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
    pub(crate) fn new(ca_certificates: Option<&[u8]>) -> Result<Self, HttpClientError> {
        let mut client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
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
        client
            .build()
            .map(Self)
            .map_err(|error| match ca_certificates {
                Some(_) => HttpClientError::Certificates,
                None => {
                    HttpClientError::Client(format!("the HTTP client cannot be created: {error}"))
                }
            })
    }

    #[cfg(feature = "jwks")]
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, HttpError> {
        let request = self.0.get(url).header("accept", "application/json");
        read(request).await
    }

    /// Posts a form, with this value of `Authorization`.
    #[cfg(feature = "introspection")]
    pub(crate) async fn post_form(
        &self,
        url: &str,
        form: String,
        authorization: Option<&str>,
    ) -> Result<Vec<u8>, HttpError> {
        let mut request = self.0.post(url).body(form);
        request = request
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        read(request).await
    }
}

async fn read(request: RequestBuilder) -> Result<Vec<u8>, HttpError> {
    let response = request.send().await?;
    if response.status() != StatusCode::OK {
        return Err(HttpError::Status(response.status()));
    }
    body(response).await
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
