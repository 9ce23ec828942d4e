//! The address that a request comes from.

mod forwarded_field;
pub(crate) mod trusted_proxies;

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use self::forwarded_field::ForwardedField;
use crate::client_address::trusted_proxies::{TrustedProxies, TrustedProxiesError};
use crate::head::Head;

/// The source of client addresses, for `network` requirements and for limits per client.
///
/// ```
/// use auth_runtime::{ClientAddress, ProtectionSpace};
///
/// // Behind a reverse proxy at 192.0.2.7 that adds `X-Forwarded-For`.
/// let address = ClientAddress::x_forwarded_for(["192.0.2.7/32".parse()?])?;
/// let builder = ProtectionSpace::builder().client_address(address);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The default is the [socket](Self::socket). Any client can write the fields that proxies write, so
/// a field counts only if the peer is a configured proxy, by its address. The addresses of the
/// field are read from the right, as far as they are those of configured proxies. The first other
/// one is the client's; everything to its left was written by the client.
///
/// | request | [`Client`] |
/// |---|---|
/// | the server names no peer | `Unknown` |
/// | the peer is not a configured proxy | `Address`: that of the peer; the field is ignored |
/// | the field is missing, or contains configured proxies only | `BehindProxy` |
/// | the field of [`from_field`](Self::from_field) has one address | `Address`: that address, also if it is that of a proxy |
/// | the field has more than 8 KiB, or cannot be read as far as it counts | `BehindProxy` |
/// | otherwise | `Address`: the rightmost address of the field that is not a configured proxy |
///
/// A field cannot be read if an element that counts is `unknown` or an obfuscated identifier (`_hidden`),
/// or, in `X-Forwarded-For`, empty. Ports (obfuscated ones too), brackets and the zones of IPv6 addresses are left
/// out, and an IPv4-mapped IPv6 address is the IPv4 address. A request without an address is in no
/// network.
///
/// Name the addresses of the proxies alone, not the network that they share with clients: a client
/// in it counts as a further proxy. Each proxy has to add the address of its own peer to the
/// configured field, or to set the field. With a proxy that forwards the field unchanged, clients can
/// choose an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientAddress(AddressSource);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum AddressSource {
    #[default]
    Socket,
    Proxies {
        field: ForwardedField,
        proxies: TrustedProxies,
    },
}

/// The client that sent a request, as [`ClientAddress`] finds it: for limits that count by client.
///
/// ```
/// use auth_runtime::schemes::Client;
/// use auth_runtime::ClientAddress;
/// use http::HeaderMap;
///
/// let proxied = ClientAddress::x_forwarded_for(["192.0.2.7/32".parse()?])?;
/// let peer = "192.0.2.7:4711".parse()?;
/// let mut headers = HeaderMap::new();
/// assert_eq!(proxied.of(Some(peer), &headers), Client::BehindProxy);
///
/// headers.insert("x-forwarded-for", "203.0.113.9".parse()?);
/// let client = proxied.of(Some(peer), &headers);
/// assert_eq!(client.address(), Some("203.0.113.9".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Client {
    /// The client with this address.
    Address(IpAddr),
    /// A client behind a configured proxy. The field of the proxy names no address that can be read.
    /// Clients can make the field unreadable, so all of them count as one client.
    BehindProxy,
    /// The server does not name the peer, so clients cannot be distinguished.
    Unknown,
}

impl Client {
    /// The address of the client, if it is known.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::BehindProxy | Self::Unknown => None,
        }
    }
}

impl ClientAddress {
    /// Uses the address of the peer, for services that clients reach directly.
    ///
    /// It is taken from the request's extensions: from axum's `ConnectInfo<SocketAddr>`, which
    /// `into_make_service_with_connect_info::<SocketAddr>()` inserts, or else from a [`SocketAddr`].
    /// Without either, `network` requirements are not met, and the cause is logged.
    pub const fn socket() -> Self {
        Self(AddressSource::Socket)
    }

    /// The address that proxies with these addresses write into `Forwarded` (RFC 7239).
    ///
    /// # Errors
    ///
    /// No proxy at all, or a network that contains every address.
    pub fn forwarded(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxies(ForwardedField::Forwarded, proxies)
    }

    /// The address that proxies with these addresses write into `X-Forwarded-For`.
    ///
    /// # Errors
    ///
    /// As for [`forwarded`](Self::forwarded).
    pub fn x_forwarded_for(
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxies(ForwardedField::XForwardedFor, proxies)
    }

