//! Parts of a service that only some configurations have, in `cargo auth routes`.

use crate::cargo_auth::routes::listed;

/// The second handler responds to each caller that the first one refuses.
#[test]
fn combined_handlers_have_no_check() {
    for (number, (handler, checks)) in [
        ("guarded", "Caller"),
        ("guarded.layer(Logs::new())", "Caller"),
        ("guarded.or(bare)", ""),
        (
            "guarded.layer(from_fn(require_auth)).or(bare).with_state(state)",
            "",
        ),
        (
            "guarded.or(bare).layer(from_fn(require_auth))",
            "require_auth",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let main = format!(
            "use axum::{{Router, routing::get}};\n\
             fn main() {{ axum::serve(Router::new().route(\"/page\", get({handler}))); }}\n\
             async fn guarded(caller: Caller) {{}}\n\
             async fn bare() {{}}\n\
             struct Caller;\n\
             impl FromRequestParts<()> for Caller {{\n\
             async fn from_request_parts(parts: &mut Parts, state: &()) -> Result<Self, StatusCode> {{\n\
             Err(StatusCode::UNAUTHORIZED) }} }}"
        );
        let found = listed(&format!("or/{number}"), &main);
        let found: Vec<_> = found
            .iter()
            .map(|(path, _, checks)| (path.as_str(), checks.as_str()))
            .collect();
        assert_eq!(found, [("/page", checks)], "{handler}");
    }
}
