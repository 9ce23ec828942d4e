//! Paths and methods that are gone, moved or answered by others.

use super::*;

#[test]
fn renamed_parameters_are_one_path() {
    for (before, after) in [
        ("/x/{id}", "/x/{name}"),
        ("/x/{*rest}", "/x/{*path}"),
        ("/{a}/x/{b}/", "/{c}/x/{d}/"),
    ] {
        let was = format!("GET {before}  requires(role = \"admin\")  shop::x");
        let is = format!("GET {after}  requires(authenticated)  shop::x");
        assert_eq!(
            changes(&was, &is),
            format!(
                r#"loosened: more callers are allowed, or learn that the route exists
  GET {after}  (more callers are allowed; its parameters have other names)
    - requires(role = "admin")  shop::x (for GET {before})
    + requires(authenticated)  shop::x
"#
            )
        );
        let renamed = was.replace(before, after);
        assert!(changes(&was, &renamed).starts_with("restated"));
    }
    // Literal braces are not a parameter. A longer path is another path.
    for (before, after) in [
        ("/x/{{id}}", "/x/{{name}}"),
        ("/x/{id}", "/x/{id}/"),
        ("/x/{id}", "/x/{*id}"),
    ] {
        let [was, is] =
            [before, after].map(|path| format!("GET {path}  requires(authenticated)  shop::x"));
        assert!(changes(&was, &is).starts_with("added"), "{before} {after}");
    }
}

#[test]
fn removed_paths_meet_wider_ones() {
    let me = r#"GET /users/me  requires(role = "admin")  shop::me"#;
    let user = r#"GET /users/{id}  requires(authenticated)  shop::user"#;
    let all = r#"any /{*path}  public(reason = "pages")  shop::page"#;
    assert_eq!(
        changes(&format!("{me}\n{user}\n{all}"), &format!("{user}\n{all}")),
        r#"loosened: more callers are allowed, or learn that the route exists
  GET /users/me  (more callers are allowed; another handler)
    - requires(role = "admin")  shop::me
    + requires(authenticated)  shop::user (for GET /users/{id})
"#
    );
    // An added route has its own line, and is compared only with routes that it opens.
    let both = |first: &str, second: &str| format!("{first}\n{second}");
    let added = "added\n  GET /users/me\n    + requires(role = \"admin\")  shop::me\n";
    assert_eq!(changes(user, &both(user, me)), added);
    let open = r#"GET /users/me  public(reason = "x")  shop::me"#;
    let opened = changes(user, &both(user, open));
    assert!(opened.starts_with("loosened"), "{opened}");
    assert!(
        opened.contains("shop::user (for GET /users/{id})"),
        "{opened}"
    );
    let removed = "removed\n  GET /users/me\n    - public(reason = \"x\")  shop::me\n";
    assert_eq!(changes(&both(user, open), user), removed);
    let other = user.replace("authenticated", "role = \"b\"");
    assert!(changes(&both(&other, me), &other).starts_with("changed"));
    // By each method that another route responded to before.
    let any = open.replace("GET ", "any ");
    let opened = changes(user, &both(user, &any));
    assert!(opened.starts_with("loosened"), "{opened}");
    assert!(opened.contains("\n  GET /users/me  ("), "{opened}");
    let gone = changes(&both(user, &me.replace("GET ", "any ")), user);
    assert!(gone.starts_with("loosened"), "{gone}");
    assert!(gone.contains("\nremoved\n  any /users/me\n"), "{gone}");
    // Two routes that each match a part of the requests, the worse one later.
    let page = r#"GET /admin/{page}  requires(role = "admin")  shop::page"#;
    let rest = "GET /{org}/settings  requires(role = \"admin\")  shop::settings\n\
                GET /{org}/users  requires(authenticated)  shop::users";
    let gone = changes(&both(page, rest), rest);
    assert!(gone.contains("(for GET /{org}/users)"), "{gone}");
    assert!(gone.starts_with("loosened"), "{gone}");
    // A path with another method responds for itself.
    let put = r#"PUT /users/me  requires(role = "admin")  shop::put"#;
    let kept = both(user, put);
    assert!(changes(&both(&kept, me), &kept).starts_with("removed"));
    // The prefix itself, with and without further paths below it.
    for (path, wider, expected) in [
        ("/files", "/files/*", "loosened"),
        ("/files/", "/files/*", "loosened"),
        ("/files/a/{b}", "/files/*", "loosened"),
        ("/files", "/files/{*path}", "removed"),
        ("/files/", "/files/{*path}", "removed"),
        ("/files/", "/files/{name}", "removed"),
        ("/file", "/files/*", "removed"),
        ("/files/a", "/{one}", "removed"),
    ] {
        let narrow = format!("GET {path}  requires(role = \"a\")  shop::x");
        let wide = format!("any {wider}  requires(authenticated)  shop::y");
        let found = changes(&both(&narrow, &wide), &wide);
        assert!(found.starts_with(expected), "{path} {wider} {found}");
    }
}

