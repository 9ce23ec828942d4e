//! Each row of the table of bounds in the guide has a test with a hostile caller.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::schemes::Bearer;
use auth_runtime::{Caller, GuardedRouter, Identity, ProtectionSpace, requires};
use axum::body::Body;
use http::Request;
use tower::ServiceExt;

/// The beginning of a row, the file of its test, and the test.
const TESTS: [(&str, &str, &str); 22] = [
    (
        "passwords verified at a time",
        "tests/integration/schemes/basic.rs",
        "address_shares_protect_other_logins",
    ),
    (
        "logins that are cached",
        "auth-runtime/schemes/src/password_hashes/remembered.rs",
        "wrong_passwords_forget_the_login",
    ),
    (
        "memory to verify passwords",
        "auth-runtime/schemes/src/password_hashes/tests.rs",
        "wrong_logins_reuse_their_buffer",
    ),
    (
        "tokens introspected at a time",
        "tests/integration/schemes/introspection/shares.rs",
        "one_client_shuts_out_no_other",
    ),
    (
        "requests that wait for the response about one token",
        "tests/integration/schemes/introspection/shares.rs",
        "waiting_clients_delay_no_other",
    ),
    (
        "introspections without a response in a row",
        "tests/integration/schemes/introspection/outages.rs",
        "silence_about_client_excludes_no_other",
    ),
    (
        "fetches of the keys of an issuer",
        "tests/integration/schemes/jwks/rotation.rs",
        "made_up_keys_displace_no_key",
    ),
    (
        "fetches of the keys of load balancers",
        "tests/integration/providers/load_balancer/hang_ups.rs",
        "clients_that_hang_up_share_fetch",
    ),
    (
        "verified tokens in a [`TokenCache`]",
        "tests/integration/schemes/introspection/memory.rs",
        "one_caller_displaces_no_used_token",
    ),
    (
        "introspection responses in a [`SharedTokenCache`]",
        "tests/external/redis/tokens.rs",
        "subjects_have_share_of_cache",
    ),
    (
        "nonces of [`Digest`]",
        "tests/integration/schemes/digest/counts.rs",
        "one_user_shuts_out_no_other",
    ),
    (
        "proofs of [`Dpop`](crate::schemes::Dpop) in use, in this process",
        "auth-runtime/schemes/src/replay.rs",
        "sixteen_subjects_leave_places",
    ),
    (
        "proofs of [`Dpop`](crate::schemes::Dpop) in use, in a [`Redis`]",
        "tests/external/redis/main.rs",
        "subjects_have_a_share_of_proofs",
    ),
    (
        "time of a command of [`Redis`]",
        "tests/external/redis/main.rs",
        "hanging_redis_has_a_deadline",
    ),
    (
        "requests at a time to a server of the AuthZEN or SpiceDB engine",
        "auth-runtime/engines/authzen/tests/server/bounds.rs",
        "one_caller_leaves_requests_to_others",
    ),
    (
        "failures in a row",
        "auth-runtime/engines/authzen/tests/server/bounds.rs",
        "failures_of_one_caller_are_isolated",
    ),
    (
        "decisions in a [`DecisionCache`]",
        "tests/integration/objects/cache.rs",
        "greedy_caller_leaves_decisions_of_others",
    ),
    (
        "look-ups of sessions for one request",
        "tests/integration/schemes/sessions/several_cookies.rs",
        "store_lookups_are_bounded",
    ),
    (
        "calls of functions of the service",
        "tests/integration/availability.rs",
        "hanging_look_ups_delay_no_other",
    ),
    (
        "the field of a proxy",
        "tests/integration/schemes/introspection/shares.rs",
        "unreadable_proxy_fields_have_one_share",
    ),
    (
        "credentials",
        "tests/integration/schemes/bearer/tokens.rs",
        "fields_have_a_form",
    ),
    (
        "the body of a form or of a webhook",
        "tests/integration/schemes/webhooks.rs",
        "applications_set_the_body_bound",
    ),
];

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let path = root.expect("the workspace").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn each_bound_has_a_test() {
    let guide = read("auth-runtime/guide/deployment.md");
    let (_, section) = guide
        .split_once("# Bounds of resources")
        .expect("it is there");
    let (section, _) = section.split_once("\n# ").expect("another section follows");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let rows: Vec<&str> = rows.skip(1).collect();
    assert_eq!(rows.len(), TESTS.len(), "a test for each row");
    for (row, (resource, file, test)) in rows.into_iter().zip(TESTS) {
        assert!(row.starts_with(resource), "{row}, not {resource}");
        let function = format!("fn {test}(");
        assert!(read(file).contains(&function), "{file} has no {test}");
    }
}

#[requires(authenticated)]
async fn page() {}

#[tokio::test]
async fn hanging_look_ups_delay_no_other() {
    const HOSTILE: usize = 10_000;
    let begun = Arc::new(AtomicUsize::new(0));
    let hanging = Arc::clone(&begun);
    let look_up = Bearer::new(move |token| {
        let hanging = Arc::clone(&hanging);
        async move {
            if token.as_str() == "good" {
                return Caller::known(Identity::new("ann"));
            }
            hanging.fetch_add(1, Ordering::Relaxed);
            pending().await
        }
    });
    let space = ProtectionSpace::builder().realm("api").scheme(look_up);
    let app = GuardedRouter::new()
        .route("/", get(page))
        .protect(space.build().expect("the space is in order"))
        .expect("the routes are in order");
    let status = async |token: &str| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await;
        response.expect("infallible").status().as_u16()
    };
    let hostile = (0..HOSTILE).map(|number| {
        let (app, token) = (app.clone(), format!("Bearer made-up-{number}"));
        let request = Request::get("/").header("authorization", token);
        let request = request.body(Body::empty()).expect("a request");
        tokio::spawn(async move { app.oneshot(request).await.map(|_| ()) })
    });
    let hostile: Vec<_> = hostile.collect();
    // Each yield begins some of them.
    for _ in 0..HOSTILE {
        tokio::task::yield_now().await;
    }
    assert_eq!(begun.load(Ordering::Relaxed), HOSTILE);
    let found = tokio::time::timeout(Duration::from_secs(5), status("good")).await;
    assert_eq!(found, Ok(200));
    assert!(hostile.iter().all(|request| !request.is_finished()));
    for request in hostile {
        request.abort();
    }
}
