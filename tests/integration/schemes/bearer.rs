//! Bearer with JWTs.

use std::time::Duration;

use crate::schemes::tokens::*;
use crate::schemes::*;
#[tokio::test]
async fn bearer_jwt() {
    let public_key = keys().rsa.public_key_pem();
    let confused = encode(
        &Header::new(Algorithm::HS256),
        &claims(json!({})),
        &EncodingKey::from_secret(public_key.as_bytes()),
    )
    .expect("a token");
    let unsigned = |algorithm: &str| {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm }).to_string());
        let claims = URL_SAFE_NO_PAD.encode(claims(json!({})).to_string());
        format!("{header}.{claims}.")
    };
    let good = rs256(json!({}));
    let (rest, signature) = good.rsplit_once('.').expect("a signature");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let wrong_signature = format!("{rest}.{flipped}{}", &signature[1..]);
    let with_kid = |kid: &str| {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        signed(Algorithm::RS256, &header, json!({}))
    };
    let two = |one: &str, other: &str| {
        let mut lines = authorization(one);
        lines.extend(authorization(other));
        lines
    };
    let good_value = format!("Bearer {good}");

    check(
        &app(space(Bearer::jwt(rsa_verifier()))),
        "/known",
        vec![
            row("absent", vec![], 401, &[BEARER]),
            row("empty field", authorization(""), 401, &[BEARER]),
            row("scheme alone", authorization("Bearer"), 401, &[MALFORMED]),
            row(
                "scheme and spaces",
                authorization("Bearer  "),
                401,
                &[MALFORMED],
            ),
            row("garbage", bearer("garbage"), 401, &[MALFORMED]),
            row("two parts", bearer("a.b"), 401, &[MALFORMED]),
            row("five parts", bearer("a.b.c.d.e"), 401, &[MALFORMED]),
            row("two words", bearer("a b"), 401, &[MALFORMED]),
            row(
                "two tokens in a list",
                bearer("a, Bearer b"),
                401,
                &[MALFORMED],
            ),
            row("a quote mark", bearer("a\"b"), 401, &[MALFORMED]),
            row("equals signs only", bearer("==="), 401, &[MALFORMED]),
            row(
                "non-ASCII bytes",
                authorization(b"Bearer \xfc\xff".to_vec()),
                401,
                &[MALFORMED],
            ),
            row("a tab", authorization("Bearer a\tb"), 401, &[MALFORMED]),
            row("16 KiB", bearer("a".repeat(16 << 10)), 401, &[MALFORMED]),
            row("17 KiB", bearer("a".repeat(17 << 10)), 431, &[]),
            row("64 KiB", bearer("a".repeat(64 << 10)), 431, &[]),
            row(
                "another scheme",
                authorization("Basic YTpi"),
                401,
                &[BEARER],
            ),
            row(
                "a longer scheme",
                authorization("Bearers abc"),
                401,
                &[BEARER],
            ),
            row(
                "no scheme at all",
                authorization(good.clone()),
                401,
                &[BEARER],
            ),
            row("two fields", two(&good_value, &good_value), 400, &[TWICE]),
            row(
                "two fields, one of another scheme",
                two(&good_value, "Basic YTpi"),
                400,
                &[TWICE],
            ),
            row("good", bearer(&good), 200, &[]),
            row(
                "lower-case scheme",
                authorization(format!("bearer {good}")),
                200,
                &[],
            ),
            row(
                "upper-case scheme",
                authorization(format!("BEARER {good}")),
                200,
                &[],
            ),
            row(
                "two spaces",
                authorization(format!("Bearer  {good}")),
                200,
                &[],
            ),
            row("wrong signature", bearer(wrong_signature), 401, &[INVALID]),
            row("no signature", bearer(format!("{rest}.")), 401, &[INVALID]),
            row("alg none", bearer(unsigned("none")), 401, &[MALFORMED]),
            row("alg None", bearer(unsigned("None")), 401, &[MALFORMED]),
            row(
                "alg RS256, unsigned",
                bearer(unsigned("RS256")),
                401,
                &[INVALID],
            ),
            row(
                "HS256 with the public key",
                bearer(confused),
                401,
                &[INVALID],
            ),
            row(
                "ES256",
                bearer(signed(
                    Algorithm::ES256,
                    &Header::new(Algorithm::ES256),
                    json!({}),
                )),
                401,
                &[INVALID],
            ),
            row("known kid", bearer(with_kid("rsa-1")), 200, &[]),
            row("unknown kid", bearer(with_kid("rsa-2")), 401, &[INVALID]),
            row(
                "expired",
                bearer(rs256(json!({ "exp": now() - 600 }))),
                401,
                &[EXPIRED],
            ),
            row(
                "expired within leeway",
                bearer(rs256(json!({ "exp": now() - 30 }))),
                200,
                &[],
            ),
            row(
                "expired, and forged",
                bearer({
                    let token = rs256(json!({ "exp": now() - 600 }));
                    let (rest, _) = token.rsplit_once('.').expect("a signature");
                    format!("{rest}.{signature}")
                }),
                401,
                &[INVALID],
            ),
            row(
                "no exp",
                bearer(rs256(json!({ "exp": null }))),
                401,
                &[INVALID],
            ),
            row(
                "exp of a wrong type",
                bearer(rs256(json!({ "exp": "tomorrow" }))),
                401,
                &[INVALID],
            ),
            row(
                "not yet valid",
                bearer(rs256(json!({ "nbf": now() + 600 }))),
                401,
                &[INVALID],
            ),
            row(
                "not quite valid",
                bearer(rs256(json!({ "nbf": now() + 30 }))),
                200,
                &[],
            ),
            row(
                "nbf of a wrong type",
                bearer(rs256(json!({ "nbf": "now" }))),
                401,
                &[INVALID],
            ),
            row(
                "wrong audience",
                bearer(rs256(json!({ "aud": "https://other.example" }))),
                401,
                &[INVALID],
            ),
            row(
                "no audience",
                bearer(rs256(json!({ "aud": null }))),
                401,
                &[INVALID],
            ),
            row(
                "empty audience",
                bearer(rs256(json!({ "aud": [] }))),
                401,
                &[INVALID],
            ),
            row(
                "audience of a wrong type",
                bearer(rs256(json!({ "aud": 5 }))),
                401,
                &[INVALID],
            ),
            row(
                "one audience of several",
                bearer(rs256(json!({ "aud": ["other", AUDIENCE] }))),
                200,
                &[],
            ),
            row(
                "wrong issuer",
                bearer(rs256(json!({ "iss": "https://evil.example" }))),
                401,
                &[INVALID],
            ),
            row(
                "no issuer",
                bearer(rs256(json!({ "iss": null }))),
                401,
                &[INVALID],
            ),
            row(
                "issuer with a slash more",
                bearer(rs256(json!({ "iss": format!("{ISSUER}/") }))),
                401,
                &[INVALID],
            ),
            row(
                "several issuers",
                bearer(rs256(json!({ "iss": ["https://evil.example", ISSUER] }))),
                401,
                &[INVALID],
            ),
            row(
                "bound to a key",
                bearer(rs256(json!({ "cnf": { "jkt": "x" } }))),
                401,
                &[INVALID],
            ),
            row(
                "nobody's",
                bearer(rs256(json!({ "sub": null }))),
                401,
                &[INVALID],
            ),
            row(
                "of whom it says no name, but another one",
                bearer(rs256(json!({ "sub": 7, "client_id": "ann" }))),
                401,
                &[INVALID],
            ),
            row(
                "a client identifier in place of a subject",
                bearer(rs256(
                    json!({ "sub": null, "client_id": "job", "azp": "job" }),
                )),
                401,
                &[INVALID],
            ),
            row(
                "a client's own",
                bearer(rs256(json!({ "sub": "job", "client_id": "job" }))),
                200,
                &[],
            ),
            row(
                "crit",
                bearer(with_header(
                    &json!({ "alg": "RS256", "crit": ["exp"], "exp": 1 }),
                )),
                401,
                &[INVALID],
            ),
            row(
                "no typ",
                bearer(with_header(&json!({ "alg": "RS256" }))),
                200,
                &[],
            ),
            row(
                "typ at+jwt",
                bearer(with_header(&json!({ "alg": "RS256", "typ": "at+jwt" }))),
                200,
                &[],
            ),
            row(
                "typ application/at+JWT",
                bearer(with_header(
                    &json!({ "alg": "RS256", "typ": "application/at+JWT" }),
                )),
                200,
                &[],
            ),
            row(
                "typ dpop+jwt",
                bearer(with_header(&json!({ "alg": "RS256", "typ": "dpop+jwt" }))),
                401,
                &[INVALID],
            ),
            row(
                "typ logout+jwt",
                bearer(with_header(&json!({ "alg": "RS256", "typ": "logout+jwt" }))),
                401,
                &[INVALID],
            ),
            row(
                "jku of somebody",
                bearer(with_header(
                    &json!({ "alg": "RS256", "jku": "https://evil.example/keys" }),
                )),
                200,
                &[],
            ),
        ],
    )
    .await;
}

