//! Documents with the URLs of a server: the metadata of an issuer (OpenID Connect Discovery, RFC 8414), and the
//! configuration of an AuthZEN server. Each input is one, in which `{url}` is the server.

use std::sync::{Arc, Mutex};

use auth_runtime::Identity;
use auth_runtime::objects::{DecisionPoint, Evaluation, EvaluationRequest, Resource};
use auth_runtime::schemes::{Bearer, Jwt};
use auth_runtime_authzen::AuthZen;
use auth_runtime_core::url::TrustedUrl;
use auth_tests::proof::ProofKey;
use auth_tests::tls::Authority;
use jsonwebtoken::{Algorithm, EncodingKey};
use tokio::runtime::{Builder, Runtime};

use super::http_server::{Document, serve};
use super::json::Json;
use super::jwt::{AUDIENCE, sign};
use super::requests::{Sent, fill};
use super::service::{NOW, SHOWN, Service, clock, router_of};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "discovery",
    cost: 20,
    dictionary: &[
        "\"issuer\":\"{url}\"",
        "\"issuer\":\"{url}/\"",
        "\"issuer\":\"https://other.example\"",
        "\"jwks_uri\":\"{url}/keys\"",
        "\"jwks_uri\":\"{url}/other-keys\"",
        "\"jwks_uri\":\"{url}/down\"",
        "\"jwks_uri\":\"/keys\"",
        "\"jwks_uri\":null",
        "\"policy_decision_point\":\"{url}\"",
        "\"policy_decision_point\":\"{url}/\"",
        "\"access_evaluation_endpoint\":\"{url}/one\"",
        "\"access_evaluations_endpoint\":\"{url}/several\"",
        "\"search_resource_endpoint\":\"{url}/search\"",
        "\"token_endpoint\":\"{url}/token\"",
        "\"id_token_signing_alg_values_supported\":[\"none\"]",
        "{url}",
        "#",
        "?a=b",
        "ftp:",
        "user@",
        "/../",
        "%2f",
        " ",
        "null",
        "[]",
        "{}",
        ",",
        "\\u006b",
    ],
    start,
};

/// The targets of the requests to the server.
type Seen = Arc<Mutex<Vec<String>>>;

