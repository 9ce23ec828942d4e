//! Random schemas, as generated and with damage.

use std::cell::Cell;

use auth_grammar::cedar::{self, SchemaForm};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::generator::Choices;
use super::{compare, compare_json, theirs};

#[test]
fn schemas_have_declarations_that_cedar_finds() {
    let (valid, total) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    };
    let run = TestRunner::new(config).run(&prop::collection::vec(any::<u8>(), 0..400), |choices| {
        let text = Choices::new(&choices).schema();
        total.set(total.get() + 1);
        valid.set(valid.get() + usize::from(theirs(&text).is_ok()));
        compare(&text);
        compare_json(&text);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    // Otherwise the comparison would be about mistakes only.
    assert!(
        valid.get() * 10 > total.get(),
        "{} of {}",
        valid.get(),
        total.get()
    );
}

#[test]
fn damaged_schemas_are_refused_like_cedar() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    };
    let run = TestRunner::new(config).run(&prop::collection::vec(any::<u8>(), 8..300), |choices| {
        let (damage, schema) = choices.split_at(8);
        let text = Choices::new(schema).schema();
        compare(&Choices::new(damage).damage(&text));
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// The place of each mistake is in the text, so that messages have a line and a column.
#[test]
fn any_text_is_read_without_panic() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    };
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "entity ", "action ", "{", "}", "[", "]", "\"", "\\u", "\\", ":", ",", "é", "null",
            "\"a\":", "-1.e",
        ])
        .prop_map(str::to_owned),
    ];
    let texts = prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    let run = TestRunner::new(config).run(&texts, |text| {
        for form in [SchemaForm::Cedar, SchemaForm::Json] {
            let (_, mistakes) = cedar::read(&text, form);
            prop_assert!(
                mistakes
                    .iter()
                    .all(|mistake| text.is_char_boundary(mistake.at))
            );
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}
