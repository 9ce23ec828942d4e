//! `X-Forwarded-For`, compared with nginx's `realip` and `real_ip_recursive on`.
//!
//! Where every address is that of a trusted proxy, or one cannot be read, nginx falls back to the last proxy that it
//! found. This counts as a rejection here, since that is not the address of a client.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use auth_runtime::ClientAddress;
use auth_runtime::policy::IpNet;
use auth_tests::programs::install;
use axum::http::{HeaderMap, HeaderValue};

use crate::known::{Known, Seen, compare};
use crate::server::{Server, free_address, get};
use auth_tests::random::Random;

const SEED: u64 = 7_239;
const LISTS: usize = 1_500;

const PROXIES: [&str; 4] = [
    "127.0.0.1/32",
    "198.18.0.0/15",
    "2001:db8::7/128",
    "192.0.2.7/32",
];

/// Addresses that both read alike.
const PLAIN: &[&str] = &[
    "198.18.0.1",
    "198.19.255.255",
    "192.0.2.7",
    "2001:db8::7",
    "2001:DB8:0:0:0:0:0:7",
    "::ffff:198.18.0.1",
    "198.18.0.1:4711",
    "203.0.113.9",
    "10.0.0.1",
    "2001:db8::1",
    "::ffff:203.0.113.9",
    "::ffff:cb00:7109",
    "2001:DB8::A",
    "::",
    "0.0.0.0",
    "203.0.113.9:4711",
    "[2001:db8::1]:80",
];

/// Kinds of elements that are not plain addresses.
const ODD: &[(&str, &str)] = &[
    ("the broadcast address", "255.255.255.255"),
    ("brackets without a port", "[2001:db8::1]"),
    ("unknown", "unknown"),
    ("an obfuscated identifier", "_hidden"),
    ("a host name", "proxy.example"),
    ("an empty element", ""),
    ("an octet too large", "203.0.113.256"),
    ("an octet with a zero in front", "203.0.113.09"),
    ("three octets", "203.0.113"),
    ("five octets", "203.0.113.9.1"),
    ("a hexadecimal octet", "0xcb.0.113.9"),
    ("a number", "3405803785"),
    ("an obfuscated port", "203.0.113.9:_port"),
    ("a port too large", "203.0.113.9:65536"),
    ("port zero", "203.0.113.9:0"),
    ("an empty port", "203.0.113.9:"),
    ("a port that is not a number", "203.0.113.9:http"),
    ("quotes", "\"203.0.113.9\""),
    ("brackets around IPv4", "[203.0.113.9]"),
    ("a bracket that is not closed", "[2001:db8::1"),
    ("a zone", "fe80::1%eth0"),
    ("a zone in brackets", "[fe80::1%1]:80"),
    ("a zone of IPv4", "203.0.113.9%eth0"),
    ("a space between two addresses", "203.0.113.9 10.0.0.1"),
    ("a semicolon", "203.0.113.9;10.0.0.1"),
    ("a prefix", "203.0.113.9/32"),
    ("two double colons", "2001::db8::1"),
    ("nine groups", "1:2:3:4:5:6:7:8:9"),
    ("five digits in a group", "2001:0db88::1"),
    ("IPv4 within IPv6", "2001:db8::203.0.113.9"),
    ("for=", "for=203.0.113.9"),
    ("a letter of another script", "203.0.113.\u{663}"),
    ("a unix socket", "unix:"),
];

