//! The expiry of identities that the service gives to schemes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::clock::ManualClock;
use auth_runtime::public;
use auth_runtime::schemes::{
    CertificateSource, Digest, DigestAlgorithm, DigestLookUpError, DigestSecret, MutualTls,
    PeerCertificate, ProxyIdentity, SchemeExt, Sessions, Tokens, Webhooks,
};
use auth_tests::digest::Login;
use hmac::{Hmac, KeyInit, Mac};
use http_auth::parse_challenges;

use crate::schemes::*;

const HOUR: Duration = Duration::from_secs(3600);
const KEY: &str = "k-4f1c0b6e9a8d47d2";

#[public(reason = "for all; members see more", identity = optional)]
async fn optional(guard: Guard) -> String {
    let subject = guard.identity().map(Identity::subject);
    subject.unwrap_or("nobody").to_owned()
}

#[requires(authenticated, hide_as = 404)]
async fn hidden() {}

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_731_705_121)
}

/// A caller whose credentials are accepted for an hour.
fn ann() -> Identity {
    Identity::new("ann").with_expiry(start() + HOUR)
}

fn service(scheme: impl Scheme, time: &ManualClock) -> ProtectedRouter {
    GuardedRouter::new()
        .route("/known", get(known))
        .route("/optional", get(optional))
        .route("/hidden", get(hidden))
        .protect(space_at(&time.clock(), scheme))
        .expect("the routes are in order")
}

/// Adds the credentials to a request.
type Present = Box<dyn Fn(&mut Request)>;

fn field(name: &'static str, value: &str) -> Present {
    let value = HeaderValue::try_from(value).expect("a field value");
    Box::new(move |request| {
        request.headers_mut().insert(name, value.clone());
    })
}

fn proxied() -> Present {
    let peer = std::net::SocketAddr::from(([10, 0, 0, 7], 4711));
    Box::new(move |request| {
        request.extensions_mut().insert(peer);
        let user = HeaderValue::from_static("ann");
        request.headers_mut().insert("remote-user", user);
    })
}

fn certified() -> Present {
    Box::new(|request| {
        let certificate = PeerCertificate::new("DER");
        request.extensions_mut().insert(certificate);
    })
}

fn signed() -> Present {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(KEY.as_bytes()).expect("a key");
    let signature = mac.finalize().into_bytes();
    let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    field("x-hub-signature-256", &format!("sha256={digits}"))
}

async fn ask(app: &ProtectedRouter, target: &str, present: &Present) -> Response {
    let mut request = Request::get(target).body(Body::empty()).expect("a request");
    present(&mut request);
    app.clone().oneshot(request).await.expect("infallible")
}

/// A proxy that keeps the time until which it authenticated the user.
struct Until(ProxyIdentity);

impl Scheme for Until {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn sources(&self) -> Vec<Source> {
        self.0.sources()
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let verification = self.0.verify(credentials);
        verification.map(|caller| match caller {
            Caller::Known(identity) => Caller::known(identity.with_expiry(start() + HOUR)),
            caller => caller,
        })
    }
}

