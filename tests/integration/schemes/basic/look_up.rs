//! Users in a table of the service.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::PasswordHashLookUpBuilder;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use super::*;

/// Hashes and roles, by name.
type Rows = BTreeMap<String, (String, &'static str)>;

/// The table, which has no rows while it is unavailable.
#[derive(Clone)]
struct Table(Arc<Mutex<Option<Rows>>>);

impl Table {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(Rows::new()))))
    }

    fn set(&self, user: &str, hash: impl Into<String>, role: &'static str) {
        let mut rows = self.0.lock().expect("no panic");
        let rows = rows.as_mut().expect("the table is available");
        rows.insert(user.to_owned(), (hash.into(), role));
    }

    fn remove(&self, user: &str) {
        let mut rows = self.0.lock().expect("no panic");
        rows.as_mut().map(|rows| rows.remove(user));
    }

    async fn find(self, user: String) -> io::Result<Option<(String, Identity)>> {
        tokio::task::yield_now().await;
        let rows = self.0.lock().expect("no panic");
        let rows = rows.as_ref().ok_or(io::ErrorKind::TimedOut)?;
        let row = rows.get(&user).cloned();
        Ok(row.map(|(hash, role)| (hash, Identity::new(user).with_roles([role]))))
    }

    fn look_up(&self) -> PasswordHashLookUpBuilder {
        let table = self.clone();
        PasswordHashes::look_up(move |user| table.clone().find(user))
    }
}

/// Counts the hashes that are made: a hash is the password behind `plain:`.
fn counted(
    users: PasswordHashLookUpBuilder,
    count: &Arc<AtomicUsize>,
) -> PasswordHashLookUpBuilder {
    let count = Arc::clone(count);
    users.verified_by(move |hash, password| {
        count.fetch_add(1, Ordering::Relaxed);
        hash.strip_prefix("plain:") == Some(password.as_str())
    })
}

/// A hash with these parameters, which no known password has.
fn hash_with(parameters: &str) -> String {
    let output = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE";
    format!("$argon2id$v=19${parameters}$c29tZXNhbHQ${output}")
}

fn status_of(caller: &Caller) -> u16 {
    match caller {
        Caller::Known(_) => 200,
        Caller::Rejected(_) => 401,
        Caller::Unverifiable { .. } => 503,
        _ => panic!("{caller:?}"),
    }
}

