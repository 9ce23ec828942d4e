//! SPIFFE: JWT-SVIDs of a trust domain, with the keys of its bundle.

use auth_runtime::schemes::JwtError;

use super::*;

const API: &str = "spiffe://shop.example/orders";

struct Authority {
    key: KeyPair,
    id: &'static str,
    key_use: &'static str,
}

impl Authority {
    fn new(id: &'static str, key_use: &'static str) -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        Self { key, id, key_use }
    }

    fn jwk(&self) -> Value {
        let point = self.key.public_key_raw();
        let (x, y) = point[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({ "kty": "EC", "use": self.key_use, "kid": self.id, "crv": "P-256", "x": x, "y": y })
    }

    fn svid(&self, kind: Option<&str>, changes: Value) -> String {
        let header = Header {
            typ: kind.map(str::to_owned),
            kid: Some(self.id.to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        let claims = json!({
            "sub": "spiffe://shop.example/ns/billing/sa/invoices",
            "aud": [API],
        });
        let pem = self.key.serialize_pem();
        let signer = EncodingKey::from_ec_pem(pem.as_bytes()).expect("a key");
        signed_by(&signer, &header, &claims, changes)
    }
}

fn bundle(authorities: &[&Authority]) -> String {
    let keys: Vec<Value> = authorities.iter().map(|one| one.jwk()).collect();
    json!({ "keys": keys, "spiffe_sequence": 7, "spiffe_refresh_hint": 300 }).to_string()
}

fn builder() -> JwtBuilder {
    Jwt::builder()
        .spiffe_trust_domain("shop.example")
        .audience(API)
}

#[tokio::test]
async fn svids_need_keys_of_their_domain() {
    let jwt_authority = Authority::new("jwt-1", "jwt-svid");
    let x509_authority = Authority::new("x509-1", "x509-svid");
    let signature = Authority::new("sig-1", "sig");
    let bundle = bundle(&[&x509_authority, &jwt_authority, &signature]);
    let app = app_of(builder().jwks(&bundle).build().expect("a verifier"));

    let svid = jwt_authority.svid(Some("JWT"), json!({}));
    let (status_of_svid, shown) = ask(&app, "/caller", &svid).await;
    let expected = "spiffe://shop.example/ns/billing/sa/invoices -,-,- spiffe://shop.example";
    assert_eq!((status_of_svid, shown.as_str()), (200, expected));

    let with_issuer = json!({ "iss": "https://spire.shop.example" });
    for (authority, kind, changes, expected) in [
        (&jwt_authority, None, json!({}), 200),
        (&jwt_authority, Some("JOSE"), json!({}), 200),
        (&jwt_authority, Some("JWT"), with_issuer, 200),
        (&jwt_authority, Some("dpop+jwt"), json!({}), 401),
        (&jwt_authority, Some("at+jwt"), json!({}), 401),
        (&x509_authority, Some("JWT"), json!({}), 401),
        (&signature, Some("JWT"), json!({}), 401),
        (
            &jwt_authority,
            None,
            json!({ "aud": ["spiffe://shop.example/other"] }),
            401,
        ),
        (&jwt_authority, None, json!({ "aud": null }), 401),
        (&jwt_authority, None, json!({ "exp": null }), 401),
        (&jwt_authority, None, json!({ "exp": now() - 300 }), 401),
        (&jwt_authority, None, json!({ "sub": null }), 401),
        (
            &jwt_authority,
            None,
            json!({ "sub": "spiffe://shop.example" }),
            401,
        ),
        (
            &jwt_authority,
            None,
            json!({ "sub": "spiffe://other.example/a" }),
            401,
        ),
        (&jwt_authority, None, json!({ "sub": "invoices" }), 401),
    ] {
        let svid = authority.svid(kind, changes.clone());
        assert_eq!(
            status(&app, "/caller", &svid).await,
            expected,
            "{kind:?} {changes}"
        );
    }
}

#[tokio::test]
async fn trust_domains_have_own_keys() {
    let (ours, theirs) = (
        Authority::new("a", "jwt-svid"),
        Authority::new("b", "jwt-svid"),
    );
    let domain = |name: &str, authority: &Authority| {
        let builder = Jwt::builder().spiffe_trust_domain(name).audience(API);
        let jwt = builder.jwks(&bundle(&[authority])).build();
        jwt.expect("a verifier")
    };
    let unnamed = with_key(Jwt::builder().without_issuer().audience(API)).build();
    let all = [
        unnamed.expect("a verifier"),
        domain("shop.example", &ours),
        domain("partner.example", &theirs),
    ];
    let app = app_of(Jwt::any_of(all).expect("issuers"));
    let of_partner = json!({ "sub": "spiffe://partner.example/a" });
    for (svid, expected) in [
        (ours.svid(None, json!({})), 200),
        (theirs.svid(None, of_partner.clone()), 200),
        (ours.svid(None, of_partner), 401),
        (theirs.svid(None, json!({})), 401),
    ] {
        assert_eq!(status(&app, "/caller", &svid).await, expected);
    }
}

#[test]
fn invalid_trust_domain_is_build_error() {
    let authority = Authority::new("a", "jwt-svid");
    for name in ["", "spiffe://shop.example", "shop.example/orders", "Shop"] {
        let builder = Jwt::builder().spiffe_trust_domain(name).audience(API);
        let error = builder.jwks(&bundle(&[&authority])).build().unwrap_err();
        assert_eq!(error, JwtError::TrustDomain(name.to_owned()));
    }
    let no_keys = bundle(&[&Authority::new("x", "x509-svid")]);
    assert_eq!(
        builder().jwks(&no_keys).build().unwrap_err(),
        JwtError::NoKey
    );
    let url = builder().jwks_url("https://spire.shop.example/bundle");
    assert!(url.build().is_ok());
    // A bundle has keys for SVIDs, and those of an issuer are for signatures.
    let issuer = Jwt::builder()
        .issuer("https://issuer.example")
        .audience(API);
    let error = issuer.jwks(&bundle(&[&authority])).build().unwrap_err();
    assert_eq!(error, JwtError::NoKey);
}

/// SPIFFE Trust Domain and Bundle §4.2.2.
#[test]
fn keys_of_bundle_state_their_use() {
    let authority = Authority::new("a", "jwt-svid");
    let mut key = authority.jwk();
    let build = |key: &Value| {
        let bundle = json!({ "keys": [key] }).to_string();
        builder().jwks(&bundle).build().map(drop)
    };
    assert_eq!(build(&key), Ok(()));
    key.as_object_mut().expect("an object").remove("use");
    assert_eq!(build(&key), Err(JwtError::NoKey));
}

/// SPIFFE JWT-SVID §2.1, §2.3 and §3.2.
#[test]
fn settings_for_other_tokens_fail_build() {
    let bundle = bundle(&[&Authority::new("a", "jwt-svid")]);
    let domain = || Jwt::builder().spiffe_trust_domain("shop.example");
    for (setting, builder) in [
        ("`.client(…)`", domain().client("orders")),
        ("`.client(…)`", builder().client("orders")),
        ("`.any_audience()`", domain().any_audience()),
        ("`.rfc9068_only()`", builder().rfc9068_only()),
    ] {
        let expected = JwtError::SvidSetting(setting.to_owned());
        assert_eq!(builder.jwks(&bundle).build().unwrap_err(), expected);
    }
    let public = |kind| {
        let pair = KeyPair::generate_for(kind).expect("a key");
        pair.public_key_pem()
    };
    let p256 = public(&rcgen::PKCS_ECDSA_P256_SHA256);
    let ed25519 = public(&rcgen::PKCS_ED25519);
    let rsa = key().public_key_pem();
    for (key, algorithm) in [
        (JwtKey::hs256([7; 32]), Some("HS256")),
        (JwtKey::secret(JwtAlgorithm::HS512, [7; 64]), Some("HS512")),
        (JwtKey::eddsa_pem(ed25519), Some("EdDSA")),
        (JwtKey::es256_pem(p256), None),
        (JwtKey::rs256_pem(&rsa), None),
        (JwtKey::pem(JwtAlgorithm::PS512, &rsa), None),
    ] {
        let result = builder().key(key.expect("a key")).build();
        let expected = algorithm.map(|it| JwtError::SvidSetting(format!("a key for {it}")));
        assert_eq!(result.err(), expected, "{algorithm:?}");
    }
}

/// SPIFFE JWT-SVID §2.1.
#[test]
fn no_svid_is_signed_with_eddsa() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
    let key = |key_use: &str| json!({ "kty": "OKP", "crv": "Ed25519", "use": key_use, "x": x });
    let document = |key: Value| json!({ "keys": [key] }).to_string();
    let bundle = builder().jwks(&document(key("jwt-svid")));
    assert_eq!(bundle.build().unwrap_err(), JwtError::NoKey);
    let issuer = Jwt::builder().issuer("https://issuer.example");
    let issuer = issuer.audience(API).jwks(&document(key("sig")));
    assert!(issuer.build().is_ok());
}
