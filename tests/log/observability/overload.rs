//! Requests that are dropped, since too many wait, and logins that cannot be verified: logged once a minute.

use std::future::{pending, ready};
use std::net::SocketAddr;
use std::pin::pin;
use std::slice::from_ref;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{Bearer, Client, Introspection, PasswordHashes};
use tokio::task::JoinSet;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn dropped_tokens_are_logged_once_minute() {
    listen();
    for has_cache in [true, false] {
        let server = axum::Router::new();
        let server = server.route("/introspect", axum::routing::post(pending::<StatusCode>));
        let endpoint = format!(
            "http://{}/introspect?realm=a",
            auth_tests::serve(server).await
        );
        let time = ManualClock::new(SystemTime::now());
        let introspection = Introspection::builder()
            .endpoint(&endpoint)
            .client_secret("api", "secret")
            .any_audience()
            .clock(time.clock());
        let introspection = match has_cache {
            true => introspection,
            false => introspection.without_cache(),
        };
        let bearer = Bearer::introspection(introspection.build().expect("an endpoint"));
        let space = ProtectionSpace::builder().realm("api").scheme(bearer);
        let app = reads(space.build().expect("a space"));
        let request = |number: usize| {
            let token = format!("Bearer token-{number}");
            let request = Request::get("/read").header("authorization", token);
            let peer: SocketAddr = "192.0.2.1:1".parse().expect("an address");
            let request = request.extension(peer).body(Body::empty());
            app.clone().oneshot(request.expect("a request"))
        };
        // A client has 64 places, and 1024 of its requests may wait.
        let mut requests = JoinSet::new();
        for number in 0..64 + 1024 + 10 {
            requests.spawn(request(number));
        }
        let message = "tokens are not introspected, since too many requests wait for the server; \
                       clients without an address of their own count as one: behind a proxy, \
                       configure `client_address`";
        let shown = endpoint.replace("realm=a", "…");
        let expected = json!(["WARN", { "message": message, "endpoint": shown }]);
        // After the first ones, those that wait receive no place within a second.
        for dropped in [10, 20] {
            for _ in 0..dropped {
                let response = requests.join_next().await.expect("a request");
                let response = response.expect("no panic").expect("infallible");
                assert_eq!(response.status(), 503);
            }
            let events = events("::introspection");
            assert_eq!(events, from_ref(&expected), "{dropped} {has_cache}");
            time.advance(MINUTE);
        }
    }
}

#[tokio::test]
async fn dropped_logins_are_logged_once_minute() {
    listen();
    let (release, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let time = ManualClock::new(SystemTime::now());
    let hashes = PasswordHashes::builder()
        .user_verified_by(
            "ann",
            // Until the test ends.
            move |_| gate.lock().expect("no panic").recv().is_ok(),
            Identity::new("ann"),
        )
        .clock(time.clock());
    let hashes = hashes.build().expect("a user");
    let processors = available_parallelism().map_or(1, usize::from);
    let mut logins = JoinSet::new();
    for round in 0..2 {
        for _ in 0..if round == 0 { processors * 129 } else { 0 } + 10 {
            let hashes = hashes.clone();
            logins.spawn(async move {
                let login = hashes.authenticate("ann".to_owned(), "x".to_owned(), Client::Unknown);
                login.await
            });
        }
        for _ in 0..10 {
            let caller = logins
                .join_next()
                .await
                .expect("a login")
                .expect("no panic");
            assert!(matches!(caller, Caller::Unverifiable { .. }), "{caller:?}");
        }
        let expected = "passwords are not verified, since too many logins wait; clients without an \
                        address of their own count as one: behind a proxy, configure \
                        `client_address`";
        let expected = json!(["WARN", { "message": expected }]);
        assert_eq!(events("::password_hashes"), [expected], "{round}");
        time.advance(MINUTE);
    }
    drop(release);
}

#[test]
fn unverifiable_logins_have_a_reason() {
    listen();
    let hashes = PasswordHashes::builder().user_verified_by(
        "ann",
        |_| panic!("in the function of the service"),
        Identity::new("ann"),
    );
    let hashes = hashes.build().expect("a user");
    let login = || hashes.authenticate("ann".to_owned(), "x".to_owned(), Client::Unknown);
    let mut outside = pin!(login());
    let polled = outside
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Caller::Unverifiable { .. })));
    assert_eq!(
        messages("::password_hashes"),
        ["passwords are verified on tokio's blocking threads, and there is no runtime of tokio"]
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let caller = runtime.expect("a runtime").block_on(login());
    assert!(matches!(caller, Caller::Unverifiable { .. }), "{caller:?}");
    assert_eq!(
        messages("::password_hashes"),
        ["the verification of a password panicked, or the runtime stopped"]
    );
}

#[tokio::test]
async fn unusable_looked_up_hashes_have_reasons() {
    const OUTPUT: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE";
    let hash = |parameters| format!("$argon2id$v=19${parameters}$c29tZXNhbHQ${OUTPUT}");
    listen();
    let time = ManualClock::new(SystemTime::now());
    let hashes = PasswordHashes::look_up(move |user: String| {
        let stored = match user.as_str() {
            "down" => return ready(Err("the directory is down")),
            "plain" => "secret".to_owned(),
            _ => hash("m=1048576,t=2,p=1"),
        };
        ready(Ok(Some((stored, Identity::new(user)))))
    });
    let hashes = hashes.stand_in(hash("m=64,t=1,p=1")).clock(time.clock());
    let hashes = hashes.build().expect("a stand-in");
    let down = json!(["ERROR", {
        "message": "the hash of a user cannot be looked up",
        "error": "the directory is down",
    }]);
    let plain = json!(["ERROR", {
        "message": "the hash of a user that was looked up is not of the form \
                    `$argon2id$v=19$m=…,t=…,p=…$…$…`",
    }]);
    let dear = json!(["ERROR", {
        "message": "the hash of a user that was looked up is too expensive; the numbers are KiB",
        "memory": 1_048_576,
        "max_memory": 262_144,
        "computed": 2_097_152,
        "max_computed": 1_048_576,
    }]);
    for (user, expected) in [
        ("down", vec![down.clone(), down]),
        // Once a minute, since clients determine the number of their logins.
        ("plain", vec![plain]),
        ("dear", vec![dear]),
    ] {
        for _ in 0..2 {
            let login = hashes.authenticate(user.to_owned(), "x".to_owned(), Client::Unknown);
            let caller = login.await;
            assert!(matches!(caller, Caller::Unverifiable { .. }), "{caller:?}");
        }
        assert_eq!(events("::password_hashes"), expected, "{user}");
        time.advance(MINUTE);
    }
}
