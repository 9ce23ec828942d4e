//! The tokens of Cedar's schema syntax.

use std::fmt;

use super::declarations::Name;
use crate::mistake::Mistake;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// An identifier or a keyword.
    Word(&'t str),
    /// A string, without its escapes.
    Text(String),
    /// Punctuation.
    Mark(&'static str),
    /// The end of the text.
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "`{text:?}`"),
            Self::Mark(mark) => write!(f, "`{mark}`"),
            Self::End => f.write_str("the end of the file"),
        }
    }
}

/// The longer ones first.
const MARKS: [&str; 15] = [
    "::", ",", ";", ":", "{", "}", "[", "]", "<", ">", "=", "?", "@", "(", ")",
];

/// The text, and the byte of the next token.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
        }
    }

    /// Returns the next token, and the byte at which it begins.
    pub(super) fn token(&mut self) -> Result<(Token<'t>, usize), Mistake> {
        self.skip();
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok((Token::End, start));
        };
        if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            self.at += mark.len();
            return Ok((Token::Mark(mark), start));
        }
        if first == '"' {
            let (text, length) =
                string(rest).map_err(|(at, message)| Mistake::schema(start + at, message))?;
            self.at += length;
            return Ok((Token::Text(text), start));
        }
        let is_inner = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let length = rest.find(|it| !is_inner(it)).unwrap_or(rest.len());
        if length == 0 || first.is_ascii_digit() {
            let message = match first {
                '/' => "unexpected `/`\nhelp: a comment begins with `//`".to_owned(),
                other => format!("unexpected `{}`\nhelp: remove it", other.escape_debug()),
            };
            return Err(Mistake::schema(start, message));
        }
        self.at += length;
        let word = rest.get(..length).unwrap_or_default();
        Ok((Token::Word(word), start))
    }
}

/// Reads a string at the beginning of a text. Returns its value and the length of its literal, or the byte of a
/// mistake.
fn string(text: &str) -> Result<(String, usize), (usize, String)> {
    let unclosed = || (0, "the string is not closed\nhelp: add `\"`".to_owned());
    let mut value = String::new();
    let mut rest = text.char_indices();
    rest.next();
    loop {
        let (at, character) = rest.next().ok_or_else(unclosed)?;
        match character {
            '"' => return Ok((value, at + 1)),
            '\\' => {
                let (_, kind) = rest.next().ok_or_else(unclosed)?;
                let escaped = escaped(kind, &mut rest);
                value.push(escaped.ok_or_else(|| {
                    let message = format!(
                        "`\\{}` is not an escape of Cedar\n\
                         help: write `\\\\` for a backslash",
                        kind.escape_debug()
                    );
                    (at, message)
                })?);
            }
            '\r' => {
                let message = "a string contains a carriage return\nhelp: write `\\r`";
                return Err((at, message.to_owned()));
            }
            other => value.push(other),
        }
    }
}

/// Returns the character of an escape. `kind` is the character after the backslash.
fn escaped(kind: char, rest: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    let mut next = || rest.next().map(|(_, character)| character);
    match kind {
        '"' | '\\' | '\'' => Some(kind),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        'x' => {
            let value = next()?.to_digit(16)? * 16 + next()?.to_digit(16)?;
            char::from_u32(value).filter(char::is_ascii)
        }
        'u' => {
            if next()? != '{' {
                return None;
            }
            let mut value = next()?.to_digit(16)?;
            let mut digits = 1;
            loop {
                match next()? {
                    '}' => return char::from_u32(value),
                    '_' => {}
                    digit => {
                        digits += 1;
                        value = value * 16 + digit.to_digit(16).filter(|_| digits <= 6)?;
                    }
                }
            }
        }
        _ => None,
    }
}

/// Tokens with one token of lookahead.
pub(super) struct Tokens<'t> {
    lexer: Lexer<'t>,
    next: Token<'t>,
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, Mistake> {
        let mut lexer = Lexer::new(text);
        let (next, at) = lexer.token()?;
        Ok(Self { lexer, next, at })
    }

    /// The next token.
    pub(super) fn peek(&self) -> &Token<'t> {
        &self.next
    }

    /// The byte at which the next token begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns the next token, and reads the one after it.
    pub(super) fn advance(&mut self) -> Result<Token<'t>, Mistake> {
        let (next, at) = self.lexer.token()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Skips a punctuation mark. Returns whether it was next.
    pub(super) fn skip(&mut self, mark: &'static str) -> Result<bool, Mistake> {
        let is_next = self.next == Token::Mark(mark);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    /// Skips a keyword. Returns whether it was next.
    pub(super) fn skip_word(&mut self, word: &str) -> Result<bool, Mistake> {
        let is_next = matches!(self.next, Token::Word(next) if next == word);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    /// Skips a punctuation mark that has to be next.
    pub(super) fn expect(&mut self, mark: &'static str) -> Result<(), Mistake> {
        if self.skip(mark)? {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{mark}`")))
        }
    }

    /// Returns a string that has to be next.
    pub(super) fn text(&mut self) -> Result<Name, Mistake> {
        let at = self.at;
        match self.next.clone() {
            Token::Text(text) => {
                self.advance()?;
                Ok(Name { text, at })
            }
            _ => Err(self.unexpected("text in quotes")),
        }
    }

    /// Returns the mistake of a token in place of an expected one.
    pub(super) fn unexpected(&self, expected: &str) -> Mistake {
        let message = format!("expected {expected}, found {}", self.next);
        Mistake::schema(self.at, message)
    }
}