const DISAGREEMENTS: &[Known<2>] = &[
    Known {
        accepted: [true, false],
        reason: "RFC 7239 §6: an IPv6 address may have brackets without a port, and a port may be any number, or \
                 an obfuscated one (§6.3). RFC 4007 §11: a zone belongs to an address of this host only. RFC 919 \
                 §7: the broadcast address is an address, which nginx uses for its errors",
        kinds: &[
            "the broadcast address",
            "brackets without a port",
            "port zero",
            "an obfuscated port",
            "a zone",
            "a zone in brackets",
        ],
    },
    Known {
        accepted: [true, false],
        reason: "RFC 9110 §5.6.1: a comma separates, also at the start of a line, where nginx does not look for it",
        kinds: &["an empty element"],
    },
    Known {
        accepted: [false, true],
        reason: "No RFC defines X-Forwarded-For. An element that counts and is empty hides an address that a proxy \
                 did not know, so the element to its left may be the client's own",
        kinds: &["an empty element"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 3986 §3.2.2: an octet has no zero in front, since some programs read it as octal (RFC 6943 \
                 §3.1.1)",
        kinds: &["an octet with a zero in front"],
    },
    Known {
        accepted: [false, true],
        reason: "RFC 9110 §5.6.1: commas separate the elements of a list, and spaces do not",
        kinds: &["a space between two addresses"],
    },
];

/// A random list of addresses with at most one odd element, on one or two lines.
fn list(random: &mut Random) -> (&'static str, Vec<String>) {
    let mut elements: Vec<&str> = (0..random.below(5)).map(|_| *random.pick(PLAIN)).collect();
    let mut kind = "plain";
    if random.below(3) > 0 {
        let odd = random.pick(ODD);
        kind = odd.0;
        elements.insert(random.below(elements.len() + 1), odd.1);
    }
    let separator = random.pick(&[", ", ",", " , "]);
    let lines = match random.below(4) {
        0 if elements.len() > 1 => {
            let (first, second) = elements.split_at(1 + random.below(elements.len() - 1));
            vec![first.join(separator), second.join(separator)]
        }
        _ => vec![elements.join(separator)],
    };
    (kind, lines)
}

#[test]
fn nginx_finds_the_same_client() {
    install("nginx", "nginx");
    let proxies = PROXIES.map(|network| network.parse::<IpNet>().expect("a network"));
    let own = ClientAddress::x_forwarded_for(proxies).expect("in order");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display();
    let address = free_address();
    let trusted: String = PROXIES
        .map(|network| format!("set_real_ip_from {network};\n"))
        .concat();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary
        .map(|name| format!("{name}_temp_path {path}/{name};\n"))
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid {path}/pid; error_log stderr crit; events {{}}\n\
         http {{ access_log off; {temporary}{trusted}\
         real_ip_header X-Forwarded-For; real_ip_recursive on;\n\
         server {{ listen {address}; location / {{ return 200 $remote_addr; }} }} }}\n"
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration).expect("a file");
    let mut nginx = Command::new("nginx");
    nginx
        .args(["-e", "stderr", "-p"])
        .arg(folder.path())
        .arg("-c")
        .arg(&file);
    let nginx = Server::start(&mut nginx, address);

    let is_proxy = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let peer: SocketAddr = "127.0.0.1:4711".parse().expect("an address");
    let mut random = Random::new(SEED);
    let seen: Vec<_> = (0..LISTS)
        .map(|_| {
            let (kind, lines) = list(&mut random);
            let mut headers = HeaderMap::new();
            for line in &lines {
                let value = HeaderValue::from_bytes(line.as_bytes()).expect("a value");
                headers.append("x-forwarded-for", value);
            }
            let fields: Vec<_> = lines
                .iter()
                .map(|line| ("X-Forwarded-For", line.as_bytes()))
                .collect();
            let found = get(nginx.address, "/", &fields).body;
            let found: IpAddr = found.parse().expect("an address");
            let found = Some(found.to_canonical()).filter(|address| !is_proxy(address));
            let own = own.of(Some(peer), &headers).address();
            Seen {
                kind: kind.to_owned(),
                input: format!("{lines:?}"),
                results: [own, found].map(|address| address.map(|address| address.to_string())),
            }
        })
        .collect();
    compare(&seen, ["this framework", "nginx"], DISAGREEMENTS);
}
