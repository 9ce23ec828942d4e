//! Every route, requested by an allowed caller.

use std::collections::BTreeSet;

use crate::world::{World, all_routes};

/// The order matters, since some calls create objects for others.
#[rustfmt::skip]
const CALLS: &[(&str, &str, &str, &str, u16)] = &[
    ("anonymous", "GET", "/", "", 200),
    ("anonymous", "GET", "/healthz", "", 200),
    ("anonymous", "GET", "/scopes", "", 200),
    ("anonymous", "GET", "/explore", "", 200),
    ("anonymous", "GET", "/users/{login=ann}", "", 200),
    ("anonymous", "GET", "/orgs/{org=guild}", "", 200),

    ("ann", "GET", "/user", "", 200),
    ("ann", "PATCH", "/user", r#"{"bio": "draws maps"}"#, 200),
    ("ann", "GET", "/user/tokens", "", 200),
    ("ann", "POST", "/user/tokens", r#"{"name": "x", "scopes": ["gist"], "days": 1}"#, 201),
    ("ann", "DELETE", "/user/tokens/{token=2}", "", 204),
    ("ann", "GET", "/user/repos", "", 200),
    ("ann", "POST", "/user/repos", r#"{"name": "draft", "visibility": "private"}"#, 201),
    ("ann", "GET", "/user/starred", "", 200),
    ("ann", "PUT", "/user/starred/{owner=ann}/{repo=vault}", "", 204),
    ("ann", "DELETE", "/user/starred/{owner=ann}/{repo=vault}", "", 204),
    ("ann", "GET", "/notifications", "", 200),
    ("ann", "PUT", "/notifications", "", 204),

    ("ann", "GET", "/repos/{owner=ann}/{repo=vault}", "", 200),
    ("ann", "PATCH", "/repos/{owner=ann}/{repo=vault}", r#"{"description": "Hush"}"#, 200),
    ("ann", "GET", "/repos/{owner=ann}/{repo=vault}/collaborators", "", 200),
    ("ann", "PUT", "/repos/{owner=ann}/{repo=vault}/collaborators/{login=tim}", r#"{"level": "admin"}"#, 204),
    ("ann", "DELETE", "/repos/{owner=ann}/{repo=vault}/collaborators/{login=tim}", "", 204),
    ("ann", "GET", "/repos/{owner=ann}/{repo=vault}/keys", "", 200),
    ("ann", "POST", "/repos/{owner=ann}/{repo=vault}/keys", r#"{"title": "new", "key": "ssh-ed25519 AAAA"}"#, 201),
    ("ann", "DELETE", "/repos/{owner=ann}/{repo=vault}/keys/{key=2}", "", 204),
    ("ann", "GET", "/repos/{owner=ann}/{repo=vault}/hooks", "", 200),
    ("ann", "POST", "/repos/{owner=ann}/{repo=vault}/hooks", r#"{"url": "https://x.example", "event": "push"}"#, 201),
    ("ann", "DELETE", "/repos/{owner=ann}/{repo=vault}/hooks/{hook=2}", "", 204),

    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/issues", "", 200),
    ("rae", "POST", "/repos/{owner=ann}/{repo=vault}/issues", r#"{"title": "It squeaks"}"#, 201),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/issues/{number=3}", "", 200),
    ("rae", "PATCH", "/repos/{owner=ann}/{repo=vault}/issues/{number=3}", r#"{"state": "closed"}"#, 200),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/issues/{number=1}/comments", "", 200),
    ("rae", "POST", "/repos/{owner=ann}/{repo=vault}/issues/{number=1}/comments", r#"{"body": "Thanks."}"#, 201),
    ("rae", "PATCH", "/repos/{owner=ann}/{repo=vault}/comments/{comment=3}", r#"{"body": "Thank you."}"#, 200),
    ("rae", "DELETE", "/repos/{owner=ann}/{repo=vault}/comments/{comment=3}", "", 204),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/labels", "", 200),
    ("wes", "POST", "/repos/{owner=ann}/{repo=vault}/labels", r#"{"name": "bell", "color": "00ff00"}"#, 201),
    ("wes", "PUT", "/repos/{owner=ann}/{repo=vault}/issues/{number=1}/labels/{label=bell}", "", 204),
    ("wes", "DELETE", "/repos/{owner=ann}/{repo=vault}/issues/{number=1}/labels/{label=bell}", "", 204),
    ("wes", "DELETE", "/repos/{owner=ann}/{repo=vault}/labels/{label=bell}", "", 204),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/pulls", "", 200),
    ("rae", "POST", "/repos/{owner=ann}/{repo=vault}/pulls", r#"{"title": "Oil", "head": "oil", "base": "main"}"#, 201),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/pulls/{number=4}", "", 200),
    ("wes", "PUT", "/repos/{owner=ann}/{repo=vault}/pulls/{number=4}/merge", "", 204),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/releases", "", 200),
    ("wes", "POST", "/repos/{owner=ann}/{repo=vault}/releases", r#"{"tag": "v2"}"#, 201),
    ("wes", "POST", "/repos/{owner=ann}/{repo=vault}/releases/{tag=v2}/assets/{file=plan.txt}", "dig there", 201),
    ("rae", "POST", "/repos/{owner=ann}/{repo=vault}/assets/{asset=2}/link", "", 200),
    ("rae", "GET", "/repos/{owner=ann}/{repo=vault}/releases/{tag=v2}", "", 200),
    ("ann", "DELETE", "/repos/{owner=ann}/{repo=vault}/releases/{tag=v2}", "", 204),
    ("ann", "DELETE", "/repos/{owner=ann}/{repo=vault}", "", 204),

    ("ann", "POST", "/orgs", r#"{"login": "smiths"}"#, 201),
    ("ann", "PATCH", "/orgs/{org=guild}", r#"{"bio": "since 1347"}"#, 200),
    ("tim", "GET", "/orgs/{org=guild}/members", "", 200),
    ("ann", "PUT", "/orgs/{org=guild}/members/{login=stu}", r#"{"role": "member"}"#, 204),
    ("ann", "POST", "/orgs/{org=guild}/repos", r#"{"name": "seal", "visibility": "private"}"#, 201),
    ("tim", "GET", "/orgs/{org=guild}/teams", "", 200),
    ("ann", "POST", "/orgs/{org=guild}/teams", r#"{"slug": "smiths"}"#, 201),
    ("ann", "PUT", "/orgs/{org=guild}/teams/{team=smiths}/members/{login=stu}", "", 204),
    ("ann", "PUT", "/orgs/{org=guild}/teams/{team=smiths}/repos/{repo=seal}", r#"{"level": "write"}"#, 204),
    ("ann", "DELETE", "/orgs/{org=guild}/teams/{team=smiths}/members/{login=stu}", "", 204),
    ("ann", "DELETE", "/orgs/{org=guild}/teams/{team=smiths}", "", 204),
    ("ann", "DELETE", "/orgs/{org=guild}/members/{login=stu}", "", 204),

    ("ann", "GET", "/gists", "", 200),
    ("ann", "POST", "/gists", r#"{"name": "new.txt", "content": "…", "is_secret": true}"#, 201),
    ("ann", "GET", "/gists/{gist=3}", "", 200),
    ("ann", "PATCH", "/gists/{gist=3}", r#"{"content": "… and more"}"#, 200),
    ("ann", "DELETE", "/gists/{gist=3}", "", 204),
    ("ann", "GET", "/search/repositories", "?q=Maps", 200),
    ("ann", "GET", "/search/issues", "?q=north", 200),
    ("ann", "GET", "/search/users", "?q=ra", 200),

    ("root", "GET", "/admin/users", "", 200),
    ("root", "PUT", "/admin/users/{login=stu}/suspension", "", 204),
    ("root", "DELETE", "/admin/users/{login=stu}/suspension", "", 204),
    ("root", "DELETE", "/admin/users/{login=stu}", "", 204),
    ("root", "GET", "/admin/actions", "", 200),
    ("root", "GET", "/admin/denials", "", 200),
    ("root", "GET", "/admin/settings", "", 200),
    ("root", "PUT", "/admin/settings/motd", r#"{"text": "be brief"}"#, 204),
    ("root", "PUT", "/admin/settings/maintenance", r#"{"on": true}"#, 204),
];

#[tokio::test]
async fn every_route_works() {
    let world = World::new().await;
    let mut called = BTreeSet::new();
    for (who, method, path, sent, status) in CALLS {
        let (route, target) = route_and_target(path);
        let (query, body) = match sent.starts_with('?') {
            true => (*sent, ""),
            false => ("", *sent),
        };
        let seen = world
            .ask(who, &format!("{method} {target}{query}"), body)
            .await;
        assert_eq!(
            seen.status, *status,
            "{method} {target} by {who}: {}",
            seen.body
        );
        called.insert(format!("{method} {route}"));
    }
    // Links have a test of their own.
    called.insert("GET /downloads/{asset}".to_owned());
    let routes = all_routes().into_iter();
    let routes = routes.map(|route| format!("{} {}", route.method, route.path));
    assert_eq!(
        called,
        routes.collect(),
        "each route is called, and each call has a route"
    );
}

/// `/gists/{gist=3}` is the route `/gists/{gist}`, called at `/gists/3`.
fn route_and_target(path: &str) -> (String, String) {
    let segments = path.split('/').map(|segment| {
        let inner = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match inner.and_then(|inner| inner.split_once('=')) {
            Some((name, value)) => (format!("{{{name}}}"), value.to_owned()),
            None => (segment.to_owned(), segment.to_owned()),
        }
    });
    let (route, target): (Vec<String>, Vec<String>) = segments.unzip();
    (route.join("/"), target.join("/"))
}

#[tokio::test]
async fn collaborator_has_the_granted_level() {
    let world = World::new().await;
    let grant = "PUT /repos/ann/vault/collaborators/stu";
    for (level, read, merge, keys) in [
        ("read", 200, 403, 403),
        ("write", 200, 409, 403),
        ("admin", 200, 409, 200),
    ] {
        // The pull request is merged already, so an allowed caller receives 409.
        world
            .ask("wes", "PUT /repos/ann/vault/pulls/2/merge", "")
            .await;
        let body = format!(r#"{{"level": "{level}"}}"#);
        assert_eq!(world.status("ann", grant, &body).await, 204);
        let seen = world.status("stu", "GET /repos/ann/vault", "").await;
        assert_eq!(seen, read, "{level}");
        let seen = world.status("stu", "PUT /repos/ann/vault/pulls/2/merge", "");
        assert_eq!(seen.await, merge, "{level}");
        let seen = world.status("stu", "GET /repos/ann/vault/keys", "").await;
        assert_eq!(seen, keys, "{level}");
    }
    let removed = world.status("ann", "DELETE /repos/ann/vault/collaborators/stu", "");
    assert_eq!(removed.await, 204);
    assert_eq!(world.status("stu", "GET /repos/ann/vault", "").await, 404);
}

#[tokio::test]
async fn member_has_level_of_team() {
    let world = World::new().await;
    let ledger = "GET /repos/guild/ledger";
    let keys = "GET /repos/guild/ledger/keys";
    assert_eq!(world.status("tim", ledger, "").await, 200);
    assert_eq!(world.status("tim", keys, "").await, 403);
    assert_eq!(world.status("ann", keys, "").await, 200);
    let leave = "DELETE /orgs/guild/members/tim";
    assert_eq!(world.status("ann", leave, "").await, 204);
    assert_eq!(world.status("tim", ledger, "").await, 404);
}

#[tokio::test]
async fn organizations_are_changed_by_their_owners() {
    let world = World::new().await;
    let found = r#"{"login": "smiths"}"#;
    assert_eq!(world.status("stu", "POST /orgs", found).await, 201);
    let new = r#"{"slug": "all"}"#;
    for (who, request, status) in [
        ("tim", "POST /orgs/guild/teams", 403),
        ("stu", "POST /orgs/guild/teams", 403),
        ("stu", "POST /orgs/nowhere/teams", 403),
        ("stu", "POST /orgs/smiths/teams", 201),
        ("ann", "POST /orgs/smiths/teams", 403),
    ] {
        let seen = world.status(who, request, new).await;
        assert_eq!(seen, status, "{request} by {who}");
    }
}

#[tokio::test]
async fn an_organization_keeps_an_owner() {
    let world = World::new().await;
    let resign = r#"{"role": "member"}"#;
    assert_eq!(
        world
            .status("ann", "PUT /orgs/guild/members/ann", resign)
            .await,
        422
    );
    assert_eq!(
        world
            .status("ann", "DELETE /orgs/guild/members/ann", "")
            .await,
        422
    );
    assert_eq!(
        world.status("root", "DELETE /admin/users/ann", "").await,
        422
    );
    assert_eq!(
        world.status("ann", "GET /orgs/guild/members", "").await,
        200
    );
}

#[tokio::test]
async fn parsing_follows_authorization() {
    let world = World::new().await;
    let open = "POST /repos/ann/vault/issues";
    for (body, status) in [
        (r#"{"title": "#, 400),
        (r#"{"title": 7}"#, 422),
        (r#"{"title": ""}"#, 422),
        (r#"{"title": "x", "author": "root"}"#, 422),
        ("", 415),
    ] {
        let seen = world.ask("rae", open, body).await;
        assert_eq!((seen.status, seen.is_problem()), (status, true), "{body}");
        assert_eq!(world.status("stu", open, body).await, 404, "{body}");
    }
    let long = format!(r#"{{"title": "x", "body": "{}"}}"#, "y".repeat(300_000));
    let upload = "POST /repos/ann/vault/releases/v1/assets/long.txt";
    for (who, request) in [("rae", open), ("wes", upload)] {
        let seen = world.ask(who, request, &long).await;
        assert_eq!((seen.status, seen.is_problem()), (413, true), "{request}");
    }
    assert_eq!(world.status("stu", open, &long).await, 404);
    for search in ["GET /search/issues", "GET /search/issues?q="] {
        let seen = world.ask("rae", search, "").await;
        assert_eq!((seen.status, seen.is_problem()), (400, true), "{search}");
    }
    let again = r#"{"name": "vault", "visibility": "public"}"#;
    assert_eq!(world.status("ann", "POST /user/repos", again).await, 409);
    for name in ["../x", "UP", "a b", "", ".git"] {
        let new = format!(r#"{{"name": "{name}", "visibility": "public"}}"#);
        assert_eq!(
            world.status("ann", "POST /user/repos", &new).await,
            422,
            "{name}"
        );
    }
}

#[tokio::test]
async fn search_text_is_not_sql() {
    let world = World::new().await;
    let target = "GET /search/repositories?q=%27%20OR%201=1%20--";
    let seen = world.ask("stu", target, "").await;
    assert_eq!((seen.status, seen.body.as_str()), (200, "[]"));
}
