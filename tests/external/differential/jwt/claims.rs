//! Odd claims, with valid signatures.

use super::corpus::{NOW, Token, header, object, usual};
use super::keys::Keys;
use super::{AUDIENCE, ISSUER};

/// The registered claims (RFC 7519 §4.1).
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Kinds, with values of any claim.
const VALUES: &[(&str, &str)] = &[
    ("text", "\"lab\""),
    ("empty text", "\"\""),
    ("digits as text", "\"1799999000\""),
    ("later digits as text", "\"1800000600\""),
    ("null", "null"),
    ("true", "true"),
    ("false", "false"),
    ("zero", "0"),
    ("one", "1"),
    ("negative", "-1"),
    ("fraction", "0.5"),
    ("empty array", "[]"),
    ("empty object", "{}"),
    ("array of null", "[null]"),
    ("array of a number", "[1800000600]"),
    ("array of text", "[\"lab\"]"),
    ("object", "{\"lab\":1}"),
    ("beyond all numbers", "1e999"),
    ("NaN", "NaN"),
    ("Infinity", "Infinity"),
    ("half a character", "\"\\ud800\""),
    ("unicode", "\"J\u{fc}rgen \u{1f511}\""),
];

/// Kinds, with times of `exp`, `nbf` and `iat`. The clock is at 1800000000, with a leeway of 60 seconds.
const TIMES: &[(&str, &str)] = &[
    ("now", "1800000000"),
    ("a second ago", "1799999999"),
    ("in a second", "1800000001"),
    ("59 seconds ago", "1799999941"),
    ("60 seconds ago", "1799999940"),
    ("60.5 seconds ago", "1799999939.5"),
    ("59.5 seconds ago", "1799999940.5"),
    ("61 seconds ago", "1799999939"),
    ("in 59 seconds", "1800000059"),
    ("in 60 seconds", "1800000060"),
    ("in 60.5 seconds", "1800000060.5"),
    ("in 61 seconds", "1800000061"),
    ("in an hour", "1800003600"),
    ("a year ago", "1768464000"),
    ("in half a second", "1800000000.5"),
    ("in an hour, with an exponent", "18000036e2"),
    ("in an hour, with a capital exponent", "1.8000036E+9"),
    ("in an hour, with a fraction of zeros", "1800003600.000"),
    ("in an hour, in milliseconds", "1800003600000"),
    ("in a million years", "31556926000000000"),
    ("at the end of 64 bits", "9223372036854775807"),
    ("behind the end of 64 bits", "18446744073709551616"),
    ("in 1e18 seconds", "1e18"),
    ("in 1e300 seconds", "1e300"),
    ("before 1970", "-1800000000"),
    ("long before 1970", "-1e300"),
    ("minus zero", "-0"),
    ("with a zero in front", "01800003600"),
    ("with a plus", "+1800003600"),
    ("hexadecimal", "0x6b49d200"),
];

/// Kinds, with values of certain claims.
const OF_CLAIMS: &[(&str, &str, &str)] = &[
    (
        "iss with a slash at the end",
        "iss",
        "\"https://issuer.example/\"",
    ),
    ("iss in upper case", "iss", "\"HTTPS://ISSUER.EXAMPLE\""),
    ("iss with a port", "iss", "\"https://issuer.example:443\""),
    ("iss with a space", "iss", "\"https://issuer.example \""),
    ("iss escaped", "iss", "\"https:\\/\\/issuer.example\""),
    (
        "iss that begins with ours",
        "iss",
        "\"https://issuer.example.evil.example\"",
    ),
    ("iss that is a part of ours", "iss", "\"https://issuer\""),
    ("iss in an array", "iss", "[\"https://issuer.example\"]"),
    ("aud in an array", "aud", "[\"https://api.example\"]"),
    (
        "aud among others",
        "aud",
        "[\"https://other.example\",\"https://api.example\"]",
    ),
    (
        "aud twice in an array",
        "aud",
        "[\"https://api.example\",\"https://api.example\"]",
    ),
    ("aud of others", "aud", "[\"https://other.example\"]"),
    ("aud beside a number", "aud", "[1,\"https://api.example\"]"),
    ("aud beside null", "aud", "[\"https://api.example\",null]"),
    ("aud in two arrays", "aud", "[[\"https://api.example\"]]"),
    ("aud in an object", "aud", "{\"https://api.example\":true}"),
    (
        "aud with a slash at the end",
        "aud",
        "\"https://api.example/\"",
    ),
    ("aud in upper case", "aud", "\"HTTPS://API.EXAMPLE\""),
    (
        "aud among others, by spaces",
        "aud",
        "\"https://other.example https://api.example\"",
    ),
    (
        "aud among others, by commas",
        "aud",
        "\"https://other.example,https://api.example\"",
    ),
    ("sub with a space", "sub", "\" \""),
    ("sub with a zero", "sub", "\"ann\\u0000bob\""),
    ("sub with a line break", "sub", "\"ann\\nbob\""),
    ("sub escaped", "sub", "\"\\u0061nn\""),
    ("sub of two halves", "sub", "\"\\ud83d\\udd11\""),
    ("sub of the wrong halves", "sub", "\"\\udd11\\ud83d\""),
    ("sub of hidden characters", "sub", "\"ann\u{200b}\u{202e}\""),
];

