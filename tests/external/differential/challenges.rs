//! The challenges of this framework, as `http-auth` reads them.

use auth_runtime::challenge::Challenge;
use http_auth::parse_challenges;

use auth_tests::random::Random;

const SEED: u64 = 9_110;
const CHALLENGES: usize = 2_000;

/// Characters of tokens (RFC 9110 §5.6.2).
const TOKEN: &[char] = &[
    'a', 'z', 'A', 'Z', '0', '9', '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`',
    '|', '~',
];

fn token(random: &mut Random) -> String {
    (0..1 + random.below(8))
        .map(|_| *random.pick(TOKEN))
        .collect()
}

/// A text of visible ASCII and spaces.
fn text(random: &mut Random) -> String {
    let visible: Vec<char> = (' '..='~').chain("\"\"\\\\,, ==".chars()).collect();
    (0..random.below(20))
        .map(|_| *random.pick(&visible))
        .collect()
}

#[test]
fn http_auth_reads_what_was_written() {
    let mut random = Random::new(SEED);
    let mut lines = Vec::new();
    for _ in 0..CHALLENGES {
        let scheme = format!("X{}", token(&mut random));
        let mut builder = Challenge::builder(&scheme);
        let mut expected = Vec::new();
        for index in 0..1 + random.below(4) {
            let name = format!("p{index}{}", token(&mut random));
            builder = match random.below(2) {
                0 => {
                    let value = token(&mut random);
                    expected.push((name.to_ascii_lowercase(), value.clone()));
                    builder.token(&name, &value)
                }
                _ => {
                    let value = text(&mut random);
                    expected.push((name.to_ascii_lowercase(), value.clone()));
                    builder.quoted(&name, &value)
                }
            };
        }
        let line = builder.build().expect("a challenge").to_string();
        lines.push((line, scheme, expected));
    }
    // Alone, and several on one line, as a proxy may join them (RFC 9110 §5.3).
    for several in [1, 2, 5] {
        for group in lines.chunks(several) {
            let joined: Vec<&str> = group.iter().map(|(line, ..)| line.as_str()).collect();
            let joined = joined.join(", ");
            let parsed = parse_challenges(&joined);
            let parsed = parsed.unwrap_or_else(|error| panic!("{joined}: {error}"));
            assert_eq!(parsed.len(), group.len(), "{joined}");
            for (challenge, (_, scheme, expected)) in parsed.iter().zip(group) {
                let read: Vec<_> = challenge
                    .params
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.to_unescaped()))
                    .collect();
                assert_eq!(
                    (challenge.scheme, &read),
                    (scheme.as_str(), expected),
                    "{joined}"
                );
            }
        }
    }
}
