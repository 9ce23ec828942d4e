//! A key server whose status changes.

use super::*;

/// A key server that has the key until it is switched to another status.
pub(super) struct Switched {
    pub(super) keys: String,
    pub(super) is_switched: Arc<AtomicBool>,
    pub(super) requests: Arc<AtomicUsize>,
}

impl Switched {
    pub(super) async fn to(status: StatusCode) -> Self {
        let is_switched = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(AtomicUsize::new(0));
        let (switched, counting) = (Arc::clone(&is_switched), Arc::clone(&requests));
        let key = move || {
            counting.fetch_add(1, Ordering::Relaxed);
            let answer = match switched.load(Ordering::Relaxed) {
                true => (status, String::new()),
                false => (StatusCode::OK, pair().public_key_pem()),
            };
            async move { answer }
        };
        let server = Router::new().route("/{kid}", axum::routing::get(key));
        let keys = format!("http://{}/", serve(server).await);
        Self {
            keys,
            is_switched,
            requests,
        }
    }
}
