//! The format of links, and their verification.
//!
//! An example is `/files/7?secret_link=2026-11.1795600000.c3ViPWFubg.…`: the target, the id of the
//! key, the expiry in seconds since 1970, the grants as a form in Base64, and the signature over
//! all of it and the method.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime_core::{Clock, Identity, Rejection};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use http::Method;
use sha2::Sha256;

use super::{PARAMETER, SignedUrls, SigningKey};
use crate::dot_segments::has_dot_segments;

/// The prefix of signed data. It separates links from other uses of the key.
const PURPOSE: &[u8] = b"secret URL 1\n";
/// The longest link, in bytes, that every recipient can be expected to support (RFC 9110 §4.1).
const MAX_LINK: usize = 8000;
const MAX_LIFETIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl SignedUrls {
    /// Returns the link for `target`, to be appended to the service's origin. A request with
    /// `method` within `lifetime` is granted as `identity`.
    ///
    /// `target` is the path as this service receives it, with an optional query, both encoded as
    /// clients send them. `lifetime` is 1 second to 366 days, truncated to whole seconds. An
    /// [expiry](Identity::expiry) of `identity` does not shorten it.
    ///
    /// # Errors
    ///
    /// [`LinkError`], if the link would not work or could not represent all of `identity`.
    pub fn sign(
        &self,
        method: &Method,
        target: &str,
        lifetime: Duration,
        identity: &Identity,
    ) -> Result<String, LinkError> {
        if method == Method::HEAD {
            return Err(LinkError::Head);
        }
        if !is_sent_as_it_is(target) {
            return Err(LinkError::Target(target.to_owned()));
        }
        if lifetime.as_secs() == 0 || lifetime > MAX_LIFETIME {
            return Err(LinkError::Lifetime(lifetime));
        }
        if !identity.has_only_grants() {
            return Err(LinkError::Identity);
        }
        let expiry = seconds_since_1970(&self.clock)
            .and_then(|now| now.checked_add(lifetime.as_secs()))
            .ok_or(LinkError::Clock)?;
        let joint = if target.contains('?') { '&' } else { '?' };
        let key = &*self.signing;
        let grants = URL_SAFE_NO_PAD.encode(write_grants(identity));
        let mut link = format!("{target}{joint}{PARAMETER}={}.{expiry}.{grants}.", key.id);
        let signature = key.signature(method, &link).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode_string(signature, &mut link);
        if link.len() > MAX_LINK {
            return Err(LinkError::Long(link.len()));
        }
        Ok(link)
    }

    /// Returns the identity of the link `target`. `value` is the text after the parameter's name.
    pub(super) fn open(
        &self,
        method: &Method,
        target: &str,
        value: &str,
    ) -> Result<Identity, Rejection> {
        let link = Link::read(value).ok_or(Rejection::Malformed)?;
        // In the bytes as sent: a decoded value has many spellings.
        let signed = target.strip_suffix(link.signature);
        let signature = URL_SAFE_NO_PAD.decode(link.signature).ok();
        let (Some(signed), Some(signature)) = (signed, signature) else {
            return Err(Rejection::Malformed);
        };
        let mut keys = self.keys.iter();
        let key = keys.find(|key| key.id == link.key);
        let key = key.ok_or(Rejection::Invalid)?;
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        key.signature(method, signed)
            .verify_slice(&signature)
            .map_err(|_| Rejection::Invalid)?;
        // The data is authentic from here on.
        if seconds_since_1970(&self.clock).is_none_or(|now| now >= link.expiry) {
            return Err(Rejection::Expired);
        }
        let identity = read_grants(&link.grants).ok_or(Rejection::Malformed)?;
        Ok(
            match UNIX_EPOCH.checked_add(Duration::from_secs(link.expiry)) {
                Some(end) => identity.with_expiry(end),
                None => identity,
            },
        )
    }
}

impl SigningKey {
    fn signature(&self, method: &Method, signed: &str) -> Hmac<Sha256> {
        let mut signature = self.key.start();
        signature.update(PURPOSE);
        signature.update(method.as_str().as_bytes());
        // A separator that occurs in no method and no target.
        signature.update(b"\n");
        signature.update(signed.as_bytes());
        signature
    }
}

/// The value of the parameter. It is not verified yet.
struct Link<'v> {
    key: &'v str,
    expiry: u64,
    grants: Vec<u8>,
    /// The encoded text.
    signature: &'v str,
}

