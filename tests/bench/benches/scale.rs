//! What happens when there is much of it: `cargo bench -p auth-bench --bench scale`.
//!
//! Requests over loopback, a million tokens, ten thousand routes. The clients of the first run on the
//! same machine as the server, and take their share of it.

#[path = "scale/loopback.rs"]
mod loopback;
#[path = "scale/memory.rs"]
mod memory;
#[path = "scale/quickstart.rs"]
mod quickstart;
#[path = "scale/routes.rs"]
mod routes;
#[path = "scale/tokens.rs"]
mod tokens;

fn main() {
    if let Some(variant) = std::env::args()
        .skip_while(|one| one != routes::ARGUMENT)
        .nth(1)
    {
        return routes::measure(&variant);
    }
    loopback::print();
    tokens::print();
    routes::print();
}
