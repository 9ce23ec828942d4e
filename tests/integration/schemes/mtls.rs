//! Tokens that are bound to client certificates (RFC 8705), over TLS, and behind proxies that
//! terminate it.

mod authentication;
mod connections;
mod credentials;
mod envoy;
mod proxies;

use std::net::SocketAddr;

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::{CertificateSource, PeerCertificate};
use auth_tests::tls;
use auth_tests::tls::{Authority, Certified};
use sha2::{Digest, Sha256};

use crate::schemes::tokens::{rs256, rsa_verifier};
use crate::schemes::*;

#[requires(sender_constrained)]
async fn bound() {}

fn app(source: CertificateSource) -> ProtectedRouter {
    app_of(Bearer::jwt(rsa_verifier()).client_certificate(source))
}

fn app_of(bearer: Bearer) -> ProtectedRouter {
    GuardedRouter::new()
        .route("/known", get(known))
        .route("/bound", get(bound))
        .protect(space(bearer))
        .unwrap()
}

fn thumbprint(certificate: &Certified) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der()))
}

/// A token with this `cnf`.
fn token(confirmation: Value) -> String {
    rs256(json!({ "cnf": confirmation }))
}

fn bound_token(certificate: &Certified) -> String {
    token(json!({ "x5t#S256": thumbprint(certificate) }))
}

/// The certificate of the client, and that of another client.
struct Clients {
    authority: Authority,
    own: Certified,
    other: Certified,
}

impl Clients {
    fn new() -> Self {
        let authority = Authority::new();
        Self {
            own: authority.certify("client.example"),
            other: authority.certify("other.example"),
            authority,
        }
    }
}

/// Returns the status, and the challenge if there is one.
async fn ask(
    address: SocketAddr,
    clients: &Clients,
    shown: Option<&Certified>,
    target: &str,
    fields: &str,
) -> (u16, String) {
    let request =
        format!("GET {target} HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n{fields}\r\n");
    let answer = tls::send_raw(address, &clients.authority, shown, request).await;
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    let challenge = answer
        .lines()
        .find_map(|line| line.strip_prefix("www-authenticate: "));
    (
        status.expect("a status"),
        challenge.unwrap_or_default().to_owned(),
    )
}
