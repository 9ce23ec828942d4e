//! The reverse proxies in front of a service, by their addresses.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};

/// The addresses of the trusted proxies. The service accepts their forwarding fields only from
/// these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Creates the list.
    ///
    /// # Errors
    ///
    /// [`TrustedProxiesError`] if it is empty, or if a network contains every address.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Result<Self, TrustedProxiesError> {
        let mut addresses = Vec::new();
        for network in networks {
            let canonical = canonical(network);
            if canonical.prefix_len() == 0 {
                return Err(TrustedProxiesError::EveryAddress(network));
            }
            addresses.push(canonical);
        }
        if addresses.is_empty() {
            return Err(TrustedProxiesError::NoProxy);
        }
        Ok(Self(addresses.into()))
    }

    /// Returns whether one of the networks contains `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The IPv4 network that an IPv4-mapped one stands for (RFC 4291 §2.5.5.2), as addresses are
/// compared in that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else {
        return network;
    };
    let address = mapped.addr().to_ipv4_mapped();
    let prefix = mapped.prefix_len().checked_sub(96);
    match address.zip(prefix).map(|(at, len)| Ipv4Net::new(at, len)) {
        Some(Ok(network)) => network.into(),
        _ => network,
    }
}

/// The reason for rejecting a list of trusted proxies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// The list is empty.
    NoProxy,
    /// This network contains every address, so that every client would count as a proxy.
    EveryAddress(IpNet),
}

impl fmt::Display for TrustedProxiesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProxy => f.write_str(
                "a field of a proxy is configured, and no proxy is trusted; give the addresses \
                 of the proxies, or use the connection itself",
            ),
            Self::EveryAddress(network) => write!(
                f,
                "{network} contains every address, so every client would count as a proxy; give \
                 the addresses of the proxies",
            ),
        }
    }
}

impl std::error::Error for TrustedProxiesError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_count_as_ipv4() {
        let proxies = ["::ffff:10.0.0.0/104", "192.0.2.7/32", "2001:db8::/64"];
        let proxies = proxies.map(|network| network.parse().expect("a network"));
        let proxies = TrustedProxies::new(proxies).expect("in order");
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("::ffff:192.0.2.7", true),
            ("2001:db8::1", true),
            ("11.0.0.1", false),
            ("::ffff:192.0.2.8", false),
            ("2001:db8:0:1::1", false),
            ("::10.1.2.3", false),
        ] {
            let parsed = address.parse().expect("an address");
            assert_eq!(proxies.contains(parsed), expected, "{address}");
        }
    }

    #[test]
    fn empty_and_universal_lists_are_refused() {
        assert_eq!(TrustedProxies::new([]), Err(TrustedProxiesError::NoProxy));
        for everywhere in ["0.0.0.0/0", "::/0", "::ffff:0:0/96"] {
            let network: IpNet = everywhere.parse().expect("a network");
            let narrow = "10.0.0.7/32".parse().expect("a network");
            let error = TrustedProxies::new([narrow, network]);
            assert_eq!(error, Err(TrustedProxiesError::EveryAddress(network)));
        }
    }
}
