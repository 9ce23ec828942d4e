//! A scheme and its parameters, as in `WWW-Authenticate` (RFC 9110 §11.3).

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use auth_runtime_policy::scheme::{is_token, registered_spelling};
use http::HeaderValue;

use crate::url::UrlProblem;

/// A challenge that follows the grammar of RFC 9110: another one cannot be constructed.
///
/// The builder does not know the parameters of every scheme, such as those of Digest (RFC 7616 §3.3) that must be
/// quoted or must not. In addition to the grammar, a challenge follows rules that clients rely on, since many clients
/// search the text instead of parsing it: one space after the scheme and after each comma,
/// parameter names in lower case, and no text that contains `scope=`, `error=` or
/// `resource_metadata=`.
///
/// ```
/// use auth_runtime::challenge::Challenge;
///
/// let challenge = Challenge::builder("Bearer")
///     .quoted("realm", "api")
///     .quoted("scope", "repo:read")
///     .build()?;
/// assert_eq!(challenge.to_string(), r#"Bearer realm="api", scope="repo:read""#);
///
/// let error = Challenge::builder("Bearer").quoted("realm", "two\r\nlines").build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the value of `realm` has a character outside visible ASCII: '\\r'",
/// );
/// # Ok::<(), auth_runtime::challenge::ChallengeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    line: HeaderValue,
    is_constant: bool,
}

impl Challenge {
    /// Starts a challenge of `scheme`.
    pub fn builder(scheme: impl AsRef<str>) -> ChallengeBuilder {
        let scheme = scheme.as_ref();
        let mut text = String::with_capacity(LENGTH);
        text.push_str(registered_spelling(scheme).unwrap_or(scheme));
        let error = (!is_token(scheme)).then(|| ChallengeError::Scheme(scheme.to_owned()));
        ChallengeBuilder {
            scheme: 0..text.len(),
            text,
            names: Vec::with_capacity(4),
            is_constant: false,
            error,
        }
    }

    /// The value of a `WWW-Authenticate` field line.
    pub fn to_header_value(&self) -> HeaderValue {
        self.line.clone()
    }

    pub(crate) fn into_header_value(self) -> HeaderValue {
        self.line
    }

    pub(crate) fn is_constant(&self) -> bool {
        self.is_constant
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A challenge is visible ASCII throughout, so `to_str` always succeeds.
        f.write_str(self.line.to_str().unwrap_or_default())
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({self})")
    }
}

/// Collects the parameters of a [`Challenge`]; [`build`](Self::build) returns the first error.
///
/// Parameters are written in the given order, without intermediate storage: any client can cause
/// denials, so they have to be cheap.
#[derive(Clone, Debug)]
pub struct ChallengeBuilder {
    /// The text so far.
    text: String,
    /// The range of the scheme in the text.
    scheme: Range<usize>,
    /// The ranges of the parameter names in the text.
    names: Vec<Range<usize>>,
    is_constant: bool,
    /// The first error.
    error: Option<ChallengeError>,
}

/// The initial capacity, sufficient for most challenges.
const LENGTH: usize = 160;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Quoted,
    Token,
}

impl ChallengeBuilder {
    /// Adds `name="value"`. `realm`, `scope` and the error attributes require this form (RFC 9110
    /// §11.5, RFC 6750 §3).
    #[must_use]
    pub fn quoted(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.parameter(name.as_ref(), value.as_ref(), Form::Quoted)
    }

