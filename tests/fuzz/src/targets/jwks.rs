//! Key sets (RFC 7517): each input is one, in which `{x}` and `{y}` are the coordinates of a key, and
//! `{n}` is the modulus of another.

use auth_runtime::schemes::{Bearer, Jwt};
use auth_tests::proof::ProofKey;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::jwt::{AUDIENCE, ISSUER, sign};
use super::requests::{Sent, fill, position};
use super::service::{NOW, SHOWN, Service, clock, router_of};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "jwks",
    cost: 1,
    dictionary: &[
        "{\"keys\":[",
        "]}",
        "\"kty\":\"EC\"",
        "\"kty\":\"RSA\"",
        "\"kty\":\"OKP\"",
        "\"kty\":\"oct\"",
        "\"crv\":\"P-256\"",
        "\"crv\":\"P-384\"",
        "\"crv\":\"Ed25519\"",
        "\"x\":\"{x}\"",
        "\"y\":\"{y}\"",
        "\"kid\":\"k\"",
        "\"kid\":null",
        "\"use\":\"sig\"",
        "\"use\":\"enc\"",
        "\"key_ops\":[\"verify\"]",
        "\"key_ops\":[\"sign\"]",
        "\"alg\":\"ES256\"",
        "\"alg\":\"none\"",
        "\"alg\":\"RS256\"",
        "\"n\":\"AQAB\"",
        "\"e\":\"AQAB\"",
        "\"k\":\"AQAB\"",
        "\"d\":\"AQAB\"",
        "\"x5c\":[]",
        ",",
        "{}",
        "null",
    ],
    start,
};

fn start() -> Check {
    let key = ProofKey::new();
    let jwk = key.jwk();
    let signing = EncodingKey::from_ec_pem(key.private_pem().as_bytes()).expect("a key");
    let claims = serde_json::json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 600,
    });
    let header = br#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#;
    let token = sign(
        header,
        claims.to_string().as_bytes(),
        &signing,
        Algorithm::ES256,
    );
    let request = format!("GET\nauthorization: Bearer {token}");
    let sent = Sent::parse(request.as_bytes(), SHOWN).expect("a request");
    let coordinate = |name: &str| jwk[name].as_str().expect("a text").to_owned();
    let (x, y) = (coordinate("x"), coordinate("y"));
    Box::new(move |input| {
        let document = fill(input, &[("x", &x), ("y", &y)]);
        let text = String::from_utf8_lossy(&document);
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .jwks(&text)
            .clock(clock())
            .build();
        let jwt = match jwt {
            Ok(jwt) => jwt,
            Err(error) => return Outcome::of_messages([error.to_string()]),
        };
        let service = Service::new(router_of(Bearer::jwt(jwt)));
        let answer = service.respond(sent.to_request());
        answer.check(&sent);
        if answer.status == 200 {
            for coordinate in [&x, &y] {
                assert!(
                    position(&document, coordinate.as_bytes()).is_some(),
                    "{text}"
                );
            }
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let keys = value["keys"].as_array().expect("keys");
            let is_usable = |key: &&serde_json::Value| {
                key["kty"] == "EC"
                    && key["crv"] == "P-256"
                    && (key["use"].is_null() || key["use"] == "sig")
                    && (key["alg"].is_null() || key["alg"] == "ES256")
                    && (key["kid"].is_null() || key["kid"] == "k")
            };
            assert!(keys.iter().any(|key| is_usable(&key)), "{text}");
        }
        Outcome::of((
            answer.status.as_u16(),
            answer.lines("www-authenticate").concat(),
        ))
        .of_decision(answer.status == 200)
    })
}
