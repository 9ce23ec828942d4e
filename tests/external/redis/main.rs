//! Instances of one service that share a real Redis.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust:
//! `cargo test -p auth-tests --test redis` installs `redis-server` from Debian if it is missing.

mod client;
mod failover;
mod proxy;
mod server;
mod tokens;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use auth_runtime::routing::get;
use auth_runtime::schemes::{Dpop, Redis};
use auth_runtime::{GuardedRouter, ProtectionSpace, requires};

use crate::client::{Answer, CLIENT, ORIGIN};
use crate::server::{PASSWORD, Server};

#[requires(sender_constrained)]
async fn bound() {}

/// Starts another instance of the service.
async fn instance(redis: Redis) -> SocketAddr {
    let dpop = Dpop::jwt(auth_tests::verifier())
        .origin(ORIGIN)
        .replay_store(redis)
        .build();
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(dpop.unwrap())
        .build();
    let app = GuardedRouter::new()
        .route("/", get(bound))
        .protect(space.unwrap());
    auth_tests::serve(app.unwrap()).await
}

async fn two_instances(server: &Server) -> [SocketAddr; 2] {
    let redis = || Redis::builder(server.url()).build().unwrap();
    [instance(redis()).await, instance(redis()).await]
}

fn granted() -> Answer {
    Answer {
        status: 200,
        challenge: None,
        retry_after: None,
    }
}

fn replayed() -> Answer {
    let challenge = "DPoP realm=\"api\", error=\"invalid_dpop_proof\", \
                     algs=\"ES256 PS256 EdDSA\", error_description=\"the proof of possession is \
                     missing or not valid\"";
    Answer {
        status: 401,
        challenge: Some(challenge.to_owned()),
        retry_after: None,
    }
}

fn unverifiable() -> Answer {
    Answer {
        status: 503,
        challenge: None,
        retry_after: Some("5".to_owned()),
    }
}

#[tokio::test]
async fn instances_share_used_proofs() {
    let server = Server::start();
    let [here, there] = two_instances(&server).await;
    let proof = CLIENT.proof("1");
    assert_eq!(CLIENT.send(here, &proof).await, granted());
    assert_eq!(CLIENT.send(there, &proof).await, replayed());
    assert_eq!(CLIENT.send(here, &proof).await, replayed());
    assert_eq!(CLIENT.send(there, &CLIENT.proof("2")).await, granted());
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_proofs_have_one_winner() {
    let server = Server::start();
    let instances = two_instances(&server).await;
    for round in ["a", "b", "c"] {
        let proof = CLIENT.proof(round);
        let sent: Vec<_> = (0..20)
            .map(|number| {
                let proof = proof.clone();
                let instance = instances[number % 2];
                tokio::spawn(async move { CLIENT.send(instance, &proof).await.status })
            })
            .collect();
        let mut statuses = Vec::new();
        for answer in sent {
            statuses.push(answer.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{statuses:?}");
        assert!(
            statuses[1..].iter().all(|status| *status == 401),
            "{statuses:?}"
        );
    }
}

#[tokio::test]
async fn prefixes_separate_services() {
    let server = Server::start();
    let redis = |prefix: &str| Redis::builder(server.url()).prefix(prefix).build().unwrap();
    let here = instance(redis("here:")).await;
    let there = instance(redis("there:")).await;
    let proof = CLIENT.proof("1");
    assert_eq!(CLIENT.send(here, &proof).await, granted());
    assert_eq!(CLIENT.send(there, &proof).await, granted());
}

#[tokio::test]
async fn proofs_are_stored_by_hash() {
    let server = Server::start();
    let [here, _] = two_instances(&server).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, granted());
    let keys = server.ask(&["KEYS", "auth:proof:*"]);
    let id = keys.strip_prefix("auth:proof:").expect("one key");
    assert_eq!(id.len(), 43, "a hash: {id}");
    assert_eq!(server.ask(&["GET", &keys]), "used");
    let lifetime: u64 = server.ask(&["TTL", &keys]).parse().unwrap();
    assert!((100..=120).contains(&lifetime), "{lifetime}");
}

#[tokio::test]
async fn subjects_have_a_share_of_proofs() {
    let server = Server::start();
    let [here, there] = two_instances(&server).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, granted());
    let counter = server.ask(&["KEYS", "auth:proofs:*"]);
    assert_eq!(server.ask(&["GET", &counter]), "1");
    let period: u64 = server.ask(&["TTL", &counter]).parse().unwrap();
    assert!((50..=60).contains(&period), "{period}");
    server.ask(&["SET", &counter, "19999", "KEEPTTL"]);
    assert_eq!(CLIENT.send(there, &CLIENT.proof("2")).await, granted());
    for instance in [here, there] {
        assert_eq!(
            CLIENT.send(instance, &CLIENT.proof("3")).await,
            unverifiable()
        );
        assert_eq!(CLIENT.send(instance, &CLIENT.proof("1")).await, replayed());
    }
    server.ask(&["DEL", &counter]);
    assert_eq!(CLIENT.send(here, &CLIENT.proof("3")).await, granted());
}

#[tokio::test]
async fn outage_is_503_until_redis_returns() {
    let mut server = Server::start();
    let [here, there] = two_instances(&server).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, granted());
    server.stop();
    for number in 0..3 {
        let proof = CLIENT.proof(&format!("lost {number}"));
        let begun = Instant::now();
        // An instance that was connected before, and one that was not.
        assert_eq!(CLIENT.send(here, &proof).await, unverifiable());
        assert_eq!(CLIENT.send(there, &proof).await, unverifiable());
        assert!(begun.elapsed() < Duration::from_secs(2), "it is told soon");
    }
    server.start_again();
    // The next proof succeeds, also at the instance that was not connected before.
    let proof = CLIENT.proof("2");
    assert_eq!(CLIENT.send(here, &proof).await, granted());
    assert_eq!(CLIENT.send(there, &proof).await, replayed());
}

