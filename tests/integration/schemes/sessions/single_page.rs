//! An application that its fallback serves: `/`, `/login` and the files that belong to it.

use super::*;

#[public(reason = "the application itself")]
async fn application() -> &'static str {
    "<!doctype html>"
}

fn serve_page(routes: GuardedRouter, unknown_paths: UnknownPaths) -> Browser {
    let space = shop(builder()).unknown_paths(unknown_paths).build();
    let routes = routes.route("/api", get(account)).fallback(application);
    let app = routes.protect(space.expect("the space is in order"));
    let store = MemoryStore::default();
    let app = app.expect("a router").layer(layer(store.clone()));
    Browser::new(app.layer(cookies(store)))
}

const DEAD: [&str; 3] = ["AAAAAAAAAAAAAAAAAAAAAA", "no-id", ""];

#[tokio::test]
async fn dead_cookie_is_ignored_without_hiding() {
    let mut browser = serve_page(GuardedRouter::new(), UnknownPaths::NotFound);
    for dead in DEAD {
        for target in ["/", "/login", "/assets/app.js"] {
            browser.cookie = Some(dead.to_owned());
            let page = browser.get(target).await;
            assert_eq!(page.status(), 200, "{target} {dead}");
        }
        let denied = browser.get("/api").await;
        assert_eq!(denied.status(), 401);
        assert_eq!(browser.cookie, None, "{dead}");
    }
}

#[tokio::test]
async fn dead_cookie_is_removed_with_hiding() {
    let hiding = || GuardedRouter::new().route("/hidden", get(hidden));
    for (routes, unknown_paths, is_hiding, without) in [
        (hiding(), UnknownPaths::NotFound, true, 200),
        (hiding(), UnknownPaths::Challenge, true, 401),
        (GuardedRouter::new(), UnknownPaths::Challenge, false, 401),
    ] {
        let mut browser = serve_page(routes, unknown_paths);
        for dead in DEAD {
            for target in ["/", "/hidden"] {
                browser.cookie = Some(dead.to_owned());
                let denied = browser.get(target).await;
                assert_eq!(denied.status(), 401, "{target} {dead}");
                assert_eq!(browser.cookie, None, "{target} {dead}");
                let status = browser.get(target).await.status();
                assert_eq!(status, without, "{target}");
            }
            if is_hiding {
                let request = Request::get("/hidden").header("cookie", format!("{NAME}={dead}"));
                let request = request.body(Body::empty()).expect("a request");
                assert_hidden(browser.app.clone(), request).await;
            }
        }
    }
}
