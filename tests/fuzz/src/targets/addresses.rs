//! The address of a client behind proxies: `Forwarded` (RFC 7239), `X-Forwarded-For`, `X-Real-IP`.
//!
//! The lines of an input are those of the field.

use std::net::{IpAddr, SocketAddr};

use auth_runtime::ClientAddress;
use auth_runtime::policy::IpNet;
use auth_runtime::schemes::Client;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "addresses",
    cost: 1,
    dictionary: &[
        "192.0.2.7",
        "198.18.0.1",
        "203.0.113.9",
        "2001:db8::7",
        "[2001:db8::8]:4711",
        "::ffff:192.0.2.7",
        "[::ffff:203.0.113.9]",
        "for=",
        "For=\"",
        "for=unknown",
        "for=_hidden",
        ":_port",
        "%eth0",
        "%25eth0",
        ";by=203.0.113.43",
        ";proto=https",
        ";for=",
        "host=\"a,b\"",
        "\\\"",
        "unknown",
        ", ",
        ":80",
        ":65536",
        "[",
        "]",
    ],
    start,
};

/// The addresses of the proxies.
const PROXIES: [&str; 3] = ["192.0.2.7/32", "2001:db8::7/128", "198.18.0.0/15"];
/// The maximum length of a field that is read.
const MAX_FIELD: usize = 8 * 1024;

fn start() -> Check {
    let networks = PROXIES.map(|text| text.parse::<IpNet>().expect("a network"));
    let single = HeaderName::from_static("x-real-ip");
    let addresses = [
        ("forwarded", ClientAddress::forwarded(networks)),
        ("x-forwarded-for", ClientAddress::x_forwarded_for(networks)),
        ("x-real-ip", ClientAddress::from_field(single, networks)),
    ];
    let addresses =
        addresses.map(|(name, address)| (HeaderName::from_static(name), address.expect("proxies")));
    let proxy: SocketAddr = "192.0.2.7:4711".parse().expect("an address");
    let stranger: SocketAddr = "203.0.113.1:1".parse().expect("an address");
    let is_proxy = move |address: IpAddr| networks.iter().any(|net| net.contains(&address));
    Box::new(move |input| {
        let lines = input.split(|byte| *byte == b'\n').take(50);
        let lines: Vec<_> = lines
            .filter_map(|line| HeaderValue::from_bytes(line.trim_ascii()).ok())
            .collect();
        let found = addresses.each_ref().map(|(name, address)| {
            let of = |lines: &[&HeaderValue]| {
                let mut fields = HeaderMap::new();
                for line in lines {
                    fields.append(name, (*line).clone());
                }
                let from_stranger = address.of(Some(stranger), &fields);
                assert_eq!(from_stranger, Client::Address(stranger.ip()), "{fields:?}");
                assert_eq!(address.of(None, &fields), Client::Unknown);
                address.of(Some(proxy), &fields)
            };
            let own: Vec<_> = lines.iter().collect();
            let client = of(&own);
            let length: usize = lines.iter().map(HeaderValue::len).sum();
            assert_ne!(client, Client::Unknown);
            if length > MAX_FIELD && name != "x-real-ip" {
                assert_eq!(client, Client::BehindProxy);
            }
            let Some(found) = client.address() else {
                return 0;
            };
            assert_eq!(found, found.to_canonical(), "a mapped address");
            if name == "x-real-ip" {
                assert_eq!(lines.len(), 1);
                return 1;
            }
            assert!(!is_proxy(found), "{found}");
            // A client writes any lines to the left of those of the proxies, and a further proxy adds its
            // own to the right.
            let forged = match name.as_str() {
                "forwarded" => ["for=198.51.100.99", "for=\"", "for=\"198.18.0.1\", \\\""],
                _ => ["198.51.100.99", "\"", "198.18.0.1, ["],
            };
            let proxied = match name.as_str() {
                "forwarded" => HeaderValue::from_static("for=198.18.0.2;proto=http"),
                _ => HeaderValue::from_static("198.18.0.2"),
            };
            if length < MAX_FIELD - 100 {
                for forged in forged.map(HeaderValue::from_static) {
                    let with_more = [vec![&forged], own.clone()].concat();
                    assert_eq!(of(&with_more), client, "with {forged:?}");
                }
                let with_more = [own, vec![&proxied]].concat();
                assert_eq!(of(&with_more), client, "with {proxied:?}");
            }
            2 + u8::from(found.is_ipv6())
        });
        Outcome::of((found, lines.len().min(3)))
    })
}
