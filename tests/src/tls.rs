//! TLS with certificates on both sides, from an authority of the tests.

use std::net::SocketAddr;
use std::sync::Arc;

use auth_runtime::schemes::PeerCertificate;
use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tower::ServiceExt;

use crate::App;

/// The name of the servers.
const HOST: &str = "api.example";

/// An authority that servers and clients trust.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate of an [`Authority`], and its key.
pub struct Certified {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    /// Creates an authority that no other side trusts.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("a certificate"))
    }

    /// Issues a certificate for `name`.
    pub fn certify(&self, name: &str) -> Certified {
        self.certify_names(&[name])
    }

    /// Issues a certificate for workloads with these URIs.
    pub fn certify_uris(&self, uris: &[&str]) -> Certified {
        let mut parameters = CertificateParams::default();
        let uris = uris.iter().map(|uri| (*uri).try_into().expect("ASCII"));
        parameters.subject_alt_names = uris.map(SanType::URI).collect();
        self.certify_parameters(&parameters)
    }

    fn certify_names(&self, names: &[&str]) -> Certified {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        self.certify_parameters(&CertificateParams::new(names).expect("names"))
    }

    fn certify_parameters(&self, parameters: &CertificateParams) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        Certified { certificate, key }
    }

    /// The certificate of the authority.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("a certificate");
        Arc::new(roots)
    }

    /// Requests a certificate of this authority from clients, but also accepts clients without one.
    fn acceptor(&self) -> TlsAcceptor {
        let own = self.certify_names(&[HOST, "localhost"]);
        let clients = WebPkiClientVerifier::builder_with_provider(self.roots(), provider())
            .allow_unauthenticated()
            .build();
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("it knows TLS 1.3")
            .with_client_cert_verifier(clients.expect("an authority"))
            .with_single_cert(own.chain(), own.private_key());
        TlsAcceptor::from(Arc::new(config.expect("the key is the certificate's")))
    }

    fn connector(&self, client: Option<&Certified>) -> TlsConnector {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("it knows TLS 1.3")
            .with_root_certificates(self.roots());
        let config = match client {
            Some(own) => config
                .with_client_auth_cert(own.chain(), own.private_key())
                .expect("the key is the certificate's"),
            None => config.with_no_client_auth(),
        };
        TlsConnector::from(Arc::new(config))
    }
}

impl Certified {
    /// The certificate, in DER.
    pub fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The certificate, in PEM.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its key, in PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Serves `app` over TLS on a free port as long as the test's runtime lives, with the certificate
/// of each client.
pub async fn serve(app: impl App, authority: &Authority) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let tls = authority.acceptor();
    tokio::spawn(async move {
        while let Ok((stream, address)) = listener.accept().await {
            tokio::spawn(serve_one(stream, address, tls.clone(), app.clone()));
        }
    });
    address
}

/// The same code as in the documentation of `PeerCertificate`.
async fn serve_one(stream: TcpStream, address: SocketAddr, tls: TlsAcceptor, app: impl App) {
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let (_, connection) = stream.get_ref();
    let chain = connection.peer_certificates().unwrap_or_default();
    let certificate = chain.first().map(PeerCertificate::new);
    let service = hyper::service::service_fn(move |request: http::Request<_>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(address);
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        app.clone().oneshot(request)
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    let stream = TokioIo::new(stream);
    let _ = connection
        .serve_connection_with_upgrades(stream, service)
        .await;
}

/// Sends the bytes of `request` over TLS, with the client's certificate if it has one, and returns
/// the response like [`send_raw`](crate::send_raw).
pub async fn send_raw(
    address: SocketAddr,
    authority: &Authority,
    client: Option<&Certified>,
    request: impl Into<Vec<u8>>,
) -> String {
    let request = request.into();
    let stream = TcpStream::connect(address).await.expect("it listens");
    let name = ServerName::try_from(HOST).expect("a name");
    let stream = authority.connector(client).connect(name, stream).await;
    let mut stream = stream.expect("they trust each other");
    let mut answer = Vec::new();
    stream.write_all(&request).await.expect("it reads");
    // A server may close the connection without a TLS alert.
    let _ = stream.read_to_end(&mut answer).await;
    crate::without_date(&answer)
}
