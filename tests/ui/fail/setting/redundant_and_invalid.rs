use auth_runtime::requires;

#[requires(setting = "beta", any(setting = "beta", role = "tester"))]
async fn redundant() {}

#[requires(setting = "beta", setting = "beta")]
async fn twice() {}

#[requires(setting = "")]
async fn empty() {}

#[requires(setting = true)]
async fn a_value() {}

#[requires(flag = "beta")]
async fn another_word() {}

#[requires(scope = "pull", hide_as = 404, hide_unless = any(setting("open"), scope("pull")))]
async fn idle_exception() {}

fn main() {}
