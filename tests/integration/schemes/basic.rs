//! Basic with password hashes.

mod cache;
mod hashes;
mod look_up;
mod waiting;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use auth_runtime::schemes::{Client, Password};
use axum::extract::ConnectInfo;

use crate::schemes::*;

fn hash(password: &str) -> String {
    let cheap = argon2::Params::new(64, 1, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::from(cheap);
    argon2
        .hash_password(password.as_bytes())
        .expect("a hash")
        .to_string()
}

/// As `requests`, urllib3 and aiohttp send them.
#[tokio::test]
async fn latin1_is_read_on_request() {
    let name_of = |user: String, _| async { Caller::known(Identity::new(user)) };
    let latin1 = || authorization(format!("Basic {}", STANDARD.encode(b"J\xfcrgen:x")));
    let utf8 = || authorization(format!("Basic {}", STANDARD.encode("Jürgen:x")));
    let strict = app(space(Basic::new(name_of)));
    let lenient = app(space(Basic::new(name_of).accept_latin1()));
    assert_eq!(send(&strict, "/known", &latin1()).await.status(), 401);
    for lines in [latin1(), utf8()] {
        let response = send(&lenient, "/known", &lines).await;
        assert!(text(response).await.contains("Jürgen"));
    }
    let control = authorization(format!("Basic {}", STANDARD.encode(b"J\x85\xff:x")));
    assert_eq!(send(&lenient, "/known", &control).await.status(), 401);
}

#[tokio::test]
async fn functions_verify_other_hashes() {
    let verify = |right: &'static str| {
        move |password: &Password| {
            assert_ne!(password.as_str(), "panic");
            password.as_str() == right
        }
    };
    let hashes = PasswordHashes::builder()
        .user_verified_by("ann", verify("correct horse"), Identity::new("ann"))
        .user("bob", &hash("pass:word"), Identity::new("bob"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    let rows = vec![
        row("right", basic("ann:correct horse"), 200, &[]),
        row("wrong", basic("ann:pass:word"), 401, &[BASIC]),
        row("Argon2 beside it", basic("bob:pass:word"), 200, &[]),
        row(
            "wrong for Argon2",
            basic("bob:correct horse"),
            401,
            &[BASIC],
        ),
        row("a panic", basic("ann:panic"), 503, &[]),
        row("after the panic", basic("ann:correct horse"), 200, &[]),
    ];
    check(&app, "/known", rows).await;
}

#[tokio::test]
async fn basic_with_password_hashes() {
    let hashes = PasswordHashes::builder()
        .user(
            "ann",
            &hash("correct horse"),
            Identity::new("ann").with_roles(["admin"]),
        )
        .user("bob", &hash("pass:word"), Identity::new("bob"))
        .user("cat", &hash("a\u{7}b"), Identity::new("cat"))
        .user("ümit", &hash("Größe€"), Identity::new("ümit"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    check(
        &app,
        "/known",
        vec![
            row("absent", vec![], 401, &[BASIC]),
            row("good", basic("ann:correct horse"), 200, &[]),
            row(
                "lower-case scheme",
                authorization(format!("basic {}", STANDARD.encode("ann:correct horse"))),
                200,
                &[],
            ),
            row("a colon in the password", basic("bob:pass:word"), 200, &[]),
            row("UTF-8", basic("ümit:Größe€"), 200, &[]),
            row("wrong password", basic("ann:wrong"), 401, &[BASIC]),
            row(
                "somebody else's password",
                basic("ann:pass:word"),
                401,
                &[BASIC],
            ),
            row("unknown user", basic("eve:correct horse"), 401, &[BASIC]),
            row(
                "name in another case",
                basic("Ann:correct horse"),
                401,
                &[BASIC],
            ),
            row("empty password", basic("ann:"), 401, &[BASIC]),
            row("empty name", basic(":correct horse"), 401, &[BASIC]),
            row("no colon", basic("ann"), 401, &[BASIC]),
            row(
                "a control character",
                basic("ann:correct\u{7} horse"),
                401,
                &[BASIC],
            ),
            row(
                "its own password, but a control character",
                basic("cat:a\u{7}b"),
                401,
                &[BASIC],
            ),
            row("a zero byte", basic("ann\0:correct horse"), 401, &[BASIC]),
            row("not Base64", authorization("Basic ???"), 401, &[BASIC]),
            row(
                "Base64 without its padding",
                authorization("Basic YW5uOmNvcnJlY3QgaG9yc2U"),
                401,
                &[BASIC],
            ),
            row(
                "URL-safe Base64",
                authorization("Basic -_-_"),
                401,
                &[BASIC],
            ),
            row(
                "not UTF-8",
                authorization(format!("Basic {}", STANDARD.encode(b"ann:\xff"))),
                401,
                &[BASIC],
            ),
            row(
                "nothing behind the scheme",
                authorization("Basic"),
                401,
                &[BASIC],
            ),
            row("64 KiB", basic(&"a".repeat(48 << 10)), 431, &[]),
            row("another scheme", bearer("abc"), 401, &[BASIC]),
            row(
                "two fields",
                [basic("ann:correct horse"), basic("ann:correct horse")].concat(),
                400,
                &[],
            ),
        ],
    )
    .await;
    let roles = vec![
        row("the role", basic("ann:correct horse"), 200, &[]),
        row(
            "not the role, and no login would change that",
            basic("bob:pass:word"),
            403,
            &[],
        ),
    ];
    check(&app, "/admin", roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_users_cost_a_verification() {
    // Hashing dominates the time. The fastest of several attempts counts, and there are more of them while the machine
    // has other load.
    let dear = argon2::Params::new(16 * 1024, 2, 1, None).expect("parameters");
    let dear = argon2::Argon2::from(dear)
        .hash_password(b"secret")
        .expect("a hash");
    let hashes = PasswordHashes::builder()
        .user("ann", &dear.to_string(), Identity::new("ann"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    let mut fastest = [Duration::MAX; 2];
    for attempt in 1..=50 {
        for (login, fastest) in [basic("ann:wrong"), basic("eve:wrong")]
            .iter()
            .zip(&mut fastest)
        {
            let begin = std::time::Instant::now();
            assert_eq!(send(&app, "/known", login).await.status(), 401);
            *fastest = begin.elapsed().min(*fastest);
        }
        let [wrong, unknown] = fastest.map(|time| time.as_secs_f64());
        if attempt >= 7 && (wrong / 3.0..wrong * 3.0).contains(&unknown) {
            return;
        }
    }
    panic!("the wrong password and the unknown user: {fastest:?}");
}

/// Returns a service with the user ann, with a password hash that takes some milliseconds.
fn service_of_ann() -> ProtectedRouter {
    let params = argon2::Params::new(4 * 1024, 1, 1, None).expect("parameters");
    let hash = argon2::Argon2::from(params).hash_password(b"secret");
    let hashes = PasswordHashes::builder()
        .user(
            "ann",
            &hash.expect("a hash").to_string(),
            Identity::new("ann"),
        )
        .build()
        .expect("hashes");
    app(space(Basic::password_hashes(hashes)))
}

async fn log_in_from(app: &ProtectedRouter, address: Option<IpAddr>, login: &str) -> Response {
    let mut request = Request::get("/known")
        .body(Body::empty())
        .expect("a request");
    if let Some(address) = address {
        let peer = SocketAddr::from((address, 4711));
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    for (name, value) in basic(login) {
        let value = HeaderValue::from_bytes(&value).expect("a field value");
        request.headers_mut().insert(name, value);
    }
    app.clone().oneshot(request).await.expect("infallible")
}

/// Clients that send invented logins one after the other until they are dropped.
struct Strangers(Vec<tokio::task::JoinHandle<()>>);

impl Strangers {
    async fn start(app: &ProtectedRouter, addresses: impl Iterator<Item = Option<IpAddr>>) -> Self {
        let strangers = addresses.map(|address| {
            let app = app.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let login = format!("user-{number}:guess");
                    let status = log_in_from(&app, address, &login).await.status();
                    assert!(status == 401 || status == 503, "{status}");
                    tokio::task::yield_now().await;
                }
            })
        });
        let strangers = Self(strangers.collect());
        // Behind the first login of each client.
        let _ = log_in_from(app, None, "eve:guess").await;
        strangers
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        for stranger in &self.0 {
            // They send without an end, so one that is finished has panicked.
            let is_finished = stranger.is_finished();
            stranger.abort();
            assert!(
                !is_finished || std::thread::panicking(),
                "a stranger panicked"
            );
        }
    }
}

fn address(network: u8, host: u8) -> Option<IpAddr> {
    Some([203, 0, network, host].into())
}

#[tokio::test(flavor = "multi_thread")]
async fn known_users_log_in_beside_strangers() {
    let app = service_of_ann();
    let from_one = |number| address(113, number);
    for address in [None, address(114, 1)] {
        let strangers = (0..80).map(|number| address.and(from_one(number)));
        let _strangers = Strangers::start(&app, strangers).await;
        for _ in 0..100 {
            let response = log_in_from(&app, address, "ann:secret").await;
            assert_eq!(response.status(), 200, "{address:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn address_shares_protect_other_logins() {
    let app = service_of_ann();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let stranger = std::iter::repeat_n(address(113, 1), cores * 150);
    let _strangers = Strangers::start(&app, stranger).await;
    // From a new address, so that no login is cached.
    for host in 0..20 {
        let response = log_in_from(&app, address(114, host), "ann:secret").await;
        assert_eq!(response.status(), 200, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn login_flood_receives_503() {
    let app = service_of_ann();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let flood = (0..cores * 256).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { send(&app, "/known", &basic("eve:wrong")).await })
    });
    let mut statuses = Vec::new();
    for answer in flood.collect::<Vec<_>>() {
        let answer = answer.await.expect("it does not panic");
        if answer.status() == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        statuses.push(answer.status().as_u16());
    }
    assert!(statuses.contains(&401), "some are looked at");
    assert!(statuses.contains(&503), "not all may wait");
}

#[tokio::test]
async fn every_hash_size_verifies_in_turn() {
    let kinds = [
        (
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            (64, 1, 1),
            32,
        ),
        (
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x10,
            (100, 3, 2),
            16,
        ),
        (
            argon2::Algorithm::Argon2i,
            argon2::Version::V0x13,
            (1000, 2, 4),
            64,
        ),
        (
            argon2::Algorithm::Argon2d,
            argon2::Version::V0x13,
            (8, 1, 1),
            10,
        ),
    ];
    let mut builder = PasswordHashes::builder();
    for (index, (algorithm, version, (m, t, p), length)) in kinds.into_iter().enumerate() {
        let params = argon2::Params::new(m, t, p, Some(length)).expect("parameters");
        let argon2 = argon2::Argon2::new(algorithm, version, params);
        let hash = argon2.hash_password(format!("secret {index}").as_bytes());
        let hash = hash.expect("a hash").to_string();
        builder = builder.user(format!("user {index}"), &hash, Identity::new("user"));
    }
    let app = app(space(Basic::password_hashes(
        builder.build().expect("hashes"),
    )));
    for user in [0, 1, 2, 3, 2, 1, 0] {
        for password in 0..4 {
            let login = basic(&format!("user {user}:secret {password}"));
            let expected = if user == password { 200 } else { 401 };
            let status = send(&app, "/known", &login).await.status();
            assert_eq!(status, expected, "{user} {password}");
        }
    }
}

#[test]
fn invalid_hashes_are_build_errors() {
    let error = |hashes: auth_runtime::schemes::PasswordHashesBuilder| hashes.build().err();
    let ann = || Identity::new("ann");
    assert_eq!(
        error(PasswordHashes::builder()),
        Some(PasswordHashesError::NoUser)
    );
    let twice = PasswordHashes::builder()
        .user("ann", &hash("a"), ann())
        .user("ann", &hash("b"), ann());
    assert_eq!(
        error(twice),
        Some(PasswordHashesError::UserTwice("ann".to_owned()))
    );
    for not_argon2 in [
        "",
        "plain text",
        "$argon2id$v=19$m=64,t=1,p=1",
        "$scrypt$ln=1,r=1,p=1$YWFhYQ$YWFhYWFhYWFhYWFh",
        // A salt of 4 bytes, with which no password could be verified.
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
    ] {
        let hashes = PasswordHashes::builder().user("ann", not_argon2, ann());
        assert_eq!(
            error(hashes),
            Some(PasswordHashesError::NoArgon2("ann".to_owned())),
            "{not_argon2}"
        );
    }
}

#[tokio::test]
async fn login_form_uses_the_same_hashes() {
    let hash = hash("pass");
    let hashes = PasswordHashes::builder().user("ann", &hash, Identity::new("ann"));
    let hashes = hashes.build().expect("hashes");
    let long = "a".repeat(17 << 10);
    // Together with the name, as long as credentials can be.
    let longest = "a".repeat(ProtectionSpace::MAX_CREDENTIALS - 3);
    let table = [
        ("ann", "pass", None),
        ("ann", "Pass", Some(Rejection::Invalid)),
        ("ann", "", Some(Rejection::Invalid)),
        ("bob", "pass", Some(Rejection::Invalid)),
        ("ann", &longest, Some(Rejection::Invalid)),
        ("anna", &longest, Some(Rejection::Malformed)),
        ("ann", &long, Some(Rejection::Malformed)),
        (&long, "pass", Some(Rejection::Malformed)),
    ];
    for (user, password, rejection) in table {
        let authenticated =
            hashes.authenticate(user.to_owned(), password.to_owned(), Client::Unknown);
        match (authenticated.await, rejection) {
            (Caller::Known(identity), None) => assert_eq!(identity.subject(), "ann"),
            (Caller::Rejected(seen), Some(rejection)) => assert_eq!(seen, rejection, "{user}"),
            (seen, _) => panic!("{user}: {seen:?}"),
        }
    }
}
