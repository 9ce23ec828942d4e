use auth_runtime::requires;

pub async fn open() {}

#[requires(scope = "write")]
pub async fn guarded() {}
