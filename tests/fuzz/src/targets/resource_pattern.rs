//! Templates of objects: the first line of an input is one, the second an id, and the others are values.

use auth_runtime_policy::ResourcePattern;

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "resource_pattern",
    cost: 1,
    dictionary: &[
        "Repository::",
        "App::Repository::",
        "Service::",
        "{owner}",
        "{repo}",
        "/",
        "::",
        "{}",
        "{{",
        "}}",
        "-",
        ".git",
        "ann",
        "garden",
    ],
    start,
};

fn start() -> Check {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let mut lines = text.split('\n');
        let (pattern, id) = (
            lines.next().unwrap_or_default(),
            lines.next().unwrap_or_default(),
        );
        let values: Vec<&str> = lines.collect();
        let pattern = match ResourcePattern::parse(pattern.to_owned()) {
            Ok(pattern) => pattern,
            Err(error) => return Outcome::of_messages([error.to_string()]),
        };
        let names: Vec<&str> = pattern.parameters().collect();
        assert_eq!(
            ResourcePattern::parse(pattern.to_string()).as_ref(),
            Ok(&pattern)
        );
        assert_eq!(
            format!("{}::{}", pattern.resource_type(), pattern.id()),
            pattern.as_str()
        );
        assert_eq!(
            pattern.rename_parameters(|name| name.to_owned().into()),
            pattern
        );

        // An id has one reading at most, and is filled from it.
        let read = pattern.parse_id(id);
        if let Some(read) = &read {
            let value = |name: &str| read.iter().find(|(own, _)| *own == name).map(|it| it.1);
            let filled = pattern.fill(value);
            assert_eq!(filled.as_deref(), Ok(id), "{pattern} {read:?}");
        }
        let value = |name: &str| {
            let place = names.iter().position(|own| *own == name)?;
            values.get(place).copied()
        };
        let filled = pattern.fill(value);
        if let Ok(filled) = &filled {
            let expected: Vec<_> = names.iter().copied().zip(values.iter().copied()).collect();
            assert_eq!(
                pattern.parse_id(filled),
                Some(expected),
                "{pattern} {filled}"
            );
        }
        Outcome::of((names.len(), read.is_some(), filled.is_ok()))
    })
}
