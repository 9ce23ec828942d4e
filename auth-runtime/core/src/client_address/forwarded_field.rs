//! The fields in which proxies record the address of their peer.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

use crate::client_address::trusted_proxies::TrustedProxies;

/// A field in which proxies record the address of their peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ForwardedField {
    Forwarded,
    XForwardedFor,
    /// A field with one address, which the proxy sets.
    Single(HeaderName),
}

/// Not in the `http` crate, since no standard names it.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The longest field that is read, in bytes, over all its lines.
const MAX_FIELD: usize = 8 * 1024;

impl ForwardedField {
    /// The name of the field.
    pub(super) fn name(&self) -> HeaderName {
        match self {
            Self::Forwarded => FORWARDED,
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Single(name) => name.clone(),
        }
    }

    /// The rightmost address that is not a proxy's.
    pub(super) fn client(&self, headers: &HeaderMap, proxies: &TrustedProxies) -> Option<IpAddr> {
        let lines = headers.get_all(self.name());
        if let Self::Single(_) = self {
            let mut lines = lines.iter();
            let only = lines.next().filter(|_| lines.next().is_none())?;
            return self.address(only.to_str().ok()?.trim());
        }
        let length: usize = lines.iter().map(http::HeaderValue::len).sum();
        if length > MAX_FIELD {
            return None;
        }
        for line in lines.iter().rev() {
            // The client may have written other characters to the left of the elements that count.
            let line = String::from_utf8_lossy(line.as_bytes());
            let is_list = *self == Self::Forwarded;
            let elements = split(&line, ',', is_list)?;
            // Empty elements of a list are ignored (RFC 9110 §5.6.1.2).
            let elements = elements.into_iter().rev();
            for element in elements.filter(|element| !(is_list && element.is_empty())) {
                let address = self.address(element)?;
                if !proxies.contains(address) {
                    return Some(address);
                }
            }
        }
        None
    }

    fn address(&self, element: &str) -> Option<IpAddr> {
        let address = match self {
            Self::Forwarded => {
                let node = forwarded_for(element)?;
                // Without brackets, an IPv6 address and its port are one text (RFC 7239 §6).
                address(&node).filter(|address| address.is_ipv4() || node.starts_with('['))
            }
            Self::XForwardedFor | Self::Single(_) => address(element),
        };
        address.map(|address| address.to_canonical())
    }
}

/// Splits at `separator` outside quotes; `None` if a quote is not closed, so that a client cannot
/// hide behind an open one the element that a proxy adds.
fn split(text: &str, separator: char, quotes: bool) -> Option<Vec<&str>> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = text
        .split(|character| {
            let is_escaped = std::mem::take(&mut escaped);
            match character {
                '\\' if quoted && !is_escaped => escaped = true,
                '"' if quotes && !is_escaped => quoted = !quoted,
                _ => {}
            }
            character == separator && !quoted
        })
        .map(|part| part.trim_matches([' ', '\t']))
        .collect();
    (!quoted).then_some(parts)
}

/// The `for` of a forwarded-element (RFC 7239 §4), without quotes.
fn forwarded_for(element: &str) -> Option<String> {
    let mut found = None;
    let pairs = split(element, ';', true)?;
    for pair in pairs.into_iter().filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        if name.eq_ignore_ascii_case("for") && found.replace(unquoted(value)?).is_some() {
            return None;
        }
    }
    found
}

/// The value of a token or of a quoted-string (RFC 9110 §5.6.4).
fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => text.push(characters.next()?),
            _ => text.push(character),
        }
    }
    Some(text)
}

/// An address, with or without a port; an IPv6 address may have brackets, and has them if there is a
/// port. An obfuscated port (RFC 7239 §6.3) and a zone (RFC 4007 §11) are left out. `unknown` and
/// obfuscated identifiers are not addresses.
fn address(text: &str) -> Option<IpAddr> {
    let text = match text.rsplit_once(":_") {
        Some((address, port)) if is_obfuscated(port) => address,
        _ => text,
    };
    let without_zone;
    let text = match text.split_once('%') {
        Some((address, _)) if !address.contains(':') => return None,
        Some((address, rest)) => {
            let end = rest.find(']').unwrap_or(rest.len());
            without_zone = format!("{address}{}", rest.get(end..)?);
            &without_zone
        }
        None => text,
    };
    let socket = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse().ok().map(IpAddr::V6)
    };
    text.parse().ok().or_else(bracketed).or_else(socket)
}

/// Returns whether the rest of an obfuscated port is well-formed.
fn is_obfuscated(port: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !port.is_empty() && port.bytes().all(is_allowed)
}