fn start() -> Check {
    let (key, other) = (ProofKey::new(), ProofKey::new());
    let [keys, other_keys] = [&key, &other].map(|key| {
        let jwk = key.jwk();
        serde_json::json!({ "keys": [jwk] })
            .to_string()
            .into_bytes()
    });
    let (document, seen) = (Document::default(), Seen::default());
    let (served, seeing) = (document.clone(), Arc::clone(&seen));
    let url = serve(move |target| {
        seeing.lock().expect("no panic").push(target.to_owned());
        let path = target.split('?').next().unwrap_or_default();
        match path {
            "/.well-known/openid-configuration" | "/.well-known/authzen-configuration" => {
                (200, served.get())
            }
            "/keys" => (200, keys.clone()),
            "/other-keys" => (200, other_keys.clone()),
            "/one" => (200, br#"{"decision":true}"#.to_vec()),
            _ => (503, Vec::new()),
        }
    });
    let signing = EncodingKey::from_ec_pem(key.private_pem().as_bytes()).expect("a key");
    let claims = serde_json::json!({
        "iss": url, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 600,
    });
    let header = br#"{"alg":"ES256","typ":"at+jwt"}"#;
    let claims = claims.to_string();
    let token = sign(header, claims.as_bytes(), &signing, Algorithm::ES256);
    let runtime = Builder::new_current_thread().enable_all().build();
    let server = Server {
        url,
        token,
        document,
        seen,
        authorities: Authority::new().pem(),
        runtime: runtime.expect("a runtime"),
    };
    Box::new(move |input| {
        let document = fill(input, &[("url", &server.url)]);
        let json = Json::parse(&document).unwrap_or(Json::Null);
        server.document.set(document);
        Outcome::of_all([server.check_issuer(&json), server.check_authzen(&json)])
    })
}

struct Server {
    url: String,
    token: String,
    document: Document,
    seen: Seen,
    /// Authorities in place of those of the system, which take long to read.
    authorities: String,
    runtime: Runtime,
}

impl Server {
    fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("no panic"))
    }

    fn check_issuer(&self, document: &Json) -> Outcome {
        // No request leaves this machine.
        if leaves(document, &self.url) {
            return Outcome::of("elsewhere");
        }
        self.take_seen();
        let jwt = Jwt::builder()
            .issuer(&self.url)
            .audience(AUDIENCE)
            .discover()
            .ca_certificates(self.authorities.as_bytes())
            .clock(clock());
        let service = Service::new(router_of(Bearer::jwt(jwt.build().expect("an issuer"))));
        let request = format!("GET\nauthorization: Bearer {}", self.token);
        let sent = Sent::parse(request.as_bytes(), SHOWN).expect("a request");
        let answer = service.respond(sent.to_request());
        answer.check(&sent);
        let seen = self.take_seen();
        let keys = document.only("jwks_uri").and_then(Json::as_text);
        let target = keys.filter(|_| answer.status != 503).map(target_of);
        let well_known = "/.well-known/openid-configuration";
        match answer.status.as_u16() {
            // Both have a key set: the right one, and another one.
            200 | 401 => {
                let issuer = document.only("issuer").and_then(Json::as_text);
                assert_eq!(issuer, Some(self.url.as_str()));
                let target = target.expect("a URL");
                assert_eq!(seen, [well_known, &target]);
                let path = target.split('?').next();
                let expected = match answer.status.as_u16() {
                    200 => "/keys",
                    _ => "/other-keys",
                };
                assert_eq!(path, Some(expected));
            }
            503 => {}
            other => panic!("{other}"),
        }
        Outcome::of(answer.status.as_u16()).of_decision(answer.status == 200)
    }

    fn check_authzen(&self, document: &Json) -> Outcome {
        self.take_seen();
        let engine = AuthZen::builder()
            .url(&self.url)
            .ca_certificates(self.authorities.as_bytes());
        let engine = match self.runtime.block_on(engine.discover()) {
            Ok(engine) => engine,
            Err(error) => return Outcome::of_messages([error.to_string()]),
        };
        let text = |name| document.only(name).and_then(Json::as_text);
        assert_eq!(text("policy_decision_point"), Some(self.url.as_str()));
        let one = text("access_evaluation_endpoint").expect("a URL");
        let several = text("access_evaluations_endpoint").expect("a URL");
        for endpoint in [one, several]
            .into_iter()
            .chain(text("search_resource_endpoint"))
        {
            assert!(is_below(endpoint, &self.url), "{endpoint}");
        }
        let ann = Identity::new("ann");
        let questions = [Evaluation::new("read", Resource::new("Document", "d1"))];
        let asked = engine.evaluate(EvaluationRequest::new(&ann, &questions));
        let decided = self.runtime.block_on(asked);
        let is_granted = decided.is_ok_and(|all| all.iter().all(|one| one.is_allowed()));
        let target = target_of(one);
        let path = target.split('?').next();
        assert_eq!(is_granted, path == Some("/one"), "{one}");
        let document = "/.well-known/authzen-configuration";
        assert_eq!(self.take_seen(), [document, &target]);
        Outcome::of(path == Some("/one")).of_decision(is_granted)
    }
}

/// The target of a request for a URL, without dot segments.
fn target_of(url: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}

/// Returns whether a URL of keys is one of another server.
fn leaves(document: &Json, url: &str) -> bool {
    let Json::Object(members) = document else {
        return false;
    };
    members.iter().any(|(name, value)| {
        let keys = value.as_text().filter(|_| name == "jwks_uri");
        keys.is_some_and(|keys| TrustedUrl::read(keys).is_ok() && !is_below(keys, url))
    })
}

/// Returns whether a URL is of a server.
fn is_below(text: &str, url: &str) -> bool {
    let start = text.get(..url.len()).unwrap_or_default();
    let rest = text.get(url.len()..).unwrap_or_default();
    start.eq_ignore_ascii_case(url) && (rest.is_empty() || rest.starts_with(['/', '?']))
}
