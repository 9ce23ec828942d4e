//! Valid code that has to compile without warnings: one topic per file.

#![allow(
    clippy::all,
    reason = "code is written in every way that users write it"
)]

mod beside_all_attributes;
mod beside_debug_handler;
mod beside_instrument;
mod beside_utoipa_path;
mod cfg;
#[allow(dead_code, reason = "some items only have to compile")]
mod checks;
mod closures;
pub mod denied_lints;
mod forbidden_lints;
mod foreign_guard;
mod generics;
mod guard_completion;
mod guarded_tests;
#[allow(dead_code, reason = "some items only have to compile")]
mod impl_trait;
mod lifetimes;
mod many_extractors;
mod modules;
pub mod pedantic_lints;
mod raw_identifiers;
#[allow(dead_code, reason = "some items only have to compile")]
mod requirements;
mod same_name;
mod service_errors;
mod services;
#[allow(dead_code, reason = "some items only have to compile")]
mod shared_names;
mod visibilities;

#[test]
fn examples_run() {
    guard_completion::main();
    guarded_tests::main();
    foreign_guard::main();
    beside_all_attributes::main();
    beside_debug_handler::main();
    beside_instrument::main();
    beside_utoipa_path::main();
    cfg::main();
    checks::main();
    closures::main();
    denied_lints::main();
    pedantic_lints::main();
    service_errors::main();
    requirements::main();
    visibilities::main();
    many_extractors::main();
    generics::main();
    impl_trait::main();
    lifetimes::main();
    forbidden_lints::main();
    modules::main();
    shared_names::main();
    same_name::main();
    raw_identifiers::main();
    services::main();
}
