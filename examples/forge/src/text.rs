//! Validated texts: bounded lengths, and names that fit into a path.

use serde::{Deserialize, Deserializer, de::Error};

/// A name for paths: 1 to 39 lower-case letters, digits, `-`, `.` and `_`. It starts with a letter
/// or a digit.
#[derive(Debug)]
pub(crate) struct Name(pub(crate) String);

/// A line of 1 to 256 characters.
#[derive(Debug)]
pub(crate) struct Line(pub(crate) String);

/// A text of up to 64 KiB, which may be empty.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_legal = |byte: u8| is_letter(byte) || matches!(byte, b'-' | b'.' | b'_');
        let starts_well = name.bytes().next().is_some_and(is_letter);
        if !starts_well || name.len() > 39 || !name.bytes().all(is_legal) {
            return Err(D::Error::custom(
                "a name is 1 to 39 lower-case letters, digits, `-`, `.` and `_`",
            ));
        }
        Ok(Self(name))
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = String::deserialize(deserializer)?;
        let length = line.chars().count();
        if line.trim().is_empty() || length > 256 || line.chars().any(char::is_control) {
            return Err(D::Error::custom("a line is 1 to 256 characters"));
        }
        Ok(Self(line))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > 64 * 1024 {
            return Err(D::Error::custom("a text is up to 64 KiB"));
        }
        Ok(Self(text))
    }
}
