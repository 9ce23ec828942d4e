//! Clients that hang up while a key is fetched.

use super::*;

#[tokio::test]
async fn clients_that_hang_up_cause_few_requests() {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let silent = move || {
        counting.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<StatusCode>()
    };
    let keys = Router::new().route("/keys/{kid}", axum::routing::get(silent));
    let keys = format!("http://{}/keys/", serve(keys).await);
    let app = app_for(builder().load_balancer_keys(&keys));
    let token = padded(&header(json!({})), &user());
    for sent in 1..=8 {
        let has_arrived = async {
            while count.load(Ordering::Relaxed) < sent {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            response = caller_of(&app, &token) => panic!("{response:?}"),
            () = has_arrived => {}
        }
    }
    assert_eq!(caller_of(&app, &token).await.0, 503);
    assert_eq!(count.load(Ordering::Relaxed), 8);
}
