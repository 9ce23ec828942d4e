//! Signed webhooks of the three formats.

use auth_runtime::routing::post;
use auth_runtime::schemes::Webhooks;
use auth_runtime::{GuardedRouter, ProtectedRouter, requires};

use super::requests::Sent;
use super::service::{Answer, HIDDEN, SHOWN, Subject, clock, service, space_of};
use crate::{Check, Target};

const BODY: &str = "Hello, World!";
const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

pub(super) const TARGET: Target = Target {
    name: "webhooks",
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
        BODY,
    ],
    start,
};

#[requires(authenticated)]
async fn shown(body: String) -> String {
    body
}

#[requires(role = "a role of nobody", hide_as = 404)]
async fn hidden(body: String) -> String {
    body
}

/// Each input is sent to all formats.
fn start() -> Check {
    let formats = [Webhooks::github, Webhooks::stripe, Webhooks::standard];
    let mut checks = formats.map(|builder| service(Hooks { builder }));
    Box::new(move |input| {
        let outcomes = checks.each_mut().map(|check| check(input));
        crate::Outcome::of_all(outcomes)
    })
}

struct Hooks {
    builder: fn() -> auth_runtime::schemes::WebhooksBuilder,
}

impl Subject for Hooks {
    fn router(&self) -> ProtectedRouter {
        let hooks = (self.builder)()
            .secret("It's a Secret to Everybody")
            .clock(clock());
        GuardedRouter::new()
            .route(SHOWN, post(shown))
            .route(HIDDEN, post(hidden))
            .protect(space_of(hooks.build().expect("a secret")))
            .expect("the routes fit to the space")
    }

    /// The corpus has signatures of one body, and no mutation can create another one.
    fn may_be_granted(&self, sent: &Sent) -> bool {
        sent.body == BODY.as_bytes()
    }

    fn check_granted(&self, sent: &Sent, answer: &Answer) {
        assert_eq!(answer.body, sent.body, "the body is handed on unchanged");
    }
}
