//! The times of proofs and nonces, and the prefix that a gateway removes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use auth_runtime::clock::ManualClock;

use super::replays::Recorder;
use super::*;

const KEY: [u8; 32] = [9; 32];

/// A nonce of the server that is so many seconds old: its time and the start of an HMAC.
fn nonce(age: i64) -> String {
    nonce_of(now() - age)
}

fn nonce_of(seconds: i64) -> String {
    let nanos = u64::try_from(seconds).expect("after 1970") * 1_000_000_000;
    let time = nanos.to_be_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(&KEY).expect("any length");
    let mac = mac.chain_update(b"DPoP nonce").chain_update(time);
    let mut stamp = time.to_vec();
    stamp.extend(&mac.finalize().into_bytes()[..16]);
    URL_SAFE_NO_PAD.encode(stamp)
}

/// A request with a proof of this age by the client's clock, and a nonce of this age.
fn request(client: &Client, age: i64, nonce_age: Option<i64>) -> Lines {
    let claims = json!({ "iat": now() - age, "nonce": nonce_age.map(nonce) });
    client.changed(json!({}), claims)
}

#[tokio::test]
async fn nonce_time_replaces_the_client_clock() {
    const HOUR: i64 = 3600;
    let client = Client::new();
    let with_nonces = app_of(dpop().nonces_with_key(KEY));
    let without = app_of(dpop());
    let tolerant = app_of(dpop().clock_skew(Duration::from_secs(40)));
    for (app, age, nonce_age, challenge) in [
        (&with_nonces, 0, Some(0), None),
        (&with_nonces, HOUR, Some(0), None),
        (&with_nonces, -HOUR, Some(0), None),
        (&with_nonces, HOUR, Some(50), None),
        (&with_nonces, 0, Some(200), None),
        // A newer nonce helps.
        (&with_nonces, HOUR, Some(70), Some(WANTS_NONCE)),
        (&with_nonces, HOUR, None, Some(WANTS_NONCE)),
        (&with_nonces, 0, Some(310), Some(WANTS_NONCE)),
        (&with_nonces, 0, Some(-HOUR), Some(WANTS_NONCE)),
        (&with_nonces, 0, Some(-8), Some(WANTS_NONCE)),
        (&without, 0, Some(0), None),
        (&without, HOUR, Some(0), Some(BAD_PROOF)),
        (&without, -20, None, Some(BAD_PROOF)),
        (&tolerant, -20, None, None),
        (&tolerant, -50, None, Some(BAD_PROOF)),
        (&tolerant, 70, None, Some(BAD_PROOF)),
    ] {
        let response = send(app, "/read", &request(&client, age, nonce_age)).await;
        let expected: Vec<&str> = challenge.into_iter().collect();
        assert_eq!(challenges(&response), expected, "{age} {nonce_age:?}");
        assert_eq!(response.status() == 200, challenge.is_none());
    }
}

/// A clock that does not move, and its seconds since 1970.
fn still() -> (ManualClock, i64) {
    let now = now();
    let since = Duration::from_secs(u64::try_from(now).expect("after 1970"));
    (ManualClock::new(std::time::UNIX_EPOCH + since), now)
}

/// `exp` and `nbf` are optional, and clocks may differ by a minute for them.
#[tokio::test]
async fn times_are_exact() {
    let client = Client::new();
    let (time, now) = still();
    let app = app_of(dpop().clock(time.clock()));
    for (claims, status) in [
        (json!({ "iat": now - 59 }), 200),
        (json!({ "iat": now - 60 }), 401),
        (json!({ "iat": now + 10 }), 200),
        (json!({ "iat": now + 11 }), 401),
        (json!({ "iat": now - 60, "exp": now + 600 }), 401),
        (json!({ "iat": now - 60, "nbf": now - 60 }), 401),
        (json!({ "iat": now, "exp": now - 59 }), 200),
        (json!({ "iat": now, "exp": now - 60 }), 401),
        (json!({ "iat": now, "nbf": now + 60 }), 200),
        (json!({ "iat": now, "nbf": now + 61 }), 401),
    ] {
        let request = client.changed(json!({}), claims.clone());
        let response = send(&app, "/read", &request).await;
        assert_eq!(response.status(), status, "{claims}");
    }
}

