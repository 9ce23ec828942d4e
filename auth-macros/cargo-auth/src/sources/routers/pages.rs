//! The pages of `utoipa` that are routers: `SwaggerUi`, `RapiDoc`, `Redoc` and `Scalar`.

use super::methods::Argument;
use super::value::Route;
use crate::sources::routing::PAGES;

/// Returns the routes of a page, if a path is a function that makes one.
pub(super) fn made<'s>(whole: &[String], arguments: &[Argument<'s>]) -> Option<Vec<Route<'s>>> {
    let [krate, .., ty, name] = whole else {
        return None;
    };
    let ty = PAGES.into_iter().find(|page| page == ty)?;
    if !krate.starts_with("utoipa_") {
        return None;
    }
    let page = |method, path, at: &Argument<'s>| vec![Route::of_page(ty, method, path, &at.place)];
    Some(match (ty, name.as_str(), arguments) {
        ("SwaggerUi", "new", [path]) => {
            let below = format!("{}/*", path.path().trim_end_matches('/'));
            page("*", below, path)
        }
        ("RapiDoc", "new", _) => Vec::new(),
        ("RapiDoc", "with_openapi", [url, ..]) => page("GET", url.path(), url),
        ("Redoc" | "Scalar", "with_url", [path, ..]) => page("GET", path.path(), path),
        _ => return None,
    })
}
