//! The output of `Debug`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::schemes::{
    CertificateSource, Claims, Credentials, DigestAlgorithm, DigestSecret, MutualTls,
    PeerCertificate, ProxyIdentity, Redis, Scheme, Sessions, SharedTokenCache, SignedUrls,
    TokenCache, Verification, Webhooks,
};
use auth_runtime::{Caller, Denied, Guard};
use http::HeaderValue;
use tower::Layer;
use tower_sessions::MemoryStore;

use super::*;

const BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";

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
fn debug_names_types_without_secrets() {
    listen();
    let key = || JwtKey::hs256(MARKER).expect("it is long enough");
    let keyless = || Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let jwt = || keyless().key(key().with_id("k-1"));
    let built = || jwt().build().expect("in order");
    let carried = || built().in_field("x-token");
    let introspection = || {
        let asked = Introspection::builder().endpoint("https://as.example/introspect");
        asked.client_secret("client", MARKER).any_audience()
    };
    let nonce_key: [u8; 32] = MARKER.as_bytes().try_into().expect("32 bytes");
    let dpop = || {
        let dpop = Dpop::jwt(built()).origin(AUDIENCE);
        dpop.nonces_with_key(nonce_key)
    };
    let hooks = || Webhooks::github().secret(MARKER);
    let keys = || {
        ApiKeys::builder()
            .key(MARKER, Identity::new("a"))
            .key_sha256(&hex(&Sha256::digest("another key")), Identity::new("b"))
    };
    let looked_up = || ApiKeys::look_up(async |_| Caller::rejected());
    let hashes = || {
        PasswordHashes::builder()
            .user("ann", hash_of_marker(), Identity::new("ann"))
            .user_verified_by("bob", |it| it.as_str() == MARKER, Identity::new("bob"))
    };
    let looked_up_hashes = || {
        let users = PasswordHashes::look_up(async |_| Ok::<_, std::fmt::Error>(None));
        users.stand_in(hash_of_marker())
    };
    let basic = || Basic::password_hashes(hashes().build().expect("in order"));
    let space = || {
        let space = ProtectionSpace::builder().realm("api");
        space.scheme(Bearer::jwt(built())).scheme(basic())
    };
    let known = || Identity::new("ann").with_extension(MARKER.to_owned());
    let digest_secret = || {
        let secret = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "lab", MARKER);
        secret.expect("in order")
    };
    // The stored form of a password is as secret as the password.
    let line = digest_secret().to_line();
    let kept_hash = line.rsplit(':').next().expect("a hash").to_owned();
    let digest = || {
        auth_runtime::schemes::Digest::builder("lab")
            .user(digest_secret(), Identity::new("ann"))
            .nonce_key(nonce_key)
    };
    let links = || SignedUrls::builder().key("2026", MARKER.as_bytes());
    let redis = || Redis::builder(format!("rediss://ann:{MARKER}@redis.example/"));
    let shared = |max_age| {
        let redis = redis().build().expect("in order");
        SharedTokenCache::new(redis, nonce_key, max_age)
    };
    let devices = MutualTls::new(CertificateSource::connection(), async |_| {
        Caller::rejected()
    });
    let proxies = || ["10.0.0.7/32".parse().expect("a network")];
    let proxy = || ProxyIdentity::builder(proxies()).roles_field("Remote-Groups");
    let sessions = || Sessions::builder().cookie("login");
    let layer = || {
        let sessions = sessions().build().expect("in order");
        sessions.cookie_layer(MemoryStore::default())
    };
    let claims = built().caller_of(json!({ "sub": "ann", "password": MARKER }));
    let claims = claims.identity().and_then(Identity::extension::<Claims>);
    let claims = claims.expect("claims");
    assert!(debug(claims).contains("\"password\""), "{claims:?}");
    for (text, start) in [
        (debug(key()), "JwtKey { algorithm: HS256, id: None, .. }"),
        (
            debug(key().with_id("k-1")),
            "JwtKey { algorithm: HS256, id: Some(\"k-1\"), .. }",
        ),
        (
            debug(jwt()),
            "JwtBuilder { issuer: \"https://issuer.example\", audiences: [\"https://api.example\"], .. }",
        ),
        (
            debug(built()),
            "{\"https://issuer.example\": [JwtKey { algorithm: HS256,",
        ),
        (
            debug(keyless().discover().build().expect("in order")),
            "{\"https://issuer.example\": not fetched yet}",
        ),
        (
            debug(keyless().load_balancer(BALANCER).build().expect("in order")),
            "{\"https://issuer.example\": [\"arn:aws:elasticloadbalancing:",
        ),
        (debug(Bearer::jwt(built())), "Bearer"),
        (debug(carried()), "CarriedJwtBuilder { name: \"JWT\", .. }"),
        (
            debug(carried().build().expect("in order")),
            "CarriedJwt { name: \"JWT\", source: Field(\"x-token\"), .. }",
        ),
        (debug(claims), "{\"iss\", \"aud\""),
        (
            debug(introspection()),
            "IntrospectionBuilder { endpoint: Some(\"https://as.example/introspect\"), .. }",
        ),
        // With a password in its URL.
        (
            debug(introspection().endpoint(format!("https://ann:{MARKER}@as.example/"))),
            "IntrospectionBuilder { endpoint: Some(\"https://",
        ),
        // With a key in its query.
        (
            debug(introspection().endpoint(format!("https://as.example/?code={MARKER}"))),
            "IntrospectionBuilder { endpoint: Some(\"https://as.example/?…\"), .. }",
        ),
        (
            debug(
                introspection()
                    .endpoint(format!("https://as.example/?code={MARKER}"))
                    .build()
                    .expect("in order"),
            ),
            "Introspection { endpoint: \"https://as.example/?…\", client: \"client\", .. }",
        ),
        (
            debug(introspection().build().expect("in order")),
            "Introspection { endpoint: \"https://as.example/introspect\", client: \"client\", .. }",
        ),
        (
            debug(dpop()),
            "DpopBuilder { origins: [\"https://api.example\"], .. }",
        ),
        (
            debug(dpop().build().expect("in order")),
            "Dpop { origins: [\"https://api.example\"], algorithms: [ES256, PS256, EdDSA], .. }",
        ),
        (
            debug(hooks()),
            "WebhooksBuilder { name: \"Webhook\", format: GitHub, secrets: 1, .. }",
        ),
        (
            debug(hooks().build().expect("in order")),
            "Webhooks { name: \"Webhook\", format: GitHub, secrets: 1, .. }",
        ),
        (
            debug(keys()),
            "ApiKeysBuilder { scheme: \"ApiKey\", field: \"x-api-key\", keys: 2, .. }",
        ),
        (
            debug(keys().build().expect("in order")),
            "ApiKeys { scheme: \"ApiKey\", field: \"x-api-key\", keys: 2 }",
        ),
        (
            debug(looked_up()),
            "ApiKeyLookUpBuilder { scheme: \"ApiKey\", field: \"x-api-key\", .. }",
        ),
        (
            debug(looked_up().build().expect("in order")),
            "ApiKeys { scheme: \"ApiKey\", field: \"x-api-key\", .. }",
        ),
        (debug(hashes()), "PasswordHashesBuilder { users: 2, .. }"),
        (
            debug(hashes().build().expect("in order")),
            "PasswordHashes { users: 2, .. }",
        ),
        (
            debug(looked_up_hashes()),
            "PasswordHashLookUpBuilder { stand_ins: 1, .. }",
        ),
        (
            debug(looked_up_hashes().build().expect("in order")),
            "PasswordHashes { .. }",
        ),
        (debug(basic()), "Basic"),
        (
            debug(digest_secret()),
            "DigestSecret { user: \"ann\", realm: \"lab\", algorithm: Sha256, .. }",
        ),
        (
            debug(digest()),
            "DigestBuilder { realm: \"lab\", algorithms: {Sha256}, users: 1, .. }",
        ),
        (
            debug(digest().build().expect("in order")),
            "Digest { realm: \"lab\", algorithms: [Sha256], .. }",
        ),
        (debug(links()), "SignedUrlsBuilder {"),
        (debug(links().build().expect("in order")), "SignedUrls {"),
        (
            debug(redis()),
            "RedisBuilder { prefix: \"auth:\", timeout: 500ms, .. }",
        ),
        (
            debug(redis().build().expect("in order")),
            "Redis { address: redis.example:6379,",
        ),
        (
            debug(shared(Duration::from_secs(60))),
            "SharedTokenCache { redis: Redis { address: redis.example:6379, prefix: \"auth:\", timeout: 500ms, .. }, \
             max_age: 60s, .. }",
        ),
        (
            debug(shared(Duration::MAX)),
            "SharedTokenCache { redis: Redis { address: redis.example:6379, prefix: \"auth:\", timeout: 500ms, .. }, \
             max_age: 86400s, .. }",
        ),
        (
            debug(devices),
            "MutualTls { name: \"MutualTLS\", source: CertificateSource",
        ),
        (
            debug(PeerCertificate::new("DER")),
            "PeerCertificate { thumbprint: \"",
        ),
        (
            debug(proxy()),
            "ProxyIdentityBuilder { name: \"Proxy\", user: \"remote-user\", roles: Some(\"Remote-Groups\"), \
             separator: ',', .. }",
        ),
        (
            debug(proxy().build().expect("in order")),
            "ProxyIdentity { name: \"Proxy\", user: \"remote-user\", roles: Some(\"remote-groups\"), \
             separator: ',', proxies:",
        ),
        (
            debug(sessions()),
            "SessionsBuilder { name: \"Cookie\", cookie: \"login\", login_page: None, .. }",
        ),
        (
            debug(sessions().build().expect("in order")),
            "Sessions { name: \"Cookie\", cookie: \"login\", login_page: None,",
        ),
        (
            debug(layer()),
            "SessionCookieLayer { cookie: \"login\", .. }",
        ),
        (
            debug(layer().layer(())),
            "SessionCookies { cookie: \"login\", .. }",
        ),
        (debug(space()), "ProtectionSpaceBuilder {"),
        (
            debug(space().build().expect("in order")),
            "ProtectionSpace {",
        ),
        (debug(known()), "Identity {"),
        (debug(Caller::known(known())), "Known("),
        (
            debug(Verification::done(Caller::known(known()))),
            "Verification",
        ),
    ] {
        assert!(text.starts_with(start), "{text}");
        assert_silent(start, &text);
        assert!(!text.contains(&kept_hash), "{text}");
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
        assert_eq!(format!("{password:?}"), "Password(…)");
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
            auth_runtime::decision::DenialBody::new(HeaderValue::from_static("text/plain"), "")
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
