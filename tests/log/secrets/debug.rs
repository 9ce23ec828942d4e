//! The output of `Debug`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::schemes::{
    Claims, Credentials, DigestAlgorithm, DigestSecret, Redis, Scheme, SharedTokenCache,
    SignedUrls, TokenCache, Verification,
};
use auth_runtime::{Caller, Denied, Guard};

use super::*;

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
fn the_search_finds_secrets() {
    for trace in traces() {
        let text = format!("so it is <{trace}>");
        assert!(!leaks(&text, &traces()).is_empty(), "{trace}");
    }
}

#[test]
fn debug_shows_no_secret() {
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
    let hooks = || auth_runtime::schemes::Webhooks::github().secret(MARKER);
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
        ("WebhooksBuilder", debug(hooks())),
        ("Webhooks", debug(hooks().build().expect("in order"))),
        ("ApiKeysBuilder", debug(keys())),
        (
            "ApiKeyLookUpBuilder",
            debug(ApiKeys::look_up(async |_| Caller::rejected())),
        ),
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
async fn debug_of_requests_shows_no_secret() {
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
async fn remembered_tokens_are_not_shown() {
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
