//! API keys.

use auth_runtime::schemes::ApiKeys;
use auth_runtime::{Identity, ProtectedRouter};

use super::requests::Sent;
use super::service::{Subject, router_of, service};
use crate::Target;

pub(super) const KEY: &str = "k-4f1c0b6e9a8d47d2-of-the-fuzzer";

pub(super) const TARGET: Target = Target {
    name: "api_key",
    cost: 1,
    dictionary: &["x-api-key: ", KEY, "x-api-key:", "x-api_key: ", ",", "\t"],
    start: || service(Keys),
};

pub(super) fn keys() -> ApiKeys {
    let keys = ApiKeys::builder().key(KEY, Identity::new("ann"));
    keys.build().expect("a key")
}

struct Keys;

impl Subject for Keys {
    fn router(&self) -> ProtectedRouter {
        router_of(keys())
    }

    fn may_be_granted(&self, sent: &Sent) -> bool {
        sent.only("x-api-key").is_some_and(|key| key.trim() == KEY)
    }
}
