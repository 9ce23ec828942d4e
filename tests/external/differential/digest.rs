//! `Authorization: Digest` with MD5, compared with Apache httpd.

use std::net::SocketAddr;

use auth_runtime::routing::get as on_get;
use auth_runtime::schemes::{Digest, DigestAlgorithm, DigestSecret};
use auth_runtime::{Guard, GuardedRouter, Identity, ProtectionSpace, requires};
use auth_tests::digest::Login;
use http_auth::parse_challenges;
use tokio::runtime::Runtime;

use crate::apache;
use crate::known::{Known, Seen, compare};
use crate::server::{Answer, get};

#[requires(authenticated)]
async fn subject(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

/// Serves as long as the runtime lives.
fn serve() -> (Runtime, SocketAddr) {
    let secret = DigestSecret::of(DigestAlgorithm::Md5, "ann", "lab", "secret");
    let scheme = Digest::builder("lab")
        .algorithms([DigestAlgorithm::Md5])
        .user(secret.expect("a secret"), Identity::new("ann"))
        .build();
    let space = ProtectionSpace::builder()
        .realm("lab")
        .scheme(scheme.expect("a scheme"));
    let app = GuardedRouter::new().route("/digest/x", on_get(subject));
    let app = app
        .protect(space.build().expect("a space"))
        .expect("a router");
    let runtime = Runtime::new().expect("a runtime");
    let address = runtime.block_on(auth_tests::serve(app));
    (runtime, address)
}

const TARGET: &str = "/digest/x?a=%20b";

/// The parameters of a field, as they are written.
type Parameters = Vec<(String, String)>;

/// A kind of field: what the client hashes, how it writes the parameters, and how it joins them.
struct Case {
    kind: String,
    login: Box<dyn Fn(&mut Login)>,
    write: Box<dyn Fn(&mut Parameters)>,
    join: Box<dyn Fn(Vec<String>) -> String>,
}

impl Case {
    fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            login: Box::new(|_| {}),
            write: Box::new(|_| {}),
            join: Box::new(|parameters| format!("Digest {}", parameters.join(", "))),
        }
    }

    fn login(self, login: impl Fn(&mut Login) + 'static) -> Self {
        Self {
            login: Box::new(login),
            ..self
        }
    }

    fn write(self, write: impl Fn(&mut Parameters) + 'static) -> Self {
        Self {
            write: Box::new(write),
            ..self
        }
    }

    fn join(self, join: impl Fn(Vec<String>) -> String + 'static) -> Self {
        Self {
            join: Box::new(join),
            ..self
        }
    }

    /// Returns the field for a challenge.
    fn field(&self, challenge: &str) -> String {
        let challenge = parse_challenges(challenge).expect("a challenge");
        let parameter = |wanted: &str| {
            let mut all = challenge[0].params.iter();
            let found = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.to_unescaped())
        };
        let mut login = Login::new("MD5", "ann", "lab", "secret");
        login.nonce = parameter("nonce").expect("a nonce");
        login.uri = TARGET.to_owned();
        (self.login)(&mut login);
        let quoted = |text: &str| format!("{text:?}");
        let mut parameters: Parameters = [
            ("username", quoted(&login.user)),
            ("realm", quoted(&login.realm)),
            ("nonce", quoted(&login.nonce)),
            ("uri", quoted(&login.uri)),
            ("algorithm", "MD5".to_owned()),
            ("qop", "auth".to_owned()),
            ("nc", login.count.clone()),
            ("cnonce", quoted(&login.client_nonce)),
            ("response", quoted(&login.response())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if let Some(opaque) = parameter("opaque") {
            parameters.push(("opaque".to_owned(), quoted(&opaque)));
        }
        (self.write)(&mut parameters);
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        (self.join)(parameters.collect())
    }
}

