use auth_runtime::GuardedRouter;
use auth_runtime::routing::get;

/// The operators of the service.
#[auth_runtime::requires(role = "admin", hide_as = 404)]
#[allow(clippy::unused_async)]
pub mod admin {
    //! With documentation of its own.
    #![allow(dead_code)]

    use auth_runtime::{Guard, public, requires};
    use axum::extract::Path;

    pub async fn users(Path(_): Path<u32>) {}

    async fn with_guard(guard: Guard) -> String {
        guard.identity().subject().to_owned()
    }

    #[requires(scope = "users:write")]
    pub async fn delete_user() {}

    #[requires]
    pub async fn nothing_of_its_own() {}

    #[requires(role = "auditor", loosen = "auditors read the log, and nothing else")]
    pub async fn log() {}

    #[public(reason = "the form itself is no secret")]
    pub async fn login() {}

    #[requires(scope = "files")]
    pub struct Files;

    pub mod keys {
        pub async fn list() {}

        #[auth_runtime::requires(scope = "keys:write")]
        pub mod write {
            pub async fn create() {}
        }
    }

    const LIMIT: usize = if true { 1 } else { 2 };

    async fn helper(limit: &usize) -> usize {
        *limit + LIMIT
    }

    pub async fn twice() -> String {
        helper(&LIMIT).await.to_string()
    }

    pub fn routes() -> auth_runtime::GuardedRouter {
        use auth_runtime::routing::get;
        auth_runtime::GuardedRouter::new().route("/guard", get(with_guard))
    }

    pub async fn is_working_hours(_request: auth_runtime::CheckRequest<'_>) -> bool {
        true
    }

    #[requires(check = is_working_hours)]
    pub async fn by_day() {}

    pub async fn measured(
        request: axum::extract::Request,
        next: axum::middleware::Next,
    ) -> axum::response::Response {
        next.run(request).await
    }

    #[cfg(all(test, unix))]
    mod tests_of_unix {
        async fn not_a_handler(_: u8) {}
    }

    #[cfg(test)]
    mod tests {
        async fn not_a_handler(_: u8) {}
    }
}

pub(crate) fn main() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/users/{id}", get(admin::users).delete(admin::delete_user))
        .route("/nothing", get(admin::nothing_of_its_own))
        .route("/log", get(admin::log))
        .route("/login", get(admin::login))
        .route(
            "/keys",
            get(admin::keys::list).post(admin::keys::write::create),
        )
        .route("/twice", get(admin::twice))
        .route("/by-day", get(admin::by_day))
        .layer(axum::middleware::from_fn(admin::measured))
        .merge(admin::routes());
    println!("{router:?}");
}
