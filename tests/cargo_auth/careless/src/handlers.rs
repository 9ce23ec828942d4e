use auth_runtime::{public, requires};

pub async fn open() {}

#[requires(scope = "write")]
pub async fn guarded() {}

#[public(reason = "files for everybody")]
pub async fn shown() {}
