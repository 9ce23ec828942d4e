use auth_runtime::routing::get;
use auth_runtime::{Guard, GuardedRouter, requires};
use axum::extract::State;

trait Store: Clone + Send + Sync + 'static {
    fn name(&self) -> String;
}

#[derive(Clone)]
struct Memory;

impl Store for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }
}

#[requires(scope = "a")]
async fn list<S: Store>(guard: Guard, State(store): State<S>) -> String
where
    S: std::fmt::Debug + Default,
{
    format!("{} {}", guard.identity().subject(), store.name())
}

#[requires(scope = "a")]
async fn sized<const N: usize>() -> String {
    N.to_string()
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("memory")
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self
    }
}

pub(crate) fn main() {
    let _: GuardedRouter<Memory> = GuardedRouter::new()
        .route("/list", get(list::<Memory>))
        .route("/sized", get(sized::<7>));
}
