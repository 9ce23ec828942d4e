//! Answers to a challenge, and everything that can be wrong with one.

use auth_runtime::schemes::DigestError;

use super::*;

/// RFC 7616 §3.9.1. The nonce is of another server, so `stale` shows that the response is correct.
#[tokio::test]
async fn rfc_examples_are_right() {
    let realm = "http-auth@example.org";
    let mufasa = |algorithm| {
        let secret = DigestSecret::of(algorithm, "Mufasa", realm, "Circle of Life");
        secret.expect("a secret")
    };
    let scheme = Digest::builder(realm)
        .algorithms([SHA256, MD5])
        .user(mufasa(SHA256), Identity::new("mufasa"))
        .user(mufasa(MD5), Identity::new("mufasa"));
    let app = service(scheme, realm);
    let example = |algorithm: &str, response: &str| {
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
             uri=\"/dir/index.html\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
             response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    };
    let sha256 = example(
        "SHA-256",
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    );
    let md5 = example("MD5", "8ca523f5e9506fed4657c9700eebdbec");
    for right in [&sha256, &md5] {
        let answer = ask(&app, "GET", "/dir/index.html", right).await;
        assert!(is_stale(&answer), "{right}");
        let answer = ask(&app, "POST", "/dir/index.html", right).await;
        assert!(!is_stale(&answer), "another method: {right}");
        for (from, to) in [
            ("Mufasa", "Simba"),
            ("7ypf", "7ypg"),
            ("00000001", "00000002"),
            ("f2/wE4", "f2/wE5"),
            ("753927", "753928"),
            ("8ca523", "8ca524"),
            ("http-auth@", "auth@"),
        ] {
            let wrong = right.replace(from, to);
            let answer = ask(&app, "GET", "/dir/index.html", &wrong).await;
            assert!(wrong == *right || !is_stale(&answer), "{wrong}");
        }
    }
    // Without an algorithm it is MD5.
    let unnamed = md5.replace("algorithm=MD5, ", "");
    assert!(is_stale(
        &ask(&app, "GET", "/dir/index.html", &unnamed).await
    ));
}

