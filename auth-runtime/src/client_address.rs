//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap, HeaderName, header::FORWARDED};

use crate::head::Head;

/// How the address of a client is found out, for `network` requirements.
///
/// ```
/// use auth_runtime::{ClientAddress, ProtectionSpace};
///
/// // Behind one reverse proxy that adds `X-Forwarded-For`.
/// let builder = ProtectionSpace::builder().client_address(ClientAddress::x_forwarded_for(1));
/// ```
///
/// Default is the [socket](Self::socket): anybody can write the fields that proxies write, so none
/// is believed unless it is asked for.
///
/// A request that did not come through all the proxies, or whose field cannot be read, comes from
/// no network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientAddress(Teller);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Teller {
    #[default]
    Socket,
    Forwarded {
        proxies: usize,
    },
    XForwardedFor {
        proxies: usize,
    },
}

/// Not in the `http` crate, since no standard names it.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl ClientAddress {
    /// The other end of the connection, for services that clients reach directly.
    ///
    /// It is taken from the request's extensions: from axum's `ConnectInfo<SocketAddr>`, which
    /// `into_make_service_with_connect_info::<SocketAddr>()` puts there, or else from a
    /// [`SocketAddr`] of its own. Where there is neither, `network` requirements are not met, and
    /// the log says why.
    pub const fn socket() -> Self {
        Self(Teller::Socket)
    }

    /// What the outermost of so many trusted proxies wrote into `Forwarded` (RFC 7239).
    ///
    /// Each proxy has to add itself to the field, or to set it.
    pub const fn forwarded(proxies: usize) -> Self {
        Self(Teller::Forwarded { proxies })
    }

    /// What the outermost of so many trusted proxies wrote into `X-Forwarded-For`.
    ///
    /// Each proxy has to add itself to the field, or to set it.
    pub const fn x_forwarded_for(proxies: usize) -> Self {
        Self(Teller::XForwardedFor { proxies })
    }

    /// Whether proxies are to be believed, but none are there.
    pub(crate) const fn lacks_proxies(self) -> bool {
        matches!(
            self.0,
            Teller::Forwarded { proxies: 0 } | Teller::XForwardedFor { proxies: 0 }
        )
    }

    /// The address of whoever sent a request; `None` if it cannot be told.
    pub(crate) fn of(self, head: Head<'_>) -> Option<IpAddr> {
        match self.0 {
            Teller::Socket => {
                let address = socket_address(head.extensions);
                if address.is_none() {
                    tracing::error!(
                        "a network is required, and the server does not say who is connected: serve \
                         with `into_make_service_with_connect_info::<SocketAddr>()`"
                    );
                }
                address.map(|address| address.ip())
            }
            Teller::Forwarded { proxies } => {
                let members = members(head.headers, &FORWARDED, true)?;
                let member = nth_from_the_end(&members, proxies)?;
                node(&forwarded_for(member)?)
            }
            Teller::XForwardedFor { proxies } => {
                let members = members(head.headers, &X_FORWARDED_FOR, false)?;
                node(nth_from_the_end(&members, proxies)?)
            }
        }
    }
}

pub(crate) fn socket_address(extensions: &Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(info) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    extensions.get::<SocketAddr>().copied()
}

/// The first proxy added the client, the second one the first: the outermost of those that are
/// trusted is as far from the end as there are.
fn nth_from_the_end<'m>(members: &[&'m str], count: usize) -> Option<&'m str> {
    let index = members.len().checked_sub(count)?;
    members.get(index).copied()
}

/// The members of a field, over all its lines; `None` if it is not visible ASCII, or if quotes do
/// not match on a line that may have them.
fn members<'h>(headers: &'h HeaderMap, name: &HeaderName, quotes: bool) -> Option<Vec<&'h str>> {
    let mut members = Vec::new();
    for line in headers.get_all(name) {
        members.extend(split(line.to_str().ok()?, ',', quotes)?);
    }
    Some(members)
}

/// Splits at `separator`, but for those in quotes; `None` if a quote is not closed.
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
        .map(str::trim)
        .collect();
    (!quoted).then_some(parts)
}

