//! DPoP proofs (RFC 9449): the first line of an input is the header of the proof, the second one its
//! claims, and the rest is the request with `{token}` and `{proof}`.

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::Dpop;
use auth_tests::proof::{ProofKey, token_hash};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::jwt::{bound_token, parts, sign, split, verifier};
use super::requests::{Sent, fill};
use super::service::{NOW, Service, Subject, bound_router_of, clock, service};
use crate::Target;

const ORIGIN: &str = "https://api.example";

pub(super) const TARGET: Target = Target {
    name: "dpop",
    cost: 1,
    dictionary: &[
        "\"typ\":\"dpop+jwt\"",
        "\"alg\":\"ES256\"",
        "\"alg\":\"none\"",
        "\"jwk\":{jwk}",
        "\"crit\":[]",
        "\"jti\":\"{unique}\"",
        "\"htm\":\"GET\"",
        "\"htm\":\"POST\"",
        "\"htu\":\"https://api.example{path}\"",
        "https://api.example:443",
        "HTTPS://API.example",
        "/%2e%2e/",
        "/./",
        "?a=b",
        "#f",
        "\"iat\":1800000000",
        "\"exp\":1800000000",
        "\"ath\":\"{ath}\"",
        "\"nonce\":\"x\"",
        "dpop: {proof}",
        "authorization: DPoP {token}",
        "authorization: Bearer {token}",
        "null",
        ",",
        "POST ",
    ],
    start: || service(Proofs::new()),
};

struct Proofs {
    key: ProofKey,
    signing: EncodingKey,
    token: String,
    /// The number of requests.
    number: u64,
}

impl Proofs {
    fn new() -> Self {
        let key = ProofKey::new();
        let signing = EncodingKey::from_ec_pem(key.private_pem().as_bytes());
        Self {
            token: bound_token(&json!({ "jkt": key.thumbprint() })),
            signing: signing.expect("a signing key"),
            key,
            number: 0,
        }
    }
}

impl Subject for Proofs {
    fn router(&self) -> ProtectedRouter {
        let dpop = Dpop::jwt(verifier()).origin(ORIGIN).clock(clock());
        bound_router_of(dpop.build().expect("the scheme is in order"))
    }

    fn fill(&mut self, input: &[u8], path: &str, _: &Service) -> Vec<u8> {
        self.number += 1;
        let (jwk, unique) = (self.key.jwk().to_string(), self.number.to_string());
        let hash = token_hash(&self.token);
        let values = [
            ("path", path),
            ("jwk", &jwk),
            ("unique", &unique),
            ("ath", &hash),
        ];
        let input = fill(input, &values);
        let (header, claims, request) = split(&input);
        let proof = sign(header, claims, &self.signing, Algorithm::ES256);
        fill(request, &[("token", &self.token), ("proof", &proof)])
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        let Some([header, claims]) = sent.only("dpop").and_then(parts) else {
            return false;
        };
        let own = self.key.jwk();
        let is_own = |name: &str| header["jwk"][name] == own[name];
        let made = claims["iat"].as_f64().unwrap_or_default();
        let unique = claims["jti"].as_str().unwrap_or_default();
        let target = claims["htu"]
            .as_str()
            .and_then(|url| url::Url::parse(url).ok());
        let has_token = sent.only("authorization").is_some_and(|line| {
            let scheme = line.get(..5).unwrap_or_default();
            scheme.eq_ignore_ascii_case("dpop ") && line.ends_with(&self.token)
        });
        has_token
            && header["typ"]
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("dpop+jwt"))
            && header["alg"] == "ES256"
            && header.get("crit").is_none()
            && ["kty", "crv", "x", "y"].into_iter().all(is_own)
            && header["jwk"].get("d").is_none_or(Value::is_null)
            && claims["htm"] == sent.method.as_str()
            && claims["ath"] == token_hash(&self.token)
            && (made - NOW as f64).abs() <= 120.0
            && !unique.is_empty()
            && target.is_some_and(|url| url.path() == sent.uri.path())
    }
}
