//! Names from the path reach the challenge only if they are names of repositories.

use axum::extract::OriginalUri;
use http::Uri;
use tower::Layer;
use tower::util::MapRequestLayer;

use super::*;

#[tokio::test]
async fn other_names_have_no_scope() {
    let app = app();
    let puller = granting("ann/web", &["pull"]);
    let long = "a".repeat(252);
    for (name, is_name) in [
        ("ann/web", true),
        ("ann/web-1", true),
        ("ann/web--1", true),
        ("ann/web__1", true),
        ("ann/web.1", true),
        ("4/2", true),
        (&*format!("ab/{long}"), true),
        (&*format!("abc/{long}"), false),
        ("ann/web%0d%0aset-cookie:%20a=b", false),
        ("ann/web%22,%20error=%22x", false),
        ("ann/web:delete,pull", false),
        ("ann/web,push", false),
        ("ann/we%20b", false),
        ("ann/web%00", false),
        ("ann/%F0%9F%90%B3", false),
        ("ann/%FF", false),
        ("ann/Web", false),
        ("ann/web..1", false),
        ("ann/web___1", false),
        ("ann/web_-1", false),
        ("ann/-web", false),
        ("ann/web.", false),
        ("ann/..", false),
        ("ann/a%2Fb", true),
        ("ann%2Fa/b", false),
        ("ann/a%2F", false),
    ] {
        let target = format!("/v2/{name}/manifests/1");
        let (status, challenge) = get_of(&app, &target, None).await;
        let scope = format!(
            r#"{CHALLENGE}, scope="repository:{}:pull""#,
            name.replace("%2F", "/")
        );
        let expected = if is_name { scope.as_str() } else { CHALLENGE };
        assert_eq!((status, challenge.as_str()), (401, expected), "{name}");
        // Without a scope, no token would help.
        if name != "ann/web" {
            let status = get_of(&app, &target, Some(&puller)).await.0;
            assert_eq!(status, if is_name { 401 } else { 403 }, "{name}");
        }
    }
}

/// Moves the name of a repository to the end, since a wildcard of a route matches the end of a path only:
/// `/v2/{name}/manifests/{reference}` to `/v2/manifests/{reference}/{name}`.
fn move_name(mut request: Request) -> Request {
    let sent = OriginalUri(request.uri().clone());
    request.extensions_mut().insert(sent);
    let query = request.uri().query().map(|query| format!("?{query}"));
    let target = moved(request.uri().path()).map(|path| path + &query.unwrap_or_default());
    if let Some(uri) = target.and_then(|target| target.parse::<Uri>().ok()) {
        *request.uri_mut() = uri;
    }
    request
}

fn moved(path: &str) -> Option<String> {
    let (rest, reference) = path.strip_prefix("/v2/")?.rsplit_once('/')?;
    let name = rest.strip_suffix("/manifests")?;
    Some(format!("/v2/manifests/{reference}/{name}"))
}

#[tokio::test]
async fn layer_moves_slashed_names_behind_rest() {
    let space = space_of(bearer()).build().expect("the space is in order");
    let routes = GuardedRouter::new().route("/v2/manifests/{reference}/{*name}", get(manifest));
    let protected = routes.protect(space).expect("the routes are in order");
    let app = MapRequestLayer::new(move_name).layer(protected);
    let own = granting("a/manifests/c", &["pull"]);
    let target = "/v2/a/manifests/c/manifests/latest";
    let expected = format!(r#"{CHALLENGE}, scope="repository:a/manifests/c:pull""#);
    assert_eq!(get_of(&app, target, None).await, (401, expected));
    assert_eq!(get_of(&app, target, Some(&own)).await.0, 200);
    let with_query = format!("{target}?n=1");
    assert_eq!(get_of(&app, &with_query, Some(&own)).await.0, 200);
    assert_eq!(
        get_of(&app, "/v2/a/b/manifests/latest", Some(&own)).await.0,
        401
    );
}
