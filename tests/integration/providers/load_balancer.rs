//! Application Load Balancers of AWS: the user claims in `x-amzn-oidc-data`, with padding and a key for each name.

mod forms;
mod hang_ups;
mod outages;
mod several;
mod switched;
mod withdrawn;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use auth_runtime::resource::UrlProblem;
use auth_runtime::schemes::{JwtError, LoadBalancerProblem, TokenCache};
use auth_tests::serve;
use axum::Router;
use axum::extract::Path;
use base64::engine::general_purpose::URL_SAFE;
use http::StatusCode;

use super::*;

const BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
const GOVCLOUD: &str = "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
const ISSUER: &str = "https://login.shop.example";
const KID: &str = "a8c2b9f0-3c1d-4d3e-9b6a-2f1e0d9c8b7a";

fn pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key"))
}

/// The public key of another load balancer.
fn foreign_key() -> String {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256);
    pair.expect("a key").public_key_pem()
}

/// Serves the key, also under the names that begin with `own-`, and counts the requests. A key named `down` is not
/// available.
async fn key_server() -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let key = move |Path(kid): Path<String>| {
        counting.fetch_add(1, Ordering::Relaxed);
        let answer = match kid.as_str() {
            KID => (StatusCode::OK, pair().public_key_pem()),
            own if own.starts_with("own-") => (StatusCode::OK, pair().public_key_pem()),
            "down" => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            // The keys of other load balancers of the region have the same URL.
            other if other.starts_with("other-") => (StatusCode::OK, foreign_key()),
            _ => (StatusCode::FORBIDDEN, String::new()),
        };
        async move { answer }
    };
    let app = Router::new().route("/keys/{kid}", axum::routing::get(key));
    (format!("http://{}/keys/", serve(app).await), count)
}

fn builder() -> JwtBuilder {
    let builder = Jwt::builder().issuer(ISSUER).audience("orders");
    builder.roles_claim("custom:roles").load_balancer(BALANCER)
}

fn app_for(builder: JwtBuilder) -> ProtectedRouter {
    let jwt = builder.build().expect("a verifier");
    app_with(
        jwt.in_gateway_field("x-amzn-oidc-data")
            .build()
            .expect("a scheme"),
    )
}

/// The header as documented, with these changes. `null` removes a member.
fn header(changes: Value) -> Value {
    let mut header = json!({
        "typ": "JWT", "kid": KID, "alg": "ES256", "iss": ISSUER, "client": "orders", "signer": BALANCER,
        "exp": now() + 120,
    });
    let all = header.as_object_mut().expect("an object");
    all.extend(changes.as_object().expect("an object").clone());
    all.retain(|_, value| !value.is_null());
    header
}

/// The claims of the user, which the identity provider sends.
fn user() -> Value {
    json!({
        "sub": "1234567890", "name": "Ann", "email": "ann@shop.example", "custom:roles": ["editor"],
        "exp": now() + 120, "iss": ISSUER,
    })
}

fn padded(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE.encode(part.to_string()));
    signed_text(&format!("{header}.{claims}"))
}

fn signed_text(text: &str) -> String {
    let key = EncodingKey::from_ec_pem(pair().serialize_pem().as_bytes()).expect("a key");
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::ES256);
    format!("{text}.{}==", signature.expect("a signature"))
}

async fn caller_of(app: &ProtectedRouter, token: &str) -> (u16, String) {
    let request = Request::get("/caller").header("x-amzn-oidc-data", token);
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = app.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 16)
        .await
        .expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn the_load_balancer_names_the_user() {
    let (keys, count) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    let token = padded(&header(json!({})), &user());
    assert!(token.ends_with("=="));
    let expected = (200, format!("1234567890 -,editor,- {ISSUER}"));
    for _ in 0..3 {
        assert_eq!(caller_of(&app, &token).await, expected);
    }
    // The key is fetched once.
    assert_eq!(count.load(Ordering::Relaxed), 1);
    // Elsewhere, such a token is not one.
    assert_eq!(status(&app, "/caller", &token).await, 401);
}