#[tokio::test]
async fn proofs_live_as_long_as_configured() {
    let client = Client::new();
    let (time, now) = still();
    for seconds in [1_i64, 10, 600] {
        let lifetime = Duration::from_secs(seconds.unsigned_abs());
        let app = app_of(dpop().proof_lifetime(lifetime).clock(time.clock()));
        for (age, status) in [(0, 200), (seconds - 1, 200), (seconds, 401)] {
            let request = client.changed(json!({}), json!({ "iat": now - age }));
            let response = send(&app, "/read", &request).await;
            assert_eq!(response.status(), status, "{age} of {seconds}");
        }
    }
}

/// A store of the service keeps a proof for as long as it is valid.
#[tokio::test]
async fn stores_learn_rest_of_life() {
    let client = Client::new();
    let (time, now) = still();
    for (has_nonces, iat, nonce, rest) in [
        (false, now, None, 60),
        (false, now - 20, None, 40),
        (false, now + 5, None, 65),
        (true, now - 3600, Some(now - 25), 35),
        (true, now - 20, Some(now - 50), 40),
        (true, now - 50, Some(now - 20), 40),
        // Until its nonce expires, the proof could become valid by the clock.
        (true, now + 240, Some(now - 25), 275),
        (true, now + 10, Some(now - 25), 70),
        // The nonce of an instance whose clock may be five seconds ahead.
        (true, now, Some(now + 3), 65),
    ] {
        let recorder = Recorder::default();
        let dpop = dpop().clock(time.clock()).replay_store(recorder.clone());
        let app = app_of(match has_nonces {
            true => dpop.nonces_with_key(KEY),
            false => dpop,
        });
        let claims = json!({ "iat": iat, "nonce": nonce.map(nonce_of) });
        let request = client.changed(json!({}), claims.clone());
        assert_eq!(send(&app, "/read", &request).await.status(), 200);
        let lifetimes: Vec<_> = recorder.used().iter().map(|one| one.lifetime()).collect();
        assert_eq!(lifetimes, [Duration::from_secs(rest)], "{claims}");
    }
}

#[tokio::test]
async fn proofs_of_wrong_clocks_work_once() {
    let client = Client::new();
    let app = app_of(dpop().nonces_with_key(KEY));
    let request = request(&client, 3600, Some(0));
    assert_eq!(send(&app, "/read", &request).await.status(), 200);
    let again = send(&app, "/read", &request).await;
    assert_eq!(challenges(&again), [BAD_PROOF]);
}

#[tokio::test]
async fn new_nonce_comes_before_expiry() {
    #[requires(scope = "read")]
    async fn shared() -> [(&'static str, &'static str); 2] {
        [
            ("cache-control", "public, max-age=60"),
            ("cdn-cache-control", "max-age=60"),
        ]
    }

    let client = Client::new();
    let (time, now) = still();
    let with_nonces = dpop().nonces_with_key(KEY).clock(time.clock());
    let app = GuardedRouter::new()
        .route("/read", get(shared))
        .protect(space(with_nonces.build().expect("it is in order")))
        .expect("in order");
    for (age, brings_one) in [(0, false), (149, false), (150, true), (300, true)] {
        let claims = json!({ "iat": now, "nonce": nonce_of(now - age) });
        let response = send(&app, "/read", &client.changed(json!({}), claims)).await;
        assert_eq!(response.status(), 200, "{age}");
        let new = response.headers().get("dpop-nonce");
        assert_eq!(new.is_some(), brings_one, "{age}");
        // A cache would send the nonce to other clients, or again to this one (RFC 9449 §8.2).
        let fields =
            ["cache-control", "cdn-cache-control"].map(|name| response.headers().get(name));
        let fields = fields.map(|value| value.map(|value| value.to_str().expect("ASCII")));
        let expected = match brings_one {
            true => [Some("no-store"), None],
            false => [Some("public, max-age=60"), Some("max-age=60")],
        };
        assert_eq!(fields, expected, "{age}");
        if let Some(new) = new {
            let new = new.to_str().expect("ASCII");
            let next = client.changed(json!({}), json!({ "nonce": new }));
            let response = send(&app, "/read", &next).await;
            assert_eq!(response.status(), 200);
            assert!(!response.headers().contains_key("dpop-nonce"));
        }
    }
    // Without nonces, none is sent.
    let response = send(&app_of(dpop()), "/read", &request(&client, 0, Some(160))).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("dpop-nonce"));
}

