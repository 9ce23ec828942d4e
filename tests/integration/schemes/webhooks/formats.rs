//! Secrets, times and senders, in every format.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;

/// The fields of a delivery in the format of Stripe or of Standard Webhooks.
type Sign = fn(&[&str], u64, &str) -> Vec<(&'static str, String)>;

/// Signs with each of the secrets.
fn sign_for_stripe(secrets: &[&str], time: u64, body: &str) -> Vec<(&'static str, String)> {
    let signed = format!("{time}.{body}");
    let signatures = secrets.iter().map(|it| hex_signature(it, &signed));
    let signatures: Vec<_> = signatures.map(|it| format!(",v1={it}")).collect();
    vec![(
        "stripe-signature",
        format!("t={time}{}", signatures.concat()),
    )]
}

/// Signs with each of the secrets.
fn sign_by_the_standard(secrets: &[&str], time: u64, body: &str) -> Vec<(&'static str, String)> {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    sign_in_fields(names, secrets, time, body)
}

/// Signs with each of the secrets.
fn sign_as_svix(secrets: &[&str], time: u64, body: &str) -> Vec<(&'static str, String)> {
    let names = ["svix-id", "svix-timestamp", "svix-signature"];
    sign_in_fields(names, secrets, time, body)
}

fn sign_in_fields(
    [id, timestamp, field]: [&'static str; 3],
    secrets: &[&str],
    time: u64,
    body: &str,
) -> Vec<(&'static str, String)> {
    let signature = |secret: &&str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(format!("msg_1.{time}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    let signatures: Vec<_> = secrets.iter().map(signature).collect();
    vec![
        (id, "msg_1".to_owned()),
        (timestamp, time.to_string()),
        (field, signatures.join(" ")),
    ]
}

async fn status_of(app: &impl App, fields: &[(&'static str, String)], body: &str) -> u16 {
    let lines: Vec<_> = fields.iter().map(|(name, it)| (*name, &**it)).collect();
    status(app, &lines, body).await
}

/// Either side may change its secret first, and a sender may sign with both.
#[tokio::test]
async fn every_secret_verifies() {
    // Without `whsec_` it is used as it is.
    const OLD: &str = "v1,the secret of the last year";
    const NEW: &str = "the secret of this year";
    const OTHER: &str = "the secret of another sender";
    let clock = || at(1_731_705_121).clock();
    for secrets in [[OLD, NEW], [NEW, OLD]] {
        let both = |hooks: WebhooksBuilder| {
            let hooks = secrets.iter().fold(hooks, |it, secret| it.secret(secret));
            app_with(hooks.clock(clock()))
        };
        let github = both(Webhooks::github());
        for (secret, expected) in [(OLD, 200), (NEW, 200), (OTHER, 401)] {
            let signature = format!("sha256={}", hex_signature(secret, "{}"));
            let lines = [("x-hub-signature-256", &*signature)];
            assert_eq!(status(&github, &lines, "{}").await, expected, "{secret}");
        }
        let formats: [(_, Sign); 3] = [
            (both(Webhooks::stripe()), sign_for_stripe),
            (both(Webhooks::standard()), sign_by_the_standard),
            (both(Webhooks::svix()), sign_as_svix),
        ];
        for (app, sign) in formats {
            for (signed_with, expected) in [
                (&[OLD][..], 200),
                (&[NEW], 200),
                (&[OLD, NEW], 200),
                (&[OTHER, OLD], 200),
                (&[OTHER, NEW], 200),
                (&[NEW, OTHER], 200),
                (&[OTHER], 401),
                (&[OTHER, OTHER], 401),
            ] {
                let fields = sign(signed_with, 1_731_705_121, "{}");
                let status = status_of(&app, &fields, "{}").await;
                assert_eq!(status, expected, "{signed_with:?} {fields:?}");
            }
        }
    }
}

#[tokio::test]
async fn signed_times_are_within_the_tolerance() {
    const SECRET: &str = "the secret of the sender";
    const NOW: u64 = 1_731_705_121;
    let formats: [(fn() -> WebhooksBuilder, Sign); 3] = [
        (Webhooks::stripe, sign_for_stripe),
        (Webhooks::standard, sign_by_the_standard),
        (Webhooks::svix, sign_as_svix),
    ];
    for (hooks, sign) in formats {
        // The default is five minutes.
        for (tolerance, seconds) in [
            (None, 300),
            (Some(0), 0),
            (Some(10), 10),
            (Some(3600), 3600),
        ] {
            let hooks = hooks().secret(SECRET).clock(at(NOW).clock());
            let app = app_with(match tolerance {
                Some(seconds) => hooks.tolerance(Duration::from_secs(seconds)),
                None => hooks,
            });
            for (sent, expected) in [
                (NOW, 200),
                (NOW - seconds, 200),
                (NOW - seconds - 1, 401),
                (NOW + seconds, 200),
                (NOW + seconds + 1, 401),
                (0, 401),
                (u64::MAX, 401),
            ] {
                let fields = sign(&[SECRET], sent, "{}");
                let status = status_of(&app, &fields, "{}").await;
                assert_eq!(status, expected, "{tolerance:?} {fields:?}");
            }
        }
    }
}

/// Every format has a subject of its own, and no grants.
#[tokio::test]
async fn senders_are_named_by_their_format() {
    #[requires(authenticated)]
    async fn subject(guard: Guard) -> String {
        guard.identity().subject().to_owned()
    }

    const SECRET: &str = "the secret of the sender";
    let clock = at(1_731_705_121).clock();
    let github = format!("sha256={}", hex_signature(SECRET, "{}"));
    for (hooks, fields, expected) in [
        (
            Webhooks::github(),
            vec![("x-hub-signature-256", github)],
            "github",
        ),
        (
            Webhooks::stripe(),
            sign_for_stripe(&[SECRET], 1_731_705_121, "{}"),
            "stripe",
        ),
        (
            Webhooks::standard(),
            sign_by_the_standard(&[SECRET], 1_731_705_121, "{}"),
            "webhook",
        ),
        (
            Webhooks::svix(),
            sign_as_svix(&[SECRET], 1_731_705_121, "{}"),
            "svix",
        ),
    ] {
        let hooks = hooks.secret(SECRET).clock(clock.clone()).build();
        let app = GuardedRouter::new()
            .route("/subject", post(subject))
            .route("/pushed", post(pushed))
            .protect(space(hooks.expect("the scheme is in order")))
            .expect("the routes are in order");
        let lines: Vec<_> = fields.iter().map(|(name, it)| (*name, &**it)).collect();
        let response = post_to(&app, "/subject", &lines, "{}").await;
        assert_eq!(text(response).await, expected);
        assert_eq!(status(&app, &lines, "{}").await, 403, "{expected}");
    }
}

/// The example of Svix, in its own fields. A client cannot choose among two ids.
#[tokio::test]
async fn svix_has_fields_of_its_own() {
    const ENCODED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"test": 2432232314}"#;
    let clock = at(1_614_265_330).clock();
    let app = |hooks: WebhooksBuilder| app_with(hooks.secret(ENCODED).clock(clock.clone()));
    let (svix, standard) = (app(Webhooks::svix()), app(Webhooks::standard()));
    let values = [
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ];
    let of_svix = ["svix-id", "svix-timestamp", "svix-signature"];
    let of_standard = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    for mixed in 0..8 {
        let names = [0, 1, 2].map(|place| match (mixed >> place) & 1 {
            0 => of_svix[place],
            _ => of_standard[place],
        });
        let lines = [0, 1, 2].map(|place| (names[place], values[place]));
        let expected = |only| if mixed == only { 200 } else { 401 };
        assert_eq!(status(&svix, &lines, BODY).await, expected(0), "{names:?}");
        assert_eq!(
            status(&standard, &lines, BODY).await,
            expected(7),
            "{names:?}"
        );
    }
    let valid = [0, 1, 2].map(|place| (of_svix[place], values[place]));
    assert_eq!(status(&svix, &valid, "{}").await, 401);
    // The time is signed.
    let mut moved = valid;
    moved[1].1 = "1614265331";
    assert_eq!(status(&svix, &moved, BODY).await, 401);
}

const NOW: u64 = 1_731_705_121;
const SECRET: &str = "the secret of the sender";

/// An application in the format of Standard Webhooks, and the fields of a valid delivery of `{}`.
fn standard() -> (ProtectedRouter, Vec<(&'static str, String)>) {
    let hooks = Webhooks::standard().secret(SECRET).clock(at(NOW).clock());
    (app_with(hooks), sign_by_the_standard(&[SECRET], NOW, "{}"))
}

/// A handler might read the other line, for example to recognize a second delivery.
#[tokio::test]
async fn signed_fields_occur_once() {
    let (app, valid) = standard();
    assert_eq!(status_of(&app, &valid, "{}").await, 200);
    for (field, value) in &valid {
        for other in [value.as_str(), "x", "1731705120"] {
            for is_first in [true, false] {
                let mut fields = valid.clone();
                let place = if is_first { 0 } else { fields.len() };
                fields.insert(place, (*field, other.to_owned()));
                let expected = if *field == "webhook-signature" {
                    400
                } else {
                    401
                };
                let status = status_of(&app, &fields, "{}").await;
                assert_eq!(status, expected, "{field}: {other}");
            }
        }
    }
}

/// A short signature could be guessed.
#[tokio::test]
async fn signatures_are_whole() {
    let (app, valid) = standard();
    let signature = valid[2].1.strip_prefix("v1,").expect("a version");
    let bytes = STANDARD.decode(signature).expect("base64");
    let longer = [bytes.as_slice(), &[0]].concat();
    let others = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    for other in others.chain([bytes[1..].to_vec(), longer]) {
        let mut fields = valid.clone();
        fields[2].1 = format!("v1,{}", STANDARD.encode(&other));
        assert_eq!(status_of(&app, &fields, "{}").await, 401, "{}", other.len());
    }
    let github = app_with(Webhooks::github().secret(GITHUB_SECRET));
    let bare = GITHUB_SIGNATURE.strip_prefix("sha256=").expect("a hash");
    for (value, expected) in [
        (GITHUB_SIGNATURE, 200),
        (bare, 401),
        (&format!("{GITHUB_SIGNATURE}00"), 401),
        (&GITHUB_SIGNATURE[..GITHUB_SIGNATURE.len() - 2], 401),
    ] {
        let lines = [("x-hub-signature-256", value)];
        assert_eq!(
            status(&github, &lines, GITHUB_BODY).await,
            expected,
            "{value}"
        );
    }
}

#[tokio::test]
async fn only_sixteen_known_version_signatures_count() {
    let (app, valid) = standard();
    let own = valid[2].1.clone();
    let value = own.strip_prefix("v1,").expect("a version");
    let wrong = format!("v1,{} ", STANDARD.encode([7; 32]));
    for (signatures, expected) in [
        (own.clone(), 200),
        (format!("{}{own}", wrong.repeat(15)), 200),
        (format!("{}{own}", wrong.repeat(16)), 401),
        // Those of other versions count for nothing.
        (format!("{}{own}", "v1a,x ".repeat(20)), 200),
        (format!("v2,{value}"), 401),
        (format!("v1a,{value}"), 401),
        (format!("V1,{value}"), 401),
        (format!("v1={value}"), 401),
        (value.to_owned(), 401),
    ] {
        let mut fields = valid.clone();
        fields[2].1 = signatures;
        let status = status_of(&app, &fields, "{}").await;
        assert_eq!(status, expected, "{}", fields[2].1);
    }
}

/// The body of each is read, and none counts for the sender of another one.
#[tokio::test]
async fn several_senders_have_one_space() {
    let clock = at(NOW).clock();
    let github = Webhooks::github().secret(GITHUB_SECRET).identity(sender());
    let stripe = Webhooks::stripe().secret(SECRET).identity(sender());
    let named = |hooks: WebhooksBuilder, name| hooks.scheme_name(name).build().expect("in order");
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(named(github, "GitHub"))
        .scheme(named(stripe.clock(clock), "Stripe"));
    let app = GuardedRouter::new()
        .route("/pushed", post(pushed))
        .protect(space.build().expect("the space is in order"))
        .expect("the routes are in order");
    let signature = |secret| format!("sha256={}", hex_signature(secret, "{}"));
    let of_github = vec![("x-hub-signature-256", signature(GITHUB_SECRET))];
    let of_stripe = sign_for_stripe(&[SECRET], NOW, "{}");
    for (fields, expected) in [
        (of_github.clone(), 200),
        (of_stripe.clone(), 200),
        (vec![("x-hub-signature-256", signature(SECRET))], 401),
        (sign_for_stripe(&[GITHUB_SECRET], NOW, "{}"), 401),
        ([of_github, of_stripe].concat(), 400),
    ] {
        let status = status_of(&app, &fields, "{}").await;
        assert_eq!(status, expected, "{fields:?}");
    }
}

/// Records distinguish a wrong clock from a wrong secret.
#[tokio::test]
async fn records_give_reason_of_rejection() {
    let rejections = Arc::new(Mutex::new(Vec::new()));
    for (hooks, sign) in [
        (Webhooks::stripe(), sign_for_stripe as Sign),
        (Webhooks::standard(), sign_by_the_standard),
    ] {
        let hooks = hooks.secret(SECRET).clock(at(NOW).clock()).build();
        let log = Arc::clone(&rejections);
        let space = ProtectionSpace::builder()
            .realm("api")
            .scheme(hooks.expect("the scheme is in order"))
            .audit(move |record| {
                if let Some(Caller::Rejected(rejection)) = record.caller() {
                    log.lock().expect("no panic").push(*rejection);
                }
            });
        let app = GuardedRouter::new()
            .route("/pushed", post(pushed))
            .protect(space.build().expect("the space is in order"))
            .expect("the routes are in order");
        for (secret, time, expected) in [
            (SECRET, NOW - 301, Rejection::Expired),
            (SECRET, NOW + 301, Rejection::Expired),
            ("the secret of another sender", NOW, Rejection::Invalid),
            ("the secret of another sender", 0, Rejection::Invalid),
        ] {
            let fields = sign(&[secret], time, "{}");
            assert_eq!(status_of(&app, &fields, "{}").await, 401, "{fields:?}");
            let seen = std::mem::take(&mut *rejections.lock().expect("no panic"));
            assert_eq!(seen, [expected], "{fields:?}");
        }
    }
}

/// A client may list sixteen signatures, and the body of a webhook may have many megabytes.
#[tokio::test]
async fn bodies_are_hashed_once() {
    let app = app_with(Webhooks::stripe().secret("whsec_a_secret_of_stripe"));
    let body = "x".repeat(1_000_000);
    let time = async |signatures: usize| {
        let signature = format!(",v1={}", "0".repeat(64)).repeat(signatures);
        let lines = [("stripe-signature", &*format!("t=1{signature}"))];
        let mut shortest = Duration::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            assert_eq!(status(&app, &lines, &body).await, 401);
            shortest = shortest.min(start.elapsed());
        }
        shortest
    };
    // Until the load of other tests passes.
    for _ in 0..20 {
        let (one, sixteen) = (time(1).await, time(16).await);
        if sixteen < 4 * one {
            return;
        }
    }
    panic!("sixteen signatures take four times as long as one");
}
