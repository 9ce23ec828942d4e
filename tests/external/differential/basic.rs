//! `Authorization: Basic`, compared with Apache httpd; and the credentials of curl and of `http-auth`.

use std::process::Command;

use auth_runtime::routing::get as on_get;
use auth_runtime::schemes::{Basic, Password};
use auth_runtime::{Caller, Guard, GuardedRouter, Identity, ProtectionSpace, requires};
use auth_tests::programs::install;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_auth::{PasswordClient, PasswordParams};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::apache;
use crate::known::{Known, Seen, compare};
use crate::server::get;
use auth_tests::random::Random;

#[requires(authenticated)]
async fn subject(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

/// Serves as long as the runtime lives.
fn serve(scheme: Basic) -> (Runtime, std::net::SocketAddr) {
    let space = ProtectionSpace::builder().realm("lab").scheme(scheme);
    let app = GuardedRouter::new().route("/basic/x", on_get(subject));
    let app = app
        .protect(space.build().expect("a space"))
        .expect("a router");
    let runtime = Runtime::new().expect("a runtime");
    let address = runtime.block_on(auth_tests::serve(app));
    (runtime, address)
}

const USERS: &[(&str, &str, &str)] = &[
    ("ann", "secret", "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"),
    ("bob", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
];

const DISAGREEMENTS: &[Known<2>] = &[
    Known {
        accepted: [false, true],
        reason: "RFC 4648 §3.2 and §3.5: the padding is complete, and unused bits are zero. Apache \
                 reads as far as it can (§3.3 forbids that)",
        kinds: &[
            "without padding",
            "half of the padding",
            "too much padding",
            "text behind the padding",
            "unused bits",
        ],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §11.4: `token68` is not followed by a list",
        kinds: &["a comma behind", "a parameter behind", "twice"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §11.4: spaces follow the scheme, and no tabs",
        kinds: &["a space and a tab"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7617 §2: no control characters. The C string of Apache ends at the zero",
        kinds: &["a zero behind", "a zero and more behind"],
    },
];

/// Kinds, with values of `Authorization`.
fn fields() -> Vec<(&'static str, Vec<u8>)> {
    let of = |text: &[u8]| STANDARD.encode(text);
    let ann = of(b"ann:secret");
    let bare = ann.trim_end_matches('=');
    let rows = [
        ("valid", format!("Basic {ann}")),
        ("scheme in lower case", format!("basic {ann}")),
        ("scheme in upper case", format!("BASIC {ann}")),
        ("two spaces", format!("Basic  {ann}")),
        ("a tab", format!("Basic\t{ann}")),
        ("a space and a tab", format!("Basic \t{ann}")),
        ("spaces behind", format!("Basic {ann}  ")),
        ("no space", format!("Basic{ann}")),
        ("another scheme", format!("Basics {ann}")),
        ("only the scheme", "Basic".to_owned()),
        ("no credentials", "Basic ".to_owned()),
        ("without padding", format!("Basic {bare}")),
        ("half of the padding", format!("Basic {bare}=")),
        ("too much padding", format!("Basic {bare}===")),
        ("text behind the padding", format!("Basic {ann}QQ")),
        ("a parameter behind", format!("Basic {ann}, realm=\"lab\"")),
        ("a comma behind", format!("Basic {ann},")),
        (
            "a space inside",
            format!("Basic {} {}", &ann[..4], &ann[4..]),
        ),
        (
            "a foreign character",
            format!("Basic {}!{}", &ann[..4], &ann[4..]),
        ),
        ("a foreign character in front", format!("Basic !{ann}")),
        ("unused bits", "Basic YW5uOnNlY3JldB==".to_owned()),
        ("in quotes", format!("Basic \"{ann}\"")),
        ("as a parameter", format!("Basic credentials=\"{ann}\"")),
        ("in plain text", "Basic ann:secret".to_owned()),
        ("twice", format!("Basic {ann}, Basic {ann}")),
        ("another password", format!("Basic {}", of(b"ann:secreT"))),
        ("a longer password", format!("Basic {}", of(b"ann:secret "))),
        ("another user", format!("Basic {}", of(b"Ann:secret"))),
        ("an unknown user", format!("Basic {}", of(b"eva:secret"))),
        ("no colon", format!("Basic {}", of(b"ann"))),
        ("no user", format!("Basic {}", of(b":secret"))),
        ("only a colon", format!("Basic {}", of(b":"))),
        ("no password", format!("Basic {}", of(b"ann:"))),
        ("an empty password", format!("Basic {}", of(b"bob:"))),
        ("a zero behind", format!("Basic {}", of(b"ann:secret\0"))),
        (
            "a zero and more behind",
            format!("Basic {}", of(b"ann:secret\0more")),
        ),
        (
            "a zero behind the user",
            format!("Basic {}", of(b"ann\0:secret")),
        ),
        (
            "a line break behind",
            format!("Basic {}", of(b"ann:secret\n")),
        ),
        (
            "a byte order mark",
            format!("Basic {}", of("\u{feff}ann:secret".as_bytes())),
        ),
        ("a domain", format!("Basic {}", of(b"lab\\ann:secret"))),
        ("not UTF-8", format!("Basic {}", of(b"ann:secr\xe9t"))),
        (
            "a space in front of the user",
            format!("Basic {}", of(b" ann:secret")),
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(kind, text)| (kind, text.into_bytes()));
    rows.chain([("not ASCII", b"Basic \xff\xfe".to_vec())])
        .collect()
}

#[test]
fn apache_accepts_the_same_fields() {
    let users = USERS.iter();
    let lines: String = users
        .map(|(user, _, hash)| apache::basic_user(user, hash))
        .collect();
    let (apache, _folder) = apache::start(&lines, "");
    let log_in = async |user: String, password: Password| {
        let mut users = USERS.iter();
        match users.any(|(own, right, _)| *own == user && *right == password.as_str()) {
            true => Caller::known(Identity::new(user)),
            false => Caller::rejected(),
        }
    };
    let (_runtime, own) = serve(Basic::new(log_in));
    let seen: Vec<_> = fields()
        .into_iter()
        .map(|(kind, value)| {
            let fields = [("Authorization", &*value)];
            let own = get(own, "/basic/x", &fields);
            let own = (own.status == 200).then_some(own.body);
            let theirs = get(apache.address, "/basic/x", &fields);
            let user = theirs.field("x-user").next().map(str::to_owned);
            let theirs = user.filter(|_| theirs.status == 404);
            Seen {
                kind: kind.to_owned(),
                input: String::from_utf8_lossy(&value).into_owned(),
                results: [own, theirs],
            }
        })
        .collect();
    compare(&seen, ["this framework", "Apache"], DISAGREEMENTS);
}

/// A random text of visible characters.
fn text(random: &mut Random, without: char) -> String {
    const CHARACTERS: &[char] = &[
        'a',
        'Z',
        '0',
        ' ',
        '"',
        '\\',
        '\'',
        '%',
        '=',
        '+',
        '/',
        ',',
        ':',
        '@',
        '?',
        '#',
        '\u{e9}',
        '\u{20ac}',
        '\u{1f511}',
    ];
    let length = 1 + random.below(12);
    let characters = (0..length).map(|_| *random.pick(CHARACTERS));
    characters
        .filter(|character| *character != without)
        .collect()
}

#[test]
fn clients_are_read_as_they_write() {
    install("curl", "curl");
    let echo = async |user: String, password: Password| {
        Caller::known(Identity::new(json!([user, password.as_str()]).to_string()))
    };
    let (_runtime, own) = serve(Basic::new(echo));
    let challenge = get(own, "/basic/x", &[]);
    let challenge = challenge
        .field("www-authenticate")
        .next()
        .expect("a challenge")
        .to_owned();
    let mut random = Random::new(7_617);
    let logins: Vec<_> = (0..100)
        .map(|_| {
            (
                format!("u{}", text(&mut random, ':')),
                text(&mut random, '\0'),
            )
        })
        .collect();

    for (user, password) in &logins {
        let mut client = PasswordClient::try_from(&*challenge).expect("a client");
        let value = client.respond(&PasswordParams {
            username: user,
            password,
            uri: "/basic/x",
            method: "GET",
            body: None,
        });
        let value = value.expect("credentials");
        let body = get(own, "/basic/x", &[("Authorization", value.as_bytes())]).body;
        let read: Value = serde_json::from_str(&body).unwrap_or_default();
        assert_eq!(read, json!([user, password]), "http-auth: {challenge}");
    }

    // All logins in one process of curl.
    let quoted = |text: String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let steps = logins.iter().map(|(user, password)| {
        let login = quoted(format!("{user}:{password}"));
        format!("url = http://{own}/basic/x\nuser = {login}\nsilent\nwrite-out = \"\\n\"\n")
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("curl");
    std::fs::write(&file, steps.collect::<Vec<_>>().join("next\n")).expect("a file");
    let output = Command::new("curl")
        .arg("--config")
        .arg(&file)
        .output()
        .expect("curl runs");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let read: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_default())
        .collect();
    let sent: Vec<Value> = logins
        .iter()
        .map(|(user, password)| json!([user, password]))
        .collect();
    assert_eq!(read, sent);
}
