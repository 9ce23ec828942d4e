//! Properties of all locks, and the time that comparing takes.

use super::*;

#[test]
fn many_routes_are_compared_quickly() {
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
fn long_policies_are_compared_quickly() {
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
        (pairs(2), pairs(3), "loosened"),
        (pairs(3), pairs(2), "tightened"),
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn different_locks_have_changes(before in lines(), after in lines(), with_one in any::<bool>()) {
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
