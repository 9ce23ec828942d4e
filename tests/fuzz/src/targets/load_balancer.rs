//! The user claims of a load balancer (`x-amzn-oidc-data`): the first line of an input is the header, the second
//! one the claims, and the rest is the request with `{token}`, which is padded, or with `{bare}`, which is not.

use auth_runtime::ProtectedRouter;
use auth_runtime::schemes::Jwt;
use auth_tests::proof::ProofKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::Value;

use super::http_server::serve;
use super::jwt::split;
use super::requests::{Sent, fill};
use super::service::{Answer, NOW, Service, Subject, clock, router_of, service};
use crate::{Check, Target};

const ISSUER: &str = "https://login.shop.example";
const CLIENT: &str = "orders";
const BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
const KID: &str = "own-key";

pub(super) const TARGET: Target = Target {
    name: "load_balancer",
    cost: 2,
    dictionary: &[
        "\"alg\":\"ES256\"",
        "\"alg\":\"none\"",
        "\"alg\":\"HS256\"",
        "\"kid\":\"own-key\"",
        "\"kid\":\"other-key\"",
        "\"kid\":\"down\"",
        "\"kid\":\"../own-key\"",
        "\"signer\":\"arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188\"",
        "\"signer\":\"arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/other/50dc6c495c0c9188\"",
        "\"iss\":\"https://login.shop.example\"",
        "\"iss\":\"https://other.example\"",
        "\"client\":\"orders\"",
        "\"client\":\"other\"",
        "\"aud\":\"orders\"",
        "\"exp\":1800000600",
        "\"exp\":1",
        "\"exp\":\"1800000600\"",
        "\"nbf\":1900000000",
        "\"typ\":\"JWT\"",
        "\"typ\":\"at+jwt\"",
        "\"crit\":[\"b64\"]",
        "\"sub\":\"ann\"",
        "\"sub\":\"\"",
        "\"cnf\":{\"jkt\":\"x\"}",
        "\"token_use\":\"id\"",
        "\"nonce\":\"x\"",
        "x-amzn-oidc-data: ",
        "x-amzn-oidc-data: {token}",
        "{bare}",
        "=",
        "==",
        ".",
        "null",
        "[]",
        ",",
    ],
    start,
};

fn start() -> Check {
    let (key, other) = (ProofKey::new(), ProofKey::new());
    let own_pem = key.public_pem();
    let other_pem = other.public_pem();
    let keys = serve(move |target| match target {
        "/keys/own-key" => (200, own_pem.clone().into_bytes()),
        // The keys of other load balancers of the region have the same URL.
        "/keys/other-key" => (200, other_pem.clone().into_bytes()),
        "/keys/down" => (503, Vec::new()),
        _ => (403, Vec::new()),
    });
    let signing = EncodingKey::from_ec_pem(key.private_pem().as_bytes()).expect("a key");
    let verifying = DecodingKey::from_ec_pem(key.public_pem().as_bytes()).expect("a key");
    service(LoadBalancer {
        keys: format!("{keys}/keys/"),
        signing,
        verifying,
    })
}

struct LoadBalancer {
    keys: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Subject for LoadBalancer {
    fn router(&self) -> ProtectedRouter {
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience(CLIENT)
            .load_balancer(BALANCER)
            .load_balancer_keys(&self.keys)
            .clock(clock())
            .build();
        let scheme = jwt
            .expect("a verifier")
            .in_gateway_field("x-amzn-oidc-data");
        router_of(scheme.build().expect("a field"))
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        let (header, claims, request) = split(input);
        let padded = [header, claims].map(|part| URL_SAFE.encode(part));
        let bare = padded.each_ref().map(|part| part.trim_end_matches('='));
        let [token, bare] = [padded.join("."), bare.join(".")].map(|text| {
            let signature =
                jsonwebtoken::crypto::sign(text.as_bytes(), &self.signing, Algorithm::ES256);
            format!("{text}.{}", signature.expect("a signature"))
        });
        let token = format!("{token}==");
        fill(request, &[("token", &token), ("bare", &bare)])
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        let Some(token) = sent.only("x-amzn-oidc-data") else {
            return false;
        };
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return false;
        };
        let signature = signature.trim_end_matches('=');
        let (bytes, key) = (signed.as_bytes(), &self.verifying);
        let is_signed = jsonwebtoken::crypto::verify(signature, bytes, key, Algorithm::ES256);
        let Some([header, claims]) = parts(signed) else {
            return false;
        };
        let text = |part: &Value, name: &str| part[name].as_str().map(str::to_owned);
        let now = NOW as f64;
        is_signed.unwrap_or(false)
            && text(&header, "alg").as_deref() == Some("ES256")
            && text(&header, "kid").as_deref() == Some(KID)
            && text(&header, "iss").as_deref() == Some(ISSUER)
            && text(&header, "client").as_deref() == Some(CLIENT)
            && text(&header, "signer").as_deref() == Some(BALANCER)
            && header.get("crit").is_none()
            // With a tolerance that is larger than that of the verifier.
            && header["exp"].as_f64().is_some_and(|time| time > now - 300.0)
            && claims["nbf"].as_f64().is_none_or(|time| time < now + 300.0)
            && claims["cnf"].is_null()
            && text(&claims, "sub").is_some_and(|subject| !subject.is_empty())
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        let token = sent.only("x-amzn-oidc-data").expect("one line");
        let (signed, _) = token.rsplit_once('.').expect("a token");
        let [_, claims] = parts(signed).expect("a token");
        if sent.method != "HEAD" {
            let subject = claims["sub"].as_str().map(str::as_bytes);
            assert_eq!(subject, Some(&*answer.body));
        }
    }
}

/// The JSON objects of a token, by their last members of each name.
fn parts(signed: &str) -> Option<[Value; 2]> {
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| {
        let text = part.trim_end_matches('=');
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
        serde_json::from_slice(&bytes.ok()?).ok()
    };
    Some([read(header)?, read(claims)?])
}
