//! Requests over loopback: a handler behind a cached JWT beside an unguarded one, and the unchanged
//! quickstart.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_bench::authority::Authority;
use auth_bench::{Contender, Outcome, PAGE, contenders};

use crate::quickstart::{self, Quickstart};

const CONNECTIONS: usize = 8;
const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(800);

pub(crate) fn print() {
    println!("### Over loopback\n");
    println!(
        "{CONNECTIONS} connections of clients on the same machine, which use a part of both cores. The best of \
         {ROUNDS} rounds, taken in turns, since other load makes a round slower, never faster.\n"
    );
    println!("| workers | | requests per second | p50 | p99 |\n|--:|---|--:|--:|--:|");
    quickstart::build();
    for workers in [1, 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()
            .expect("a runtime");
        let all = runtime.block_on(contenders::all(&Authority::new()));
        let all: Vec<Arc<Contender>> = all.into_iter().map(Arc::new).collect();
        let served = |name: &str| {
            let named = all.iter().find(|one| one.name == name);
            serve(&runtime, named.expect("a contender"))
        };
        let quickstart = Quickstart::start(workers);
        let pages = [
            ("unguarded", served("unguarded")),
            ("ours, remembered", served("ours, remembered")),
            ("quickstart: `/healthz`, public", quickstart.public()),
            ("quickstart: `/reports`, opaque token", quickstart.guarded()),
        ];
        let mut rounds = pages.each_ref().map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for ((_, asked), rounds) in pages.iter().zip(&mut rounds) {
                rounds.push(asked.round());
            }
        }
        for ((name, _), mut rounds) in pages.iter().zip(rounds) {
            rounds.sort_by(|a, b| b.per_second.total_cmp(&a.per_second));
            let Round {
                per_second,
                p50,
                p99,
            } = &rounds[0];
            println!(
                "| {workers} | {name} | {per_second:.0} | {:.0} µs | {:.0} µs |",
                p50.as_secs_f64() * 1e6,
                p99.as_secs_f64() * 1e6,
            );
        }
    }
}

/// Serves a contender on a port of its own.
fn serve(runtime: &tokio::runtime::Runtime, contender: &Arc<Contender>) -> Client {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = Arc::clone(contender);
    runtime.spawn(async move { served.serve(listener).await });
    let ask = contender.ask(Outcome::Allow).expect("a request");
    let (name, value) = ask.credentials.as_ref().expect("credentials");
    let value = value.to_str().expect("a token");
    let credentials = format!("{name}: {value}");
    Client::new(address, ask.path, Some(&credentials), PAGE)
}

/// A request, the address of the server, and the expected end of the response.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    request: String,
    page: &'static str,
}

struct Round {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Client {
    /// `credentials` are a line of the header.
    pub(crate) fn new(
        address: SocketAddr,
        path: &str,
        credentials: Option<&str>,
        page: &'static str,
    ) -> Self {
        let line = credentials.map_or(String::new(), |line| format!("{line}\r\n"));
        let request = format!("GET {path} HTTP/1.1\r\nhost: bench.example\r\n{line}\r\n");
        Self {
            address,
            request,
            page,
        }
    }

    fn round(&self) -> Round {
        let began = Instant::now();
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let asked = self.clone();
                std::thread::spawn(move || asked.ask_for(ROUND))
            })
            .collect();
        let mut took = Vec::new();
        for client in clients {
            took.extend(client.join().expect("a client"));
        }
        let seconds = began.elapsed().as_secs_f64();
        took.sort_unstable();
        Round {
            per_second: took.len() as f64 / seconds,
            p50: took[took.len() / 2],
            p99: took[took.len() * 99 / 100],
        }
    }

    /// Sends requests one after the other, and returns the duration of each.
    fn ask_for(&self, time: Duration) -> Vec<Duration> {
        let mut stream = TcpStream::connect(self.address).expect("the server is there");
        stream.set_nodelay(true).expect("a socket");
        let mut took = Vec::new();
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        let began = Instant::now();
        while began.elapsed() < time {
            let asked = Instant::now();
            stream
                .write_all(self.request.as_bytes())
                .expect("it takes requests");
            answer.clear();
            while !answer.ends_with(self.page.as_bytes()) {
                let length = stream.read(&mut piece).expect("it answers");
                assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
                answer.extend_from_slice(&piece[..length]);
            }
            took.push(asked.elapsed());
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        took
    }
}
