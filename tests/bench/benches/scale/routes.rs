//! Ten thousand routes. Each variant is measured in a process of its own, so that none reuses
//! memory of another one.

use std::convert::Infallible;
use std::process::Command;
use std::time::Instant;

use auth_bench::authority::bearer;
use auth_runtime::schemes::Bearer;
use auth_runtime::{Caller, GuardedRouter, Identity, ProtectedRouter, ProtectionSpace, requires};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use tower::{Service, ServiceExt};

use crate::memory::{megabytes, resident};

/// The argument with the variant to measure.
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
    let (start_up, memory, times) = match variant {
        "axum" => {
            let router = plain(ROUTES);
            let (start_up, memory) = (began.elapsed(), resident());
            let times = [lookup(&router, ROUTES), lookup(&plain(10), 10)];
            (start_up, memory, times)
        }
        _ => {
            let router = protected(ROUTES);
            let (start_up, memory) = (began.elapsed(), resident());
            let times = [lookup(&router, ROUTES), lookup(&protected(10), 10)];
            (start_up, memory, times)
        }
    };
    println!(
        "| {variant} | {:.0} ms | {} | {:.2} µs | {:.2} µs |",
        start_up.as_secs_f64() * 1e3,
        megabytes(memory.saturating_sub(before)),
        times[0],
        times[1],
    );
}

fn path(number: usize) -> String {
    format!("/area{}/thing{number}", number % 100)
}

fn plain(routes: usize) -> Router {
    let router = (0..routes).fold(Router::new(), |router, number| {
        router.route(&path(number), axum::routing::get(unguarded))
    });
    router.with_state(())
}

fn protected(routes: usize) -> ProtectedRouter {
    let ann = Caller::known(Identity::new("ann").with_scopes(["admin"]));
    let scheme = Bearer::new(move |_| std::future::ready(ann.clone()));
    let space = ProtectionSpace::builder().realm("bench").scheme(scheme);
    let router = (0..routes).fold(GuardedRouter::new(), |router, number| {
        router.route(&path(number), auth_runtime::routing::get(guarded))
    });
    let space = space.build().expect("the space is in order");
    router.protect(space).expect("every state is there")
}

/// Returns the time of a request in microseconds, over all routes in turn.
fn lookup<A>(router: &A, routes: usize) -> f64
where
    A: Service<Request, Response = Response, Error = Infallible> + Clone,
{
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
