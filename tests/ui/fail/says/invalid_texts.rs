use auth_runtime::requires;

#[requires(role = "team", says = "")]
async fn empty() {}

#[requires(role = "team", says = " Only the team. ")]
async fn white_space() {}

#[requires(role = "team", says = "Only\nthe team.")]
async fn two_lines() {}

#[requires(role = "team", says = "Only the \u{202e}team.")]
async fn reordered() {}

#[requires(role = "team", says = concat!("Only the ", "team."))]
async fn computed() {}

#[requires(role = "team", says = Only the team)]
async fn no_quotes() {}

#[requires(role = "team", says = "a", says = "b")]
async fn twice() {}

#[requires(any(role = "team", says = "a"))]
async fn in_a_list() {}

#[requires(role = "team", message = "a")]
async fn another_word() {}

fn main() {}
