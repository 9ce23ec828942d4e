//! The certificate of a client.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;

use crate::spiffe;

/// The certificate of the client of a TLS connection, which has proved possession of its key.
///
/// A server that terminates TLS inserts it into the extensions of each request of the connection,
/// for [`CertificateSource::connection`](super::CertificateSource::connection). It must never be taken from data that a
/// client can write.
///
/// With [tokio-rustls], for any number of connections:
///
/// ```
/// use std::net::SocketAddr;
///
/// use auth_runtime::schemes::PeerCertificate;
/// use axum::body::Body;
/// use auth_runtime::ProtectedRouter;
/// use hyper_util::rt::{TokioExecutor, TokioIo};
/// use hyper_util::server::conn::auto;
/// use tokio::net::{TcpListener, TcpStream};
/// use tokio_rustls::TlsAcceptor;
/// use tower::ServiceExt;
///
/// async fn serve(listener: TcpListener, tls: TlsAcceptor, app: ProtectedRouter) -> std::io::Result<()> {
///     loop {
///         let (stream, address) = listener.accept().await?;
///         // Each in its own task, so that a slow client delays no other.
///         tokio::spawn(serve_one(stream, address, tls.clone(), app.clone()));
///     }
/// }
///
/// async fn serve_one(stream: TcpStream, address: SocketAddr, tls: TlsAcceptor, app: ProtectedRouter) {
///     let Ok(stream) = tls.accept(stream).await else {
///         return;
///     };
///     let (_, connection) = stream.get_ref();
///     let chain = connection.peer_certificates().unwrap_or_default();
///     let certificate = chain.first().map(PeerCertificate::new);
///     let service = hyper::service::service_fn(move |request: http::Request<_>| {
///         let mut request = request.map(Body::new);
///         request.extensions_mut().insert(address);
///         if let Some(certificate) = &certificate {
///             request.extensions_mut().insert(certificate.clone());
///         }
///         app.clone().oneshot(request)
///     });
///     let connection = auto::Builder::new(TokioExecutor::new());
///     let stream = TokioIo::new(stream);
///     let _ = connection.serve_connection_with_upgrades(stream, service).await;
/// }
/// ```
///
/// The acceptor's `ServerConfig` has to request certificates, as it does with a
/// `WebPkiClientVerifier`. With `allow_unauthenticated()`, clients without a certificate are
/// allowed as well, with tokens that are not bound.
///
/// [tokio-rustls]: https://docs.rs/tokio-rustls
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate(Arc<CertificateContent>);

#[derive(PartialEq, Eq)]
struct CertificateContent {
    thumbprint: String,
    names: CertificateNames,
}

/// The source of the names of a certificate.
#[derive(PartialEq, Eq)]
enum CertificateNames {
    /// The certificate itself.
    Der(Box<[u8]>),
    /// A proxy, which sends the names without the certificate.
    Forwarded(ForwardedNames),
}

/// The names of a certificate, as a proxy sends them.
#[derive(Default, PartialEq, Eq)]
pub(super) struct ForwardedNames {
    pub(super) subject: Option<String>,
    pub(super) uris: Vec<String>,
    pub(super) dns_names: Vec<String>,
}

impl PeerCertificate {
    /// Creates it from a certificate in DER: the first of rustls's `peer_certificates`.
    pub fn new(der: impl AsRef<[u8]>) -> Self {
        let der = der.as_ref();
        Self(Arc::new(CertificateContent {
            thumbprint: encode(&Sha256::digest(der)),
            names: CertificateNames::Der(der.into()),
        }))
    }

    /// Creates it from the SHA-256 hash of its DER, and its names.
    pub(super) fn forwarded(hash: &[u8; 32], names: ForwardedNames) -> Self {
        Self(Arc::new(CertificateContent {
            thumbprint: encode(hash),
            names: CertificateNames::Forwarded(names),
        }))
    }

    /// The hash that tokens refer to: SHA-256 in base64url, as in `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// The certificate in DER. `None` if a proxy sends only its hash and its names.
    pub fn der(&self) -> Option<&[u8]> {
        match &self.0.names {
            CertificateNames::Der(der) => Some(der),
            CertificateNames::Forwarded(_) => None,
        }
    }

    /// The URIs of the subject (RFC 5280 §4.2.1.6). Empty if the certificate has none, or cannot be parsed.
    pub fn uris(&self) -> Vec<String> {
        match &self.0.names {
            CertificateNames::Der(der) => parsed(der, |parsed| {
                parsed.valid_uri_names().map(str::to_owned).collect()
            }),
            CertificateNames::Forwarded(names) => names.uris.clone(),
        }
    }

    /// The DNS names of the subject (RFC 5280 §4.2.1.6), wildcards included. Empty if the certificate has none, or
    /// cannot be parsed.
    pub fn dns_names(&self) -> Vec<String> {
        match &self.0.names {
            CertificateNames::Der(der) => parsed(der, |parsed| {
                parsed.valid_dns_names().map(str::to_owned).collect()
            }),
            CertificateNames::Forwarded(names) => names.dns_names.clone(),
        }
    }

    /// The distinguished name of the subject, as a proxy sends it in `X-Forwarded-Client-Cert` (RFC 2253), if it
    /// sends no certificate. `None` in other cases: a library for X.509 reads it from the [DER](Self::der).
    pub fn forwarded_subject(&self) -> Option<&str> {
        match &self.0.names {
            CertificateNames::Der(_) => None,
            CertificateNames::Forwarded(names) => names.subject.as_deref(),
        }
    }

    /// The name of the workload in this trust domain (SPIFFE X.509-SVID §2), such as
    /// `spiffe://shop.example/ns/orders/sa/api`. `None` if the certificate has another number of URIs than one, or
    /// that of another trust domain.
    ///
    /// ```
    /// use auth_runtime::schemes::{CertificateSource, MutualTls};
    /// use auth_runtime::{Caller, Identity};
    ///
    /// // The TLS server verifies the chain with the bundle of the trust domain.
    /// let workloads = MutualTls::new(CertificateSource::connection(), async |certificate| {
    ///     match certificate.spiffe_id("shop.example") {
    ///         Some(id) => Caller::known(Identity::new(id).with_issuer("spiffe://shop.example")),
    ///         None => Caller::rejected(),
    ///     }
    /// });
    /// ```
    pub fn spiffe_id(&self, trust_domain: &str) -> Option<String> {
        let mut uris = self.uris();
        let id = uris.pop().filter(|_| uris.is_empty())?;
        spiffe::is_of(&id, trust_domain).then_some(id)
    }
}

fn encode(hash: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(hash)
}

/// Parses a certificate, and reads names of its subject.
fn parsed(der: &[u8], read: impl FnOnce(&EndEntityCert<'_>) -> Vec<String>) -> Vec<String> {
    let der = CertificateDer::from_slice(der);
    match EndEntityCert::try_from(&der) {
        Ok(parsed) => read(&parsed),
        Err(error) => {
            tracing::debug!(%error, "the certificate of a client cannot be parsed");
            Vec::new()
        }
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCertificate")
            .field("thumbprint", &self.0.thumbprint)
            .finish_non_exhaustive()
    }
}
