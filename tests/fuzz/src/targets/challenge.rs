//! Challenges: what a builder accepts is read back by another parser.
//!
//! The first line of an input is the scheme, and each further line is `name=value`, `name:value` without
//! quotes, or `name~value` for a text.

use auth_runtime::challenge::Challenge;
use http_auth::parse_challenges;

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "challenge",
    cost: 1,
    dictionary: &[
        "Bearer\n",
        "Basic\n",
        "Digest\n",
        "realm=",
        "scope=",
        "error=",
        "error_description~",
        "error_uri=",
        "charset=",
        "stale:true",
        "algorithm:SHA-256",
        "nonce=",
        "qop=",
        "x=",
        "a, b=\"c\"",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.split('\n');
        let scheme = lines.next().unwrap_or_default();
        let mut builder = Challenge::builder(scheme);
        let mut expected = Vec::new();
        for line in lines {
            let Some(end) = line.find(['=', ':', '~']) else {
                continue;
            };
            let (name, value) = (&line[..end], &line[end + 1..]);
            builder = match line.as_bytes()[end] {
                b'=' => builder.quoted(name, value),
                b':' => builder.token(name, value),
                _ => builder.text(name, value),
            };
            let is_text = line.as_bytes()[end] == b'~';
            expected.push((
                name.to_ascii_lowercase(),
                (!is_text).then(|| value.to_owned()),
            ));
        }
        let challenge = match builder.build() {
            Ok(challenge) => challenge,
            Err(error) => return Outcome::of_messages([error.to_string()]),
        };
        let line = challenge.to_string();
        assert_eq!(challenge.to_header_value().to_str().ok(), Some(&*line));
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{line}"
        );
        let parsed = parse_challenges(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let [read] = parsed.as_slice() else {
            panic!("{} challenges in {line}", parsed.len());
        };
        assert!(read.scheme.eq_ignore_ascii_case(scheme), "{line}");
        let mut rest = expected.iter();
        for (name, value) in &read.params {
            // Texts that look like parameters are left out.
            let own = rest
                .by_ref()
                .find(|(own, text)| own == name || text.is_some());
            let (own, expected) = own.unwrap_or_else(|| panic!("{name} in {line}"));
            assert_eq!(own, name, "{line}");
            if let Some(expected) = expected {
                assert_eq!(&value.to_unescaped(), expected, "{line}");
            }
        }
        Outcome::of((read.params.len(), line.contains('\\')))
    })
}
