//! Networks and their addresses.

use auth_runtime_policy::{IpNet, Network};

fn network(name: &str, blocks: &[&str]) -> Network {
    let blocks = blocks.iter().map(|block| block.parse().expect("a block"));
    Network::owned(name, blocks.collect())
}

#[test]
fn network_has_its_name_and_blocks() {
    let office = network("office", &["192.0.2.0/24", "2001:db8::/32"]);
    assert_eq!(office.name(), "office");
    let blocks: Vec<String> = office.blocks().iter().map(IpNet::to_string).collect();
    assert_eq!(blocks, ["192.0.2.0/24", "2001:db8::/32"]);
}

#[test]
fn address_is_in_one_of_blocks() {
    let office = network(
        "office",
        &[
            "192.0.2.0/24",
            "2001:db8::/32",
            "198.51.100.0/24",
            "2001:dba::/32",
        ],
    );
    for (address, expected) in [
        ("198.51.100.7", true),
        ("2001:dba::1", true),
        ("192.0.2.0", true),
        ("192.0.2.255", true),
        ("192.0.3.0", false),
        ("2001:db8::1", true),
        ("2001:db9::1", false),
        ("::ffff:192.0.2.7", true),
        ("::ffff:192.0.3.7", false),
    ] {
        let address = address.parse().expect("an address");
        assert_eq!(office.contains(address), expected, "{address}");
    }
    assert!(!network("nothing", &[]).contains("192.0.2.0".parse().expect("an address")));
}

#[test]
fn disjoint_networks_have_no_common_address() {
    for (one, other, expected) in [
        (&["10.0.0.0/8"][..], &["192.0.2.0/24"][..], true),
        (&["10.0.0.0/8"], &["10.1.0.0/16"], false),
        (&["10.1.0.0/16"], &["10.0.0.0/8"], false),
        (&["10.0.0.0/8"], &["10.0.0.0/8"], false),
        (&["10.0.0.0/8"], &["192.0.2.0/24", "10.1.0.0/16"], false),
        (&["192.0.2.0/24", "10.0.0.0/8"], &["10.1.0.0/16"], false),
        (&["10.0.0.0/8"], &["2001:db8::/32"], true),
        (&[], &["10.0.0.0/8"], true),
    ] {
        let [a, b] = [one, other].map(|blocks| network("named", blocks));
        assert_eq!(a.is_disjoint(&b), expected, "{one:?} and {other:?}");
        assert_eq!(b.is_disjoint(&a), expected, "{other:?} and {one:?}");
    }
}
