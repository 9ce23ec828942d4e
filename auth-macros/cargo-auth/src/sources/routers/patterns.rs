//! The names of the types and functions that make routers.

/// The pages of `utoipa`, which are converted into a router.
pub(super) const PAGES: [&str; 4] = ["RapiDoc", "Redoc", "Scalar", "SwaggerUi"];

/// Returns whether a type of that name is a router, or is converted into one.
pub(super) fn is_router_type(name: &str) -> bool {
    name.ends_with("Router") || PAGES.contains(&name)
}

/// Returns whether a path makes a router: of axum, of a crate on top of it, or a guarded one.
pub(super) fn is_router(path: &[String]) -> bool {
    match path {
        [.., ty, name] => {
            let is_new = matches!(
                name.as_str(),
                "default" | "new" | "with_openapi" | "with_path"
            );
            let is_type = matches!(
                ty.as_str(),
                "ApiRouter" | "GuardedRouter" | "OpenApiRouter" | "Router"
            );
            is_new && is_type
        }
        _ => false,
    }
}

/// Returns whether a path is a function like axum's in another crate, such as `aide`, or is from a glob
/// import of one.
pub(super) fn is_like_routing(whole: &[String], written: &[String]) -> bool {
    let is_in = |path: &[String]| path.iter().rev().skip(1).any(|it| it == "routing");
    is_in(whole) || is_in(written) || whole.len() == 1
}
