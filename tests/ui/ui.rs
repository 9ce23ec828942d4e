//! Diagnostics of the attributes: one case a file, in folders by topic. `TRYBUILD=overwrite` writes
//! the expected messages anew; read each before keeping it.
//!
//! Code that compiles is in `compiles`: trybuild checks all cases in one cargo call only where none
//! has to pass.

#[test]
fn mistakes_are_reported() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}
