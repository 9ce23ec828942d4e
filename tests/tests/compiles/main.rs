//! Correct code that has to compile, without a warning: one topic a file.

mod guard_completion;
mod foreign_guard;
mod beside_all_attributes;
mod beside_debug_handler;
mod beside_instrument;
mod beside_utoipa_path;
mod cfg;
mod checks;
mod closures;
mod denied_lints;
mod service_errors;
mod requirements;
mod visibilities;
mod many_extractors;
mod generics;
mod impl_trait;
mod lifetimes;
mod forbidden_lints;
mod modules;
mod shared_names;
mod same_name;
mod raw_identifiers;
mod services;

#[test]
fn examples_run() {
    guard_completion::main();
    foreign_guard::main();
    beside_all_attributes::main();
    beside_debug_handler::main();
    beside_instrument::main();
    beside_utoipa_path::main();
    cfg::main();
    checks::main();
    closures::main();
    denied_lints::main();
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
