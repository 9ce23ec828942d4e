//! The valid session of the vectors.

use auth_runtime::Identity;
use auth_runtime::schemes::Sessions;
use tower_sessions::Session;

/// The store of sessions.
pub(crate) use tower_sessions::MemoryStore as Store;

/// Returns a store with one logged-in session, and the value of its cookie.
pub(crate) async fn start() -> Result<(Store, String), String> {
    let store = Store::default();
    let session = Session::new(None, std::sync::Arc::new(store.clone()), None);
    let logged_in = Sessions::log_in(&session, &Identity::new("alice")).await;
    logged_in.map_err(|error| error.to_string())?;
    session.save().await.map_err(|error| error.to_string())?;
    let id = session.id().ok_or("a session that was saved has an id")?;
    Ok((store, id.to_string()))
}
