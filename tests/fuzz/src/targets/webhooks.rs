//! Signed webhooks of the three formats. `{github}`, `{stripe}` and `{standard}` are signatures of the body, and
//! `{other}` is one by another secret.

use auth_runtime::routing::post;
use auth_runtime::schemes::Webhooks;
use auth_runtime::{GuardedRouter, ProtectedRouter, requires};
use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::requests::{Sent, fill, position};
use super::service::{Answer, HIDDEN, NOW, SHOWN, Service, Subject, clock, service, space_of};
use crate::{Check, Target};

const SECRET: &[u8] = b"It's a Secret to Everybody";
const BODY: &str = "Hello, World!";
const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

pub(super) const TARGET: Target = Target {
    name: "webhooks",
    cost: 4,
    dictionary: &[
        "x-hub-signature-256: ",
        GITHUB,
        "stripe-signature: ",
        "t=1800000000,v1=",
        "webhook-id: msg_1",
        "webhook-timestamp: 1800000000",
        "webhook-signature: ",
        "v1,",
        "v1a,",
        ",v1=",
        "v0=",
        "{github}",
        "{stripe}",
        "{standard}",
        "{other}",
        "\n\n",
        BODY,
    ],
    start,
};

#[requires(authenticated)]
async fn shown(body: Bytes) -> Bytes {
    body
}

#[requires(role = "a role of nobody", hide_as = 404)]
async fn hidden(body: Bytes) -> Bytes {
    body
}

/// Each input is sent to all formats.
fn start() -> Check {
    let mut checks =
        [Format::GitHub, Format::Stripe, Format::Standard].map(|it| service(Hooks(it)));
    Box::new(move |input| {
        let outcomes = checks.each_mut().map(|check| check(input));
        crate::Outcome::of_all(outcomes)
    })
}

#[derive(Clone, Copy)]
enum Format {
    GitHub,
    Stripe,
    Standard,
}

/// The signature of some parts.
fn sign(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Hooks(Format);

impl Subject for Hooks {
    fn router(&self) -> ProtectedRouter {
        let hooks = match self.0 {
            Format::GitHub => Webhooks::github(),
            Format::Stripe => Webhooks::stripe(),
            Format::Standard => Webhooks::standard(),
        };
        let hooks = hooks.secret(SECRET).clock(clock());
        GuardedRouter::new()
            .route(SHOWN, post(shown))
            .route(HIDDEN, post(hidden))
            .protect(space_of(hooks.build().expect("a secret")))
            .expect("the routes fit to the space")
    }

    fn fill(&mut self, input: &[u8], _: &str, _: &Service) -> Vec<u8> {
        let end = position(input, b"\n\n").unwrap_or(input.len());
        let (head, rest) = input.split_at(end);
        let body = rest.get(2..).unwrap_or_default();
        let stripe = hex(&sign(SECRET, &[b"1800000000.", body]));
        let standard = STANDARD.encode(sign(SECRET, &[b"msg_1.1800000000.", body]));
        let values = [
            ("github", hex(&sign(SECRET, &[body]))),
            ("stripe", stripe),
            ("standard", standard),
            (
                "other",
                hex(&sign(b"another secret of many bytes", &[body])),
            ),
        ];
        let values = values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        [&fill(head, &values), rest].concat()
    }

    /// A signature of the format is that of the body, by another reading of the fields.
    fn may_be_granted(&self, sent: &Sent) -> bool {
        let is_recent = |time: &str| {
            let time = time.trim_start_matches('+').parse::<u64>();
            time.is_ok_and(|time| time.abs_diff(NOW) <= 300)
        };
        match self.0 {
            Format::GitHub => {
                let expected = format!("sha256={}", hex(&sign(SECRET, &[&sent.body])));
                let field = sent.only("x-hub-signature-256");
                field.is_some_and(|field| field.eq_ignore_ascii_case(&expected))
            }
            Format::Stripe => {
                let field = sent.only("stripe-signature").unwrap_or_default();
                let values = |name: &str| {
                    let pairs = field
                        .split(',')
                        .filter_map(|pair| pair.trim().split_once('='));
                    let named = pairs.filter(|(own, _)| *own == name);
                    named.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
                };
                let times = values("t");
                let [time] = times.as_slice() else {
                    return false;
                };
                let parts = [time.as_bytes(), b".", &sent.body];
                let expected = hex(&sign(SECRET, &parts));
                let mut signatures = values("v1").into_iter();
                is_recent(time) && signatures.any(|it| it.eq_ignore_ascii_case(&expected))
            }
            Format::Standard => {
                let text = |name| sent.only(name).unwrap_or_default();
                let (id, time) = (text("webhook-id"), text("webhook-timestamp"));
                let parts = [id.as_bytes(), b".", time.as_bytes(), b".", &sent.body];
                let expected = format!("v1,{}", STANDARD.encode(sign(SECRET, &parts)));
                let mut signatures = text("webhook-signature").split(' ');
                is_recent(time) && signatures.any(|it| it == expected)
            }
        }
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        assert_eq!(answer.body, sent.body, "the body is handed on unchanged");
    }
}
