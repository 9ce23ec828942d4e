#[auth_runtime::requires(role = "admin")]
mod admin {
    #[auth_runtime::requires(role = "auditor", loosen = " ")]
    async fn log() {}

    #[auth_runtime::requires(role = "auditor", loosen)]
    async fn other_log() {}
}

fn main() {}
