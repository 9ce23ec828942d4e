use auth_runtime::requires;

#[requires(scope = "a")]
macro_rules! handlers {
    () => {};
}

fn main() {}
