use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};

#[requires(scope = "a")]
struct Readers;

pub(crate) fn main() {
    let _: GuardedRouter =
        GuardedRouter::new().route("/", get(|_: Guard<Readers>| async { "hello" }));
}
