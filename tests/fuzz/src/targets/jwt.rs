//! JWTs (RFC 7519, RFC 9068): the first line of an input is the header, the second one the claims, and the
//! rest is the request with `{token}`.

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::{Bearer, Jwt, JwtKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use super::requests::{Sent, fill};
use super::service::{Answer, NOW, Service, Subject, clock, router_of, service};
use crate::Target;

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "https://api.example";
const SECRET: &[u8] = b"only the fuzzer knows this secret of many bytes";

pub(super) const TARGET: Target = Target {
    name: "jwt",
    cost: 1,
    dictionary: &[
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
        "\"alg\":\"none\"",
        "\"alg\":\"RS256\"",
        "\"kid\":\"k\"",
        "\"typ\":\"JWT\"",
        "\"typ\":\"application/at+jwt\"",
        "\"typ\":\"dpop+jwt\"",
        "\"crit\":[\"b64\"]",
        "\"b64\":false",
        "\"iss\":\"https://issuer.example\"",
        "\"aud\":[\"https://api.example\"]",
        "\"sub\":\"ann\"",
        "\"client_id\":\"ann\"",
        "\"exp\":1800000600",
        "\"nbf\":1800000000",
        "\"iat\":1800000000",
        "\"auth_time\":1800000000",
        "\"scope\":\"a b\"",
        "\"scp\":[\"a\"]",
        "\"cnf\":{\"jkt\":\"x\"}",
        "\"cnf\":",
        "\"amr\":[\"mfa\"]",
        "\"acr\":\"1\"",
        "\"events\":{}",
        "\"at_hash\":\"x\"",
        "\"token_use\":\"id\"",
        "\"token_use\":\"access\"",
        "\"typ\":\"Refresh\"",
        "\"act\":{\"sub\":\"bob\"}",
        "null",
        "true",
        "[]",
        "{}",
        ",",
        "\\u0000",
        "\\ud800",
    ],
    start: || service(Tokens),
};

struct Tokens;

/// Splits an input in the header, the claims, and the request.
pub(super) fn split(input: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    (next(), next(), next())
}

/// Returns a signed token of any bytes.
pub(super) fn sign(header: &[u8], claims: &[u8], key: &EncodingKey, by: Algorithm) -> String {
    let input = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), key, by);
    format!("{input}.{}", signature.expect("a signature"))
}

/// Returns the verifier of the tokens that this secret signs.
pub(super) fn verifier() -> Jwt {
    let jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(JwtKey::hs256(SECRET).expect("it is long enough"))
        .clock(clock());
    jwt.build().expect("a verifier")
}

/// Returns a valid token with this claim `cnf`.
pub(super) fn bound_token(confirmation: &Value) -> String {
    let claims = serde_json::json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 600, "cnf": confirmation,
    });
    signed(&claims.to_string())
}

/// Returns a token with these claims, which the verifier accepts.
pub(super) fn signed(claims: &str) -> String {
    let header = br#"{"alg":"HS256","typ":"at+jwt"}"#;
    let key = EncodingKey::from_secret(SECRET).expect("a secret");
    sign(header, claims.as_bytes(), &key, Algorithm::HS256)
}

/// The JSON objects of a token.
pub(super) fn parts(token: &str) -> Option<[Value; 2]> {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice(&bytes).ok()
    });
    Some([parts.next()??, parts.next()??])
}

impl Subject for Tokens {
    fn router(&self) -> ProtectedRouter {
        router_of(Bearer::jwt(verifier()))
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        let (header, claims, request) = split(input);
        let key = EncodingKey::from_secret(SECRET).expect("a secret");
        let token = sign(header, claims, &key, Algorithm::HS256);
        fill(request, &[("token", &token)])
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        let token = sent.credentials();
        let Some([header, claims]) = token.and_then(|(_, token)| parts(token)) else {
            return false;
        };
        let kind = header["typ"].as_str().unwrap_or("JWT").to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        let audience = match &claims["aud"] {
            Value::Array(several) => several.iter().any(|one| one == AUDIENCE),
            one => one == AUDIENCE,
        };
        let is_absent = |name: &str| claims.get(name).is_none();
        let is_named = |name: &str, values: &[&str]| {
            let value = claims[name].as_str().map(str::to_ascii_lowercase);
            value.is_some_and(|value| values.contains(&&*value))
        };
        let is_access =
            claims["token_use"].is_null() || is_named("token_use", &["access", "access_token"]);
        // With a tolerance that is larger than that of the verifier.
        let is_after = |claim: &Value, time: u64| claim.as_f64().is_some_and(|it| it > time as f64);
        header["alg"] == "HS256"
            && header.get("crit").is_none()
            && ["jwt", "at+jwt"].contains(&kind)
            && ["cnf", "events", "at_hash", "c_hash"]
                .into_iter()
                .all(is_absent)
            && is_access
            && !is_named("typ", &["id", "refresh", "offline", "logout"])
            && claims["iss"] == ISSUER
            && audience
            && is_after(&claims["exp"], NOW - 300)
            && !is_after(&claims["nbf"], NOW + 300)
            && claims["sub"]
                .as_str()
                .is_some_and(|subject| !subject.is_empty())
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        let token = sent.credentials();
        let [_, claims] = token.and_then(|(_, token)| parts(token)).expect("a token");
        if sent.method != "HEAD" {
            assert_eq!(
                claims["sub"].as_str().map(str::as_bytes),
                Some(&*answer.body)
            );
        }
    }
}
