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

/// A document with these keys, each with the issuer that it names, if any.
fn document(keys: &[(&str, KeyPair, Option<Value>)]) -> String {
    let keys = keys.iter().map(|(id, key, issuer)| {
        let (x, y) = key.public_key_raw()[1..].split_at(32);
        let mut jwk = json!({
            "kty": "EC", "crv": "P-256", "kid": id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        if let Some(issuer) = issuer {
            jwk["issuer"] = issuer.clone();
        }
        jwk
    });
    json!({ "keys": keys.collect::<Vec<Value>>() }).to_string()
}

fn generate() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key")
}

/// Signs a token with one key of a document.
fn token_by((id, key, _): &(&str, KeyPair, Option<Value>), claims: &Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some((*id).to_owned());
    let key = EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).expect("a key");
    signed_by(&key, &header, claims, json!({}))
}

/// The document for all tenants names the issuer of each key, in the form of version 2.
#[tokio::test]
async fn tenant_key_signs_for_no_other() {
    const VERSION_1: &str = "https://sts.windows.net/{tid}/";
    let of = |template: &str, tenant: &str| template.replace("{tid}", tenant);
    let keys = [
        ("all", generate(), Some(json!(of(TEMPLATE, "{tenantid}")))),
        ("ours", generate(), Some(json!(of(TEMPLATE, OURS)))),
        ("theirs", generate(), Some(json!(of(TEMPLATE, THEIRS)))),
        (
            "none",
            generate(),
            Some(json!(["https://login.microsoftonline.com"])),
        ),
        ("unnamed", generate(), None),
        ("null", generate(), Some(Value::Null)),
    ];
    let document = document(&keys);
    for template in [TEMPLATE, VERSION_1] {
        let builder = || Jwt::builder().audience(AUDIENCE).jwks(&document);
        let of_tenants = builder().issuer_per_tenant(template, |_| true);
        let of_tenants = app_of(of_tenants.build().expect("a verifier"));
        let of_ours = app_of(
            builder()
                .issuer(of(template, OURS))
                .build()
                .expect("a verifier"),
        );
        for (key, by_ours, by_theirs) in [
            (&keys[0], 200, 200),
            (&keys[1], 200, 401),
            (&keys[2], 401, 200),
            (&keys[3], 401, 401),
            (&keys[4], 200, 200),
            (&keys[5], 200, 200),
        ] {
            for (app, tenant, expected) in [
                (&of_tenants, OURS, by_ours),
                (&of_tenants, THEIRS, by_theirs),
                (&of_ours, OURS, by_ours),
                (&of_ours, THEIRS, 401),
            ] {
                let mut claims = claims(tenant);
                claims["iss"] = json!(of(template, tenant));
                let shown = format!("{} {template} {tenant}", key.0);
                let token = token_by(key, &claims);
                assert_eq!(status(app, "/admin", &token).await, expected, "{shown}");
            }
        }
        // The tenant is that of the issuer. The claim is chosen by the signer.
        for tenant in [THEIRS, "https", "/", "", "2"] {
            let mut claims = claims(OURS);
            claims["iss"] = json!(of(template, OURS));
            claims["tid"] = json!(tenant);
            let token = token_by(&keys[2], &claims);
            assert_eq!(status(&of_ours, "/admin", &token).await, 401, "{tenant:?}");
        }
    }
}

/// Only the id of a tenant has two forms of its issuer.
#[tokio::test]
async fn key_of_another_issuer_signs_nothing() {
    for (issuer, named, expected) in [
        ("https://a.example", "https://a.example", 200),
        ("https://a.example", "https://b.example", 401),
        ("https://a.example", "https://a.example/", 401),
        ("https://a.example/", "https://b.example/", 401),
        ("https://a.example/shop/", "https://b.example/shop/", 401),
        (
            "https://a.example/realms/a",
            "https://a.example/realms/b",
            401,
        ),
        (
            "https://a.example/x/aaaabbbb-0000-cccc-1111-dddd2222eeee/",
            "https://a.example/y/aaaabbbb-0000-cccc-1111-dddd2222eeee/",
            401,
        ),
        (
            "https://a.example/zaaabbbb-0000-cccc-1111-dddd2222eeee/",
            "https://b.example/zaaabbbb-0000-cccc-1111-dddd2222eeee/",
            401,
        ),
    ] {
        let keys = [("key", generate(), Some(json!(named)))];
        let builder = Jwt::builder().issuer(issuer).audience(AUDIENCE);
        let app = app_of(builder.jwks(&document(&keys)).build().expect("a verifier"));
        let mut claims = claims(OURS);
        claims["iss"] = json!(issuer);
        let token = token_by(&keys[0], &claims);
        assert_eq!(
            status(&app, "/admin", &token).await,
            expected,
            "{issuer} {named}"
        );
    }
}

#[test]
fn template_has_one_place_for_tenant() {
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
async fn version_1_changes_issuer_and_audience() {
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

/// Clients request the full names of scopes, and tokens have the short ones.
#[tokio::test]
async fn scopes_have_full_names_with_prefix() {
    #[requires(scope = "api://orders/orders.read")]
    async fn read() {}

    let issuer = TEMPLATE.replace("{tid}", OURS);
    let builder = Jwt::builder().issuer(&issuer).audience(AUDIENCE);
    let jwt = with_key(builder.scope_prefix("api://orders/"));
    let jwt = jwt.build().expect("a verifier");
    let space = ProtectionSpace::builder()
        .realm("orders")
        .scheme(Bearer::jwt(jwt));
    let app = GuardedRouter::new()
        .route("/", get(read))
        .route("/short", get(orders))
        .route("/admin", get(admin))
        .protect(space.build().expect("a space"))
        .expect("the router is in order");
    let request = "scope=\"api://orders/orders.read\"";
    let refused = format!(
        "Bearer realm=\"orders\", {request}, error=\"insufficient_scope\", \
         error_description=\"the access token lacks a required scope\""
    );
    for (path, scp, expected, challenge) in [
        ("/", json!("orders.read"), 200, None),
        ("/", json!("orders.write orders.read"), 200, None),
        ("/", json!(["orders.read"]), 200, None),
        ("/", json!("orders.write"), 403, Some(refused.as_str())),
        ("/", json!("api://orders/orders.read"), 403, Some(&refused)),
        ("/", json!(null), 403, Some(&refused)),
        // The short name is that of another scope.
        ("/short", json!("orders:read"), 403, None),
        // Roles have no prefix.
        ("/admin", json!(null), 200, None),
    ] {
        let token = token(&claims(OURS), json!({ "scp": scp }));
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), expected, "{path} {scp}");
        if let Some(challenge) = challenge {
            assert_eq!(response.headers()["www-authenticate"], challenge, "{scp}");
        }
    }
    let anonymous = Request::get("/").body(Body::empty()).expect("a request");
    let response = app.oneshot(anonymous).await.expect("infallible");
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        format!("Bearer realm=\"orders\", {request}")
    );
}
