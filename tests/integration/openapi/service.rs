//! A service with every kind of route, and the document of its authors.

use std::convert::Infallible;

use auth_runtime::routing::{any, get, post};
use auth_runtime::schemes::{
    ApiKeys, Basic, Bearer, CertificateSource, Digest, Dpop, Sessions, SignedUrls,
};
use auth_runtime::{
    Caller, CheckRequest, GuardedRouter, Identity, ProtectionSpace, public, requires,
};
use auth_tests::verifier;
use axum::Router;
use axum::extract::Request;
use utoipa::openapi::OpenApi;
use utoipa::{OpenApi as _, ToSchema};

#[public(reason = "liveness probe")]
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "Alive.")))]
async fn healthz() {}

/// Shows an order.
#[requires(scope = "orders:read")]
#[utoipa::path(
    get,
    path = "/orders/{number}",
    tag = "orders",
    params(("number" = u64, Path)),
    responses(
        (status = 200, body = Order, description = "The order.", links(
            ("cancel" = (operation_id = "cancel")),
            ("statistics" = (operation_id = "statistics")),
        )),
        (status = 404, description = "No such order."),
    ),
)]
async fn show() {}

/// Places an order.
#[utoipa::path(
    post,
    path = "/orders",
    tag = "orders",
    request_body = Order,
    responses(
        (status = 201, description = "Placed."),
        (status = 400, body = Complaint, description = "Not an order."),
        (status = 403, description = "Only clerks take orders."),
    ),
)]
#[requires(any(scope = "orders:write", role = "clerk"))]
async fn place() {}

#[requires(
    scope = "orders:write",
    can = "cancel",
    on = "Order::{id}",
    max_age = "15m"
)]
#[utoipa::path(delete, path = "/orders/{number}", tag = "orders", params(("number" = u64, Path)))]
async fn cancel() {}

#[requires(authenticated)]
#[utoipa::path(get, path = "/me", responses((status = 200, body = String, description = "Who calls.")))]
async fn me() {}

#[requires(network = "192.0.2.0/24")]
#[utoipa::path(get, path = "/metrics")]
async fn metrics() {}

#[requires(any(role = "auditor", all(scope = "reports", network = "192.0.2.0/24")))]
#[utoipa::path(get, path = "/reports")]
async fn reports() {}

#[requires(any(permission = "report", network = "192.0.2.0/24"))]
#[utoipa::path(post, path = "/reports")]
async fn report() {}

#[requires(scope = "transfer", sender_constrained)]
#[utoipa::path(post, path = "/transfers")]
async fn transfer() {}

#[requires(scope = "files:read", schemes(Bearer, "SignedUrl"))]
#[utoipa::path(get, path = "/files/{*path}", params(("path" = String, Path)))]
async fn download() {}

async fn owns(_: CheckRequest<'_>) -> bool {
    true
}

#[requires(check = owns)]
#[utoipa::path(get, path = "/carts/{id}", params(("id" = u64, Path)))]
async fn cart() {}

#[requires(schemes("Cookie"), authenticated)]
#[utoipa::path(get, path = "/everything")]
async fn everything() {}

/// How the shop is doing.
#[requires(role = "owner", hide_as = 404, hide_unless = authenticated)]
#[utoipa::path(get, path = "/statistics", tag = "back office",
    responses((status = 200, body = Statistics, description = "All of it.")))]
async fn statistics() {}

#[requires(role = "owner", max_age = "5m")]
#[utoipa::path(put, path = "/statistics", tag = "back office", request_body = Statistics)]
async fn correct() {}

#[requires(schemes("ApiKey"), role = "backup", hide_as = 404)]
async fn backup() {}

#[requires(scope = "stock")]
async fn stock() {}

#[requires(schemes(Digest), authenticated)]
struct Pictures;

#[public(reason = "there is nothing")]
async fn not_found() {}

/// Answered by the service below `/pictures`.
#[expect(dead_code)]
#[utoipa::path(get, path = "/pictures/logo.png", responses((status = 200, description = "A logo.")))]
fn logo() {}

/// Answered by the router that is unguarded.
#[expect(dead_code)]
#[utoipa::path(get, path = "/ops/queue", security(("ticket" = [])), responses((status = 200, description = "The queue.")))]
fn queue() {}

/// An order.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Order {
    number: u64,
    article: Article,
}

/// What is sold.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Article {
    name: String,
}

/// What is wrong with a request.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Complaint {
    field: String,
}

/// What only the owner sees.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Statistics {
    sold: Article,
    sent: Parcel,
    margin: Margin,
}

/// What only the owner sees, too.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Margin {
    percent: u8,
}

/// What nobody refers to, and is documented all the same.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Event {
    parcel: Parcel,
}

/// What is sent.
#[derive(ToSchema)]
#[expect(dead_code)]
struct Parcel {
    weight: u32,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Shop", version = "1"),
    paths(
        healthz, show, place, cancel, me, metrics, reports, report, transfer, download, cart, everything,
        statistics, correct, logo, queue
    ),
    components(schemas(Event)),
    tags((name = "orders", description = "Orders"), (name = "back office", description = "Owner only")),
    modifiers(&Ticket),
)]
struct Shop;

/// What the unguarded router asks for by itself.
struct Ticket;

impl utoipa::Modify for Ticket {
    fn modify(&self, document: &mut OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
        let ticket = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-ticket")));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("ticket", ticket);
    }
}

/// The document as its authors wrote it.
pub fn written() -> OpenApi {
    Shop::openapi()
}

pub fn routes() -> GuardedRouter {
    let pictures =
        tower::service_fn(|_request: Request| async { Ok::<_, Infallible>("a picture") });
    let orders = GuardedRouter::new()
        .route("/", post(place))
        .route("/{id}", get(show).delete(cancel));
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .nest("/orders", orders)
        .route("/me", get(me))
        .route("/metrics", get(metrics))
        .route("/reports", get(reports).post(report))
        .route("/transfers", post(transfer))
        .route("/files/{*rest}", get(download))
        .route("/carts/{id}", get(cart))
        .route("/everything", any(everything))
        .route("/statistics", get(statistics).put(correct))
        .route("/backup/{day}/{*files}", get(backup))
        .route("/stock/{article}", get(stock).patch(stock))
        .nest_service("/pictures", Pictures, pictures)
        .nest(
            "/ops",
            GuardedRouter::new().merge_unguarded(
                "asks for a ticket by itself",
                &["/*"],
                Router::new(),
            ),
        )
        .fallback(not_found)
}

/// A space that accepts every scheme there is.
pub fn space() -> ProtectionSpace {
    let bearer = Bearer::jwt(verifier())
        .accept_query()
        .accept_form()
        .client_certificate(CertificateSource::connection());
    let dpop = Dpop::jwt(verifier()).origin("https://shop.example");
    let basic = Basic::new(async |_, _| Caller::rejected());
    let digest = Digest::builder("shop").look_up(async |_, _| Ok(None));
    let keys = ApiKeys::builder().key("a key that nobody knows", Identity::new("ann"));
    let urls = SignedUrls::builder().key("2026-11", &[7; 32]);
    let sessions = Sessions::builder().cookie("__Host-shop");
    ProtectionSpace::builder()
        .realm("shop")
        .scheme(bearer)
        .scheme(dpop.build().expect("DPoP"))
        .scheme(basic)
        .scheme(digest.build().expect("Digest"))
        .scheme(keys.build().expect("keys"))
        .scheme(urls.build().expect("secret URLs"))
        .scheme(sessions.build().expect("sessions"))
        .build()
        .expect("the space is in order")
}