#[tokio::test]
async fn answers_are_right_or_refused() {
    let app = lab_service();
    let right = login(&app).await.authorization();
    let upper =
        |name: &str| right.replace(&format!("{name}="), &format!("{}=", name.to_uppercase()));
    let user = r#"username="ann""#;
    let rows: Vec<(&str, u16, String)> = vec![
        ("as it should be", 200, right.clone()),
        (
            "a lower-case scheme",
            200,
            right.replace("Digest", "digest"),
        ),
        ("a parameter in upper case", 200, upper("username")),
        (
            "tokens in quotes",
            200,
            right.replace("qop=auth", "qop=\"auth\""),
        ),
        (
            "a quoted algorithm",
            200,
            right.replace("=SHA-256", "=\"sha-256\""),
        ),
        (
            "values without quotes",
            200,
            right.replace(user, "username=ann"),
        ),
        (
            "no spaces",
            200,
            right
                .replacen("Digest ", "Digest_", 1)
                .replace(' ', "")
                .replacen('_', " ", 1),
        ),
        (
            "space around the equals sign",
            200,
            right.replace("username=", "username = "),
        ),
        (
            "empty members",
            200,
            right.replace(", realm", " ,, , realm") + ",",
        ),
        (
            "an escape that is none",
            200,
            right.replace("\"ann\"", "\"a\\nn\""),
        ),
        (
            "a parameter that nobody knows",
            200,
            format!("{right}, color=\"red, green\""),
        ),
        (
            "an opaque that was never sent",
            200,
            format!("{right}, opaque=\"x\""),
        ),
        ("userhash=false", 200, format!("{right}, userhash=false")),
        (
            "the name in the extended form",
            200,
            right.replace(user, "username*=UTF-8''%61nn"),
        ),
        (
            "a language",
            200,
            right.replace(user, "username*=utf-8'en'ann"),
        ),
        ("nothing behind the scheme", 401, "Digest".to_owned()),
        ("no parameters", 401, "Digest ,".to_owned()),
        ("Base64", 401, "Digest YW5uOnNlY3JldA==".to_owned()),
        ("two names", 401, format!("{right}, username*=UTF-8''ann")),
        (
            "another charset",
            401,
            right.replace(user, "username*=ISO-8859-1''ann"),
        ),
        (
            "a broken escape",
            401,
            right.replace(user, "username*=UTF-8''ann%6"),
        ),
        (
            "half a name",
            401,
            right.replace(user, "username*=UTF-8''a%zzn"),
        ),
        ("no UTF-8", 401, right.replace(user, "username*=UTF-8''%ff")),
        ("no charset", 401, right.replace(user, "username*=ann")),
        (
            "a hash that was not asked for",
            401,
            format!("{right}, userhash=true"),
        ),
        ("userhash=maybe", 401, format!("{right}, userhash=maybe")),
        ("a parameter twice", 401, format!("{right}, nc=00000001")),
        (
            "twice in another case",
            401,
            format!("{right}, NC=00000001"),
        ),
        ("an unknown one twice", 401, format!("{right}, a=1, a=1")),
        ("more parameters than anybody has", 401, {
            let more: Vec<String> = (0..40).map(|number| format!(", p{number}=1")).collect();
            right.clone() + &more.concat()
        }),
        ("no comma", 401, right.replace(", realm", " realm")),
        ("an open quote", 401, format!("{right}, a=\"b")),
        ("an escape at the end", 401, format!("{right}, a=\"b\\")),
        ("a name that is no token", 401, format!("{right}, a b=1")),
        ("a value that is no token", 401, format!("{right}, a=b\"c")),
        ("no value", 401, format!("{right}, a=")),
        ("no equals sign", 401, format!("{right}, a")),
        (
            "another qop",
            401,
            right.replace("qop=auth", "qop=auth-int"),
        ),
        ("no qop", 401, right.replace(" qop=auth,", "")),
        (
            "no client nonce",
            401,
            right.replace(" cnonce=\"0a4f113b\",", ""),
        ),
        ("an empty client nonce", 401, right.replace("0a4f113b", "")),
        ("no count", 401, right.replace(" nc=00000001,", "")),
        ("a short count", 401, right.replace("nc=00000001", "nc=1")),
        (
            "a count of zero",
            401,
            right.replace("nc=00000001", "nc=00000000"),
        ),
        (
            "a count with a sign",
            401,
            right.replace("nc=00000001", "nc=+0000001"),
        ),
        (
            "another algorithm",
            401,
            right.replace("=SHA-256", "=SHA-512-256"),
        ),
        (
            "a session algorithm",
            401,
            right.replace("=SHA-256", "=SHA-256-sess"),
        ),
        (
            "another realm",
            401,
            right.replace("realm=\"lab\"", "realm=\"lab2\""),
        ),
        ("no realm", 401, right.replace(" realm=\"lab\",", "")),
        (
            "an empty response",
            401,
            right.replace("response=\"", "response=\"\", a=\""),
        ),
    ];
    for (name, status, text) in rows {
        assert!(
            status == 200 && name == "as it should be" || text != right,
            "{name}"
        );
        // A new nonce for each case, with the corresponding response.
        let fresh = login(&app).await;
        let mut text = text.replace(&nonce_in(&right), &fresh.nonce);
        text = text.replace(&response_in(&right), &fresh.response());
        let answer = ask(&app, "GET", "/", &text).await;
        assert_eq!(answer.status(), status, "{name}: {text}");
        if status == 401 {
            assert_eq!(challenges(&answer).len(), 1, "{name}");
            assert!(!is_stale(&answer), "{name}");
            let body = self::text(answer).await;
            assert!(
                !body.contains("ann") && !body.contains(&fresh.nonce),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn count_has_eight_digits_though_hashed() {
    let app = lab_service();
    for count in ["1", "000000001", "+0000001"] {
        let mut login = login(&app).await;
        login.count = count.to_owned();
        let answer = ask(&app, "GET", "/", &login.authorization()).await;
        assert_eq!(answer.status(), 401, "{count}");
    }
}

fn nonce_in(authorization: &str) -> String {
    between(authorization, " nonce=\"")
}

fn response_in(authorization: &str) -> String {
    between(authorization, " response=\"")
}

fn between(text: &str, begin: &str) -> String {
    let (_, rest) = text.split_once(begin).expect("it is there");
    rest.split('"').next().expect("it ends").to_owned()
}

#[tokio::test]
async fn everything_sent_is_hashed() {
    let app = lab_service();
    let fresh = login(&app).await;
    let wrong: Vec<(&str, Login)> = vec![
        (
            "a wrong password",
            Login {
                password: "Secret".into(),
                ..fresh.clone()
            },
        ),
        (
            "no password",
            Login {
                password: String::new(),
                ..fresh.clone()
            },
        ),
        (
            "nobody",
            Login {
                user: "eve".into(),
                ..fresh.clone()
            },
        ),
        (
            "a name in another case",
            Login {
                user: "Ann".into(),
                ..fresh.clone()
            },
        ),
        (
            "the stand-in's name",
            Login {
                user: "nobody".into(),
                ..fresh.clone()
            },
        ),
        (
            "a wrong password for another realm",
            Login {
                realm: "Lab".into(),
                ..fresh.clone()
            },
        ),
        (
            "MD5, which nobody offered",
            Login {
                algorithm: "MD5".into(),
                ..fresh.clone()
            },
        ),
        (
            "a count of zero, and the hash of that",
            Login {
                count: "00000000".into(),
                ..fresh.clone()
            },
        ),
        (
            "an empty client nonce, and the hash of that",
            Login {
                client_nonce: String::new(),
                ..fresh.clone()
            },
        ),
    ];
    for (name, login) in wrong {
        assert!(!is_stale(&send_login(&app, &login).await), "{name}");
    }
    let hash = ANN_SHA256.rsplit(':').next().unwrap_or_default();
    let stolen = Login {
        password: hash.into(),
        ..fresh.clone()
    };
    assert!(
        !is_stale(&send_login(&app, &stolen).await),
        "a hash is no password"
    );
    for (name, changed) in [
        (
            "another client nonce",
            fresh.authorization().replace("0a4f113b", "0a4f113c"),
        ),
        (
            "another count",
            fresh.authorization().replace("nc=00000001", "nc=00000002"),
        ),
        (
            "another case",
            fresh
                .authorization()
                .replace(&fresh.response(), &fresh.response().to_uppercase()),
        ),
    ] {
        assert!(!is_stale(&ask(&app, "GET", "/", &changed).await), "{name}");
    }
    for method in ["POST", "HEAD"] {
        let other = ask(&app, method, "/", &fresh.authorization()).await;
        assert!(!is_stale(&other), "another method: {method}");
    }
    let head = Login {
        method: "HEAD".into(),
        ..login(&app).await
    };
    assert_eq!(send_login(&app, &head).await.status(), 200);
    // The count is still unused.
    let answer = send_login(&app, &fresh).await;
    assert_eq!(
        (answer.status(), text(answer).await.as_str()),
        (StatusCode::OK, "ann")
    );
}

#[tokio::test]
async fn other_requests_are_answered_400() {
    let app = lab_service();
    for (target, uri, status) in [
        ("/", "/", 200),
        ("/?a=1&b=%20", "/?a=1&b=%20", 200),
        ("/nested/leaf", "/nested/leaf", 200),
        ("http://lab.example/?a=1", "http://lab.example/?a=1", 200),
        ("http://lab.example/?a=1", "/?a=1", 200),
        ("http://lab.example/", "http://lab.example/?a=1", 400),
        ("http://lab.example/", "http://other.example/", 400),
        ("/", "http://lab.example/", 400),
        ("/", "/dir/index.html", 400),
        ("/?a=1", "/", 400),
        ("/", "/?a=1", 400),
        ("/", "/#a", 400),
        ("/", "/?", 400),
        ("/?a=1", "/?a=2", 400),
        ("/?a=%2F", "/?a=%2f", 400),
        ("/nested/leaf", "/leaf", 400),
        ("/", "", 400),
        ("/nowhere", "/", 400),
    ] {
        let login = Login {
            uri: uri.to_owned(),
            ..login(&app).await
        };
        let answer = ask(&app, "GET", target, &login.authorization()).await;
        assert_eq!(answer.status(), status, "{target} with {uri}");
        if status == 400 {
            assert_eq!(challenges(&answer), [""; 0], "{target} with {uri}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
        }
    }
}

#[tokio::test]
async fn removed_prefixes_may_be_in_uri() {
    let app = service(lab().removed_prefix("/orders"), "lab");
    for (target, uri, status) in [
        ("/?a=1", "/orders/?a=1", 200),
        ("/?a=1", "/?a=1", 200),
        ("http://lab.example/", "http://lab.example/orders/", 200),
        ("http://lab.example/", "/orders/", 200),
        // A gateway that removes the whole path sends a slash.
        ("/", "/orders", 200),
        ("/?a=1", "/orders?a=1", 200),
        ("http://lab.example/", "http://lab.example/orders", 200),
        ("/?a=1", "/orders", 400),
        ("/", "/orders?a=1", 400),
        ("/", "", 400),
        ("/?a=1", "?a=1", 400),
        ("/nested/leaf", "/ordersnested", 400),
        ("/nested/leaf", "/orders", 400),
        ("/", "/orders/orders/", 400),
        ("/", "/Orders/", 400),
        ("/", "/other/", 400),
        ("/nested/leaf", "/ordersnested/leaf", 400),
        ("http://lab.example/", "/ordershttp://lab.example/", 400),
        ("/", "/ordershttp://lab.example/", 400),
    ] {
        let login = Login {
            uri: uri.to_owned(),
            ..login(&app).await
        };
        let answer = ask(&app, "GET", target, &login.authorization()).await;
        assert_eq!(answer.status(), status, "{target} with {uri}");
    }
    for prefix in [
        "orders",
        "/",
        "/orders/",
        "/a?b",
        "/a#b",
        "https://lab.example/orders",
        "/a b",
    ] {
        let error = lab().removed_prefix(prefix).build().err();
        assert_eq!(error, Some(DigestError::RemovedPrefix(prefix.to_owned())));
    }
}
