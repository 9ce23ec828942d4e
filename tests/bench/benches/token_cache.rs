//! What a request costs whose token is remembered, beside one whose token is verified:
//! `cargo bench -p auth-bench --bench token_cache`.
//!
//! Both go through the same space and the same policy, in turns, so that whatever else the machine does
//! slows both.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_runtime::{Bearer, Jwt, JwtBuilder, JwtKey, Policy, ProtectionSpace, Requirement};
use http::request::Parts;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::json;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example";
const POLICY: Policy = Policy::requires(Requirement::scope("read"));
const ROUNDS: usize = 25;
/// Requests in a round: of those that are verified, and of those that are remembered.
const VERIFIED: u32 = 400;
const REMEMBERED: u32 = 20_000;

fn main() {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let key = key.expect("an RSA key");
    let verifier = || {
        let public = JwtKey::rs256_pem(key.public_key_pem()).expect("a public key");
        Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(public)
    };
    let verifying = space(verifier().without_cache());
    let remembering = space(verifier());
    let head = request(&token(&key));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");

    let time = |space: &ProtectionSpace, requests: u32| {
        let began = Instant::now();
        runtime.block_on(async {
            for _ in 0..requests {
                let admitted = space.authorize(black_box(&POLICY), black_box(&head)).await;
                assert!(black_box(admitted).is_ok(), "the token is good");
            }
        });
        began.elapsed() / requests
    };
    time(&verifying, VERIFIED);
    time(&remembering, REMEMBERED);
    let mut rounds: Vec<(Duration, Duration)> = (0..ROUNDS)
        .map(|_| (time(&verifying, VERIFIED), time(&remembering, REMEMBERED)))
        .collect();

    println!("| token | median | fastest | slowest |\n|---|---|---|---|");
    rounds.sort_by_key(|(verified, _)| *verified);
    let verified = rounds[ROUNDS / 2].0;
    print_row(
        "RS256, verified",
        verified,
        rounds[0].0,
        rounds[ROUNDS - 1].0,
    );
    rounds.sort_by_key(|(_, remembered)| *remembered);
    let remembered = rounds[ROUNDS / 2].1;
    print_row("remembered", remembered, rounds[0].1, rounds[ROUNDS - 1].1);
    let share = remembered.as_secs_f64() / verified.as_secs_f64() * 100.0;
    println!("\na remembered token costs {share:.1} % of a verified one");
}

fn print_row(name: &str, median: Duration, fastest: Duration, slowest: Duration) {
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    println!(
        "| {name} | {:.2} µs | {:.2} µs | {:.2} µs |",
        micros(median),
        micros(fastest),
        micros(slowest)
    );
}

fn space(jwt: JwtBuilder) -> ProtectionSpace {
    let bearer = Bearer::jwt(jwt.build().expect("a verifier"));
    let space = ProtectionSpace::builder().realm("api").scheme(bearer);
    space.build().expect("the space is in order")
}

/// As long as those of authorization servers are.
fn token(key: &KeyPair) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "7d1b4a0e-6c1f-4d0e-9f6e-3f8b6f1c2d3a",
        "exp": now.expect("after 1970").as_secs() + 3600, "client_id": "web", "jti": "k2hSYjLhbnXJGg",
        "scope": "openid profile read write", "roles": ["editor"],
    });
    let signer = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).expect("a signing key");
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &signer).expect("a token")
}

fn request(token: &str) -> Parts {
    let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
    let (head, ()) = request.body(()).expect("a request").into_parts();
    head
}
