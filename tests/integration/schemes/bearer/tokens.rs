//! Tokens, accepted or rejected, and the challenges for them.

use super::*;

/// Checks these rows with a verifier of RSA signatures.
async fn check_rows(rows: Vec<Row>) {
    check(&app(space(Bearer::jwt(rsa_verifier()))), "/known", rows).await;
}

/// Returns a good token without its signature, and the signature.
fn good() -> (String, String) {
    let token = rs256(json!({}));
    let (rest, signature) = token.rsplit_once('.').expect("a signature");
    (rest.to_owned(), signature.to_owned())
}

#[tokio::test]
async fn fields_have_a_form() {
    let good = rs256(json!({}));
    let two = |one: &str, other: &str| {
        let mut lines = authorization(one);
        lines.extend(authorization(other));
        lines
    };
    let good_value = format!("Bearer {good}");
    check_rows(vec![
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
        // The space in front counts; the length of the longest is not the mistake.
        row(
            "16 KiB with another mistake",
            bearer(format!("{}\u{e9}", "a".repeat((16 << 10) - 3))),
            401,
            &[MALFORMED],
        ),
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
    ])
    .await;
}

#[tokio::test]
async fn signatures_are_verified() {
    let public_key = keys().rsa.public_key_pem();
    let confused = encode(
        &Header::new(Algorithm::HS256),
        &claims(json!({})),
        &EncodingKey::from_secret(public_key.as_bytes()).expect("a secret"),
    )
    .expect("a token");
    let unsigned = |algorithm: &str| {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm }).to_string());
        let claims = URL_SAFE_NO_PAD.encode(claims(json!({})).to_string());
        format!("{header}.{claims}.")
    };
    let (rest, signature) = good();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let wrong_signature = format!("{rest}.{flipped}{}", &signature[1..]);
    let with_kid = |kid: &str| {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        signed(Algorithm::RS256, &header, json!({}))
    };
    check_rows(vec![
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
    ])
    .await;
}

#[tokio::test]
async fn times_have_a_leeway() {
    let (_, signature) = good();
    check_rows(vec![
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
            "nbf before 1970",
            bearer(rs256(json!({ "nbf": -1 }))),
            200,
            &[],
        ),
        row(
            "nbf of a wrong type",
            bearer(rs256(json!({ "nbf": "now" }))),
            401,
            &[INVALID],
        ),
    ])
    .await;
}

#[tokio::test]
async fn audience_issuer_and_subject_must_fit() {
    check_rows(vec![
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
    ])
    .await;
}

#[tokio::test]
async fn header_states_type_and_extensions() {
    check_rows(vec![
        row(
            "crit",
            bearer(with_header(
                &json!({ "alg": "RS256", "crit": ["exp"], "exp": 1 }),
            )),
            401,
            &[INVALID],
        ),
        row(
            "crit null",
            bearer(with_header(&json!({ "alg": "RS256", "crit": null }))),
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
    ])
    .await;
}

/// RFC 9068 §2 and §4.
#[tokio::test]
async fn rfc9068_requires_type_and_claims() {
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
async fn challenges_name_the_needed_scopes() {
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
                   error_description=\"the access token lacks a required scope\"",
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
