use auth_runtime::objects::{Action, Resource};
use auth_runtime::{Denied, Guard, public, requires};

const READ: Action = Action::new("read");

#[public(reason = "a test")]
async fn open(guard: Guard) -> Result<(), Denied> {
    guard.can(READ, Resource::new("Page", "1")).await
}

#[public(reason = "a test", identity = optional)]
async fn optional(guard: Guard) -> Result<Vec<bool>, Denied> {
    guard.can(READ, Resource::new("Page", "1")).await?;
    guard.can_each(READ, [Resource::new("Page", "1")]).await
}

#[public(reason = "a test")]
async fn of_nobody(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

#[requires(network = "10.0.0.0/8")]
async fn by_network(guard: Guard) -> Result<Vec<bool>, Denied> {
    guard.can_each(READ, [Resource::new("Page", "1")]).await
}

fn main() {}
