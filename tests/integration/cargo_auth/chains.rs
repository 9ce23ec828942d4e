//! Handlers, services and routers that chains and variables bring to plain routers.

use crate::cargo_auth::plain_routers::assert_marked;

/// Only two methods of a protected router return a plain one.
#[test]
fn protected_routers_stay_protected() {
    let source = r#"use auth_runtime::{GuardedRouter, ProtectedRouter};
use axum::Router;
fn app(x: GuardedRouter) -> Result<Router, Error> {
    let Ok(api) = x.protect(s) else { return };
    let logged = x.protect(s).inspect_err(log)?;
    let mapped = x.protect(s).map(|it| it.layer(Logs)).map_err(log)?;
    let plain = x.protect(s).map(|it| it.into_router("why"))?;
    let other = x.protect(s).map(|_| files())?;
    let wrapped = x.protect(s).map(files)?;
    Router::new()
        .nest_service("/1", x.protect(s).unwrap_or_else(|error| panic!("{error}")))
        .nest_service("/2", x.protect(s).wrap_err("api")?)
        .nest_service("/3", x.protect(s).into_diagnostic()?)
        .nest_service("/4", api)
        .nest_service("/5", logged)
        .nest_service("/6", mapped)
        .nest_service("/7", made().expect_or_log("api"))
        .nest_service("/8", plain) // found
        .nest_service("/9", other) // found
        .nest_service("/10", wrapped) // found
        .nest_service("/11", x.protect(s)?.metadata_router()); // found
    if let Ok(inner) = x.protect(s) { Router::new().nest_service("/12", inner) }
    match x.protect(s) { Ok(inner) => Router::new().nest_service("/13", inner), Err(_) => Router::new() }
    let files = files();
    if let Ok(files) = x.protect(s) { serve(files) }
    { let files = x.protect(s)?; serve(files) }
    serve(|files: ProtectedRouter| {});
    Router::new().nest_service("/14", files) // found
}
fn made() -> Result<ProtectedRouter, Error> { unknown() }
fn parts(api: ProtectedRouter) -> Router {
    let (api, docs) = parts();
    Router::new().nest_service("/", api) // found
}
"#;
    assert_marked("stays", source, 0);
}
