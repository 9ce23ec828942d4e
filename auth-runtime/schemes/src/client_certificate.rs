//! The client certificate of a connection, with proof of possession of its key (RFC 8705 §3).

use std::sync::Arc;

use auth_runtime_core::{Credentials, TrustedProxies, TrustedProxiesError};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderName;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::field::only_line;

/// The source of client certificates, for tokens that are bound to them.
///
/// ```
/// use auth_runtime::schemes::{Bearer, ClientCertificate, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// // Behind a reverse proxy that ends TLS and sends `Client-Cert`.
/// let certificate = ClientCertificate::client_cert(["10.0.0.7/32".parse()?])?;
/// let scheme = Bearer::jwt(jwt).client_certificate(certificate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Any client can send the fields that proxies set. Therefore such a field is trusted only if it
/// comes from the address of a configured proxy. If it comes from another address, occurs twice or
/// cannot be parsed, there is no certificate.
///
/// The binding proves only that the client holds the key. The TLS server or the proxy is
/// responsible for the verification of the certificate's chain, on which the binding does not
/// depend (RFC 8705 §3, §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate(Teller);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Teller {
    Connection,
    Proxy {
        field: HeaderName,
        form: Form,
        proxies: TrustedProxies,
    },
}

/// The format of a certificate in a proxy's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A byte sequence of DER (RFC 8941 §3.3.5).
    ByteSequence,
    /// PEM, percent-encoded as in a URL.
    EscapedPem,
}

/// Fields of standards and of common proxies. The `http` crate has constants for neither.
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const SSL_CLIENT_CERT: HeaderName = HeaderName::from_static("ssl-client-cert");

/// The longest field value that is read, in bytes.
const MAX_FIELD: usize = 16 * 1024;

impl ClientCertificate {
    /// Uses the certificate of the TLS connection, for services that terminate TLS themselves. The
    /// server inserts a [`PeerCertificate`] into the extensions of each request, if the client has
    /// one.
    pub const fn connection() -> Self {
        Self(Teller::Connection)
    }

    /// Uses the certificate that a proxy with one of these addresses sends in `Client-Cert` (RFC
    /// 9440).
    ///
    /// The proxy must remove the field from client requests (RFC 9440 §4). Its address is that of
    /// the socket, as for [`ClientAddress::socket`](auth_runtime_core::ClientAddress::socket).
    ///
    /// # Errors
    ///
    /// No proxy at all, or a network that contains every address.
    pub fn client_cert(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxy(CLIENT_CERT, Form::ByteSequence, proxies)
    }

    /// Uses the certificate that a proxy with one of these addresses sends in `ssl-client-cert`: as
    /// PEM, percent-encoded. nginx sends it with
    /// `proxy_set_header ssl-client-cert $ssl_client_escaped_cert;`, which also removes the field
    /// from client requests. Its ingress controller for Kubernetes sends it too.
    ///
    /// # Errors
    ///
    /// The same as for [`client_cert`](Self::client_cert).
    pub fn ssl_client_cert(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxy(SSL_CLIENT_CERT, Form::EscapedPem, proxies)
    }

    fn from_proxy(
        field: HeaderName,
        form: Form,
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Ok(Self(Teller::Proxy {
            field,
            form,
            proxies: TrustedProxies::new(proxies)?,
        }))
    }

    /// Returns the certificate of the client. `None` if there is none, or no trusted one.
    pub(super) fn of(&self, credentials: &Credentials<'_>) -> Option<PeerCertificate> {
        match &self.0 {
            Teller::Connection => credentials.extensions().get().cloned(),
            Teller::Proxy {
                field,
                form,
                proxies,
            } => {
                let line = only_line(credentials.headers(), field).flatten()?;
                if !is_from(proxies, credentials) {
                    return None;
                }
                let text = line.to_str().ok().filter(|text| text.len() <= MAX_FIELD)?;
                let der = form.read(text.trim_matches([' ', '\t']))?;
                (!der.is_empty()).then(|| PeerCertificate::new(der))
            }
        }
    }
}

fn is_from(proxies: &TrustedProxies, credentials: &Credentials<'_>) -> bool {
    let Some(address) = credentials.peer() else {
        tracing::error!(
            "client certificates come from a proxy, and the server does not provide the address \
             of the peer: serve with `into_make_service_with_connect_info::<SocketAddr>()`"
        );
        return false;
    };
    let is_proxy = proxies.contains(address.ip());
    if !is_proxy {
        tracing::debug!(
            "a client certificate from {} is ignored: that is not the address of a proxy",
            address.ip()
        );
    }
    is_proxy
}

impl Form {
    /// Parses a field value, and returns the DER.
    fn read(self, value: &str) -> Option<Vec<u8>> {
        /// The leniency that RFC 8941 §4.2.7 requires of a parser.
        const BYTES: GeneralPurpose = GeneralPurpose::new(
            &alphabet::STANDARD,
            GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        match self {
            Self::ByteSequence => {
                let inner = value.strip_prefix(':')?.strip_suffix(':')?;
                BYTES.decode(inner).ok()
            }
            Self::EscapedPem => {
                let pem = percent_decode_str(value).decode_utf8().ok()?;
                // A single certificate. With a chain, the proved key would be ambiguous.
                let inner = pem
                    .trim()
                    .strip_prefix("-----BEGIN CERTIFICATE-----")?
                    .strip_suffix("-----END CERTIFICATE-----")?;
                let lines: String = inner.lines().map(str::trim).collect();
                STANDARD.decode(lines).ok()
            }
        }
    }
}

/// The certificate of the client of a TLS connection, which has proved possession of its key.
///
/// A server that terminates TLS inserts it into the extensions of each request of the connection,
/// for [`ClientCertificate::connection`]. It must never be taken from data that a client can write.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(Arc<str>);

impl PeerCertificate {
    /// Creates it from a certificate in DER: the first of rustls's `peer_certificates`.
    pub fn new(der: impl AsRef<[u8]>) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(der)).into())
    }

    /// The hash that tokens refer to: SHA-256 in base64url, as in `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> &str {
        &self.0
    }
}