    /// Adds `scope="…"` (RFC 6749 §3.3) with each scope once, separated by single spaces. Adds
    /// nothing if `scopes` is empty.
    #[must_use]
    pub fn scopes<'s>(self, scopes: impl IntoIterator<Item = &'s str>) -> Self {
        let mut scopes = scopes.into_iter();
        let Some(first) = scopes.next() else {
            return self;
        };
        let mut joined = Cow::Borrowed(first);
        for scope in scopes {
            if joined.split(' ').all(|own| own != scope) {
                let joined = joined.to_mut();
                joined.push(' ');
                joined.push_str(scope);
            }
        }
        self.quoted("scope", joined)
    }

    /// Adds a human-readable text that is known only at run time, as `name="text"`. Forbidden
    /// characters are replaced: a forbidden `"` by `'`, a forbidden `\` by `/`, and characters
    /// outside visible ASCII and space by `?`. A text that contains a control character, or that
    /// looks like a parameter, is omitted.
    ///
    /// ```
    /// # use auth_runtime::challenge::Challenge;
    /// let describe = |text: &str| {
    ///     let challenge = Challenge::builder("Bearer").quoted("error", "invalid_token");
    ///     challenge.text("error_description", text).build().map(|challenge| challenge.to_string())
    /// };
    /// assert_eq!(
    ///     describe("the key \"7\" is über-old")?,
    ///     r#"Bearer error="invalid_token", error_description="the key '7' is ?ber-old""#,
    /// );
    /// assert_eq!(describe("two\r\nlines")?, r#"Bearer error="invalid_token""#);
    /// # Ok::<(), auth_runtime::challenge::ChallengeError>(())
    /// ```
    #[must_use]
    pub fn text(self, name: impl AsRef<str>, text: &str) -> Self {
        let name = name.as_ref().to_ascii_lowercase();
        let forbidden = forbidden_in(&name);
        let clean = text.chars().map(|character| match character {
            '"' if forbidden.contains(&'"') => '\'',
            '\\' if forbidden.contains(&'\\') => '/',
            ' '..='~' => character,
            _ => '?',
        });
        let clean: String = clean.collect();
        if text.chars().any(char::is_control) || looks_like_parameter(&clean).is_some() {
            return self;
        }
        self.quoted(name, clean)
    }

    /// Adds `name=value`, the form that RFC 7616 §3.3 requires for `stale` and `algorithm`.
    #[must_use]
    pub fn token(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.parameter(name.as_ref(), value.as_ref(), Form::Token)
    }

    fn parameter(mut self, name: &str, value: &str, form: Form) -> Self {
        if self.error.is_none()
            && let Err(error) = self.write(name, value, form)
        {
            self.error = Some(error);
        }
        self
    }

    fn write(&mut self, name: &str, value: &str, form: Form) -> Result<(), ChallengeError> {
        self.text
            .push_str(if self.names.is_empty() { " " } else { ", " });
        let start = self.text.len();
        self.text.push_str(name);
        let own = start..self.text.len();
        if name.bytes().any(|byte| byte.is_ascii_uppercase())
            && let Some(own) = self.text.get_mut(own.clone())
        {
            own.make_ascii_lowercase();
        }
        let at = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let name = at(&own);
        if self.names.iter().any(|other| at(other) == name) {
            return Err(ChallengeError::Twice(name.to_owned()));
        }
        let kinds = Kinds::of(value);
        check(name, value, kinds, form)?;
        let scheme = at(&self.scheme);
        if scheme == "Basic" && !matches!(name, "realm" | "charset") {
            return Err(ChallengeError::NotOfScheme {
                scheme: scheme.to_owned(),
                name: name.to_owned(),
            });
        }
        self.names.push(own);
        self.text.push('=');
        match form {
            Form::Token => self.text.push_str(value),
            Form::Quoted => push_quoted(&mut self.text, value, kinds),
        }
        Ok(())
    }

    /// Declares that the scheme always makes this challenge for the same
    /// [`ChallengeContext`](crate::ChallengeContext). A `GuardedRouter` then makes it once for each
    /// route instead of once for each response. Not for challenges with a nonce.
    #[must_use]
    pub fn constant(mut self) -> Self {
        self.is_constant = true;
        self
    }

    /// Returns the challenge.
    ///
    /// # Errors
    ///
    /// - The scheme, a name or an unquoted value is not a token.
    /// - No parameter was added.
    /// - A name occurs twice, in any case, or is not a parameter of Basic.
    /// - `realm`, or an attribute of RFC 6750 §3, is not quoted.
    /// - A quoted value contains a character outside visible ASCII and space, or one that RFC
    ///   6750 §3 forbids in it.
    /// - A text looks like a parameter.
    pub fn build(self) -> Result<Challenge, ChallengeError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.names.is_empty() {
            return Err(ChallengeError::NoParameter);
        }
        // All parts have been checked, so the text is visible ASCII.
        let line = HeaderValue::try_from(self.text);
        line.map(|line| Challenge {
            line,
            is_constant: self.is_constant,
        })
        .map_err(|_| ChallengeError::Scheme(String::new()))
    }
}

