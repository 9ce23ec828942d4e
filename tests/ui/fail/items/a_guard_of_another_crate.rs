//! A type of the same name checks no policy.

use auth_runtime::requires;

struct Guard<P>(std::marker::PhantomData<P>);

#[requires(role = "admin")]
async fn reports(guard: Guard) {}

fn main() {}
