use auth_runtime::{public, requires};

#[requires(scop = "read")]
async fn misspelt() {}

#[requires(scope = "raed", hide_as = 403)]
async fn undeclared() {}

#[requires(any(scope = "read", scope = "write"))]
async fn dead() {}

#[requires]
async fn says_nothing() {}

#[public]
async fn without_a_reason() {}

#[requires(authenticated)]
fn not_async() {}

#[requires(authenticated)]
#[public(reason = "both")]
async fn twice() {}

#[cfg_attr(feature = "open", public(reason = "for a demonstration"))]
async fn left_to_the_build() {}

#[requires(role = "editor")]
#[cfg_attr(feature = "open", auth_runtime::public(reason = "for a demonstration"))]
async fn one_or_the_other() {}

#[requires({ role = "editor" } scope = "write")]
async fn handed_down_by_nobody() {}

#[requires(role = "editor")]
mod editors {
    #[requires({ authenticated } scope = "write")]
    async fn nor_here() {}

    #[auth_runtime::requires(role = "editor")]
    async fn once_more() {}
}

#[requires(scope = "read")]
async fn endless(upgrade: web::extract::ws::WebSocketUpgrade) -> web::response::Response {
    upgrade.on_upgrade(serve)
}

#[requires(scope = "read")]
async fn ending(guard: Guard) -> Sse<impl Stream<Item = Message>> {
    Sse::new(messages().take_until(guard.expires()))
}
