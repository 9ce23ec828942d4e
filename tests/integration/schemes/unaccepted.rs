//! Credentials of a scheme that the policy does not accept count as none, on hidden paths too.

use std::sync::{Arc, Mutex};

use auth_runtime::Denied;
use axum::extract::ConnectInfo;
use http::header::CACHE_CONTROL;

use crate::schemes::*;

/// A scheme with one word for each caller, in `Authorization`.
struct Words {
    name: &'static str,
    is_pending: bool,
}

impl Scheme for Words {
    fn name(&self) -> &str {
        self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Authorization]
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        let caller = match credentials.value() {
            "other-request" => Caller::Rejected(Rejection::RequestMismatch),
            "expired" => Caller::Rejected(Rejection::Expired),
            "down" => Caller::unverifiable(),
            name => Caller::known(Identity::new(name)),
        };
        if self.is_pending {
            return Verification::pending(async move {
                tokio::task::yield_now().await;
                caller
            });
        }
        Verification::done(caller)
    }

    fn granted_fields(&self, _: &http::HeaderMap) -> Vec<(http::HeaderName, HeaderValue)> {
        let name = http::HeaderName::from_static("x-granted-by");
        vec![(name, HeaderValue::try_from(self.name).expect("a name"))]
    }
}

const CACHED: [(http::HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=60")];

#[requires(any(network = "10.0.0.0/8", role = "admin"), schemes("Alpha"))]
async fn shown() -> ([(http::HeaderName, &'static str); 1], &'static str) {
    (CACHED, "a page")
}

#[requires(
    any(network = "10.0.0.0/8", role = "admin"),
    schemes("Alpha"),
    hide_as = 404
)]
async fn hidden() -> ([(http::HeaderName, &'static str); 1], &'static str) {
    (CACHED, "a page")
}

#[requires(any(network = "10.0.0.0/8", role = "admin"), schemes("Alpha"))]
async fn shown_object(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

#[requires(
    any(network = "10.0.0.0/8", role = "admin"),
    schemes("Alpha"),
    hide_as = 404
)]
async fn hidden_object(guard: Guard) -> Result<(), Denied> {
    guard.permit(false)
}

type Records = Arc<Mutex<Vec<(&'static str, Option<String>)>>>;

fn app(is_pending: bool) -> (ProtectedRouter, Records) {
    let records = Records::default();
    let kept = Arc::clone(&records);
    let words = |name| Words { name, is_pending };
    let space = ProtectionSpace::builder().realm("api");
    let space = space.scheme(words("Alpha")).scheme(words("Beta"));
    let space = space.audit(move |record| {
        let caller = record.caller().map(|caller| format!("{caller:?}"));
        let record = (record.outcome().name(), caller);
        kept.lock().expect("no panic").push(record);
    });
    let app = GuardedRouter::new()
        .route("/shown", get(shown))
        .route("/hidden", get(hidden))
        .route("/shown/object", get(shown_object))
        .route("/hidden/object", get(hidden_object))
        .protect(space.build().expect("the space is valid"));
    (app.expect("the router is valid"), records)
}

/// Returns status, fields and body of the response to a caller in the network.
async fn seen(
    app: &ProtectedRouter,
    path: &str,
    word: Option<&str>,
) -> (u16, http::HeaderMap, String) {
    let mut request = Request::get(path).body(Body::empty()).expect("a request");
    let peer = std::net::SocketAddr::from(([10, 1, 1, 1], 1));
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(word) = word {
        let value = HeaderValue::try_from(format!("Beta {word}")).expect("a value");
        request.headers_mut().insert("authorization", value);
    }
    let response = app.clone().oneshot(request).await.expect("infallible");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, text(response).await)
}

#[tokio::test]
async fn unaccepted_credentials_count_as_none() {
    for is_pending in [false, true] {
        let (app, records) = app(is_pending);
        for path in ["/shown", "/hidden"] {
            let without = seen(&app, path, None).await;
            assert_eq!(without.0, 200, "{path}");
            assert_eq!(without.1[CACHE_CONTROL], "private, max-age=60", "{path}");
            for word in ["bob", "other-request", "expired", "down"] {
                let with = seen(&app, path, Some(word)).await;
                assert_eq!(with, without, "{path} {word} {is_pending}");
            }
        }
        for path in ["/shown/object", "/hidden/object"] {
            records.lock().expect("no panic").clear();
            seen(&app, path, None).await;
            let without = records.lock().expect("no panic").clone();
            assert!(!without.is_empty(), "{path}");
            for word in ["bob", "other-request", "expired", "down"] {
                records.lock().expect("no panic").clear();
                seen(&app, path, Some(word)).await;
                let with = records.lock().expect("no panic").clone();
                assert_eq!(with, without, "{path} {word} {is_pending}");
            }
        }
    }
}
