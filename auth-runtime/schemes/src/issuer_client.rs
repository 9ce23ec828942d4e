//! The client for requests to issuers.

use std::time::Duration;

use auth_runtime_remote::{HttpClient, HttpClientBuilder};

/// An issuer that does not take connections is unavailable; the rest of the time is for its response.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) fn issuer_client(url: &str, ca_certificates: Option<Vec<u8>>) -> HttpClientBuilder {
    HttpClient::builder(url)
        .ca_certificates(ca_certificates)
        .connect_timeout(CONNECT_TIMEOUT)
}
