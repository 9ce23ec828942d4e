//! The file of the lock.

use std::panic::catch_unwind;
use std::path::Path;
use std::process::Command;

use auth_runtime::routing::on;
use axum::routing::MethodFilter;

use super::*;

const LOCK: &str = r#"fallback /*  public(reason = "liveness  probe, \"really\"")  integration::access_lock::healthz
GET      /healthz  public(reason = "liveness  probe, \"really\"")  integration::access_lock::healthz
any      /ops/*  unguarded(reason = "for the  scraper")
GET      /v1/repos/{id}  requires(scope = "repo:read", hide_as = 404, hide_unless = role("auditor"))  integration::access_lock::show
PUT      /v1/repos/{id}  requires(any(scope = "a", all(role = "b", network = "192.0.2.0/24")), max_age = "15m", sender_constrained, schemes(Bearer, "X-Own"), realm = "other")  integration::access_lock::change
"#;

/// Returns the message of a failed assertion.
fn failure(router: fn() -> GuardedRouter, file: &Path) -> String {
    let failed = catch_unwind(|| assert_access_lock!(router(), file));
    let payload = failed.expect_err("a failure");
    payload.downcast_ref::<String>().expect("a text").clone()
}

#[test]
fn the_lock_lists_policies() {
    let lock = AccessLock::of(&router().access_table());
    assert_eq!(lock.to_string(), format!("{HEADER}{LOCK}"));
}

#[test]
fn each_method_has_a_line() {
    const METHODS: [(MethodFilter, &str); 9] = [
        (MethodFilter::CONNECT, "CONNECT"),
        (MethodFilter::DELETE, "DELETE"),
        (MethodFilter::GET, "GET"),
        (MethodFilter::HEAD, "HEAD"),
        (MethodFilter::OPTIONS, "OPTIONS"),
        (MethodFilter::PATCH, "PATCH"),
        (MethodFilter::POST, "POST"),
        (MethodFilter::PUT, "PUT"),
        (MethodFilter::TRACE, "TRACE"),
    ];
    let filters = METHODS.into_iter().map(|(filter, _)| filter);
    let all = filters.reduce(MethodFilter::or).expect("a filter");
    let router = GuardedRouter::<()>::new().route("/x", on(all, show));
    let lock = AccessLock::of(&router.access_table()).to_string();
    let lines = lock.lines().filter_map(|line| line.split_once(" /x "));
    let lines: Vec<_> = lines.map(|(method, _)| method.trim_end()).collect();
    assert_eq!(lines, METHODS.map(|(_, method)| method));
}

/// Merged routers may have one each.
#[test]
fn handlers_for_missing_methods_have_lines() {
    #[public(reason = "one")]
    async fn one() {}
    #[public(reason = "two")]
    async fn two() {}
    #[public(reason = "three")]
    async fn three() {}
    let first = || {
        let router = GuardedRouter::<()>::new().route("/a", get(show));
        router.method_not_allowed_fallback(one)
    };
    let second = || GuardedRouter::<()>::new().route("/b", get(show));
    let lock = |second: GuardedRouter| {
        let router = first().merge(second);
        AccessLock::of(&router.access_table()).to_string()
    };
    let before = lock(second().method_not_allowed_fallback(two));
    let reasons = [
        r#"405      /*  public(reason = "one")"#,
        r#"405      /*  public(reason = "two")"#,
    ];
    for reason in reasons {
        assert!(before.contains(reason), "{before}");
    }
    let after = lock(second().method_not_allowed_fallback(three));
    assert_eq!(
        what(&before, &after),
        "moved: the reason differs; another handler"
    );
}

#[test]
fn equal_locks_hold() {
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
fn locks_are_beside_manifests() {
    // The file is missing, and is not created.
    let failed = catch_unwind(|| assert_access_lock!(GuardedRouter::<()>::new()));
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("access.lock");
    let payload = failed.expect_err("a failure");
    assert_eq!(
        payload.downcast_ref::<String>().expect("a text"),
        &format!(
            "the access lock `{}` does not exist; create it with `ACCESS_LOCK=overwrite cargo \
             test`, and commit it",
            expected.display()
        )
    );
    assert!(!expected.exists());
}

#[test]
fn unreadable_locks_fail() {
    for (line, text) in [
        (1, "<<<<<<< HEAD".to_owned()),
        (3, format!("{HEADER}GET /x\n{LOCK}")),
        (3, format!("{HEADER} /x  requires(authenticated)  shop::x")),
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
                 restore the file from the repository, or create it with `ACCESS_LOCK=overwrite \
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
fn binary_files_fail() {
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
fn truncated_locks_fail() {
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
fn empty_locks_promise_nothing() {
    let file = file("empty.lock");
    std::fs::write(&file, "").expect("a file");
    let failure = failure(router, &file);
    assert_eq!(failure.matches("\n    + ").count(), 5, "{failure}");
}

#[test]
fn only_the_environment_accepts_changes() {
    // Run in a process of its own, because of its environment.
    if let Some(file) = std::env::var_os("ACCESS_LOCK_FILE") {
        assert_access_lock!(router(), file);
        return;
    }
    let file = file("accepted.lock");
    let with = |file: &Path, accept: Option<&str>, ci: Option<&str>| {
        let mut test = Command::new(std::env::current_exe().expect("this program"));
        test.args([
            "--exact",
            "access_lock::files::only_the_environment_accepts_changes",
        ]);
        test.env("ACCESS_LOCK_FILE", file)
            .env_remove("ACCESS_LOCK")
            .env_remove("CI");
        test.envs(accept.map(|value| ("ACCESS_LOCK", value)));
        test.envs(ci.map(|value| ("CI", value)));
        test.output().expect("a run")
    };
    let in_ci = |accept: Option<&str>, ci: Option<&str>| with(&file, accept, ci);
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
    // A change that cannot be recorded is not accepted.
    let unwritable = file.join("below a file");
    assert!(!with(&unwritable, Some("overwrite"), None).status.success());
    std::fs::write(&file, "GET /gone  requires(authenticated)  shop::gone").expect("a file");
    assert!(!run(None));
    assert!(run(Some("overwrite")));
    assert!(run(None));
}

#[test]
fn failures_explain_acceptance() {
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

/// Two tests of different routers with one file would overwrite each other's lock.
#[test]
fn failures_name_file_of_another_router() {
    let file = file("shared.lock");
    let hint = "The router has no route of this file, so another test seems to use the file. Give each \
                router a file of its own: `assert_access_lock!(router, \"other.lock\")`.\nTo accept";
    let fallback = LOCK.lines().next().expect("a line");
    let route = "GET /pages  requires(authenticated)  shop::pages";
    let shared = "GET /healthz  requires(authenticated)  shop::healthz";
    for (lines, is_named) in [
        (vec![route], true),
        (vec![fallback, route], true),
        (vec![shared, route], false),
        (vec![fallback], false),
        (vec![], false),
    ] {
        std::fs::write(&file, lines.join("\n")).expect("a file");
        let failure = failure(router, &file);
        assert_eq!(failure.contains(hint), is_named, "{failure}");
    }
}

#[test]
fn errors_have_changes_of_that_lock() {
    let check = |text: Option<String>| {
        let file = file("changes.lock");
        if let Some(text) = text {
            std::fs::write(&file, text).expect("a file");
        }
        AccessLock::check(&router().access_table(), &file).expect_err("an error")
    };
    let [_, gone] = [LOCK, "GET /gone  requires(authenticated)  shop::gone\n"];
    let error = check(Some(format!("{LOCK}{gone}")));
    let changes = error.changes().expect("changes").to_string();
    assert_eq!(
        changes,
        "removed\n  GET /gone\n    - requires(authenticated)  shop::gone\n"
    );
    assert!(check(None).changes().is_none());
    assert!(check(Some("<<<<<<< HEAD".to_owned())).changes().is_none());
}

#[test]
fn open_patterns_are_written() {
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
    // Each guarded path counts.
    let more = router(true).route("/x/treasure", get(show));
    let report = after
        .changes_to(&AccessLock::of(&more.access_table()))
        .to_string();
    let changed = "(an open pattern for /x/treasure)";
    assert!(report.contains(changed), "{report}");
    for wrong in ["covers", "covers ", "covers x", "covers x ", "covers /y"] {
        let text = format!("GET /x/{{*p}}  {wrong} public(reason = \"files\")  shop::files");
        assert!(text.parse::<AccessLock>().is_err(), "{text}");
    }
}
