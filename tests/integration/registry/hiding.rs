//! Hidden repositories: the challenge depends on the path, and not on the object behind it.

use auth_runtime::UnknownPaths;
use auth_runtime::testing::assert_hidden;

use super::*;

#[tokio::test]
async fn private_repositories_challenge_as_unknown_ones() {
    let app = app();
    let elsewhere = granting("bob/db", &["pull"]);
    for token in [None, Some(elsewhere.as_str())] {
        let private = get_of(&app, "/v2/ann/web/manifests/1", token).await;
        let missing = get_of(&app, "/v2/ann/xyz/manifests/1", token).await;
        assert_eq!((private.0, private.1.replace("web", "xyz")), missing);
    }
}

#[tokio::test]
async fn hidden_repositories_respond_as_unknown_paths() {
    for unknown in [UnknownPaths::NotFound, UnknownPaths::Challenge] {
        let app = protect(space_of(bearer()).unknown_paths(unknown));
        let elsewhere = granting("bob/db", &["pull"]);
        for token in [None, Some(elsewhere.as_str()), Some("bad")] {
            let mut request = Request::get("/secret/ann/web");
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let request = request.body(Body::empty()).expect("a request");
            assert_hidden(app.clone(), request).await;
            let hidden = get_of(&app, "/secret/ann/web", token).await;
            assert!(!hidden.1.contains("scope"), "{hidden:?}");
        }
        let own = granting("ann/web", &["pull"]);
        assert_eq!(get_of(&app, "/secret/ann/web", Some(&own)).await.0, 200);
    }
}

/// With `UnknownPaths::Challenge`, a client learns the token server everywhere. docker computes the scope itself.
#[tokio::test]
async fn unknown_paths_challenge_without_scope() {
    let app = protect(space_of(bearer()).unknown_paths(UnknownPaths::Challenge));
    for target in ["/secret/ann/web", "/secret/ann/xyz", "/nowhere"] {
        let expected = (401, CHALLENGE.to_owned());
        assert_eq!(get_of(&app, target, None).await, expected, "{target}");
    }
}

/// A handler that asks about the repository itself discloses no more than a policy does.
#[tokio::test]
async fn denied_repositories_respond_as_unknown_paths() {
    #[requires(authenticated, hide_as = 404)]
    async fn hidden(guard: Guard) -> Result<&'static str, Denied> {
        guard
            .can(PULL, Resource::new("Repository", "ann/web"))
            .await?;
        Ok("pulled")
    }
    for bearer in [bearer(), Bearer::jwt(verifier())] {
        let space = space_of(bearer).build().expect("the space is in order");
        let app = GuardedRouter::new().route("/hidden", get(hidden));
        let app = app.protect(space).expect("the route is in order");
        let elsewhere = granting("bob/db", &["pull"]);
        let request =
            Request::get("/hidden").header("authorization", format!("Bearer {elsewhere}"));
        let request = request.body(Body::empty()).expect("a request");
        assert_hidden(app.clone(), request).await;
        let answer = get_of(&app, "/hidden", Some(&elsewhere)).await;
        assert_eq!(answer, (404, String::new()));
        let own = granting("ann/web", &["pull"]);
        assert_eq!(get_of(&app, "/hidden", Some(&own)).await.0, 200);
    }
}
