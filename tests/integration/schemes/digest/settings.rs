//! Realms, secrets and settings.

use auth_runtime::schemes::{DigestError, DigestSecretError};
use auth_runtime::{Policy, ProtectError, Requirement};

use super::*;

#[requires(authenticated, realm = "attic", schemes(Basic))]
async fn basic_attic() {}

#[requires(authenticated, realm = "lab")]
async fn same_realm() {}

#[tokio::test]
async fn foreign_realms_are_found() {
    let digest = || lab().build().expect("a scheme");
    let error = ProtectionSpace::builder()
        .realm("attic")
        .scheme(digest())
        .build();
    assert_eq!(
        error.expect_err("another realm").to_string(),
        "the challenge of the scheme `Digest` is invalid: the realm is \"attic\", and the secrets \
         of its users were made for \"lab\"",
    );
    let error = ProtectionSpace::builder().scheme(digest()).build();
    assert_eq!(error.expect_err("no realm"), SpaceError::NoRealm);

    let space = || {
        let basic = Basic::new(async |_, _| Caller::rejected());
        let space = ProtectionSpace::builder().realm("lab").scheme(digest());
        space.scheme(basic).build().expect("a space")
    };
    let error: ProtectError = GuardedRouter::<()>::new()
        .route("/attic", get(attic))
        .protect(space())
        .expect_err("another realm");
    assert!(
        error
            .to_string()
            .starts_with("the scheme `Digest` has no challenge for the realm of `"),
        "{error}"
    );
    assert!(error.to_string().contains("\"attic\""), "{error}");
    let router = GuardedRouter::<()>::new()
        .route("/basic", get(basic_attic))
        .route("/same", get(same_realm));
    assert!(router.protect(space()).is_ok());

    // This policy is not known at start, so the request fails, and without a challenge.
    let policy = Policy::requires(Requirement::authenticated()).realm("attic");
    let (head, ()) = http::Request::new(()).into_parts();
    let refused = space()
        .authorize(&policy, &head)
        .await
        .expect_err("refused");
    assert_eq!(refused.status(), 500);
    assert_eq!(refused.headers().get("www-authenticate"), None);
}

#[test]
fn invalid_schemes_are_not_built() {
    let error = |builder: DigestBuilder| builder.build().err();
    let none = async |_: String, _: DigestAlgorithm| Ok(None);
    let user = || "ann".to_owned();
    let rows: Vec<(DigestBuilder, DigestError)> = vec![
        (Digest::builder("lab"), DigestError::NoUser),
        (Digest::builder("").look_up(none), DigestError::NoRealm),
        (lab().algorithms([]), DigestError::NoAlgorithm),
        (
            Digest::builder("attic").user(secret(ANN_SHA256), ann()),
            DigestError::OtherRealm {
                user: user(),
                realm: "lab".to_owned(),
            },
        ),
        (
            lab().user(secret(ANN_MD5), ann()),
            DigestError::NotOffered {
                user: user(),
                algorithm: MD5,
            },
        ),
        (
            lab().algorithms([SHA256, MD5]),
            DigestError::NoSecret {
                user: user(),
                algorithm: MD5,
            },
        ),
        (
            lab().user(secret(ANN_SHA256), ann()),
            DigestError::UserTwice(user()),
        ),
        (lab().look_up(none), DigestError::UsersAndLookUp),
        (
            Digest::builder("lab").look_up(none).userhash(),
            DigestError::HashedNamesAndLookUp,
        ),
        (
            lab().nonce_lifetime(Duration::ZERO),
            DigestError::Lifetime(Duration::ZERO),
        ),
        (
            lab().nonce_lifetime(Duration::from_secs(3601)),
            DigestError::Lifetime(Duration::from_secs(3601)),
        ),
    ];
    for (builder, expected) in rows {
        assert_eq!(error(builder), Some(expected));
    }
    assert!(Digest::builder("lab").look_up(none).build().is_ok());
    let illegal = Digest::builder("lab\n")
        .look_up(none)
        .build()
        .expect("a scheme");
    let space = ProtectionSpace::builder().realm("lab\n").scheme(illegal);
    assert!(matches!(space.build(), Err(SpaceError::Challenge { .. })));
}

#[test]
fn secrets_are_htdigest_lines() {
    for line in [
        ANN_SHA256,
        ANN_MD5,
        "ann:a:realm:e2ddb53df762616c294c41e1c3aca2b8",
    ] {
        assert_eq!(secret(line).to_line(), line);
    }
    let colons = secret("ann:a:realm:e2ddb53df762616c294c41e1c3aca2b8");
    assert_eq!((colons.user(), colons.realm()), ("ann", "a:realm"));
    assert_eq!(secret(&ANN_MD5.to_uppercase()).user(), "ANN");
    assert!(secret(&ANN_MD5.replace("e2ddb5", "E2DDB5")).to_line() == ANN_MD5);
    let made = DigestSecret::of(SHA256, "ann", "lab", "secret").expect("a secret");
    assert_eq!(made.to_line(), ANN_SHA256);

    let name = |text: &str| DigestSecretError::User(text.to_owned());
    for (line, expected) in [
        ("", DigestSecretError::Line),
        ("ann:lab", DigestSecretError::Line),
        ("ann:lab:", DigestSecretError::Hash),
        ("ann:lab:secret", DigestSecretError::Hash),
        (&ANN_MD5.replace("e2", "+2"), DigestSecretError::Hash),
        (&format!("{ANN_MD5}00"), DigestSecretError::Hash),
        (&format!("{ANN_MD5} "), DigestSecretError::Hash),
        (&ANN_MD5.replace("ann", ""), name("")),
        (&ANN_MD5.replace("ann", "a\tn"), name("a\tn")),
        (&ANN_MD5.replace("lab", ""), DigestSecretError::NoRealm),
    ] {
        assert_eq!(line.parse::<DigestSecret>().err(), Some(expected), "{line}");
    }
    for (user, realm) in [("a:b", "lab"), ("", "lab"), ("ann", "")] {
        assert!(DigestSecret::of(MD5, user, realm, "secret").is_err());
    }

    let builder = lab();
    let shown = format!("{:?} {builder:?} {:?}", secret(ANN_SHA256), lab().build());
    assert!(!shown.contains("9e3c"), "{shown}");
}
