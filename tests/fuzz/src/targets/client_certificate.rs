//! The certificate fields of proxies (RFC 9440, and nginx), for tokens that are bound to a certificate.

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::{Bearer, CertificateSource, PeerCertificate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::jwt::{bound_token, verifier};
use super::proxy_identity::is_of_proxy;
use super::requests::{Sent, fill};
use super::service::{Service, Subject, bound_router_of, service};
use crate::{Check, Outcome, Target};

/// In place of DER, which the field is not parsed as.
const CERTIFICATE: &[u8] = b"the certificate of ann, in DER";

pub(super) const TARGET: Target = Target {
    name: "client_certificate",
    cost: 2,
    dictionary: &[
        "@peer: 10.0.0.7:4711",
        "@peer: 10.0.0.8:4711",
        "authorization: Bearer {token}",
        "client-cert: ",
        "ssl-client-cert: ",
        ":{der}:",
        "{der}",
        "{pem}",
        "-----BEGIN%20CERTIFICATE-----%0A",
        "%0A-----END%20CERTIFICATE-----%0A",
        "%2B",
        "%3D",
        ":",
        "x-forwarded-client-cert: ",
    ],
    start,
};

fn start() -> Check {
    let mut checks = [false, true].map(|as_pem| service(Certificates { as_pem }));
    Box::new(move |input| Outcome::of_all(checks.each_mut().map(|check| check(input))))
}

struct Certificates {
    as_pem: bool,
}

impl Subject for Certificates {
    fn router(&self) -> ProtectedRouter {
        let proxies = ["10.0.0.7/32".parse().expect("a network")];
        let source = if self.as_pem {
            CertificateSource::ssl_client_cert(proxies)
        } else {
            CertificateSource::client_cert(proxies)
        };
        bound_router_of(Bearer::jwt(verifier()).client_certificate(source.expect("a proxy")))
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        let thumbprint = PeerCertificate::new(CERTIFICATE);
        let token = bound_token(&json!({ "x5t#S256": thumbprint.thumbprint() }));
        let der = STANDARD.encode(CERTIFICATE);
        let escaped = der.replace('+', "%2B").replace('=', "%3D");
        let pem =
            format!("-----BEGIN%20CERTIFICATE-----%0A{escaped}%0A-----END%20CERTIFICATE-----%0A");
        fill(input, &[("token", &token), ("der", &der), ("pem", &pem)])
    }

    /// The field of the proxy has the bytes of the certificate, in any form of Base64.
    fn may_be_granted(&self, sent: &Sent) -> bool {
        let name = if self.as_pem {
            "ssl-client-cert"
        } else {
            "client-cert"
        };
        let letters = |text: &str| -> String {
            let text = percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned();
            text.chars()
                .filter(|letter| !letter.is_whitespace())
                .collect()
        };
        let encoded = STANDARD.encode(CERTIFICATE);
        let encoded = encoded.trim_end_matches('=');
        is_of_proxy(sent)
            && sent
                .only(name)
                .is_some_and(|value| letters(value).contains(encoded))
    }
}
