//! The inputs of the corpus, which include those that found a mistake.

use auth_fuzz::run::{Bound, run};
use auth_fuzz::{TARGETS, corpus};

/// Includes a fixed number of mutations, the same in every run, and fewer for a slow target.
#[test]
fn properties_hold_for_the_corpus() {
    for target in TARGETS {
        let seeds = corpus::read(target).expect("a folder with inputs");
        assert!(!seeds.is_empty(), "{}", target.name);
        let mutations = (2000 / target.cost).min(100);
        let report = run(target, Bound::Executions(seeds.len() as u64 + mutations), 0);
        if let Some(failure) = report.failure {
            let input = failure.input.escape_ascii();
            panic!("{}: {}: {input}", target.name, failure.message);
        }
    }
}

/// The inputs with valid credentials are granted, so that the targets reach what follows; their names say so.
#[test]
fn granted_inputs_are_granted() {
    let mut granted = Vec::new();
    let mut misnamed = Vec::new();
    for target in TARGETS {
        for seed in corpus::read(target).expect("a folder with inputs") {
            // Anew for each, since a proof or a count is granted once.
            let mut check = (target.start)();
            let is_granted = check(&seed.bytes).is_granted();
            let is_named = seed.name.starts_with("granted");
            if is_granted != is_named {
                misnamed.push(format!("{}/{}", target.name, seed.name));
            }
            granted.extend(is_granted.then_some(target.name));
        }
    }
    assert!(misnamed.is_empty(), "{misnamed:?}");
    granted.dedup();
    assert_eq!(granted.len(), 26, "{granted:?}");
}

/// Every folder belongs to a target, so that no input is forgotten.
#[test]
fn folders_are_targets() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let name = entry.expect("a folder").file_name();
        assert!(TARGETS.iter().any(|target| target.name == name), "{name:?}");
    }
}
