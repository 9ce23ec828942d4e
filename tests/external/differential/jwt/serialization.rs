//! Odd serializations of valid tokens, and edits at random.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use super::corpus::{Token, header, object, usual, valid};
use super::keys::{ALGORITHMS, Keys};
use auth_tests::random::Random;

const SEED: u64 = 7_519;
/// The number of edits for each algorithm.
const EDITS: usize = 60;

pub(super) fn tokens(keys: &Keys) -> Vec<Token> {
    let mut random = Random::new(SEED);
    let mut tokens = Vec::new();
    for (_, algorithm) in ALGORITHMS {
        tokens.extend(written(keys, algorithm));
        tokens.extend(signed(keys, algorithm));
        tokens.extend((0..EDITS).map(|_| edited(valid(keys, algorithm), &mut random)));
    }
    tokens
}

fn split(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    [(); 3].map(|()| parts.next().expect("three parts"))
}

/// Returns a text in base64url whose last character has other unused bits; `None` if it has no such bits.
fn with_unused_bits(part: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = *part
        .as_bytes()
        .last()
        .filter(|_| !part.len().is_multiple_of(4))?;
    let value = ALPHABET
        .iter()
        .position(|own| *own == last)
        .expect("base64url");
    let other = char::from(ALPHABET[value | 1]);
    Some(format!("{}{other}", &part[..part.len() - 1]))
}

/// Tokens that are written in another way. The signatures are valid where they cover the other spelling.
fn written(keys: &Keys, algorithm: &str) -> Vec<Token> {
    let token = valid(keys, algorithm);
    let [own_head, own_body, signature] = split(&token);
    let signed = |head: &str, body: &str| {
        let input = format!("{head}.{body}");
        format!("{input}.{}", keys.signature(algorithm, &input))
    };
    // Lengths for which the texts have padding and unused bits.
    let head = format!(
        "{{\"alg\":\"{algorithm}\",\"x\":\"?>~{}\"}}",
        &"yy"[algorithm.len() % 2..]
    );
    let mut claims = usual();
    claims.push(("lab", "\"?>~??\"".to_owned()));
    let mut claims = object(&claims);
    while claims.len() % 3 != 1 {
        claims.push(' ');
    }
    let (padded_head, padded_body) = (URL_SAFE.encode(&head), URL_SAFE.encode(&claims));
    let (standard_head, standard_body) = (STANDARD.encode(&head), STANDARD.encode(&claims));
    let head_part = URL_SAFE_NO_PAD.encode(&head);
    let body_part = URL_SAFE_NO_PAD.encode(&claims);
    let raw = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let json = format!(
        "{{\"payload\":\"{own_body}\",\"protected\":\"{own_head}\",\"signature\":\"{signature}\"}}"
    );
    let mut tokens = vec![
        (
            "the parts with spare characters",
            signed(&head_part, &body_part),
        ),
        ("header with padding", signed(&padded_head, &body_part)),
        ("claims with padding", signed(&head_part, &padded_body)),
        (
            "header in standard base64",
            signed(&standard_head, &body_part),
        ),
        (
            "claims in standard base64",
            signed(&head_part, &standard_body),
        ),
        (
            "header with a line break inside",
            signed(&wrapped(&head_part, "\n"), &body_part),
        ),
        (
            "claims with a line break inside",
            signed(&head_part, &wrapped(&body_part, "\r\n")),
        ),
        (
            "claims with a space inside",
            signed(&head_part, &wrapped(&body_part, " ")),
        ),
        (
            "claims with a foreign character",
            signed(&head_part, &wrapped(&body_part, "!")),
        ),
        (
            "claims with a letter of another script",
            signed(&head_part, &wrapped(&body_part, "\u{430}")),
        ),
        (
            "claims one character short",
            signed(&head_part, &body_part[..body_part.len() - 1]),
        ),
        (
            "claims one character longer",
            signed(&head_part, &format!("{body_part}A")),
        ),
        (
            "signature with padding",
            format!("{own_head}.{own_body}.{}", URL_SAFE.encode(&raw)),
        ),
        ("signature with one equals sign", format!("{token}=")),
        ("signature with four equals signs", format!("{token}====")),
        (
            "signature in standard base64",
            format!(
                "{own_head}.{own_body}.{}",
                STANDARD.encode(&raw).trim_end_matches('=')
            ),
        ),
        (
            "signature with a line break inside",
            format!("{own_head}.{own_body}.{}", wrapped(signature, "\n")),
        ),
        (
            "signature with a space inside",
            format!("{own_head}.{own_body}.{}", wrapped(signature, " ")),
        ),
        (
            "signature with a foreign character",
            format!("{own_head}.{own_body}.{}", wrapped(signature, "!")),
        ),
        (
            "signature in hexadecimal",
            format!("{own_head}.{own_body}.{}", hex(&raw)),
        ),
        ("line break behind", format!("{token}\n")),
        ("space behind", format!("{token} ")),
        ("space in front", format!(" {token}")),
        ("tab in front", format!("\t{token}")),
        ("byte order mark in front", format!("\u{feff}{token}")),
        ("zero behind", format!("{token}\0")),
        ("in quotes", format!("\"{token}\"")),
        ("with the scheme", format!("Bearer {token}")),
        ("dot behind", format!("{token}.")),
        ("dot in front", format!(".{token}")),
        (
            "two dots in the middle",
            format!("{own_head}..{own_body}.{signature}"),
        ),
        ("four parts", format!("{token}.{signature}")),
        ("five parts", format!("{token}.{signature}.{signature}")),
        ("two parts", format!("{own_head}.{own_body}")),
        ("one part", own_head.to_owned()),
        ("nothing", String::new()),
        ("two dots", "..".to_owned()),
        ("without claims", format!("{own_head}..{signature}")),
        ("without a header", format!(".{own_body}.{signature}")),
        ("without a signature", format!("{own_head}.{own_body}.")),
        (
            "parts in another order",
            format!("{own_body}.{own_head}.{signature}"),
        ),
        ("with percent signs", token.replace('.', "%2E")),
        ("in JSON", json),
        ("token twice", format!("{token},{token}")),
    ];
    let unused = [
        (
            "header with unused bits",
            with_unused_bits(&head_part).map(|head| signed(&head, &body_part)),
        ),
        (
            "claims with unused bits",
            with_unused_bits(&body_part).map(|body| signed(&head_part, &body)),
        ),
        (
            "signature with unused bits",
            with_unused_bits(signature).map(|last| format!("{own_head}.{own_body}.{last}")),
        ),
    ];
    tokens.extend(
        unused
            .into_iter()
            .filter_map(|(kind, token)| Some((kind, token?))),
    );
    tokens
        .into_iter()
        .map(|(kind, text)| Token::new(kind, text))
        .collect()
}

