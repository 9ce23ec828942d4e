//! The certificate whose key a client proved to hold when it connected (RFC 8705 §3).

use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderName;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::client_address::socket_address;
use crate::scheme::Credentials;
use crate::trusted_proxies::{TrustedProxies, TrustedProxiesError};

/// How the certificate of a client is found out, for tokens that are bound to it.
///
/// ```
/// use auth_runtime::{Bearer, ClientCertificate, Jwt, JwtKey};
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
/// Anybody can write the fields that proxies write, so one is believed only if it comes from the
/// address of a proxy that is trusted. If it comes from elsewhere, stands there twice or cannot be
/// read, there is no certificate.
///
/// What is proved is that the client holds the key. Who vouches for the certificate is for the TLS
/// server or the proxy to check, and does not matter to the binding (RFC 8705 §3, §6.2).
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

/// How a proxy writes a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A byte sequence of DER (RFC 8941 §3.3.5).
    ByteSequence,
    /// PEM, with everything escaped that a URL would.
    EscapedPem,
}

/// Fields of standards and of the trade; the `http` crate names neither.
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const SSL_CLIENT_CERT: HeaderName = HeaderName::from_static("ssl-client-cert");

/// Longer ones are made by nobody.
const MAX_FIELD: usize = 16 * 1024;

impl ClientCertificate {
    /// The one of the TLS connection, for services that end TLS themselves: the server puts a
    /// [`PeerCertificate`] into the extensions of each request, where the client has one.
    pub const fn connection() -> Self {
        Self(Teller::Connection)
    }

    /// The one that a proxy with one of these addresses writes into `Client-Cert` (RFC 9440).
    ///
    /// The proxy has to take the field away from what clients send (RFC 9440 §4). Its address is
    /// that of the socket, found as [`ClientAddress::socket`](crate::ClientAddress::socket) finds
    /// it.
    ///
    /// # Errors
    ///
    /// No proxy at all, or a network that contains every address.
    pub fn client_cert(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxy(CLIENT_CERT, Form::ByteSequence, proxies)
    }

    /// The one that a proxy with one of these addresses writes into `ssl-client-cert`: as PEM,
    /// escaped as in a URL. nginx does, with
    /// `proxy_set_header ssl-client-cert $ssl_client_escaped_cert;`, which also takes the field away
    /// from what clients send; and so does its ingress controller for Kubernetes.
    ///
    /// # Errors
    ///
    /// As for [`client_cert`](Self::client_cert).
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

    /// The certificate of whoever sent a request; `None` if there is none, or none to believe.
    pub(super) fn of(&self, credentials: &Credentials<'_>) -> Option<PeerCertificate> {
        match &self.0 {
            Teller::Connection => credentials.extensions().get().cloned(),
            Teller::Proxy {
                field,
                form,
                proxies,
            } => {
                let mut lines = credentials.headers().get_all(field).iter();
                let line = lines.next().filter(|_| lines.next().is_none())?;
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
    let Some(address) = socket_address(credentials.extensions()) else {
        tracing::error!(
            "client certificates are to come from a proxy, and the server does not say who is \
             connected: serve with `into_make_service_with_connect_info::<SocketAddr>()`"
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
    /// The DER in a field's value.
    fn read(self, value: &str) -> Option<Vec<u8>> {
        /// As lenient as parsers of such fields have to be (RFC 8941 §4.2.7).
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
                // One certificate and nothing else: a chain would leave it open whose key was proved.
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

/// The certificate of the other end of a TLS connection, which proved to hold its key.
///
/// The server that ends TLS puts it into the extensions of each request that comes over the
/// connection, for [`ClientCertificate::connection`] to find. It never comes from anything that
/// a client can write.
///
/// With [tokio-rustls], for as many connections as come:
///
/// ```
/// use std::net::SocketAddr;
///
/// use auth_runtime::PeerCertificate;
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
///         // Each in a task of its own, so that nobody waits for a client that dawdles.
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
/// The acceptor's `ServerConfig` has to ask for certificates, as it does with a
/// `WebPkiClientVerifier`; with `allow_unauthenticated()` there, clients without one are let in
/// with tokens that are not bound.
///
/// [tokio-rustls]: https://docs.rs/tokio-rustls
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(Arc<str>);

impl PeerCertificate {
    /// Of the certificate in DER: the first one of what rustls calls `peer_certificates`.
    pub fn new(der: impl AsRef<[u8]>) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(der)).into())
    }

    /// The hash that tokens name it by: SHA-256 in base64url, as in `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> &str {
        &self.0
    }
}
