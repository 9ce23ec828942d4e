//! The service.

use std::net::SocketAddr;
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::schemes::{
    Bearer, Dpop, Introspection, Jwt, Redis, SharedTokenCache, TokenCache,
};
use auth_runtime::{Guard, GuardedRouter, ProtectedRouter, ProtectionSpace, public, requires};
use auth_tests::AUDIENCE;

use crate::faults::Addresses;
use crate::issuer;

/// The origin in the proofs of clients.
pub(crate) const ORIGIN: &str = "https://api.example";
/// The time for which a response of the introspection endpoint is cached.
pub(crate) const CACHED: Duration = Duration::from_secs(2);

#[public(reason = "liveness probe")]
async fn healthz() -> &'static str {
    "ok"
}

#[requires(scope = "read")]
async fn read(guard: Guard) -> String {
    guard.identity().subject().to_owned()
}

#[requires(scope = "write")]
async fn write() -> &'static str {
    "written"
}

#[requires(scope = "admin", hide_as = 404)]
async fn hidden() -> &'static str {
    "hidden"
}

#[requires(sender_constrained)]
async fn bound() -> &'static str {
    "bound"
}

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
}

impl Service {
    pub(crate) async fn start(addresses: &Addresses) -> Self {
        let app = app(addresses);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { address }
    }
}

fn app(addresses: &Addresses) -> ProtectedRouter {
    let redis = Redis::builder(&addresses.redis).build().expect("a URL");
    let jwt = Jwt::builder()
        .issuer(issuer::NAME)
        .audience(AUDIENCE)
        .jwks_url(format!("http://{}/keys", addresses.keys))
        .refresh_every(Duration::from_secs(8))
        .leeway(Duration::ZERO)
        .cache(TokenCache::new(1000, Duration::from_secs(60)))
        .build();
    let introspection = Introspection::builder()
        .endpoint(format!("http://{}/introspect", addresses.introspection))
        .client_secret("soak", "secret")
        .any_audience()
        .cache(TokenCache::new(1000, CACHED / 2))
        .shared_cache(SharedTokenCache::new(redis.clone(), [7; 32], CACHED))
        .build();
    let bearer = Bearer::jwt(jwt.expect("a verifier"))
        .opaque_tokens(Bearer::introspection(introspection.expect("a verifier")));
    let dpop = Dpop::jwt(auth_tests::verifier())
        .origin(ORIGIN)
        .replay_store(redis)
        .build();
    let space = ProtectionSpace::builder()
        .realm("soak")
        .scheme(bearer)
        .scheme(dpop.expect("a scheme"))
        .build();
    GuardedRouter::new()
        .route("/healthz", get(healthz))
        .route("/read", get(read))
        .route("/write", get(write))
        .route("/hidden", get(hidden))
        .route("/bound", get(bound))
        .protect(space.expect("a space"))
        .expect("the routes are in order")
}
