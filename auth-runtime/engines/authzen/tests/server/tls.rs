//! TLS, with an authority of the tests.

use std::process::Command;
use std::sync::Arc;

use auth_runtime_authzen::AuthZen;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::pdp::Pdp;
use crate::{TIMEOUT, ask, own};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Serves one granting response for each connection, with a certificate for `name`.
async fn serve(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> String {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = vec![0; 64 * 1024];
            let _ = stream.read(&mut request).await;
            let body = r#"{"decision":true}"#;
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
            let response = format!("{head} {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(response.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test]
async fn only_the_configured_authority_is_trusted() {
    let (ours, other) = (authority(), authority());
    let url = serve(&ours, "localhost").await;
    let engine = || AuthZen::builder().url(&url).timeout(TIMEOUT * 4);
    let trusting = engine().ca_certificates(ours.pem()).build().unwrap();
    assert!(ask(&trusting, &[own("read")]).await.unwrap()[0].is_allowed());
    let trusting_other = engine().ca_certificates(other.pem()).build().unwrap();
    assert!(ask(&trusting_other, &[own("read")]).await.is_err());
    let trusting_system = engine().build().unwrap();
    assert!(ask(&trusting_system, &[own("read")]).await.is_err());
    let url = serve(&ours, "pdp.example").await;
    let misnamed = AuthZen::builder().url(&url).ca_certificates(ours.pem());
    assert!(
        ask(&misnamed.build().unwrap(), &[own("read")])
            .await
            .is_err()
    );
}

/// The proxies are those of the environment, so this test runs in a process of its own.
#[tokio::test]
async fn plain_http_requests_use_no_proxy() {
    if std::env::var_os("IS_BEHIND_PROXIES").is_none() {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "tls::plain_http_requests_use_no_proxy"]);
        // No proxy is there.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "IS_BEHIND_PROXIES"] {
            test.env(name, "http://127.0.0.1:1");
        }
        for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
            test.env_remove(name);
        }
        let output = test.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    let (pdp, ours) = (Pdp::start(), authority());
    let url = serve(&ours, "localhost").await;
    let engine = || AuthZen::builder().timeout(TIMEOUT * 4);
    for (builder, is_reached) in [
        (engine().url_over_plain_http(pdp.url()), true),
        (engine().url(pdp.url()), true),
        (engine().url(url).ca_certificates(ours.pem()), false),
    ] {
        let decided = ask(&builder.build().unwrap(), &[own("read")]).await;
        assert_eq!(decided.is_ok(), is_reached, "{decided:?}");
    }
}
