use auth_runtime::requires;

#[requires(role = "auditor", loosen = "auditors read the log")]
async fn log() {}

fn main() {}
