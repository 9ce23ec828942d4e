//! Secrets are never disclosed: not by `Debug`, not in errors, not in denials, and not in the log
//! at any level.

use std::sync::{Arc, Mutex, OnceLock};

use crate::listen;
use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::{get, post};
use auth_runtime::schemes::{
    ApiKeys, Basic, Bearer, Claims, Credentials, DigestAlgorithm, DigestSecret, Dpop,
    Introspection, Jwt, JwtKey, PasswordHashes, Redis, Scheme, SharedTokenCache, SignedUrls,
    TokenCache, Verification,
};
use auth_runtime::testing::with_identity;
use auth_runtime::{
    Caller, CheckRequest, Denied, Guard, GuardedRouter, Identity, ProtectionSpace, requires,
};
use auth_tests::{AUDIENCE, App, ISSUER, serve};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

/// Long enough for a key, and in the form of a token.
const MARKER: &str = "k33p-th1s-out-of-everything-pl3as";

/// Returns the forms in which the marker could leak: as it is, as bytes, encoded, hashed.
fn traces() -> Vec<String> {
    let pair = format!("ann:{MARKER}");
    let digest = Sha256::digest(MARKER.as_bytes());
    vec![
        MARKER.to_owned(),
        format!("{:?}", MARKER.as_bytes())
            .trim_matches(['[', ']'])
            .to_owned(),
        STANDARD.encode(MARKER),
        URL_SAFE_NO_PAD.encode(MARKER),
        STANDARD.encode(pair),
        hex(MARKER.as_bytes()),
        hex(&digest),
        STANDARD.encode(digest),
        hash_of_marker().to_owned(),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash_of_marker() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let cheap = argon2::Params::new(8, 1, 1, None).expect("parameters");
        let argon2 = argon2::Argon2::from(cheap);
        let hash = argon2.hash_password(MARKER.as_bytes()).expect("a hash");
        hash.to_string()
    })
}

/// Returns the secrets that `text` contains.
fn leaks(text: &str, secrets: &[String]) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    let shown = secrets
        .iter()
        .filter(|secret| text.contains(&secret.to_ascii_lowercase()));
    shown.cloned().collect()
}

#[track_caller]
fn assert_silent(what: &str, text: &str) {
    let shown = leaks(text, &traces());
    assert!(shown.is_empty(), "{what} shows {shown:?}: {text}");
}

