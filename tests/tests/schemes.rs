//! The schemes against everything that a client could send: status and exact challenges, and the
//! same through a real axum service for every row.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argon2::password_hash::PasswordHasher;
use auth_runtime::routing::get;
use auth_runtime::{
    ApiKeys, ApiKeysError, Basic, Bearer, Caller, Claims, Credentials, Denial, DenialBody, Guard,
    GuardedRouter, Identity, Jwt, JwtError, JwtKey, PasswordHashes, PasswordHashesError,
    ProtectionSpace, Rejection, Scheme, SpaceError, Verification, requires,
};
use auth_tests::{AUDIENCE, ISSUER};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tower::ServiceExt;

#[requires(authenticated)]
async fn known(guard: Guard) -> String {
    format!("{:?}", guard.identity())
}

#[requires(scope = "read")]
async fn read() {}

#[requires(role = "admin")]
async fn admin() {}

fn app(space: ProtectionSpace) -> Router {
    GuardedRouter::new()
        .route("/known", get(known))
        .route("/read", get(read))
        .route("/admin", get(admin))
        .protect(space)
}

fn space(scheme: impl Scheme) -> ProtectionSpace {
    let space = ProtectionSpace::builder().realm("api").scheme(scheme);
    space.build().expect("the space is in order")
}

/// Field lines of a request.
type Lines = Vec<(&'static str, Vec<u8>)>;

fn authorization(value: impl Into<Vec<u8>>) -> Lines {
    vec![("authorization", value.into())]
}

fn bearer(token: impl AsRef<str>) -> Lines {
    authorization(format!("Bearer {}", token.as_ref()))
}

async fn send(app: &Router, target: &str, lines: &Lines) -> Response {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).expect("a field value");
        request.headers_mut().append(*name, value);
    }
    app.clone().oneshot(request).await.expect("infallible")
}

fn challenges(response: &Response) -> Vec<&str> {
    let lines = response.headers().get_all("www-authenticate").iter();
    lines.map(|line| line.to_str().expect("ASCII")).collect()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8")
}

struct Row {
    name: &'static str,
    lines: Lines,
    status: u16,
    challenges: &'static [&'static str],
}

fn row(name: &'static str, lines: Lines, status: u16, challenges: &'static [&'static str]) -> Row {
    Row {
        name,
        lines,
        status,
        challenges,
    }
}

async fn check(app: &Router, target: &str, rows: Vec<Row>) {
    for Row {
        name,
        lines,
        status,
        challenges: expected,
    } in rows
    {
        let response = send(app, target, &lines).await;
        assert_eq!(response.status(), status, "{name}");
        assert_eq!(challenges(&response), expected, "{name}");
        assert_eq!(
            response.status() == 200,
            expected.is_empty() && status == 200,
            "{name}"
        );
        if status != 200 {
            assert_eq!(response.headers()["cache-control"], "no-store", "{name}");
            let body = text(response).await;
            for (_, value) in &lines {
                let value = String::from_utf8_lossy(value);
                let secret = value.rsplit(' ').next().unwrap_or_default();
                assert!(secret.len() < 8 || !body.contains(secret), "{name}: echoed");
            }
        }
    }
}

const BEARER: &str = "Bearer realm=\"api\"";
const MALFORMED: &str = "Bearer realm=\"api\", error=\"invalid_token\", \
                         error_description=\"the access token is malformed\"";
const EXPIRED: &str = "Bearer realm=\"api\", error=\"invalid_token\", \
                       error_description=\"the access token expired\"";
const INVALID: &str = "Bearer realm=\"api\", error=\"invalid_token\", \
                       error_description=\"the access token is not valid\"";
const TWICE: &str = "Bearer realm=\"api\", error=\"invalid_request\", \
                     error_description=\"the request carries credentials in more than one way\"";

/// Key pairs are dear to make, RSA ones above all.
struct Keys {
    rsa: KeyPair,
    ec: KeyPair,
    ed: KeyPair,
    secret: [u8; 32],
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
            .expect("an RSA key"),
        ec: KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key"),
        ed: KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("an Ed25519 key"),
        secret: *b"a secret of exactly 32 bytes ...",
    })
}

