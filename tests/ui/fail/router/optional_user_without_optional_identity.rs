use auth_runtime::routing::get;
use auth_runtime::{CurrentUser, GuardedRouter, public};

struct User;

#[public(reason = "a test")]
async fn open(_: Option<CurrentUser<User>>) {}

fn main() {
    let _: GuardedRouter = GuardedRouter::new().route("/", get(open));
}
