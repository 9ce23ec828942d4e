//! Microsoft Entra: one issuer for each tenant and version, and one set of keys for all.

use auth_runtime::schemes::JwtError;

use super::*;

const TEMPLATE: &str = "https://login.microsoftonline.com/{tid}/v2.0";
const OURS: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const THEIRS: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const AUDIENCE: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";

fn claims(tenant: &str) -> Value {
    json!({
        "aud": AUDIENCE,
        "iss": TEMPLATE.replace("{tid}", tenant),
        "nbf": now(),
        "azp": "11112222-bbbb-3333-cccc-4444dddd5555",
        "azpacr": "0",
        "oid": "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb",
        "roles": ["admin"],
        "scp": "orders:read",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "tid": tenant,
        "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "ver": "2.0",
    })
}

#[tokio::test]
async fn tenant_must_be_allowed_and_match() {
    let builder = Jwt::builder()
        .issuer_per_tenant(TEMPLATE, |tenant| tenant == OURS)
        .audience(AUDIENCE);
    let app = app(builder);
    let (status_of_ours, shown) = ask(&app, "/caller", &token(&claims(OURS), json!({}))).await;
    let issuer = TEMPLATE.replace("{tid}", OURS);
    assert_eq!(status_of_ours, 200);
    assert!(shown.ends_with(&issuer), "{shown}");
    for (tenant, changes, expected) in [
        (OURS, json!({}), 200),
        (THEIRS, json!({}), 401),
        (OURS, json!({ "tid": THEIRS }), 401),
        (THEIRS, json!({ "tid": OURS }), 401),
        (OURS, json!({ "tid": null }), 401),
        (OURS, json!({ "tid": [OURS] }), 401),
        (
            OURS,
            json!({ "iss": "https://login.microsoftonline.com/{tid}/v2.0" }),
            401,
        ),
        (
            OURS,
            json!({ "iss": format!("https://login.microsoftonline.com/{OURS}") }),
            401,
        ),
        (
            OURS,
            json!({ "iss": format!("https://sts.windows.net/{OURS}/") }),
            401,
        ),
        (OURS, json!({ "aud": "another" }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(tenant), changes);
        assert_eq!(
            status(&app, "/admin", &token).await,
            expected,
            "{tenant} {shown}"
        );
    }
}

/// The document for all tenants names the issuer of each key.
#[tokio::test]
async fn the_key_of_one_tenant_signs_for_no_other() {
    let generate = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let of_theirs = TEMPLATE.replace("{tid}", THEIRS);
    let of_all = TEMPLATE.replace("{tid}", "{tenantid}");
    let keys = [
        ("all", generate(), json!(of_all)),
        ("theirs", generate(), json!(of_theirs)),
        (
            "none",
            generate(),
            json!(["https://login.microsoftonline.com"]),
        ),
        ("unnamed", generate(), Value::Null),
    ];
    let document = keys.each_ref().map(|(id, key, issuer)| {
        let (x, y) = key.public_key_raw()[1..].split_at(32);
        let mut jwk = json!({
            "kty": "EC", "crv": "P-256", "kid": id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        if !issuer.is_null() {
            jwk["issuer"] = issuer.clone();
        }
        jwk
    });
    let document = json!({ "keys": document }).to_string();
    let builder = Jwt::builder().audience(AUDIENCE).jwks(&document);
    let of_tenants = builder.issuer_per_tenant(TEMPLATE, |_| true);
    let of_tenants = app_of(of_tenants.build().expect("a verifier"));
    for (index, by_ours, by_theirs) in [(0, 200, 200), (1, 401, 200), (2, 401, 401), (3, 200, 200)]
    {
        let (id, key, _) = &keys[index];
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some((*id).to_owned());
        let key = EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).expect("a key");
        for (tenant, expected) in [(OURS, by_ours), (THEIRS, by_theirs)] {
            let token = signed_by(&key, &header, &claims(tenant), json!({}));
            assert_eq!(
                status(&of_tenants, "/admin", &token).await,
                expected,
                "{id} {tenant}"
            );
        }
    }
}

#[test]
fn a_template_has_one_place_for_the_tenant() {
    for template in [
        "",
        "{tid}",
        "https://login.example/v2.0",
        "http://login.example/{tid}",
        "https://login.example/{tid}/{tid}",
    ] {
        let builder = Jwt::builder()
            .issuer_per_tenant(template, |_| true)
            .audience(AUDIENCE);
        let error = with_key(builder).build().unwrap_err();
        assert_eq!(error, JwtError::IssuerTemplate, "{template}");
    }
}

#[tokio::test]
async fn one_tenant_is_one_issuer() {
    let issuer = TEMPLATE.replace("{tid}", OURS);
    let app = app(Jwt::builder().issuer(&issuer).audience(AUDIENCE));
    let (status_of_ours, shown) = ask(&app, "/caller", &token(&claims(OURS), json!({}))).await;
    let subject = "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ";
    assert_eq!(
        (status_of_ours, shown),
        (200, format!("{subject} admin,-,- {issuer}"))
    );
    for (path, tenant, changes, expected) in [
        ("/admin", OURS, json!({}), 200),
        ("/orders", OURS, json!({}), 200),
        ("/orders", OURS, json!({ "scp": "orders:read.all" }), 403),
        // A daemon has roles and no scopes.
        ("/admin", OURS, json!({ "scp": null, "idtyp": "app" }), 200),
        ("/orders", OURS, json!({ "scp": null, "idtyp": "app" }), 403),
        ("/admin", THEIRS, json!({}), 401),
        ("/admin", OURS, json!({ "sub": null }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims(tenant), changes);
        assert_eq!(status(&app, path, &token).await, expected, "{path} {shown}");
    }
}

/// The tokens of applications whose manifest has no `requestedAccessTokenVersion`.
#[tokio::test]
async fn version_1_has_another_issuer_and_audience() {
    let issuer = format!("https://sts.windows.net/{OURS}/");
    let claims = json!({
        "aud": "api://orders",
        "iss": issuer,
        "nbf": now(),
        "acr": "1",
        "aio": "AXQAi/8IAAAAFm+E/QTG+gFnVxLjWdw8K+61AGrSOuMMF6ebaMj7XO3I=",
        "amr": ["pwd"],
        "appid": "11112222-bbbb-3333-cccc-4444dddd5555",
        "appidacr": "0",
        "ipaddr": "203.0.113.7",
        "name": "Ann",
        "oid": "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb",
        "rh": "0.AAAAAA.",
        "roles": ["admin"],
        "scp": "orders:read",
        "sub": "l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA",
        "tid": OURS,
        "unique_name": "ann@shop.example",
        "upn": "ann@shop.example",
        "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "ver": "1.0",
    });
    let builder = || Jwt::builder().issuer(&issuer).audience("api://orders");
    let by_sub = app(builder());
    let by_oid = app(builder().subject_claim("oid"));
    for (app, path, changes, expected) in [
        (&by_sub, "/admin", json!({}), 200),
        (&by_sub, "/orders", json!({}), 200),
        (&by_sub, "/admin", json!({ "aud": AUDIENCE }), 401),
        (
            &by_sub,
            "/admin",
            json!({ "iss": TEMPLATE.replace("{tid}", OURS) }),
            401,
        ),
        (&by_oid, "/admin", json!({}), 200),
        (&by_oid, "/admin", json!({ "oid": null }), 401),
    ] {
        let shown = changes.to_string();
        let token = token(&claims, changes);
        assert_eq!(status(app, path, &token).await, expected, "{path} {shown}");
    }
    // The same user for all applications of the tenant.
    let (_, shown) = ask(&by_oid, "/caller", &token(&claims, json!({}))).await;
    assert!(
        shown.starts_with("aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb "),
        "{shown}"
    );
}
