//! Microsoft Entra, version 2: one issuer for each tenant, and one set of keys for all.

use auth_runtime::schemes::JwtError;

use super::*;

const TEMPLATE: &str = "https://login.microsoftonline.com/{tid}/v2.0";
const OURS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
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
async fn a_tenant_is_accepted_if_it_is_allowed_and_both_claims_name_it() {
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
