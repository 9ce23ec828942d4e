//! API keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::schemes::*;

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
            row("64 KiB", key(&"a".repeat(64 << 10)), 431, &[]),
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
async fn api_keys_are_stored_as_sha256() {
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

#[tokio::test]
async fn each_key_has_its_own_caller() {
    let names = ["billing", "orders", "reports"];
    let key = |name: &str| format!("k-of-{name}-4f1c0b6e9a8d47d2");
    let keys = names.iter().fold(ApiKeys::builder(), |keys, name| {
        let identity = Identity::new(*name).with_issuer("https://keys.example");
        let identity = identity.with_scopes([format!("{name}:read")]);
        let identity = identity.with_roles([format!("{name}-clerk")]);
        let identity = identity.with_permissions([format!("{name}.close")]);
        keys.key(&key(name), identity.with_acr("key").with_amr(["swk"]))
    });
    let app = app(space(keys.scheme_name("Key").build().expect("keys")));
    for name in names {
        let lines = vec![("x-api-key", key(name).into_bytes())];
        let identity = text(send(&app, "/known", &lines).await).await;
        for part in [
            format!("subject: {name:?}, issuer: Some(\"https://keys.example\")"),
            format!("{name}:read"),
            format!("{name}-clerk"),
            format!("{name}.close"),
            "acr: Some(\"key\")".to_owned(),
            "swk".to_owned(),
        ] {
            assert!(identity.contains(&part), "{part}: {identity}");
        }
    }
    let response = send(&app, "/known", &vec![]).await;
    assert_eq!(challenges(&response), ["Key realm=\"api\""]);
}

#[requires(authenticated, schemes("Partner"))]
async fn partners() {}

#[tokio::test]
async fn looked_up_keys_have_scheme_names() {
    let keys = ApiKeys::look_up(async |key| (key == "k-of-ann").then(|| Identity::new("ann")));
    let keys = keys.scheme_name("Partner").build().expect("keys");
    let app = GuardedRouter::new().route("/partners", get(partners));
    let app = app.protect(space(keys)).expect("the scheme has the name");
    let response = send(&app, "/partners", &vec![]).await;
    assert_eq!(challenges(&response), ["Partner realm=\"api\""]);
    let lines = vec![("x-api-key", b"k-of-ann".to_vec())];
    assert_eq!(send(&app, "/partners", &lines).await.status(), 200);
}

/// A shared cache stores responses to requests without `Authorization` (RFC 9111 §3.5).
#[tokio::test]
async fn responses_to_keys_are_private() {
    let keys = ApiKeys::builder().key("k-4f1c0b6e9a8d47d2", Identity::new("billing"));
    let app = app(space(keys.build().expect("keys")));
    let lines = vec![("x-api-key", b"k-4f1c0b6e9a8d47d2".to_vec())];
    let response = send(&app, "/known", &lines).await;
    assert_eq!(response.headers()["cache-control"], "private");
}

#[test]
fn invalid_api_keys_are_build_errors() {
    let who = || Identity::new("billing");
    let key = "k-4f1c0b6e9a8d47d2";
    let error = |keys: auth_runtime::schemes::ApiKeysBuilder| keys.build().err();
    let billing = || "billing".to_owned();
    assert_eq!(error(ApiKeys::builder()), Some(ApiKeysError::NoKey));
    assert_eq!(
        error(ApiKeys::builder().key("too short", who())),
        Some(ApiKeysError::ShortKey(billing()))
    );
    assert_eq!(
        error(ApiKeys::builder().key(&key[..15], who())),
        Some(ApiKeysError::ShortKey(billing()))
    );
    assert_eq!(error(ApiKeys::builder().key(&key[..16], who())), None);
    // A received key is visible ASCII, and the spaces around it do not belong to it.
    let longest = "k".repeat(ProtectionSpace::MAX_CREDENTIALS);
    for unsendable in [
        &format!("{key}\n"),
        &format!("\r\n{key}"),
        &format!(" {key}"),
        &format!("{key} "),
        &format!("{}\n", &key[..15]),
        "k-4f1c\t0b6e9a8d47d2",
        "k-4f1c0b6e9a8d47d\u{df}",
        &format!("{longest}k"),
    ] {
        assert_eq!(
            error(ApiKeys::builder().key(unsendable, who())),
            Some(ApiKeysError::UnsendableKey(billing())),
            "{unsendable:?}"
        );
    }
    for sendable in ["a key of sixteen bytes", &longest] {
        assert_eq!(error(ApiKeys::builder().key(sendable, who())), None);
    }
    for digest in [
        "no digest",
        &"+1".repeat(32),
        &"ab".repeat(31),
        &"ab".repeat(33),
    ] {
        assert_eq!(
            error(ApiKeys::builder().key_sha256(digest, who())),
            Some(ApiKeysError::NoDigest(billing())),
            "{digest}"
        );
    }
    assert_eq!(
        error(ApiKeys::builder().key(key, who()).key(key, who())),
        Some(ApiKeysError::KeyTwice)
    );
    let others = ApiKeys::builder()
        .key(key, who())
        .key("k-8d47d24f1c0b6e9a", who())
        .key("k-0b6e9a8d47d24f1c", who());
    assert_eq!(error(others.key(key, who())), Some(ApiKeysError::KeyTwice));
    for field in [
        "authorization",
        "Proxy-Authorization",
        "Cookie",
        "host",
        "accept",
        "content-type",
        "content-length",
        "connection",
        "Sec-WebSocket-Protocol",
        "two words",
        "",
    ] {
        let keys = ApiKeys::builder().key(key, who()).field(field);
        assert_eq!(error(keys), Some(ApiKeysError::Field(field.to_owned())));
    }
}

/// The function receives what a client sent, within the bounds of all schemes.
#[tokio::test]
async fn looked_up_keys_are_bounded() {
    const API_KEY: &str = "ApiKey realm=\"api\"";
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let keys = ApiKeys::look_up(move |key: String| {
        counting.fetch_add(1, Ordering::Relaxed);
        let found = key.starts_with("of ann").then(|| Identity::new("ann"));
        async move { found }
    });
    let app = app(space(keys.build().expect("keys")));
    let key = |value: &[u8]| -> Lines { vec![("x-api-key", value.to_vec())] };
    let longest = format!("of ann{}", "x".repeat(ProtectionSpace::MAX_CREDENTIALS - 6));
    let longer = format!("{longest}x");
    let rows = vec![
        row("known", key(b"of ann"), 200, &[]),
        row("unknown", key(b"of bob"), 401, &[API_KEY]),
        row("the longest", key(longest.as_bytes()), 200, &[]),
    ];
    check(&app, "/known", rows).await;
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    let rows = vec![
        row("absent", vec![], 401, &[API_KEY]),
        row("empty", key(b""), 401, &[API_KEY]),
        row("not ASCII", key("of ann ß".as_bytes()), 401, &[API_KEY]),
        row("longer", key(longer.as_bytes()), 431, &[]),
        row("twice", [key(b"of ann"), key(b"of ann")].concat(), 400, &[]),
    ];
    check(&app, "/known", rows).await;
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    let field = ApiKeys::look_up(async |_| Caller::rejected()).field("cookie");
    let expected = ApiKeysError::Field("cookie".to_owned());
    assert_eq!(field.build().err(), Some(expected));
}
