//! The serialization of tokens, compared with the library's own reading.

use futures_util::FutureExt;
use jsonwebtoken::{DecodingKey, Validation, decode};
use proptest::prelude::*;

use super::*;

fn verifier() -> Jwt {
    let key = JwtKey::hs256(keys().secret).expect("a long secret");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    jwt.key(key).build().expect("a verifier")
}

fn accepted(jwt: &Jwt, token: &str) -> bool {
    let verified = jwt.verify(token).now_or_never();
    let verified = verified.expect("the keys are given");
    verified.identity().is_some()
}

fn accepted_by_the_library(token: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = DecodingKey::from_secret(&keys().secret).expect("a secret");
    decode::<Value>(token, &key, &validation).is_ok()
}

/// Returns a token with these texts of header and claims, and a valid signature.
fn with_texts(header: &str, claims: &str) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let key = keys().signer(Algorithm::HS256);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256);
    format!("{input}.{}", signature.expect("a signature"))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn claims_with(members: &str) -> String {
    let exp = now() + 600;
    format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"ann","exp":{exp}{members}}}"#)
}

#[test]
fn a_name_occurs_once() {
    let jwt = verifier();
    assert!(accepted(&jwt, &with_texts(HEADER, &claims_with(""))));
    for members in [
        r#","sub":"bob""#,
        r#","sub":"ann""#,
        r#","scope":"read","scope":"admin""#,
        r#","s\u0075b":"bob""#,
        r#","x":1,"x":1"#,
    ] {
        let token = with_texts(HEADER, &claims_with(members));
        assert!(!accepted(&jwt, &token), "{members}");
    }
    let nested = claims_with(r#","x":{"sub":"bob","scope":"admin"}"#);
    assert!(accepted(&jwt, &with_texts(HEADER, &nested)));
    let twice = r#"{"alg":"HS256","alg":"HS256"}"#;
    assert!(!accepted(&jwt, &with_texts(twice, &claims_with(""))));
}

#[test]
fn parts_are_exact() {
    let jwt = verifier();
    let good = with_texts(HEADER, &claims_with(""));
    assert!(accepted(&jwt, &good));
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    for token in [
        format!("{good}."),
        format!(".{good}"),
        format!("{good}="),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{header}.{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{claims}.{header}.{signature}"),
        format!("{header}.{claims}.{signature}\n"),
        format!("{header}.{claims}.{signature} "),
        String::new(),
        "..".to_owned(),
    ] {
        assert!(!accepted(&jwt, &token), "{token}");
        assert!(!accepted_by_the_library(&token), "{token}");
    }
    let trailing = with_texts(HEADER, &format!("{}x", claims_with("")));
    assert!(!accepted(&jwt, &trailing));
    for array in ["[]", "null", "1", "\"sub\""] {
        assert!(!accepted(&jwt, &with_texts(HEADER, array)), "{array}");
    }
}

proptest! {
    #[test]
    fn altered_tokens_are_rejected(
        position in any::<prop::sample::Index>(),
        byte in prop::sample::select(&b".=-_+/AZaz09 {"[..]),
        change in 0..3,
    ) {
        let token = with_texts(HEADER, &claims_with(""));
        let mut altered = token.clone().into_bytes();
        let position = position.index(altered.len());
        match change {
            0 => altered[position] = byte,
            1 => altered.insert(position, byte),
            _ => { altered.remove(position); }
        }
        let altered = String::from_utf8(altered).expect("ASCII");
        prop_assume!(altered != token);
        prop_assert!(!accepted(&verifier(), &altered), "{}", altered);
        prop_assert!(!accepted_by_the_library(&altered), "{}", altered);
    }

    /// Of signed texts, one is accepted if and only if the library accepts it too, except for its times.
    #[test]
    fn library_accepts_the_same_signed_texts(
        header in prop::sample::select(&[
            HEADER, r#"{"alg":"HS256"}"#, r#" { "typ" : "JWT" , "alg" : "HS256" } "#, r#"{"alg":"HS384"}"#,
            r#"{"alg":"none"}"#, r#"{"typ":"JWT"}"#, r#"{"alg":"HS256","typ":7}"#, r#"{"alg":"HS256"}}"#, "", "{}",
            r#"{"alg":"hs256"}"#, r#"{"alg":"HS256","kid":null}"#, r#"{"alg":"HS256","x":{"y":[1]}}"#,
        ][..]),
        members in prop::collection::vec(prop::sample::select(&[
            "", r#","x":1e400"#, r#","x":-0"#, r#","x":"\ud800""#, r#","x":"\u0000""#, r#","x":[[[]]]"#,
            ",", r#","":1"#, r#","x":01"#, r#","y":yes"#, r#","z":null"#,
        ][..]), 0..3),
    ) {
        let token = with_texts(header, &claims_with(&members.concat()));
        // The library accepts unknown names that occur twice.
        let names: Vec<_> = members.iter().filter_map(|member| member.split(':').next()).collect();
        let is_unique = |name: &&str| name.len() < 2 || names.iter().filter(|other| other == &name).count() < 2;
        prop_assume!(names.iter().all(is_unique));
        let library = accepted_by_the_library(&token);
        prop_assert_eq!(accepted(&verifier(), &token), library, "{} {:?}", header, members);
    }
}
