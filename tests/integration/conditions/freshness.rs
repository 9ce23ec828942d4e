//! Conditions on the login: `acr`, `amr`, `max_age`.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::decision::{Decision, Finding};
use auth_runtime::policy::Truth;
use auth_tests::token;
use serde_json::json;

use super::*;

#[requires(acr = "mfa", max_age = "5m")]
async fn transfer() -> &'static str {
    "transferred"
}

#[requires(acr = "mfa", hide_as = 404)]
async fn hidden_transfer() -> &'static str {
    "transferred"
}

#[requires(amr = "otp")]
async fn otp() {}

fn fresh_claims(claims: serde_json::Value) -> Request {
    let token = token(claims);
    Request::get("/")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request")
}

fn seconds_ago(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now");
    now.as_secs() - seconds
}

#[tokio::test]
async fn tokens_state_method_and_time() {
    let app = GuardedRouter::new()
        .route("/", get(transfer))
        .protect(space())
        .unwrap();
    let challenge = "Bearer realm=\"api\", error=\"insufficient_user_authentication\", \
                     acr_values=\"mfa\", max_age=\"300\", \
                     error_description=\"the login is too old or too weak\"";
    for (claims, granted) in [
        (json!({ "acr": "mfa", "auth_time": seconds_ago(1) }), true),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(299) as f64 + 0.5 }),
            true,
        ),
        // The configured tolerance for the issuer's clock applies here as well.
        (json!({ "acr": "mfa", "auth_time": seconds_ago(350) }), true),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(0) + 30 }),
            true,
        ),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(370) }),
            false,
        ),
        (
            json!({ "acr": "mfa", "auth_time": seconds_ago(0) + 90 }),
            false,
        ),
        (json!({ "acr": "mfa" }), false),
        // The time of the token is not that of the login.
        (json!({ "acr": "mfa", "iat": seconds_ago(1) }), false),
        (json!({ "acr": "mfa", "auth_time": "yesterday" }), false),
        (json!({ "acr": "mfa", "auth_time": -1 }), false),
        (json!({ "acr": "mfa", "auth_time": 1e300 }), false),
        (
            json!({ "acr": ["mfa"], "auth_time": seconds_ago(1) }),
            false,
        ),
        (json!({ "acr": "MFA", "auth_time": seconds_ago(1) }), false),
        (json!({ "auth_time": seconds_ago(1) }), false),
        (json!({}), false),
    ] {
        let (status, challenges, _) = send(&app, fresh_claims(claims.clone())).await;
        if granted {
            assert_eq!(status, 200, "{claims}");
        } else {
            assert_eq!(
                (status.as_u16(), challenges),
                (401, vec![challenge.to_owned()]),
                "{claims}"
            );
        }
    }
    // An anonymous caller does not learn the required login (RFC 9470 §9).
    let (status, challenges, _) = send(&app, request("/")).await;
    assert_eq!(
        (status.as_u16(), challenges),
        (401, vec!["Bearer realm=\"api\"".to_owned()])
    );
}

#[tokio::test]
async fn logins_age_by_the_clock() {
    let time = ManualClock::new(SystemTime::now());
    let space = space_builder().clock(time.clock()).build().unwrap();
    let app = GuardedRouter::new()
        .route("/transfer", get(transfer))
        .protect(space)
        .unwrap();
    let login = Identity::new("ann")
        .with_acr("mfa")
        .with_auth_time(time.clock().now());
    let request = || known(login.clone(), "/transfer");
    time.advance(Duration::from_secs(300));
    assert_eq!(status(&app, request()).await, 200);
    time.advance(Duration::from_secs(1));
    assert_eq!(status(&app, request()).await, 401);
    // The clock was set back to a time before the login.
    time.set_wall(time.clock().now() - Duration::from_secs(600));
    assert_eq!(status(&app, request()).await, 401);
}

/// The clock moves while the policy is explained.
#[tokio::test]
async fn explanations_are_of_one_time() {
    let login = SystemTime::now();
    let time = ManualClock::new(login);
    let contradictions = Arc::new(AtomicU32::new(0));
    let (clock, counter) = (time.clone(), Arc::clone(&contradictions));
    let space = space_builder().clock(time.clock()).audit(move |record| {
        let is_done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for age in [0, 3600].into_iter().cycle() {
                    clock.set_wall(login + Duration::from_secs(age));
                    std::thread::yield_now();
                    if is_done.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            let (mut before, mut changes) = (false, 0);
            while changes < 100 {
                let explanation = record.explanation().expect("a requirement");
                let is_granted = *explanation.decision() == Decision::Grant;
                let is_met = explanation.requirement().map(Finding::truth) == Some(Truth::True);
                counter.fetch_add(u32::from(is_granted != is_met), Ordering::Relaxed);
                changes += u32::from(std::mem::replace(&mut before, is_granted) != is_granted);
            }
            is_done.store(true, Ordering::Relaxed);
        });
    });
    let app = GuardedRouter::new()
        .route("/transfer", get(transfer))
        .protect(space.build().unwrap())
        .unwrap();
    let ann = Identity::new("ann").with_acr("mfa").with_auth_time(login);
    send(&app, known(ann, "/transfer")).await;
    assert_eq!(contradictions.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn login_methods_are_a_set() {
    let app = GuardedRouter::new()
        .route("/", get(otp))
        .protect(space())
        .unwrap();
    for (amr, expected) in [
        (json!(["pwd", "otp"]), 200),
        (json!("otp"), 200),
        (json!(["pwd"]), 401),
        (json!(["OTP"]), 401),
        (json!([["otp"]]), 401),
        (json!(null), 401),
    ] {
        let status = status(&app, fresh_claims(json!({ "amr": amr }))).await;
        assert_eq!(status, expected, "{amr}");
    }
}

/// Rule 3a stays visible: such a caller is entitled to the information.
#[tokio::test]
async fn hidden_handlers_ask_for_newer_logins() {
    let app = GuardedRouter::new()
        .route("/hidden", get(hidden_transfer))
        .protect(space())
        .unwrap();
    assert_hidden(app.clone(), request("/hidden")).await;
    assert_hidden(
        app.clone(),
        with_caller(request("/hidden"), Caller::rejected()),
    )
    .await;
    let (status, challenges, _) = send(&app, known(Identity::new("ann"), "/hidden")).await;
    assert_eq!(status, 401);
    assert!(
        challenges[0].contains("acr_values=\"mfa\""),
        "{challenges:?}"
    );
}
