//! The certificate of the connection itself, over real TLS.

use super::*;

#[tokio::test]
async fn bound_tokens_need_their_certificate() {
    let clients = Clients::new();
    let address = tls::serve(app(CertificateSource::connection()), &clients.authority).await;
    let own = || Some(&clients.own);
    let of_own = thumbprint(&clients.own);
    let rows = [
        ("its own", own(), bound_token(&clients.own), 200, 200),
        ("another", own(), bound_token(&clients.other), 401, 401),
        ("no certificate", None, bound_token(&clients.own), 401, 401),
        ("an unbound token", own(), rs256(json!({})), 200, 401),
        ("neither", None, rs256(json!({})), 200, 401),
        (
            "bound to more than the certificate",
            own(),
            token(json!({ "x5t#S256": of_own, "jkt": of_own })),
            401,
            401,
        ),
        (
            "bound to a key for proofs",
            own(),
            token(json!({ "jkt": of_own })),
            401,
            401,
        ),
        (
            "bound to what nobody knows",
            own(),
            token(json!({ "kid": "1" })),
            401,
            401,
        ),
        ("bound to nothing", own(), token(json!({})), 401, 401),
        ("no object", own(), token(json!(of_own)), 401, 401),
        (
            "no text",
            own(),
            token(json!({ "x5t#S256": [of_own] })),
            401,
            401,
        ),
        (
            "null for a thumbprint, and no certificate",
            None,
            token(json!({ "x5t#S256": null })),
            401,
            401,
        ),
        (
            "an empty thumbprint, and no certificate",
            None,
            token(json!({ "x5t#S256": "" })),
            401,
            401,
        ),
        (
            "the thumbprint in another case",
            own(),
            token(json!({ "x5t#S256": of_own.to_lowercase() })),
            401,
            401,
        ),
    ];
    for (name, shown, token, known, bound) in rows {
        let fields = format!("authorization: Bearer {token}\r\n");
        for (target, expected) in [("/known", known), ("/bound", bound)] {
            let (status, challenge) = ask(address, &clients, shown, target, &fields).await;
            assert_eq!(status, expected, "{name}: {target}");
            let told = if expected == 401 { INVALID } else { "" };
            assert_eq!(challenge, told, "{name}: {target}");
        }
    }
    let without = ask(address, &clients, own(), "/bound", "").await;
    assert_eq!(without, (401, BEARER.to_owned()), "a certificate alone");
}

#[tokio::test]
async fn certificate_fields_are_ignored() {
    let clients = Clients::new();
    let address = tls::serve(app(CertificateSource::connection()), &clients.authority).await;
    let forged = STANDARD.encode(clients.other.der());
    let fields = format!(
        "authorization: Bearer {}\r\nclient-cert: :{forged}:\r\n",
        bound_token(&clients.other)
    );
    for shown in [None, Some(&clients.own)] {
        let (status, _) = ask(address, &clients, shown, "/known", &fields).await;
        assert_eq!(status, 401);
    }
}

#[tokio::test]
async fn each_connection_has_its_certificate() {
    let clients = Clients::new();
    let address = tls::serve(app(CertificateSource::connection()), &clients.authority).await;
    for (shown, status) in [
        (&clients.own, 200),
        (&clients.other, 401),
        (&clients.own, 200),
    ] {
        let fields = format!("authorization: Bearer {}\r\n", bound_token(&clients.own));
        let answer = ask(address, &clients, Some(shown), "/bound", &fields).await;
        assert_eq!(answer.0, status);
    }
}

#[tokio::test]
async fn unbound_logins_get_a_binding_challenge() {
    let users = Basic::new(async |_, _| Caller::known(Identity::new("ann")));
    let bearer = Bearer::jwt(rsa_verifier());
    let space = ProtectionSpace::builder()
        .realm("api")
        .scheme(users)
        .scheme(bearer.client_certificate(CertificateSource::connection()));
    let app = GuardedRouter::new()
        .route("/bound", get(bound))
        .protect(space.build().unwrap())
        .unwrap();
    let response = send(&app, "/bound", &basic("ann:x")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(challenges(&response), [BEARER]);
}

#[tokio::test]
async fn bound_tokens_need_a_certificate_source() {
    let clients = Clients::new();
    let app = crate::schemes::app(space(Bearer::jwt(rsa_verifier())));
    let mut request = Request::get("/known").body(Body::empty()).unwrap();
    let shown = PeerCertificate::new(clients.own.der());
    assert_eq!(shown.thumbprint(), thumbprint(&clients.own));
    request.extensions_mut().insert(shown);
    let token = format!("Bearer {}", bound_token(&clients.own));
    let headers = request.headers_mut();
    headers.insert("authorization", HeaderValue::try_from(token).unwrap());
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(challenges(&response), [INVALID]);
}

/// The certificate is that of the connection, whichever verifier knows the token.
#[tokio::test]
async fn every_token_kind_needs_its_certificate() {
    let other_kind = Bearer::jwt(rsa_verifier());
    let bearer = Bearer::jwt(rsa_verifier()).tokens_if(|_| true, other_kind);
    let app = app_of(bearer.client_certificate(CertificateSource::connection()));
    let own = PeerCertificate::new("a certificate");
    let other = PeerCertificate::new("another certificate");
    let bound = token(json!({ "x5t#S256": own.thumbprint() }));
    for (shown, known, sender_constrained) in [
        (Some(own), 200, 200),
        (Some(other), 401, 401),
        (None, 401, 401),
    ] {
        for (target, expected) in [("/known", known), ("/bound", sender_constrained)] {
            let request = Request::get(target).header("authorization", format!("Bearer {bound}"));
            let mut request = request.body(Body::empty()).unwrap();
            if let Some(shown) = &shown {
                request.extensions_mut().insert(shown.clone());
            }
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected, "{target} {shown:?}");
        }
    }
}

#[requires(sender_constrained)]
async fn changed() {}

#[tokio::test]
async fn query_and_form_tokens_need_certificates() {
    let bearer = Bearer::jwt(rsa_verifier()).accept_query().accept_form();
    let bearer = bearer.client_certificate(CertificateSource::connection());
    let app = GuardedRouter::new()
        .route("/bound", get(bound).post(changed))
        .protect(space(bearer))
        .unwrap();
    let own = PeerCertificate::new("a certificate");
    let other = PeerCertificate::new("another certificate");
    let token = token(json!({ "x5t#S256": own.thumbprint() }));
    for (shown, expected) in [(Some(own), 200), (Some(other), 401), (None, 401)] {
        let query = Request::get(format!("/bound?access_token={token}")).body(Body::empty());
        let form = Request::post("/bound")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("access_token={token}")));
        for request in [query, form] {
            let mut request = request.unwrap();
            let method = request.method().clone();
            if let Some(shown) = &shown {
                request.extensions_mut().insert(shown.clone());
            }
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected, "{method} {shown:?}");
        }
    }
}
