//! Client certificates (RFC 8705): over TLS, with a certificate on each side.

use auth_tests::App;
use std::net::SocketAddr;
use std::sync::LazyLock;

use auth_runtime::schemes::CertificateSource;
use auth_tests::tls::{self, Authority, Certified};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// The certificate of the client, and that of another client.
struct Certificates {
    authority: Authority,
    own: Certified,
    other: Certified,
}

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let authority = Authority::new();
    Certificates {
        own: authority.certify("client.example"),
        other: authority.certify("other.example"),
        authority,
    }
});

/// Returns the thumbprint of the certificate that this token is bound to.
pub(crate) fn thumbprint(token: &str) -> String {
    let certificate = match token {
        "cert.good" => &CERTIFICATES.own,
        _ => &CERTIFICATES.other,
    };
    URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der()))
}

/// Returns the source of certificates for the service. A forged field is sent from an address that
/// is not a proxy.
pub(crate) fn told_by(credential: &str) -> Result<CertificateSource, String> {
    if credential != "cert.header" {
        return Ok(CertificateSource::connection());
    }
    let proxy = "192.0.2.7/32".parse().expect("a network");
    CertificateSource::client_cert([proxy]).map_err(|error| error.to_string())
}

/// Returns the field with the other certificate, as a proxy would send it.
pub(crate) fn forged_field() -> (String, String) {
    let der = STANDARD.encode(CERTIFICATES.other.der());
    ("Client-Cert".to_owned(), format!(":{der}:"))
}

/// Returns the same in `X-Forwarded-Client-Cert`.
pub(crate) fn hash_for_envoy() -> String {
    let hash = Sha256::digest(CERTIFICATES.other.der());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn serve(app: impl App) -> SocketAddr {
    tls::serve(app, &CERTIFICATES.authority).await
}

pub(crate) async fn send_raw(address: SocketAddr, request: String) -> String {
    let Certificates { authority, own, .. } = &*CERTIFICATES;
    tls::send_raw(address, authority, Some(own), request).await
}