fn debug(value: impl std::fmt::Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// A scheme that stores the debug output of its credentials.
struct Curious(Arc<Mutex<String>>);

impl Scheme for Curious {
    fn name(&self) -> &str {
        "Curious"
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        assert_eq!(credentials.value(), MARKER);
        *self.0.lock().expect("nobody panics") = debug(credentials);
        let identity = Identity::new("ann").with_extension(MARKER.to_owned());
        Verification::done(Caller::known(identity))
    }
}

#[test]
fn the_search_itself_finds_secrets() {
    for trace in traces() {
        let text = format!("so it is <{trace}>");
        assert!(!leaks(&text, &traces()).is_empty(), "{trace}");
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    listen();
    let key = || JwtKey::hs256(MARKER).expect("it is long enough");
    let jwt = || Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key());
    let built = || jwt().build().expect("in order");
    let introspection = || {
        let asked = Introspection::builder().endpoint("https://as.example/introspect");
        asked.client_secret("client", MARKER).any_audience()
    };
    let nonce_key: [u8; 32] = MARKER.as_bytes()[..32].try_into().expect("32 bytes");
    let dpop = || {
        Dpop::jwt(built())
            .origin("https://api.example")
            .nonces_with_key(nonce_key)
    };
    let keys = || {
        ApiKeys::builder()
            .key(MARKER, Identity::new("a"))
            .key_sha256(&hex(&Sha256::digest("another key")), Identity::new("b"))
    };
    let hashes = || PasswordHashes::builder().user("ann", hash_of_marker(), Identity::new("ann"));
    let basic = || Basic::password_hashes(hashes().build().expect("in order"));
    let space = || {
        let space = ProtectionSpace::builder().realm("api");
        space.scheme(Bearer::jwt(built())).scheme(basic())
    };
    let known = || Identity::new("ann").with_extension(MARKER.to_owned());
    let digest_secret = || {
        let secret = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "api", MARKER);
        secret.expect("in order")
    };
    // The stored form of a password is as secret as the password.
    let line = digest_secret().to_line();
    let kept_hash = line.rsplit(':').next().expect("a hash").to_owned();
    let digest = || {
        auth_runtime::schemes::Digest::builder("api")
            .user(digest_secret(), Identity::new("ann"))
            .nonce_key(nonce_key)
    };
    let links = || SignedUrls::builder().key("2026", MARKER.as_bytes());
    let redis = || Redis::builder(format!("rediss://ann:{MARKER}@redis.example/"));
    let shared = || {
        let redis = redis().build().expect("in order");
        SharedTokenCache::new(redis, nonce_key, Duration::from_secs(60))
    };
    for (what, text) in [
        ("JwtKey", debug(key().with_id("id"))),
        ("JwtBuilder", debug(jwt())),
        ("Jwt", debug(built())),
        ("Bearer", debug(Bearer::jwt(built()))),
        ("IntrospectionBuilder", debug(introspection())),
        (
            "IntrospectionBuilder with a password in its URL",
            debug(introspection().endpoint(format!("https://ann:{MARKER}@as.example/"))),
        ),
        (
            "Introspection",
            debug(introspection().build().expect("in order")),
        ),
        ("DpopBuilder", debug(dpop())),
        ("Dpop", debug(dpop().build().expect("in order"))),
        ("ApiKeysBuilder", debug(keys())),
        ("ApiKeys", debug(keys().build().expect("in order"))),
        ("PasswordHashesBuilder", debug(hashes())),
        ("PasswordHashes", debug(hashes().build().expect("in order"))),
        ("Basic", debug(basic())),
        ("DigestSecret", debug(digest_secret())),
        ("DigestBuilder", debug(digest())),
        ("Digest", debug(digest().build().expect("in order"))),
        ("SignedUrlsBuilder", debug(links())),
        ("SignedUrls", debug(links().build().expect("in order"))),
        ("RedisBuilder", debug(redis())),
        ("Redis", debug(redis().build().expect("in order"))),
        ("SharedTokenCache", debug(shared())),
        ("ProtectionSpaceBuilder", debug(space())),
        ("ProtectionSpace", debug(space().build().expect("in order"))),
        ("Identity", debug(known())),
        ("Caller", debug(Caller::known(known()))),
        (
            "Verification",
            debug(Verification::done(Caller::known(known()))),
        ),
    ] {
        assert_silent(what, &text);
        assert!(!text.contains(&kept_hash), "{what}: {text}");
        assert!(text.len() > 2, "{what} says nothing at all");
    }
}

#[tokio::test]
async fn no_debug_output_of_what_a_request_brings_shows_a_secret() {
    listen();
    async fn looks(request: CheckRequest<'_>) -> bool {
        keep("CheckRequest", debug(&request));
        true
    }
    #[requires(check = looks)]
    async fn page(guard: Guard) -> Result<(), Denied> {
        keep("Guard", debug(&guard));
        keep("Identity", debug(guard.identity()));
        let denied = guard.permit(false);
        keep("Denied", debug(&denied));
        denied
    }
    static SEEN: Mutex<Vec<(&'static str, String)>> = Mutex::new(Vec::new());
    fn keep(what: &'static str, text: String) {
        SEEN.lock().expect("nobody panics").push((what, text));
    }

    let seen = Arc::new(Mutex::new(String::new()));
    let basic = Basic::new(async |user, password: auth_runtime::schemes::Password| {
        assert_eq!((user.as_str(), password.as_str()), ("ann", MARKER));
        keep("Password", debug(&password));
        Caller::known(Identity::new("ann"))
    });
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Curious(Arc::clone(&seen)))
        .scheme(basic)
        .scheme(Bearer::new(async |_| Caller::rejected()).accept_query())
        .audit(|record| keep("AuditRecord", debug(record)))
        .render(|denial, request| {
            keep("RequestSnapshot", debug(request));
            keep("Denial", debug(denial));
            auth_runtime::decision::DenialBody::default()
        });
    let router = GuardedRouter::new().route("/", get(page));
    keep("GuardedRouter", debug(&router));
    let app = router
        .protect(space.build().expect("in order"))
        .expect("in order");
    let basic = format!("Basic {}", STANDARD.encode(format!("ann:{MARKER}")));
    for (target, authorization) in [
        ("/".to_owned(), Some(format!("Curious {MARKER}"))),
        ("/".to_owned(), Some(basic)),
        (format!("/?access_token={MARKER}"), None),
    ] {
        let mut request = Request::get(target).body(Body::empty()).expect("a request");
        if let Some(value) = authorization {
            let value = value.parse().expect("a field value");
            request.headers_mut().insert("authorization", value);
        }
        app.clone().oneshot(request).await.expect("infallible");
    }
    keep("Credentials", seen.lock().expect("nobody panics").clone());
    let seen = SEEN.lock().expect("nobody panics");
    for what in [
        "AuditRecord",
        "CheckRequest",
        "Credentials",
        "Denial",
        "Denied",
        "RequestSnapshot",
        "Guard",
        "GuardedRouter",
        "Password",
    ] {
        let shown = seen
            .iter()
            .any(|(name, text)| *name == what && text.len() > 2);
        assert!(shown, "{what} was not looked at");
    }
    for (what, text) in &*seen {
        assert_silent(what, text);
    }
}

