#[auth_runtime::requires(role = "admin", hide_as = 404, realm = "office")]
mod admin {
    #[auth_runtime::requires(scope = "log", hide_as = 404, realm = "office")]
    async fn log() {}
}

fn main() {}
