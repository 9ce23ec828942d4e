//! A strict JSON reader that keeps places, for messages.

use super::declarations::Name;
use super::schema::MAX_DEPTH;
use crate::mistake::Mistake;

/// A value, and the byte at which it begins.
pub(super) struct Json {
    pub(super) at: usize,
    pub(super) kind: JsonKind,
}

/// The kinds of values that a schema's declarations are made of.
pub(super) enum JsonKind {
    /// The members, in the order of the text. No name occurs twice.
    Object(Vec<(Name, Json)>),
    Array(Vec<Json>),
    Text(String),
    Null,
    /// A number, `true` or `false`.
    Other,
}

/// Parses a document.
pub(super) fn parse(text: &str) -> Result<Json, Mistake> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    match reader.rest().chars().next() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected("the end of the file")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.at += rest.len() - trimmed.len();
    }

    fn skip(&mut self, mark: char) -> bool {
        self.space();
        let is_next = self.rest().starts_with(mark);
        if is_next {
            self.at += mark.len_utf8();
        }
        is_next
    }

    fn expect(&mut self, mark: char) -> Result<(), Mistake> {
        if self.skip(mark) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{mark}`")))
        }
    }

    fn unexpected(&self, expected: &str) -> Mistake {
        let found = match self.rest().chars().next() {
            None => "the end of the file".to_owned(),
            Some(other) => format!("`{}`", other.escape_debug()),
        };
        Mistake::schema(self.at, format!("expected {expected}, found {found}"))
    }

    fn value(&mut self, depth: usize) -> Result<Json, Mistake> {
        self.space();
        let at = self.at;
        if depth > MAX_DEPTH {
            let message = format!("values are nested too deeply; the maximum is {MAX_DEPTH}");
            return Err(Mistake::schema(at, message));
        }
        let kind = match self.rest().chars().next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => JsonKind::Text(self.string()?),
            _ => self.word()?,
        };
        Ok(Json { at, kind })
    }

    fn object(&mut self, depth: usize) -> Result<JsonKind, Mistake> {
        let mut members: Vec<(Name, Json)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        self.expect('{')?;
        if self.skip('}') {
            return Ok(JsonKind::Object(members));
        }
        loop {
            self.space();
            let at = self.at;
            let text = self.string()?;
            if !seen.insert(text.clone()) {
                let message = format!("duplicate `{text}`\nhelp: remove one of them");
                return Err(Mistake::schema(at, message));
            }
            self.expect(':')?;
            let value = self.value(depth + 1)?;
            members.push((Name { text, at }, value));
            if !self.skip(',') {
                break;
            }
        }
        self.expect('}')?;
        Ok(JsonKind::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<JsonKind, Mistake> {
        let mut elements = Vec::new();
        self.expect('[')?;
        if self.skip(']') {
            return Ok(JsonKind::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if !self.skip(',') {
                break;
            }
        }
        self.expect(']')?;
        Ok(JsonKind::Array(elements))
    }

    fn string(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        self.expect('"')?;
        let mut value = String::new();
        loop {
            let at = self.at;
            let Some(character) = self.rest().chars().next() else {
                let message = "the string is not closed\nhelp: add `\"`".to_owned();
                return Err(Mistake::schema(start, message));
            };
            self.at += character.len_utf8();
            match character {
                '"' => return Ok(value),
                '\\' => {
                    let escaped = self.escape();
                    value.push(escaped.ok_or_else(|| {
                        let message = "a string contains an invalid escape\nhelp: write `\\\\` for a backslash";
                        Mistake::schema(at, message.to_owned())
                    })?);
                }
                control if control < ' ' => {
                    let message = "a string contains a control character\nhelp: write it as an escape, such as `\\n`";
                    return Err(Mistake::schema(at, message.to_owned()));
                }
                other => value.push(other),
            }
        }
    }

    /// Reads the part of an escape after the backslash.
    fn escape(&mut self) -> Option<char> {
        let kind = self.rest().chars().next()?;
        self.at += kind.len_utf8();
        match kind {
            '"' | '\\' | '/' => Some(kind),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => {
                let first = self.unit()?;
                if !(0xD800..0xDC00).contains(&first) {
                    return char::from_u32(first);
                }
                self.at += self.rest().strip_prefix("\\u").map(|_| 2)?;
                let second = self.unit().filter(|it| (0xDC00..0xE000).contains(it))?;
                char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            }
            _ => None,
        }
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// Reads `true`, `false`, `null` or a number.
    fn word(&mut self) -> Result<JsonKind, Mistake> {
        let rest = self.rest();
        let is_inner = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
        let length = rest.find(|it| !is_inner(it)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let kind = match word {
            "true" | "false" => JsonKind::Other,
            "null" => JsonKind::Null,
            number if is_number(number) => JsonKind::Other,
            _ => return Err(self.unexpected("a value")),
        };
        self.at += length;
        Ok(kind)
    }
}

/// Returns whether a word is a number by RFC 8259 §6.
fn is_number(word: &str) -> bool {
    let word = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.chars().all(|it| it.is_ascii_digit());
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}