#[tokio::test]
async fn users_of_a_table_log_in() {
    let table = Table::new();
    let users = table.look_up().stand_in(hash("of nobody")).build();
    let app = app(space(Basic::password_hashes(users.expect("a stand-in"))));
    table.set("ann", hash("correct horse"), "admin");
    table.set("bob", hash("pass:word"), "guest");
    for (user, stored) in [
        ("empty", ""),
        ("plain", "correct horse"),
        ("cut", "$argon2id$v=19$m=64,t=1,p=1"),
        (
            "bcrypt",
            "$2b$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
        // An attempt to verify one of these takes all memory, or years.
        ("memory", &hash_with("m=4294967295,t=1,p=1")),
        ("passes", &hash_with("m=64,t=4294967295,p=1")),
    ] {
        table.set(user, stored, "admin");
    }
    let rows = vec![
        row("right", basic("ann:correct horse"), 200, &[]),
        row("another user", basic("bob:pass:word"), 200, &[]),
        row("wrong", basic("ann:pass:word"), 401, &[BASIC]),
        row("unknown", basic("eve:correct horse"), 401, &[BASIC]),
        row("of the stand-in", basic("eve:of nobody"), 401, &[BASIC]),
        row("no hash", basic("empty:"), 503, &[]),
        row("a password", basic("plain:correct horse"), 503, &[]),
        row("no output", basic("cut:correct horse"), 503, &[]),
        row("another kind", basic("bcrypt:correct horse"), 503, &[]),
        row("too much memory", basic("memory:a"), 503, &[]),
        row("too many passes", basic("passes:a"), 503, &[]),
        row("afterwards", basic("ann:correct horse"), 200, &[]),
    ];
    check(&app, "/known", rows).await;
    for (login, status) in [("ann:correct horse", 200), ("bob:pass:word", 403)] {
        let response = send(&app, "/admin", &basic(login)).await;
        assert_eq!(response.status(), status, "{login}");
    }
    *table.0.lock().expect("no panic") = None;
    for login in ["ann:correct horse", "ann:wrong", "eve:wrong"] {
        let response = send(&app, "/known", &basic(login)).await;
        assert_eq!(response.status(), 503, "{login}");
        assert!(response.headers().contains_key("retry-after"), "{login}");
    }
}

#[tokio::test]
async fn unknown_names_cost_one_hash_too() {
    let (table, count) = (Table::new(), Arc::default());
    let users = counted(table.look_up(), &count).stand_in("plain:of nobody");
    let users = users.build().expect("a stand-in");
    table.set("ann", "plain:secret", "admin");
    for (user, password, status, cost) in [
        ("ann", "wrong", 401, 1),
        ("eve", "wrong", 401, 1),
        ("eve", "of nobody", 401, 1),
        ("eve", "of nobody", 401, 1),
        ("ann", "of nobody", 401, 1),
        ("ann", "secret", 200, 1),
        ("ann", "secret", 200, 0),
        ("ann", "wrong", 401, 1),
        ("ann", "secret", 200, 0),
    ] {
        let login = users.authenticate(user.to_owned(), password.to_owned(), Client::Unknown);
        assert_eq!(status_of(&login.await), status, "{user} {password}");
        assert_eq!(count.swap(0, Ordering::Relaxed), cost, "{user} {password}");
    }
}

/// A cached login costs a look-up and no hash, so the table decides about it.
#[tokio::test]
async fn cached_logins_end_with_their_hash() {
    let (table, count) = (Table::new(), Arc::default());
    let time = ManualClock::new(SystemTime::now());
    let users = counted(table.look_up(), &count).stand_in("plain:of nobody");
    let users = users.clock(time.clock()).build().expect("a stand-in");
    let log_in = async |password: &str, status, cost, what| {
        let login = users.authenticate("ann".to_owned(), password.to_owned(), Client::Unknown);
        let caller = login.await;
        assert_eq!(status_of(&caller), status, "{what}");
        assert_eq!(count.swap(0, Ordering::Relaxed), cost, "{what}");
        caller
    };
    let is_admin = |caller: Caller| caller.identity().is_some_and(|ann| ann.has_role("admin"));
    table.set("ann", "plain:old", "admin");
    assert!(is_admin(log_in("old", 200, 1, "first").await));
    assert!(is_admin(log_in("old", 200, 0, "cached").await));
    table.set("ann", "plain:old", "guest");
    assert!(!is_admin(log_in("old", 200, 0, "other grants").await));

    table.set("ann", "plain:new", "guest");
    log_in("old", 401, 1, "the old password").await;
    log_in("new", 200, 1, "the new password").await;
    log_in("new", 200, 0, "cached").await;
    log_in("old", 401, 1, "the old password").await;

    table.remove("ann");
    log_in("new", 401, 1, "a removed user").await;
    table.set("ann", "plain:new", "guest");
    log_in("new", 200, 0, "added again").await;
    let rows = table.0.lock().expect("no panic").take();
    log_in("new", 503, 0, "an outage").await;
    *table.0.lock().expect("no panic") = rows;
    log_in("new", 200, 0, "afterwards").await;

    // A function may have another result for the same text.
    for (seconds, cost) in [(299, 0), (1, 1), (299, 0), (299, 1)] {
        time.advance(Duration::from_secs(seconds));
        log_in("new", 200, cost, "later").await;
    }
}

#[tokio::test]
async fn full_queues_delay_by_one_login() {
    let is_open = Arc::new(RwLock::new(()));
    let closed = is_open.write().await;
    let (table, verified) = (Table::new(), Arc::new(Mutex::new(Vec::new())));
    let (gate, log) = (Arc::clone(&is_open), Arc::clone(&verified));
    let users = table.look_up().verified_by(move |hash, password| {
        log.lock()
            .expect("no panic")
            .push(password.as_str().to_owned());
        drop(gate.blocking_read());
        hash.strip_prefix("plain:") == Some(password.as_str())
    });
    let users = users
        .stand_in("plain:of nobody")
        .build()
        .expect("a stand-in");
    table.set("ann", "plain:secret", "admin");
    let log_in = |user: String, password: &str, host: u8| {
        let (users, password) = (users.clone(), password.to_owned());
        let client = Client::Address([203, 0, 113, host].into());
        async move { users.authenticate(user, password, client).await }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut hostile = JoinSet::new();
    // One more than the places.
    for number in 0..=cores + cores * 128 {
        hostile.spawn(log_in(format!("user-{number}"), "guess", 1));
    }
    let refused = hostile.join_next().await.expect("a login");
    assert_eq!(status_of(&refused.expect("no panic")), 503);
    let ann = tokio::spawn(log_in("ann".to_owned(), "secret", 2));
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    drop(closed);
    let caller = ann.await.expect("no panic");
    assert_eq!(status_of(&caller), 200);
    let verified = verified.lock().expect("no panic").clone();
    let place = verified.iter().position(|password| password == "secret");
    // Behind those that had a place, and one that waited; threads begin in any order.
    assert!(place <= Some(2 * cores + 1), "{place:?} on {cores}");
    hostile.shutdown().await;
}

#[tokio::test]
async fn each_name_has_one_stand_in() {
    let used = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&used);
    let users = Table::new().look_up().verified_by(move |hash, _| {
        log.lock().expect("no panic").push(hash.to_owned());
        true
    });
    let users = users.stand_in("cheap").stand_in("dear");
    let users = users.build().expect("stand-ins");
    let mut seen = [false; 2];
    for number in 0..64 {
        for _ in 0..2 {
            let login =
                users.authenticate(format!("user-{number}"), "x".to_owned(), Client::Unknown);
            assert_eq!(status_of(&login.await), 401, "{number}");
        }
        let used = std::mem::take(&mut *used.lock().expect("no panic"));
        assert_eq!(used.len(), 2, "{number}");
        assert_eq!(used[0], used[1], "{number}");
        seen[usize::from(used[0] == "dear")] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn stand_ins_are_hashes() {
    let users = || Table::new().look_up();
    let valid = hash("of nobody");
    let invalid = Some(PasswordHashesError::InvalidStandIn);
    let bcrypt = "$2b$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let other = || users().verified_by(|_, _| false);
    for (what, users, error) in [
        ("absent", users(), Some(PasswordHashesError::NoStandIn)),
        ("a hash", users().stand_in(&valid), None),
        ("a password", users().stand_in("of nobody"), invalid.clone()),
        (
            "a second one",
            users().stand_in(&valid).stand_in(""),
            invalid.clone(),
        ),
        ("bcrypt", users().stand_in(bcrypt), invalid.clone()),
        ("bcrypt by a function", other().stand_in(bcrypt), None),
        ("Argon2 beside it", other().stand_in(&valid), None),
        ("cut", other().stand_in(&valid[..40]), invalid),
    ] {
        assert_eq!(users.build().err(), error, "{what}");
    }
}