/// The reason for rejecting a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeError {
    /// The name of the scheme is not a token (RFC 9110 §5.6.2).
    Scheme(String),
    /// The name of a parameter is not a token.
    Name(String),
    /// An unquoted value is not a token.
    Token {
        /// The parameter.
        name: String,
    },
    /// A parameter that requires a quoted value is unquoted (RFC 9110 §11.5, RFC 6750 §3).
    NotQuoted {
        /// The parameter.
        name: String,
    },
    /// A parameter occurs twice (RFC 9110 §11.2).
    Twice(String),
    /// The scheme does not have this parameter: Basic has `realm` and `charset` (RFC 7617 §2).
    NotOfScheme {
        /// The scheme.
        scheme: String,
        /// The parameter.
        name: String,
    },
    /// The challenge has no parameter. Many clients cannot parse such a challenge, and RFC 6750 §3
    /// forbids it for Bearer.
    NoParameter,
    /// A quoted value contains a character outside visible ASCII and space.
    NotVisibleAscii {
        /// The parameter.
        name: String,
        /// The first such character.
        character: char,
    },
    /// A quoted value contains a character that RFC 6750 §3 excludes from this parameter.
    Forbidden {
        /// The parameter.
        name: String,
        /// The first such character.
        character: char,
    },
    /// The scheme cannot use this realm, since its stored secrets are derived from another realm.
    Realm {
        /// The requested realm.
        realm: String,
        /// The realm of the scheme.
        own: String,
    },
    /// A value has to be a URL that clients can trust, and is not one.
    Url {
        /// The parameter.
        name: String,
        /// The problem of the value.
        problem: UrlProblem,
    },
    /// A text looks like a parameter to clients that search the challenge for parameters.
    LooksLikeParameter {
        /// The parameter.
        name: String,
        /// The part of the text that looks like a parameter.
        found: &'static str,
    },
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(scheme) => write!(f, "the scheme {scheme:?} is not a token"),
            Self::Name(name) => write!(f, "the parameter name {name:?} is not a token"),
            Self::Token { name } => write!(f, "the value of `{name}` is not a token; quote it"),
            Self::NotQuoted { name } => write!(f, "`{name}` has to be a quoted value"),
            Self::Twice(name) => write!(f, "`{name}` is given twice"),
            Self::NotOfScheme { scheme, name } => {
                write!(f, "`{scheme}` has no parameter `{name}`")
            }
            Self::NoParameter => f.write_str("a challenge needs a parameter; give it a realm"),
            Self::NotVisibleAscii { name, character } => write!(
                f,
                "the value of `{name}` has a character outside visible ASCII: {character:?}",
            ),
            Self::Forbidden { name, character } => {
                write!(f, "the value of `{name}` must not contain {character:?}")
            }
            Self::Realm { realm, own } => write!(
                f,
                "the realm is {realm:?}, and the secrets of its users were made for {own:?}",
            ),
            Self::Url { name, problem } => {
                write!(f, "the value of `{name}` is not a URL: {problem}")
            }
            Self::LooksLikeParameter { name, found } => write!(
                f,
                "the value of `{name}` contains `{found}`, which clients would read as a parameter",
            ),
        }
    }
}

impl std::error::Error for ChallengeError {}

/// The parameters that clients search for in the text, as observed with MCP and OAuth client
/// libraries.
const SEARCHED_FOR: [&str; 3] = ["scope=", "error=", "resource_metadata="];

