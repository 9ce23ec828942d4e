//! Basic with password hashes.

use std::time::Duration;

use crate::*;
fn hash(password: &str) -> String {
    let cheap = argon2::Params::new(64, 1, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::from(cheap);
    argon2
        .hash_password(password.as_bytes())
        .expect("a hash")
        .to_string()
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
            row("64 KiB", basic(&"a".repeat(48 << 10)), 401, &[BASIC]),
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
async fn unknown_users_take_as_much_work_as_wrong_passwords() {
    // Dear enough that nothing else matters; the fastest of several, since others use the machine.
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
    for _ in 0..7 {
        for (login, fastest) in [basic("ann:wrong"), basic("eve:wrong")]
            .iter()
            .zip(&mut fastest)
        {
            let begin = std::time::Instant::now();
            assert_eq!(send(&app, "/known", login).await.status(), 401);
            *fastest = begin.elapsed().min(*fastest);
        }
    }
    let [wrong, unknown] = fastest.map(|time| time.as_secs_f64());
    assert!(
        (wrong / 3.0..wrong * 3.0).contains(&unknown),
        "unknown {unknown} s, wrong {wrong} s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logins_is_answered_503_and_not_hashed_without_end() {
    let dear = argon2::Params::new(16 * 1024, 2, 1, None).expect("parameters");
    let dear = argon2::Argon2::from(dear)
        .hash_password(b"secret")
        .expect("a hash");
    let hashes = PasswordHashes::builder()
        .user("ann", &dear.to_string(), Identity::new("ann"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let flood = (0..cores * 64).map(|_| {
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

#[test]
fn password_hashes_that_cannot_be_right_are_not_built() {
    let error = |hashes: auth_runtime::PasswordHashesBuilder| hashes.build().err();
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
async fn a_form_to_log_in_on_asks_the_same_hashes() {
    let hash = argon2::Argon2::default().hash_password(b"pass");
    let hash = hash.expect("a hash").to_string();
    let hashes = PasswordHashes::builder().user("ann", &hash, Identity::new("ann"));
    let hashes = hashes.build().expect("hashes");
    let long = "a".repeat(17 << 10);
    let table = [
        ("ann", "pass", None),
        ("ann", "Pass", Some(Rejection::Invalid)),
        ("ann", "", Some(Rejection::Invalid)),
        ("bob", "pass", Some(Rejection::Invalid)),
        ("ann", &long, Some(Rejection::Malformed)),
        (&long, "pass", Some(Rejection::Malformed)),
    ];
    for (user, password, rejection) in table {
        let authenticated = hashes.authenticate(user.to_owned(), password.to_owned());
        match (authenticated.await, rejection) {
            (Caller::Known(identity), None) => assert_eq!(identity.subject(), "ann"),
            (Caller::Rejected(seen), Some(rejection)) => assert_eq!(seen, rejection, "{user}"),
            (seen, _) => panic!("{user}: {seen:?}"),
        }
    }
}
