//! The authorization server for opaque tokens: a socket that responds according to RFC 7662, or
//! violates it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

use auth_runtime::clock::Clock;
use auth_runtime::schemes::Introspection;
use axum::response::IntoResponse;
use axum::{Form, Json, Router};
use http::StatusCode;
use serde_json::json;

use crate::credentials::AUDIENCE;

/// Starts the endpoint for the credentials of this name. It runs as long as its runtime.
pub(crate) async fn start(credential: &str, clock: Clock) -> Result<Introspection, String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("loopback has a free port");
    let address: SocketAddr = listener.local_addr().expect("it is bound");
    let refuses_us = credential == "opaque.401";
    let now = {
        let clock = clock.clone();
        move || {
            let since = clock.now().duration_since(UNIX_EPOCH);
            since.expect("after 1970").as_secs()
        }
    };
    let begun = now();
    let answer = async move |Form(form): Form<HashMap<String, String>>| {
        if refuses_us {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let active = |expiry: u64| {
            let is_active = expiry > now();
            json!({ "active": is_active, "sub": "alice", "scope": "read", "aud": AUDIENCE, "exp": expiry })
        };
        let token = form.get("token").map_or("", String::as_str);
        Json(match token {
            "opaque-active" => active(now() + 600),
            // An expired token that the server still reports as active.
            "opaque-expired" => {
                json!({ "active": true, "sub": "alice", "scope": "read", "aud": AUDIENCE, "exp": now() - 600 })
            }
            "opaque-aud" => {
                json!({ "active": true, "sub": "alice", "scope": "read", "aud": "https://other.example" })
            }
            "opaque-cached" => active(begun + 2),
            _ => json!({ "active": false }),
        })
        .into_response()
    };
    if credential != "opaque.down" {
        let app = Router::new().route("/introspect", axum::routing::post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    let introspection = Introspection::builder()
        .endpoint(format!("http://{address}/introspect"))
        .client_secret("api", "secret")
        .audience(AUDIENCE)
        .clock(clock);
    introspection.build().map_err(|error| error.to_string())
}