#[tokio::test]
async fn remembered_tokens_and_their_claims_are_not_shown() {
    listen();
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    #[requires(authenticated)]
    async fn page(guard: Guard) {
        let claims = guard.identity().extension::<Claims>().expect("claims");
        let mut seen = SEEN.lock().expect("nobody panics");
        seen.push(debug(claims));
        seen.push(debug(guard.identity()));
    }
    let cache = TokenCache::new(10, Duration::from_secs(60));
    let jwt = Jwt::builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .cache(cache.clone());
    let key = JwtKey::hs256(MARKER).expect("it is long enough");
    let jwt = jwt.key(key).build().expect("in order");
    let token = signed(json!({ "secret": MARKER }));
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(Bearer::jwt(jwt))
        .build();
    let router = GuardedRouter::new().route("/", get(page));
    let app = router.protect(space.expect("in order")).expect("in order");
    let (status, _) = send(
        &app,
        "GET",
        "/",
        &[("authorization", format!("Bearer {token}"))],
        "",
    )
    .await;
    assert_eq!((status, cache.len()), (StatusCode::OK, 1));
    let seen = SEEN.lock().expect("nobody panics").join("\n") + &debug(&cache);
    assert_silent("what is remembered", &seen);
    assert_eq!(leaks(&seen, &parts_of(&token)), Vec::<String>::new());
}

fn signed(mut claims: serde_json::Value) -> String {
    claims["iss"] = ISSUER.into();
    claims["aud"] = AUDIENCE.into();
    claims["sub"] = "ann".into();
    claims["exp"] = 4_000_000_000_u32.into();
    let key = jsonwebtoken::EncodingKey::from_secret(MARKER.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("it can be signed")
}

/// Returns the claims and the signature of a token. The header is not a secret.
fn parts_of(token: &str) -> Vec<String> {
    token.split('.').skip(1).map(str::to_owned).collect()
}

#[test]
fn no_error_shows_a_secret() {
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

/// Returns an error as displayed and debugged, with its causes.
fn text<T>(result: Result<T, impl std::error::Error>) -> String {
    let error = result.err().expect("it is refused");
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text} {error} {error:?}");
        cause = error.source();
    }
    text
}