impl Keys {
    fn signer(&self, algorithm: Algorithm) -> EncodingKey {
        match algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_pem(self.rsa.serialize_pem().as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_pem(self.ec.serialize_pem().as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(self.ed.serialize_pem().as_bytes()),
            _ => Ok(EncodingKey::from_secret(&self.secret)),
        }
        .expect("a signing key")
    }
}

fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(now.as_secs()).expect("before year 9999")
}

/// Good claims, with these changes; `null` takes one away.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": now() + 600, "scope": "read",
    });
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => all.remove(name),
            value => all.insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn rs256(changes: Value) -> String {
    signed(Algorithm::RS256, &Header::new(Algorithm::RS256), changes)
}

fn signed(algorithm: Algorithm, header: &Header, changes: Value) -> String {
    encode(header, &claims(changes), &keys().signer(algorithm)).expect("a token")
}

/// A token with any header at all, signed with the RSA key as if all were well.
fn with_header(header: &Value) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims(json!({})).to_string()),
    );
    let key = keys().signer(Algorithm::RS256);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::RS256);
    format!("{input}.{}", signature.expect("a signature"))
}

fn rsa_verifier() -> Jwt {
    let key = JwtKey::rs256_pem(keys().rsa.public_key_pem()).expect("a public key");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    jwt.key(key.with_id("rsa-1")).build().expect("a verifier")
}

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
            row("64 KiB", bearer("a".repeat(64 << 10)), 401, &[MALFORMED]),
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
                "a client's",
                bearer(rs256(json!({ "sub": null, "client_id": "job" }))),
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
        GuardedRouter::new().route("/", get(granted)).protect(space)
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
    let error = |jwt: auth_runtime::JwtBuilder| jwt.build().expect_err("an error");
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

const BASIC: &str = "Basic realm=\"api\", charset=\"UTF-8\"";

fn basic(login: &str) -> Lines {
    authorization(format!("Basic {}", STANDARD.encode(login)))
}