#[test]
fn paths_move_into_unguarded_routers() {
    let get = r#"GET /v1/x  requires(role = "admin")  shop::x"#;
    let put = r#"PUT /v1/x  requires(role = "admin")  shop::put"#;
    let plain = r#"any /v1/*  unguarded(reason = "a plain router")"#;
    let both = |first: &str, second: &str| format!("{first}\n{second}");
    let changed = r#"changed: other callers are allowed or learn that the route exists, or the policies cannot be compared
  GET /v1/x  (a plain router may answer; another handler)
    - requires(role = "admin")  shop::x
    + unguarded(reason = "a plain router") (for any /v1/*)
"#;
    assert_eq!(changes(&both(get, plain), plain), changed);
    let methods = both(put, plain);
    assert_eq!(changes(&both(get, &methods), &methods), changed);
    let added = changes(get, plain);
    assert!(added.starts_with("added\n  any /v1/*\n"), "{added}");
    assert!(added.contains(changed), "{added}");
    // Routes outside the prefix were not moved into it, so an added one counts as added.
    let other = plain.replace("v1", "v2");
    assert!(changes(&both(get, &other), &other).starts_with("removed"));
    assert!(changes(plain, &both(get, plain)).starts_with("added\n  GET /v1/x\n"));
    // Some requests may be affected, and the pattern may precede a wider one.
    let some = get.replace("v1", "{version}");
    assert!(changes(&both(&some, plain), plain).starts_with("changed"));
    let wider = both(&get.replace('x', "{x}"), plain);
    assert!(changes(&both(get, &wider), &wider).starts_with("changed"));
    // A fallback has no path.
    let unknown = get.replace("GET /v1/x", "fallback /v1/*");
    assert!(changes(&both(&unknown, plain), plain).starts_with("removed"));
    // A public route that responds now is worse than an unguarded router that may.
    let open = r#"any /{*path}  public(reason = "pages")  shop::page"#;
    let rest = both(open, plain);
    assert!(changes(&both(get, &rest), &rest).starts_with("loosened"));
}

/// A policy of a later version, or one that was edited by hand.
#[test]
fn unreadable_policies_are_changed() {
    let known = "GET /x  requires(authenticated)  shop::x";
    let unknown = "GET /x  requires(phase_of_the_moon = \"full\")  shop::x";
    for (before, after) in [(known, unknown), (unknown, known)] {
        assert_eq!(
            what(before, after),
            "changed: a policy that cannot be compared"
        );
    }
}

#[test]
fn outer_fallbacks_answer_unknown_paths() {
    let inner = r#"fallback /v1/*  requires(authenticated)  shop::inner"#;
    let outer = r#"fallback /*  public(reason = "nothing there")  shop::outer"#;
    let route = r#"any /{*path}  requires(authenticated)  shop::page"#;
    let both = format!("{inner}\n{outer}");
    assert!(changes(&both, outer).starts_with("loosened"));
    assert!(changes(outer, &both).starts_with("added"));
    assert!(changes(&format!("{inner}\n{route}"), route).starts_with("removed"));
}

#[test]
fn fallbacks_hide_no_path() {
    let hidden = "any /x/*  requires(role = \"a\", hide_as = 404)  shop::x";
    let shown = "any /x/*  requires(role = \"a\")  shop::x";
    for fallback in ["fallback", "405"] {
        let line = "/x/*  requires(authenticated, hide_as = 404)  shop::none";
        let with = |other: &str| format!("{fallback} {line}\n{other}");
        let found = changes(&with(hidden), &with(shown));
        assert!(found.starts_with("loosened"), "{fallback}: {found}");
    }
    // A public route does not hide it either.
    let open = "fallback /x/*  requires(authenticated)  shop::none";
    let with = |other: &str| format!("{open}\n{other}");
    let found = changes(&with(hidden), &with(shown));
    assert!(!found.contains("shop::none"), "{found}");
}

#[test]
fn guarded_routes_are_not_unguarded_ones() {
    let guarded = r#"any /x/*  requires(authenticated)  shop::X"#;
    let unguarded = r#"any /x/*  unguarded(reason = "why not")"#;
    assert_eq!(
        changes(guarded, unguarded),
        r#"added
  any /x/*
    + unguarded(reason = "why not")

changed: other callers are allowed or learn that the route exists, or the policies cannot be compared
  any /x/*  (a plain router may answer; another handler)
    - requires(authenticated)  shop::X
    + unguarded(reason = "why not")
"#
    );
    assert_eq!(
        changes(unguarded, guarded),
        r#"added
  any /x/*
    + requires(authenticated)  shop::X

removed
  any /x/*
    - unguarded(reason = "why not")
"#
    );
}

#[test]
fn one_of_two_routers_can_go() {
    let both = "any /*  unguarded(reason = \"a\")\nany /*  unguarded(reason = \"b\")";
    let one = "any /*  unguarded(reason = \"b\")";
    let removed = "removed\n  any /*\n    - unguarded(reason = \"a\")\n";
    assert_eq!(changes(both, one), removed);
    assert_eq!(
        changes(one, both),
        removed.replace("removed", "added").replace('-', "+")
    );
    let twice = format!("{one}\n{one}");
    assert_eq!(changes(&twice, one), removed.replace("\"a\"", "\"b\""));
}

#[test]
fn removed_methods_meet_other_answers() {
    let any = r#"any /x  requires(authenticated)  shop::any"#;
    let get = r#"GET /x  requires(role = "admin")  shop::get"#;
    assert_eq!(
        changes(&format!("{any}\n{get}"), any),
        r#"loosened: more callers are allowed, or learn that the route exists
  GET /x  (more callers are allowed; another handler)
    - requires(role = "admin")  shop::get
    + requires(authenticated)  shop::any (for any)
"#
    );
    assert_eq!(
        changes(any, &format!("{any}\n{get}")),
        r#"tightened: fewer callers are allowed, or learn that the route exists
  GET /x  (fewer callers are allowed; another handler)
    - requires(authenticated)  shop::any (for any)
    + requires(role = "admin")  shop::get
"#
    );
    let head = r#"HEAD /x  public(reason = "tells nothing")  shop::head"#;
    assert_eq!(
        changes(get, &format!("{any}\n{get}\n{head}")),
        r#"loosened: more callers are allowed, or learn that the route exists
  HEAD /x  (more callers are allowed; the reason differs; another handler)
    - requires(role = "admin")  shop::get (for GET)
    + public(reason = "tells nothing")  shop::head

added
  any /x
    + requires(authenticated)  shop::any
"#
    );
    // In axum, `GET` precedes `any` for `HEAD`.
    let open = any.replace("authenticated", "role = \"b\"");
    let own = r#"HEAD /x  requires(any(role = "a", role = "b"))  shop::head"#;
    let others = format!("{open}\n{}", get.replace("admin", "a"));
    let added = changes(&others, &format!("{others}\n{own}"));
    assert!(added.starts_with("loosened"), "{added}");
    assert!(added.contains("shop::get (for GET)"), "{added}");
    // Routes below another prefix do not respond here, nor does a fallback.
    let others = "any /y  requires(authenticated)  shop::y\n\
                  any /y/*  unguarded(reason = \"x\")\n\
                  fallback /x  public(reason = \"x\")  shop::x";
    assert!(changes(&format!("{get}\n{others}"), others).starts_with("removed"));
    let fallback = "fallback /x/*  public(reason = \"x\")  shop::x";
    let subtree = "any /x/*  requires(authenticated)  shop::X";
    assert!(changes(subtree, &format!("{subtree}\n{fallback}")).starts_with("added"));
}

#[test]
fn shown_paths_show_other_methods() {
    let put = r#"PUT /x  requires(role = "admin")  shop::put"#;
    let get = r#"GET /x  requires(authenticated, hide_as = 404)  shop::get"#;
    let open = r#"POST /x  public(reason = "x")  shop::post"#;
    assert_eq!(
        changes(&format!("{get}\n{put}\n{open}"), &format!("{put}\n{open}")),
        r#"loosened: more callers are allowed, or learn that the route exists
  PUT /x  (more callers learn that the route exists)
    - requires(role = "admin")  shop::put (hidden, as another method of the path is)
    + requires(role = "admin")  shop::put

removed
  GET /x
    - requires(authenticated, hide_as = 404)  shop::get
"#
    );
    let tightened = changes(put, &format!("{get}\n{put}"));
    assert!(tightened.contains("tightened"), "{tightened}");
}
