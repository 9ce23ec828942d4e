//! Denied requests.

use crate::world::{HOME, SAME_HOST, World, all_routes, filled};

#[tokio::test]
async fn guarded_routes_deny_anonymous_callers() {
    let world = World::new().await;
    let unknown = world.ask("anonymous", "GET /nowhere", "").await;
    for route in all_routes() {
        let request = format!("{} {}", route.method, filled(&route.path));
        let seen = world.ask("anonymous", &request, "").await;
        match (route.is_public, route.is_hidden) {
            (true, _) => assert_eq!(seen.status, 200, "{request}"),
            (_, true) => assert_eq!(seen, unknown, "{request}"),
            (_, false) => {
                assert_eq!(seen.status, 401, "{request}");
                assert!(seen.challenge().is_some(), "{request}");
            }
        }
    }
}

#[tokio::test]
async fn expired_token_is_401_everywhere() {
    let world = World::new().await;
    let unknown = world.ask("late", "GET /nowhere", "").await;
    assert_eq!(unknown.status, 401);
    for route in all_routes() {
        let request = format!("{} {}", route.method, filled(&route.path));
        let seen = world.ask("late", &request, "").await;
        let is_for_links = route.path.starts_with("/downloads");
        match (route.is_public, is_for_links) {
            (true, _) => assert_eq!(seen.status, 200, "{request}"),
            (_, true) => assert_eq!(seen, unknown, "{request}"),
            _ => {
                assert_eq!(seen.status, 401, "{request}");
                let challenge = seen.challenge().unwrap_or_default();
                assert!(challenge.contains(r#"error="invalid_token""#), "{request}");
            }
        }
        if route.is_hidden {
            assert_eq!(seen, unknown, "{request}");
        }
    }
}

#[tokio::test]
async fn suspended_account_is_403() {
    let world = World::new().await;
    for route in all_routes() {
        let request = format!("{} {}", route.method, filled(&route.path));
        let seen = world.ask("sue", &request, "").await;
        match (route.is_public, route.is_hidden) {
            (true, _) => assert_eq!(seen.status, 200, "{request}"),
            (_, true) => assert_eq!(seen.status, 404, "{request}"),
            // The policy is about the identity, so a token with all scopes is not sufficient.
            (_, false) => assert_eq!(seen.status, 403, "{request}"),
        }
    }
}

#[tokio::test]
async fn suspension_applies_at_once() {
    let world = World::new().await;
    assert_eq!(world.status("wes", "GET /user", "").await, 200);
    let suspend = "PUT /admin/users/wes/suspension";
    assert_eq!(world.status("mo", suspend, "").await, 204);
    assert_eq!(world.status("wes", "GET /user", "").await, 403);
    assert_eq!(world.status("wes", "GET /repos/ann/vault", "").await, 404);
    let reinstate = "DELETE /admin/users/wes/suspension";
    assert_eq!(world.status("root", reinstate, "").await, 204);
    assert_eq!(world.status("wes", "GET /repos/ann/vault", "").await, 200);
    let actions = world.ask("mo", "GET /admin/actions", "").await.json();
    assert_eq!(actions[0]["action"], "reinstated");
    assert_eq!(
        (&actions[1]["actor"], &actions[1]["target"]),
        (&"mo".into(), &"wes".into())
    );
}

#[tokio::test]
async fn token_is_limited_by_its_owner() {
    let world = World::new().await;
    let merge = "PUT /repos/ann/vault/pulls/2/merge";
    let seen = world.ask("rae", merge, "").await;
    assert_eq!(
        (seen.status, seen.challenge()),
        (403, Some(r#"Bearer realm="forge""#))
    );
    assert_eq!(
        world.status("wes", "GET /repos/ann/vault/keys", "").await,
        403
    );
    assert_eq!(
        world.status("wes", "DELETE /repos/ann/vault", "").await,
        403
    );
    assert_eq!(world.status("wes", merge, "").await, 204);
}

#[tokio::test]
async fn owner_is_limited_by_the_token() {
    let world = World::new().await;
    for (request, scope) in [
        ("POST /repos/ann/vault/issues", "issue:write"),
        ("PUT /repos/ann/vault/pulls/2/merge", "repo:write"),
        ("DELETE /repos/ann/vault", "repo:admin"),
        ("PATCH /user", "user:write"),
        ("PUT /user/starred/ann/atlas", "user:write repo:read"),
        ("DELETE /user/starred/ann/vault", "user:write repo:read"),
        ("GET /orgs/guild/members", "org:read"),
    ] {
        let seen = world.ask("reading", request, "").await;
        assert_eq!(seen.status, 403, "{request}");
        let challenge = seen.challenge().unwrap_or_default();
        let asked_for = format!(r#"scope="{scope}", error="insufficient_scope""#);
        assert!(challenge.contains(&asked_for), "{request}: {challenge}");
    }
}

#[tokio::test]
async fn comments_belong_to_authors_and_writers() {
    let world = World::new().await;
    let add = "POST /repos/ann/vault/issues/1/comments";
    let added = world.ask("rae", add, r#"{"body": "Mine."}"#);
    let id = added.await.json()["id"].clone();
    let comment = format!("/repos/ann/vault/comments/{id}");
    let change = format!("PATCH {comment}");
    let body = r#"{"body": "Changed."}"#;
    assert_eq!(world.status("ann", &change, body).await, 403);
    assert_eq!(world.status("rae", &change, body).await, 200);
    let others = "DELETE /repos/ann/vault/comments/1";
    assert_eq!(world.status("rae", others, "").await, 403);
    assert_eq!(
        world.status("wes", &format!("DELETE {comment}"), "").await,
        204
    );
}

#[tokio::test]
async fn issues_belong_to_authors_and_writers() {
    let world = World::new().await;
    let change = "PATCH /repos/ann/atlas/issues/1";
    let body = r#"{"state": "closed"}"#;
    assert_eq!(world.status("rae", change, body).await, 403);
    assert_eq!(world.status("stu", change, body).await, 200);
    assert_eq!(world.status("ann", change, body).await, 200);
}

/// Numbers of other repositories are requested in a repository that the caller administers.
#[tokio::test]
async fn objects_of_other_repositories_are_missing() {
    let world = World::new().await;
    let new = r#"{"name": "mine", "visibility": "private"}"#;
    assert_eq!(world.status("stu", "POST /user/repos", new).await, 201);
    for request in [
        "DELETE /repos/stu/mine/keys/1",
        "DELETE /repos/stu/mine/hooks/1",
        "DELETE /repos/stu/mine/comments/1",
        "PATCH /repos/stu/mine/comments/1",
        "POST /repos/stu/mine/assets/1/link",
        "GET /repos/stu/mine/issues/1",
        "GET /repos/stu/mine/pulls/2",
        "PUT /repos/stu/mine/pulls/2/merge",
        "GET /repos/stu/mine/issues/1/comments",
        "DELETE /repos/stu/mine/labels/door",
        "GET /repos/stu/mine/releases/v1",
        "DELETE /repos/stu/mine/releases/v1",
    ] {
        let body = if request.starts_with("PATCH") {
            r#"{"body": "!"}"#
        } else {
            ""
        };
        assert_eq!(world.status("stu", request, body).await, 404, "{request}");
    }
    for what in ["keys", "hooks", "labels", "releases"] {
        let list = format!("GET /repos/ann/vault/{what}");
        let left = world.ask("ann", &list, "").await.json();
        assert_eq!(left.as_array().map(Vec::len), Some(1), "{what}");
    }
}

#[tokio::test]
async fn tokens_and_organizations_have_owners() {
    let world = World::new().await;
    let tokens = world.ask("ann", "GET /user/tokens", "").await.json();
    let revoke = format!("DELETE /user/tokens/{}", tokens[0]["id"]);
    assert_eq!(world.status("stu", &revoke, "").await, 404);
    assert_eq!(world.status("bot", "GET /repos/ann/vault", "").await, 200);
    assert_eq!(
        world.status("stu", "GET /orgs/guild/members", "").await,
        403
    );
    assert_eq!(
        world.status("tim", "GET /orgs/guild/members", "").await,
        200
    );
    let found = world.status("tim", "POST /orgs", r#"{"login": "smiths"}"#);
    assert_eq!(found.await, 201);
    // A team can be given only repositories of its own organization.
    let team = world.status("tim", "POST /orgs/smiths/teams", r#"{"slug": "all"}"#);
    assert_eq!(team.await, 201);
    let grant = "PUT /orgs/smiths/teams/all/repos/ledger";
    assert_eq!(
        world.status("tim", grant, r#"{"level": "admin"}"#).await,
        404
    );
    let member = "PUT /orgs/smiths/teams/all/members/stu";
    assert_eq!(world.status("tim", member, "").await, 404);
}

#[tokio::test]
async fn staff_routes_need_the_office_network() {
    let world = World::new().await;
    let unknown = world.ask("root", "GET /nowhere", "").await;
    let authorization = world.authorization("root");
    for route in all_routes() {
        if !route.path.starts_with("/admin") {
            continue;
        }
        let request = format!("{} {}", route.method, filled(&route.path));
        for outside in [HOME, SAME_HOST] {
            let seen = world.send(outside, authorization, &request, "").await;
            assert_eq!(seen, unknown, "{request} from {outside}");
        }
        // Only the proxy's own entry counts, and only from the proxy.
        let field = "x-forwarded-for";
        for (from, client) in [(HOME, "10.20.0.7"), (SAME_HOST, "10.20.0.7, 203.0.113.9")] {
            let fields = [
                ("authorization", authorization.unwrap_or_default()),
                (field, client),
            ];
            let seen = world.send_fields(from, &fields, &request, "").await;
            assert_eq!(seen, unknown, "{request} from {from} for {client}");
        }
        for who in ["ann", "bot"] {
            assert_eq!(world.ask(who, &request, "").await.status, 404, "{request}");
        }
    }
}

#[tokio::test]
async fn moderators_use_loosened_handlers_only() {
    let world = World::new().await;
    for (request, status) in [
        ("GET /admin/users", 200),
        ("GET /admin/actions", 200),
        ("GET /admin/denials", 200),
        ("PUT /admin/users/stu/suspension", 204),
        ("DELETE /admin/users/stu/suspension", 404),
        ("DELETE /admin/users/stu", 404),
        ("GET /admin/settings", 404),
        ("PUT /admin/settings/motd", 404),
        ("PUT /admin/settings/maintenance", 404),
    ] {
        assert_eq!(world.status("mo", request, "").await, status, "{request}");
    }
}

#[tokio::test]
async fn the_staff_is_suspended_by_administrators() {
    let world = World::new().await;
    let suspend = "PUT /admin/users/root/suspension";
    let refused = world.ask("mo", suspend, "").await;
    assert_eq!(refused, world.ask("mo", "PUT /never/there", "").await);
    assert_eq!(world.status("root", "GET /admin/users", "").await, 200);
    assert_eq!(world.status("root", suspend, "").await, 422);
    let suspend = "PUT /admin/users/mo/suspension";
    assert_eq!(world.status("root", suspend, "").await, 204);
    assert_eq!(world.status("mo", "GET /admin/users", "").await, 404);
}

#[tokio::test]
async fn irreversible_actions_need_a_fresh_login() {
    let world = World::new().await;
    for (request, body) in [
        ("PUT /admin/settings/maintenance", r#"{"on": true}"#),
        ("DELETE /admin/users/stu", ""),
    ] {
        let stale = world.ask("stale", request, body).await;
        assert_eq!(stale.status, 401, "{request}");
        let challenge = stale.challenge().unwrap_or_default();
        assert!(challenge.contains(r#"max_age="900""#), "{challenge}");
        assert_eq!(world.status("root", request, body).await, 204, "{request}");
    }
}

#[tokio::test]
async fn staff_reads_the_denial_log() {
    let world = World::new().await;
    world.ask("stu", "GET /repos/ann/vault", "").await;
    let denials = world.ask("mo", "GET /admin/denials", "").await.json();
    assert_eq!(denials[0]["outcome"], "hidden");
    assert_eq!(denials[0]["subject"], "stu");
    assert_eq!(denials[0]["path"], "/repos/{owner}/{repo}");
}

#[tokio::test]
async fn denial_log_is_bounded() {
    let world = World::new().await;
    for _ in 0..150 {
        world.ask("anonymous", "GET /user", "").await;
    }
    let denials = world.ask("mo", "GET /admin/denials", "").await.json();
    assert_eq!(denials.as_array().map(Vec::len), Some(100));
}
