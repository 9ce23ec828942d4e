#[auth_runtime::requires(role = "admin")]
mod admin {
    #[auth_runtime::requires(role = "admin", scope = "log", loosen = "auditors read the log")]
    async fn log() {}
}

fn main() {}
