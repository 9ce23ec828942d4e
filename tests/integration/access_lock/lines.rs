//! The lines of two routers that differ in one detail.

use super::*;

fn lock(router: GuardedRouter) -> AccessLock {
    AccessLock::of(&router.access_table())
}

/// The texts of a policy are compared exactly, like the names in tokens.
#[test]
fn letter_case_is_compared() {
    let line = r#"GET /Path  requires(any(role = "Admin", scope = "Repo:Read", permission = "Users:List", acr = "Gold", amr = "Pin", setting = "Open", check = Rules::is_owner, can("Read", on = "Repo::Shared")), realm = "Code", says = "Ask Ann.", loosen = "For Tests")  shop::Files (service)"#;
    let public = r#"GET /x  public(reason = "The Site")  shop::x"#;
    let unguarded = r#"any /x/*  unguarded(reason = "The Scraper")"#;
    let mut number = 0;
    for line in [line, public, unguarded] {
        let method = line.find(' ').expect("a method");
        for (at, capital) in line.match_indices(|letter: char| letter.is_ascii_uppercase()) {
            if at < method {
                continue;
            }
            let mut other = line.to_owned();
            other.replace_range(at..=at, &capital.to_lowercase());
            let report = changes(line, &other);
            assert!(!report.is_empty(), "{other}");
            number += 1;
        }
    }
    assert_eq!(number, 23);
}

/// A line has the whole text and the exact time, in whichever unit.
#[test]
fn each_detail_of_policy_is_written() {
    #[requires(role = "a", says = "No. Ask Ann.")]
    async fn ann() {}
    #[requires(role = "a", says = "No. Ask Bob.")]
    async fn bob() {}
    #[public(reason = "The site for all", identity = optional)]
    async fn for_all() {}
    #[public(reason = "The site for some", identity = optional)]
    async fn for_some() {}
    #[public(reason = "The site for all")]
    async fn for_strangers() {}
    #[requires(max_age = "60s")]
    async fn seconds_60() {}
    #[requires(max_age = "90s")]
    async fn seconds_90() {}
    #[requires(max_age = "90m")]
    async fn minutes_90() {}
    #[requires(max_age = "1h")]
    async fn hour() {}
    #[requires(max_age = "25h")]
    async fn hours_25() {}
    #[requires(max_age = "1d")]
    async fn day() {}

    let new = || GuardedRouter::<()>::new();
    for (before, after, expected) in [
        (get(ann), get(bob), "moved: the text of denials differs"),
        (get(for_all), get(for_some), "moved: the reason differs"),
        (
            get(for_all),
            get(for_strangers),
            "moved: the optional identity was added or removed",
        ),
        (
            get(seconds_60),
            get(seconds_90),
            "loosened: more callers are allowed",
        ),
        (
            get(minutes_90),
            get(hour),
            "tightened: fewer callers are allowed",
        ),
        (
            get(hours_25),
            get(day),
            "tightened: fewer callers are allowed",
        ),
    ] {
        let [before, after] =
            [before, after].map(|handler| lock(new().route("/x", handler)).to_string());
        assert_eq!(
            what(&before, &after),
            format!("{expected}; another handler"),
            "{before}{after}"
        );
    }
}

#[requires(role = "admin")]
mod admin {
    #[auth_runtime::requires(role = "ops", loosen = "ops read the log")]
    pub(crate) mod log {
        pub(crate) async fn list() {}

        #[auth_runtime::requires(role = "clerk", loosen = "clerks count")]
        pub(crate) async fn count() {}
    }
}

/// A module that is an exception gives its reason to each of its handlers.
#[test]
fn reason_of_module_is_written() {
    for (handler, policy) in [
        (
            get(admin::log::list),
            r#"requires(role = "ops", loosen = "ops read the log")"#,
        ),
        (
            get(admin::log::count),
            r#"requires(role = "clerk", loosen = "clerks count")"#,
        ),
    ] {
        let lock = lock(GuardedRouter::<()>::new().route("/", handler)).to_string();
        assert!(lock.contains(policy), "{lock}");
    }
}

/// A second plain router has routes of its own, even for the same reason.
#[test]
fn each_plain_router_has_a_line() {
    let one =
        || GuardedRouter::new().merge_unguarded("for the scraper", &["/ops/*"], Router::new());
    let two = one().merge_unguarded("for the scraper", &["/ops/*"], Router::new());
    assert_eq!(
        lock(one()).changes_to(&lock(two)).to_string(),
        "added\n  any /ops/*\n    + unguarded(reason = \"for the scraper\")\n"
    );
}

/// The routes of a router are in no table, whether it is guarded or plain.
#[test]
fn protected_routers_are_routers() {
    let service = tower::service_fn(|_request: axum::extract::Request| async {
        Ok::<_, std::convert::Infallible>("")
    });
    let protected = GuardedRouter::<()>::new()
        .route("/x", get(show))
        .protect(auth_tests::space())
        .expect("a router");
    let before = lock(GuardedRouter::new().nest_service("/x", Site, service));
    let after = lock(GuardedRouter::new().nest_service("/x", Site, protected));
    assert_eq!(
        what(&before.to_string(), &after.to_string()),
        "changed: a router in place of a service"
    );
}

/// An application of several protected routers has one lock, with all prefixes.
#[test]
fn routes_of_several_routers_have_line() {
    let member = |router: GuardedRouter| router.protect(auth_tests::space()).expect("a router");
    let new = || GuardedRouter::<()>::new();
    let app = || {
        let pages = new().route("/healthz", get(healthz)).merge_unguarded(
            "for the scraper",
            &["/ops/*"],
            Router::new(),
        );
        let inner = member(new().route("/keys", get(in_a_realm)));
        let api = member(
            new()
                .route("/{id}", get(show).put(in_a_realm))
                .fallback(healthz),
        );
        let more = member(new().route("/more", get(show)));
        member(pages)
            .nest("/v1", api.nest("/me", inner))
            .merge(more)
    };
    let lock = AccessLock::of(&app().access_table()).to_string();
    let lines = lock.lines().filter(|line| !line.starts_with('#'));
    let mut places: Vec<_> = lines
        .map(|line| {
            line.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    places.sort();
    let expected = [
        "GET /healthz",
        "GET /more",
        "GET /v1/me/keys",
        "GET /v1/{id}",
        "PUT /v1/{id}",
        "any /ops/*",
        "fallback /v1/*",
    ];
    assert_eq!(places, expected);
    let file = file("several.lock");
    std::fs::write(&file, &lock).expect("a file");
    assert_access_lock!(app(), &file);
    std::fs::write(&file, lock.replace("/v1/me/keys", "/v1/keys")).expect("a file");
    let changes = AccessLock::check(&app().access_table(), &file).expect_err("a difference");
    assert!(
        changes.to_string().contains("added\n  GET /v1/me/keys\n"),
        "{changes}"
    );
}