async fn send(
    app: &impl App,
    method: &str,
    target: &str,
    fields: &[(&'static str, String)],
    body: &'static str,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let answer = app.clone().oneshot(request).await.expect("infallible");
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let text = format!("{:?}\n{}", head.headers, String::from_utf8_lossy(&body));
    (head.status, text)
}

/// Valid and invalid credentials of every scheme, in every place, with all events on every thread,
/// from this crate and its dependencies.
#[tokio::test(flavor = "multi_thread")]
async fn neither_denials_nor_the_whole_log_show_a_secret() {
    #[requires(authenticated)]
    async fn page() {}
    #[requires(role = "admin", hide_as = 404)]
    async fn hidden() {}
    async fn breaks(_: CheckRequest<'_>) -> Result<bool, &'static str> {
        Err("the database is down")
    }
    #[requires(check = breaks)]
    async fn checked() {}

    let log = listen();

    // An authorization server that fails when it is asked.
    let server = Router::new().route(
        "/introspect",
        axum::routing::post(async |body: String| {
            assert!(body.contains(MARKER));
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }),
    );
    let server = serve(server).await;
    let introspection = Introspection::builder()
        .endpoint(format!("http://{server}/introspect"))
        .client_secret("client", MARKER)
        .any_audience()
        .build()
        .expect("in order");

    let key = JwtKey::hs256(MARKER).expect("it is long enough");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let jwt = jwt.build().expect("in order");
    let hashes = PasswordHashes::builder().user("ann", hash_of_marker(), Identity::new("ann"));
    let keys = ApiKeys::builder().key(MARKER, Identity::new("job")).build();
    let dpop = Dpop::jwt(jwt.clone())
        .origin("https://api.example")
        .nonces()
        .build();
    let space = |bearer: Bearer| {
        ProtectionSpace::builder()
            .realm("api")
            .scheme(bearer.accept_query().accept_form())
            .trace_subjects(true)
    };
    let by_jwt = space(Bearer::jwt(jwt))
        .scheme(dpop.expect("in order"))
        .scheme(Basic::password_hashes(hashes.build().expect("in order")))
        .scheme(keys.expect("in order"))
        .build();
    let by_introspection = space(Bearer::introspection(introspection)).build();
    let token = signed(json!({}));
    let login = |login: String| format!("Basic {}", STANDARD.encode(login));
    let form = "application/x-www-form-urlencoded".to_owned();
    let body: &str = format!("access_token={MARKER}").leak();
    let mut statuses = Vec::new();
    for space in [by_jwt, by_introspection] {
        let app = GuardedRouter::new()
            .route("/page", get(page).merge(post(page)))
            .route("/hidden", get(hidden))
            .route("/checked", get(checked))
            .protect(space.expect("in order"))
            .expect("in order");
        for path in ["/page", "/hidden", "/checked", "/nowhere"] {
            let with_query = format!("{path}?access_token={MARKER}");
            let authorization = |value: String| ("authorization", value);
            for (target, fields) in [
                (path, vec![authorization(format!("Bearer {MARKER}"))]),
                (path, vec![authorization(format!("Bearer {token}"))]),
                (path, vec![authorization(format!("Bearer {token}{MARKER}"))]),
                (path, vec![authorization(format!("Bearer \"{MARKER}\""))]),
                (
                    path,
                    vec![
                        authorization(format!("DPoP {token}")),
                        ("dpop", MARKER.to_owned()),
                    ],
                ),
                (path, vec![authorization(login(format!("ann:{MARKER}")))]),
                (path, vec![authorization(login(format!("bob:{MARKER}")))]),
                (
                    path,
                    vec![authorization(login(format!("ann:not {MARKER}")))],
                ),
                (path, vec![authorization(format!("Basic {MARKER}"))]),
                (path, vec![("x-api-key", MARKER.to_owned())]),
                (path, vec![("x-api-key", format!("not {MARKER}"))]),
                (path, vec![("cookie", format!("session={MARKER}"))]),
                (&with_query, vec![]),
            ] {
                for accept in ["application/json", "text/html", "text/plain"] {
                    let mut fields = fields.clone();
                    fields.push(("accept", accept.to_owned()));
                    let (status, told) = send(&app, "GET", target, &fields, "").await;
                    assert_silent(&format!("{target} with {fields:?}, {status},"), &told);
                    let shown = leaks(&told, &parts_of(&token));
                    assert_eq!(shown, Vec::<String>::new(), "{target} with {fields:?}");
                    statuses.push(status.as_u16());
                }
            }
        }
        let fields = [("content-type", form.clone())];
        let (status, told) = send(&app, "POST", "/page", &fields, body).await;
        assert_silent(&format!("a form, {status},"), &told);
        statuses.push(status.as_u16());
        let request = Request::get("/hidden").header("x-api-key", MARKER);
        let request = request.body(Body::empty()).expect("a request");
        let ann = Identity::new("ann").with_extension(MARKER.to_owned());
        app.oneshot(with_identity(request, ann))
            .await
            .expect("infallible");
    }
    // All expected statuses occurred.
    for status in [200, 401, 404, 503] {
        assert!(statuses.contains(&status), "{status}: {statuses:?}");
    }
    let log = log.0.lock().expect("nobody panics").clone();
    let log = String::from_utf8(log).expect("UTF-8");
    for told in [
        "auth_runtime::decision",
        "tokens cannot be introspected",
        "a check failed",
        "rejection=\"malformed\"",
        "subject=\"ann\"",
        "TRACE",
    ] {
        assert!(log.contains(told), "nothing of {told} in {log}");
    }
    let mut secrets = traces();
    secrets.extend(parts_of(&token));
    let shown: Vec<&str> = log
        .lines()
        .filter(|line| !leaks(line, &secrets).is_empty())
        .collect();
    assert_eq!(shown, Vec::<&str>::new());
}