/// Kinds, with further members.
const FURTHER: &[(&str, &str)] = &[
    ("an unknown claim", "\"lab\":1"),
    ("a claim without a name", "\"\":1"),
    ("a claim of a prototype", "\"__proto__\":{\"sub\":\"bob\"}"),
    ("a claim named constructor", "\"constructor\":1"),
    ("Exp besides exp", "\"Exp\":1"),
    ("SUB besides sub", "\"SUB\":\"bob\""),
    ("a claim with a zero in its name", "\"sub\\u0000\":\"bob\""),
    ("a large number", "\"lab\":123456789012345678901234567890"),
    (
        "an exact fraction",
        "\"lab\":0.1000000000000000055511151231257827",
    ),
    ("a member twice in a claim", "\"lab\":{\"x\":1,\"x\":2}"),
    ("an unknown claim twice", "\"lab\":1,\"lab\":2"),
    ("a claim twice, escaped", "\"s\\u0075b\":\"bob\""),
    ("exp twice", "\"exp\":1800000700"),
    ("exp twice, then expired", "\"exp\":1"),
    ("sub twice", "\"sub\":\"bob\""),
    ("sub twice, the same", "\"sub\":\"ann\""),
    ("aud twice", "\"aud\":\"https://other.example\""),
    ("iss twice", "\"iss\":\"https://evil.example\""),
    ("nbf twice", "\"nbf\":1,\"nbf\":2"),
    ("token_use access", "\"token_use\":\"access\""),
    ("token_use id", "\"token_use\":\"id\""),
    ("claim typ ID", "\"typ\":\"ID\""),
    ("claim typ Refresh", "\"typ\":\"Refresh\""),
    ("claim typ Bearer", "\"typ\":\"Bearer\""),
    ("claim events", "\"events\":{}"),
    ("claim at_hash", "\"at_hash\":\"AQAB\""),
    ("claim c_hash", "\"c_hash\":\"AQAB\""),
    ("claim nonce", "\"nonce\":\"n\""),
    ("claim azp", "\"azp\":\"client\""),
    ("claim cnf", "\"cnf\":{\"jkt\":\"AQAB\"}"),
    ("claim scope of numbers", "\"scope\":[1,2]"),
    ("claim scope object", "\"scope\":{\"x\":1}"),
    ("claim auth_time text", "\"auth_time\":\"now\""),
    ("claim acr number", "\"acr\":1"),
    ("claim amr text", "\"amr\":\"pwd\""),
    ("claim roles null", "\"roles\":null"),
];