/// The `for` of a forwarded-element (RFC 7239 §4), without quotes.
fn forwarded_for(element: &str) -> Option<String> {
    let mut found = None;
    for pair in split(element, ';', true)? {
        let (name, value) = pair.split_once('=')?;
        if name.eq_ignore_ascii_case("for") && found.replace(unquoted(value)?).is_some() {
            return None;
        }
    }
    found
}

/// A token, or what a quoted-string says (RFC 9110 §5.6.4).
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

/// An address, with or without a port; an IPv6 one may stand in brackets, and has to if there is a
/// port (RFC 7239 §6). `unknown` and made-up names are no address.
fn node(text: &str) -> Option<IpAddr> {
    let socket = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(bracketed).or_else(socket)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn found(told: ClientAddress, lines: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::new(());
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            let value = value.parse().expect("a value");
            request.headers_mut().append(name, value);
        }
        let (parts, ()) = request.into_parts();
        told.of(Head::from(&parts))
            .map(|address| address.to_string())
    }

    #[test]
    fn the_outermost_trusted_proxy_is_believed() {
        for (lines, proxies, expected) in [
            (&["192.0.2.1"][..], 1, Some("192.0.2.1")),
            (&["evil, 192.0.2.1"], 1, Some("192.0.2.1")),
            (&["10.0.0.1, 192.0.2.1"], 1, Some("192.0.2.1")),
            (&["10.0.0.1, 192.0.2.1, 192.0.2.2"], 2, Some("192.0.2.1")),
            (&["10.0.0.1", "192.0.2.1"], 1, Some("192.0.2.1")),
            (&["10.0.0.1", "192.0.2.1"], 2, Some("10.0.0.1")),
            (&["192.0.2.1:4711"], 1, Some("192.0.2.1")),
            (&["2001:db8::1"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]:80"], 1, Some("2001:db8::1")),
            (&["192.0.2.1"], 2, None),
            (&[], 1, None),
            (&[""], 1, None),
            (&["192.0.2.1,"], 1, None),
            (&["unknown"], 1, None),
            (&["192.0.2.256"], 1, None),
            (&["\"192.0.2.1\""], 1, None),
        ] {
            let lines: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            let found = found(ClientAddress::x_forwarded_for(proxies), &lines);
            assert_eq!(found.as_deref(), expected, "{lines:?} by {proxies}");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_grammar_says() {
        for (lines, proxies, expected) in [
            (
                &["for=192.0.2.60;proto=http;by=203.0.113.43"][..],
                1,
                Some("192.0.2.60"),
            ),
            (
                &["For=\"[2001:db8:cafe::17]:4711\""],
                1,
                Some("2001:db8:cafe::17"),
            ),
            (&["for=10.0.0.1, for=192.0.2.1"], 1, Some("192.0.2.1")),
            (&["for=10.0.0.1", "for=192.0.2.1"], 2, Some("10.0.0.1")),
            (&["for=\"192.0.2.\\1\""], 1, Some("192.0.2.1")),
            // A quote that the client left open must not swallow what the proxy added.
            (&["for=\"10.0.0.1, for=192.0.2.1"], 1, None),
            (&["for=\"x", "for=192.0.2.1"], 1, None),
            (&["for=\"10.0.0.1, for=\"192.0.2.1\""], 1, None),
            (&["for=192.0.2.1;for=10.0.0.1"], 1, None),
            (&["for=unknown"], 1, None),
            (&["for=_hidden"], 1, None),
            (&["by=192.0.2.1"], 1, None),
            (&["192.0.2.1"], 1, None),
            (&["for=192.0.2.1"], 2, None),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
            let found = found(ClientAddress::forwarded(proxies), &lines);
            assert_eq!(found.as_deref(), expected, "{lines:?} by {proxies}");
        }
    }

    #[test]
    fn what_clients_write_is_not_believed_unasked() {
        let lines = [
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1"),
        ];
        assert_eq!(found(ClientAddress::socket(), &lines), None);
        assert_eq!(found(ClientAddress::forwarded(1), &lines[..1]), None);
        assert_eq!(found(ClientAddress::x_forwarded_for(1), &lines[1..]), None);
    }
}