fn schemes(time: &ManualClock) -> Vec<(&'static str, ProtectedRouter, Present)> {
    let keys = ApiKeys::builder().key(KEY, ann()).build().expect("keys");
    let looked_up = ApiKeys::look_up(async |_| Some(ann())).build();
    let hashes = PasswordHashes::builder().user_verified_by("ann", |_| true, ann());
    let hashes = hashes.build().expect("hashes");
    let hooks = Webhooks::github().secret(KEY).identity(ann()).build();
    let devices = MutualTls::new(CertificateSource::connection(), async |_| Some(ann()));
    let sessions = Sessions::look_up(async |_| Some(ann())).build();
    let in_extension = Sessions::in_extension(async |_: PeerCertificate| Some(ann())).build();
    let proxy = ProxyIdentity::builder(["10.0.0.7/32".parse().expect("a network")]);
    let proxy = Until(proxy.build().expect("a scheme"));
    let with_user = Bearer::new(async |_| Some(Identity::new("ann")));
    let with_user = with_user.with_user((), async |(), identity: Identity| {
        let identity = identity.with_expiry(start() + HOUR);
        Ok::<_, std::io::Error>(Some((identity, 7)))
    });
    let both = |request: &mut Request| {
        certified()(request);
        field("cookie", "id=1")(request);
    };
    vec![
        ("API keys", service(keys, time), field("x-api-key", KEY)),
        (
            "API keys of a table",
            service(looked_up.expect("keys"), time),
            field("x-api-key", KEY),
        ),
        (
            "password hashes",
            service(Basic::password_hashes(hashes), time),
            field("authorization", "Basic YW5uOng="),
        ),
        (
            "Basic",
            service(Basic::new(async |_, _| Some(ann())), time),
            field("authorization", "Basic YW5uOng="),
        ),
        (
            "Bearer",
            service(Bearer::new(async |_| Some(ann())), time),
            field("authorization", "Bearer x"),
        ),
        (
            "tokens",
            service(Tokens::new("Token", async |_| Some(ann())), time),
            field("authorization", "Token x"),
        ),
        (
            "webhooks",
            service(hooks.expect("a scheme"), time),
            signed(),
        ),
        ("certificates", service(devices, time), certified()),
        (
            "sessions",
            service(sessions.expect("sessions"), time),
            field("cookie", "id=1"),
        ),
        (
            "sessions of a layer",
            service(in_extension.expect("sessions"), time),
            Box::new(both),
        ),
        ("a scheme of the service", service(proxy, time), proxied()),
        (
            "a user",
            service(with_user, time),
            field("authorization", "Bearer x"),
        ),
    ]
}

/// The time of the expiry itself is too late, as for `exp` (RFC 7519 §4.1.4).
#[tokio::test]
async fn identities_of_every_scheme_expire() {
    let time = ManualClock::new(start());
    let schemes = schemes(&time);
    for (later, expected) in [
        (Duration::ZERO, 200),
        (HOUR - Duration::from_nanos(1), 200),
        (Duration::from_nanos(1), 401),
        (HOUR, 401),
    ] {
        time.advance(later);
        for (name, app, present) in &schemes {
            let response = ask(app, "/known", present).await;
            assert_eq!(response.status(), expected, "{name} {later:?}");
            let is_challenged = !challenges(&response).is_empty();
            assert_eq!(is_challenged, expected == 401, "{name} {later:?}");
            // A path that is hidden is no way to learn of it.
            let hidden = ask(app, "/hidden", present).await;
            let unknown = ask(app, "/nowhere", present).await;
            if expected == 401 {
                assert_eq!(hidden.status(), unknown.status(), "{name} {later:?}");
                assert_eq!(challenges(&hidden), challenges(&unknown), "{name}");
            } else {
                assert_eq!(hidden.status(), 200, "{name} {later:?}");
            }
        }
    }
}

#[tokio::test]
async fn expired_credentials_are_reported_as_expired() {
    let time = ManualClock::new(start() + HOUR);
    let tokens = service(Bearer::new(async |_| Some(ann())), &time);
    for target in ["/known", "/optional", "/nowhere"] {
        let response = send(&tokens, target, &bearer("x")).await;
        assert_eq!(response.status(), 401, "{target}");
        assert_eq!(challenges(&response), [EXPIRED], "{target}");
    }
    // A dead cookie is removed, and counts as none for an optional identity.
    let sessions = Sessions::look_up(async |_| Some(ann())).build();
    let sessions = service(sessions.expect("sessions"), &time);
    let cookie: Lines = vec![("cookie", b"id=1".to_vec())];
    let response = send(&sessions, "/known", &cookie).await;
    assert!(response.headers().contains_key("set-cookie"));
    let response = send(&sessions, "/optional", &cookie).await;
    assert_eq!(text(response).await, "nobody");
}

