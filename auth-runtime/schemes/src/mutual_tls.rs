//! Client certificates as credentials.

use std::fmt;

use auth_runtime_core::{Caller, Credentials, Rejection, Scheme, Source, Verification};
use http::HeaderName;

use crate::certificate_source::{CertificateSource, PeerCertificate};
use crate::origin::TrustedOrigins;

/// Callers that the certificate of their TLS connection identifies, without a token.
///
/// ```
/// use auth_runtime::schemes::{CertificateSource, MutualTls};
/// use auth_runtime::{Caller, Identity, ProtectionSpace};
///
/// # async fn find(_thumbprint: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
/// let devices = MutualTls::new(CertificateSource::connection(), async |certificate| {
///     match find(certificate.thumbprint()).await {
///         Ok(Some(device)) => Caller::known(Identity::new(device)),
///         Ok(None) => Caller::rejected(),
///         Err(error) => {
///             tracing::error!(%error, "devices cannot be looked up");
///             Caller::unverifiable()
///         }
///     }
/// });
/// let space = ProtectionSpace::builder().realm("fleet").scheme(devices).build()?;
/// # Ok::<(), auth_runtime::SpaceError>(())
/// ```
///
/// The TLS server or the proxy verifies the chain of the certificate, its validity and its revocation.
/// It must accept only certificates of authorities that issue them for this purpose.
/// The function of the service decides which of these certificates belongs to a caller. Its future is awaited only
/// for a request that this certificate decides.
///
/// All requests of a connection have the certificate. Therefore explicit credentials beside it count alone, and so
/// does the cookie of a live session. An identity by a certificate is
/// [`sender_constrained`](auth_runtime_core::Identity::with_sender_constraint).
///
/// | certificate | caller |
/// |---|---|
/// | none, or in the field of a peer that is not a proxy | anonymous |
/// | a field of a proxy that cannot be read, or occurs twice | rejected, and logged |
/// | of a state-changing request or a WebSocket handshake that another site causes in a browser ([`TrustedOrigins`]) | rejected |
/// | another | the result of the function |
///
/// HTTP has no registered authentication scheme for certificates, but a 401 requires a challenge (RFC 9110
/// §15.5.2). The [name](Self::scheme_name) of the scheme in challenges, `MutualTLS`, is not registered. Browsers and most clients ignore
/// it: they choose their certificate when they connect.
pub struct MutualTls {
    name: String,
    source: CertificateSource,
    origins: TrustedOrigins,
    identify: IdentifyByCertificate,
}

type IdentifyByCertificate = Box<dyn Fn(PeerCertificate) -> Verification + Send + Sync>;

impl MutualTls {
    /// Creates the scheme from the source of certificates, and the function that finds their owners.
    pub fn new<F>(
        source: CertificateSource,
        identify: impl Fn(PeerCertificate) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: Into<Caller>> + Send + 'static,
    {
        Self {
            name: "MutualTLS".to_owned(),
            source,
            origins: TrustedOrigins::default(),
            identify: Box::new(move |certificate| Verification::pending(identify(certificate))),
        }
    }

    /// Sets the name of the scheme, in its challenge and in `schemes("…")` of policies. Default: `MutualTLS`. The schemes of
    /// one space have different names.
    /// Two sources of certificates in one space, such as two proxies, also have different fields.
    #[must_use]
    pub fn scheme_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { name, ..self }
    }

    /// Allows pages of these origins to act with the certificate of a browser. Default: none but the own.
    ///
    /// ```
    /// use auth_runtime::Identity;
    /// use auth_runtime::schemes::{CertificateSource, MutualTls, TrustedOrigins};
    ///
    /// let trusted = TrustedOrigins::default().trust("https://app.example")?;
    /// let source = CertificateSource::connection();
    /// let scheme = MutualTls::new(source, async |_| Some(Identity::new("ann")));
    /// let scheme = scheme.trusted_origins(trusted);
    /// # Ok::<(), auth_runtime::schemes::TrustedOriginsError>(())
    /// ```
    #[must_use]
    pub fn trusted_origins(self, origins: TrustedOrigins) -> Self {
        Self { origins, ..self }
    }
}

impl Scheme for MutualTls {
    fn name(&self) -> &str {
        &self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Connection(self.source.field().cloned())]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        self.origins.request_fields()
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let certificate = match self.source.find(credentials) {
            Ok(Some(certificate)) => certificate,
            Ok(None) => return Verification::done(Caller::Anonymous),
            Err(_) => return Verification::done(Caller::Rejected(Rejection::Malformed)),
        };
        if !self.origins.allow(credentials) {
            return Verification::done(Caller::Rejected(Rejection::InvalidProof));
        }
        (self.identify)(certificate).map(|caller| match caller {
            Caller::Known(identity) => Caller::known(identity.with_sender_constraint()),
            caller => caller,
        })
    }

    fn constrains_sender(&self) -> bool {
        true
    }
}

impl fmt::Debug for MutualTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MutualTls")
            .field("name", &self.name)
            .field("source", &self.source)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
