use auth_runtime::requires;

mod dashboard {}

macro_rules! dashboard {
    () => {};
}

#[requires(scope = "a")]
async fn dashboards() {
    dashboard!();
}

fn main() {}