/// RFC 9068 §2 and §4.
#[tokio::test]
async fn the_profile_for_access_tokens_wants_their_type_and_their_claims() {
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let jwt = jwt.rfc9068_only().build().expect("a verifier");
    let typed = |kind: Option<&str>, changes: Value| {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = kind.map(str::to_owned);
        let mut claims = json!({ "client_id": "app", "iat": now(), "jti": "1" });
        let all = claims.as_object_mut().expect("an object");
        all.extend(changes.as_object().expect("an object").clone());
        bearer(signed(Algorithm::RS256, &header, claims))
    };
    let mut rows = vec![
        row("complete", typed(Some("at+jwt"), json!({})), 200, &[]),
        row(
            "long type",
            typed(Some("application/at+jwt"), json!({})),
            200,
            &[],
        ),
        row(
            "another type",
            typed(Some("JWT"), json!({})),
            401,
            &[INVALID],
        ),
        row("no type", typed(None, json!({})), 401, &[INVALID]),
    ];
    for name in ["sub", "client_id", "iat", "jti", "exp", "iss", "aud"] {
        let without = typed(Some("at+jwt"), json!({ name: null }));
        rows.push(row(name, without, 401, &[INVALID]));
    }
    check(&app(space(Bearer::jwt(jwt))), "/known", rows).await;
}

