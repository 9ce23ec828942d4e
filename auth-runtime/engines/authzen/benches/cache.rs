//! The gain of a cache of decisions: `cargo bench -p auth-runtime-authzen`.
//!
//! The server is in this process and on loopback, and allows everything at once. A real one is slower, so the
//! gain is larger.

#![allow(clippy::unwrap_used, reason = "a measurement ends by a panic")]

use std::time::{Duration, Instant};

use auth_runtime::Identity;
use auth_runtime::objects::{
    DecisionCache, DecisionPoint, Evaluation, EvaluationRequest, ObjectDecision, Resource,
};
use auth_runtime_authzen::AuthZen;
use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;

const ROUNDS: usize = 9;
const TURN: Duration = Duration::from_millis(100);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let several = async |questions: String| {
        let count = questions.matches("\"resource\"").count();
        format!("{{\"evaluations\":[{}]}}", answers(count))
    };
    let app = Router::new()
        .route("/access/v1/evaluation", post(async || answers(1)))
        .route("/access/v1/evaluations", post(several));
    runtime.spawn(async { axum::serve(listener, app).await.unwrap() });

    let server = AuthZen::builder().url(url).build().unwrap();
    let cache = DecisionCache::builder(server.clone()).ignore_extensions();
    let cache = cache.lifetime(Duration::from_secs(3600)).build().unwrap();
    let ann = Identity::new("ann").with_roles(["editor", "member"]);
    println!("| questions | server | cache | ratio |\n|--:|--:|--:|--:|");
    for count in [1, 10] {
        let resource = |number| Resource::new("Repository", format!("green/r{number}"));
        let questions = (0..count).map(|number| Evaluation::new("read", resource(number)));
        let questions: Vec<Evaluation> = questions.collect();
        let time = |engine: &dyn DecisionPoint| {
            runtime.block_on(async {
                let mut best = Duration::MAX;
                for _ in 0..ROUNDS {
                    best = best.min(turn(engine, &ann, &questions).await);
                }
                best.as_secs_f64() * 1e6
            })
        };
        let (server, cache) = (time(&server), time(&cache));
        let ratio = server / cache;
        println!("| {count} | {server:.1} µs | {cache:.1} µs | {ratio:.0} |");
    }
}

fn answers(count: usize) -> String {
    vec![r#"{"decision":true}"#; count].join(",")
}

/// Returns the time of one call, from a turn of many.
async fn turn(engine: &dyn DecisionPoint, ann: &Identity, questions: &[Evaluation]) -> Duration {
    let (began, mut calls) = (Instant::now(), 0);
    while began.elapsed() < TURN {
        let decisions = engine
            .evaluate(EvaluationRequest::new(ann, questions))
            .await;
        assert!(decisions.unwrap().iter().all(ObjectDecision::is_allowed));
        calls += 1;
    }
    began.elapsed() / calls
}
