use auth_runtime::{Guard, requires, vocabulary};
use auth_runtime::policy::Vocabulary;

pub const VOCABULARY: Vocabulary = vocabulary!();
const _: () = assert!(VOCABULARY.policies().len() == 3);

#[requires(scope = "repo:read", hide_as = 404, hide_unless = any(role = "admin", network = "lab"))]
pub async fn read() {}

#[requires(any(scope = "repo:write", role = "admin", permission = "publish"), acr = "anything")]
pub async fn write() {}

#[requires(policy = "staff")]
pub async fn staff(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(any(policy = "staff", scope = "repo:admin"))]
pub async fn staff_or_admin() {}

#[requires(policy = "hidden", hide_unless = role("admin"))]
pub async fn hidden() {}

#[requires(any(network = "office", network = "203.0.113.0/24"))]
pub async fn inside(guard: Guard) -> bool {
    guard.identity().is_some()
}

const _: () = assert!(VOCABULARY.settings().len() == 1);

#[requires(any(setting = "open_registry", scope = "repo:read"))]
pub async fn pull(guard: Guard) -> bool {
    guard.identity().is_some()
}

#[requires(policy = "public_pull", hide_as = 404, hide_unless = role("admin"))]
pub async fn catalog(guard: Guard) -> bool {
    guard.identity().is_none()
}

#[requires(setting = "open_registry", role = "admin")]
pub async fn close(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(network = "site:berlin")]
pub async fn berlin() {}