#[tokio::test]
async fn bearer_names_the_scopes_that_are_needed() {
    check(
        &app(space(Bearer::jwt(rsa_verifier()))),
        "/read",
        vec![
            row(
                "absent",
                vec![],
                401,
                &["Bearer realm=\"api\", scope=\"read\""],
            ),
            row(
                "expired",
                bearer(rs256(json!({ "exp": now() - 600 }))),
                401,
                &[
                    "Bearer realm=\"api\", scope=\"read\", error=\"invalid_token\", \
                   error_description=\"the access token expired\"",
                ],
            ),
            row(
                "another scope",
                bearer(rs256(json!({ "scope": "reader Read" }))),
                403,
                &[
                    "Bearer realm=\"api\", scope=\"read\", error=\"insufficient_scope\", \
                   error_description=\"the access token does not grant what is needed\"",
                ],
            ),
            row("the scope", bearer(rs256(json!({}))), 200, &[]),
        ],
    )
    .await;
    let role = vec![
        row(
            "no scope would do",
            bearer(rs256(json!({}))),
            403,
            &[BEARER],
        ),
        row("anonymous", vec![], 401, &[BEARER]),
        row(
            "the role",
            bearer(rs256(json!({ "roles": ["admin"] }))),
            200,
            &[],
        ),
    ];
    check(&app(space(Bearer::jwt(rsa_verifier()))), "/admin", role).await;
}

