use auth_runtime::{public, requires};

#[requires(role = "team", hide_as = 404, says = "Only the team.")]
async fn hidden() {}

#[requires(role = "team", hide_as = 404)]
mod hidden_module {
    #[auth_runtime::requires(scope = "a", says = "Only the team.")]
    pub async fn inherited() {}
}

#[public(reason = "liveness probe", says = "Only the team.")]
async fn healthz() {}

fn main() {}