#[tokio::test]
async fn origin_may_have_a_removed_prefix() {
    let client = Client::new();
    let dpop = Dpop::jwt(verifier()).origin("https://api.example/orders");
    let app = app_of(dpop);
    for (htu, expected) in [
        ("https://api.example/orders/read", 200),
        ("https://api.example/%6Frders/read?a=b", 200),
        ("https://api.example/read", 401),
        ("https://api.example/Orders/read", 401),
        ("https://api.example/ordersread", 401),
        ("https://api.example/orders", 401),
    ] {
        let request = client.changed(json!({}), json!({ "htu": htu }));
        assert_eq!(
            send(&app, "/read", &request).await.status(),
            expected,
            "{htu}"
        );
    }
    // A gateway that removes the whole path sends a slash. No route has this path.
    for (htu, expected) in [
        ("https://api.example/orders", 404),
        ("https://api.example/orders/", 404),
        ("https://api.example/orders?a=b", 404),
        ("https://api.example/", 401),
        ("https://api.example/orders/read", 401),
    ] {
        let request = client.changed(json!({}), json!({ "htu": htu }));
        assert_eq!(send(&app, "/", &request).await.status(), expected, "{htu}");
    }
    for (origin, is_valid) in [
        ("https://api.example/orders/v1", true),
        ("https://api.example/orders/", false),
        ("https://api.example/", false),
        ("https://api.example/a/../b", false),
        ("https://api.example/orders?a", false),
        ("https://api.example/orders#a", false),
    ] {
        let built = Dpop::jwt(verifier()).origin(origin).build();
        assert_eq!(built.is_ok(), is_valid, "{origin}");
    }
    for (seconds, is_valid) in [(60, true), (61, false)] {
        let skew = super::dpop().clock_skew(Duration::from_secs(seconds));
        assert_eq!(skew.build().is_ok(), is_valid, "{seconds}");
    }
    let longest = super::dpop().proof_lifetime(Duration::from_secs(600));
    assert!(longest.build().is_ok());
}

/// A proof of a client whose clock is ahead is valid for longer than others.
#[tokio::test]
async fn proofs_made_ahead_work_once() {
    let client = Client::new();
    let (time, start) = still();
    let app = app_of(dpop().clock(time.clock()));
    let made_at = |seconds| client.changed(json!({}), json!({ "iat": start + seconds }));
    let later = async |seconds, request: &Lines| {
        time.advance(Duration::from_secs(seconds));
        send(&app, "/read", request).await
    };
    let ahead = made_at(69);
    assert_eq!(later(59, &ahead).await.status(), 200);
    assert_eq!(later(2, &made_at(61)).await.status(), 200);
    // The proof lives for eight seconds more.
    let again = later(60, &ahead).await;
    assert_eq!(challenges(&again), [BAD_PROOF]);
}

/// Its nonce makes it valid at once, and its own time makes it valid again, while the nonce is fresh.
#[tokio::test]
async fn nonce_proofs_made_ahead_work_once() {
    let client = Client::new();
    let (time, start) = still();
    let app = app_of(dpop().nonces_with_key(KEY).clock(time.clock()));
    let made_at = |seconds, nonce| {
        let claims = json!({ "iat": start + seconds, "nonce": nonce_of(start + nonce) });
        client.changed(json!({}), claims)
    };
    let later = async |seconds, request: &Lines| {
        time.advance(Duration::from_secs(seconds));
        send(&app, "/read", request).await
    };
    let ahead = made_at(340, 119);
    assert_eq!(later(119, &ahead).await.status(), 200);
    assert_eq!(later(2, &made_at(121, 121)).await.status(), 200);
    assert_eq!(later(129, &made_at(250, 250)).await.status(), 200);
    // The nonce lives for 69 seconds more.
    let again = later(100, &ahead).await;
    assert_eq!(challenges(&again), [BAD_PROOF]);
}
