//! What compiles and what does not, with the whole message: one case a file, in folders named by
//! what they show. `TRYBUILD=overwrite` writes the messages anew; read each before keeping it.

#[test]
fn what_is_right_compiles_and_what_is_wrong_says_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*/*.rs");
}
