//! The settings of a verifier: keys, algorithms and claims.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::schemes::{ClaimPath, JwtBuilder};

use super::*;

#[tokio::test]
async fn each_algorithm_has_its_key() {
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
async fn keys_come_from_jwks_documents() {
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
    let with_operation = |operation: &str| {
        let mut key = jwk(Algorithm::ES256, operation);
        key["key_ops"] = json!([operation]);
        key
    };
    let document = json!({ "keys": [
        jwk(Algorithm::RS256, "rsa"),
        jwk(Algorithm::EdDSA, "ed"),
        jwk(Algorithm::HS256, "shared"),
        encryption,
        other_algorithm,
        with_operation("verify"),
        with_operation("sign"),
        with_operation("encrypt"),
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
            (Algorithm::ES256, "verify", 200),
            (Algorithm::ES256, "sign", 401),
            (Algorithm::ES256, "encrypt", 401),
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
async fn given_keys_and_documents_add_up() {
    use jsonwebtoken::jwk::Jwk;
    let document = |algorithm: Algorithm| {
        let jwk = Jwk::from_encoding_key(&keys().signer(algorithm), algorithm);
        json!({ "keys": [jwk.expect("a JWK")] }).to_string()
    };
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let jwt = jwt
        .jwks(&document(Algorithm::RS256))
        .key(JwtKey::hs256(keys().secret).expect("a key"))
        .jwks(&document(Algorithm::ES256));
    let app = app(space(Bearer::jwt(jwt.build().expect("a verifier"))));
    for (algorithm, status) in [
        (Algorithm::RS256, 200),
        (Algorithm::HS256, 200),
        (Algorithm::ES256, 200),
        (Algorithm::EdDSA, 401),
    ] {
        let token = signed(algorithm, &Header::new(algorithm), json!({}));
        let response = send(&app, "/known", &bearer(token)).await;
        assert_eq!(response.status(), status, "{algorithm:?}");
    }
}

#[tokio::test]
async fn grants_come_from_configured_claims() {
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
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a key");
    let by_keys = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let by_keys = by_keys
        .scope_claims([ClaimPath::from("allowed").keys(), ClaimPath::from("scope")])
        .permissions_claim(ClaimPath::from(["app", "may"]).keys())
        .permissions_claim("may");
    let by_keys = route(by_keys.build().expect("a verifier"));

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
        (
            &by_keys,
            json!({ "allowed": { "x": 1, "y z": {} }, "app": { "may": { "m": null } }, "may": ["n"] }),
            "ann read+x+y z  m+n ",
        ),
        (
            &by_keys,
            json!({ "allowed": "x", "app": { "may": ["m"] }, "roles": ["r"] }),
            "ann read r  ",
        ),
    ] {
        let response = send(app, "/", &bearer(rs256(changes.clone()))).await;
        assert_eq!(text(response).await, expected, "{changes}");
    }
}

/// RFC 7519 §4.1.4 and §4.1.5: not from `exp` on, and not before `nbf`, by a clock that differs by the leeway.
#[tokio::test]
async fn times_are_exact() {
    let now = u64::try_from(now()).expect("after 1970");
    let time = ManualClock::new(UNIX_EPOCH + Duration::from_secs(now));
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let jwt = jwt.leeway(Duration::from_secs(30)).clock(time.clock());
    let scheme = Bearer::jwt(jwt.build().expect("a verifier"));
    let app = app(space_at(&time.clock(), scheme));
    for (claims, status) in [
        (json!({ "exp": now - 29 }), 200),
        (json!({ "exp": now - 30 }), 401),
        (json!({ "nbf": now + 30 }), 200),
        (json!({ "nbf": now + 31 }), 401),
    ] {
        let response = send(&app, "/known", &bearer(rs256(claims.clone()))).await;
        assert_eq!(response.status(), status, "{claims}");
    }
}

/// The identity of a rule of the service ends with its token at the latest.
#[tokio::test]
async fn identities_end_with_their_tokens() {
    #[requires(authenticated)]
    async fn end(guard: Guard) -> String {
        let end = guard.identity().expiry().expect("the token has one");
        let end = end.duration_since(UNIX_EPOCH).expect("after 1970");
        end.as_secs().to_string()
    }
    let expiry = u64::try_from(now()).expect("after 1970") + 600;
    for (own, expected) in [
        (None, expiry + 30),
        (Some(expiry - 60), expiry - 60),
        (Some(expiry + 3600), expiry + 30),
    ] {
        let identity = Identity::new("ann");
        let identity = match own {
            Some(own) => identity.with_expiry(UNIX_EPOCH + Duration::from_secs(own)),
            None => identity,
        };
        let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a key");
        let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
        let jwt = jwt.leeway(Duration::from_secs(30));
        let jwt = jwt.identity(move |_| Ok(identity.clone()));
        let app = GuardedRouter::new().route("/", get(end));
        let app = app.protect(space(Bearer::jwt(jwt.build().expect("a verifier"))));
        let token = rs256(json!({ "exp": expiry }));
        let response = send(&app.expect("routes"), "/", &bearer(token)).await;
        assert_eq!(text(response).await, expected.to_string(), "{own:?}");
    }
}

#[test]
fn invalid_verifiers_are_not_built() {
    let secret = || JwtKey::hs256([7; 32]).expect("long enough");
    let full = || Jwt::builder().issuer("i").audience("a").key(secret());
    assert!(full().build().is_ok());
    let error = |jwt: JwtBuilder| jwt.build().expect_err("an error");
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
    assert_eq!(
        JwtError::NoKey.to_string(),
        "no key to verify signatures was given, or none that can be used; give one by `.key(…)` or \
         `.jwks(…)`, or fetch the keys by `.discover()` or `.jwks_url(…)` (feature `jwks`)"
    );
    assert_eq!(
        JwtError::NoAudience.to_string(),
        "the audience is missing, so tokens for other services would be accepted; name it with \
         `.audience(\"…\")`, or, for tokens without `aud`, choose `.client(\"…\")` or `.any_audience()`"
    );
    let any = || Jwt::builder().issuer("i").key(secret()).any_audience();
    assert!(any().build().is_ok());
    for both in [
        any().audience("a"),
        any().client("c"),
        full().any_audience(),
    ] {
        assert_eq!(error(both), JwtError::AudienceAndAny);
    }
    assert_eq!(error(any().audience("")), JwtError::NoAudience);
    let of_client = Jwt::builder().issuer("i").client("c").key(secret());
    assert_eq!(
        error(of_client.rfc9068_only()),
        JwtError::ProfileWithoutAudience
    );
    assert_eq!(
        JwtError::ProfileWithoutAudience.to_string(),
        "`.rfc9068_only()` requires tokens with an audience, and none is accepted; name it with `.audience(\"…\")`"
    );
    assert!(any().rfc9068_only().build().is_ok());
    assert!(full().client("c").rfc9068_only().build().is_ok());
    assert_eq!(
        JwtError::AudienceAndAny.to_string(),
        "an audience or a client is given, and `.any_audience()` as well; remove one of them"
    );
    for prefix in ["", "a b", "a\t", "\"", "\\", "é"] {
        let expected = JwtError::ScopePrefix(prefix.to_owned());
        assert_eq!(error(full().scope_prefix(prefix)), expected);
    }
    assert_eq!(
        JwtError::ScopePrefix("a b".to_owned()).to_string(),
        r#"no scope begins with "a b": a prefix is of visible ASCII, without quotes and backslashes"#
    );
    let hour = Duration::from_secs(3600);
    assert_eq!(error(full().leeway(hour)), JwtError::Leeway(hour));
    let maximum = Duration::from_secs(300);
    assert!(full().leeway(maximum).build().is_ok());
    assert_eq!(error(full().jwks(r#"{"keys":[]}"#)), JwtError::NoKey);
    // A secret is not the key of an issuer, and the others are on curves that no algorithm has.
    for key in [
        json!({ "kty": "oct", "k": "AQ" }),
        json!({ "kty": "EC", "crv": "P-521", "x": "AQ", "y": "AQ" }),
        json!({ "kty": "OKP", "crv": "P-256", "x": "AQ" }),
    ] {
        let document = json!({ "keys": [key] }).to_string();
        assert_eq!(error(full().jwks(&document)), JwtError::NoKey, "{document}");
    }
    // The text of the document is not repeated, since it may be a secret key.
    for (document, message) in [
        ("no JSON", "it is not JSON, from line 1 column 2 on"),
        (
            "[[]]",
            "it is not an object with a list `keys`, from line 1 column 0 on",
        ),
        (
            "{\n\"keys\": \"hunter2\" }",
            "it is not an object with a list `keys`, from line 2 column 17 on",
        ),
    ] {
        let expected = JwtError::Jwks(message.to_owned());
        assert_eq!(error(full().jwks(document)), expected);
    }
    let one = || Jwt::builder().audience("a").key(secret()).issuer("i");
    let domain = |jwt: JwtBuilder| jwt.spiffe_trust_domain("shop.example");
    let tenants = |jwt: JwtBuilder| jwt.issuer_per_tenant("https://i.example/{tid}", |_| true);
    let no_one = || Jwt::builder().audience("a").key(secret());
    for several in [
        one().issuer("other"),
        one().without_issuer(),
        domain(one()),
        tenants(one()),
        domain(domain(no_one())),
        tenants(tenants(no_one())),
    ] {
        assert_eq!(error(several), JwtError::SeveralIssuers);
    }
    assert!(matches!(
        error(full().jwks_file("/no/such/file")),
        JwtError::Jwks(_)
    ));
    assert_eq!(
        JwtKey::hs256([7; 31]).err(),
        Some(JwtError::ShortSecret {
            length: 31,
            required: 32
        })
    );
    let secret = "a secret of thirty-two characters";
    for with_whitespace in [format!("{secret}\n"), format!(" {secret}")] {
        let error = JwtKey::hs256(&with_whitespace).err();
        assert!(
            matches!(error, Some(JwtError::Key(_))),
            "{with_whitespace:?}"
        );
    }
    // Random bytes may end with the byte of a line break.
    for valid in [secret.as_bytes(), &[&[0xff; 31][..], b"\n"].concat()] {
        assert_eq!(JwtKey::hs256(valid).err(), None);
    }
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
