//! Logins that wait for a processor, and those of unknown users.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn each_processor_refuses_logins_beyond_128() {
    let is_open = Arc::new(RwLock::new(()));
    let closed = is_open.write().await;
    let gate = Arc::clone(&is_open);
    let hashes = PasswordHashes::builder().user_verified_by(
        "ann",
        move |_| {
            drop(gate.blocking_read());
            false
        },
        Identity::new("ann"),
    );
    let hashes = hashes.build().expect("a user");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let taken = cores + cores * 128;
    let mut logins = JoinSet::new();
    for number in 0..=taken {
        let hashes = hashes.clone();
        logins.spawn(async move {
            let (user, password) = (format!("user-{number}"), "guess".to_owned());
            hashes.authenticate(user, password, Client::Unknown).await
        });
    }
    let first = logins.join_next().await.expect("a login");
    assert!(
        matches!(first, Ok(Caller::Unverifiable { .. })),
        "{first:?}"
    );
    drop(closed);
    let others = logins.join_all().await;
    assert_eq!(others.len(), taken);
    assert!(
        others
            .iter()
            .all(|caller| matches!(caller, Caller::Rejected(_)))
    );
}

/// A site has an IPv6 network of 64 bits, so its addresses are one client.
#[tokio::test]
async fn one_ipv6_network_excludes_no_other() {
    let is_open = Arc::new(RwLock::new(()));
    let closed = is_open.write().await;
    let gate = Arc::clone(&is_open);
    let hashes = PasswordHashes::builder().user_verified_by(
        "ann",
        move |password| {
            drop(gate.blocking_read());
            password.as_str() == "secret"
        },
        Identity::new("ann"),
    );
    let hashes = hashes.build().expect("a user");
    let log_in = |user: String, address: String| {
        let hashes = hashes.clone();
        let client = Client::Address(address.parse().expect("an address"));
        async move { hashes.authenticate(user, "secret".to_owned(), client).await }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut hostile = JoinSet::new();
    for number in 0..cores + cores * 128 {
        let address = format!("2001:db8:0:1::{number:x}");
        hostile.spawn(log_in(format!("user-{number}"), address));
    }
    let ann = tokio::spawn(log_in("ann".to_owned(), "2001:db8:0:2::1".to_owned()));
    // All of them enter the queue, ann last.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    drop(closed);
    let caller = ann.await.expect("it does not panic");
    assert!(matches!(caller, Caller::Known(_)), "{caller:?}");
    hostile.shutdown().await;
}

#[tokio::test]
async fn a_remembered_login_does_not_wait() {
    let is_open = Arc::new(RwLock::new(()));
    let gate = Arc::clone(&is_open);
    let hashes = PasswordHashes::builder().user_verified_by(
        "ann",
        move |password| {
            drop(gate.blocking_read());
            password.as_str() == "secret"
        },
        Identity::new("ann"),
    );
    let hashes = hashes.build().expect("a user");
    let log_in = |user: &str, password: &str, host: u8| {
        let client = Client::Address([203, 0, 113, host].into());
        let (hashes, user, password) = (hashes.clone(), user.to_owned(), password.to_owned());
        async move { hashes.authenticate(user, password, client).await }
    };
    let first = log_in("ann", "secret", 1).await;
    assert!(matches!(first, Caller::Known(_)), "{first:?}");

    let closed = is_open.write().await;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for number in 0..cores {
        // The verification keeps its place when its client disconnects.
        let stranger = log_in(&format!("user-{number}"), "guess", 2);
        assert!(stranger.now_or_never().is_none(), "{number}");
    }
    let again = log_in("ann", "secret", 1).now_or_never();
    assert!(matches!(again, Some(Caller::Known(_))), "{again:?}");
    // It is valid neither for other clients, nor for another name or password of the same client.
    for (user, password, host) in [
        ("ann", "secret", 3),
        ("ann", "guess", 1),
        ("bob", "secret", 1),
    ] {
        let other = log_in(user, password, host).now_or_never();
        assert!(other.is_none(), "{user} {password} {host}: {other:?}");
    }
    drop(closed);
}

/// Otherwise the time of a verification could reveal that a name is unknown.
#[tokio::test]
async fn each_unknown_name_has_stand_in() {
    let calls: [Arc<AtomicUsize>; 2] = Default::default();
    let count = |index: usize| {
        let calls = Arc::clone(&calls[index]);
        move |_: &Password| {
            calls.fetch_add(1, Ordering::Relaxed);
            true
        }
    };
    let hashes = PasswordHashes::builder()
        .user_verified_by("ann", count(0), Identity::new("ann"))
        .user_verified_by("bob", count(1), Identity::new("bob"));
    let hashes = hashes.build().expect("users");
    let seen = || calls.each_ref().map(|calls| calls.load(Ordering::Relaxed));
    for number in 0..64 {
        let name = format!("user-{number}");
        let before = seen();
        for _ in 0..2 {
            let login = hashes.authenticate(name.clone(), "x".to_owned(), Client::Unknown);
            assert!(matches!(login.await, Caller::Rejected(_)), "{name}");
        }
        let after = seen();
        // The same one for a name.
        assert!(after == [before[0] + 2, before[1]] || after == [before[0], before[1] + 2]);
    }
    assert!(seen().iter().all(|calls| *calls > 0), "{:?}", seen());
}
