//! Networks that a policy can require requests to come from.

use std::net::IpAddr;

use ipnet::IpNet;

/// A network: a name and its address blocks.
///
/// `#[requires(network = "…")]` constructs it at compile time, with the name in the attribute.
///
/// ```
/// use auth_runtime_policy::{IpNet, Network};
///
/// static BLOCKS: [IpNet; 1] = [IpNet::V4(ipnet::Ipv4Net::new_assert(
///     std::net::Ipv4Addr::new(192, 0, 2, 0),
///     24,
/// ))];
/// let office = Network::new("192.0.2.0/24", &BLOCKS);
/// assert!(office.contains("192.0.2.7".parse()?));
/// // The IPv4-mapped form, which a dual-stack socket reports.
/// assert!(office.contains("::ffff:192.0.2.7".parse()?));
/// assert!(!office.contains("192.0.3.7".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    name: &'static str,
    blocks: &'static [IpNet],
}

impl Network {
    /// Creates the network `name` from `blocks`.
    pub const fn new(name: &'static str, blocks: &'static [IpNet]) -> Self {
        Self { name, blocks }
    }

    /// The name of the network, or its only block as text.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether each of its blocks lies in one of the other network's.
    pub fn is_within(&self, other: &Self) -> bool {
        let is_covered = |block: &IpNet| other.blocks.iter().any(|wider| wider.contains(block));
        self.blocks.iter().all(is_covered)
    }

    /// The blocks.
    pub const fn blocks(&self) -> &'static [IpNet] {
        self.blocks
    }

    /// Returns whether one of the blocks contains `address`. An IPv4-mapped IPv6 address (RFC 4291
    /// §2.5.5.2) counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.blocks.iter().any(|block| block.contains(&address))
    }
}
