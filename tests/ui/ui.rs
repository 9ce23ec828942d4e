//! Diagnostics of the attributes: one case per file, in folders by topic. `TRYBUILD=overwrite`
//! writes the expected messages anew. Read each before accepting it.
//!
//! Code that compiles is in `compiles`: trybuild checks all cases in one cargo call only if none of
//! them has to pass.

#[test]
fn mistakes_are_reported() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}
