#![allow(clippy::non_minimal_cfg)]
use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};

#[cfg(all())]
#[requires(scope = "a")]
async fn above() {}

#[requires(scope = "a")]
#[cfg(all())]
async fn below() {}

#[requires(scope = "a")]
#[cfg(any())]
async fn below() {
    compile_error!("this one is configured out")
}

#[requires(scope = "a")]
#[cfg_attr(all(), allow(unused_variables))]
async fn conditional(#[cfg(any())] gone: u8) {
    let unused = 1;
}

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/above", get(above))
        .route("/below", get(below))
        .route("/conditional", get(conditional));
}