/// Changes of one parameter.
fn changes(name: &'static str) -> Vec<Case> {
    let case = |change: &str, edit: fn(&str) -> String| {
        Case::new(format!("{name} {change}")).write(move |parameters| {
            let mut named = parameters.iter_mut();
            let found = named.find(|(own, _)| own == name).expect("the parameter");
            found.1 = edit(&found.1);
        })
    };
    let named = |change: &str, edit: fn(&str) -> String| {
        Case::new(format!("{name} {change}")).write(move |parameters| {
            let mut named = parameters.iter_mut();
            let found = named.find(|(own, _)| own == name).expect("the parameter");
            found.0 = edit(&found.0);
        })
    };
    let again = |change: &str, value: Option<&'static str>, in_front: bool| {
        Case::new(format!("{name} {change}")).write(move |parameters| {
            let own = parameters
                .iter()
                .find(|(own, _)| own == name)
                .expect("the parameter");
            let value = value.map_or_else(|| own.1.clone(), str::to_owned);
            let place = if in_front { 0 } else { parameters.len() };
            parameters.insert(place, (name.to_owned(), value));
        })
    };
    let mut cases = vec![
        case("empty", |_| "\"\"".to_owned()),
        case("without a value", |_| String::new()),
        case("with the other quotes", |value| {
            match value.strip_prefix('"') {
                Some(rest) => rest.trim_end_matches('"').to_owned(),
                None => format!("\"{value}\""),
            }
        }),
        case("in single quotes", |value| {
            format!("'{}'", value.trim_matches('"'))
        }),
        case("with an escape", |value| {
            format!("\"\\{}\"", value.trim_matches('"'))
        }),
        case("with another character behind", |value| {
            format!("\"{}x\"", value.trim_matches('"'))
        }),
        case("with a space behind", |value| {
            format!("\"{} \"", value.trim_matches('"'))
        }),
        case("in upper case", str::to_uppercase),
        case("after a space", |value| format!(" {value}")),
        case("after a tab", |value| format!("\t{value}")),
        case("with text behind the quotes", |value| {
            format!("\"{}\"x", value.trim_matches('"'))
        }),
        named("named in upper case", str::to_uppercase),
        named("named with a space", |name| format!("{name} ")),
        named("named with a tab", |name| format!("{name}\t")),
        named("named in quotes", |name| format!("\"{name}\"")),
        again("twice", None, false),
        again("twice, another one in front", Some("\"lab\""), true),
        again("twice, another one behind", Some("\"lab\""), false),
    ];
    cases.push(
        Case::new(format!("{name} missing")).write(move |parameters| {
            parameters.retain(|(own, _)| own != name);
        }),
    );
    cases
}

