//! The order of the responses to a hidden and to an unknown path, over HTTP/2 on loopback:
//! `cargo bench -p auth-bench --bench concealment_http2`, with the number of pairs as an argument, if it is
//! not the default, and with a part of the names of the cases, if not all are measured.
//!
//! Both requests arrive in one segment, so that the network between client and server has no effect ("Timeless
//! Timing Attacks", USENIX Security 2020). The signal is the response that comes first. The request to the
//! hidden path is sent first in every second pair. The null test compares each path with itself, as often, so that
//! the caches of the processor have both alike. The controls have a hidden path that is late by a known time.

mod client;

use std::net::SocketAddr;

use auth_bench::hidden::{Case, DELAYS, cases, controls, in_steps};
use axum::serve::ListenerExt;

use crate::client::{Client, Fields};

const PAIRS: usize = 100_000;
/// The clients at one time, if the responses wait for the end of a step.
const CLIENTS_IN_STEPS: usize = 128;
/// Pairs before those that are counted.
const WARM_UP: usize = 500;
/// The quantile of the normal distribution: an attacker is right in 95 of 100 cases, hidden or not.
const QUANTILE: f64 = 1.645;

/// The pairs in which the first path was answered first.
#[derive(Default)]
struct Order {
    /// In pairs in which it was sent first, and in those in which it was sent second.
    answered_first: [usize; 2],
    pairs: [usize; 2],
}

impl Order {
    fn count(&mut self, at: usize, is_answered_first: bool) {
        self.pairs[at] += 1;
        self.answered_first[at] += usize::from(is_answered_first);
    }

    fn add(&mut self, other: &Self) {
        for at in [0, 1] {
            self.pairs[at] += other.pairs[at];
            self.answered_first[at] += other.answered_first[at];
        }
    }

    fn shares(&self) -> [f64; 2] {
        [0, 1].map(|at| self.answered_first[at] as f64 / self.pairs[at] as f64)
    }

    /// The share of pairs in which the first path was answered first, over both orders, less one half.
    fn bias(&self) -> f64 {
        let [first, second] = self.shares();
        (first + second - 1.0) / 2.0
    }

    /// The variance of one pair.
    fn variance(&self) -> f64 {
        self.shares()
            .map(|share| share * (1.0 - share))
            .iter()
            .sum::<f64>()
            / 2.0
    }

    /// Twice the standard error of the bias.
    fn error(&self) -> f64 {
        let pairs = self.pairs.iter().sum::<usize>() as f64;
        2.0 * (self.variance() / pairs).sqrt()
    }

    /// The number of requests after which an attacker that counts orders tells `bias` from none.
    fn requests(&self, bias: f64) -> f64 {
        let pairs = (2.0 * QUANTILE / bias).powi(2) * self.variance();
        2.0 * pairs.max(1.0)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let pairs = arguments.iter().find_map(|argument| argument.parse().ok());
    let pairs: usize = pairs.unwrap_or(PAIRS);
    let part = arguments.iter().find(|argument| {
        !argument.starts_with('-') && !argument.chars().all(|it| it.is_ascii_digit())
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!("{pairs} pairs for each case, as many for its null test.\n");
    println!(
        "| | hidden first, sent first | sent second | order bias | null test | requests at 95 % |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    // The controls come first.
    let longest = DELAYS.len() - 1;
    let short = controls().into_iter().chain(cases());
    let in_steps = in_steps().map(|case| (case, CLIENTS_IN_STEPS));
    let all = short.map(|case| (case, 1)).chain(in_steps);
    let mut is_missed = false;
    for (index, (case, clients)) in all.enumerate() {
        if part.is_some_and(|part| !case.name.contains(part)) {
            continue;
        }
        let address = runtime.block_on(serve(&case));
        let (order, null) = compare(&case, address, pairs, clients);
        let noise = order.error() + null.error() + null.bias().abs();
        let is_told = order.bias().abs() > noise;
        is_missed |= index == longest && !(is_told && order.bias() < 0.0);
        let requests = match is_told {
            true => format!("{:.0}", order.requests(order.bias())),
            // The largest bias that this number of pairs does not exclude. The null test is no part of it: its
            // expected bias is zero, and its own error belongs to its own pairs.
            false => format!(
                "more than {:.0}",
                order.requests(order.bias().abs() + order.error())
            ),
        };
        let [first, second] = order.shares();
        println!(
            "| {} | {:.2} % | {:.2} % | {:+.2} ± {:.2} % | {:+.2} ± {:.2} % | {requests} |",
            case.name,
            100.0 * first,
            100.0 * second,
            100.0 * order.bias(),
            100.0 * order.error(),
            100.0 * null.bias(),
            100.0 * null.error(),
        );
    }
    assert!(
        !is_missed,
        "the measurement does not find the longest delay"
    );
}

/// Serves a case on a port of its own.
async fn serve(case: &Case) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    // Otherwise each second response waits for an acknowledgement.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket"));
    let service = case.router.clone().into_make_service();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Returns the orders of the hidden and the unknown path, and those of each path with itself.
/// The clients share the pairs.
fn compare(case: &Case, address: SocketAddr, pairs: usize, clients: usize) -> (Order, Order) {
    let credentials = case.credentials.as_ref();
    let credentials = credentials.map(|(name, value)| {
        assert_eq!(name, "authorization");
        value.to_str().expect("ASCII")
    });
    let hidden = Fields::get(case.hidden, credentials);
    let unknown = Fields::get(case.unknown, credentials);
    let (mut order, mut null) = (Order::default(), Order::default());
    std::thread::scope(|scope| {
        let ask = || ask_pairs(case.name, address, pairs / clients, &hidden, &unknown);
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
        for client in clients {
            let (own, own_null) = client.join().expect("a client");
            order.add(&own);
            null.add(&own_null);
        }
    });
    (order, null)
}

/// The pairs of one client.
fn ask_pairs(
    name: &str,
    address: SocketAddr,
    pairs: usize,
    hidden: &Fields,
    unknown: &Fields,
) -> (Order, Order) {
    let mut client = Client::connect(address);
    // The first response sets the size of the table, and a second may pass between two dates.
    let mut pairs_of_fields = (0..10).map(|_| client.ask([hidden, unknown]).fields);
    let is_concealed = pairs_of_fields.any(|[hidden, unknown]| hidden == unknown);
    assert!(is_concealed, "{name}: the fields differ");
    let (mut order, mut null) = (Order::default(), Order::default());
    for pair in 0..WARM_UP + pairs {
        // In turns, so that other load has the same effect on both.
        let at = pair % 2;
        let requests = match at {
            0 => [hidden, unknown],
            _ => [unknown, hidden],
        };
        let compared = client.ask(requests);
        // Both paths are requested equally often: a path that is requested more often is in the caches of the processor.
        let path = if pair / 4 % 2 == 0 { unknown } else { hidden };
        let same = client.ask([path, path]);
        if pair >= WARM_UP {
            order.count(at, compared.is_first_first == (at == 0));
            // Independent of the order before: a worker may still be busy with that pair.
            let at = pair / 2 % 2;
            null.count(at, same.is_first_first == (at == 0));
        }
    }
    (order, null)
}
