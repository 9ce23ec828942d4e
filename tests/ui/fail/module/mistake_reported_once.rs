#[auth_runtime::requires(rolle = "admin")]
mod admin {
    async fn one() {}

    #[auth_runtime::requires(scope = "x")]
    async fn two() {}

    mod inner {
        async fn three() {}
    }
}

fn main() {}
