use auth_runtime::requires;

struct Guard<P>(std::marker::PhantomData<P>);

#[requires(role = "admin")]
async fn handler(_: Guard) {}

fn main() {}
