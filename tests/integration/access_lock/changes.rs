//! Differences between two versions of a policy.

use super::*;

#[test]
fn failures_show_loosened_policies_first() {
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
fn implications_loosen_policies() {
    let before = r#"GET /x  requires(scope = "read")  shop::x"#;
    let after = r#"GET /x  requires(any(scope = "read", scope = "write"))  shop::x"#;
    assert!(changes(before, after).starts_with("loosened"));
    assert!(changes(after, before).starts_with("tightened"));
}

#[test]
fn settings_are_compared_for_both_values() {
    let line = |policy: &str| format!("GET /x  requires({policy})  shop::x");
    let [open, closed] = [
        r#"any(setting = "open", scope = "pull")"#,
        r#"scope = "pull""#,
    ];
    let admin = r#"any(setting = "open", role = "admin")"#;
    let other = r#"any(setting = "other", scope = "pull")"#;
    for (before, after, expected) in [
        (
            closed,
            open,
            "loosened: more callers are allowed; with setting = \"open\": more callers are \
             allowed; without setting = \"open\": the same callers",
        ),
        (
            open,
            closed,
            "tightened: fewer callers are allowed; with setting = \"open\": fewer callers are \
             allowed; without setting = \"open\": the same callers",
        ),
        (
            open,
            admin,
            "changed: other callers are allowed; with setting = \"open\": the same callers; \
             without setting = \"open\": other callers are allowed",
        ),
        (
            open,
            r#"scope = "pull", any(setting = "open", role = "admin")"#,
            "tightened: fewer callers are allowed",
        ),
        (
            open,
            other,
            "changed: other callers are allowed; with setting = \"open\": fewer callers are \
             allowed; without setting = \"open\": more callers are allowed; with setting = \
             \"other\": more callers are allowed; without setting = \"other\": fewer callers are \
             allowed",
        ),
    ] {
        assert_eq!(what(&line(before), &line(after)), expected);
    }
}

#[test]
fn lines_show_both_values_of_setting() {
    #[requires(any(setting = "open", scope = "pull"), hide_as = 404)]
    async fn pull() {}
    #[requires(setting = "beta", hide_as = 404, hide_unless = setting("open"))]
    async fn beta() {}
    let router: GuardedRouter = GuardedRouter::new()
        .route("/pull", get(pull))
        .route("/beta", get(beta));
    let lock = AccessLock::of(&router.access_table()).to_string();
    let expected = r#"GET      /beta  requires(setting = "beta", hide_as = 404, hide_unless = setting("open"))  integration::access_lock::changes::beta
  with setting = "beta": everybody
  without setting = "beta": nobody
  with setting = "open": requires(setting = "beta")
  without setting = "open": requires(setting = "beta", hide_as = 404)
GET      /pull  requires(any(setting = "open", scope = "pull"), hide_as = 404)  integration::access_lock::changes::pull
  with setting = "open": everybody
  without setting = "open": requires(scope = "pull", hide_as = 404)
"#;
    let rest = lock.strip_prefix(HEADER).expect("the header");
    assert_eq!(rest, expected);
    assert_eq!(changes(&lock, &lock), "");
    // A reviewer relies on these lines.
    let forged = lock.replace(
        "with setting = \"open\": everybody",
        "with setting = \"open\": nobody",
    );
    let report = "restated: other lines for the values of its settings";
    assert_eq!(what(&forged, &lock), report);
    let missing = lock.replace("  with setting = \"open\": everybody\n", "");
    assert_eq!(what(&missing, &lock), report);
    for line in [
        "  with setting = \"open\": everybody",
        "GET /x  public(reason = \"x\")  a::b\n  x",
    ] {
        let error = line.parse::<AccessLock>().expect_err("no line of a lock");
        assert!(error.to_string().contains("line "), "{error}");
    }
}

#[test]
fn unknown_policies_count_as_changed() {
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
fn hidden_policies_can_be_loosened() {
    let shown = r#"GET /x  requires(role = "admin")  shop::x"#;
    let hidden = "GET /x  requires(authenticated, hide_as = 404)  shop::x";
    assert!(changes(shown, hidden).starts_with("loosened"));
    assert!(changes(hidden, shown).starts_with("loosened"));
}

#[test]
fn equal_policies_are_moved() {
    let before = r#"GET /x  requires(role = "a", scope = "b")  shop::x"#;
    let after = r#"GET /x  requires(scope = "b", role = "a")  shop::y"#;
    assert!(changes(before, after).starts_with("moved"));
    let public = r#"GET /x  public(reason = "a")  shop::x"#;
    let other = r#"GET /x  public(reason = "b")  shop::y"#;
    assert!(changes(public, other).starts_with("moved"));
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

        const ACCESS: Access = Access::Requires(Requirement::Any(Cow::Borrowed(PARTS)));
        // The text of the attribute, with a name of the vocabulary.
        const WRITTEN: Option<Cow<'static, str>> =
            Some(Cow::Borrowed("requires(policy = \"staff\")"));
        const UNLESS_IN_LAB: Disclosure =
            Disclosure::Hidden(Some(Requirement::network(Network::new("lab", &LAB))));

        /// The form that the attribute generates with an `auth.toml`.
        pub(super) struct Service;

        impl auth_runtime::__private1::HasPolicy for Service {
            type Kind = auth_runtime::__private1::OfService;
            type Caller = auth_runtime::__private1::PublicCaller;
            const POLICY: &'static Policy =
                &Policy::from_parts(ACCESS, UNLESS_IN_LAB, None, None, None, None, WRITTEN);
            const FUNCTIONS: &'static [auth_runtime::__private1::ServiceFunction] = &[];
            const LOCATION: auth_runtime::HandlerLocation =
                auth_runtime::HandlerLocation::new("shop::service", "src/lib.rs", 1);
            const USES_GUARD: bool = false;
            fn handler_type() -> Option<std::any::TypeId> {
                None
            }
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
            const FUNCTIONS: &'static [auth_runtime::__private1::ServiceFunction] = &[];
            const LOCATION: auth_runtime::HandlerLocation =
                auth_runtime::HandlerLocation::new("shop::nobody", "src/lib.rs", 1);
            const USES_GUARD: bool = false;
            fn handler_type() -> Option<std::any::TypeId> {
                None
            }
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

#[test]
fn each_difference_is_named() {
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
            line(
                "",
                "requires(role = \"a\", says = \"No.  Ask.\")",
                "shop::x",
            ),
            "restated: the text of denials differs",
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
    let documents = |path: &str, user: &str| {
        format!(r#"GET {path}  requires(can("read", on = "User::{{{user}}}"))  shop::x"#)
    };
    for (before, after, expected) in [
        // An object of another place of the path is another object, also behind a prefix.
        (
            documents("/u-{user}/d-{doc}", "user"),
            documents("/u-{doc}/d-{user}", "user"),
            "changed: other callers are allowed; its parameters have other names",
        ),
        (
            documents("/u-{user}/d-{doc}", "user"),
            documents("/u-{id}/d-{doc}", "id"),
            "restated: its parameters have other names",
        ),
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

#[test]
fn router_changes_are_named() {
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
