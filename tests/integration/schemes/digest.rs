//! Digest: valid responses, and all kinds of invalid ones.

use auth_tests::App;
use std::time::Duration;

use auth_runtime::routing::post;
use auth_runtime::schemes::{
    Digest, DigestAlgorithm, DigestBuilder, DigestError, DigestLookUpError, DigestSecret,
    DigestSecretError,
};
use auth_runtime::{Policy, ProtectError, ProtectedRouter, Requirement};
use auth_tests::digest::Login;
use http_auth::parse_challenges;

use crate::schemes::*;

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const MD5: DigestAlgorithm = DigestAlgorithm::Md5;
/// `printf ann:lab:secret | sha256sum`, and `md5sum`.
const ANN_SHA256: &str = "ann:lab:9e3c31432b52c9f473cfa547eda63f50dc9c66927b57216afcd386749f90d25a";
const ANN_MD5: &str = "ann:lab:e2ddb53df762616c294c41e1c3aca2b8";

fn secret(line: &str) -> DigestSecret {
    line.parse().expect("a secret")
}

fn ann() -> Identity {
    Identity::new("ann")
}

/// A realm with the user ann, with SHA-256.
fn lab() -> DigestBuilder {
    Digest::builder("lab").user(secret(ANN_SHA256), ann())
}

/// The same with MD5 as well.
fn lab_with_md5() -> DigestBuilder {
    lab().algorithms([MD5, SHA256]).user(secret(ANN_MD5), ann())
}

