#[auth_runtime::requires(
    role = "admin",
    hide_as = 404,
    hide_unless = role("auditor"),
    schemes(Bearer, DPoP),
    says = "Ask Ann."
)]
mod admin {
    #[auth_runtime::requires(scope = "log", hide_unless = role("auditor"), schemes(DPoP, Bearer))]
    async fn log() {}

    #[auth_runtime::requires(hide_as = 404, hide_unless = role("auditor"), says = "Ask Ann.")]
    async fn users() {}
}

fn main() {}
