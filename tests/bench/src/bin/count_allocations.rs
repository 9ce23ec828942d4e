//! Counts the allocations of each contender per request. It is a program of its own, since counting
//! slows allocations down. The other programs use the default allocator.

use auth_bench::Outcome;
use auth_bench::authority::Authority;
use auth_bench::contenders;
use auth_bench::measured::measured_answer;

/// The number of counted requests. The requests before them fill caches and buffers.
const REQUESTS: u64 = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let contenders = runtime.block_on(contenders::all(&Authority::new()));
    for contender in &contenders {
        for ask in Outcome::ALL.iter().filter_map(|one| contender.ask(*one)) {
            let requests = || (0..REQUESTS).map(|_| contender.request(ask)).collect();
            let send = |requests: Vec<_>| {
                for request in requests {
                    measured_answer(&contender.app, request);
                }
            };
            send(requests());
            let ready = requests();
            let counted = allocation_counter::measure(|| send(ready));
            // Rounded to the nearest integer, since a table grows now and then.
            println!("{}", (counted.count_total + REQUESTS / 2) / REQUESTS);
        }
    }
}