#[tokio::test]
async fn each_algorithm_verifies_with_its_own_key_only() {
    let keys = keys();
    let algorithms = [
        Algorithm::RS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
        Algorithm::HS256,
    ];
    let key = |algorithm| match algorithm {
        Algorithm::RS256 => JwtKey::rs256_pem(keys.rsa.public_key_pem()),
        Algorithm::ES256 => JwtKey::es256_pem(keys.ec.public_key_pem()),
        Algorithm::EdDSA => JwtKey::eddsa_pem(keys.ed.public_key_pem()),
        _ => JwtKey::hs256(keys.secret),
    };
    for verifying in algorithms {
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
        let jwt = jwt
            .key(key(verifying).expect("a key"))
            .build()
            .expect("a verifier");
        let app = app(space(Bearer::jwt(jwt)));
        for signing in algorithms {
            let token = signed(signing, &Header::new(signing), json!({}));
            let response = send(&app, "/known", &bearer(token)).await;
            let status = if signing == verifying { 200 } else { 401 };
            assert_eq!(response.status(), status, "{signing:?} with {verifying:?}");
        }
    }
    let all = algorithms.into_iter().fold(
        Jwt::builder().issuer(ISSUER).audience(AUDIENCE),
        |jwt, algorithm| jwt.key(key(algorithm).expect("a key")),
    );
    let app = app(space(Bearer::jwt(all.build().expect("a verifier"))));
    for signing in algorithms {
        let token = signed(signing, &Header::new(signing), json!({}));
        assert_eq!(
            send(&app, "/known", &bearer(token)).await.status(),
            200,
            "{signing:?}"
        );
    }
}

#[tokio::test]
async fn keys_come_from_a_jwks_document_as_text_or_as_a_file() {
    use jsonwebtoken::jwk::Jwk;
    let jwk = |algorithm: Algorithm, id: &str| {
        let mut jwk = if algorithm == Algorithm::EdDSA {
            let x = URL_SAFE_NO_PAD.encode(keys().ed.public_key_raw());
            json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
        } else {
            let jwk = Jwk::from_encoding_key(&keys().signer(algorithm), algorithm);
            serde_json::to_value(jwk.expect("a JWK")).expect("JSON")
        };
        jwk["kid"] = json!(id);
        jwk
    };
    let mut encryption = jwk(Algorithm::ES256, "encryption");
    encryption["use"] = json!("enc");
    let mut other_algorithm = jwk(Algorithm::RS256, "other");
    other_algorithm["alg"] = json!("RS512");
    let document = json!({ "keys": [
        jwk(Algorithm::RS256, "rsa"),
        jwk(Algorithm::EdDSA, "ed"),
        jwk(Algorithm::HS256, "shared"),
        encryption,
        other_algorithm,
        { "kty": "a kind of the future", "kid": "future" },
    ]})
    .to_string();
    let file = std::env::temp_dir().join(format!("auth-tests-jwks-{}.json", std::process::id()));
    std::fs::write(&file, &document).expect("a file");

    let jwt = || Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    for jwt in [jwt().jwks(&document), jwt().jwks_file(&file)] {
        let app = app(space(Bearer::jwt(jwt.build().expect("a verifier"))));
        for (algorithm, id, status) in [
            (Algorithm::RS256, "rsa", 200),
            (Algorithm::EdDSA, "ed", 200),
            (Algorithm::RS256, "ed", 401),
            (Algorithm::HS256, "shared", 401),
            (Algorithm::ES256, "encryption", 401),
            (Algorithm::RS256, "other", 401),
        ] {
            let mut header = Header::new(algorithm);
            header.kid = Some(id.to_owned());
            let token = signed(algorithm, &header, json!({}));
            let response = send(&app, "/known", &bearer(token)).await;
            assert_eq!(response.status(), status, "{algorithm:?} {id}");
        }
    }
    std::fs::remove_file(file).expect("it is there");
}

