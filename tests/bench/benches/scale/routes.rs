//! Ten thousand routes. Each variant is measured in a process of its own, so that none finds the memory
//! that another one left.

use std::process::Command;
use std::time::Instant;

use auth_bench::authority::bearer;
use auth_runtime::{Bearer, Caller, GuardedRouter, Identity, ProtectionSpace, requires};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use tower::ServiceExt;

use crate::memory::{megabytes, resident};

/// Tells the program which variant to measure.
pub(crate) const ARGUMENT: &str = "--routes";

const ROUTES: usize = 10_000;
const LOOKUPS: u32 = 20_000;

async fn unguarded() -> &'static str {
    "the page"
}

#[requires(scope = "admin")]
async fn guarded() -> &'static str {
    "the page"
}

pub(crate) fn print() {
    println!("\n### Ten thousand routes\n");
    println!(
        "| | start-up | memory | a request with {ROUTES} routes | with 10 |\n|---|--:|--:|--:|--:|"
    );
    for variant in ["axum", "GuardedRouter"] {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program).args([ARGUMENT, variant]).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{output:?}");
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Prints the row of a variant.
pub(crate) fn measure(variant: &str) {
    let before = resident();
    let began = Instant::now();
    let router = build(variant, ROUTES);
    let start_up = began.elapsed();
    let memory = resident().saturating_sub(before);
    println!(
        "| {variant} | {:.0} ms | {} | {:.2} µs | {:.2} µs |",
        start_up.as_secs_f64() * 1e3,
        megabytes(memory),
        lookup(&router, ROUTES),
        lookup(&build(variant, 10), 10),
    );
}

fn path(number: usize) -> String {
    format!("/area{}/thing{number}", number % 100)
}

fn build(variant: &str, routes: usize) -> Router {
    let numbers = 0..routes;
    let router = if variant == "axum" {
        numbers.fold(Router::new(), |router, number| {
            router.route(&path(number), axum::routing::get(unguarded))
        })
    } else {
        let ann = Caller::known(Identity::new("ann").with_scopes(["admin"]));
        let scheme = Bearer::new(move |_| std::future::ready(ann.clone()));
        let space = ProtectionSpace::builder().realm("bench").scheme(scheme);
        let router = numbers.fold(GuardedRouter::new(), |router, number| {
            router.route(&path(number), auth_runtime::routing::get(guarded))
        });
        let space = space.build().expect("the space is in order");
        router.protect(space).expect("every state is there")
    };
    router.with_state(())
}

/// What a request takes, in microseconds, of all routes in turn.
fn lookup(router: &Router, routes: usize) -> f64 {
    let (name, value) = bearer("a-token");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let send = |count: u32| {
        let requests: Vec<Request> = (0..count as usize)
            .map(|number| {
                let request = http::Request::get(path(number * 7919 % routes));
                let request = request.header(&name, &value).body(Body::empty());
                request.expect("a request")
            })
            .collect();
        let began = Instant::now();
        runtime.block_on(async {
            for request in requests {
                let Ok(response) = router.clone().oneshot(request).await;
                assert_eq!(response.status(), 200);
            }
        });
        began.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    };
    send(LOOKUPS);
    let mut rounds: Vec<f64> = (0..9).map(|_| send(LOOKUPS)).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
