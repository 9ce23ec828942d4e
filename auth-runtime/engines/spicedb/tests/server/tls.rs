//! TLS, with an authority of the tests.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::pdp::Pdp;
use crate::{TIMEOUT, ask, assert_it_decides, engine_at, read};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Forwards connections to the server, with a certificate for `name`.
async fn serve(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, port: u16) -> String {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn only_the_configured_authority_is_trusted() {
    let pdp = Pdp::start().await;
    let (ours, other) = (authority(), authority());
    let url = serve(&ours, "localhost", pdp.port()).await;
    let engine = |url: &str| engine_at(url).timeout(TIMEOUT * 4);
    let trusting = engine(&url).ca_certificates(ours.pem()).build().unwrap();
    assert_it_decides(&trusting).await;
    let seen = pdp.seen().len();
    let misnamed = serve(&ours, "spicedb.example", pdp.port()).await;
    for (name, engine) in [
        (
            "another authority",
            engine(&url).ca_certificates(other.pem()),
        ),
        ("those of the system", engine(&url)),
        (
            "another name",
            engine(&misnamed).ca_certificates(ours.pem()),
        ),
        (
            "HTTP in place of TLS",
            engine(&pdp.url().replace("http://127.0.0.1", "https://localhost")),
        ),
    ] {
        let decided = ask(&engine.build().unwrap(), &[read("own")]).await;
        let error = decided.expect_err(name).to_string();
        assert!(error.contains("the connection failed"), "{name}: {error}");
    }
    assert_eq!(pdp.seen().len(), seen);
}
