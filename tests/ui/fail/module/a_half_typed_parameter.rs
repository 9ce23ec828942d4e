#[auth_runtime::requires(role = "admin")]
mod admin {
    async fn half(guard: auth_runtime::Guard, x: ) {}

    #[auth_runtime::requires(scope = "log")]
    async fn log(x: ) {}
}

fn main() {}
