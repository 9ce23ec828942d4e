//! Handlers, services and routers that chains and variables bring to plain routers.

use crate::cargo_auth::plain_routers::assert_marked;

/// A router that is certainly axum's takes any handler; otherwise, the handler decides.
#[test]
fn handlers_of_every_kind_are_found() {
    let source = r#"use auth_runtime::{GuardedRouter, ProtectedRouter, routing};
use axum::{Router, routing::{MethodRouter, get}};
type Pages = Router<Db>;
async fn page() {}
fn later() -> impl Future<Output = ()> { async {} }
fn base() -> Result<Router, Error> { Ok(Router::new()) }
fn methods() -> MethodRouter { get(page) } // found
fn guarded() -> GuardedRouter { GuardedRouter::new() }
struct H;
impl H {
    async fn page() {}
    fn size() -> usize { 0 }
    fn base() -> Pages { Router::new() }
    fn all() { Router::new().fallback(Self::page); } // found
    fn own() { Self::base().fallback(|r: Request| handle(r)); } // found
    fn unknown(x: Unknown) { x.fallback(Self::page); } // found
}
fn made() {
    Router::new().fallback(page); // found
    Router::new().fallback(H::page); // found
    Router::new().fallback(|r: Request| handle(r)); // found
    Router::new().fallback(later); // found
    Router::new().fallback(make()); // found
    Router::new().method_not_allowed_fallback(H::page); // found
    Router::fallback(Router::new(), |r: Request| handle(r)); // found
    <Router>::fallback(Router::new(), |r: Request| handle(r)); // found
    axum::routing::Router::new().fallback(later); // found
    Pages::new().fallback(later); // found
    base()?.fallback(later); // found
    base().map(|router| router.layer(Logs))?.fallback(later); // found
    methods().post(later); // found
    MethodRouter::post(methods(), later); // found
    H::page.into_make_service(); // found
    (async || {}).into_make_service(); // found
}
fn kept(typed: Router, alias: &Pages, wrapped: Option<Router<Db>>, app: GuardedRouter) {
    let router = Router::new();
    router.fallback(later); // found
    typed.typed_get(later); // found
    alias.clone().fallback(later); // found
    wrapped.unwrap().fallback(later); // found
    let methods = get(page); // found
    methods.post(|r: Request| handle(r)); // found
    let written: Router = unknown();
    written.fallback(later); // found
    if let Some(some) = unknown::<Option<Router>>().or(base().ok()) { some.fallback(H::page); } // found
    if let Ok(some) = base() { some.fallback(later); } // found
    match base() { Ok(some) => some.fallback(later), Err(_) => {} } // found
    app.protect(space)?.into_router("spa").fallback(later); // found
    let all = ProtectedRouter::into_router(app.protect(space)?, "spa");
    all.fallback(later); // found
}
fn closures() { serve(|router: Router, other| { router.fallback(later); other.fallback(later) }); } // found
fn not_mounted(x: Unknown, app: GuardedRouter, inner: Inner<Router>, router: Router) {
    x.fallback(later);
    x.fallback(|r: Request| handle(r));
    x.get(H::size);
    x.any(page);
    let guarded_one = GuardedRouter::new();
    guarded_one.fallback(later);
    app.fallback(later);
    guarded().fallback(later);
    inner.fallback(later);
    let router = unknown();
    router.fallback(later);
    let (base, typed): (Unknown, Unknown) = unknown();
    base.fallback(later);
    { let x = Router::new(); }
    x.fallback(later);
    let response = Router::new().oneshot(request).await?;
    response.headers().get(NAME);
    let response = base()?.call(request).await.ok()?;
    response.headers().get("x-kind");
}
"#;
    assert_marked("handlers", source, 0);
}

/// `?`, `.await`, variables and parameters change nothing about the crate of a router.
#[test]
fn routers_of_other_crates_are_found() {
    let source = r#"use auth_runtime::GuardedRouter;
use axum::Router;
type Pages = Router<Db>;
fn base() -> Result<Router, Error> { Ok(Router::new()) }
async fn made(cfg: Cfg) -> Result<Router, Error> {
    let app = Router::new();
    let admin = other::router(&cfg).await?;
    let Ok(pages) = other::pages() else { return Err(Error) };
    let typed: Router = other::typed();
    app.merge(other::router()?) // found
        .nest("/a", other::router(&cfg).await) // found
        .nest("/b", (other::router()).await?.layer(Logs)) // found
        .merge(admin) // found
        .merge(pages) // found
        .merge(typed) // found
        .merge(other::router().map(|router| router.layer(Logs))?); // found
    Router::merge(Router::new(), other::router()); // found
    Router::nest(Router::new(), "/c", other::router().await); // found
    base()?.merge(other::router()) // found
}
fn add(r: Router) -> Router { r.merge(other::router()) } // found
fn add_to_alias(r: Pages) -> Pages { r.merge(other::router()?) } // found
fn add_to_some(r: Option<axum::Router>) -> Router { r.unwrap().merge(other::router()) } // found
async fn not_added(r: Router, guarded: GuardedRouter, typed: other::Router) -> Router {
    guarded.merge(other::router()?);
    r.merge(other::routes().protect(space)?.into_router("beside pages"));
    r.merge(other::routes().await?.protect(space).unwrap().into_router("beside pages"));
    r.merge(base()?).merge(typed)
}
"#;
    assert_marked("elsewhere", source, 0);
}

