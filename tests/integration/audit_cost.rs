//! The cost of recording decisions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth_runtime::decision::Rule;
use auth_runtime::routing::get;
use auth_runtime::testing::with_identity;
use auth_runtime::{GuardedRouter, Identity, ProtectionSpaceBuilder, requires};
use auth_tests::space_builder;
use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use tower::ServiceExt;

#[requires(role = "admin", hide_as = 404)]
async fn hidden() {}

/// A record only borrows existing data.
#[test]
fn audit_hook_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let allocations = |space: ProtectionSpaceBuilder| {
        let router = GuardedRouter::new().route("/hidden", get(hidden));
        let app = router
            .protect(space.build().expect("a space"))
            .expect("in order");
        let request = || {
            let request = Request::get("/hidden")
                .body(Body::empty())
                .expect("a request");
            with_identity(request, Identity::new("ann").with_roles(["admin"]))
        };
        runtime
            .block_on(app.clone().oneshot(request()))
            .expect("infallible");
        let request = request();
        let mut status = None;
        let counted = allocation_counter::measure(|| {
            let answer = runtime.block_on(app.clone().oneshot(request));
            status = answer.ok().map(|answer| answer.status());
        });
        assert_eq!(status, Some(StatusCode::OK));
        counted.count_total
    };
    let silent = allocations(space_builder());
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let told = allocations(space_builder().audit(move |record| {
        assert_eq!(record.rule(), Rule::Met);
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    assert_eq!(told, silent);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}
