//! Diagnostics of the attributes: one case a file, in folders by topic. `TRYBUILD=overwrite` writes
//! the expected messages anew; read each before keeping it.
//!
//! trybuild checks all failing cases in one cargo call only where no passing case is beside them, so
//! there are two sets.

#[test]
fn correct_code_compiles() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn mistakes_are_reported() {
    trybuild::TestCases::new().compile_fail("ui/fail/*/*.rs");
}
