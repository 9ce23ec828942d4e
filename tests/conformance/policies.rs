//! A service for each policy of the vectors.

use auth_tests::App;
use axum::ServiceExt;
use std::net::SocketAddr;

use auth_runtime::clock::Clock;
use auth_runtime::policy::{IpNet, Network};
use auth_runtime::resource::ProtectedResource;
use auth_runtime::routing::{GuardedMethodRouter, get};
use auth_runtime::schemes::{ApiKeys, Bearer, CertificateSource, Dpop, Introspection, Sessions};
use auth_runtime::{
    Caller, ClientAddress, GuardedRouter, Identity, ProtectionSpace, Requirement, UnknownPaths,
    public, requires,
};
use auth_tests::policy_of;
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::CorsLayer;
use tower_sessions::SessionManagerLayer;

use crate::credentials::{ISSUER, users, verifier};
use crate::digest;
use crate::proofs::{NONCE_KEY, ORIGIN};
use crate::sessions;
use crate::vector::{Policy, Scope};

#[public(reason = "the vectors want one")]
async fn public_handler() -> &'static str {
    "granted"
}

/// A handler for each policy, found by the requirement.
macro_rules! handler_table {
    ($($name:ident ($($policy:tt)*))*) => {
        $(
            mod $name {
                use super::*;

                #[requires($($policy)*)]
                pub(super) async fn handler() -> &'static str {
                    "granted"
                }
            }
        )*

        fn handler_for(policy: &auth_runtime::Policy) -> Option<GuardedMethodRouter> {
            $(
                if policy_of::<$name::policy_of_handler>() == policy {
                    return Some(get($name::handler).post($name::handler));
                }
            )*
            None
        }
    };
}

handler_table! {
    known (authenticated)
    read (scope = "read")
    read_and_write (scope = "read", scope = "write")
    read_and_admin (scope = "read", scope = "admin")
    admin (scope = "admin")
    read_or_admin (any(scope = "read", scope = "admin"))
    read_by_hierarchy (any(scope = "read", scope = "admin", scope = "write"))
    ops (role = "ops")
    hidden_admin (scope = "admin", hide_as = 404)
    hidden_ops (role = "ops", hide_as = 404)
    strong (acr = "urn:lab:mfa")
    fresh (max_age = "5m")
    strong_and_fresh (acr = "urn:lab:mfa", max_age = "5m", scope = "admin")
    bound (sender_constrained)
    nobody (network = "192.0.2.1/32")
}

/// Returns the policy of a vector.
fn policy(wanted: &Policy) -> auth_runtime::Policy {
    let mut parts = Vec::new();
    if wanted.deny {
        // A network without callers.
        static BLOCKS: [IpNet; 1] = [IpNet::V4(ipnet::Ipv4Net::new_assert(
            std::net::Ipv4Addr::new(192, 0, 2, 1),
            32,
        ))];
        parts.push(Requirement::network(Network::new("192.0.2.1/32", &BLOCKS)));
    }
    let any = |parts: Vec<Requirement>| match parts.as_slice() {
        [only] => only.clone(),
        _ => Requirement::any(parts),
    };
    let all = |parts: Vec<Requirement>| match parts.as_slice() {
        [only] => only.clone(),
        _ => Requirement::all(parts),
    };
    for acr in &wanted.acr {
        parts.push(Requirement::acr(leak(acr)));
    }
    if let Some(seconds) = wanted.max_age {
        parts.push(Requirement::max_age(std::time::Duration::from_secs(
            seconds,
        )));
    }
    let scope = |scope: &String| {
        let mut enough = vec![Requirement::scope(leak(scope))];
        enough.extend(implying(scope, wanted).map(Requirement::scope));
        any(enough)
    };
    match &wanted.scope {
        Some(Scope::All(scopes)) => parts.extend(scopes.iter().map(scope)),
        Some(Scope::Any(ways)) => {
            let ways = ways.iter().map(|way| all(way.iter().map(scope).collect()));
            parts.push(any(ways.collect()));
        }
        None => {}
    }
    if wanted.mtls {
        parts.push(Requirement::sender_constrained());
    }
    if let Some(role) = &wanted.role {
        parts.push(Requirement::role(leak(role)));
    }
    if parts.is_empty() {
        parts.push(Requirement::authenticated());
    }
    let policy = auth_runtime::Policy::requires(all(parts));
    match wanted.hide_as {
        Some(404) => policy.hide_as_not_found(),
        _ => policy,
    }
}

/// Returns the scopes that imply `scope` in the vocabulary, directly or through others.
fn implying(scope: &str, wanted: &Policy) -> impl Iterator<Item = &'static str> {
    let mut found = vec![scope.to_owned()];
    loop {
        let before = found.len();
        for (broader, narrower) in &wanted.implies {
            if narrower.iter().any(|one| found.contains(one)) && !found.contains(broader) {
                found.push(broader.clone());
            }
        }
        if found.len() == before {
            break;
        }
    }
    let mut broader = found.split_off(1);
    broader.sort();
    broader.into_iter().map(|scope| leak(&scope))
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// The differences of a vector's service from others with the same policy.
#[derive(Clone, Default)]
pub(crate) struct Circumstances {
    /// Keys cannot be fetched, so no token can be verified.
    pub(crate) verifier_is_down: bool,
    /// The verifier of opaque tokens.
    pub(crate) introspection: Option<Introspection>,
    /// The clock of Digest.
    pub(crate) clock: Clock,
    /// The source of client certificates.
    pub(crate) certificates: Option<CertificateSource>,
    /// The store of sessions.
    pub(crate) sessions: Option<sessions::Store>,
    /// A layer around the service makes responses storable, unless they forbid it.
    pub(crate) storing_layer: bool,
}

