//! Clients that hang up while a key is fetched.

use tokio::sync::Notify;

use super::*;

/// They neither end the fetch nor cause further ones.
#[tokio::test]
async fn clients_that_hang_up_share_fetch() {
    let (count, begin) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counting, begun) = (Arc::clone(&count), Arc::clone(&begin));
    let slow = async move || {
        counting.fetch_add(1, Ordering::Relaxed);
        begun.notified().await;
        pair().public_key_pem()
    };
    let keys = Router::new().route("/keys/{kid}", axum::routing::get(slow));
    let keys = format!("http://{}/keys/", serve(keys).await);
    let app = app_for(builder().load_balancer_keys(&keys));
    let token = padded(&header(json!({})), &user());
    for _ in 1..=20 {
        let has_arrived = async {
            while count.load(Ordering::Relaxed) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            biased;
            response = caller_of(&app, &token) => panic!("{response:?}"),
            () = has_arrived => {}
        }
    }
    begin.notify_one();
    assert_eq!(caller_of(&app, &token).await.0, 200);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}