fn check(name: &str, value: &str, kinds: Kinds, form: Form) -> Result<(), ChallengeError> {
    let name_of = || name.to_owned();
    if !is_token(name) {
        return Err(ChallengeError::Name(name_of()));
    }
    if form == Form::Token {
        return match name {
            "realm" | "scope" | "error" | "error_description" | "error_uri" => {
                Err(ChallengeError::NotQuoted { name: name_of() })
            }
            _ if !is_token(value) => Err(ChallengeError::Token { name: name_of() }),
            _ => Ok(()),
        };
    }
    let forbidden = forbidden_in(name);
    let is_bad = kinds.contain(INVISIBLE)
        || (kinds.contain(ESCAPED) && forbidden.contains(&'"'))
        || (kinds.contain(SPACE) && forbidden.contains(&' '));
    if is_bad {
        return Err(forbidden_character(name, value, forbidden));
    }
    // Few texts contain `=`, so few are searched.
    let may_look_like_parameter =
        kinds.contain(EQUALS) && matches!(name, "realm" | "error_description");
    match may_look_like_parameter.then(|| looks_like_parameter(value)) {
        Some(Some(found)) => Err(ChallengeError::LooksLikeParameter {
            name: name_of(),
            found,
        }),
        _ => Ok(()),
    }
}

/// The classes of characters in a value, computed in one pass.
#[derive(Clone, Copy)]
struct Kinds(u8);

/// Characters that a quoted string escapes (RFC 9110 §5.6.4).
const ESCAPED: u8 = 1;
const SPACE: u8 = 2;
const EQUALS: u8 = 4;
const INVISIBLE: u8 = 8;

impl Kinds {
    const OF_BYTES: [u8; 256] = {
        let mut kinds = [INVISIBLE; 256];
        let mut byte = b' ';
        while byte <= b'~' {
            #[expect(clippy::indexing_slicing, reason = "every byte has its place")]
            let kind = &mut kinds[byte as usize];
            *kind = match byte {
                b' ' => SPACE,
                b'"' | b'\\' => ESCAPED,
                b'=' => EQUALS,
                _ => 0,
            };
            byte += 1;
        }
        kinds
    };

    fn of(value: &str) -> Self {
        let kind = |byte| Self::OF_BYTES.get(usize::from(byte));
        let kinds = value.bytes().filter_map(kind);
        Self(kinds.fold(0, |all, kind| all | kind))
    }

    const fn contain(self, kind: u8) -> bool {
        self.0 & kind != 0
    }
}

/// The error for the first character that a quoted value must not contain.
fn forbidden_character(name: &str, value: &str, forbidden: &[char]) -> ChallengeError {
    let name = name.to_owned();
    match value.chars().find(|c| !matches!(c, ' '..='~')) {
        Some(character) => ChallengeError::NotVisibleAscii { name, character },
        None => {
            let found = value.chars().find(|c| forbidden.contains(c));
            let character = found.unwrap_or_default();
            ChallengeError::Forbidden { name, character }
        }
    }
}

/// The characters that RFC 6750 §3 excludes from a parameter. It excludes either none or both of
/// the characters that a quoted string escapes.
fn forbidden_in(name: &str) -> &'static [char] {
    match name {
        "scope" | "error" | "error_description" | "acr_values" => &['"', '\\'],
        "error_uri" | "resource_metadata" => &['"', '\\', ' '],
        _ => &[],
    }
}

fn looks_like_parameter(text: &str) -> Option<&'static str> {
    SEARCHED_FOR.into_iter().find(|found| text.contains(found))
}

/// Appends a quoted string, with only the necessary escapes (RFC 9110 §5.6.4).
fn push_quoted(text: &mut String, value: &str, kinds: Kinds) {
    text.push('"');
    if kinds.contain(ESCAPED) {
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
    } else {
        text.push_str(value);
    }
    text.push('"');
}
