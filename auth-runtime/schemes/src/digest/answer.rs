//! The response of a client to a challenge (RFC 7616 §3.4).

use auth_runtime_core::Credentials;
use auth_runtime_policy::scheme::is_token;
use http::uri::PathAndQuery;
use subtle::ConstantTimeEq;

use super::secret::{DigestAlgorithm, DigestSecret};

/// The parameters of `Authorization: Digest …`, complete and well-formed. Their hash is not
/// verified yet.
pub(super) struct Answer {
    pub(super) user: DigestUser,
    pub(super) realm: String,
    pub(super) nonce: String,
    /// The number of requests with the nonce, including this one.
    pub(super) count: u32,
    /// The same as it was sent, since this text is hashed.
    count_text: String,
    client_nonce: String,
    method: String,
    uri: String,
    response: String,
}

/// The claimed user name, and the algorithm of the response: a user has a secret for each
/// algorithm.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct DigestUser {
    pub(super) algorithm: DigestAlgorithm,
    pub(super) name: Name,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Plain(String),
    /// With `userhash=true`: the hash of name and realm.
    Hashed(String),
}

/// The error of parsing an [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum AnswerProblem {
    Malformed,
    /// The algorithm was not offered.
    Algorithm,
    /// The `uri` is not the target of the request (RFC 7616 §3.4.6).
    RequestMismatch,
}

impl Answer {
    /// Parses a response. `removed_prefix` is the prefix that a gateway removes from paths.
    pub(super) fn read(
        credentials: &Credentials<'_>,
        removed_prefix: &str,
    ) -> Result<Self, AnswerProblem> {
        let parameters = Parameters::read(credentials.value()).ok_or(AnswerProblem::Malformed)?;
        // The default is MD5 (RFC 7616 §3.4).
        let algorithm = parameters.get("algorithm").unwrap_or("MD5");
        let algorithm = DigestAlgorithm::of_name(algorithm).ok_or(AnswerProblem::Algorithm)?;
        let answer =
            Self::complete(&parameters, algorithm, credentials).ok_or(AnswerProblem::Malformed)?;
        if answer.is_for(credentials, removed_prefix) {
            Ok(answer)
        } else {
            Err(AnswerProblem::RequestMismatch)
        }
    }

    fn complete(
        parameters: &Parameters,
        algorithm: DigestAlgorithm,
        credentials: &Credentials<'_>,
    ) -> Option<Self> {
        let text = |name| parameters.get(name).map(str::to_owned);
        let count_text = text("nc")?;
        let is_count =
            count_text.len() == 8 && count_text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let count = u32::from_str_radix(&count_text, 16).ok()?;
        let client_nonce = text("cnonce")?;
        let response = text("response")?;
        let is_well_formed = is_count
            && count > 0
            && !client_nonce.is_empty()
            && parameters.get("qop") == Some(QOP)
            && response.len() == algorithm.digits();
        is_well_formed.then_some(Self {
            user: DigestUser {
                algorithm,
                name: name(parameters)?,
            },
            realm: text("realm")?,
            nonce: text("nonce")?,
            count,
            count_text,
            client_nonce,
            method: credentials.method().as_str().to_owned(),
            uri: text("uri")?,
            response,
        })
    }

    /// Returns whether `uri` is the target of the request, as written in the request line, with or
    /// without the host, and with or without the removed prefix. A gateway that removes the whole path sends `/`.
    fn is_for(&self, credentials: &Credentials<'_>, removed_prefix: &str) -> bool {
        let target = credentials.uri();
        let path = target.path_and_query().map_or("", PathAndQuery::as_str);
        let origin = match (target.scheme(), target.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => String::new(),
        };
        let is_root = |rest: &str| {
            let is_whole = rest.is_empty() || rest.starts_with('?');
            is_whole && !removed_prefix.is_empty() && path.strip_prefix('/') == Some(rest)
        };
        let is_path = |uri: &str| {
            let rest = uri.strip_prefix(removed_prefix);
            uri == path || rest.is_some_and(|rest| rest == path || is_root(rest))
        };
        let below_origin = self.uri.strip_prefix(&origin);
        is_path(&self.uri) || below_origin.is_some_and(is_path)
    }

    /// Returns whether the response was made with this secret (RFC 7616 §3.4.1). The comparison
    /// takes constant time.
    pub(super) fn is_made_with(&self, secret: &DigestSecret) -> bool {
        let algorithm = self.user.algorithm;
        let request = algorithm.hash(&[&self.method, &self.uri]);
        let right = algorithm.hash(&[
            secret.hash(),
            &self.nonce,
            &self.count_text,
            &self.client_nonce,
            QOP,
            &request,
        ]);
        right.as_bytes().ct_eq(self.response.as_bytes()).into()
    }
}

/// The only quality of protection. Clients that support `auth-int` compute it in different ways.
pub(super) const QOP: &str = "auth";

fn name(parameters: &Parameters) -> Option<Name> {
    let is_hashed = match parameters.get("userhash") {
        None => false,
        Some(flag) if flag.eq_ignore_ascii_case("false") => false,
        Some(flag) if flag.eq_ignore_ascii_case("true") => true,
        Some(_) => return None,
    };
    match (parameters.get("username"), parameters.get("username*")) {
        (Some(hash), None) if is_hashed => Some(Name::Hashed(hash.to_owned())),
        (Some(name), None) => Some(Name::Plain(name.to_owned())),
        (None, Some(extended)) if !is_hashed => extended_value(extended).map(Name::Plain),
        _ => None,
    }
}

/// Parses `UTF-8'language'text`. The text has `%` escapes (RFC 8187 §3.2.1).
fn extended_value(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, text) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("UTF-8") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            plain if is_attribute_character(plain) => plain,
            _ => return None,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// Returns whether a byte is an `attr-char` (RFC 8187 §3.2.1).
fn is_attribute_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte)
}

/// The parameters of an `Authorization` field, by their names in lower case. Each occurs once.
struct Parameters(Vec<(String, String)>);

/// The maximum number of parameters. RFC 7616 has fourteen.
const MAX_PARAMETERS: usize = 32;

impl Parameters {
    /// Parses `[ auth-param *( OWS "," OWS auth-param ) ]` (RFC 9110 §11.2). Empty members are
    /// skipped (§5.6.1.2).
    fn read(text: &str) -> Option<Self> {
        let mut parameters = Self(Vec::new());
        let mut rest = text.trim_start_matches([' ', ',']);
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let name = name.trim_end_matches(' ').to_ascii_lowercase();
            let after = after.trim_start_matches(' ');
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => token(after)?,
            };
            let is_new = parameters.get(&name).is_none();
            if !is_token(&name) || !is_new || parameters.0.len() == MAX_PARAMETERS {
                return None;
            }
            parameters.0.push((name, value));
            let after = after.trim_start_matches(' ');
            if !after.is_empty() && !after.starts_with(',') {
                return None;
            }
            rest = after.trim_start_matches([' ', ',']);
        }
        Some(parameters)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(own, _)| own == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Parses the rest of a quoted string, without its first quote. Returns its value and the text
/// behind it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => value.push(rest.next()?),
            character => value.push(character),
        }
    }
}

fn token(text: &str) -> Option<(String, &str)> {
    let end = text.find([' ', ',']).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    is_token(value).then(|| (value.to_owned(), rest))
}