#[tokio::test]
async fn restart_between_requests_is_unnoticed() {
    let mut server = Server::start();
    let [here, _] = two_instances(&server).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, granted());
    server.stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.start_again();
    assert_eq!(CLIENT.send(here, &CLIENT.proof("2")).await, granted());
}

#[tokio::test]
async fn hanging_redis_has_a_deadline() {
    let server = Server::start();
    let [here, there] = two_instances(&server).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, granted());
    server.signal("STOP");
    for instance in [here, there] {
        let begun = Instant::now();
        let answer = CLIENT.send(instance, &CLIENT.proof("2")).await;
        assert_eq!(answer, unverifiable());
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(450), "{took:?}");
        assert!(took < Duration::from_millis(1500), "{took:?}");
    }
    let slow = Redis::builder(server.url()).timeout(Duration::from_millis(50));
    let elsewhere = instance(slow.build().unwrap()).await;
    let begun = Instant::now();
    let answer = CLIENT.send(elsewhere, &CLIENT.proof("3")).await;
    assert_eq!(answer, unverifiable());
    assert!(begun.elapsed() < Duration::from_millis(450), "as it is set");
    server.signal("CONT");
    for (name, instance) in [("4", here), ("5", there), ("6", elsewhere)] {
        // Redis first processes the commands that it received during the pause.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(CLIENT.send(instance, &CLIENT.proof(name)).await, granted());
    }
}

#[tokio::test]
async fn unauthorized_redis_grants_nothing() {
    let server = Server::start();
    for url in [
        format!("redis://127.0.0.1:{}/", server.port),
        format!("redis://:wrong@127.0.0.1:{}/", server.port),
        // A server with another protocol.
        format!(
            "redis://127.0.0.1:{}/",
            two_instances(&server).await[0].port()
        ),
    ] {
        let here = instance(Redis::builder(&url).build().unwrap()).await;
        let proof = CLIENT.proof(&url);
        assert_eq!(CLIENT.send(here, &proof).await, unverifiable(), "{url}");
        assert_eq!(CLIENT.send(here, &proof).await, unverifiable(), "{url}");
    }
}

#[tokio::test]
async fn read_only_redis_grants_nothing() {
    let server = Server::start();
    let rules = [
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">x",
        "~*",
        "+@read",
        "+@connection",
    ];
    assert_eq!(server.ask(&rules), "OK");
    let url = format!("redis://reader:x@127.0.0.1:{}/", server.port);
    let here = instance(Redis::builder(url).build().unwrap()).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, unverifiable());
    // A command that Redis received is not sent again.
    let counts = server.ask(&["INFO", "commandstats"]);
    let count = counts
        .lines()
        .find(|line| line.starts_with("cmdstat_eval:"));
    let count = count.expect("it was received");
    assert!(count.contains("rejected_calls=1,"), "{count}");
}

/// A connection over TLS requires a trusted certificate. The system's certificates are read from a
/// path in the environment, so this test runs in a process of its own.
#[tokio::test]
async fn redis_is_reached_by_tls() {
    if let Ok(url) = std::env::var("REDIS_OVER_TLS") {
        let redis = Redis::builder(url).build().unwrap();
        assert!(tokio_rustls::rustls::crypto::CryptoProvider::get_default().is_some());
        let here = instance(redis).await;
        let proof = CLIENT.proof("1");
        assert_eq!(CLIENT.send(here, &proof).await.status, 200);
        assert_eq!(CLIENT.send(here, &proof).await.status, 401);
        return;
    }
    let authority = auth_tests::tls::Authority::new();
    let certificate = authority.certify("localhost");
    let server = Server::start_with(|port, folder| {
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("it is written");
            path.display().to_string()
        };
        let mut arguments = vec!["--port".to_owned(), "0".to_owned()];
        for (option, value) in [
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", file("cert.pem", certificate.pem())),
            ("--tls-key-file", file("key.pem", certificate.key_pem())),
            ("--tls-ca-cert-file", file("ca.pem", authority.pem())),
            ("--tls-auth-clients", "no".to_owned()),
        ] {
            arguments.extend([option.to_owned(), value]);
        }
        arguments
    });
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let trusted = folder.join(format!("redis-{}", server.port)).join("ca.pem");
    let url = format!("rediss://:{PASSWORD}@localhost:{}/", server.port);
    let run = |trusted: &std::path::Path| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "redis_is_reached_by_tls"])
            .env("REDIS_OVER_TLS", &url)
            .env("SSL_CERT_FILE", trusted)
            .output()
            .unwrap()
    };
    let output = run(&trusted);
    assert!(output.status.success(), "{output:?}");
    let stranger = trusted.with_file_name("stranger.pem");
    std::fs::write(&stranger, auth_tests::tls::Authority::new().pem()).unwrap();
    let text = String::from_utf8_lossy(&run(&stranger).stdout).into_owned();
    assert!(text.contains("left: 503"), "{text}");
}
