//! Users, and their names.

use auth_runtime::schemes::DigestLookUpError;

use super::*;

/// The user of RFC 7616 §3.9.2, by SHA-256; the hashes are those of Python's `hashlib`.
#[tokio::test]
async fn names_can_be_extended_or_hashed() {
    const HASH: &str = "5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7";
    const RESPONSE: &str = "b6d5cb9c3000ea2385250005e294d7132b260b8fd08940d2377373493cee8cc4";
    let realm = "api@example.org";
    let doe = DigestSecret::of(SHA256, "Jäsøn Doe", realm, "Secret, or not?").expect("a secret");
    assert_eq!(
        doe.to_line(),
        "Jäsøn Doe:api@example.org:\
         fd0be3939dca4b5c2d46e8fa6a3d16dbea82474cb9a588d4cb149c54f37cff37"
    );
    let builder = || Digest::builder(realm).user(doe.clone(), Identity::new("doe"));
    let hashed = service(builder().userhash(), realm);
    let plain = service(builder(), realm);
    let refused = ask(&hashed, "GET", "/", "").await;
    assert_eq!(parameter(&refused, 0, "userhash").as_deref(), Some("true"));
    assert!(challenges(&refused)[0].ends_with("charset=UTF-8, userhash=true"));
    let refused = ask(&plain, "GET", "/", "").await;
    assert_eq!(parameter(&refused, 0, "userhash"), None);

    let example = |name: &str| {
        format!(
            "Digest {name}, realm=\"api@example.org\", uri=\"/doe.json\", algorithm=SHA-256, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", nc=00000001, \
             cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", qop=auth, \
             response=\"{RESPONSE}\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\""
        )
    };
    let hash = format!("username=\"{HASH}\", userhash=true");
    let extended = "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe";
    for (name, app, user, is_right) in [
        ("hashed", &hashed, hash.as_str(), true),
        ("hashed, though nobody asked", &plain, &hash, false),
        ("extended", &plain, extended, true),
        ("extended where a hash is welcome", &hashed, extended, true),
        (
            "a hash as if it were a name",
            &hashed,
            &hash.replace("true", "false"),
            false,
        ),
        (
            "neither a hash nor a name",
            &hashed,
            &hash.replace("true", "maybe"),
            false,
        ),
        (
            "extended, in quotes",
            &plain,
            "username*=\"UTF-8''J%C3%A4s%C3%B8n%20Doe\"",
            true,
        ),
        (
            "extended, with a character that has to be encoded",
            &plain,
            "username*=\"UTF-8''J%C3%A4s%C3%B8n Doe\"",
            false,
        ),
        (
            "another's hash",
            &hashed,
            &hash.replace("5a1a", "5a1b"),
            false,
        ),
        (
            "the name as a hash",
            &hashed,
            "username=\"doe\", userhash=true",
            false,
        ),
        (
            "extended and hashed",
            &hashed,
            &hash
                .replace("username=", "username*=UTF-8''")
                .replace('"', ""),
            false,
        ),
        (
            "extended, and said to be hashed",
            &hashed,
            &format!("{extended}, userhash=true"),
            false,
        ),
        (
            "percent signs in a name",
            &plain,
            "username=\"J%C3%A4s%C3%B8n%20Doe\"",
            false,
        ),
    ] {
        let answer = ask(app, "GET", "/doe.json", &example(user)).await;
        assert_eq!(is_stale(&answer), is_right, "{name}");
    }
    let raw = example("username=\"J\u{e4}s\u{f8}n Doe\"");
    let request = Request::get("/doe.json").header("authorization", raw.as_bytes());
    let request = request.body(Body::empty()).expect("a request");
    let answer = plain.clone().oneshot(request).await.expect("infallible");
    assert!(!is_stale(&answer), "raw UTF-8 is no quoted string");

    // A complete login.
    let mut login = Login {
        nonce: nonce(&hashed, 0).await,
        uri: "/doe.json".to_owned(),
        ..Login::new("SHA-256", "Jäsøn Doe", realm, "Secret, or not?")
    };
    assert_eq!(login.user_hash(), HASH);
    let response = login.response();
    login.user = HASH.to_owned();
    let sent = login.authorization().replace(&login.response(), &response) + ", userhash=true";
    let answer = ask(&hashed, "GET", "/doe.json", &sent).await;
    assert_eq!(
        (answer.status(), text(answer).await.as_str()),
        (StatusCode::OK, "doe")
    );
}

