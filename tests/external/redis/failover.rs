//! Another Redis takes the place of the one that instances are connected to.

use std::time::{Duration, Instant};

use auth_runtime::schemes::Redis;

use crate::client::CLIENT;
use crate::proxy::Proxy;
use crate::server::{PASSWORD, Server};
use crate::{granted, instance, replayed, unverifiable};

/// Sends new proofs until one of them is granted, and returns it.
async fn first_granted(instance: std::net::SocketAddr, name: &str) -> String {
    let begun = Instant::now();
    for number in 0.. {
        let proof = CLIENT.proof(&format!("{name} {number}"));
        let answer = CLIENT.send(instance, &proof).await;
        if answer == granted() {
            return proof;
        }
        assert_eq!(answer, unverifiable(), "{name}");
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(5), "{name}: {waited:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    unreachable!("it waits for five seconds only")
}

#[tokio::test]
async fn next_redis_is_used_after_failover() {
    type Fault = fn(&Proxy, &Server, &Server);
    let faults: [(&str, Fault); 3] = [
        ("the old one is a replica", |_, old, new| {
            let replica = ["REPLICAOF", "127.0.0.1", &new.port.to_string()];
            assert_eq!(old.ask(&replica), "OK");
        }),
        (
            "the old one is a replica that has lost its primary",
            |_, old, _| {
                let setting = ["CONFIG", "SET", "replica-serve-stale-data", "no"];
                for command in [&setting[..], &["REPLICAOF", "127.0.0.1", "1"]] {
                    assert_eq!(old.ask(command), "OK");
                }
            },
        ),
        ("connections are lost without a sign", |proxy, _, _| {
            proxy.lose_connections();
        }),
    ];
    for (name, fault) in faults {
        let (old, new) = (Server::start(), Server::start());
        let proxy = Proxy::to(old.port).await;
        let url = format!("redis://:{PASSWORD}@{}/", proxy.address);
        let here = instance(Redis::builder(&url).build().unwrap()).await;
        let there = instance(Redis::builder(&url).build().unwrap()).await;
        for (instance, proof) in [(here, "1"), (there, "2")] {
            assert_eq!(CLIENT.send(instance, &CLIENT.proof(proof)).await, granted());
        }
        proxy.switch_to(new.port);
        fault(&proxy, &old, &new);
        // The command of this request is not sent again.
        let lost = CLIENT.send(here, &CLIENT.proof("3")).await;
        assert_eq!(lost, unverifiable(), "{name}");
        let proof = first_granted(here, &format!("{name}, here")).await;
        assert_eq!(new.ask(&["DBSIZE"]), "2", "{name}: a proof, and a count");
        first_granted(there, &format!("{name}, there")).await;
        for instance in [here, there] {
            assert_eq!(CLIENT.send(instance, &proof).await, replayed(), "{name}");
        }
    }
}

/// While the address leads to a replica, instances make few connections.
#[tokio::test]
async fn a_replica_receives_few_connections() {
    let server = Server::start();
    let here = instance(Redis::builder(server.url()).build().unwrap()).await;
    assert_eq!(CLIENT.send(here, &CLIENT.proof("1")).await, granted());
    assert_eq!(server.ask(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
    let connections = || -> u64 {
        let stats = server.ask(&["INFO", "stats"]);
        let mut lines = stats.lines();
        let line = lines.find_map(|line| line.strip_prefix("total_connections_received:"));
        line.expect("a count").parse().expect("a number")
    };
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = connections();
    for number in 0..20 {
        let proof = CLIENT.proof(&format!("replica {number}"));
        assert_eq!(CLIENT.send(here, &proof).await, unverifiable());
    }
    // One of the instance, and one of this count.
    assert_eq!(connections() - before, 2);
}
