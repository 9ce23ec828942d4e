//! Networks that a policy can require requests to come from.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;

/// A network: a name and its address blocks.
///
/// `#[requires(network = "…")]` constructs it at compile time, with the name in the attribute.
///
/// ```
/// # mod auth_runtime { pub mod policy { pub use auth_runtime_policy::*; } }
/// use auth_runtime::policy::Network;
///
/// let office = Network::owned("192.0.2.0/24", vec!["192.0.2.0/24".parse()?]);
/// assert!(office.contains([192, 0, 2, 7].into()));
/// // The IPv4-mapped form, which a dual-stack socket reports.
/// assert!(office.contains("::ffff:192.0.2.7".parse()?));
/// assert!(!office.contains([192, 0, 3, 7].into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    name: Cow<'static, str>,
    blocks: Cow<'static, [IpNet]>,
}

impl Network {
    /// Creates the network `name` from `blocks`.
    pub const fn new(name: &'static str, blocks: &'static [IpNet]) -> Self {
        Self {
            name: Cow::Borrowed(name),
            blocks: Cow::Borrowed(blocks),
        }
    }

    /// Creates the network `name` from `blocks` that are known only at run time.
    pub fn owned(name: impl Into<String>, blocks: Vec<IpNet>) -> Self {
        Self {
            name: Cow::Owned(name.into()),
            blocks: Cow::Owned(blocks),
        }
    }

    /// The name of the network, or its only block as text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The blocks.
    pub fn blocks(&self) -> &[IpNet] {
        &self.blocks
    }

    /// Returns whether no address is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let mut own = self.blocks.iter();
        own.all(|own| {
            let mut others = other.blocks.iter();
            others.all(|block| !block.contains(own) && !own.contains(block))
        })
    }

    /// Returns whether one of the blocks contains `address`. An IPv4-mapped IPv6 address (RFC 4291
    /// §2.5.5.2) counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.blocks.iter().any(|block| block.contains(&address))
    }
}
