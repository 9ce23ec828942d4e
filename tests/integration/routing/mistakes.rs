//! Paths and methods that are refused when they are added.

use super::*;

#[test]
fn parameter_names_are_unique() {
    let inner = || GuardedRouter::new().route("/i/{tenant}", get(read).post(write));
    let both = GuardedRouter::new()
        .route("/{{id}}/{id}/{name}", get(read))
        .route("/twice/{id}/{*id}", get(read))
        .nest("/o/{tenant}", inner())
        .nest("/p/{other}", inner());
    let expected = |handler: &str, path: &str, name: &str| {
        format!(
            "the path `{path}` of `integration::routing::{handler}` has two parameters `{name}`; \
             give each a name of its own"
        )
    };
    assert_eq!(
        refused(both),
        [
            expected("read", "/twice/{id}/{*id}", "id"),
            expected("read", "/o/{tenant}/i/{tenant}", "tenant"),
            expected("write", "/o/{tenant}/i/{tenant}", "tenant"),
        ]
    );
}

#[test]
#[should_panic(
    expected = "the path `/{id}/items/{id}` of `integration::routing::read` has two parameters \
                `id`; give each a name of its own"
)]
fn parameter_names_are_unique_below_prefix() {
    let protect = |routes: GuardedRouter| routes.protect(space()).unwrap();
    let items = protect(GuardedRouter::new().route("/items/{id}", get(read)));
    let _ = protect(GuardedRouter::new()).nest("/{id}", items);
}

#[test]
#[should_panic(expected = "Paths must start with a `/`")]
fn invalid_paths_panic() {
    let _: GuardedRouter = GuardedRouter::new().route("wrong", get(read));
}

#[test]
#[should_panic(expected = "Nesting at the root is no longer supported")]
fn invalid_prefixes_panic() {
    let _: GuardedRouter = GuardedRouter::new().nest("/", GuardedRouter::new());
}

#[test]
#[should_panic(expected = "Overlapping method route")]
fn duplicate_methods_panic() {
    let _ = GuardedRouter::new()
        .route("/x", get(read).get(write))
        .protect(space())
        .unwrap();
}
