//! The source of the client certificate of a connection, with proof of possession of its key (RFC 8705 §3).

mod forwarded;
mod peer;

use auth_runtime_core::{Credentials, TrustedProxies, TrustedProxiesError};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderName;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;

pub use self::peer::PeerCertificate;
use crate::field::{is_from_proxy, only_line};

/// The source of client certificates: for tokens that are bound to them, and for certificates as credentials
/// ([`MutualTls`](crate::MutualTls)).
///
/// ```
/// use auth_runtime::schemes::{Bearer, CertificateSource, Jwt, JwtKey};
///
/// # let secret = [7; 32];
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key(JwtKey::hs256(&secret)?)
///     .build()?;
/// // Behind a reverse proxy that ends TLS and sends `Client-Cert`.
/// let source = CertificateSource::client_cert(["10.0.0.7/32".parse()?])?;
/// let scheme = Bearer::jwt(jwt).client_certificate(source);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Any client can send the fields that proxies set. Therefore such a field is trusted only if it
/// comes from the address of a configured proxy. A field from another address is ignored. If it
/// occurs twice, is longer than 16 KiB or cannot be parsed, tokens have no certificate, and
/// [`MutualTls`](crate::MutualTls) rejects the request.
///
/// The binding proves only that the client holds the key. The TLS server or the proxy is
/// responsible for the verification of the certificate's chain, on which the binding does not
/// depend (RFC 8705 §3, §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSource {
    /// `None` for the connection of the service itself.
    proxy: Option<ProxyField>,
}

/// A field that reverse proxies describe the certificate in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ProxyField {
    name: HeaderName,
    form: CertificateForm,
    proxies: TrustedProxies,
}

/// The format of a certificate in a proxy's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CertificateForm {
    /// A byte sequence of DER (RFC 8941 §3.3.5).
    ByteSequence,
    /// PEM, percent-encoded as in a URL.
    EscapedPem,
    /// The elements of Envoy.
    Elements,
}

/// Fields of standards and of common proxies. The `http` crate has no constants for them.
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const X_AMZN_MTLS_CLIENTCERT_LEAF: HeaderName =
    HeaderName::from_static("x-amzn-mtls-clientcert-leaf");
const SSL_CLIENT_CERT: HeaderName = HeaderName::from_static("ssl-client-cert");
const X_FORWARDED_CLIENT_CERT: HeaderName = HeaderName::from_static("x-forwarded-client-cert");

/// The longest field value that is read, in bytes.
const MAX_FIELD: usize = 16 * 1024;

impl CertificateSource {
    /// Uses the certificate of the TLS connection, for services that terminate TLS themselves. The
    /// server inserts a [`PeerCertificate`] into the extensions of each request, if the client has
    /// one.
    pub const fn connection() -> Self {
        Self { proxy: None }
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
        Self::from_proxy(CLIENT_CERT, CertificateForm::ByteSequence, proxies)
    }

    /// Uses the certificate that a proxy with one of these addresses sends in `ssl-client-cert`: as
    /// PEM, percent-encoded. nginx sends it with
    /// `proxy_set_header ssl-client-cert $ssl_client_escaped_cert;`, which also removes the field
    /// from client requests.
    ///
    /// The proxy must set or remove the field in each request, on every host and port that leads to this service. The
    /// ingress controller ingress-nginx does so only for an Ingress with `auth-tls-secret` and
    /// `auth-tls-pass-certificate-to-upstream: "true"`; for any other Ingress it forwards the field of the client. With
    /// `auth-tls-verify-client: optional_no_ca`, it also sends certificates that it has not verified.
    ///
    /// # Errors
    ///
    /// The same as for [`client_cert`](Self::client_cert).
    pub fn ssl_client_cert(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxy(SSL_CLIENT_CERT, CertificateForm::EscapedPem, proxies)
    }

    /// Uses the certificate that an Application Load Balancer of AWS sends in `X-Amzn-Mtls-Clientcert-Leaf`, as PEM that
    /// is percent-encoded: its listener has mutual TLS in the mode "verify". The proxies are the subnets of the load
    /// balancer.
    ///
    /// Every listener and every other way to this service has to be in that mode, or the field of a client could arrive
    /// here. In the mode "passthrough", the load balancer does not verify certificates, and sends the chain in
    /// `X-Amzn-Mtls-Clientcert`, which is not read.
    ///
    /// # Errors
    ///
    /// The same as for [`client_cert`](Self::client_cert).
    pub fn x_amzn_mtls_clientcert_leaf(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxy(
            X_AMZN_MTLS_CLIENTCERT_LEAF,
            CertificateForm::EscapedPem,
            proxies,
        )
    }