#[tokio::test]
async fn users_are_looked_up() {
    async fn look_up(
        user: String,
        algorithm: DigestAlgorithm,
    ) -> Result<Option<(DigestSecret, Identity)>, DigestLookUpError> {
        let line = match (user.as_str(), algorithm) {
            // A directory that compares names without case, and one with a wrong record.
            ("ann" | "ANN" | "mallory", SHA256) => ANN_SHA256,
            ("ann", MD5) => ANN_MD5,
            ("moved", _) => {
                return Ok(Some((
                    DigestSecret::of(SHA256, "moved", "attic", "secret").expect("a secret"),
                    Identity::new("moved"),
                )));
            }
            ("mixed", _) => {
                return Ok(Some((
                    DigestSecret::of(MD5, "mixed", "lab", "secret").expect("a secret"),
                    Identity::new("mixed"),
                )));
            }
            ("down", _) => return Err(DigestLookUpError),
            _ => return Ok(None),
        };
        Ok(Some((secret(line), Identity::new(user))))
    }
    let builder = Digest::builder("lab").algorithms([SHA256, MD5]);
    let app = service(builder.look_up(look_up), "lab");
    for (user, place, password, status) in [
        ("ann", 0, "secret", 200),
        ("ann", 1, "secret", 200),
        ("ann", 0, "guess", 401),
        ("eve", 0, "secret", 401),
        ("down", 0, "secret", 503),
        // A secret of another user counts as none: the response must not tell that this user exists.
        ("mallory", 0, "secret", 401),
        ("ANN", 0, "secret", 401),
        ("ANN", 0, "guess", 401),
        // Secrets for another realm or algorithm.
        ("moved", 0, "secret", 503),
        ("mixed", 0, "secret", 503),
    ] {
        let login = Login {
            nonce: nonce(&app, place).await,
            ..Login::new(["SHA-256", "MD5"][place], user, "lab", password)
        };
        let answer = send_login(&app, &login).await;
        assert_eq!(answer.status(), status, "{user} {place} {password}");
    }
    let login = login(&app).await;
    let again = send_login(&app, &login).await;
    assert_eq!(again.status(), 200);
    assert!(
        is_stale(&send_login(&app, &login).await),
        "counted all the same"
    );
    let hashed = login.authorization() + ", userhash=true";
    assert!(!is_stale(&ask(&app, "GET", "/", &hashed).await));

    let never = async |_: String,
                       _: DigestAlgorithm|
           -> Result<Option<(DigestSecret, Identity)>, DigestLookUpError> {
        panic!("nobody is looked up for what nobody offered")
    };
    let app = service(Digest::builder("lab").look_up(never), "lab");
    let login = Login {
        algorithm: "MD5".to_owned(),
        ..login
    };
    assert!(!is_stale(&send_login(&app, &login).await));
}

/// With MD5, the hash of the name is of MD5 as well (RFC 7616 §3.4.4).
#[tokio::test]
async fn names_are_hashed_by_each_algorithm() {
    let app = service(lab_with_md5().userhash(), "lab");
    for (place, algorithm) in ["SHA-256", "MD5"].into_iter().enumerate() {
        let login = Login {
            nonce: nonce(&app, place).await,
            ..Login::new(algorithm, "ann", "lab", "secret")
        };
        let name = "username=\"ann\"";
        let hash = format!("username=\"{}\", userhash=true", login.user_hash());
        let sent = login.authorization().replace(name, &hash);
        let answer = ask(&app, "GET", "/", &sent).await;
        assert_eq!(answer.status(), 200, "{algorithm}");
    }
}

/// The name of a user may be logged.
#[tokio::test]
async fn names_have_no_control_characters() {
    async fn look_up(
        user: String,
        _: DigestAlgorithm,
    ) -> Result<Option<(DigestSecret, Identity)>, DigestLookUpError> {
        assert_eq!(user, "ann b");
        Ok(None)
    }
    let app = service(Digest::builder("lab").look_up(look_up), "lab");
    for name in ["ann%20b", "ann%0Ab", "ann%00", "%C2%85ann"] {
        let login = login(&app).await;
        let name = format!("username*=UTF-8''{name}");
        let sent = login.authorization().replace("username=\"ann\"", &name);
        let answer = ask(&app, "GET", "/", &sent).await;
        assert!(!is_stale(&answer), "{name}");
    }
}
