//! Odd headers, with valid signatures.

use super::corpus::{ONE_OF_EACH, Token, object, usual};
use super::keys::Keys;

/// Kinds, with the texts of headers. `ALG` is the algorithm.
const HEADERS: &[(&str, &str)] = &[
    ("only the algorithm", r#"{"alg":"ALG"}"#),
    (
        "members in another order",
        r#"{"kid":"k1","typ":"JWT","alg":"ALG"}"#,
    ),
    ("header with spaces", " {\t\"alg\" :\r\n \"ALG\" } "),
    ("header with an escaped name", r#"{"\u0061lg":"ALG"}"#),
    (
        "header with an unknown member",
        r#"{"alg":"ALG","lab":{"x":[1,null]}}"#,
    ),
    (
        "header with a deep member",
        r#"{"alg":"ALG","lab":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"#,
    ),
    (
        "header with a member of a prototype",
        r#"{"alg":"ALG","__proto__":{"kid":"other"}}"#,
    ),
    ("alg in lower case", r#"{"alg":"LOW"}"#),
    ("alg with a space", r#"{"alg":"ALG "}"#),
    ("alg none", r#"{"alg":"none"}"#),
    ("alg None", r#"{"alg":"None"}"#),
    ("alg missing", r#"{"typ":"JWT"}"#),
    ("alg null", r#"{"alg":null}"#),
    ("alg number", r#"{"alg":256}"#),
    ("alg array", r#"{"alg":["ALG"]}"#),
    ("alg empty", r#"{"alg":""}"#),
    ("alg unknown", r#"{"alg":"XS256"}"#),
    ("alg of its own name", r#"{"alg":"Ed25519"}"#),
    ("alg twice", r#"{"alg":"none","alg":"ALG"}"#),
    (
        "alg twice, the right one first",
        r#"{"alg":"ALG","alg":"none"}"#,
    ),
    ("alg twice, the same", r#"{"alg":"ALG","alg":"ALG"}"#),
    ("Alg besides alg", r#"{"Alg":"none","alg":"ALG"}"#),
    ("alg of another key of RSA", r#"{"alg":"PS512"}"#),
    ("typ jwt", r#"{"alg":"ALG","typ":"jwt"}"#),
    ("typ at+jwt", r#"{"alg":"ALG","typ":"at+jwt"}"#),
    ("typ AT+JWT", r#"{"alg":"ALG","typ":"AT+JWT"}"#),
    (
        "typ application/at+jwt",
        r#"{"alg":"ALG","typ":"application/at+jwt"}"#,
    ),
    (
        "typ application/jwt",
        r#"{"alg":"ALG","typ":"application/jwt"}"#,
    ),
    ("typ JOSE", r#"{"alg":"ALG","typ":"JOSE"}"#),
    ("typ dpop+jwt", r#"{"alg":"ALG","typ":"dpop+jwt"}"#),
    ("typ logout+jwt", r#"{"alg":"ALG","typ":"logout+jwt"}"#),
    ("typ secevent+jwt", r#"{"alg":"ALG","typ":"secevent+jwt"}"#),
    ("typ JWE", r#"{"alg":"ALG","typ":"JWE"}"#),
    ("typ empty", r#"{"alg":"ALG","typ":""}"#),
    ("typ with a space", r#"{"alg":"ALG","typ":"JWT "}"#),
    ("typ null", r#"{"alg":"ALG","typ":null}"#),
    ("typ number", r#"{"alg":"ALG","typ":1}"#),
    ("typ array", r#"{"alg":"ALG","typ":["JWT"]}"#),
    ("typ twice", r#"{"alg":"ALG","typ":"dpop+jwt","typ":"JWT"}"#),
    ("cty JWT", r#"{"alg":"ALG","cty":"JWT"}"#),
    ("cty number", r#"{"alg":"ALG","cty":1}"#),
    ("kid of the key", r#"{"alg":"ALG","kid":"k1"}"#),
    ("kid escaped", r#"{"alg":"ALG","kid":"\u006b1"}"#),
    ("kid of another key", r#"{"alg":"ALG","kid":"k2"}"#),
    ("kid in upper case", r#"{"alg":"ALG","kid":"K1"}"#),
    ("kid with a space", r#"{"alg":"ALG","kid":"k1 "}"#),
    ("kid with a zero", r#"{"alg":"ALG","kid":"k1\u0000"}"#),
    ("kid of a path", r#"{"alg":"ALG","kid":"../../dev/null"}"#),
    ("kid empty", r#"{"alg":"ALG","kid":""}"#),
    ("kid number", r#"{"alg":"ALG","kid":1}"#),
    ("kid null", r#"{"alg":"ALG","kid":null}"#),
    ("kid array", r#"{"alg":"ALG","kid":["k1"]}"#),
    ("kid twice", r#"{"alg":"ALG","kid":"k2","kid":"k1"}"#),
    ("crit of nothing", r#"{"alg":"ALG","crit":[]}"#),
    ("crit null", r#"{"alg":"ALG","crit":null}"#),
    ("crit text", r#"{"alg":"ALG","crit":"exp","exp":1}"#),
    ("crit number", r#"{"alg":"ALG","crit":[1]}"#),
    (
        "crit of an extension",
        r#"{"alg":"ALG","crit":["lab"],"lab":true}"#,
    ),
    (
        "crit without the extension",
        r#"{"alg":"ALG","crit":["lab"]}"#,
    ),
    (
        "crit of a registered member",
        r#"{"alg":"ALG","crit":["alg"]}"#,
    ),
    ("crit of b64", r#"{"alg":"ALG","crit":["b64"],"b64":true}"#),
    (
        "crit of b64, which is false",
        r#"{"alg":"ALG","crit":["b64"],"b64":false}"#,
    ),
    (
        "crit of b64, which is missing",
        r#"{"alg":"ALG","crit":["b64"]}"#,
    ),
    ("b64 true", r#"{"alg":"ALG","b64":true}"#),
    ("b64 false", r#"{"alg":"ALG","b64":false}"#),
    ("b64 text", r#"{"alg":"ALG","b64":"false"}"#),
    ("zip", r#"{"alg":"ALG","zip":"DEF"}"#),
    ("enc", r#"{"alg":"ALG","enc":"A256GCM"}"#),
    (
        "jwk of an attacker",
        r#"{"alg":"ALG","jwk":{"kty":"oct","k":"AQAB"}}"#,
    ),
    ("jwk text", r#"{"alg":"ALG","jwk":"key"}"#),
    (
        "jku of an attacker",
        r#"{"alg":"ALG","jku":"https://evil.example/keys"}"#,
    ),
    (
        "x5u of an attacker",
        r#"{"alg":"ALG","x5u":"https://evil.example/keys"}"#,
    ),
    ("x5c of an attacker", r#"{"alg":"ALG","x5c":["AQAB"]}"#),
    ("x5c text", r#"{"alg":"ALG","x5c":"AQAB"}"#),
    ("x5t number", r#"{"alg":"ALG","x5t":1}"#),
    (
        "iss in the header",
        r#"{"alg":"ALG","iss":"https://evil.example"}"#,
    ),
    ("header array", r#"["ALG"]"#),
    ("header text", r#""ALG""#),
    ("header null", "null"),
    ("header of nothing", "{}"),
    ("header empty", ""),
    ("header with a comma at the end", r#"{"alg":"ALG",}"#),
    ("header with single quotes", "{'alg':'ALG'}"),
    ("header with a comment", r#"{"alg":"ALG"/**/}"#),
    ("header with text behind", r#"{"alg":"ALG"}x"#),
    ("header twice", r#"{"alg":"ALG"}{"alg":"ALG"}"#),
    ("header with a byte order mark", "\u{feff}{\"alg\":\"ALG\"}"),
    ("header with a zero", "{\"alg\":\"ALG\"}\0"),
    ("header not closed", r#"{"alg":"ALG""#),
    (
        "header with a control character",
        "{\"alg\":\"ALG\",\"lab\":\"\u{1}\"}",
    ),
    (
        "header with half a character",
        r#"{"alg":"ALG","lab":"\ud800"}"#,
    ),
    (
        "header with a number beyond all",
        r#"{"alg":"ALG","lab":1e999}"#,
    ),
    ("header with NaN", r#"{"alg":"ALG","lab":NaN}"#),
];

pub(super) fn tokens(keys: &Keys) -> Vec<Token> {
    let claims = object(&usual());
    let mut tokens = Vec::new();
    for name in ONE_OF_EACH {
        for (kind, header) in HEADERS {
            let header = header
                .replace("ALG", name)
                .replace("LOW", &name.to_lowercase());
            let text = keys.token(name, header.as_bytes(), claims.as_bytes());
            // With a key for RSA, this names another algorithm; with the others, another key.
            tokens.push(Token::new(*kind, text));
        }
        let long = format!(r#"{{"alg":"{name}","lab":"{}"}}"#, "x".repeat(8_000));
        let long = keys.token(name, long.as_bytes(), claims.as_bytes());
        tokens.push(Token::new("header of 8 KiB", long));
        let invalid = [br#"{"alg":""#, name.as_bytes(), b"\",\"lab\":\"\xff\"}"].concat();
        let invalid = keys.token(name, &invalid, claims.as_bytes());
        tokens.push(Token::new("header not UTF-8", invalid));
        let wide = format!(r#"{{"alg":"{name}"}}"#);
        let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = keys.token(name, &wide, claims.as_bytes());
        tokens.push(Token::new("header in UTF-16", wide));
    }
    tokens
}
