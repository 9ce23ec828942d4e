//! A client whose tokens are bound to its key, and what it is told.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_tests::token;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::json;
use sha2::{Digest, Sha256};

pub(crate) const ORIGIN: &str = "https://api.example";

pub(crate) struct Client {
    key: KeyPair,
    jwk: Jwk,
    pub(crate) token: String,
}

/// What a client sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenge: Option<String>,
    pub(crate) retry_after: Option<String>,
}

pub(crate) static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key");
    let point = key.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let jwk: Jwk = serde_json::from_value(jwk).expect("a key");
    let thumbprint = jwk
        .thumbprint(ThumbprintHash::SHA256)
        .expect("a thumbprint");
    let token = token(json!({ "cnf": { "jkt": thumbprint } }));
    Client { key, jwk, token }
});

impl Client {
    /// A proof of this name for a request to `/`.
    pub(crate) fn proof(&self, name: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let claims = json!({
            "jti": name, "htm": "GET", "htu": format!("{ORIGIN}/"),
            "iat": now.expect("after 1970").as_secs(),
            "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(&self.token)),
        });
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.jwk.clone());
        let key = EncodingKey::from_ec_pem(self.key.serialize_pem().as_bytes());
        encode(&header, &claims, &key.expect("a key")).expect("a proof")
    }

    pub(crate) async fn send(&self, address: SocketAddr, proof: &str) -> Answer {
        let Self { token, .. } = self;
        get(
            address,
            &format!("authorization: DPoP {token}\r\ndpop: {proof}\r\n"),
        )
        .await
    }
}

pub(crate) async fn get(address: SocketAddr, fields: &str) -> Answer {
    let request =
        format!("GET / HTTP/1.1\r\nhost: api.example\r\nconnection: close\r\n{fields}\r\n");
    let answer = auth_tests::send_raw(address, request).await;
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    let field = |name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.to_owned())
    };
    Answer {
        status: status.expect("a status"),
        challenge: field("www-authenticate: "),
        retry_after: field("retry-after: "),
    }
}
