//! Nonces.

use std::time::SystemTime;

use auth_runtime::clock::ManualClock;

use super::*;

#[tokio::test]
async fn nonces_have_one_algorithm() {
    let app = service(lab_with_md5(), "lab");
    for (place, algorithm, expected) in [
        (0, "SHA-256", 200),
        (1, "MD5", 200),
        (0, "MD5", 401),
        (1, "SHA-256", 401),
    ] {
        let login = Login {
            nonce: nonce(&app, place).await,
            algorithm: algorithm.to_owned(),
            ..login(&app).await
        };
        let answer = send_login(&app, &login).await;
        assert_eq!(answer.status(), expected, "{algorithm} for {place}");
        if expected == 401 {
            assert!(!is_stale(&answer), "a new nonce would not help");
            assert_eq!(challenges(&answer).len(), 2);
        }
    }
    let only_md5 = Digest::builder("lab")
        .algorithms([MD5])
        .user(secret(ANN_MD5), ann());
    let app = service(only_md5, "lab");
    let login = Login {
        algorithm: "MD5".to_owned(),
        ..login(&app).await
    };
    assert_eq!(
        send_login(&app, &login).await.status(),
        200,
        "an old `htdigest` file"
    );
}

#[tokio::test]
async fn expired_nonces_are_stale() {
    let time = ManualClock::new(SystemTime::now());
    let app = service(lab().clock(time.clock()), "lab");
    let fresh = login(&app).await;
    assert_eq!(send_login(&app, &fresh).await.status(), 200);
    time.advance(Duration::from_secs(301));
    let second = Login {
        count: "00000002".to_owned(),
        ..fresh.clone()
    };
    let wrong = Login {
        password: "guess".to_owned(),
        ..second.clone()
    };
    assert!(!is_stale(&send_login(&app, &wrong).await));
    let answer = send_login(&app, &second).await;
    assert!(is_stale(&answer));
    let renewed = Login {
        nonce: parameter(&answer, 0, "nonce").expect("a nonce"),
        ..fresh
    };
    assert_eq!(send_login(&app, &renewed).await.status(), 200);
}

/// The counts are kept as long as their nonce is valid. Otherwise a request could be repeated.
#[tokio::test]
async fn nonces_and_counts_last_for_lifetime() {
    for seconds in [2, 60, 3600] {
        let time = ManualClock::new(SystemTime::now());
        let lab = lab().nonce_lifetime(Duration::from_secs(seconds));
        let app = service(lab.clock(time.clock()), "lab");
        let first = login(&app).await;
        let counted = |count: &str| Login {
            count: count.to_owned(),
            ..first.clone()
        };
        assert_eq!(send_login(&app, &first).await.status(), 200, "{seconds}");
        time.advance(Duration::from_secs(seconds - 1));
        assert!(is_stale(&send_login(&app, &first).await), "{seconds}");
        let second = send_login(&app, &counted("00000002")).await;
        assert_eq!(second.status(), 200, "{seconds}");
        time.advance(Duration::from_secs(1));
        let third = send_login(&app, &counted("00000003")).await;
        assert!(is_stale(&third), "{seconds}");
    }
}

#[tokio::test]
async fn a_shared_key_shares_nonces() {
    let key = [7; 32];
    let own = service(lab().nonce_key(key), "lab");
    let login = login(&own).await;
    let sibling = service(lab().nonce_key(key), "lab");
    assert_eq!(send_login(&sibling, &login).await.status(), 200);
    // The nonce of another key: after a restart, a logged-in client continues without a new login.
    for stranger in [service(lab().nonce_key([8; 32]), "lab"), lab_service()] {
        assert!(is_stale(&send_login(&stranger, &login).await));
    }
    for nonce in ["", "x", &"A".repeat(32), &"A".repeat(5000)] {
        let made_up = Login {
            nonce: nonce.to_owned(),
            ..login.clone()
        };
        assert!(is_stale(&send_login(&own, &made_up).await), "{nonce}");
        let guessed = Login {
            password: "guess".to_owned(),
            ..made_up
        };
        assert!(!is_stale(&send_login(&own, &guessed).await), "{nonce}");
    }
}

/// Counts are forgotten with their nonce. By a clock that is set back, the nonce would be valid again.
#[tokio::test]
async fn used_counts_outlast_set_back_clocks() {
    let start = SystemTime::now();
    let time = ManualClock::new(start);
    let app = service(lab().clock(time.clock()), "lab");
    let login = login(&app).await;
    assert_eq!(send_login(&app, &login).await.status(), 200);
    time.advance(Duration::from_secs(3600));
    time.set_wall(start);
    assert!(is_stale(&send_login(&app, &login).await));
}

/// The clock of another instance may be five seconds ahead. A nonce of a later time would be valid for longer than its
/// counts are kept.
#[tokio::test]
async fn nonces_of_later_time_are_stale() {
    let lifetime = Duration::from_secs(60);
    for (ahead, is_accepted) in [(1, true), (5, true), (6, false), (3600, false)] {
        let start = SystemTime::now();
        let time = ManualClock::new(start);
        let there = ManualClock::new(start + Duration::from_secs(ahead));
        let [own, other] = [&time, &there].map(|time| {
            let lab = lab().nonce_key([7; 32]).nonce_lifetime(lifetime);
            service(lab.clock(time.clock()), "lab")
        });
        let login = login(&other).await;
        let answer = send_login(&own, &login).await;
        assert_eq!(send_login(&other, &login).await.status(), 200, "{ahead}");
        if !is_accepted {
            assert!(is_stale(&answer), "{ahead}");
        } else {
            assert_eq!(answer.status(), 200, "{ahead}");
            // The count is kept until the nonce has expired here.
            time.advance(lifetime + Duration::from_secs(ahead - 1));
            assert!(is_stale(&send_login(&own, &login).await), "{ahead}");
            let next = Login {
                count: "00000002".to_owned(),
                ..login.clone()
            };
            assert_eq!(send_login(&own, &next).await.status(), 200, "{ahead}");
            time.advance(Duration::from_secs(1));
            assert!(is_stale(&send_login(&own, &next).await), "{ahead}");
        }
    }
}

/// The nonce of another instance may be used at any time. Its counts are kept until it expires.
#[tokio::test]
async fn counts_outlive_nonces_of_later_time() {
    let (lifetime, ahead) = (Duration::from_secs(60), Duration::from_secs(5));
    for seconds in 0..=2 * 65 {
        let start = SystemTime::now();
        let time = ManualClock::new(start);
        let own = service(
            lab()
                .nonce_key([7; 32])
                .nonce_lifetime(lifetime)
                .clock(time.clock()),
            "lab",
        );
        let later = start + Duration::from_secs(seconds) + ahead;
        let there = ManualClock::new(later);
        let other = service(lab().nonce_key([7; 32]).clock(there.clock()), "lab");
        time.advance(Duration::from_secs(seconds));
        let login = login(&other).await;
        assert_eq!(send_login(&own, &login).await.status(), 200, "{seconds}");
        // The last moment of the nonce here.
        time.advance(lifetime + ahead - Duration::from_secs(1));
        assert!(is_stale(&send_login(&own, &login).await), "{seconds}");
        let next = Login {
            count: "00000002".to_owned(),
            ..login
        };
        assert_eq!(send_login(&own, &next).await.status(), 200, "{seconds}");
    }
}
