//! The certificate fields of proxies (RFC 9440, and nginx), for tokens that are bound to a certificate.

use auth_runtime::routing::get;
use auth_runtime::schemes::{Bearer, CertificateSource, Jwt, JwtKey, PeerCertificate};
use auth_runtime::{GuardedRouter, ProtectedRouter, ProtectionSpace, requires};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::jwt::{AUDIENCE, ISSUER, sign};
use super::proxy_identity::is_of_proxy;
use super::requests::{Sent, fill};
use super::service::{HIDDEN, NOW, SHOWN, Service, Subject, clock, service};
use crate::{Check, Outcome, Target};

const SECRET: &[u8] = b"only the fuzzer knows this secret of many bytes";
/// In place of DER, which the field is not parsed as.
const CERTIFICATE: &[u8] = b"the certificate of ann, in DER";

pub(super) const TARGET: Target = Target {
    name: "client_certificate",
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

#[requires(sender_constrained)]
async fn shown() -> &'static str {
    "shown"
}

#[requires(role = "a role of nobody", hide_as = 404)]
async fn hidden() -> &'static str {
    "the secret"
}

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
        let certificate = match self.as_pem {
            true => CertificateSource::ssl_client_cert(proxies),
            false => CertificateSource::client_cert(proxies),
        };
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .key(JwtKey::hs256(SECRET).expect("it is long enough"))
            .clock(clock());
        let bearer = Bearer::jwt(jwt.build().expect("a verifier"))
            .client_certificate(certificate.expect("a proxy"));
        let space = ProtectionSpace::builder().realm("fuzz").scheme(bearer);
        GuardedRouter::new()
            .route(SHOWN, get(shown).post(shown))
            .route(HIDDEN, get(hidden).post(hidden))
            .protect(space.build().expect("a space"))
            .expect("the routes fit to the space")
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        let thumbprint = PeerCertificate::new(CERTIFICATE);
        let claims = serde_json::json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 600,
            "cnf": { "x5t#S256": thumbprint.thumbprint() },
        });
        let key = EncodingKey::from_secret(SECRET);
        let header = r#"{"alg":"HS256","typ":"at+jwt"}"#;
        let claims = claims.to_string();
        let token = sign(header.as_bytes(), claims.as_bytes(), &key, Algorithm::HS256);
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
