//! The client's side of Digest (RFC 7616), independent of the crate's implementation.

use md5::Md5;
use sha2::{Digest, Sha256};

/// The input of a client's response to a challenge.
#[derive(Clone, Debug)]
pub struct Login {
    /// `SHA-256` or `MD5`.
    pub algorithm: String,
    /// The user name.
    pub user: String,
    /// The realm.
    pub realm: String,
    /// The password.
    pub password: String,
    /// The nonce of the server.
    pub nonce: String,
    /// The request's method.
    pub method: String,
    /// The request's target.
    pub uri: String,
    /// The number of uses of the nonce, in eight hexadecimal digits.
    pub count: String,
    /// The nonce of the client.
    pub client_nonce: String,
}

impl Login {
    /// Creates a client's first response to a challenge, for a `GET`.
    pub fn new(algorithm: &str, user: &str, realm: &str, password: &str) -> Self {
        Self {
            algorithm: algorithm.to_owned(),
            user: user.to_owned(),
            realm: realm.to_owned(),
            password: password.to_owned(),
            nonce: String::new(),
            method: "GET".to_owned(),
            uri: "/".to_owned(),
            count: "00000001".to_owned(),
            client_nonce: "0a4f113b".to_owned(),
        }
    }

    /// Returns the hash of RFC 7616 §3.4.1, with `qop=auth`.
    pub fn response(&self) -> String {
        let hash = |text: String| hash(&self.algorithm, &text);
        let Self {
            user,
            realm,
            password,
            nonce,
            method,
            uri,
            count,
            client_nonce,
            ..
        } = self;
        let secret = hash(format!("{user}:{realm}:{password}"));
        let request = hash(format!("{method}:{uri}"));
        hash(format!(
            "{secret}:{nonce}:{count}:{client_nonce}:auth:{request}"
        ))
    }

    /// Returns the hash that replaces the user name (RFC 7616 §3.4.4).
    pub fn user_hash(&self) -> String {
        hash(&self.algorithm, &format!("{}:{}", self.user, self.realm))
    }

    /// Returns the value of `Authorization`.
    pub fn authorization(&self) -> String {
        let quoted = |text: &str| format!("{:?}", text);
        format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={}, qop=auth, nc={}, \
             cnonce={}, response={}",
            quoted(&self.user),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(&self.uri),
            self.algorithm,
            self.count,
            quoted(&self.client_nonce),
            quoted(&self.response()),
        )
    }
}

fn hash(algorithm: &str, text: &str) -> String {
    let bytes = match algorithm {
        "SHA-256" => Sha256::digest(text).to_vec(),
        "MD5" => Md5::digest(text).to_vec(),
        other => panic!("no test hashes with {other}"),
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
