#[auth_runtime::requires(role = "admin")]
mod admin {
    #[auth_runtime::requires(loosen = "because")]
    async fn log() {}
}

fn main() {}
