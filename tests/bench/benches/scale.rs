//! The cost at scale: `cargo bench -p auth-bench --bench scale`.
//!
//! Requests over loopback, a million tokens, ten thousand routes. The clients over loopback run on
//! the same machine as the server, and use part of its time.

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
