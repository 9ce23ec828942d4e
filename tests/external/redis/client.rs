//! A client with tokens that are bound to its key.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_tests::proof::ProofKey;
use auth_tests::token;
use serde_json::json;

pub(crate) const ORIGIN: &str = "https://api.example";

pub(crate) struct Client {
    key: ProofKey,
    pub(crate) token: String,
}

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenge: Option<String>,
    pub(crate) retry_after: Option<String>,
}

pub(crate) static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let key = ProofKey::new();
    let token = token(json!({ "cnf": { "jkt": key.thumbprint() } }));
    Client { key, token }
});

impl Client {
    /// Creates a proof with this id for a request to `/`.
    pub(crate) fn proof(&self, name: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = i64::try_from(now.expect("after 1970").as_secs()).expect("before year 9999");
        let url = format!("{ORIGIN}/");
        let mut claims = self.key.claims("GET", &url, &self.token, now);
        claims["jti"] = json!(name);
        self.key.sign(&self.key.header(), &claims)
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