fn cases() -> Vec<Case> {
    const NAMES: [&str; 9] = [
        "username",
        "realm",
        "nonce",
        "uri",
        "algorithm",
        "qop",
        "nc",
        "cnonce",
        "response",
    ];
    let count = |kind: &str, count: &'static str| {
        Case::new(format!("nc {kind}")).login(move |login| login.count = count.to_owned())
    };
    let uri = |kind: &str, uri: &'static str| {
        Case::new(format!("uri {kind}")).login(move |login| login.uri = uri.to_owned())
    };
    let joined = |kind: &str, join: fn(Vec<String>) -> String| Case::new(kind).join(join);
    let further = |kind: &str, name: &'static str, value: &'static str| {
        Case::new(kind)
            .write(move |parameters| parameters.push((name.to_owned(), value.to_owned())))
    };
    let mut cases = vec![
        Case::new("valid"),
        Case::new("another user").login(|login| login.user = "Ann".to_owned()),
        Case::new("another password").login(|login| login.password = "Secret".to_owned()),
        Case::new("another realm").login(|login| login.realm = "Lab".to_owned()),
        Case::new("another method").login(|login| login.method = "POST".to_owned()),
        Case::new("the method in lower case").login(|login| login.method = "get".to_owned()),
        Case::new("a nonce of the client").login(|login| login.nonce = "0123456789".to_owned()),
        Case::new("a nonce cut off").login(|login| login.nonce.truncate(login.nonce.len() - 1)),
        Case::new("a longer nonce").login(|login| login.nonce.push('A')),
        Case::new("a client's nonce with quotes")
            .login(|login| login.client_nonce = "a\"b\\c".to_owned()),
        Case::new("a client's nonce of one letter")
            .login(|login| login.client_nonce = "a".to_owned()),
        count("of zero", "00000000"),
        count("two", "00000002"),
        count("of one digit", "1"),
        count("of nine digits", "000000001"),
        count("of capital digits", "0000000A"),
        count("of small digits", "0000000a"),
        count("with a sign", "+0000001"),
        count("with a foreign digit", "0000000g"),
        count("at the end", "ffffffff"),
        uri("without the query", "/digest/x"),
        uri("with another query", "/digest/x?a=%20c"),
        uri("with a longer query", "/digest/x?a=%20b&c"),
        uri("with other escapes", "/digest/%78?a=%20b"),
        uri("of another path", "/digest/y?a=%20b"),
        uri("of dots", "/digest/./x?a=%20b"),
        uri("of more dots", "/digest/y/../x?a=%20b"),
        uri("with two slashes", "/digest//x?a=%20b"),
        uri("in full", "http://lab/digest/x?a=%20b"),
        uri("of another host", "http://evil.example/digest/x?a=%20b"),
        uri("with a fragment", "/digest/x?a=%20b#c"),
        uri("of all", "*"),
        uri("in another case", "/Digest/x?a=%20b"),
        joined("scheme in lower case", |parameters| {
            format!("digest {}", parameters.join(", "))
        }),
        joined("scheme in upper case", |parameters| {
            format!("DIGEST {}", parameters.join(", "))
        }),
        joined("two spaces", |parameters| {
            format!("Digest  {}", parameters.join(", "))
        }),
        joined("a tab behind the scheme", |parameters| {
            format!("Digest\t{}", parameters.join(", "))
        }),
        joined("no space behind the scheme", |parameters| {
            format!("Digest{}", parameters.join(", "))
        }),
        joined("commas without spaces", |parameters| {
            format!("Digest {}", parameters.join(","))
        }),
        joined("commas with tabs", |parameters| {
            format!("Digest {}", parameters.join("\t,\t"))
        }),
        joined("commas with spaces", |parameters| {
            format!("Digest {}", parameters.join("  ,  "))
        }),
        joined("two commas", |parameters| {
            format!("Digest {}", parameters.join(",, "))
        }),
        joined("a comma in front", |parameters| {
            format!("Digest , {}", parameters.join(", "))
        }),
        joined("a comma behind", |parameters| {
            format!("Digest {},", parameters.join(", "))
        }),
        joined("semicolons", |parameters| {
            format!("Digest {}", parameters.join("; "))
        }),
        joined("spaces alone", |parameters| {
            format!("Digest {}", parameters.join(" "))
        }),
        joined("in another order", |mut parameters| {
            parameters.reverse();
            format!("Digest {}", parameters.join(", "))
        }),
        joined("no parameters", |_| "Digest".to_owned()),
        joined("no parameters but a space", |_| "Digest ".to_owned()),
        joined("a token", |_| "Digest YW5uOnNlY3JldA==".to_owned()),
        joined("not closed", |parameters| {
            format!("Digest {}, lab=\"x", parameters.join(", "))
        }),
        joined("a second scheme", |parameters| {
            format!("Digest {}, Basic YTpi", parameters.join(", "))
        }),
        joined("a name alone", |parameters| {
            format!("Digest {}, lab", parameters.join(", "))
        }),
        further("an unknown parameter", "lab", "1"),
        further(
            "an unknown parameter in quotes",
            "lab",
            "\"a, b=\\\"c\\\"\"",
        ),
        further(
            "an unknown parameter with text in place of a token",
            "lab",
            "a b",
        ),
        further("userhash false", "userhash", "false"),
        further("userhash true", "userhash", "true"),
        further("userhash of neither", "userhash", "maybe"),
        further("a second name", "username*", "UTF-8''ann"),
        further("charset", "charset", "UTF-8"),
        further("auth-param", "auth-param", "x"),
    ];
    for (kind, name, value) in [
        ("algorithm MD5-sess", "algorithm", "MD5-sess"),
        ("algorithm SHA-256", "algorithm", "SHA-256"),
        ("algorithm in lower case", "algorithm", "md5"),
        ("qop auth-int", "qop", "auth-int"),
        ("qop of both", "qop", "\"auth,auth-int\""),
        ("qop of another name", "qop", "lab"),
        ("username escaped", "username", "\"a\\nn\""),
        ("username extended", "username*", "UTF-8''ann"),
    ] {
        cases.push(Case::new(kind).write(move |parameters| {
            let plain = name.trim_end_matches('*');
            parameters.retain(|(own, _)| own != plain);
            parameters.push((name.to_owned(), value.to_owned()));
        }));
    }
    cases.extend(NAMES.into_iter().flat_map(changes));
    cases
}