/// Kinds, with the whole text. `CLAIMS` are valid members.
const TEXTS: &[(&str, &str)] = &[
    ("claims with spaces", " \r\n\t{ CLAIMS } \n"),
    ("claims with a comma at the end", "{CLAIMS,}"),
    ("claims with a comma in front", "{,CLAIMS}"),
    ("claims with text behind", "{CLAIMS}x"),
    ("claims with a second object", "{CLAIMS}{}"),
    ("claims with a comment", "{CLAIMS/* */}"),
    ("claims not closed", "{CLAIMS"),
    ("claims with a byte order mark", "\u{feff}{CLAIMS}"),
    ("claims with a zero", "{CLAIMS}\0"),
    ("claims with a form feed", "\u{c}{CLAIMS}"),
    ("claims with a wide space", "\u{a0}{CLAIMS}"),
    (
        "claims with a control character",
        "{CLAIMS,\"lab\":\"\u{1}\"}",
    ),
    ("claims with a bad escape", "{CLAIMS,\"lab\":\"\\x\"}"),
    ("claims in an array", "[{CLAIMS}]"),
    ("claims as text", "\"{}\""),
    ("claims null", "null"),
    ("claims true", "true"),
    ("claims number", "1"),
    ("claims empty", ""),
    ("claims of nothing", "{}"),
    ("claims of an empty array", "[]"),
];

pub(super) fn tokens(keys: &Keys) -> Vec<Token> {
    let mut tokens = Vec::new();
    for algorithm in ["HS256", "ES256"] {
        let mut add = |kind: String, claims: &[u8]| {
            let text = keys.token(algorithm, header(algorithm).as_bytes(), claims);
            tokens.push(Token::new(kind, text));
        };
        let changed = |name: &'static str, value: &str| {
            let mut claims = usual();
            claims.retain(|(own, _)| *own != name);
            claims.push((name, value.to_owned()));
            object(&claims)
        };
        for name in REGISTERED {
            let mut without = usual();
            without.retain(|(own, _)| *own != name);
            add(format!("{name} missing"), object(&without).as_bytes());
            for (kind, value) in VALUES {
                add(format!("{name} {kind}"), changed(name, value).as_bytes());
            }
        }
        for name in ["exp", "nbf", "iat"] {
            for (kind, value) in TIMES {
                add(format!("{name} {kind}"), changed(name, value).as_bytes());
            }
        }
        for (kind, name, value) in OF_CLAIMS {
            add((*kind).to_owned(), changed(name, value).as_bytes());
        }
        let members = object(&usual());
        let members = &members[1..members.len() - 1];
        for (kind, further) in FURTHER {
            add(
                (*kind).to_owned(),
                format!("{{{members},{further}}}").as_bytes(),
            );
            if kind.contains("twice") {
                let text = format!("{{{further},{members}}}");
                add(format!("{kind}, in front"), text.as_bytes());
            }
        }
        for (kind, text) in TEXTS {
            add(
                (*kind).to_owned(),
                text.replace("CLAIMS", members).as_bytes(),
            );
        }
        let invalid = [b"{", members.as_bytes(), b",\"lab\":\"\xff\"}"].concat();
        add("claims not UTF-8".to_owned(), &invalid);
        let surrogate = [b"{", members.as_bytes(), b",\"lab\":\"\xed\xa0\x80\"}"].concat();
        add(
            "claims with half a character in UTF-8".to_owned(),
            &surrogate,
        );
        let latin = [b"{", members.as_bytes(), b",\"lab\":\"\xe9\"}"].concat();
        add("claims in ISO 8859-1".to_owned(), &latin);
        for depth in [50, 120, 200, 2_000] {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            let text = format!("{{{members},\"lab\":{open}{close}}}");
            add(format!("{depth} arrays in each other"), text.as_bytes());
        }
        let many: String = (0..2_000)
            .map(|index| format!(",\"c{index}\":{index}"))
            .collect();
        add(
            "2000 claims".to_owned(),
            format!("{{{members}{many}}}").as_bytes(),
        );
        let long = format!(
            "[{}\"{AUDIENCE}\"]",
            "\"https://other.example\",".repeat(500)
        );
        add("aud among 500".to_owned(), changed("aud", &long).as_bytes());
        let inner = keys.token(
            algorithm,
            header(algorithm).as_bytes(),
            object(&usual()).as_bytes(),
        );
        add("a token in a token".to_owned(), inner.as_bytes());
        let of_text = format!("\"{inner}\"");
        add("a token in a text".to_owned(), of_text.as_bytes());
        let nested = changed("iss", &format!("\"{ISSUER}\\u0000\""));
        add("iss with a zero".to_owned(), nested.as_bytes());
        let times = format!("{}", NOW + 1_000_000_000);
        add(
            "nbf and exp in another century".to_owned(),
            changed("nbf", &times).as_bytes(),
        );
    }
    tokens
}