#[requires(authenticated)]
async fn subject(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

fn service(builder: DigestBuilder, realm: &str) -> ProtectedRouter {
    let scheme = builder.build().expect("a scheme");
    let space = ProtectionSpace::builder().realm(realm).scheme(scheme);
    let nested = GuardedRouter::new().route("/leaf", get(subject));
    GuardedRouter::new()
        .route("/", get(subject).post(subject))
        .route("/dir/index.html", get(subject).post(subject))
        .route("/doe.json", get(subject))
        .nest("/nested", nested)
        .protect(space.build().expect("a space"))
        .expect("a router")
}

fn lab_service() -> ProtectedRouter {
    service(lab(), "lab")
}

async fn ask(app: &impl App, method: &str, target: &str, authorization: &str) -> Response {
    let mut request = Request::builder().method(method).uri(target);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let request = request.body(Body::empty()).expect("a request");
    app.clone().oneshot(request).await.expect("infallible")
}

/// Returns a parameter of the challenge at this index.
fn parameter(response: &Response, place: usize, name: &str) -> Option<String> {
    let lines = challenges(response);
    let parsed = parse_challenges(lines.get(place)?).expect("a challenge");
    let [challenge] = parsed.as_slice() else {
        panic!("one challenge a line: {lines:?}");
    };
    let named = challenge.params.iter().find(|(own, _)| *own == name);
    named.map(|(_, value)| value.to_unescaped())
}

fn is_stale(response: &Response) -> bool {
    assert_eq!(response.status(), 401);
    parameter(response, 0, "stale").as_deref() == Some("true")
}

async fn nonce(app: &impl App, place: usize) -> String {
    let refused = ask(app, "GET", "/", "").await;
    assert_eq!(refused.status(), 401);
    parameter(&refused, place, "nonce").expect("a nonce")
}

/// Returns ann's first response to a new challenge.
async fn login(app: &impl App) -> Login {
    Login {
        nonce: nonce(app, 0).await,
        ..Login::new("SHA-256", "ann", "lab", "secret")
    }
}

async fn send_login(app: &impl App, login: &Login) -> Response {
    ask(app, &login.method, &login.uri, &login.authorization()).await
}

#[tokio::test]
async fn one_user_with_many_nonces_does_not_shut_out_others() {
    let mallory = DigestSecret::of(SHA256, "mallory", "lab", "malice").expect("a secret");
    let app = service(lab().user(mallory, Identity::new("mallory")), "lab");
    let mut is_refused = false;
    for _ in 0..25_000 {
        let login = Login {
            nonce: nonce(&app, 0).await,
            ..Login::new("SHA-256", "mallory", "lab", "malice")
        };
        let status = send_login(&app, &login).await.status();
        is_refused = status == 503;
        if is_refused {
            break;
        }
        assert_eq!(status, 200);
    }
    assert!(is_refused, "a share has an end");
    for _ in 0..10 {
        let login = login(&app).await;
        assert_eq!(send_login(&app, &login).await.status(), 200);
    }
}

/// RFC 7616 §3.9.1. The nonce is of another server, so `stale` shows that the response is correct.
#[tokio::test]
async fn the_examples_of_the_rfc_are_right_and_nothing_else_in_their_place() {
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
async fn each_algorithm_has_a_challenge_best_first_with_a_nonce_of_its_own() {
    let app = service(lab_with_md5(), "lab");
    let refused = ask(&app, "GET", "/", "").await;
    let mut nonces = Vec::new();
    for (place, algorithm) in ["SHA-256", "MD5"].into_iter().enumerate() {
        let nonce = parameter(&refused, place, "nonce").expect("a nonce");
        assert_eq!(
            challenges(&refused)[place],
            format!(
                "Digest realm=\"lab\", qop=\"auth\", algorithm={algorithm}, nonce=\"{nonce}\", \
                 charset=UTF-8"
            )
        );
        nonces.push(nonce);
    }
    assert_eq!(challenges(&refused).len(), 2);
    nonces.push(nonce(&app, 0).await);
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "no nonce is given out twice");

    let only_sha256 = ask(&lab_service(), "GET", "/", "").await;
    assert_eq!(challenges(&only_sha256).len(), 1, "MD5 has to be asked for");
}

#[tokio::test]
async fn an_answer_is_right_or_refused() {
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
async fn what_is_hashed_has_to_be_what_was_sent() {
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
    let posted = ask(&app, "POST", "/", &fresh.authorization()).await;
    assert!(!is_stale(&posted), "another method");
    // The count is still unused.
    let answer = send_login(&app, &fresh).await;
    assert_eq!(
        (answer.status(), text(answer).await.as_str()),
        (StatusCode::OK, "ann")
    );
}

#[tokio::test]
async fn an_answer_for_another_request_is_answered_400() {
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
async fn an_answer_uses_the_algorithm_of_its_nonce() {
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
async fn a_nonce_that_ran_out_is_stale_for_whoever_knows_the_password_only() {
    let app = service(lab().nonce_lifetime(Duration::from_millis(200)), "lab");
    let fresh = login(&app).await;
    assert_eq!(send_login(&app, &fresh).await.status(), 200);
    tokio::time::sleep(Duration::from_millis(250)).await;
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

#[tokio::test]
async fn instances_know_each_others_nonces_by_their_key() {
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

#[tokio::test]
async fn each_count_of_a_nonce_is_good_once_in_any_order() {
    let app = lab_service();
    let first = login(&app).await;
    let counted = |count: u32| Login {
        count: format!("{count:08x}"),
        ..first.clone()
    };
    for (count, status) in [
        (1, 200),
        (1, 401),
        (0x1b, 200),
        (5, 200),
        (5, 401),
        (0x100, 200),
        (0x99, 401),
        (0xff, 200),
        (0xffff_ffff, 200),
        (0xffff_ffff, 401),
        (2, 401),
    ] {
        let answer = send_login(&app, &counted(count)).await;
        assert_eq!(answer.status(), status, "{count:x}");
        if status == 401 {
            assert!(is_stale(&answer), "{count:x}: it was right");
        }
    }
    let upper = Login {
        count: "0000001B".to_owned(),
        ..login(&app).await
    };
    assert_eq!(
        send_login(&app, &upper).await.status(),
        200,
        "hashed as it was sent"
    );
    let again = Login {
        count: "0000001b".to_owned(),
        ..upper
    };
    assert!(
        is_stale(&send_login(&app, &again).await),
        "it is the same count"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_send_the_same_at_once_one_is_let_in() {
    let app = lab_service();
    let login = login(&app).await;
    let sent = (0..64).map(|_| {
        let (app, login) = (app.clone(), login.clone());
        tokio::spawn(async move { send_login(&app, &login).await.status() })
    });
    let mut let_in = 0;
    for answer in sent.collect::<Vec<_>>() {
        let_in += usize::from(answer.await.expect("it does not panic") == 200);
    }
    assert_eq!(let_in, 1);
}

/// The user of RFC 7616 §3.9.2, by SHA-256; the hashes are those of Python's `hashlib`.
#[tokio::test]
async fn names_outside_of_ascii_are_hashed_or_written_in_the_extended_form() {
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
async fn users_are_looked_up_by_a_function_of_the_services_own() {
    async fn look_up(
        user: String,
        algorithm: DigestAlgorithm,
    ) -> Result<Option<(DigestSecret, Identity)>, DigestLookUpError> {
        let line = match (user.as_str(), algorithm) {
            ("ann" | "mallory", SHA256) => ANN_SHA256,
            ("ann" | "mixed", MD5) => ANN_MD5,
            ("moved", _) => {
                return Ok(Some((
                    DigestSecret::of(SHA256, "moved", "attic", "secret").expect("a secret"),
                    Identity::new("moved"),
                )));
            }
            ("mixed", _) => return Ok(Some((secret(ANN_MD5), Identity::new("mixed")))),
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
        // Secrets for another user, algorithm or realm, with a correct or a wrong password.
        ("mallory", 0, "secret", 503),
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

#[requires(authenticated, realm = "attic")]
async fn attic() {}

#[requires(authenticated, realm = "attic", schemes(Basic))]
async fn basic_attic() {}

#[requires(authenticated, realm = "lab")]
async fn same_realm() {}

#[tokio::test]
async fn a_realm_that_the_secrets_were_not_made_for_is_found_at_start() {
    let digest = || lab().build().expect("a scheme");
    let error = ProtectionSpace::builder()
        .realm("attic")
        .scheme(digest())
        .build();
    assert_eq!(
        error.expect_err("another realm").to_string(),
        "the challenge of the scheme `Digest` is invalid: the realm is \"attic\", and the secrets \
         of its users were made for \"lab\"",
    );
    let error = ProtectionSpace::builder().scheme(digest()).build();
    assert_eq!(error.expect_err("no realm"), SpaceError::NoRealm);

    let space = || {
        let basic = Basic::new(async |_, _| Caller::rejected());
        let space = ProtectionSpace::builder().realm("lab").scheme(digest());
        space.scheme(basic).build().expect("a space")
    };
    let error: ProtectError = GuardedRouter::<()>::new()
        .route("/attic", get(attic))
        .protect(space())
        .expect_err("another realm");
    assert!(
        error
            .to_string()
            .starts_with("the scheme `Digest` has no challenge for the realm of `"),
        "{error}"
    );
    assert!(error.to_string().contains("\"attic\""), "{error}");
    let router = GuardedRouter::<()>::new()
        .route("/basic", get(basic_attic))
        .route("/same", get(same_realm));
    assert!(router.protect(space()).is_ok());

    // This policy is not known at start, so the request fails, and without a challenge.
    let policy = Policy::requires(Requirement::authenticated()).realm("attic");
    let (head, ()) = http::Request::new(()).into_parts();
    let refused = space()
        .authorize(&policy, &[], &head)
        .await
        .expect_err("refused");
    assert_eq!(refused.status(), 500);
    assert_eq!(refused.headers().get("www-authenticate"), None);
}

#[tokio::test]
async fn a_script_is_not_made_to_prompt_where_there_is_another_scheme() {
    let bearer = Bearer::new(async |_| Caller::rejected());
    let space = ProtectionSpace::builder()
        .realm("lab")
        .scheme(lab_with_md5().build().expect("a scheme"))
        .scheme(bearer);
    let app = app(space.build().expect("a space"));
    for (mode, lines) in [("navigate", 3), ("cors", 1)] {
        let request = vec![("sec-fetch-mode", mode.into())];
        let answer = send(&app, "/known", &request).await;
        assert_eq!(challenges(&answer).len(), lines, "{mode}");
    }
    // Only Digest uses the stale nonce.
    let login = Login {
        uri: "/known".to_owned(),
        nonce: "old".to_owned(),
        ..Login::new("SHA-256", "ann", "lab", "secret")
    };
    let answer = send(&app, "/known", &authorization(login.authorization())).await;
    assert!(challenges(&answer)[0].contains("stale=true"));
    assert!(challenges(&answer)[1].contains("stale=true"));
    assert_eq!(challenges(&answer)[2], "Bearer realm=\"lab\"");
}

#[test]
fn what_cannot_be_right_is_not_built() {
    let error = |builder: DigestBuilder| builder.build().err();
    let none = async |_: String, _: DigestAlgorithm| Ok(None);
    let user = || "ann".to_owned();
    let rows: Vec<(DigestBuilder, DigestError)> = vec![
        (Digest::builder("lab"), DigestError::NoUser),
        (Digest::builder("").look_up(none), DigestError::NoRealm),
        (lab().algorithms([]), DigestError::NoAlgorithm),
        (
            Digest::builder("attic").user(secret(ANN_SHA256), ann()),
            DigestError::OtherRealm {
                user: user(),
                realm: "lab".to_owned(),
            },
        ),
        (
            lab().user(secret(ANN_MD5), ann()),
            DigestError::NotOffered {
                user: user(),
                algorithm: MD5,
            },
        ),
        (
            lab().algorithms([SHA256, MD5]),
            DigestError::NoSecret {
                user: user(),
                algorithm: MD5,
            },
        ),
        (
            lab().user(secret(ANN_SHA256), ann()),
            DigestError::UserTwice(user()),
        ),
        (lab().look_up(none), DigestError::UsersAndLookUp),
        (
            Digest::builder("lab").look_up(none).userhash(),
            DigestError::HashedNamesAndLookUp,
        ),
        (
            lab().nonce_lifetime(Duration::ZERO),
            DigestError::Lifetime(Duration::ZERO),
        ),
        (
            lab().nonce_lifetime(Duration::from_secs(3601)),
            DigestError::Lifetime(Duration::from_secs(3601)),
        ),
    ];
    for (builder, expected) in rows {
        assert_eq!(error(builder), Some(expected));
    }
    assert!(Digest::builder("lab").look_up(none).build().is_ok());
    let illegal = Digest::builder("lab\n")
        .look_up(none)
        .build()
        .expect("a scheme");
    let space = ProtectionSpace::builder().realm("lab\n").scheme(illegal);
    assert!(matches!(space.build(), Err(SpaceError::Challenge { .. })));
}

#[test]
fn secrets_are_lines_as_htdigest_writes_them_and_nothing_shows_them() {
    for line in [
        ANN_SHA256,
        ANN_MD5,
        "ann:a:realm:e2ddb53df762616c294c41e1c3aca2b8",
    ] {
        assert_eq!(secret(line).to_line(), line);
    }
    let colons = secret("ann:a:realm:e2ddb53df762616c294c41e1c3aca2b8");
    assert_eq!((colons.user(), colons.realm()), ("ann", "a:realm"));
    assert_eq!(secret(&ANN_MD5.to_uppercase()).user(), "ANN");
    assert!(secret(&ANN_MD5.replace("e2ddb5", "E2DDB5")).to_line() == ANN_MD5);
    let made = DigestSecret::of(SHA256, "ann", "lab", "secret").expect("a secret");
    assert_eq!(made.to_line(), ANN_SHA256);

    let name = |text: &str| DigestSecretError::User(text.to_owned());
    for (line, expected) in [
        ("", DigestSecretError::Line),
        ("ann:lab", DigestSecretError::Line),
        ("ann:lab:", DigestSecretError::Hash),
        ("ann:lab:secret", DigestSecretError::Hash),
        (&ANN_MD5.replace("e2", "+2"), DigestSecretError::Hash),
        (&format!("{ANN_MD5}00"), DigestSecretError::Hash),
        (&format!("{ANN_MD5} "), DigestSecretError::Hash),
        (&ANN_MD5.replace("ann", ""), name("")),
        (&ANN_MD5.replace("ann", "a\tn"), name("a\tn")),
        (&ANN_MD5.replace("lab", ""), DigestSecretError::NoRealm),
    ] {
        assert_eq!(line.parse::<DigestSecret>().err(), Some(expected), "{line}");
    }
    for (user, realm) in [("a:b", "lab"), ("", "lab"), ("ann", "")] {
        assert!(DigestSecret::of(MD5, user, realm, "secret").is_err());
    }

    let builder = lab();
    let shown = format!("{:?} {builder:?} {:?}", secret(ANN_SHA256), lab().build());
    assert!(!shown.contains("9e3c"), "{shown}");
}

#[requires(authenticated, hide_as = 404)]
async fn hidden(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[tokio::test]
async fn an_answer_beside_a_form_is_counted_once() {
    let layer = axum::middleware::map_request(async |request: Request| request);
    let space = ProtectionSpace::builder()
        .realm("lab")
        .scheme(lab().build().expect("a scheme"))
        .scheme(Bearer::new(async |_token| Caller::rejected()).accept_form());
    let app = GuardedRouter::new()
        .route("/", get(subject))
        .route("/hidden", post(hidden).layer(layer))
        .protect(space.build().expect("a space"))
        .expect("a router");
    let login = Login {
        method: "POST".to_owned(),
        uri: "/hidden".to_owned(),
        ..login(&app).await
    };
    let request = Request::post("/hidden")
        .header("authorization", login.authorization())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("a=b"))
        .expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
}
