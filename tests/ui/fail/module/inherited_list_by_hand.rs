use auth_runtime::requires;

#[requires({})]
async fn empty() {}

#[requires(role = "admin" { authenticated })]
async fn behind() {}

#[requires(module())]
async fn named() {}

#[requires(role = "admin")]
mod admin {
    #[auth_runtime::requires({} scope = "users")]
    pub async fn list() {}
}

fn main() {}
