//! The servers that the service depends on, and their faults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_tests::random::Random;

use crate::link::{Health, Link, Weather};
use crate::oracle::World;
use crate::server::Server;

/// The interval of the rotation of keys. Tokens live shorter than their keys are published.
const ROTATION: Duration = Duration::from_secs(7);
/// The maximum time in which Redis loads its data.
const MAX_LOADING: Duration = Duration::from_secs(30);
/// The interval in which an opaque token is revoked, and another one issued.
const REVOCATION: Duration = Duration::from_millis(250);

/// The addresses for the service.
pub(crate) struct Addresses {
    pub(crate) keys: SocketAddr,
    pub(crate) introspection: SocketAddr,
    pub(crate) redis: String,
}

pub(crate) struct Faults {
    keys: Disturbed,
    introspection: Disturbed,
    redis: Disturbed,
    server: Server,
}

/// A link whose weather changes.
struct Disturbed {
    link: Link,
    random: Random,
    count: usize,
}

impl Disturbed {
    async fn to(server: SocketAddr, seed: u64) -> Self {
        Self {
            link: Link::to(server).await,
            random: Random::new(seed),
            count: 0,
        }
    }

    /// Has fine weather for `fine`, and a fault of one to three seconds after it, until `end`.
    async fn disturb(&mut self, health: &Health, fine: Duration, end: Instant) {
        let wait = self.random.up_to(fine) + fine / 2;
        sleep_until(wait, end).await;
        let weather = match self.random.below(4) {
            0 => Weather::Slow(self.random.up_to(Duration::from_millis(700))),
            1 => Weather::Silent,
            2 => Weather::Torn,
            _ => Weather::Down,
        };
        health.begin_fault();
        self.link.set(weather);
        self.count += 1;
        sleep_until(
            self.random.up_to(Duration::from_secs(2)) + Duration::from_secs(1),
            end,
        )
        .await;
        self.link.set(Weather::Fine);
        health.end_fault();
    }
}

async fn sleep_until(time: Duration, end: Instant) {
    let left = end.saturating_duration_since(Instant::now());
    tokio::time::sleep(time.min(left)).await;
}

impl Faults {
    pub(crate) async fn start(world: &Arc<World>, seed: u64) -> Self {
        // What Redis has confirmed survives its end: a used proof stays used.
        let server = Server::start_with(|port, _| {
            let port = port.to_string();
            let arguments = ["--port", port.as_str(), "--appendonly", "yes"];
            arguments.map(str::to_owned).to_vec()
        });
        let issuer = world.issuer.serve().await;
        let redis = SocketAddr::from(([127, 0, 0, 1], server.port));
        Self {
            keys: Disturbed::to(issuer, seed ^ 1).await,
            introspection: Disturbed::to(issuer, seed ^ 2).await,
            redis: Disturbed::to(redis, seed ^ 3).await,
            server,
        }
    }

    pub(crate) fn addresses(&self) -> Addresses {
        Addresses {
            keys: self.keys.link.address,
            introspection: self.introspection.link.address,
            redis: format!(
                "redis://:{}@{}/",
                crate::server::PASSWORD,
                self.redis.link.address
            ),
        }
    }

    /// Disturbs the servers for `time`, rotates keys, and revokes tokens.
    pub(crate) async fn disturb(mut self, world: Arc<World>, time: Duration) -> Self {
        let end = Instant::now() + time;
        let Self {
            keys,
            introspection,
            redis,
            server,
        } = &mut self;
        let is_over = || Instant::now() >= end;
        let keys = async {
            while !is_over() {
                let fine = Duration::from_secs(6);
                keys.disturb(&world.keys, fine, end).await;
            }
        };
        let introspection = async {
            while !is_over() {
                let fine = Duration::from_secs(12);
                introspection.disturb(&world.introspection, fine, end).await;
            }
        };
        let redis = async {
            while !is_over() {
                disturb_redis(redis, server, &world.redis, end).await;
            }
        };
        let rotation = async {
            while !is_over() {
                sleep_until(ROTATION, end).await;
                world.issuer.rotate();
            }
        };
        let revocation = async {
            while !is_over() {
                sleep_until(REVOCATION, end).await;
                world.issuer.revoke_one();
            }
        };
        tokio::join!(keys, introspection, redis, rotation, revocation);
        self
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, usize> {
        BTreeMap::from([
            ("keys", self.keys.count),
            ("introspection", self.introspection.count),
            ("Redis", self.redis.count),
        ])
    }

    /// Ends all connections.
    pub(crate) async fn stop(self) {
        drop(self);
        tokio::task::yield_now().await;
    }
}

/// Starts Redis again, and waits for its data: it accepts connections while it still loads them.
fn start_again(server: &mut Server) {
    server.start_again();
    let begun = Instant::now();
    while server.ask(&["PING"]) != "PONG" {
        assert!(begun.elapsed() < MAX_LOADING, "it does not load its data");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Disturbs the link to Redis, or the process itself.
async fn disturb_redis(redis: &mut Disturbed, server: &mut Server, health: &Health, end: Instant) {
    let fine = Duration::from_secs(4);
    let fault = redis.random.below(3);
    if fault == 0 {
        redis.disturb(health, fine, end).await;
        return;
    }
    sleep_until(redis.random.up_to(fine) + fine / 2, end).await;
    health.begin_fault();
    redis.count += 1;
    let time = redis.random.up_to(Duration::from_secs(2)) + Duration::from_millis(500);
    if fault == 1 {
        server.signal("STOP");
        sleep_until(time, end).await;
        server.signal("CONT");
    } else {
        server.stop();
        sleep_until(time, end).await;
        // It waits on this thread.
        tokio::task::block_in_place(|| start_again(server));
    }
    health.end_fault();
}
