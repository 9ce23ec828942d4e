use auth_runtime::requires;

#[requires({})]
async fn open() {}

#[requires({ authenticated } role = "admin")]
async fn listed() {}

#[requires(module())]
async fn named() {}

#[requires(role = "admin")]
mod admin {
    #[auth_runtime::requires({} scope = "users")]
    pub async fn list() {}
}

fn main() {}