#[tokio::test]
async fn what_a_token_grants_is_read_from_the_claims_that_were_named() {
    #[requires(authenticated)]
    async fn granted(guard: Guard) -> String {
        let identity = guard.identity();
        let join = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join("+");
        let email = identity
            .extension::<Claims>()
            .and_then(|claims| claims.get("email"));
        format!(
            "{} {} {} {} {}",
            identity.subject(),
            join(&mut identity.scopes()),
            join(&mut identity.roles()),
            join(&mut identity.permissions()),
            email.and_then(Value::as_str).unwrap_or_default(),
        )
    }
    let route = |jwt: Jwt| {
        let space = space(Bearer::jwt(jwt));
        GuardedRouter::new()
            .route("/", get(granted))
            .protect(space)
            .unwrap()
    };
    let usual = route(rsa_verifier());
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a key");
    let named = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let named = named
        .scope_claims(["allowed"])
        .roles_claim("groups")
        .permissions_claim("may");
    let named = route(named.build().expect("a verifier"));

    for (app, changes, expected) in [
        (&usual, json!({}), "ann read   "),
        (&usual, json!({ "scope": "b a  b" }), "ann a+b   "),
        (&usual, json!({ "scope": ["a", "b"] }), "ann a+b   "),
        (&usual, json!({ "scope": "a", "scp": ["b"] }), "ann a+b   "),
        (&usual, json!({ "scope": null, "scp": "a b" }), "ann a+b   "),
        (&usual, json!({ "scope": 5, "roles": {} }), "ann    "),
        (&usual, json!({ "scope": [["a"], 5, "b"] }), "ann b   "),
        (
            &usual,
            json!({ "roles": ["r", "s"], "permissions": ["p"] }),
            "ann read r+s p ",
        ),
        (
            &usual,
            json!({ "roles": "one role" }),
            "ann read one role  ",
        ),
        (
            &usual,
            json!({ "email": "ann@example.org" }),
            "ann read   ann@example.org",
        ),
        (
            &named,
            json!({ "allowed": "x", "groups": ["g"], "may": ["m"] }),
            "ann x g m ",
        ),
        (&named, json!({ "scp": "x", "roles": ["g"] }), "ann    "),
    ] {
        let response = send(app, "/", &bearer(rs256(changes.clone()))).await;
        assert_eq!(text(response).await, expected, "{changes}");
    }
}

#[test]
fn a_verifier_that_cannot_be_right_is_not_built() {
    let secret = || JwtKey::hs256([7; 32]).expect("long enough");
    let full = || Jwt::builder().issuer("i").audience("a").key(secret());
    assert!(full().build().is_ok());
    let error = |jwt: auth_runtime::schemes::JwtBuilder| jwt.build().expect_err("an error");
    assert_eq!(
        error(Jwt::builder().audience("a").key(secret())),
        JwtError::NoIssuer
    );
    assert_eq!(
        error(Jwt::builder().issuer("i").key(secret())),
        JwtError::NoAudience
    );
    assert_eq!(
        error(Jwt::builder().issuer("i").audience("a")),
        JwtError::NoKey
    );
    let hour = Duration::from_secs(3600);
    assert_eq!(error(full().leeway(hour)), JwtError::Leeway(hour));
    assert_eq!(error(full().jwks(r#"{"keys":[]}"#)), JwtError::NoKey);
    assert!(matches!(error(full().jwks("no JSON")), JwtError::Jwks(_)));
    assert!(matches!(
        error(full().jwks_file("/no/such/file")),
        JwtError::Jwks(_)
    ));
    assert_eq!(
        JwtKey::hs256([7; 31]).err(),
        Some(JwtError::ShortSecret(31))
    );
    assert!(matches!(
        JwtKey::rs256_pem("no PEM").err(),
        Some(JwtError::Key(_))
    ));
    let ec = keys().ec.public_key_pem();
    assert!(matches!(
        JwtKey::rs256_pem(ec).err(),
        Some(JwtError::Key(_))
    ));
}
