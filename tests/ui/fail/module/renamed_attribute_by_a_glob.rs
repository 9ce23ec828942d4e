//! The import is outside the module.

pub use auth_runtime::public as open;

#[auth_runtime::requires(role = "admin")]
mod admin {
    use super::*;

    pub fn router() -> auth_runtime::GuardedRouter<()> {
        #[open(reason = "x")]
        async fn users() {}

        auth_runtime::GuardedRouter::new().route("/", auth_runtime::routing::get(users))
    }
}

fn main() {}