/// The second handler responds to each caller that the first one refuses. A method of an unknown trait may return
/// another handler.
#[test]
fn combined_handlers_are_found() {
    let source = r#"use axum::routing::get;
#[auth_runtime::requires(authenticated)]
async fn guarded() {}
async fn bare() {}
fn combined() {
    get(guarded.or(bare)); // found
    get(guarded.layer(Logs).or(bare).layer(Logs)); // found
    get(guarded.or(guarded).with_state(state)); // found
    get(guarded.layer(Logs).with_state(state));
}
fn replaced() {
    get(guarded.instead(bare)); // found
    get((guarded.layer(Logs)).instead(bare).clone()); // found
    get(guarded.clone().into_handler());
}
"#;
    assert_marked("combined", source, 0);
}

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
    for files in all(&api) { Router::new().nest_service("/14", files); } // found
    match x {
        [api] => Router::new().nest_service("/15", api), // found
        A(api) | B(api) => Router::new().nest_service("/16", api), // found
        (api) => Router::new().nest_service("/17", api), // found
    };
    while let Ok(files) = x.protect(s) { serve(files) }
    Router::new().nest_service("/18", files) // found
}
fn made() -> Result<ProtectedRouter, Error> { unknown() }
fn parts(api: ProtectedRouter) -> Router {
    let (api, docs) = parts();
    Router::new().nest_service("/", api) // found
}
"#;
    assert_marked("stays", source, 0);
}

/// A router may be changed before a guarded router takes it.
#[test]
fn changed_routers_are_covered() {
    let source = r#"use auth_runtime::GuardedRouter;
use axum::{Router, routing::get};
async fn h() {}
fn layered() -> GuardedRouter {
    let files = Router::new().route("/x", get(h));
    let files = files.layer(Trace);
    GuardedRouter::new().nest_service("/f", Files, files)
}
fn cloned() -> GuardedRouter {
    let files = Router::new().route("/x", get(h));
    GuardedRouter::new().nest_service("/f", Files, files.clone())
}
fn converted() -> GuardedRouter {
    let files = Router::new().route("/x", get(h));
    let service = files.into_service();
    GuardedRouter::nest_service(GuardedRouter::new(), "/f", Files, service)
}
fn merged() -> GuardedRouter {
    let files = get(h);
    let all = { let files = Router::new().route("/x", files); Router::new().merge(files) };
    GuardedRouter::new().nest_service("/f", Files, Router::new().nest("/all", all))
}
fn chosen(is_large: bool) -> GuardedRouter {
    let files = Router::new().route("/x", get(h));
    if is_large { return GuardedRouter::new().nest_service("/f", Files, files.layer(Trace)) }
    GuardedRouter::new().adopt(files, "legacy")
}
fn adopted(g: GuardedRouter) -> GuardedRouter {
    let files = Router::new().route("/x", get(h));
    let pages = Router::new().route("/x", get(h));
    let logged = Router::new().route("/x", get(h));
    log(&logged);
    g.adopt(files.layer(Trace), "legacy").merge_unguarded("why", &["/x"], pages.layer(Trace)).adopt(logged, "legacy")
}
fn shared() -> GuardedRouter {
    let files = Router::new().route("/x", get(h)); // found
    let pages = Router::new().route("/x", get(h)); // found
    let lists = Router::new().route("/x", get(h)); // found
    let copy = lists.clone();
    serve(Router::new().merge(pages.clone()).merge(files).merge(lists));
    GuardedRouter::new().nest_service("/f", Files, files.clone()).adopt(pages.layer(Trace), "legacy").adopt(copy, "legacy")
}
fn shadowed() -> GuardedRouter {
    let files = Router::new().route("/x", get(h)); // found
    serve(files);
    let files = Router::new().route("/y", get(h));
    GuardedRouter::new().nest_service("/f", Files, files)
}
"#;
    assert_marked("changed", source, 6);
}
