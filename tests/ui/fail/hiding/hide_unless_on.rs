use auth_runtime::requires;

#[requires(can = "update", on = "Repository::{repo}", hide_as = 404, hide_unless = on("Owner::{owner}"))]
async fn an_object() {}

#[requires(can = "update", on = "Repository::{repo}", hide_as = 404, hide_unless = any(role("a"), on = "Owner::{owner}"))]
async fn in_a_list() {}

#[requires(scope = "read", hide_unless = hide_as(404))]
async fn a_status() {}

fn main() {}