/// A client that knows the password receives a nonce first.
#[tokio::test]
async fn users_of_digest_expire() {
    fn secret() -> DigestSecret {
        let secret = DigestSecret::of(DigestAlgorithm::Sha256, "ann", "api", "secret");
        secret.expect("a name")
    }
    for is_table in [true, false] {
        for (now, expected) in [(start(), 200), (start() + HOUR, 401)] {
            let time = ManualClock::new(now);
            let digest = match is_table {
                true => Digest::builder("api").user(secret(), ann()),
                false => Digest::builder("api").look_up(move |_, _| {
                    std::future::ready(Ok::<_, DigestLookUpError>(Some((secret(), ann()))))
                }),
            };
            let app = service(digest.build().expect("a scheme"), &time);
            let refused = send(&app, "/known", &vec![]).await;
            let lines = challenges(&refused);
            let challenge = parse_challenges(lines[0]).expect("a challenge");
            let nonce = challenge[0]
                .params
                .iter()
                .find(|(name, _)| *name == "nonce");
            let login = Login {
                nonce: nonce.expect("a nonce").1.to_unescaped(),
                uri: "/known".to_owned(),
                ..Login::new("SHA-256", "ann", "api", "secret")
            };
            let response = send(&app, "/known", &authorization(login.authorization())).await;
            assert_eq!(response.status(), expected, "{is_table}");
        }
    }
}

/// The key of an application expires on its own, and a client with a valid token keeps it.
#[tokio::test]
async fn an_expired_key_leaves_the_token() {
    const OF_KEY: &str = "ApiKey realm=\"api\"";
    let key = |expiry: Duration| {
        let web = Identity::new("web").with_expiry(start() + expiry);
        let keys = ApiKeys::builder().field("apikey").key(KEY, web);
        keys.build().expect("keys")
    };
    let token = |expiry: Duration| {
        let ann = Identity::new("ann").with_expiry(start() + expiry);
        Bearer::new(move |_| std::future::ready(Some(ann.clone())))
    };
    let lines = [bearer("x"), vec![("apikey", KEY.as_bytes().to_vec())]].concat();
    for (of_token, of_key, challenged) in [
        (HOUR, HOUR, &[][..]),
        (HOUR, Duration::ZERO, &[OF_KEY]),
        (Duration::ZERO, HOUR, &[EXPIRED, OF_KEY]),
        (Duration::ZERO, Duration::ZERO, &[EXPIRED, OF_KEY]),
    ] {
        let time = ManualClock::new(start());
        let app = service(token(of_token).with_application(key(of_key)), &time);
        let response = send(&app, "/known", &lines).await;
        let expected = if challenged.is_empty() { 200 } else { 401 };
        assert_eq!(response.status(), expected, "{of_token:?} {of_key:?}");
        assert_eq!(challenges(&response), challenged, "{of_token:?} {of_key:?}");
    }
    // An expired token without a key is expired.
    let time = ManualClock::new(start());
    let app = service(token(Duration::ZERO).with_application(key(HOUR)), &time);
    let response = send(&app, "/known", &bearer("x")).await;
    assert!(challenges(&response).contains(&EXPIRED));
}

/// The old key of a caller ends, and the new one stays.
#[tokio::test]
async fn old_key_ends_beside_new_one() {
    let billing = Identity::new("billing");
    let keys = ApiKeys::builder()
        .key(
            "the-old-key-of-billing",
            billing.clone().with_expiry(start() + HOUR),
        )
        .key("the-new-key-of-billing", billing);
    let time = ManualClock::new(start());
    let app = service(keys.build().expect("keys"), &time);
    for (later, old) in [(Duration::ZERO, 200), (HOUR, 401)] {
        time.advance(later);
        for (key, status) in [
            ("the-old-key-of-billing", old),
            ("the-new-key-of-billing", 200),
        ] {
            let lines: Lines = vec![("x-api-key", key.into())];
            let response = send(&app, "/known", &lines).await;
            assert_eq!(response.status(), status, "{key} {later:?}");
        }
    }
}

/// The user is not loaded for an expired login.
#[tokio::test]
async fn expired_logins_load_no_user() {
    let time = ManualClock::new(start() + HOUR);
    let scheme = Bearer::new(async |_| Some(ann()));
    let scheme = scheme.with_user((), async |(), _: Identity| {
        Err::<Option<(Identity, u8)>, _>(std::io::Error::other("the database is down"))
    });
    let app = service(scheme, &time);
    let response = send(&app, "/known", &bearer("x")).await;
    assert_eq!(
        (response.status().as_u16(), challenges(&response)),
        (401, vec![EXPIRED])
    );
}