const DISAGREEMENTS: &[Known<2>] = &[
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §11.2: each parameter occurs once",
        kinds: &[
            "username twice",
            "realm twice",
            "nonce twice",
            "uri twice",
            "algorithm twice",
            "qop twice",
            "nc twice",
            "cnonce twice",
            "response twice",
            "username twice, another one in front",
            "realm twice, another one in front",
            "nonce twice, another one in front",
            "uri twice, another one in front",
            "algorithm twice, another one in front",
            "qop twice, another one in front",
            "nc twice, another one in front",
            "cnonce twice, another one in front",
            "response twice, another one in front",
            "realm twice, another one behind",
        ],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §11.2: a value is a token or a quoted string, and a name is a token",
        kinds: &[
            "username with text behind the quotes",
            "realm with text behind the quotes",
            "nonce with text behind the quotes",
            "uri with text behind the quotes",
            "algorithm with text behind the quotes",
            "qop with text behind the quotes",
            "nc with text behind the quotes",
            "cnonce with text behind the quotes",
            "response with text behind the quotes",
            "algorithm named in quotes",
            "uri with the other quotes",
            "an unknown parameter with text in place of a token",
            "a name alone",
            "not closed",
            "a second scheme",
        ],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §5.6.3 allows tabs around commas and `=`, which no known client sends. This \
                 framework reads credentials of visible ASCII and spaces only, for all schemes",
        kinds: &[
            "username after a tab",
            "realm after a tab",
            "nonce after a tab",
            "uri after a tab",
            "algorithm after a tab",
            "qop after a tab",
            "nc after a tab",
            "cnonce after a tab",
            "response after a tab",
            "username named with a tab",
            "realm named with a tab",
            "nonce named with a tab",
            "uri named with a tab",
            "algorithm named with a tab",
            "qop named with a tab",
            "nc named with a tab",
            "cnonce named with a tab",
            "response named with a tab",
            "commas with tabs",
        ],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §11.4: spaces follow the scheme, and no tabs",
        kinds: &["a tab behind the scheme"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7616 §3.4: `nc` has eight hexadecimal digits, and counts this request. Apache \
                 reads it only to compare counts, and Debian's default does not",
        kinds: &[
            "nc of zero",
            "nc of one digit",
            "nc of nine digits",
            "nc with a sign",
            "nc with a foreign digit",
        ],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7616 §3.4.6: `uri` is the target of the request line. A full URL with the \
                 request line of a path is possible by §3.4, and no known client sends it",
        kinds: &["uri in full"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9112 §3.2: a target has no fragment",
        kinds: &["uri with a fragment"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7616 §3.4.6: the server may ask for the same text, since clients copy the target",
        kinds: &["uri with other escapes"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7616 §3.4: of `username` and `username*`, one is sent",
        kinds: &["a second name"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 7616 §3.4.4: with `userhash=true`, the name is a hash; other values than true \
                 and false are errors. Apache does not know it",
        kinds: &["userhash true", "userhash of neither"],
    },
    Known {
        accepted: [true, false],
        reason: "RFC 7616 §3.4: the extended notation of RFC 8187, which Apache does not know",
        kinds: &["username extended"],
    },
];

fn challenge(answer: &Answer) -> String {
    answer
        .field("www-authenticate")
        .next()
        .expect("a challenge")
        .to_owned()
}

#[test]
fn apache_accepts_the_same_fields() {
    let secret = DigestSecret::of(DigestAlgorithm::Md5, "ann", "lab", "secret").expect("a secret");
    let (apache, _folder) = apache::start("", &format!("{}\n", secret.to_line()));
    let (_runtime, own) = serve();
    let seen: Vec<_> = cases()
        .into_iter()
        .map(|case| {
            let fields =
                [own, apache.address].map(|at| case.field(&challenge(&get(at, TARGET, &[]))));
            let send = |at, field: &String| get(at, TARGET, &[("Authorization", field.as_bytes())]);
            let answer = send(own, &fields[0]);
            let accepted = (answer.status == 200).then_some(answer.body);
            let answer = send(apache.address, &fields[1]);
            let user = answer.field("x-user").next().map(str::to_owned);
            let theirs = user.filter(|_| answer.status == 404);
            Seen {
                kind: case.kind,
                input: fields[0].clone(),
                results: [accepted, theirs],
            }
        })
        .collect();
    compare(&seen, ["this framework", "Apache"], DISAGREEMENTS);
}
