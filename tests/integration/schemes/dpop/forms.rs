//! Proofs beside tokens in forms.

use tower_http::set_header::SetResponseHeaderLayer;

use super::*;

#[requires(scope = "read", hide_as = 404)]
async fn hidden_form(guard: Guard, body: String) -> String {
    format!("{} {body}", guard.identity().subject())
}

#[tokio::test]
async fn forms_verify_a_proof_once() {
    let layer = || {
        let value = HeaderValue::from_static("1");
        SetResponseHeaderLayer::appending(http::HeaderName::from_static("x-layer"), value)
    };
    let route = || GuardedRouter::new().route("/hidden", post(hidden_form));
    let client = Client::new();
    for (name, router) in [
        ("no layer", route()),
        (
            "a layer around the method",
            GuardedRouter::new().route("/hidden", post(hidden_form).layer(layer())),
        ),
        (
            "a layer around the route",
            GuardedRouter::new().merge(route().layer(layer())),
        ),
        (
            "a nested router",
            GuardedRouter::new()
                .nest("/nested", route())
                .fallback(nothing),
        ),
        (
            "a layered fallback",
            GuardedRouter::new()
                .fallback(nothing)
                .layer(layer())
                .merge(route()),
        ),
    ] {
        let space = ProtectionSpace::builder()
            .realm("api")
            .scheme(Bearer::jwt(verifier()).accept_form())
            .scheme(dpop().build().expect("a scheme"));
        let app = router
            .protect(space.build().expect("a space"))
            .expect("a router");
        let path = if name == "a nested router" {
            "/nested/hidden"
        } else {
            "/hidden"
        };
        let ask = async |path: &str, body: &str| {
            let proof = client
                .key
                .prove("POST", &format!("{ORIGIN}{path}"), &client.token, now());
            let request = Request::post(path)
                .header("authorization", format!("DPoP {}", client.token))
                .header("dpop", proof)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(body.to_owned()))
                .expect("a request");
            app.clone().oneshot(request).await.expect("infallible")
        };
        let granted = ask(path, "a=b").await;
        assert_eq!(granted.status(), 200, "{name}");
        assert_eq!(text(granted).await, "ann a=b", "{name}");
        assert_eq!(ask("/nowhere", "a=b").await.status(), 404, "{name}");
        for path in [path, "/nowhere"] {
            let ambiguous = ask(path, "access_token=x").await;
            assert_eq!(ambiguous.status(), 400, "{name} {path}");
        }
    }
}

#[tokio::test]
async fn layers_verify_forms_again() {
    let token = token(json!({ "scope": "read" }));
    // The second token is as long as that of the request.
    for other in ["x".to_owned(), "x".repeat(token.len())] {
        let replacing = axum::middleware::map_request(move |request: Request| {
            let form = format!("access_token={other}");
            let (head, _) = request.into_parts();
            async { Request::from_parts(head, Body::from(form)) }
        });
        let app = GuardedRouter::new()
            .route("/hidden", post(hidden_form).layer(replacing))
            .protect(space(Bearer::jwt(verifier()).accept_form()))
            .expect("a router");
        // An unknown path has no such layer.
        for path in ["/hidden", "/absent"] {
            let request = Request::post(path)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(format!("access_token={token}")))
                .expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 404, "{path}");
        }
    }
}