    /// Uses the certificate that an Envoy with one of these addresses describes in `X-Forwarded-Client-Cert`, as the
    /// sidecars of Istio do: by its hash, and by the certificate or its names, as far as
    /// `set_current_client_cert_details` selects them.
    ///
    /// The last element counts, which this proxy has added for its own client: with
    /// `forward_client_cert_details: SANITIZE_SET` it is the only one, with `APPEND_FORWARD` the earlier ones
    /// describe the clients of earlier proxies. With other values, an element of a client could be the last one.
    ///
    /// An element has a `Hash` of 64 hexadecimal digits or a `Cert`. If it has both, they must agree, and the names
    /// are those of the certificate. `Hash`, `Cert` and `Subject` occur at most once, `URI` and `DNS` together at
    /// most 64 times. Other keys are ignored.
    ///
    /// Envoy does not quote the values of `URI` and `DNS`. The authority must not sign names with commas or
    /// semicolons, which could start another element or another name. With a `Cert`, names are read from it.
    ///
    /// # Errors
    ///
    /// The same as for [`client_cert`](Self::client_cert).
    pub fn x_forwarded_client_cert(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxy(X_FORWARDED_CLIENT_CERT, CertificateForm::Elements, proxies)
    }

    fn from_proxy(
        name: HeaderName,
        form: CertificateForm,
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        let proxies = TrustedProxies::new(proxies)?;
        Ok(Self {
            proxy: Some(ProxyField {
                name,
                form,
                proxies,
            }),
        })
    }

    /// The field of the proxy, if one sends the certificate.
    pub(super) fn field(&self) -> Option<&HeaderName> {
        self.proxy.as_ref().map(|field| &field.name)
    }

    /// Returns the certificate of the client. `None` if there is none, or no trusted one.
    pub(super) fn of(&self, credentials: &Credentials<'_>) -> Option<PeerCertificate> {
        self.find(credentials).ok().flatten()
    }

    /// Returns the certificate of the client. `None` if there is none, or if the peer is not a proxy.
    pub(super) fn find(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<PeerCertificate>, Unreadable> {
        let Some(field) = &self.proxy else {
            return Ok(credentials.extensions().get().cloned());
        };
        let Some(line) = only_line(credentials.headers(), &field.name) else {
            return Ok(None);
        };
        if !is_from_proxy(&field.proxies, credentials, &field.name) {
            return Ok(None);
        }
        let text = line.and_then(|line| line.to_str().ok());
        let text = text.filter(|text| text.len() <= MAX_FIELD);
        let certificate = text.and_then(|text| field.form.read(text.trim_matches([' ', '\t'])));
        if certificate.is_none() {
            tracing::warn!(field = %field.name, "a proxy sent a client certificate that cannot be read");
        }
        certificate.map(Some).ok_or(Unreadable)
    }
}

/// A field of a proxy that does not contain exactly one certificate.
pub(super) struct Unreadable;

impl CertificateForm {
    /// Parses a field value.
    fn read(self, value: &str) -> Option<PeerCertificate> {
        /// The leniency that RFC 8941 §4.2.7 requires of a parser.
        const BYTES: GeneralPurpose = GeneralPurpose::new(
            &alphabet::STANDARD,
            GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let der = match self {
            Self::ByteSequence => {
                let inner = value.strip_prefix(':')?.strip_suffix(':')?;
                BYTES.decode(inner).ok()?
            }
            Self::EscapedPem => escaped_pem(value)?,
            Self::Elements => return forwarded::read(value, escaped_pem),
        };
        (!der.is_empty()).then(|| PeerCertificate::new(der))
    }
}

/// Parses a single certificate. With a chain, the proved key would be ambiguous.
fn escaped_pem(value: &str) -> Option<Vec<u8>> {
    let pem = percent_decode_str(value).decode_utf8().ok()?;
    let inner = pem
        .trim()
        .strip_prefix("-----BEGIN CERTIFICATE-----")?
        .strip_suffix("-----END CERTIFICATE-----")?;
    let lines: String = inner.lines().map(str::trim).collect();
    let der = STANDARD.decode(lines).ok()?;
    (!der.is_empty()).then_some(der)
}
