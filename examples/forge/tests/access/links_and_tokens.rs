//! The credentials that the forge itself issues.

use crate::world::{HOME, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

async fn link(world: &World) -> String {
    let made = world
        .ask("rae", "POST /repos/ann/vault/assets/1/link", "")
        .await;
    assert_eq!(made.status, 200);
    made.json()["link"].as_str().expect("a link").to_owned()
}

#[tokio::test]
async fn link_downloads_one_file() {
    let world = World::new().await;
    let link = link(&world).await;
    let seen = world.send(HOME, None, &format!("GET {link}"), "").await;
    assert_eq!((seen.status, seen.body.as_str()), (200, "dig here"));

    let unknown = world.send(HOME, None, "GET /never/there", "").await;
    let elsewhere = link.replace("/downloads/1", "/downloads/2");
    for bad in [&elsewhere, &format!("{link}x"), "/downloads/1"] {
        let seen = world.send(HOME, None, &format!("GET {bad}"), "").await;
        assert_eq!(seen, unknown, "{bad}");
    }
}

#[tokio::test]
async fn link_ends_with_file_and_creator() {
    let world = World::new().await;
    let first = format!("GET {}", link(&world).await);
    let unknown = world.send(HOME, None, "GET /never/there", "").await;
    let suspended = world.status("mo", "PUT /admin/users/rae/suspension", "");
    assert_eq!(suspended.await, 204);
    assert_eq!(world.send(HOME, None, &first, "").await, unknown);
    let reinstated = world.status("root", "DELETE /admin/users/rae/suspension", "");
    assert_eq!(reinstated.await, 204);
    assert_eq!(world.send(HOME, None, &first, "").await.status, 200);
    let removed = world.status("ann", "DELETE /repos/ann/vault/releases/v1", "");
    assert_eq!(removed.await, 204);
    assert_eq!(world.send(HOME, None, &first, "").await.status, 404);
}

/// The newest file is deleted, and the next one is in another repository.
#[tokio::test]
async fn link_never_leads_to_later_file() {
    let world = World::new().await;
    let release = "POST /repos/ann/atlas/releases";
    assert_eq!(world.status("ann", release, r#"{"tag": "v1"}"#).await, 201);
    let upload = "POST /repos/ann/atlas/releases/v1/assets/map.txt";
    let uploaded = world.ask("ann", upload, "north is up").await.json();
    let link = format!("POST /repos/ann/atlas/assets/{}/link", uploaded["asset"]);
    let made = world.ask("stu", &link, "").await.json();
    let download = format!("GET {}", made["link"].as_str().expect("a link"));
    let seen = world.send(HOME, None, &download, "").await;
    assert_eq!((seen.status, seen.body.as_str()), (200, "north is up"));

    let removed = world.status("ann", "DELETE /repos/ann/atlas/releases/v1", "");
    assert_eq!(removed.await, 204);
    let upload = "POST /repos/ann/vault/releases/v1/assets/plan2.txt";
    let again = world.ask("ann", upload, "dig there").await.json();
    assert_ne!(again["asset"], uploaded["asset"]);
    let unknown = world.send(HOME, None, "GET /never/there", "").await;
    assert_eq!(world.send(HOME, None, &download, "").await, unknown);
}

#[tokio::test]
async fn links_end_with_access_of_creators() {
    let world = World::new().await;
    let download = format!("GET {}", link(&world).await);
    assert_eq!(world.send(HOME, None, &download, "").await.status, 200);
    let removed = world.status("ann", "DELETE /repos/ann/vault/collaborators/rae", "");
    assert_eq!(removed.await, 204);
    let unknown = world.send(HOME, None, "GET /never/there", "").await;
    assert_eq!(world.send(HOME, None, &download, "").await, unknown);
}

/// Browsers add a password to the requests that pages of other sites cause.
#[tokio::test]
async fn page_of_another_site_changes_nothing() {
    let world = World::new().await;
    let new = r#"{"name": "laptop", "scopes": ["repo:write"], "days": 30}"#;
    let made = world.ask("ann", "POST /user/tokens", new).await.json();
    let password = basic("ann", made["secret"].as_str().expect("a token"));
    let upload = "POST /repos/ann/vault/releases/v1/assets/setup.sh";
    let own = ("authorization", password.as_str());
    let cross_site = [own, ("sec-fetch-site", "cross-site")];
    let seen = world.send_fields(HOME, &cross_site, upload, "rm").await;
    assert_eq!(seen.status, 403);
    assert_eq!(
        world.send_fields(HOME, &[own], upload, "ls").await.status,
        201
    );
}

fn basic(login: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{token}")))
}

#[tokio::test]
async fn personal_token_works_until_revoked() {
    let world = World::new().await;
    let new = r#"{"name": "laptop", "scopes": ["repo:read"], "days": 30}"#;
    let made = world.ask("rae", "POST /user/tokens", new).await;
    assert_eq!(made.status, 201);
    let token = made.json()["secret"].as_str().expect("a token").to_owned();

    let good = basic("rae", &token);
    let ask = |request| world.send(HOME, Some(&good), request, "");
    assert_eq!(ask("GET /repos/ann/vault").await.status, 200);
    assert_eq!(ask("GET /user").await.status, 403);
    let stolen = basic("ann", &token);
    let seen = world.send(HOME, Some(&stolen), "GET /user", "").await;
    assert_eq!(seen.status, 401);

    let tokens = world.ask("rae", "GET /user/tokens", "").await;
    assert!(!tokens.body.contains(&token), "it is told once");
    let revoke = format!("DELETE /user/tokens/{}", tokens.json()[0]["id"]);
    assert_eq!(world.status("rae", &revoke, "").await, 204);
    assert_eq!(ask("GET /repos/ann/vault").await.status, 401);
}

#[tokio::test]
async fn token_cannot_exceed_its_creator() {
    let world = World::new().await;
    let create = "POST /user/tokens";
    for (who, scope, status) in [
        ("ann", "repo:admin", 201),
        ("ann", "repo:read", 201),
        ("profile", "user:read", 201),
        ("profile", "repo:read", 403),
        ("ann", "asset:download", 422),
        ("ann", "everything", 422),
        ("bot", "repo:read", 401),
    ] {
        let new = format!(r#"{{"name": "x", "scopes": ["{scope}"], "days": 1}}"#);
        let seen = world.status(who, create, &new).await;
        assert_eq!(seen, status, "{who}, {scope}");
    }
    let for_ever = r#"{"name": "x", "scopes": [], "days": 366}"#;
    assert_eq!(world.status("ann", create, for_ever).await, 422);
}

#[tokio::test]
async fn a_personal_token_expires() {
    let world = World::new().await;
    let repository = "GET /repos/ann/vault";
    assert_eq!(world.status("bot", repository, "").await, 200);
    let late = world.ask("late_bot", repository, "").await;
    assert_eq!(late.status, 401);
    assert_eq!(late, world.ask("late_bot", "GET /never/there", "").await);
}
