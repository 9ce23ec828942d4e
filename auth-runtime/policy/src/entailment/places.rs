//! The addresses that networks distinguish.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::Network;

/// The sets of networks that some address lies in.
pub(super) struct Places<'r> {
    pub(super) networks: HashMap<&'r [IpNet], usize>,
    /// The networks of each place.
    pub(super) sets: Vec<Vec<usize>>,
    /// The places in each network.
    pub(super) within: Vec<Vec<usize>>,
    /// The places that decide for callers at an unrestricted address.
    pub(super) anywhere: Vec<usize>,
}

impl<'r> Places<'r> {
    pub(super) fn of(networks: &[&'r Network]) -> Self {
        let mut index = HashMap::new();
        for network in networks {
            let next = index.len();
            index.entry(network.blocks()).or_insert(next);
        }
        // The addresses at which networks begin and end, of IPv4 and of IPv6.
        let (mut four, mut six) = (Vec::new(), Vec::new());
        for (blocks, network) in &index {
            for block in *blocks {
                let (ends, first, last, greatest) = match (block.network(), block.broadcast()) {
                    (IpAddr::V4(first), IpAddr::V4(last)) => (
                        &mut four,
                        u128::from(u32::from(first)),
                        u128::from(u32::from(last)),
                        u128::from(u32::MAX),
                    ),
                    (IpAddr::V6(first), IpAddr::V6(last)) => {
                        (&mut six, u128::from(first), u128::from(last), u128::MAX)
                    }
                    _ => continue,
                };
                ends.push((first, *network, true));
                if last < greatest {
                    ends.push((last + 1, *network, false));
                }
            }
        }
        let mut sets = BTreeSet::new();
        for mut ends in [four, six] {
            ends.sort_unstable();
            let mut inside: BTreeSet<usize> = BTreeSet::new();
            let mut depth = vec![0_usize; index.len()];
            let mut ends = ends.iter().peekable();
            if ends.peek().is_none_or(|(address, ..)| *address > 0) {
                sets.insert(Vec::new());
            }
            while let Some((address, network, begins)) = ends.next() {
                if let Some(depth) = depth.get_mut(*network) {
                    *depth = if *begins {
                        *depth + 1
                    } else {
                        depth.saturating_sub(1)
                    };
                    if *depth == 0 {
                        inside.remove(network);
                    } else {
                        inside.insert(*network);
                    }
                }
                if ends.peek().is_none_or(|(next, ..)| next != address) {
                    sets.insert(inside.iter().copied().collect());
                }
            }
        }
        let sets: Vec<Vec<usize>> = sets.into_iter().collect();
        let mut within = vec![Vec::new(); index.len()];
        for (place, networks) in sets.iter().enumerate() {
            for network in networks {
                if let Some(places) = within.get_mut(*network) {
                    places.push(place);
                }
            }
        }
        // A requirement that is met outside all networks is also met within them. The sets are
        // sorted, so the empty set comes first.
        let anywhere = match sets.first() {
            Some(first) if first.is_empty() => vec![0],
            _ => (0..sets.len()).collect(),
        };
        Self {
            networks: index,
            sets,
            within,
            anywhere,
        }
    }

    /// Returns the places that lie in all of these networks.
    pub(super) fn in_all(&self, networks: &[usize]) -> Vec<usize> {
        let within = |network: &usize| self.within.get(*network).map_or(&[][..], Vec::as_slice);
        let Some(fewest) = networks
            .iter()
            .map(within)
            .min_by_key(|places| places.len())
        else {
            return self.anywhere.clone();
        };
        let lies_in_all = |place: &&usize| {
            let set = self.sets.get(**place);
            set.is_some_and(|set| {
                networks
                    .iter()
                    .all(|network| set.binary_search(network).is_ok())
            })
        };
        fewest.iter().filter(lies_in_all).copied().collect()
    }
}
