//! A client's side of Digest (RFC 7616), written apart from the crate's.

use md5::Md5;
use sha2::{Digest, Sha256};

/// What a client hashes to answer a challenge.
#[derive(Clone, Debug)]
pub struct Login {
    /// `SHA-256` or `MD5`.
    pub algorithm: String,
    /// Who logs in.
    pub user: String,
    /// Into what.
    pub realm: String,
    /// With what.
    pub password: String,
    /// What the server said.
    pub nonce: String,
    /// The request's method.
    pub method: String,
    /// The request's target.
    pub uri: String,
    /// How often the nonce was used, in eight hexadecimal digits.
    pub count: String,
    /// What the client says.
    pub client_nonce: String,
}

impl Login {
    /// The first answer of a client to a challenge, for a `GET`.
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

    /// RFC 7616 §3.4.1, with `qop=auth`.
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

    /// What stands for the name where names are hashed (RFC 7616 §3.4.4).
    pub fn user_hash(&self) -> String {
        hash(&self.algorithm, &format!("{}:{}", self.user, self.realm))
    }

    /// The value of `Authorization`.
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