fn hash(password: &str) -> String {
    let cheap = argon2::Params::new(64, 1, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::from(cheap);
    argon2
        .hash_password(password.as_bytes())
        .expect("a hash")
        .to_string()
}

#[tokio::test]
async fn basic_with_password_hashes() {
    let hashes = PasswordHashes::builder()
        .user(
            "ann",
            &hash("correct horse"),
            Identity::new("ann").with_roles(["admin"]),
        )
        .user("bob", &hash("pass:word"), Identity::new("bob"))
        .user("ümit", &hash("Größe€"), Identity::new("ümit"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    check(
        &app,
        "/known",
        vec![
            row("absent", vec![], 401, &[BASIC]),
            row("good", basic("ann:correct horse"), 200, &[]),
            row(
                "lower-case scheme",
                authorization(format!("basic {}", STANDARD.encode("ann:correct horse"))),
                200,
                &[],
            ),
            row("a colon in the password", basic("bob:pass:word"), 200, &[]),
            row("UTF-8", basic("ümit:Größe€"), 200, &[]),
            row("wrong password", basic("ann:wrong"), 401, &[BASIC]),
            row(
                "somebody else's password",
                basic("ann:pass:word"),
                401,
                &[BASIC],
            ),
            row("unknown user", basic("eve:correct horse"), 401, &[BASIC]),
            row(
                "name in another case",
                basic("Ann:correct horse"),
                401,
                &[BASIC],
            ),
            row("empty password", basic("ann:"), 401, &[BASIC]),
            row("empty name", basic(":correct horse"), 401, &[BASIC]),
            row("no colon", basic("ann"), 401, &[BASIC]),
            row(
                "a control character",
                basic("ann:correct\u{7} horse"),
                401,
                &[BASIC],
            ),
            row("a zero byte", basic("ann\0:correct horse"), 401, &[BASIC]),
            row("not Base64", authorization("Basic ???"), 401, &[BASIC]),
            row(
                "URL-safe Base64",
                authorization("Basic -_-_"),
                401,
                &[BASIC],
            ),
            row(
                "not UTF-8",
                authorization(format!("Basic {}", STANDARD.encode(b"ann:\xff"))),
                401,
                &[BASIC],
            ),
            row(
                "nothing behind the scheme",
                authorization("Basic"),
                401,
                &[BASIC],
            ),
            row("64 KiB", basic(&"a".repeat(48 << 10)), 401, &[BASIC]),
            row("another scheme", bearer("abc"), 401, &[BASIC]),
            row(
                "two fields",
                [basic("ann:correct horse"), basic("ann:correct horse")].concat(),
                400,
                &[],
            ),
        ],
    )
    .await;
    let roles = vec![
        row("the role", basic("ann:correct horse"), 200, &[]),
        row(
            "not the role, and no login would change that",
            basic("bob:pass:word"),
            403,
            &[],
        ),
    ];
    check(&app, "/admin", roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_users_take_as_much_work_as_wrong_passwords() {
    // Memory that argon2 fills is work that it does, whatever the machine is doing besides.
    let dear = argon2::Params::new(16 * 1024, 2, 1, None).expect("parameters");
    let dear = argon2::Argon2::from(dear)
        .hash_password(b"secret")
        .expect("a hash");
    let hashes = PasswordHashes::builder()
        .user("ann", &dear.to_string(), Identity::new("ann"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..7 {
        for (login, fastest) in [basic("ann:wrong"), basic("eve:wrong")]
            .iter()
            .zip(&mut fastest)
        {
            let begin = std::time::Instant::now();
            assert_eq!(send(&app, "/known", login).await.status(), 401);
            *fastest = begin.elapsed().min(*fastest);
        }
    }
    let [wrong, unknown] = fastest.map(|time| time.as_secs_f64());
    assert!(
        unknown > wrong / 3.0,
        "unknown {unknown} s, wrong {wrong} s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logins_is_answered_503_and_not_hashed_without_end() {
    let dear = argon2::Params::new(16 * 1024, 2, 1, None).expect("parameters");
    let dear = argon2::Argon2::from(dear)
        .hash_password(b"secret")
        .expect("a hash");
    let hashes = PasswordHashes::builder()
        .user("ann", &dear.to_string(), Identity::new("ann"))
        .build()
        .expect("hashes");
    let app = app(space(Basic::password_hashes(hashes)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let flood = (0..cores * 64).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { send(&app, "/known", &basic("eve:wrong")).await })
    });
    let mut statuses = Vec::new();
    for answer in flood.collect::<Vec<_>>() {
        let answer = answer.await.expect("it does not panic");
        if answer.status() == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        statuses.push(answer.status().as_u16());
    }
    assert!(statuses.contains(&401), "some are looked at");
    assert!(statuses.contains(&503), "not all may wait");
}

#[test]
fn password_hashes_that_cannot_be_right_are_not_built() {
    let error = |hashes: auth_runtime::PasswordHashesBuilder| hashes.build().err();
    let ann = || Identity::new("ann");
    assert_eq!(
        error(PasswordHashes::builder()),
        Some(PasswordHashesError::NoUser)
    );
    let twice = PasswordHashes::builder()
        .user("ann", &hash("a"), ann())
        .user("ann", &hash("b"), ann());
    assert_eq!(
        error(twice),
        Some(PasswordHashesError::UserTwice("ann".to_owned()))
    );
    for not_argon2 in [
        "",
        "plain text",
        "$argon2id$v=19$m=64,t=1,p=1",
        "$scrypt$ln=1,r=1,p=1$YWFhYQ$YWFhYWFhYWFhYWFh",
    ] {
        let hashes = PasswordHashes::builder().user("ann", not_argon2, ann());
        assert_eq!(
            error(hashes),
            Some(PasswordHashesError::NoArgon2("ann".to_owned())),
            "{not_argon2}"
        );
    }
}

#[tokio::test]
async fn api_keys() {
    const KEY: &str = "k-4f1c0b6e9a8d47d2";
    const API_KEY: &str = "ApiKey realm=\"api\"";
    const DIGEST: &str = "4f2ba4fb53da2d1e0a4c5a0ae9b9b2d1d5a1c6c8b2d1d5a1c6c8b2d1d5a1c6c8";
    let keys = ApiKeys::builder()
        .field("x-key")
        .key(KEY, Identity::new("billing").with_roles(["admin"]))
        .key_sha256(DIGEST, Identity::new("nobody has this key"))
        .build()
        .expect("keys");
    let key = |value: &str| -> Lines { vec![("x-key", value.as_bytes().to_vec())] };
    let app = app(space(keys));
    check(
        &app,
        "/admin",
        vec![
            row("absent", vec![], 401, &[API_KEY]),
            row("good", key(KEY), 200, &[]),
            row("wrong", key("k-0000000000000000"), 401, &[API_KEY]),
            row("a prefix", key(&KEY[..17]), 401, &[API_KEY]),
            row("with more behind", key(&format!("{KEY}x")), 401, &[API_KEY]),
            row("in upper case", key(&KEY.to_uppercase()), 401, &[API_KEY]),
            row("its digest", key(DIGEST), 401, &[API_KEY]),
            row("empty", key(""), 401, &[API_KEY]),
            row(
                "non-ASCII bytes",
                vec![("x-key", b"\xff\xfe".to_vec())],
                401,
                &[API_KEY],
            ),
            row("64 KiB", key(&"a".repeat(64 << 10)), 401, &[API_KEY]),
            row("two fields", [key(KEY), key(KEY)].concat(), 400, &[]),
            row(
                "in another field",
                vec![("x-api-key", KEY.into())],
                401,
                &[API_KEY],
            ),
            row(
                "in Authorization",
                authorization(format!("ApiKey {KEY}")),
                401,
                &[API_KEY],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_api_key_is_stored_as_its_sha256() {
    let digest = {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(b"k-4f1c0b6e9a8d47d2");
        digest
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>()
    };
    let keys = ApiKeys::builder().key_sha256(&digest, Identity::new("billing"));
    let app = app(space(keys.build().expect("keys")));
    let lines = vec![("x-api-key", b"k-4f1c0b6e9a8d47d2".to_vec())];
    assert_eq!(send(&app, "/known", &lines).await.status(), 200);
}

#[test]
fn api_keys_that_cannot_be_right_are_not_built() {
    let who = || Identity::new("billing");
    let key = "k-4f1c0b6e9a8d47d2";
    let error = |keys: auth_runtime::ApiKeysBuilder| keys.build().err();
    let billing = || "billing".to_owned();
    assert_eq!(error(ApiKeys::builder()), Some(ApiKeysError::NoKey));
    assert_eq!(
        error(ApiKeys::builder().key("too short", who())),
        Some(ApiKeysError::ShortKey(billing()))
    );
    assert_eq!(
        error(ApiKeys::builder().key_sha256("no digest", who())),
        Some(ApiKeysError::NoDigest(billing()))
    );
    assert_eq!(
        error(ApiKeys::builder().key(key, who()).key(key, who())),
        Some(ApiKeysError::KeyTwice)
    );
    for field in ["authorization", "Cookie", "host", "two words", ""] {
        let keys = ApiKeys::builder().key(key, who()).field(field);
        assert_eq!(error(keys), Some(ApiKeysError::Field(field.to_owned())));
    }
}

#[tokio::test]
async fn several_schemes_are_offered_in_order_and_used_one_at_a_time() {
    const KEY: &str = "k-4f1c0b6e9a8d47d2";
    let keys = ApiKeys::builder().key(KEY, Identity::new("billing"));
    let basic_verifier = Basic::new(|user, password| async move {
        match (user.as_str(), password.as_str()) {
            ("ann", "secret") => Caller::known(Identity::new("ann")),
            ("down", _) => Caller::unverifiable(),
            _ => Caller::rejected(),
        }
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(rsa_verifier()))
        .scheme(basic_verifier)
        .scheme(keys.build().expect("keys"))
        .build()
        .expect("a space");
    let app = app(space);
    let key = || -> Lines { vec![("x-api-key", KEY.into())] };
    let good = || bearer(rs256(json!({})));
    check(
        &app,
        "/known",
        vec![
            row(
                "nothing",
                vec![],
                401,
                &[BEARER, BASIC, "ApiKey realm=\"api\""],
            ),
            row("a token", good(), 200, &[]),
            row("a login", basic("ann:secret"), 200, &[]),
            row("a key", key(), 200, &[]),
            row(
                "a bad token",
                bearer("x"),
                401,
                &[MALFORMED, BASIC, "ApiKey realm=\"api\""],
            ),
            row(
                "a bad login",
                basic("ann:x"),
                401,
                &[BEARER, BASIC, "ApiKey realm=\"api\""],
            ),
            row("a token and a key", [good(), key()].concat(), 400, &[TWICE]),
            row(
                "a login and a key",
                [basic("ann:secret"), key()].concat(),
                400,
                &[TWICE],
            ),
            row(
                "a token and a login",
                [good(), basic("ann:secret")].concat(),
                400,
                &[TWICE],
            ),
            row("nobody can say", basic("down:x"), 503, &[]),
        ],
    )
    .await;
    check(
        &app,
        "/read",
        vec![
            row(
                "no scope, but no token either",
                basic("ann:secret"),
                403,
                &[],
            ),
            row("a key has no scope to ask for", key(), 403, &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_verifier_that_is_down_is_no_401() {
    let bearer_verifier = Bearer::new(|token| async move {
        Caller::Unverifiable {
            retry_after: (token == "soon").then_some(Duration::from_secs(17)),
        }
    });
    let app = app(space(bearer_verifier));
    for (token, seconds) in [("soon", "17"), ("whenever", "5")] {
        for target in ["/known", "/nowhere"] {
            let response = send(&app, target, &bearer(token)).await;
            assert_eq!(response.status(), 503, "{target}");
            assert_eq!(response.headers()["retry-after"], seconds, "{target}");
            assert_eq!(challenges(&response), Vec::<&str>::new(), "{target}");
        }
    }
}

/// A scheme of the service's own, in the space of twenty lines.
struct Badge;

impl Scheme for Badge {
    fn name(&self) -> &str {
        "Badge"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let late = credentials.headers().contains_key("x-late");
        Verification::done(match credentials.value() {
            "4711" if late => Caller::Rejected(Rejection::Expired),
            "4711" => Caller::known(Identity::new("gate")),
            _ => Caller::rejected(),
        })
    }
}

#[tokio::test]
async fn a_scheme_of_ones_own() {
    let late = [authorization("Badge 4711"), vec![("x-late", b"1".to_vec())]].concat();
    let rows = vec![
        row("absent", vec![], 401, &["Badge realm=\"api\""]),
        row("good", authorization("badge 4711"), 200, &[]),
        row(
            "wrong",
            authorization("Badge 4712"),
            401,
            &["Badge realm=\"api\""],
        ),
        row("late", late, 401, &["Badge realm=\"api\""]),
    ];
    check(&app(space(Badge)), "/known", rows).await;
}

#[test]
fn a_space_that_cannot_be_right_is_not_built() {
    struct Named(&'static str);
    impl Scheme for Named {
        fn name(&self) -> &str {
            self.0
        }
        fn verify(&self, _: &Credentials<'_>) -> Verification {
            Verification::done(Caller::rejected())
        }
    }
    let build = |space: auth_runtime::ProtectionSpaceBuilder| space.build().err();
    let builder = || ProtectionSpace::builder().realm("api");
    assert_eq!(build(builder().scheme(Badge)), None);
    assert_eq!(build(builder()), Some(SpaceError::NoScheme));
    assert_eq!(
        build(ProtectionSpace::builder().scheme(Badge)),
        Some(SpaceError::NoRealm)
    );
    assert_eq!(
        build(builder().scheme(Badge).scheme(Named("BADGE"))),
        Some(SpaceError::SchemeTwice("BADGE".to_owned()))
    );
    for (realm, scheme) in [
        ("two\r\nlines", "Badge"),
        ("Übung", "Badge"),
        ("api scope=all", "Badge"),
        ("api", "two words"),
        ("api", ""),
    ] {
        let error = ProtectionSpace::builder()
            .realm(realm)
            .scheme(Named(scheme))
            .build();
        let error = error.expect_err("an error");
        assert!(
            matches!(error, SpaceError::Challenge { .. }),
            "{realm:?} {scheme:?}: {error}"
        );
    }
}

#[tokio::test]
async fn denials_speak_the_language_that_was_asked_for() {
    let app = app(space(Badge));
    for (accept, content_type, begins) in [
        (
            None,
            "application/problem+json",
            "{\"type\":\"about:blank\"",
        ),
        (
            Some("text/html,*/*;q=0.8"),
            "text/html; charset=utf-8",
            "<!doctype html>",
        ),
        (
            Some("text/plain"),
            "text/plain; charset=utf-8",
            "401 Unauthorized\n",
        ),
        (
            Some("image/png"),
            "application/problem+json",
            "{\"type\":\"about:blank\"",
        ),
    ] {
        let lines = accept.map(|accept| ("accept", accept.as_bytes().to_vec()));
        let lines = lines.into_iter().collect();
        for (target, status) in [("/known", 401), ("/nowhere", 404)] {
            let response = send(&app, target, &lines).await;
            assert_eq!(response.status(), status);
            assert_eq!(
                response.headers()["content-type"],
                content_type,
                "{accept:?}"
            );
            let body = text(response).await;
            if status == 401 {
                assert!(body.starts_with(begins), "{accept:?}: {body}");
            }
            if content_type.ends_with("json") {
                let problem: Value = serde_json::from_str(&body).expect("JSON");
                assert_eq!(problem["status"], status);
            }
        }
    }
}

#[tokio::test]
async fn a_service_writes_bodies_of_its_own_and_keeps_status_and_challenge() {
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Badge)
        .render(|denial, request| {
            let kind = match denial {
                Denial::Unauthenticated { .. } => "who are you",
                _ => "no",
            };
            let body = format!("{kind}? {} {}", request.method(), request.uri());
            DenialBody::new("text/x-mine", body).unwrap_or_default()
        });
    let app = app(space.build().expect("a space"));
    for (target, status, body, challenge) in [
        (
            "/known",
            401,
            "who are you? GET /known",
            &["Badge realm=\"api\""][..],
        ),
        ("/nowhere", 404, "no? GET /nowhere", &[]),
    ] {
        let response = send(&app, target, &vec![]).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "text/x-mine");
        assert_eq!(challenges(&response), challenge);
        assert_eq!(text(response).await, body);
    }
}

#[test]
fn nothing_secret_is_shown_for_debugging() {
    let secret = "a secret of exactly 32 bytes ...";
    let key = JwtKey::hs256(secret).expect("a key");
    let jwt = Jwt::builder().issuer("i").audience("a").key(key.clone());
    let keys = ApiKeys::builder().key(secret, Identity::new("billing"));
    let identity = Identity::new("ann").with_extension(secret.to_owned());
    let shown = format!("{key:?} {jwt:?} {:?} {keys:?} {identity:?}", rsa_verifier());
    assert!(!shown.contains("secret"), "{shown}");
}
