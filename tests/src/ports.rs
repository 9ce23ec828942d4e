//! Ports for servers that do not choose one themselves, or that return to theirs.

#![allow(unreachable_pub, reason = "tests of other packages include this file")]

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The ports below those that systems give to connections (from 32 768 on Linux, else from 49 152, RFC 6335 §6): no
/// connection takes the port of a server that starts later.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Returns a port of loopback that nothing listens at, each time another one.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let random = RandomState::new().hash_one(0) % u64::from(COUNT);
        AtomicU16::new(random as u16)
    });
    let mut ports = (0..COUNT).map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
    let free = ports.find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    free.expect("loopback has a free port")
}
