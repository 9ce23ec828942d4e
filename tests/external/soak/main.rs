//! A service under load while the servers that it depends on fail: the keys of the issuer, the introspection
//! endpoint, and Redis are slow, silent or gone at random, keys rotate, tokens expire, and clients reset
//! connections. An oracle knows the allowed responses to each request.
//!
//! Not part of `cargo test --workspace`, since it needs Redis and takes a minute:
//!
//! ```console
//! $ cargo test -p auth-tests --test soak -- --nocapture
//! $ SOAK_SECONDS=1800 SOAK_SEED=7 cargo test -p auth-tests --test soak -- --nocapture
//! ```
//!
//! The seed determines the faults and the requests, and the scheduler their order.

mod client;
mod faults;
mod issuer;
mod link;
mod load;
mod oracle;
#[path = "../redis/server.rs"]
#[expect(dead_code, reason = "the tests of Redis use more of it")]
mod server;
mod service;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::runtime::{Builder, Runtime};

use crate::faults::Faults;
use crate::oracle::World;
use crate::service::Service;

/// The growth of memory after the warm-up that fragmentation explains.
const GROWTH: usize = 32;
/// The tasks of the service that outlive its connections: one of the client of Redis, and one of each pool of
/// connections, to the keys and to the introspection endpoint.
const PERMANENT: usize = 3;
/// The time for which a service that is not used ends its tasks and recovers.
const REST: Duration = Duration::from_secs(20);

/// The result of a run.
struct Summary {
    seconds: u64,
    seed: u64,
    /// The number of responses by status.
    responses: BTreeMap<u16, usize>,
    /// The number of requests that their clients abandoned.
    abandoned: usize,
    /// The number of faults by server.
    faults: BTreeMap<&'static str, usize>,
    /// The number of responses 503 by the server of the fault.
    outages: BTreeMap<&'static str, usize>,
    rotations: usize,
    panics: usize,
    /// In MiB, at the end of the warm-up, and the highest after it.
    memory: (usize, usize),
    /// The number of tasks of the service beside those at its start.
    tasks_left: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: usize = self.responses.values().sum();
        write!(
            f,
            "soak: {} s, seed {}; {all} responses (",
            self.seconds, self.seed
        )?;
        write_counts(f, &self.responses)?;
        write!(f, "), {} abandoned; faults (", self.abandoned)?;
        write_counts(f, &self.faults)?;
        f.write_str("), 503 (")?;
        write_counts(f, &self.outages)?;
        let Self {
            rotations, panics, ..
        } = self;
        let (warm, most) = self.memory;
        write!(
            f,
            "), {rotations} rotations; {panics} panics, {warm} MiB after the warm-up, {most} MiB at \
             most, {} tasks left",
            self.tasks_left,
        )
    }
}

fn write_counts<K: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    counts: &BTreeMap<K, usize>,
) -> fmt::Result {
    for (index, (name, count)) in counts.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{name}: {count}")?;
    }
    Ok(())
}

#[test]
fn faults_cause_no_wrong_response() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seconds = number("SOAK_SECONDS").unwrap_or(60);
    let seed = number("SOAK_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        u64::from(since.expect("after 1970").subsec_nanos())
    });
    println!("soak: seed {seed}");
    let panics = count_panics();
    let (servers, clients) = (runtime(), runtime());
    // The service has a runtime of its own, so that its tasks can be counted.
    let world = Arc::new(World::default());
    let faults = clients.block_on(Faults::start(&world, seed));
    let service = servers.block_on(Service::start(&faults.addresses()));
    let tasks_at_start = servers.metrics().num_alive_tasks();

    let time = Duration::from_secs(seconds);
    let disturbing = clients.spawn(faults.disturb(Arc::clone(&world), time));
    let load = load::Load::start(&clients, &world, service.address, seed);
    let memory = watch_memory(time);
    clients.block_on(load.stop());
    let faults = clients.block_on(disturbing).expect("no panic");

    // The service works again, and no task or connection remains.
    let recovery = load::recover(&world, service.address);
    let recovered = clients.block_on(async { tokio::time::timeout(REST, recovery).await });
    let counts = faults.counts();
    clients.block_on(faults.stop());
    let rested = Instant::now();
    let tasks_left = || {
        servers
            .metrics()
            .num_alive_tasks()
            .saturating_sub(tasks_at_start)
    };
    while tasks_left() > PERMANENT && rested.elapsed() < REST {
        std::thread::sleep(Duration::from_millis(100));
    }
    let summary = Summary {
        seconds,
        seed,
        responses: world.responses(),
        abandoned: world.abandoned(),
        faults: counts,
        outages: world.outages(),
        rotations: world.issuer.rotations(),
        panics: panics.load(Ordering::SeqCst),
        memory,
        tasks_left: tasks_left(),
    };
    println!("{summary}");
    let wrong = world.wrong();
    assert!(wrong.is_empty(), "{summary}\n{}", wrong.join("\n"));
    assert!(recovered.is_ok(), "the service does not recover: {summary}");
    assert_eq!(summary.panics, 0, "{summary}");
    assert!(summary.memory.1 <= summary.memory.0 + GROWTH, "{summary}");
    assert!(summary.tasks_left <= PERMANENT, "{summary}");
    for status in [200, 401, 403, 404, 503] {
        assert!(summary.responses.contains_key(&status), "{summary}");
    }
    assert_eq!(summary.responses.len(), 5, "{summary}");
    assert!(summary.faults.values().all(|count| *count > 0), "{summary}");
    // Only a token of a new key notices a fault of the keys.
    for server in ["introspection", "Redis"] {
        assert!(summary.outages.contains_key(server), "{summary}");
    }
    assert!(summary.abandoned > 0 && summary.rotations > 1, "{summary}");
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Counts the panics of all threads, and prints them.
fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counted, print) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        counted.fetch_add(1, Ordering::SeqCst);
        print(panic);
    }));
    panics
}

/// Waits for `time`. Returns the highest memory of the first third, and of the rest.
fn watch_memory(time: Duration) -> (usize, usize) {
    let begun = Instant::now();
    let (mut warm, mut most) = (0, 0);
    while begun.elapsed() < time {
        std::thread::sleep(Duration::from_millis(500).min(time));
        let now = resident();
        if begun.elapsed() < time / 3 {
            warm = now.max(warm);
        }
        most = now.max(most);
    }
    (warm, most)
}

/// The resident memory of this process, in MiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4 / 1024)
}