fn space(wanted: &Policy, circumstances: &Circumstances) -> Result<ProtectionSpace, String> {
    let mut builder = ProtectionSpace::builder().client_address(ClientAddress::socket());
    if let Some(realm) = &wanted.realm {
        builder = builder.realm(realm);
    }
    if let Some(url) = &wanted.resource_metadata {
        let identifier = url.replace("/.well-known/oauth-protected-resource", "");
        let resource = ProtectedResource::builder(identifier).authorization_server(ISSUER);
        builder = builder.resource(resource.build().map_err(|error| error.to_string())?);
    }
    for scheme in &wanted.schemes {
        builder = match scheme.as_str() {
            "bearer" if circumstances.verifier_is_down => {
                builder.scheme(Bearer::new(async |_token| Caller::unverifiable()))
            }
            "bearer" if wanted.introspect => {
                let introspection = circumstances.introspection.clone();
                let introspection = introspection.ok_or("nobody is there to be asked")?;
                builder.scheme(Bearer::introspection(introspection))
            }
            "dpop" => builder.scheme(dpop(wanted)?),
            "digest" => builder.scheme(digest::scheme(wanted, circumstances.clock.clone())?),
            "bearer" => {
                let mut bearer = Bearer::jwt(verifier());
                if wanted.token_in.iter().any(|place| place == "query") {
                    bearer = bearer.accept_query();
                }
                if wanted.token_in.iter().any(|place| place == "body") {
                    bearer = bearer.accept_form();
                }
                if let Some(source) = &circumstances.certificates {
                    bearer = bearer.client_certificate(source.clone());
                }
                builder.scheme(bearer)
            }
            "basic" => builder.scheme(users()),
            "cookie" => {
                let sessions = Sessions::builder().cookie(COOKIE);
                let sessions = match &wanted.login {
                    Some(page) => sessions.login_page(page),
                    None => sessions,
                };
                builder.scheme(sessions.build().map_err(|error| error.to_string())?)
            }
            other => return Err(format!("there is no scheme {other}")),
        };
    }
    if wanted.schemes.is_empty() {
        // A space has to accept a scheme, so this one accepts credentials that no vector sends.
        let keys =
            ApiKeys::builder().key("a-key-that-no-vector-sends-to-anybody", Identity::new("x"));
        let keys = keys.build().map_err(|error| error.to_string())?;
        builder = builder.realm("none").scheme(keys);
    }
    if wanted.hide.as_deref() == Some("forbidden") {
        builder = builder.unknown_paths(UnknownPaths::Challenge);
    }
    builder.build().map_err(|error| error.to_string())
}

/// The name in the vectors.
const COOKIE: &str = "session";

fn dpop(wanted: &Policy) -> Result<Dpop, String> {
    let dpop = Dpop::jwt(verifier()).origin(ORIGIN);
    let names = wanted.dpop.algs.iter().map(String::as_str);
    let dpop = dpop.algorithms(names);
    let dpop = if wanted.dpop.nonce {
        dpop.nonces_with_key(NONCE_KEY)
    } else {
        dpop
    };
    dpop.build().map_err(|error| error.to_string())
}

/// Returns a service with `/r` behind the policy.
pub(crate) fn service(wanted: &Policy, circumstances: Circumstances) -> Result<Router, String> {
    let space = space(wanted, &circumstances)?;
    let is_public = wanted.schemes.is_empty() && !wanted.deny;
    let policy = policy(wanted);
    let handler = if is_public {
        Some(get(public_handler))
    } else {
        handler_for(&policy)
    };
    let mut app = match handler {
        Some(handler) => {
            let router = GuardedRouter::new().route("/r", handler).protect(space);
            let router = router.map_err(|error| error.to_string())?;
            router.into_router("the other arm is a plain router")
        }
        None if std::env::var_os("CONFORMANCE_VECTORS").is_none() => {
            return Err(format!("no handler has the policy {policy}"));
        }
        // A policy of other vectors, without a handler above. It is evaluated without a router.
        None => Router::new().route(
            "/r",
            axum::routing::any(async move |request: Request| {
                let (head, _body) = request.into_parts();
                match space.authorize(&policy, &head).await {
                    Ok(_) => "granted".into_response(),
                    Err(denied) => denied.map(axum::body::Body::from).into_response(),
                }
            }),
        ),
    };
    if let Some(cors) = &wanted.cors {
        let origin: HeaderValue = cors.origin.parse().map_err(|_| "no origin")?;
        app = app.layer(
            CorsLayer::new()
                .allow_origin(origin)
                .allow_methods([Method::GET])
                .allow_headers([AUTHORIZATION, HeaderName::from_static("dpop")])
                .expose_headers([WWW_AUTHENTICATE, HeaderName::from_static("dpop-nonce")]),
        );
    }
    if let Some(store) = circumstances.sessions {
        let sessions = Sessions::builder().cookie(COOKIE).build();
        let sessions = sessions.map_err(|error| error.to_string())?;
        let cookies = sessions.cookie_layer(store.clone());
        app = app.layer(SessionManagerLayer::new(store).with_name(COOKIE));
        app = app.layer(cookies);
    }
    if circumstances.storing_layer {
        app = app.layer(
            tower_http::set_header::SetResponseHeaderLayer::if_not_present(
                http::header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=60"),
            ),
        );
    }
    Ok(app)
}

/// Serves on a free port as long as the runtime lives, with the addresses of clients.
pub(crate) async fn serve(app: impl App) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let app = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(app);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}