    /// The address that proxies with these addresses set as the only value of a field, such as `X-Real-IP`
    /// or `CF-Connecting-IP`. The proxy has to replace the field of the client; a field with two lines
    /// cannot be read.
    ///
    /// ```
    /// use auth_runtime::ClientAddress;
    /// use http::HeaderName;
    ///
    /// let field = HeaderName::from_static("x-real-ip");
    /// let address = ClientAddress::from_field(field, ["192.0.2.7/32".parse()?])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`forwarded`](Self::forwarded).
    pub fn from_field(
        field: HeaderName,
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::from_proxies(ForwardedField::Single(field), proxies)
    }

    fn from_proxies(
        field: ForwardedField,
        proxies: impl IntoIterator<Item = IpNet>,
    ) -> Result<Self, TrustedProxiesError> {
        let proxies = TrustedProxies::new(proxies)?;
        Ok(Self(AddressSource::Proxies { field, proxies }))
    }

    /// The client that sent a request with these header fields over a connection from `peer`, which is
    /// `None` if the server does not name it.
    ///
    /// For handlers and layers that count by client, such as a form to log in on; see
    /// `PasswordHashes::authenticate`.
    pub fn of(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Client {
        let Some(peer) = peer else {
            return Client::Unknown;
        };
        let peer = peer.ip().to_canonical();
        match &self.0 {
            AddressSource::Proxies { field, proxies } if proxies.contains(peer) => {
                let Some(address) = field.client(headers, proxies) else {
                    tracing::debug!(
                        "the field `{}` of the proxy {peer} has no address of a client",
                        field.name(),
                    );
                    return Client::BehindProxy;
                };
                Client::Address(address)
            }
            AddressSource::Socket | AddressSource::Proxies { .. } => Client::Address(peer),
        }
    }

    pub(crate) fn find(&self, head: Head<'_>) -> Client {
        self.of(head.peer(), head.headers)
    }

    /// The same for a `network` requirement, which no request meets if the server names no peer.
    pub(crate) fn find_for_network(&self, head: Head<'_>) -> Option<IpAddr> {
        if head.peer().is_none() {
            tracing::error!(
                "a network is required, and the server does not provide the address of the peer: \
                 serve with `into_make_service_with_connect_info::<SocketAddr>()`"
            );
        }
        self.find(head).address()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        let networks = texts.iter().map(|text| text.parse().expect("a network"));
        networks.collect()
    }

    /// Trusted in the tests below: two proxies, and a network of them.
    const PROXIES: [&str; 3] = ["192.0.2.7/32", "2001:db8::7/128", "198.18.0.0/15"];

    fn x_forwarded_for() -> ClientAddress {
        ClientAddress::x_forwarded_for(networks(&PROXIES)).expect("in order")
    }

    fn forwarded() -> ClientAddress {
        ClientAddress::forwarded(networks(&PROXIES)).expect("in order")
    }

    fn found(
        address: &ClientAddress,
        peer: Option<&str>,
        name: &str,
        lines: &[&str],
    ) -> Option<String> {
        let mut request = Request::new(());
        if let Some(peer) = peer {
            let peer: SocketAddr = peer.parse().expect("a socket address");
            request.extensions_mut().insert(peer);
        }
        for line in lines {
            let name: HeaderName = name.parse().expect("a name");
            let value = http::HeaderValue::from_bytes(line.as_bytes()).expect("a value");
            request.headers_mut().append(name, value);
        }
        let (parts, ()) = request.into_parts();
        let client = address.find(Head::from(&parts));
        client.address().map(|address| address.to_string())
    }

    const PEER: Option<&str> = Some("192.0.2.7:4711");

    #[test]
    fn field_counts_only_from_configured_proxy() {
        for (peer, expected) in [
            (PEER, Some("10.0.0.1")),
            (Some("[::ffff:192.0.2.7]:1"), Some("10.0.0.1")),
            (Some("[2001:db8::7]:1"), Some("10.0.0.1")),
            (Some("198.19.255.255:1"), Some("10.0.0.1")),
            (Some("203.0.113.9:1"), Some("203.0.113.9")),
            (Some("[::ffff:203.0.113.9]:1"), Some("203.0.113.9")),
            (Some("[2001:db8::8]:1"), Some("2001:db8::8")),
            (Some("127.0.0.1:1"), Some("127.0.0.1")),
            (None, None),
        ] {
            let found_in =
                |address: &ClientAddress, name, line| found(address, peer, name, &[line]);
            let by_x = found_in(&x_forwarded_for(), "x-forwarded-for", "10.0.0.1");
            assert_eq!(by_x.as_deref(), expected, "{peer:?}");
            let by_standard = found_in(&forwarded(), "forwarded", "for=10.0.0.1");
            assert_eq!(by_standard.as_deref(), expected, "{peer:?}");
        }
    }

    #[test]
    fn only_the_configured_field_counts() {
        let found = |address: &ClientAddress, name, line| found(address, PEER, name, &[line]);
        assert_eq!(found(&x_forwarded_for(), "forwarded", "for=10.0.0.1"), None);
        assert_eq!(found(&forwarded(), "x-forwarded-for", "10.0.0.1"), None);
        let socket = ClientAddress::socket();
        for (name, line) in [
            ("forwarded", "for=10.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
        ] {
            assert_eq!(found(&socket, name, line).as_deref(), Some("192.0.2.7"));
        }
    }

    #[test]
    fn x_forwarded_for_reads_from_right() {
        let many = format!("203.0.113.9, {}198.18.0.1", "198.18.0.2, ".repeat(600));
        // 8 KiB, with spaces in front of an element.
        let (fitting, long) = (format!("{many:>8192}"), format!("{many:>8193}"));
        for (lines, expected) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["10.0.0.1, 203.0.113.9"], Some("203.0.113.9")),
            (&["10.0.0.1, 203.0.113.9, 198.18.0.1"], Some("203.0.113.9")),
            (
                &["10.0.0.1,203.0.113.9,198.18.0.1 , 2001:db8::7"],
                Some("203.0.113.9"),
            ),
            (&["203.0.113.9, ::ffff:198.18.0.1"], Some("203.0.113.9")),
            // A proxy's address to the left of the client's was written by the client.
            (&["198.18.0.1, 203.0.113.9"], Some("203.0.113.9")),
            (&["10.0.0.1", "203.0.113.9"], Some("203.0.113.9")),
            (
                &["10.0.0.1, 203.0.113.9", "198.18.0.1"],
                Some("203.0.113.9"),
            ),
            (&["203.0.113.9", "10.0.0.1, 198.18.0.1"], Some("10.0.0.1")),
            (&["203.0.113.9:4711"], Some("203.0.113.9")),
            (&["203.0.113.9, 198.18.0.1:4711"], Some("203.0.113.9")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["[2001:db8::1]"], Some("2001:db8::1")),
            (&["[2001:db8::1]:80"], Some("2001:db8::1")),
            (&["::ffff:203.0.113.9"], Some("203.0.113.9")),
            // Not reached, so not read.
            (&["unknown, 203.0.113.9"], Some("203.0.113.9")),
            (&["\u{fc}", "203.0.113.9"], Some("203.0.113.9")),
            (&["\u{fc}, 203.0.113.9"], Some("203.0.113.9")),
            (&["\u{fc}, 203.0.113.9, 198.18.0.1"], Some("203.0.113.9")),
            (&["203.0.113.9, \u{fc}"], None),
            (&["203.0.113.9\u{a0}"], None),
            (&["10.0.0.1\u{ff0c}203.0.113.9"], None),
            (&[fitting.as_str()], Some("203.0.113.9")),
            (&[long.as_str()], None),
            (&[], None),
            (&[""], None),
            (&["198.18.0.1"], None),
            (&["198.18.0.1", "198.18.0.2, 192.0.2.7"], None),
            (&["203.0.113.9,"], None),
            (&["203.0.113.9,, 198.18.0.1"], None),
            (&["203.0.113.9", ""], None),
            (&["unknown"], None),
            (&["203.0.113.9, unknown"], None),
            (&["203.0.113.9, unknown, 198.18.0.1"], None),
            (&["_hidden"], None),
            (&["203.0.113.256"], None),
            (&["010.0.0.1"], None),
            (&["203.0.113.9:_port"], Some("203.0.113.9")),
            (&["203.0.113.9:_"], None),
            (&["203.0.113.9:_a b"], None),
            (&["203.0.113.9:65536"], None),
            (&["\"203.0.113.9\""], None),
            (&["[203.0.113.9]"], None),
            (&["[2001:db8::1"], None),
            (&["fe80::1%eth0"], Some("fe80::1")),
            (&["[fe80::1%1]:80"], Some("fe80::1")),
            (&["203.0.113.9%eth0"], None),
            (&["203.0.113.9\u{fc}"], None),
            (&["203.0.113.9 10.0.0.1"], None),
        ] {
            let found = found(&x_forwarded_for(), PEER, "x-forwarded-for", lines);
            assert_eq!(found.as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn single_field_has_one_address() {
        let name = HeaderName::from_static("cf-connecting-ip");
        let address = ClientAddress::from_field(name, networks(&PROXIES)).expect("in order");
        for (lines, expected) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["203.0.113.9", "203.0.113.9"], None),
            (&["203.0.113.9, 198.18.0.1"], None),
            (&["unknown"], None),
            (&[""], None),
            (&[], None),
        ] {
            let found = found(&address, PEER, "cf-connecting-ip", lines);
            assert_eq!(found.as_deref(), expected, "{lines:?}");
        }
        let stranger = Some("203.0.113.50:1");
        let found = found(&address, stranger, "cf-connecting-ip", &["10.0.0.1"]);
        assert_eq!(found.as_deref(), Some("203.0.113.50"));
    }

    #[test]
    fn forwarded_is_read_from_the_right() {
        for (lines, expected) in [
            (
                &["for=203.0.113.9;proto=http;by=203.0.113.43"][..],
                Some("203.0.113.9"),
            ),
            (
                &["For=\"[2001:db8:cafe::17]:4711\""],
                Some("2001:db8:cafe::17"),
            ),
            (&["for=10.0.0.1, for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=10.0.0.1", "for=203.0.113.9"], Some("203.0.113.9")),
            (
                &["for=10.0.0.1, for=203.0.113.9", "for=198.18.0.1"],
                Some("203.0.113.9"),
            ),
            (
                &["for=203.0.113.9, for=\"[2001:db8::7]\""],
                Some("203.0.113.9"),
            ),
            (
                &["for=203.0.113.9, for=\"[::ffff:198.18.0.1]:80\""],
                Some("203.0.113.9"),
            ),
            (&["for=\"203.0.113.\\9\""], Some("203.0.113.9")),
            // A backslash is an escape within quotes only, and may be escaped itself.
            (&["for=\"a\\\\\", for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=a\\\", for=203.0.113.9"], None),
            // A quote within quotes is escaped, also in a zone.
            (&["for=\"[fe80::1%\"x\"]\""], None),
            (&["for=\"203.0.113.9:80\""], Some("203.0.113.9")),
            (&["for=unknown, for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=\u{fc}, for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=203.0.113.9;by=\"\u{fc}\""], Some("203.0.113.9")),
            (&["for=203.0.113.9\u{a0}"], None),
            // An open quote of the client's does not hide the element that a proxy adds.
            (&["for=\"10.0.0.1, for=203.0.113.9"], None),
            (&["for=\"10.0.0.1, for=\"203.0.113.9\""], None),
            (&["for=\"10.0.0.1\\\", for=\"[2001:db8::1]\""], None),
            (
                &["for=10.0.0.1;by=\", for=203.0.113.9", "for=198.18.0.1"],
                None,
            ),
            (&["for=203.0.113.9;for=10.0.0.1"], None),
            (&["for=unknown"], None),
            (&["for=_hidden"], None),
            (&["for=\"203.0.113.9:_port\""], Some("203.0.113.9")),
            (&["for=\"[2001:db8::1]:_port\""], Some("2001:db8::1")),
            (&["for=\"2001:db8::1\""], None),
            (&["for=\"2001:db8::1:80\""], None),
            (&["for=\"[fe80::1%251]:80\""], Some("fe80::1")),
            (&["for=203.0.113.9, for=unknown"], None),
            (&["for=203.0.113.9, by=198.18.0.1"], None),
            (&["by=203.0.113.9"], None),
            (&["203.0.113.9"], None),
            (&["for=198.18.0.1"], None),
            (&["for="], None),
            // Empty pairs (RFC 7239 §4) and empty elements of a list (RFC 9110 §5.6.1.2).
            (&["for=203.0.113.9;"], Some("203.0.113.9")),
            (&[";for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=203.0.113.9; ;proto=https"], Some("203.0.113.9")),
            (&["for=203.0.113.9, , for=198.18.0.1"], Some("203.0.113.9")),
            (&["for=203.0.113.9,,"], Some("203.0.113.9")),
            (&["for=203.0.113.9", ""], Some("203.0.113.9")),
            (&[",for=unknown, for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=203.0.113.9, ;"], None),
            (&[","], None),
            (&[";"], None),
            (&[""], None),
            (&[], None),
        ] {
            let found = found(&forwarded(), PEER, "forwarded", lines);
            assert_eq!(found.as_deref(), expected, "{lines:?}");
        }
    }
}