fn wrapped(part: &str, by: &str) -> String {
    let (start, end) = part.split_at(part.len() / 2 / 4 * 4);
    format!("{start}{by}{end}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tokens with other signatures.
fn signed(keys: &Keys, algorithm: &str) -> Vec<Token> {
    let token = valid(keys, algorithm);
    let [head, body, signature] = split(&token);
    let raw = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let with = |bytes: &[u8]| format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(bytes));
    let mut flipped = raw.clone();
    flipped[raw.len() / 2] ^= 1;
    let mut reversed = raw.clone();
    reversed.reverse();
    let mut admin = usual();
    admin.push(("roles", "[\"admin\"]".to_owned()));
    let admin = URL_SAFE_NO_PAD.encode(object(&admin));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let mut tokens = vec![
        (
            "signature of other claims",
            format!("{head}.{admin}.{signature}"),
        ),
        ("alg none without a signature", format!("{none}.{body}.")),
        (
            "alg none with the signature",
            format!("{none}.{body}.{signature}"),
        ),
        ("signature with a bit changed", with(&flipped)),
        ("signature in reverse", with(&reversed)),
        ("signature one byte short", with(&raw[..raw.len() - 1])),
        ("signature without its first byte", with(&raw[1..])),
        (
            "signature one byte longer",
            with(&[&raw[..], &[0]].concat()),
        ),
        (
            "signature with a zero in front",
            with(&[&[0], &raw[..]].concat()),
        ),
        ("signature of half the length", with(&raw[..raw.len() / 2])),
        ("signature of zeros", with(&vec![0; raw.len()])),
        ("signature of ones", with(&vec![0xff; raw.len()])),
        ("signature of one byte", with(&[0])),
        ("signature twice", with(&[&raw[..], &raw[..]].concat())),
        ("signature in ASN.1", with(&in_asn1(&raw))),
    ];
    for (_, other) in ALGORITHMS
        .into_iter()
        .filter(|(_, other)| *other != algorithm)
    {
        let input = format!("{}.{body}", URL_SAFE_NO_PAD.encode(header(algorithm)));
        let confused = format!("{input}.{}", keys.signature(other, &input));
        tokens.push(("signature of another algorithm", confused));
    }
    if !algorithm.starts_with("HS") {
        let input = format!("{}.{body}", URL_SAFE_NO_PAD.encode(header("HS256")));
        let confused = format!("{input}.{}", keys.confused(algorithm, &input));
        tokens.push(("HMAC with the public key", confused));
    }
    tokens
        .into_iter()
        .map(|(kind, text)| Token::new(kind, text))
        .collect()
}

/// The two numbers of an ECDSA signature as X.509 writes them (RFC 3279 §2.2.3).
fn in_asn1(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let number = |bytes: &[u8]| {
        let length = u8::try_from(bytes.len() + 1).unwrap_or(u8::MAX);
        [&[2, length, 0], bytes].concat()
    };
    let inner = [number(r), number(s)].concat();
    let length = u8::try_from(inner.len()).unwrap_or(u8::MAX);
    [&[0x30, length], &inner[..]].concat()
}

/// Changes one place of a token.
fn edited(token: String, random: &mut Random) -> Token {
    const CHARACTERS: &[char] = &[
        'A', 'Q', 'g', 'w', '0', '-', '_', '+', '/', '=', '.', ' ', '\n', '~', '%', '\0', '\u{e9}',
        '!',
    ];
    // Not the last one, whose unused bits depend on the signature.
    let at = random.below(token.len() - 1);
    let part = match token[..at].matches('.').count() {
        0 => "the header",
        1 => "the claims",
        _ => "the signature",
    };
    let (start, end) = token.split_at(at);
    let first = end.chars().next().expect("a character");
    let rest = &end[first.len_utf8()..];
    let other = *random.pick(CHARACTERS);
    let (kind, text) = match random.below(5) {
        0 => ("replaced", format!("{start}{other}{rest}")),
        1 => ("removed", format!("{start}{rest}")),
        2 => ("inserted", format!("{start}{other}{end}")),
        3 => ("doubled", format!("{start}{first}{end}")),
        _ => ("in the other case", {
            let other = match first.is_ascii_lowercase() {
                true => first.to_ascii_uppercase(),
                false => first.to_ascii_lowercase(),
            };
            format!("{start}{other}{rest}")
        }),
    };
    Token::new(format!("a character {kind} in {part}"), text)
}