impl<'v> Link<'v> {
    fn read(value: &'v str) -> Option<Self> {
        let (signed, signature) = value.rsplit_once('.')?;
        let (key, signed) = signed.split_once('.')?;
        let (expiry, grants) = signed.split_once('.')?;
        Some(Self {
            key,
            expiry: expiry.parse().ok()?,
            grants: URL_SAFE_NO_PAD.decode(grants).ok()?,
            signature,
        })
    }
}

const SUBJECT: &str = "sub";
const SCOPE: &str = "scope";
const ROLE: &str = "role";
const PERMISSION: &str = "permission";

fn write_grants(identity: &Identity) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair(SUBJECT, identity.subject())
        .extend_pairs(identity.scopes().map(|scope| (SCOPE, scope)))
        .extend_pairs(identity.roles().map(|role| (ROLE, role)))
        .extend_pairs(identity.permissions().map(|name| (PERMISSION, name)))
        .finish()
}

fn read_grants(grants: &[u8]) -> Option<Identity> {
    let mut pairs = form_urlencoded::parse(grants);
    let (_, subject) = pairs.next().filter(|(name, _)| name == SUBJECT)?;
    let mut identity = Identity::new(subject);
    for (name, value) in pairs {
        identity = match &*name {
            SCOPE => identity.with_scopes([value]),
            ROLE => identity.with_roles([value]),
            PERMISSION => identity.with_permissions([value]),
            _ => return None,
        };
    }
    Some(identity)
}

/// Returns whether every client sends `target` byte for byte. Browsers resolve dot segments, and
/// encode characters that RFC 3986 does not allow, and `'` in a query too (URL Standard,
/// "special-query percent-encode set"). Two leading slashes would lead to another host. A target
/// that already has a link is invalid.
fn is_sent_as_it_is(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    path.starts_with('/')
        && !path.starts_with("//")
        && !has_dot_segments(path)
        && is_encoded(path, b"-._~!$&'()*+,;=:@/")
        && is_encoded(query, b"-._~!$&()*+,;=:@/?")
        && form_urlencoded::parse(query.as_bytes()).all(|(name, _)| name != PARAMETER)
}

/// Returns whether `text` has only these marks, letters, digits and encoded bytes (RFC 3986 §3.3
/// and §3.4).
fn is_encoded(text: &str, marks: &[u8]) -> bool {
    let mut parts = text.split('%');
    let is_plain = |part: &str| {
        let mut bytes = part.bytes();
        bytes.all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
    };
    let is_escape = |part: &str| {
        let digits = part.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    parts.next().is_some_and(is_plain) && parts.all(|part| is_escape(part) && is_plain(part))
}

/// Returns the seconds since 1970. `None` if the clock is before 1970; then links are neither
/// signed nor accepted.
fn seconds_since_1970(clock: &Clock) -> Option<u64> {
    let since = clock.now().duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// An error of signing a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// The method is `HEAD`. A link for `GET` is also valid for `HEAD`.
    Head,
    /// The target is one that clients do not send as written.
    Target(String),
    /// The lifetime is less than a second, or more than 366 days.
    Lifetime(Duration),
    /// The identity has details of its login, or attached values, which a link cannot hold.
    Identity,
    /// The link would have this many bytes. More than 8000 are not supported everywhere.
    Long(usize),
    /// The system's clock is wrong.
    Clock,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str(
                "a link cannot be signed for HEAD; a link for GET is also valid for HEAD",
            ),
            Self::Target(target) => write!(
                f,
                "clients do not send {target:?} as it is written; write a path that starts with \
                 one slash and has no dot segments, with everything encoded that RFC 3986 does \
                 not allow, and `'` in the query",
            ),
            Self::Lifetime(lifetime) => write!(
                f,
                "the lifetime of a link is {} seconds; 1 second to 366 days are allowed",
                lifetime.as_secs()
            ),
            Self::Identity => f.write_str(
                "the identity has more than a subject, scopes, roles and permissions, which a \
                 link cannot carry",
            ),
            Self::Long(length) => write!(
                f,
                "the link has {length} bytes; the maximum is {MAX_LINK}, so grant fewer scopes, roles or permissions",
            ),
            Self::Clock => f.write_str("the system clock is invalid"),
        }
    }
}

impl std::error::Error for LinkError {}
