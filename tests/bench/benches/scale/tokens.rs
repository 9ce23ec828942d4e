//! A million tokens, each sent twice, with a cache of ten thousand.

use std::time::Duration;

use auth_bench::authority::{AUDIENCE, ISSUER, now};
use auth_runtime::schemes::{Bearer, Jwt, JwtKey, TokenCache};
use auth_runtime::{Policy, ProtectionSpace, Requirement};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use crate::memory::{megabytes, resident};

const TOKENS: usize = 1_000_000;
const CAPACITY: usize = 10_000;
const POLICY: Policy = Policy::requires(Requirement::scope("admin"));
/// Symmetric, since signing a million tokens with another algorithm takes longer than verifying
/// them.
const SECRET: &[u8; 32] = b"not a secret, but long enough...";

pub(crate) fn print() {
    println!("\n### A million different tokens\n");
    println!("A cache with a limit of {CAPACITY} tokens, of about 350 bytes each.\n");
    println!("| tokens seen | remembered | memory of the process |\n|--:|--:|--:|");
    let cache = TokenCache::new(CAPACITY, Duration::from_secs(300));
    let jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .key(JwtKey::hs256(SECRET).expect("a key"))
        .cache(cache.clone())
        .build()
        .expect("a verifier");
    let space = ProtectionSpace::builder()
        .realm("bench")
        .scheme(Bearer::jwt(jwt));
    let space = space.build().expect("the space is in order");
    let signer = EncodingKey::from_secret(SECRET).expect("a secret");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let report = |seen: usize| {
        println!("| {seen} | {} | {} |", cache.len(), megabytes(resident()));
    };
    report(0);
    for number in 1..=TOKENS {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{number}"), "exp": now() + 3600,
            "client_id": "web", "jti": format!("token-{number}"),
            "scope": "openid profile read write admin",
        });
        let token = jsonwebtoken::encode(&Header::default(), &claims, &signer).expect("a token");
        let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
        let (head, ()) = request.body(()).expect("a request").into_parts();
        for _ in 0..2 {
            let admitted = runtime.block_on(space.authorize(&POLICY, &head));
            assert!(admitted.is_ok(), "the token is good");
        }
        if number == CAPACITY || number.is_multiple_of(TOKENS / 5) {
            report(number);
        }
    }
    assert!(
        cache.len() <= CAPACITY,
        "it holds no more than it was told to"
    );
}
