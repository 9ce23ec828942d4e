//! The negotiation of the format of a denial (RFC 9110 §12.5.1).

use auth_runtime::{ProtectionSpace, UnknownPaths};

use super::basic::basic;
use super::requests::Sent;
use super::service::{ABSENT, Answer, HIDDEN, SHOWN, Service, assert_alike, router};
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "accept",
    cost: 1,
    dictionary: &[
        "accept: ",
        "text/html",
        "text/plain",
        "text/*",
        "*/*",
        "application/json",
        "application/problem+json",
        ";q=0",
        ";q=0.5",
        ";q=1.000",
        ";q=1.0001",
        ";charset=utf-8",
        ";a=\"b,c\"",
        "sec-fetch-mode: navigate",
        "sec-fetch-mode: cors",
    ],
    start,
};

const FORMATS: [&str; 3] = [
    "application/problem+json",
    "text/html; charset=utf-8",
    "text/plain; charset=utf-8",
];

fn start() -> Check {
    let space = ProtectionSpace::builder()
        .realm("fuzz")
        .unknown_paths(UnknownPaths::Challenge)
        .scheme(basic());
    let service = Service::new(router(space.build().expect("a space")));
    Box::new(move |input| {
        let send = |path: &str, changed: &dyn Fn(&mut Sent)| {
            let mut sent = Sent::parse(input, path)?;
            sent.fields.remove("authorization");
            changed(&mut sent);
            let answer = service.respond(sent.to_request());
            answer.check(&sent);
            Some(answer)
        };
        let Some(answer) = send(SHOWN, &|_| {}) else {
            return Outcome::of("not a request");
        };
        let plain = send(SHOWN, &|sent| _ = sent.fields.remove("accept")).expect("the same");
        assert_eq!(answer.status, plain.status);
        let challenges = |answer: &Answer| answer.lines("www-authenticate").join("\n");
        assert_eq!(challenges(&answer), challenges(&plain), "of the format");
        let [hidden, absent] = [HIDDEN, ABSENT].map(|path| send(path, &|_| {}).expect("the same"));
        assert_alike(&hidden, &absent);
        let format = answer.lines("content-type").join(", ");
        if answer.status == 401 {
            assert!(FORMATS.contains(&&*format), "{format}");
            if format == FORMATS[0] && !answer.body.is_empty() {
                let body: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
                assert_eq!(body["status"], 401, "{body}");
            }
        }
        Outcome::of((answer.status.as_u16(), format))
    })
}
