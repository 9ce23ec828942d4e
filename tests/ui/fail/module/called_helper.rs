#[auth_runtime::requires(role = "admin")]
mod admin {
    pub async fn users() -> u32 {
        count(7).await
    }

    async fn count(of: u32) -> u32 {
        of
    }
}

fn main() {}
