//! A handler is a function, and takes no other name than that of a function.

use auth_runtime::routing::get;
use auth_runtime::{GuardedRouter, requires};

mod dashboard {
    #[auth_runtime::requires(scope = "a")]
    pub async fn list() {}

    #[auth_runtime::requires(scope = "b")]
    pub async fn dashboard() {}
}

macro_rules! dashboard {
    () => {};
}

pub use dashboard::dashboard;

#[allow(non_camel_case_types)]
struct users {
    name: str,
}

#[requires(scope = "a")]
async fn users() -> &'static str {
    dashboard!();
    std::any::type_name::<users>()
}

#[requires(scope = "a")]
async fn axum() -> axum::Json<u8> {
    axum::Json(1)
}

#[requires(scope = "a")]
async fn str(_guard: auth_runtime::Guard) -> &'static str {
    "text"
}

mod list {
    #[auth_runtime::requires(scope = "a")]
    pub async fn list() {}
}

pub use list::list;

pub(crate) fn main() {
    let _: GuardedRouter = GuardedRouter::new()
        .route("/a", get(dashboard))
        .route("/b", get(users).post(axum).put(str).delete(list))
        .route("/c", get(dashboard::list));
}