#[tokio::test]
async fn signer_issuer_client_time_match_header() {
    let (keys, _) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    let other = "arn:aws:elasticloadbalancing:eu-central-1:999999999999:loadbalancer/app/evil/50dc6c495c0c9188";
    for (changes, expected) in [
        (json!({ "signer": other }), 401),
        (json!({ "signer": null }), 401),
        (json!({ "iss": "https://evil.example" }), 401),
        (json!({ "client": "other" }), 401),
        (json!({ "client": null }), 401),
        (json!({ "exp": now() - 120 }), 401),
        (json!({ "exp": null }), 401),
        (json!({ "exp": "tomorrow" }), 401),
        (json!({ "alg": "none" }), 401),
        (json!({ "alg": "HS256" }), 401),
        (json!({ "typ": "at+jwt" }), 401),
        (json!({ "typ": null }), 200),
        (json!({ "crit": ["exp"] }), 401),
        (json!({ "kid": "unknown" }), 401),
        (json!({ "kid": "../../x" }), 401),
        (json!({ "kid": "down" }), 503),
    ] {
        let token = padded(&header(changes.clone()), &user());
        assert_eq!(caller_of(&app, &token).await.0, expected, "{changes}");
    }
    let mut critical = header(json!({}));
    critical["crit"] = Value::Null;
    assert_eq!(caller_of(&app, &padded(&critical, &user())).await.0, 401);
    // Claims of the provider do not replace those of the load balancer.
    let mut claims = user();
    claims["aud"] = json!("orders");
    claims["iss"] = json!(ISSUER);
    let token = padded(&header(json!({ "client": "other" })), &claims);
    assert_eq!(caller_of(&app, &token).await.0, 401);
    claims["aud"] = json!("other");
    claims["iss"] = json!("https://evil.example");
    let token = padded(&header(json!({})), &claims);
    assert_eq!(caller_of(&app, &token).await.0, 200);
    claims["sub"] = json!("");
    assert_eq!(
        caller_of(&app, &padded(&header(json!({})), &claims))
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn signatures_are_about_padded_text() {
    let (keys, _) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    let token = padded(&header(json!({})), &user());
    let [first, claims, signature]: [&str; 3] = token
        .split('.')
        .collect::<Vec<_>>()
        .try_into()
        .expect("three");
    // One of both has padding, since the length of the name differs.
    let bare = |part: &str| part.trim_end_matches('=').to_owned();
    let longer = URL_SAFE.encode(format!("{} ", header(json!({}))));
    let longer = [first.to_owned(), longer]
        .into_iter()
        .find(|part| part.ends_with('='));
    let padded_header = longer.expect("padding");
    let whole = signed_text(&format!("{padded_header}.{claims}"));
    assert_eq!(caller_of(&app, &whole).await.0, 200);
    let tail = whole.strip_prefix(&padded_header).expect("its header");
    assert_eq!(
        caller_of(&app, &format!("{}{tail}", bare(&padded_header)))
            .await
            .0,
        401
    );
    for wrong in [
        format!("{first}.{claims}"),
        format!("{first}.{claims}.{signature}.x"),
        format!("{first}.{claims}."),
        format!("{first}.{claims}.{}", signature.replace("==", "=")),
        format!("{first}.{}.{signature}", URL_SAFE.encode("{}")),
        format!("{first}.{claims}.{}", URL_SAFE.encode([7; 64])),
        format!("!{first}.{claims}.{signature}"),
    ] {
        assert_eq!(caller_of(&app, &wrong).await.0, 401, "{wrong}");
    }
    let unpadded = format!("{first}.{claims}.{}", bare(signature));
    assert_eq!(caller_of(&app, &unpadded).await.0, 200);
}

#[tokio::test]
async fn invented_keys_cause_few_requests() {
    let (keys, count) = key_server().await;
    let clock = auth_runtime::clock::ManualClock::new(SystemTime::now());
    let app = app_for(builder().load_balancer_keys(&keys).clock(clock.clock()));
    for index in 0..20 {
        let token = padded(
            &header(json!({ "kid": format!("invented-{index}") })),
            &user(),
        );
        let expected = if index < 8 { 401 } else { 503 };
        assert_eq!(caller_of(&app, &token).await.0, expected, "{index}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 8);
    clock.advance(std::time::Duration::from_secs(61));
    let token = padded(&header(json!({})), &user());
    assert_eq!(caller_of(&app, &token).await.0, 200);
    // A day later, the key is fetched again.
    clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let late = header(json!({ "exp": now() + 100_000 }));
    assert_eq!(caller_of(&app, &padded(&late, &user())).await.0, 200);
    assert_eq!(count.load(Ordering::Relaxed), 10);
    // While invented names use up the fetches, the known key stays in use for another day.
    let invent = async || {
        for index in 0..9 {
            let header = header(json!({ "kid": format!("late-{index}"), "exp": now() + 300_000 }));
            caller_of(&app, &padded(&header, &user())).await;
        }
    };
    for (hours, expected) in [(24, 200), (23, 200), (1, 503)] {
        clock.advance(std::time::Duration::from_secs(hours * 60 * 60));
        invent().await;
        let late = header(json!({ "exp": now() + 300_000 }));
        let status = caller_of(&app, &padded(&late, &user())).await.0;
        assert_eq!(status, expected, "{hours}");
    }
}

#[tokio::test]
async fn key_names_are_checked_before_requests() {
    let (keys, count) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    let long = format!("own-{}", "a".repeat(61));
    for kid in [
        "",
        "own-a b",
        "own-a/b",
        "own-a%62",
        "own-a_b",
        "own-a?b",
        long.as_str(),
    ] {
        let token = padded(&header(json!({ "kid": kid })), &user());
        assert_eq!(caller_of(&app, &token).await.0, 401, "{kid}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
    let token = padded(&header(json!({ "kid": &long[1..] })), &user());
    assert_eq!(caller_of(&app, &token).await.0, 401);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn sixteen_keys_are_kept() {
    let (keys, count) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    for (number, fetches) in (0..16).map(|key| (key, key + 1)).chain([
        (0, 16),
        (15, 16),
        // The others make place for one more.
        (16, 17),
        (16, 17),
        (0, 18),
    ]) {
        let token = padded(&header(json!({ "kid": format!("own-{number}") })), &user());
        assert_eq!(caller_of(&app, &token).await.0, 200, "{number}");
        assert_eq!(count.load(Ordering::Relaxed), fetches, "{number}");
    }
}

/// A client can name them in forged tokens.
#[tokio::test]
async fn foreign_load_balancer_keys_are_dropped() {
    let (keys, count) = key_server().await;
    let clock = auth_runtime::clock::ManualClock::new(SystemTime::now());
    let app = app_for(builder().load_balancer_keys(&keys).clock(clock.clock()));
    let own = padded(&header(json!({})), &user());
    assert_eq!(caller_of(&app, &own).await.0, 200);
    for index in 0..20 {
        let forged = header(json!({ "kid": format!("other-{index}") }));
        let expected = if index < 8 { 401 } else { 503 };
        let status = caller_of(&app, &padded(&forged, &user())).await.0;
        assert_eq!(status, expected, "{index}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 9);
    assert_eq!(caller_of(&app, &own).await.0, 200);
    assert_eq!(count.load(Ordering::Relaxed), 9);
    // A forged token cannot prevent the next fetch of a known key.
    clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let late = header(json!({ "exp": now() + 100_000 }));
    let forged = padded(&late, &json!({ "sub": "eve" }));
    let (signed, _) = forged.rsplit_once('.').expect("a signature");
    let forged = format!("{signed}.{}", URL_SAFE.encode([7; 64]));
    assert_eq!(caller_of(&app, &forged).await.0, 401);
    assert_eq!(caller_of(&app, &padded(&late, &user())).await.0, 200);
    assert_eq!(count.load(Ordering::Relaxed), 10);
}

#[tokio::test]
async fn claims_occur_once() {
    let (keys, _) = key_server().await;
    let app = app_for(builder().load_balancer_keys(&keys));
    let header = URL_SAFE.encode(header(json!({})).to_string());
    for (claims, expected) in [
        (r#"{"sub":"ann"}"#, 200),
        (r#"{"sub":"ann","sub":"bob"}"#, 401),
    ] {
        let token = signed_text(&format!("{header}.{}", URL_SAFE.encode(claims)));
        assert_eq!(caller_of(&app, &token).await.0, expected, "{claims}");
    }
}

#[tokio::test]
async fn other_issuers_stand_beside_it() {
    let (keys, _) = key_server().await;
    let balanced = builder()
        .load_balancer_keys(&keys)
        .cache(TokenCache::default());
    let google = with_key(
        Jwt::builder()
            .issuer("https://accounts.example")
            .audience("orders"),
    );
    let both = [balanced, google].map(|builder| builder.build().expect("a verifier"));
    let jwt = Jwt::any_of(both).expect("two issuers");
    let app = app_with(
        jwt.in_gateway_field("x-amzn-oidc-data")
            .build()
            .expect("a scheme"),
    );
    let claims = json!({ "iss": "https://accounts.example", "aud": "orders", "sub": "bob" });
    let theirs = token(&claims, json!({}));
    assert_eq!(caller_of(&app, &theirs).await.0, 200);
    for _ in 0..2 {
        let own = padded(&header(json!({})), &user());
        assert_eq!(caller_of(&app, &own).await.0, 200);
    }
    // The issuer of the load balancer has no other tokens.
    let claims = json!({ "iss": ISSUER, "aud": "orders", "sub": "bob" });
    assert_eq!(caller_of(&app, &token(&claims, json!({}))).await.0, 401);
}

#[test]
fn settings_of_load_balancer_are_checked() {
    let build = |arn: &str| {
        let builder = Jwt::builder().issuer(ISSUER).audience("orders");
        builder.load_balancer(arn).build().map(drop)
    };
    assert_eq!(build(BALANCER), Ok(()));
    for wrong in [
        "",
        "web",
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/web/50dc6c495c0c9188",
        "arn:aws:elasticloadbalancing:eu/../x:123456789012:loadbalancer/app/web/50dc6c495c0c9188",
        "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/web/50dc6c495c0c9188",
    ] {
        let problem = LoadBalancerProblem::Arn(wrong.to_owned());
        assert_eq!(build(wrong), Err(JwtError::LoadBalancer(problem)));
    }
    let problem = LoadBalancerProblem::NoKeyUrl;
    assert_eq!(build(GOVCLOUD), Err(JwtError::LoadBalancer(problem)));
    let with_url = Jwt::builder().issuer(ISSUER).audience("orders");
    let with_url = with_url.load_balancer_keys("https://keys.example");
    assert!(with_url.load_balancer(GOVCLOUD).build().is_ok());
    let elsewhere = BALANCER.replace("eu-central-1", "eu-west-1");
    let two = builder().load_balancer(elsewhere).build();
    let problem = LoadBalancerProblem::SeveralRegions;
    assert_eq!(two.map(drop), Err(JwtError::LoadBalancer(problem)));
    let query = builder().load_balancer_keys("https://keys.example/?key=");
    let problem = LoadBalancerProblem::KeyUrlQuery;
    assert_eq!(
        query.build().map(drop),
        Err(JwtError::LoadBalancer(problem))
    );
    let template = "https://login.shop.example/{tid}";
    let template = Jwt::builder().issuer_per_tenant(template, |_| true);
    let template = template.audience("orders").load_balancer(BALANCER).build();
    let problem = LoadBalancerProblem::Issuer;
    assert_eq!(template.map(drop), Err(JwtError::LoadBalancer(problem)));
    let plain = builder().load_balancer_keys("http://keys.example").build();
    let problem = UrlProblem::NotHttps;
    assert_eq!(
        plain.map(drop),
        Err(JwtError::Url {
            url: "http://keys.example/".to_owned(),
            problem
        }),
    );
    let both = builder()
        .jwks_url("https://login.shop.example/keys")
        .build();
    assert_eq!(both.map(drop), Err(JwtError::KeysBesidesFetched));
    let without = Jwt::builder().issuer(ISSUER).audience("orders");
    let without = without.load_balancer_keys("https://keys.example").build();
    let problem = LoadBalancerProblem::NoArn;
    assert_eq!(without.map(drop), Err(JwtError::LoadBalancer(problem)));
}
