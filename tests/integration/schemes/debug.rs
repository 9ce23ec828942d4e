//! The output of `Debug`, which names the type and has no secret.

use std::time::Duration;

use auth_runtime::schemes::{
    CertificateSource, Digest, DigestAlgorithm, DigestSecret, Dpop, Introspection, MutualTls,
    PeerCertificate, ProxyIdentity, Redis, Sessions, SharedTokenCache, Webhooks,
};
use tower::Layer;
use tower_sessions::MemoryStore;

use crate::schemes::tokens::rsa_verifier;
use crate::schemes::*;

const SECRET: &str = "a secret of exactly 32 bytes ...";
const BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";

#[test]
fn debug_names_the_type_and_no_secret() {
    let jwt = || Jwt::builder().issuer(ISSUER).audience(AUDIENCE);
    let key = || JwtKey::hs256(SECRET).expect("a key").with_id("k-1");
    let bearer = || Bearer::jwt(rsa_verifier());
    let keys = || ApiKeys::builder().key(SECRET, Identity::new("billing"));
    let looked_up = || ApiKeys::look_up(async |_| Caller::rejected());
    let hashes = || {
        PasswordHashes::builder().user_verified_by(
            "ann",
            |password| password.as_str() == SECRET,
            Identity::new("ann"),
        )
    };
    let secret = || DigestSecret::of(DigestAlgorithm::Sha256, "ann", "lab", SECRET);
    let secret = || secret().expect("a name");
    let digest = || Digest::builder("lab").user(secret(), Identity::new("ann"));
    let nonce_key = *b"a secret of exactly 32 bytes ...";
    let dpop = || {
        let dpop = Dpop::jwt(rsa_verifier()).origin(AUDIENCE);
        dpop.nonces_with_key(nonce_key)
    };
    let introspection = || {
        Introspection::builder()
            .endpoint("https://issuer.example/introspect")
            .client_secret("my-api", SECRET)
    };
    let proxies = || ["10.0.0.7/32".parse().expect("a network")];
    let proxy = || ProxyIdentity::builder(proxies()).roles_field("Remote-Groups");
    let redis = || Redis::builder(format!("redis://:{SECRET}@redis.internal/").replace(' ', "-"));
    let redis_client = || redis().build().expect("a URL");
    let sessions = || Sessions::builder().cookie("login");
    let layer = || {
        sessions()
            .build()
            .expect("sessions")
            .cookie_layer(MemoryStore::default())
    };
    let hooks = || Webhooks::github().secret(SECRET);
    let carried = || rsa_verifier().in_field("x-token");
    let devices = MutualTls::new(CertificateSource::connection(), async |_| {
        Caller::rejected()
    });
    let claims = rsa_verifier().caller_of(json!({ "sub": "ann", "password": SECRET }));
    let claims = claims.identity().and_then(Identity::extension::<Claims>);
    for (shown, start) in [
        (
            format!("{:?}", key()),
            "JwtKey { algorithm: HS256, id: Some(\"k-1\"), .. }",
        ),
        (
            format!("{:?}", jwt().key(key())),
            "JwtBuilder { issuer: \"https://issuer.example\", audiences: [\"https://api.example\"], .. }",
        ),
        (
            format!("{:?}", jwt().key(key()).build().expect("a verifier")),
            "{\"https://issuer.example\": [JwtKey { algorithm: HS256,",
        ),
        (
            format!("{:?}", jwt().discover().build().expect("a verifier")),
            "{\"https://issuer.example\": not fetched yet}",
        ),
        (
            format!(
                "{:?}",
                jwt().load_balancer(BALANCER).build().expect("a verifier")
            ),
            "{\"https://issuer.example\": [\"arn:aws:elasticloadbalancing:",
        ),
        (format!("{:?}", bearer()), "Bearer"),
        (
            format!("{:?}", carried()),
            "CarriedJwtBuilder { name: \"JWT\", .. }",
        ),
        (
            format!("{:?}", carried().build().expect("a scheme")),
            "CarriedJwt { name: \"JWT\", source: Field(\"x-token\"), .. }",
        ),
        (
            format!(
                "{:?}",
                Basic::password_hashes(hashes().build().expect("hashes"))
            ),
            "Basic",
        ),
        (
            format!("{:?}", hashes()),
            "PasswordHashesBuilder { users: 1, .. }",
        ),
        (
            format!("{:?}", hashes().build().expect("hashes")),
            "PasswordHashes { users: 1, .. }",
        ),
        (
            format!("{:?}", secret()),
            "DigestSecret { user: \"ann\", realm: \"lab\", algorithm: Sha256, .. }",
        ),
        (
            format!("{:?}", digest()),
            "DigestBuilder { realm: \"lab\", algorithms: {Sha256}, users: 1, .. }",
        ),
        (
            format!("{:?}", digest().build().expect("a scheme")),
            "Digest { realm: \"lab\", algorithms: [Sha256], .. }",
        ),
        (
            format!("{:?}", dpop()),
            "DpopBuilder { origins: [\"https://api.example\"], .. }",
        ),
        (
            format!("{:?}", dpop().build().expect("a scheme")),
            "Dpop { origins: [\"https://api.example\"], algorithms: [ES256, PS256, EdDSA], .. }",
        ),
        (
            format!("{:?}", introspection()),
            "IntrospectionBuilder { endpoint: Some(\"https://issuer.example/introspect\"), .. }",
        ),
        (
            format!(
                "{:?}",
                introspection().any_audience().build().expect("an endpoint")
            ),
            "Introspection { endpoint: \"https://issuer.example/introspect\", client: \"my-api\", .. }",
        ),
        (
            format!("{:?}", keys()),
            "ApiKeysBuilder { scheme: \"ApiKey\", field: \"x-api-key\", keys: 1, .. }",
        ),
        (
            format!("{:?}", keys().build().expect("keys")),
            "ApiKeys { scheme: \"ApiKey\", field: \"x-api-key\", keys: 1 }",
        ),
        (
            format!("{:?}", looked_up()),
            "ApiKeyLookUpBuilder { scheme: \"ApiKey\", field: \"x-api-key\", .. }",
        ),
        (
            format!("{:?}", looked_up().build().expect("keys")),
            "ApiKeys { scheme: \"ApiKey\", field: \"x-api-key\", .. }",
        ),
        (
            format!("{devices:?}"),
            "MutualTls { name: \"MutualTLS\", source: CertificateSource",
        ),
        (
            format!("{:?}", PeerCertificate::new("DER")),
            "PeerCertificate { thumbprint: \"",
        ),
        (
            format!("{:?}", proxy()),
            "ProxyIdentityBuilder { name: \"Proxy\", user: \"remote-user\", roles: Some(\"Remote-Groups\"), \
             separator: ',', .. }",
        ),
        (
            format!("{:?}", proxy().build().expect("a proxy")),
            "ProxyIdentity { name: \"Proxy\", user: \"remote-user\", roles: Some(\"remote-groups\"), \
             separator: ',', proxies:",
        ),
        (
            format!("{:?}", redis()),
            "RedisBuilder { prefix: \"auth:\", timeout: 500ms, .. }",
        ),
        (
            format!("{:?}", redis_client()),
            "Redis { address: redis.internal:6379,",
        ),
        (
            format!(
                "{:?}",
                SharedTokenCache::new(redis_client(), nonce_key, Duration::MAX)
            ),
            "SharedTokenCache { redis: Redis { address: redis.internal:6379,",
        ),
        (
            format!("{:?}", sessions()),
            "SessionsBuilder { name: \"Cookie\", cookie: \"login\", login_page: None, .. }",
        ),
        (
            format!("{:?}", sessions().build().expect("sessions")),
            "Sessions { name: \"Cookie\", cookie: \"login\", login_page: None,",
        ),
        (
            format!("{:?}", layer()),
            "SessionCookieLayer { cookie: \"login\", .. }",
        ),
        (
            format!("{:?}", layer().layer(())),
            "SessionCookies { cookie: \"login\", .. }",
        ),
        (
            format!("{:?}", hooks()),
            "WebhooksBuilder { name: \"Webhook\", format: GitHub, secrets: 1, .. }",
        ),
        (
            format!("{:?}", hooks().build().expect("hooks")),
            "Webhooks { name: \"Webhook\", format: GitHub, secrets: 1, .. }",
        ),
    ] {
        assert!(shown.starts_with(start), "{shown}");
        assert!(
            !shown.contains("secret of") && !shown.contains("secret-of"),
            "{shown}"
        );
    }
    let claims = format!("{:?}", claims.expect("claims"));
    assert!(claims.contains("\"password\""), "{claims}");
    assert!(!claims.contains(SECRET), "{claims}");
    let stored = secret().to_line();
    let (_, hash) = stored.rsplit_once(':').expect("a hash");
    assert!(!format!("{:?} {:?}", secret(), digest()).contains(hash));
}

#[tokio::test]
async fn debug_of_a_password_does_not_show_it() {
    let basic = Basic::new(async |_, password| {
        assert_eq!(format!("{password:?}"), "Password(…)");
        Caller::known(Identity::new("ann"))
    });
    let response = send(&app(space(basic)), "/known", &self::basic("ann:secret")).await;
    assert_eq!(response.status(), 200);
}
