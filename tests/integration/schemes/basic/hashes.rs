//! The versions of hashes.

use super::*;

/// Hashes of early implementations do not name the version, which is 16 then (`decode_string` of the reference
/// implementation).
#[tokio::test]
async fn hashes_without_version_are_of_first() {
    let params = argon2::Params::new(64, 1, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2i, argon2::Version::V0x10, params);
    let hash = argon2.hash_password(b"secret").expect("a hash").to_string();
    let unnamed = hash.replace("v=16$", "");
    assert_ne!(unnamed, hash);
    // The vector of the reference implementation.
    let vector = "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY";
    let hashes = PasswordHashes::builder()
        .user("ann", &unnamed, Identity::new("ann"))
        .user("bob", vector, Identity::new("bob"));
    let app = app(space(Basic::password_hashes(
        hashes.build().expect("hashes"),
    )));
    for (login, status) in [
        ("ann:secret", 200),
        ("ann:password", 401),
        ("bob:password", 200),
        ("bob:secret", 401),
    ] {
        let response = send(&app, "/known", &basic(login)).await;
        assert_eq!(response.status(), status, "{login}");
    }
}
