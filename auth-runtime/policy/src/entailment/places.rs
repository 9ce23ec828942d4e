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

/// The address at which a block of a network begins, or behind which it has ended.
struct Border {
    address: u128,
    network: usize,
    begins: bool,
}

/// Returns the borders of all networks, of IPv4 and of IPv6.
fn borders(networks: &HashMap<&[IpNet], usize>) -> [Vec<Border>; 2] {
    let (mut four, mut six) = (Vec::new(), Vec::new());
    for (blocks, network) in networks {
        for block in *blocks {
            let (borders, first, last, greatest) = match (block.network(), block.broadcast()) {
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
            borders.push(Border {
                address: first,
                network: *network,
                begins: true,
            });
            if last < greatest {
                borders.push(Border {
                    address: last + 1,
                    network: *network,
                    begins: false,
                });
            }
        }
    }
    [four, six]
}

/// Adds the sets of networks between the borders. `count` is the number of networks.
fn add_sets(mut borders: Vec<Border>, count: usize, sets: &mut BTreeSet<Vec<usize>>) {
    borders.sort_unstable_by_key(|border| border.address);
    let mut inside: BTreeSet<usize> = BTreeSet::new();
    let mut depth = vec![0_isize; count];
    let mut borders = borders.iter().peekable();
    if borders.peek().is_none_or(|border| border.address > 0) {
        sets.insert(Vec::new());
    }
    while let Some(border) = borders.next() {
        if let Some(depth) = depth.get_mut(border.network) {
            *depth += if border.begins { 1 } else { -1 };
            if *depth > 0 {
                inside.insert(border.network);
            } else {
                inside.remove(&border.network);
            }
        }
        if borders
            .peek()
            .is_none_or(|next| next.address != border.address)
        {
            sets.insert(inside.iter().copied().collect());
        }
    }
}

impl<'r> Places<'r> {
    pub(super) fn of(networks: &[&'r Network]) -> Self {
        let mut index = HashMap::new();
        for network in networks {
            let next = index.len();
            index.entry(network.blocks()).or_insert(next);
        }
        let mut sets = BTreeSet::new();
        for borders in borders(&index) {
            add_sets(borders, index.len(), &mut sets);
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
