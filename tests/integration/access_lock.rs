//! A changed policy fails a test until the change is accepted.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;

use auth_runtime::routing::{get, head, put};
use auth_runtime::{GuardedRouter, public, requires};
use auth_runtime_audit::{AccessLock, assert_access_lock};
use axum::Router;
use proptest::prelude::*;

const HEADER: &str = "\
# The access policy of each route. Generated: `assert_access_lock!` compares it with the router. A change is
# accepted by `ACCESS_LOCK=overwrite cargo test`, and reviewed here.
";

#[public(reason = "liveness  probe, \"really\"")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404, hide_unless = role("auditor"))]
async fn show() {}

#[requires(
    any(scope = "a", all(role = "b", network = "192.0.2.0/24")),
    max_age = "15m",
    sender_constrained,
    schemes(Bearer, "X-Own"),
    realm = "other"
)]
async fn change() {}

fn router() -> GuardedRouter {
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .nest(
            "/v1",
            GuardedRouter::new().route("/repos/{id}", get(show).put(change)),
        )
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded("for the  scraper", &["/*"], Router::new()),
        )
        .fallback(healthz)
}

const LOCK: &str = r#"fallback /*  public(reason = "liveness  probe, \"really\"")  integration::access_lock::healthz
GET      /healthz  public(reason = "liveness  probe, \"really\"")  integration::access_lock::healthz
any      /ops/*  unguarded(reason = "for the  scraper")
GET      /v1/repos/{id}  requires(scope = "repo:read", hide_as = 404, hide_unless = role("auditor"))  integration::access_lock::show
PUT      /v1/repos/{id}  requires(any(scope = "a", all(role = "b", network = "192.0.2.0/24")), max_age = "15m", sender_constrained, schemes(Bearer, "X-Own"), realm = "other")  integration::access_lock::change
"#;

/// Returns a file that no other test uses.
fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("access_lock");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    let _ = std::fs::remove_file(&file);
    file
}

/// Returns the message of a failed assertion.
fn failure(router: fn() -> GuardedRouter, file: &Path) -> String {
    let failed = catch_unwind(|| assert_access_lock!(router(), file));
    let payload = failed.expect_err("a failure");
    payload.downcast_ref::<String>().expect("a text").clone()
}

#[test]
fn the_lock_says_who_may_call_what() {
    let lock = AccessLock::of(&router().access_table());
    assert_eq!(lock.to_string(), format!("{HEADER}{LOCK}"));
}

#[test]
fn a_lock_that_says_the_same_holds() {
    for (name, text) in [
        ("holds.lock", format!("{HEADER}{LOCK}")),
        // The line ends of git on Windows, the header of another version, and another order.
        ("crlf.lock", LOCK.replace('\n', "\r\n")),
        ("header.lock", format!("# old\n\n{LOCK}")),
        (
            "order.lock",
            LOCK.lines().rev().collect::<Vec<_>>().join("\n"),
        ),
    ] {
        let file = file(name);
        std::fs::write(&file, text).expect("a file");
        assert_access_lock!(router(), file);
    }
}

#[test]
fn a_crate_has_its_lock_beside_its_manifest() {
    // The file is missing, and is not created.
    let failed = catch_unwind(|| assert_access_lock!(GuardedRouter::<()>::new()));
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("access.lock");
    let payload = failed.expect_err("a failure");
    assert_eq!(
        payload.downcast_ref::<String>().expect("a text"),
        &format!(
            "the access lock `{}` does not exist; write it by `ACCESS_LOCK=overwrite cargo \
             test`, and commit it",
            expected.display()
        )
    );
    assert!(!expected.exists());
}

#[test]
fn what_cannot_be_read_is_a_failure() {
    for (line, text) in [
        (1, "<<<<<<< HEAD".to_owned()),
        (3, format!("{HEADER}GET /x\n{LOCK}")),
        (
            3,
            format!("{HEADER}GET x  requires(authenticated)  shop::x"),
        ),
        (3, format!("{HEADER}GET /x  allows(everybody)  shop::x")),
        (
            3,
            format!("{HEADER}GET /x  requires(authenticated) shop::x"),
        ),
        (
            3,
            format!("{HEADER}GET /x  requires(authenticated  shop::x"),
        ),
        (
            3,
            format!("{HEADER}GET /x  unguarded(reason = \"x\"  shop::x"),
        ),
        (1, format!("\u{feff}{HEADER}{LOCK}")),
        // Control characters could forge the report on a terminal.
        (
            3,
            format!("{HEADER}{LOCK}").replace("liveness  probe", "\u{1b}[2K"),
        ),
        (
            3,
            format!("{HEADER}{LOCK}").replace("liveness  probe", "\u{202e}"),
        ),
        (
            3,
            format!("{HEADER}{LOCK}").replacen("::healthz", "::healthz\r\u{1b}[2K", 1),
        ),
        (
            3,
            format!("{HEADER}GET /x\t  requires(authenticated)  shop::x"),
        ),
        (8, format!("{HEADER}{LOCK}GET")),
        (8, format!("{HEADER}{LOCK}=======\n{LOCK}")),
    ] {
        let file = file("unreadable.lock");
        std::fs::write(&file, &text).expect("a file");
        let failure = failure(router, &file);
        let wrong = text.lines().nth(line - 1).expect("a line").escape_debug();
        assert_eq!(
            failure,
            format!(
                "line {line} of `unreadable.lock` is not an entry of an access lock: `{wrong}`; \
                 restore the file from the repository, or write it by `ACCESS_LOCK=overwrite \
                 cargo test` and review the difference"
            )
        );
    }
    let folder = file("folder.lock");
    std::fs::create_dir_all(&folder).expect("a folder");
    let failure = failure(router, &folder);
    let start = format!("`{}` cannot be read or written: ", folder.display());
    assert!(failure.starts_with(&start), "{failure}");
    std::fs::remove_dir(folder).expect("the folder");
}

#[test]
fn names_of_all_languages_are_read() {
    // With a combining character.
    let line = r#"GET /हिन्दी  requires(role = "हिन्दी", check = prüfe)  laden::prüfe"#;
    let lock: AccessLock = line.parse().expect("a lock");
    let line = line.replacen("GET ", "GET      ", 1);
    assert_eq!(lock.to_string(), format!("{HEADER}{line}\n"));
}

#[test]
fn what_is_no_text_is_a_failure() {
    let text = format!("{HEADER}{LOCK}");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (line, bytes) in [
        // UTF-16, as an old shell on Windows writes it.
        (1, [b"\xff\xfe".as_slice(), &wide].concat()),
        (8, [text.as_bytes(), b"\x80\xff"].concat()),
    ] {
        let file = file("bytes.lock");
        std::fs::write(&file, &bytes).expect("a file");
        let failure = failure(router, &file);
        let start = format!("line {line} of `bytes.lock` is not an entry of an access lock");
        assert!(failure.starts_with(&start), "{failure}");
    }
}

#[test]
fn a_lock_that_was_cut_off_does_not_hold() {
    let text = format!("{HEADER}{LOCK}");
    let cut = text.char_indices().map(|(at, _)| at);
    // A missing last line break changes nothing.
    for at in cut.filter(|at| *at < text.len() - 1) {
        let file = file("cut.lock");
        std::fs::write(&file, &text[..at]).expect("a file");
        failure(router, &file);
    }
}

#[test]
fn an_empty_lock_promises_nothing() {
    let file = file("empty.lock");
    std::fs::write(&file, "").expect("a file");
    let failure = failure(router, &file);
    assert_eq!(failure.matches("\n    + ").count(), 5, "{failure}");
}

#[test]
fn a_change_is_accepted_by_the_environment_alone() {
    // Run in a process of its own, because of its environment.
    if let Some(file) = std::env::var_os("ACCESS_LOCK_FILE") {
        assert_access_lock!(router(), file);
        return;
    }
    let file = file("accepted.lock");
    let in_ci = |accept: Option<&str>, ci: Option<&str>| {
        let mut test = Command::new(std::env::current_exe().expect("this program"));
        test.args([
            "--exact",
            "access_lock::a_change_is_accepted_by_the_environment_alone",
        ]);
        test.env("ACCESS_LOCK_FILE", &file)
            .env_remove("ACCESS_LOCK")
            .env_remove("CI");
        test.envs(accept.map(|value| ("ACCESS_LOCK", value)));
        test.envs(ci.map(|value| ("CI", value)));
        test.output().expect("a run")
    };
    let run = |accept: Option<&str>| in_ci(accept, None).status.success();
    for value in [None, Some(""), Some("1"), Some("Overwrite")] {
        assert!(!run(value), "{value:?}");
        assert!(!file.exists());
    }
    // An accepted change would not be reviewed there.
    for ci in ["true", "1", "yes"] {
        let output = in_ci(Some("overwrite"), Some(ci));
        assert!(!output.status.success(), "{ci}");
        let report = [output.stdout, output.stderr].concat();
        let report = String::from_utf8_lossy(&report).into_owned();
        let expected = "`ACCESS_LOCK=overwrite` would accept every change of `accepted.lock` \
                        without a review, since `CI` is set; unset `ACCESS_LOCK` here, and \
                        accept the change where it is made";
        assert!(report.contains(expected), "{report}");
        assert!(!file.exists());
    }
    assert!(run(Some("overwrite")));
    let written = std::fs::read_to_string(&file).expect("a file");
    assert_eq!(written, format!("{HEADER}{LOCK}"));
    assert!(in_ci(None, Some("true")).status.success());
    for ci in ["", "0", "false"] {
        std::fs::remove_file(&file).expect("a file");
        assert!(in_ci(Some("overwrite"), Some(ci)).status.success(), "{ci}");
    }
    std::fs::write(&file, "GET /gone  requires(authenticated)  shop::gone").expect("a file");
    assert!(!run(None));
    assert!(run(Some("overwrite")));
    assert!(run(None));
}

/// Returns the changes between two locks without a header.
fn changes(before: &str, after: &str) -> String {
    let [before, after]: [AccessLock; 2] =
        [before, after].map(|text| text.parse().expect("a lock"));
    let changes = before.changes_to(&after);
    assert_eq!(changes.is_empty(), changes.to_string().is_empty());
    changes.to_string()
}

#[test]
fn a_failure_shows_every_kind_of_change_and_what_was_loosened_first() {
    let before = r#"
GET /added/unguarded/a  requires(authenticated)  shop::kept
GET /changed  requires(role = "admin")  shop::changed
GET /loosened  requires(role = "admin", scope = "users")  shop::loosened
GET /moved  requires(authenticated)  shop::old
GET /opened  requires(role = "admin")  shop::opened
any /ops/*  unguarded(reason = "for the scraper")
GET /removed  requires(authenticated)  shop::removed
GET /restated  requires(role = "a", scope = "b")  shop::restated
GET /shown  requires(role = "admin", hide_as = 404)  shop::shown
GET /tightened  requires(authenticated)  shop::tightened
"#;
    let after = r#"
GET /added/unguarded/a  requires(authenticated)  shop::kept
POST /added  requires(authenticated)  shop::added
GET /added/public  public(reason = "for everybody")  shop::front
any /added/unguarded/*  unguarded(reason = "a plain router")
GET /changed  requires(role = "auditor")  shop::changed
GET /loosened  requires(any(scope = "users", role = "auditor"), role = "admin")  shop::loosened
GET /moved  requires(authenticated)  shop::new
GET /opened  public(reason = "for everybody")  shop::opened
any /ops/*  unguarded(reason = "for all scrapers")
GET /restated  requires(scope = "b", role = "a")  shop::restated
GET /shown  requires(role = "admin")  shop::shown
GET /tightened  requires(authenticated, network = "192.0.2.0/24")  shop::tightened
"#;
    let expected = r#"loosened: more callers are allowed, or learn that the route exists
  GET /opened  (more callers are allowed; the reason differs)
    - requires(role = "admin")  shop::opened
    + public(reason = "for everybody")  shop::opened
  GET /loosened  (more callers are allowed)
    - requires(role = "admin", scope = "users")  shop::loosened
    + requires(any(scope = "users", role = "auditor"), role = "admin")  shop::loosened
  GET /shown  (more callers learn that the route exists)
    - requires(role = "admin", hide_as = 404)  shop::shown
    + requires(role = "admin")  shop::shown

added
  GET /added/public
    + public(reason = "for everybody")  shop::front
  any /added/unguarded/*
    + unguarded(reason = "a plain router")
  POST /added
    + requires(authenticated)  shop::added

changed: other callers are allowed or learn that the route exists, or the policies cannot be compared
  any /ops/*  (another reason, or another plain router)
    - unguarded(reason = "for the scraper")
    + unguarded(reason = "for all scrapers")
  GET /changed  (other callers are allowed)
    - requires(role = "admin")  shop::changed
    + requires(role = "auditor")  shop::changed

moved: another handler with an equivalent policy
  GET /moved  (another handler)
    - requires(authenticated)  shop::old
    + requires(authenticated)  shop::new

tightened: fewer callers are allowed, or learn that the route exists
  GET /tightened  (fewer callers are allowed)
    - requires(authenticated)  shop::tightened
    + requires(authenticated, network = "192.0.2.0/24")  shop::tightened

removed
  GET /removed
    - requires(authenticated)  shop::removed

restated: an equivalent policy
  GET /restated  (the same, written differently)
    - requires(role = "a", scope = "b")  shop::restated
    + requires(scope = "b", role = "a")  shop::restated
"#;
    assert_eq!(changes(before, after), expected);
    assert_eq!(changes(before, before), "");
}

#[test]
fn a_failure_says_how_to_accept_the_change() {
    let file = file("differs.lock");
    let before = LOCK.replace(
        r#"scope = "repo:read""#,
        r#"scope = "repo:read", role = "owner""#,
    );
    std::fs::write(&file, before).expect("a file");
    assert_eq!(
        failure(router, &file),
        r#"the access policies differ from `differs.lock`

loosened: more callers are allowed, or learn that the route exists
  GET /v1/repos/{id}  (more callers are allowed)
    - requires(scope = "repo:read", role = "owner", hide_as = 404, hide_unless = role("auditor"))  integration::access_lock::show
    + requires(scope = "repo:read", hide_as = 404, hide_unless = role("auditor"))  integration::access_lock::show

To accept the differences, run `ACCESS_LOCK=overwrite cargo test`, and commit `differs.lock`."#
    );
}

#[test]
fn a_scope_that_implies_more_now_loosens_all_that_ask_for_what_it_implies() {
    let before = r#"GET /x  requires(scope = "read")  shop::x"#;
    let after = r#"GET /x  requires(any(scope = "read", scope = "write"))  shop::x"#;
    assert!(changes(before, after).starts_with("loosened"));
    assert!(changes(after, before).starts_with("tightened"));
}

#[test]
fn a_policy_that_cannot_be_understood_counts_as_changed() {
    let now = r#"GET /x  requires(authenticated)  shop::x"#;
    for before in [
        "requires()",
        "requires(hide_as = 404)",
        "requires(everybody)",
        r#"requires(network = "office")"#,
        r#"requires(any(role = "a", policy = "staff"))"#,
        r#"requires(authenticated, hide_as = 404, hide_unless = network("office"))"#,
        "requires(authenticated, any())",
        "public()",
    ] {
        let before = format!("GET /x  {before}  shop::x");
        assert!(changes(&before, now).starts_with("changed"), "{before}");
        assert!(changes(now, &before).starts_with("changed"), "{before}");
        assert_eq!(changes(&before, &before), "");
    }
}

#[test]
fn what_is_hidden_from_more_can_be_loosened_all_the_same() {
    let shown = r#"GET /x  requires(role = "admin")  shop::x"#;
    let hidden = "GET /x  requires(authenticated, hide_as = 404)  shop::x";
    assert!(changes(shown, hidden).starts_with("loosened"));
    assert!(changes(hidden, shown).starts_with("loosened"));
}

#[test]
fn another_handler_with_the_same_policy_in_other_words_is_moved() {
    let before = r#"GET /x  requires(role = "a", scope = "b")  shop::x"#;
    let after = r#"GET /x  requires(scope = "b", role = "a")  shop::y"#;
    assert!(changes(before, after).starts_with("moved"));
    let public = r#"GET /x  public(reason = "a")  shop::x"#;
    let other = r#"GET /x  public(reason = "b")  shop::y"#;
    assert!(changes(public, other).starts_with("moved"));
}

#[test]
fn a_check_in_another_module_may_be_another_function() {
    let line = |policy: &str, handler: &str| format!("GET /x  {policy}  {handler}");
    let check = "requires(check = is_owner, hide_as = 404, hide_unless = check(may_know))";
    let narrower = r#"requires(check = is_owner, role = "a", hide_as = 404)"#;
    for (before, after, expected) in [
        (line(check, "a::x"), line(check, "a::y"), "moved"),
        (line(check, "a::x"), line(check, "b::x"), "changed"),
        (line(check, "a::x"), line(narrower, "a::y"), "tightened"),
        (line(check, "a::x"), line(narrower, "b::x"), "changed"),
        (
            line("requires(role = \"a\")", "a::x"),
            line("requires(any(role = \"a\", check = is_owner))", "b::x"),
            "loosened",
        ),
        // The function is determined by its path, independently of the handler's module.
        (
            line("requires(check = crate::is_owner)", "shop::a::x"),
            line("requires(check = crate::is_owner)", "shop::b::x"),
            "moved",
        ),
        (
            line("requires(check = crate::is_owner)", "shop::x"),
            line("requires(check = crate::is_owner)", "shelf::x"),
            "changed",
        ),
        (
            line("requires(check = ::shop::is_owner)", "shop::x"),
            line("requires(check = ::shop::is_owner)", "shelf::x"),
            "moved",
        ),
        // The check may read a parameter by its name.
        (
            line(check, "a::x").replace("/x", "/{owner}"),
            line(check, "a::x").replace("/x", "/{name}"),
            "changed",
        ),
    ] {
        let found = changes(&before, &after);
        assert!(found.starts_with(expected), "{before} {after} {found}");
    }
}

#[test]
fn a_parameter_with_another_name_is_the_same_path() {
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
fn a_path_that_is_gone_is_compared_with_the_wider_one_that_answers_it_now() {
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
fn a_path_may_have_been_moved_into_a_router_that_is_unguarded() {
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
    // Routes outside of the prefix were not moved into it, so an added one counts as added.
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

#[test]
fn an_unknown_path_is_answered_by_the_next_fallback_around_it() {
    let inner = r#"fallback /v1/*  requires(authenticated)  shop::inner"#;
    let outer = r#"fallback /*  public(reason = "nothing there")  shop::outer"#;
    let route = r#"any /{*path}  requires(authenticated)  shop::page"#;
    let both = format!("{inner}\n{outer}");
    assert!(changes(&both, outer).starts_with("loosened"));
    assert!(changes(outer, &both).starts_with("added"));
    assert!(changes(&format!("{inner}\n{route}"), route).starts_with("removed"));
}

#[test]
fn a_fallback_hides_no_path_beside_it() {
    let fallback = "fallback /x/*  requires(authenticated, hide_as = 404)  shop::none";
    let hidden = "any /x/*  requires(role = \"a\", hide_as = 404)  shop::x";
    let shown = "any /x/*  requires(role = \"a\")  shop::x";
    let with = |other: &str| format!("{fallback}\n{other}");
    let found = changes(&with(hidden), &with(shown));
    assert!(found.starts_with("loosened"), "{found}");
    // A public route does not hide it either.
    let open = "fallback /x/*  requires(authenticated)  shop::none";
    let with = |other: &str| format!("{open}\n{other}");
    let found = changes(&with(hidden), &with(shown));
    assert!(!found.contains("shop::none"), "{found}");
}

#[test]
fn many_routes_are_compared_before_anybody_waits() {
    let lock = |count: usize, role: &str, path: &str| -> String {
        let line = |n| format!("GET /{path}/{n}/{{id}}  requires(role = \"{role}\")  shop::x\n");
        (0..count).map(line).collect()
    };
    let start = std::time::Instant::now();
    assert!(changes(&lock(10_000, "a", "x"), &lock(10_000, "b", "x")).starts_with("changed"));
    assert!(changes(&lock(1_000, "a", "x"), &lock(1_000, "a", "y")).starts_with("added"));
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn a_long_policy_is_compared_before_anybody_waits() {
    let any = |names: std::ops::Range<usize>| {
        let names: Vec<_> = names.map(|n| format!("scope = \"s{n}\"")).collect();
        format!("any({})", names.join(", "))
    };
    let line = |policy: &str| format!("GET /x  requires({policy})  shop::x");
    let pairs = |wide: usize| {
        let pairs: Vec<_> = (0..15).map(|n| any(2 * n..2 * n + wide)).collect();
        line(&pairs.join(", "))
    };
    let start = std::time::Instant::now();
    let wide = |count: usize| line(&any(0..count));
    for (before, after, expected) in [
        (pairs(2), pairs(3), "changed"),
        (pairs(3), pairs(2), "changed"),
        (wide(20_000), wide(20_001), "loosened"),
        (wide(20_000), wide(19_999), "tightened"),
    ] {
        let found = changes(&before, &after);
        assert!(found.starts_with(expected), "{expected}: {found:.20}");
    }
    let block = |n: usize| format!("network = \"10.{}.{}.0/24\"", n / 256, n % 256);
    let blocks = |count: usize| {
        let blocks: Vec<_> = (0..count).map(block).collect();
        line(&format!("any({})", blocks.join(", ")))
    };
    assert!(changes(&blocks(999), &blocks(1_000)).starts_with("loosened"));
    let deep = line(&format!(
        "{}authenticated{}",
        "all(".repeat(100_000),
        ")".repeat(100_000)
    ));
    assert!(changes(&deep, &line("authenticated")).starts_with("changed"));
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn what_has_a_policy_is_no_version_of_what_is_unguarded() {
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
fn one_of_two_routers_that_are_unguarded_below_a_path_can_go() {
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
fn a_method_that_is_gone_is_compared_with_what_answers_it_now() {
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
fn a_path_that_is_no_longer_hidden_tells_of_its_other_methods_too() {
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

#[test]
fn networks_are_kept_by_their_blocks() {
    mod vocabulary {
        use std::borrow::Cow;

        use auth_runtime::__private1::{Access, Disclosure};
        use auth_runtime::policy::{IpNet, Network};
        use auth_runtime::{Policy, Requirement};

        const BLOCKS: [IpNet; 2] = [
            IpNet::V4(ipnet::Ipv4Net::new_assert(
                std::net::Ipv4Addr::new(192, 0, 2, 0),
                24,
            )),
            IpNet::V4(ipnet::Ipv4Net::new_assert(
                std::net::Ipv4Addr::new(198, 51, 100, 0),
                24,
            )),
        ];
        const LAB: [IpNet; 1] = [IpNet::V4(ipnet::Ipv4Net::new_assert(
            std::net::Ipv4Addr::new(203, 0, 113, 0),
            24,
        ))];

        const PARTS: &[Requirement] = &[
            Requirement::network(Network::new("office", &BLOCKS)),
            Requirement::All(Cow::Borrowed(&[
                Requirement::role("a"),
                Requirement::network(Network::new("lab", &LAB)),
            ])),
        ];

        const UNLESS_IN_LAB: Disclosure =
            Disclosure::Hidden(Some(Requirement::network(Network::new("lab", &LAB))));

        /// The form that the attribute generates with an `auth.toml`.
        pub(super) struct Service;

        impl auth_runtime::__private1::HasPolicy for Service {
            type Kind = auth_runtime::__private1::OfService;
            type Caller = auth_runtime::__private1::PublicCaller;
            const POLICY: &'static Policy = &Policy::new(
                Access::Requires(Requirement::Any(Cow::Borrowed(PARTS))),
                UNLESS_IN_LAB,
            );
            const CHECKS: &'static [auth_runtime::decision::Check] = &[];
            const LOCATION: auth_runtime::HandlerLocation =
                auth_runtime::HandlerLocation::new("shop::service", "src/lib.rs", 1);
            const USES_GUARD: bool = false;
            const HANDLER: Option<std::any::TypeId> = None;
        }

        const NOBODY_OR: &[Requirement] = &[
            Requirement::never(),
            Requirement::network(Network::new("office", &BLOCKS)),
        ];

        /// A form that an attribute never generates.
        pub(super) struct Nobody;

        impl auth_runtime::__private1::HasPolicy for Nobody {
            type Kind = auth_runtime::__private1::OfService;
            type Caller = auth_runtime::__private1::PublicCaller;
            const POLICY: &'static Policy = &Policy::new(
                Access::Requires(Requirement::Any(Cow::Borrowed(NOBODY_OR))),
                UNLESS_IN_LAB,
            );
            const CHECKS: &'static [auth_runtime::decision::Check] = &[];
            const LOCATION: auth_runtime::HandlerLocation =
                auth_runtime::HandlerLocation::new("shop::nobody", "src/lib.rs", 1);
            const USES_GUARD: bool = false;
            const HANDLER: Option<std::any::TypeId> = None;
        }
    }

    let service = tower::service_fn(|_request: axum::extract::Request| async {
        Ok::<_, std::convert::Infallible>("")
    });
    let router: GuardedRouter =
        GuardedRouter::new().nest_service("/x", vocabulary::Service, service);
    let lock = AccessLock::of(&router.access_table());
    let line = r#"any      /x/*  requires(any(any(network = "192.0.2.0/24", network = "198.51.100.0/24"), all(role = "a", network = "203.0.113.0/24")), hide_as = 404, hide_unless = network("203.0.113.0/24"))  shop::service (service)"#;
    assert_eq!(lock.to_string(), format!("{HEADER}{line}\n"));
    let narrower = line.replace("198.51.100.0/24", "198.51.100.0/25");
    assert!(changes(&narrower, line).starts_with("loosened"));
    // The blocks of a network are written even if the rest cannot be parsed.
    let router: GuardedRouter =
        GuardedRouter::new().nest_service("/x", vocabulary::Nobody, service);
    let lock = AccessLock::of(&router.access_table());
    let line = r#"any      /x/*  requires(any(any(), any(network = "192.0.2.0/24", network = "198.51.100.0/24")), hide_as = 404, hide_unless = network("203.0.113.0/24"))  shop::nobody (service)"#;
    assert_eq!(lock.to_string(), format!("{HEADER}{line}\n"));
    let narrower = line.replace("198.51.100.0/24", "198.51.100.0/25");
    assert!(changes(&narrower, line).starts_with("changed"));
}

/// Names with every character that could be mistaken for a part of a line.
fn name() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        Just(' '),
        Just('"'),
        Just('\\'),
        Just('\n'),
        Just('('),
        Just(')'),
        Just('#'),
        Just('{'),
        Just('\u{2028}'),
        Just('\u{a0}'),
        Just('\u{202e}'),
        any::<char>(),
        proptest::char::range('a', 'z'),
    ];
    proptest::collection::vec(letters, 0..8).prop_map(|letters| letters.into_iter().collect())
}

fn path() -> impl Strategy<Value = String> {
    let path = name().prop_map(|name| format!("/{}", name.replace(['{', '}', ':', '*', '/'], "_")));
    path.prop_filter("axum takes none of these", |path| path.len() > 1)
}

proptest! {
    #[test]
    fn what_is_written_is_read(paths in proptest::collection::btree_set(path(), 0..5), reasons in proptest::collection::vec(name(), 0..4), with_all in any::<bool>()) {
        let mut router = GuardedRouter::<()>::new();
        for (index, path) in paths.iter().enumerate() {
            router = router.route(path, match index {
                0 => get(show),
                1 => put(change).head(healthz),
                2 => auth_runtime::routing::any(change),
                _ => head(healthz).get(show),
            });
        }
        for reason in reasons {
            router = router.merge_unguarded(reason.leak(), &["/*"], Router::new());
        }
        if with_all {
            router = router.fallback(healthz);
        }
        let lock = AccessLock::of(&router.access_table());
        let text = lock.to_string();
        prop_assert_eq!(text.lines().count(), 2 + router.access_table().rows().len());
        let read: AccessLock = text.parse().expect("a lock");
        prop_assert_eq!(&read, &lock);
        prop_assert_eq!(read.to_string(), text);
        prop_assert!(read.changes_to(&lock).is_empty());
    }
}

/// Returns the differences in the report of the only changed line.
fn what(before: &str, after: &str) -> String {
    let report = changes(before, after);
    let (heading, rest) = report.split_once('\n').expect("a heading");
    let heading = heading.split(':').next().expect("a word");
    let line = rest.lines().next().expect("a line");
    let what = line.split_once("  (").map_or("", |(_, what)| what);
    format!("{heading}: {}", what.trim_end_matches(')'))
}

#[test]
fn each_difference_of_a_line_is_named() {
    let line = |covers: &str, policy: &str, handler: &str| {
        format!("any /x/{{id}}  {covers}{policy}  {handler}")
    };
    let plain = line("", "requires(role = \"a\")", "shop::x");
    for (after, expected) in [
        (
            line("", "requires(role = \"a\", realm = \"other\")", "shop::x"),
            "restated: the realm differs",
        ),
        (
            line("", "requires(role = \"a\", realm = \"other\")", "shop::y"),
            "moved: the realm differs; another handler",
        ),
        (
            line("", "requires(role = \"a\", schemes(Bearer))", "shop::y"),
            "tightened: fewer callers are allowed; other schemes are offered; another handler",
        ),
        (
            line("", "requires(role = \"a\", loosen = \"why\")", "shop::x"),
            "restated: the reason differs",
        ),
        (
            line("", "requires(role = \"a\")", "shop::y"),
            "moved: another handler",
        ),
        (
            line("", "requires(role = \"a\")", "shop::X (service)"),
            "changed: another handler; a service in place of a handler",
        ),
        (
            line("", "requires(role = \"a\")", "shop::x (router)"),
            "changed: a router in place of a handler",
        ),
        (
            line("covers /x/me ", "requires(role = \"a\")", "shop::x").replace("me ", "me  "),
            "changed: an open pattern for /x/me",
        ),
        (
            line("", "requires(any(role = \"a\", role = \"a\"))", "shop::x"),
            "restated: the same, written differently",
        ),
        (
            plain.replace("{id}", "{name}"),
            "restated: its parameters have other names",
        ),
        (
            line("", "public(reason = \"x\")", "shop::x"),
            "loosened: more callers are allowed; the reason differs",
        ),
    ] {
        assert_eq!(what(&plain, &after), expected, "{after}");
    }
    for (before, after, expected) in [
        (
            line("", "requires(role = \"a\")", "shop::X (router)"),
            line("", "requires(role = \"a\")", "shop::x"),
            "moved: another handler; a handler in place of a router",
        ),
        (
            line("", "requires(role = \"a\")", "shop::X (service)"),
            line("", "requires(role = \"a\")", "shop::X (router)"),
            "changed: a router in place of a service",
        ),
        (
            line("covers /x/me /x/you  ", "requires(role = \"a\")", "shop::x"),
            line("covers /x/me  ", "requires(role = \"a\")", "shop::x"),
            "restated: no open pattern for /x/you any more",
        ),
        (
            "fallback /*  public(reason = \"a\")  shop::none".to_owned(),
            "fallback /*  public(reason = \"b\")  shop::Site (router)".to_owned(),
            "changed: the reason differs; another handler; a router in place of a handler",
        ),
        (
            "any /x  unguarded(reason = \"a\")".to_owned(),
            "any /x  unguarded(reason = \"b\")".to_owned(),
            "changed: another reason, or another plain router",
        ),
    ] {
        assert_eq!(what(&before, &after), expected, "{before} {after}");
    }
}

#[public(reason = "the site")]
struct Site;

#[requires(scope = "repo:read", realm = "code")]
async fn in_a_realm() {}

#[requires(scope = "repo:read", realm = "other")]
async fn in_another_realm() {}

#[test]
fn changes_of_a_router_are_named_as_they_are() {
    let plain = || Router::new().route("/metrics", axum::routing::get(async || ""));
    let service = || {
        tower::service_fn(|_request: axum::extract::Request| async {
            Ok::<_, std::convert::Infallible>("")
        })
    };
    let lock = |router: GuardedRouter| AccessLock::of(&router.access_table()).to_string();
    let new = GuardedRouter::<()>::new;
    for (before, after, expected) in [
        (
            new().route("/x", get(in_a_realm)),
            new().route("/x", get(in_another_realm)),
            "moved: the realm differs; another handler",
        ),
        (
            new().fallback(healthz),
            new().fallback_service(Site, plain()),
            "changed: the reason differs; another handler; a router in place of a handler",
        ),
        (
            new().fallback_service(Site, service()),
            new().fallback_service(Site, plain()),
            "changed: a router in place of a service",
        ),
        (
            new().merge_unguarded("a plain router", &["/metrics"], plain()),
            new().merge_unguarded("a plain router", &["/metrics", "/admin"], plain()),
            "added: ",
        ),
    ] {
        assert_eq!(what(&lock(before), &lock(after)), expected);
    }
    let before = lock(new().merge_unguarded("a plain router", &["/metrics"], plain()));
    let after = new().merge_unguarded("a plain router", &["/metrics", "/admin"], plain());
    assert_eq!(
        changes(&before, &lock(after)),
        "added\n  any /admin\n    + unguarded(reason = \"a plain router\")\n"
    );
}

#[test]
fn an_open_pattern_is_written_in_the_lock() {
    #[public(reason = "files")]
    async fn files() {}

    let router = |with_open: bool| {
        let router = GuardedRouter::<()>::new().route("/x/secret", get(show));
        match with_open {
            true => router.route("/x/{*p}", get(files)),
            false => router.route("/x/{*p}", get(show)),
        }
    };
    let [before, after] = [false, true].map(|it| AccessLock::of(&router(it).access_table()));
    let line = r#"
GET      /x/{*p}  covers /x/secret  public(reason = "files")  integration::access_lock::"#;
    assert!(after.to_string().contains(line), "{after}");
    assert!(!before.to_string().contains("covers"), "{before}");
    let report = before.changes_to(&after).to_string();
    assert!(report.starts_with("loosened"), "{report}");
    assert!(
        report.contains("; an open pattern for /x/secret)"),
        "{report}"
    );
    let read: AccessLock = after.to_string().parse().expect("a lock");
    assert_eq!(read, after);
    for wrong in ["covers", "covers ", "covers x", "covers /y"] {
        let text = format!("GET /x/{{*p}}  {wrong} public(reason = \"files\")  shop::files");
        assert!(text.parse::<AccessLock>().is_err(), "{text}");
    }
}

/// Lines of a lock. Two lines in the same place differ in one part.
fn lines() -> impl Strategy<Value = std::collections::BTreeMap<(usize, usize), String>> {
    const PATHS: [[&str; 2]; 6] = [
        ["/x", "/x"],
        ["/{a}", "/{b}"],
        ["/x/y", "/x/y"],
        ["/x/{a}", "/x/{b}"],
        ["/x/*", "/x/*"],
        ["/{*a}", "/{*b}"],
    ];
    const METHODS: [&str; 4] = ["any", "GET", "HEAD", "fallback"];
    const POLICIES: [&str; 7] = [
        "requires(role = \"a\")",
        "requires(role = \"a\", realm = \"r\")",
        "requires(role = \"a\", schemes(Bearer))",
        "requires(role = \"a\", hide_as = 404)",
        "requires(any(role = \"a\", role = \"b\"))",
        "requires(any(role = \"b\", role = \"a\"))",
        "public(reason = \"x\")",
    ];
    const HANDLERS: [&str; 4] = ["s::x", "s::y", "s::x (service)", "s::x (router)"];
    const COVERS: [&str; 3] = ["", "covers /x  ", "covers /x /y  "];
    const REASONS: [&str; 2] = ["unguarded(reason = \"x\")", "unguarded(reason = \"y\")"];
    let place = (0..PATHS.len(), 0..=METHODS.len());
    let rest = (
        0..2_usize,
        0..POLICIES.len(),
        0..HANDLERS.len(),
        0..COVERS.len(),
    );
    let lines = proptest::collection::btree_map(place, rest, 0..6);
    lines.prop_map(|lines| {
        // A path has one spelling in a router.
        let spellings: Vec<_> = (0..PATHS.len())
            .map(|path| {
                let mut on_path = lines.iter().filter(|((own, _), _)| *own == path);
                on_path.next().map_or(0, |(_, (spelling, ..))| *spelling)
            })
            .collect();
        let line = |((path, method), (_, policy, handler, covers)): (
            &(usize, usize),
            &(usize, usize, usize, usize),
        )| {
            let shown = PATHS[*path][spellings[*path]];
            let covers = COVERS[*covers];
            match METHODS.get(*method) {
                Some(method) => format!(
                    "{method} {shown}  {covers}{}  {}",
                    POLICIES[*policy], HANDLERS[*handler]
                ),
                None => format!("any {shown}  {covers}{}", REASONS[*policy % 2]),
            }
        };
        lines
            .iter()
            .map(|(place, rest)| (*place, line((place, rest))))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn two_locks_that_differ_are_never_reported_as_the_same(before in lines(), after in lines(), with_one in any::<bool>()) {
        // In most cases one line only.
        let mut after = after;
        if with_one {
            let only = after.into_iter().next();
            after = before.clone();
            after.extend(only);
        }
        let text = |lines: &std::collections::BTreeMap<(usize, usize), String>| {
            lines.values().cloned().collect::<Vec<_>>().join("\n")
        };
        let (was, is) = (text(&before), text(&after));
        let report = changes(&was, &is);
        prop_assert_eq!(report.is_empty(), was == is, "{}\n\n{}\n\n{}", was, is, report);
        // Each changed line is in the report, with its differences.
        for (place, line) in &after {
            let Some(old) = before.get(place).filter(|old| *old != line) else { continue };
            let mut words = line.split_whitespace();
            let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
            let heading = format!("  {method} {path}  (");
            prop_assert!(report.contains(&heading), "{}\n{}\n\n{}", old, line, report);
        }
    }
}
