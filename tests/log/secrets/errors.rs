//! Errors.

use auth_runtime::resource::ProtectedResource;

use super::*;

#[test]
fn errors_show_no_secret() {
    listen();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{MARKER}\n-----END PRIVATE KEY-----\n");
    let url = format!("https://ann:{MARKER}@as.example/");
    let jwt = |document: &str| {
        let jwt = Jwt::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .jwks(document);
        text(jwt.build())
    };
    let asked = || Introspection::builder().endpoint("https://as.example/introspect");
    let user = |hash: &str| {
        let hashes = PasswordHashes::builder().user("ann", hash, Identity::new("ann"));
        text(hashes.build())
    };
    for (what, text) in [
        ("a short secret", text(JwtKey::hs256(&MARKER[..31]))),
        ("RS256 from garbage", text(JwtKey::rs256_pem(MARKER))),
        ("RS256 from a wrong key", text(JwtKey::rs256_pem(&pem))),
        ("ES256 from garbage", text(JwtKey::es256_pem(MARKER))),
        ("ES256 from a wrong key", text(JwtKey::es256_pem(&pem))),
        ("EdDSA from garbage", text(JwtKey::eddsa_pem(MARKER))),
        ("EdDSA from a wrong key", text(JwtKey::eddsa_pem(&pem))),
        ("JWKS that is a word", jwt(MARKER)),
        ("JWKS that is a string", jwt(&format!("{MARKER:?}"))),
        (
            "JWKS whose keys are a string",
            jwt(&json!({ "keys": MARKER }).to_string()),
        ),
        (
            "JWKS with a symmetric key",
            jwt(
                &json!({ "keys": [{ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(MARKER) }] })
                    .to_string(),
            ),
        ),
        (
            "keys at a URL with a password",
            text(
                Jwt::builder()
                    .issuer(ISSUER)
                    .audience(AUDIENCE)
                    .jwks_url(&url)
                    .build(),
            ),
        ),
        (
            "introspection with a wrong key",
            text(
                asked()
                    .private_key_es256("client", &pem, "https://as.example")
                    .build(),
            ),
        ),
        (
            "introspection with a wrong RSA key",
            text(
                asked()
                    .private_key_rs256("client", &pem, "https://as.example")
                    .build(),
            ),
        ),
        (
            "introspection at a URL with a password",
            text(
                asked()
                    .client_secret("client", MARKER)
                    .any_audience()
                    .endpoint(&url)
                    .build(),
            ),
        ),
        ("a password in place of its hash", user(MARKER)),
        (
            "a broken hash",
            user(&hash_of_marker()[..hash_of_marker().len() - 4].replace("argon2id", "argon3")),
        ),
        (
            "a short API key",
            text(
                ApiKeys::builder()
                    .key(&MARKER[..15], Identity::new("a"))
                    .build(),
            ),
        ),
        (
            "a key in place of its digest",
            text(
                ApiKeys::builder()
                    .key_sha256(MARKER, Identity::new("a"))
                    .build(),
            ),
        ),
        (
            "a resource with a password",
            text(ProtectedResource::builder(&url).build()),
        ),
        (
            "an authorization server with a password",
            text(
                ProtectedResource::builder("https://api.example")
                    .authorization_server(&url)
                    .build(),
            ),
        ),
    ] {
        assert_silent(what, &text);
        let beginning = MARKER[..15].to_owned();
        assert_eq!(leaks(&text, &[beginning]), Vec::<String>::new(), "{what}");
    }
}
