//! Links beside credentials of other schemes.

use auth_runtime::UnknownPaths;

use super::*;

#[requires(authenticated)]
async fn shown() {}

fn beside_bearer(unknown_paths: UnknownPaths) -> ProtectedRouter {
    let space = auth_tests::space_builder()
        .scheme(new_urls())
        .unknown_paths(unknown_paths);
    routes()
        .route("/shown", get(shown))
        .protect(space.build().expect("a space"))
        .expect("a router")
}

#[tokio::test]
async fn invalid_links_count_as_none() {
    let app = beside_bearer(UnknownPaths::NotFound);
    let link = new_urls().sign(&Method::GET, "/shown", HOUR, &reader());
    let link = link.expect("a link");
    assert_eq!(call(&app, Method::GET, &link).await.status(), 200);

    for target in ["/shown", &format!("{link}x"), "/shown?secret_link="] {
        let answer = call(&app, Method::GET, target).await;
        assert_eq!(answer.status(), 401, "{target}");
        assert_eq!(challenges(&answer), [BEARER], "{target}");
    }
    for target in ["/files/7?secret_link=x.1.x.x", "/join?secret_link="] {
        assert_404(&app, Method::GET, target, "hidden").await;
    }

    let challenging = beside_bearer(UnknownPaths::Challenge);
    for target in ["/files/7?secret_link=x", "/nothing?secret_link=x"] {
        let answer = call(&challenging, Method::GET, target).await;
        assert_eq!(answer.status(), 401, "{target}");
        assert_eq!(challenges(&answer), [BEARER], "{target}");
    }
}

#[tokio::test]
async fn two_credentials_are_refused_everywhere() {
    let app = beside_bearer(UnknownPaths::NotFound);
    let link = link_to("/files/7");
    let token = bearer(auth_tests::token(json!({})));
    let nowhere = link_to("/nothing");
    let shown = link_to("/shown");
    let unwelcome = new_urls().sign(&Method::GET, "/files/7", HOUR, &Identity::new("ann"));
    let unwelcome = unwelcome.expect("a link");
    for (target, status) in [
        // The handler accepts only links.
        (&*link, 200),
        (&shown, 400),
        (&nowhere, 400),
        (&unwelcome, 400),
        // An invalid link counts as none, so only the token remains.
        ("/shown?secret_link=x", 200),
        ("/files/7?secret_link=x", 404),
        ("/nothing?secret_link=x", 404),
    ] {
        let answer = send(&app, target, &token).await;
        assert_eq!(answer.status(), status, "{target}");
    }
    let (_, value) = link.split_once('?').expect("a query");
    for target in [format!("{link}&{value}"), format!("{link}&secret%5Flink=x")] {
        for app in [&app, &links_only(new_urls())] {
            assert_eq!(send(app, &target, &vec![]).await.status(), 400, "{target}");
        }
    }
}

#[tokio::test]
async fn expired_tokens_are_reported() {
    let app = beside_bearer(UnknownPaths::NotFound);
    let token = bearer(auth_tests::expired_token(json!({})));
    for target in ["/files/7", "/nothing"] {
        let answer = send(&app, target, &token).await;
        assert_eq!(challenges(&answer), [EXPIRED], "{target}");
    }
}

#[requires(authenticated, schemes("SignedUrl"))]
async fn links_but_not_hidden() {}

#[requires(authenticated, schemes("SignedUrl"), hide_as = 404, hide_unless = network("10.0.0.0/8"))]
async fn links_hidden_from_some() {}

#[requires(
    any(role = "editor", acr = "gold"),
    schemes("SignedUrl"),
    hide_as = 404
)]
async fn links_and_a_login() {}

#[requires(
    any(role = "editor", sender_constrained),
    schemes("SignedUrl"),
    hide_as = 404
)]
async fn links_and_a_key() {}

#[requires(network = "127.0.0.0/8")]
async fn only_a_network() {}

#[tokio::test]
async fn handlers_for_links_have_to_hide() {
    let space = || {
        let space = auth_tests::space_builder().scheme(new_urls());
        space.build().expect("a space")
    };
    let rows = [
        ("links_but_not_hidden", get(links_but_not_hidden)),
        ("links_hidden_from_some", get(links_hidden_from_some)),
        ("links_and_a_login", get(links_and_a_login)),
    ];
    for (name, handler) in rows {
        let error = GuardedRouter::new().route("/x", handler).protect(space());
        let error = error.expect_err(name).to_string();
        assert!(
            error.contains(&format!("::{name}` can be met only by")),
            "{error}"
        );
        assert!(error.contains("`hide_as = 404`"), "{error}");
    }
    let links = ProtectionSpace::builder().scheme(new_urls());
    let links = links.build().expect("a space");
    let error = GuardedRouter::new()
        .route("/x", get(shown))
        .protect(links.clone());
    assert!(
        error
            .expect_err("a 401 has a challenge")
            .to_string()
            .contains("::shown` can be met only by")
    );
    // No denial of these requests credentials: that of rule 3b is concealed.
    let routes = GuardedRouter::new()
        .route("/x", get(only_a_network))
        .route("/y", get(links_and_a_key));
    assert!(
        routes.protect(links).is_ok(),
        "nobody is asked who they are"
    );

    // A plain router detects the error at the first request.
    let app = Router::new()
        .route("/x", axum::routing::get(links_but_not_hidden))
        .route("/files/{name}", axum::routing::get(download))
        .layer(axum::Extension(space()));
    assert_eq!(call(&app, Method::GET, "/x").await.status(), 500);
    assert_eq!(call(&app, Method::GET, "/files/7").await.status(), 404);
    assert_eq!(
        call(&app, Method::GET, &link_to("/files/7")).await.status(),
        200
    );
}

#[test]
fn challenging_spaces_need_a_challenge() {
    let space = ProtectionSpace::builder().realm("api").scheme(new_urls());
    let error = space.unknown_paths(UnknownPaths::Challenge).build();
    assert_eq!(error.expect_err("no challenge"), SpaceError::NoChallenge);
}
