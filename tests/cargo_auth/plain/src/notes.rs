use axum::Router;
use axum_extra::routing::{RouterExt, TypedPath};

#[derive(TypedPath)]
#[typed_path("/{id}")]
struct Note {
    id: u64,
}

pub fn router() -> Router {
    Router::new().typed_get(read).typed_delete(remove)
}

async fn read(note: Note) {}

async fn remove(note: Note, user: crate::caller::Caller) {
    let is_owner = user.0 == note.owner();
    if !is_owner {
        return forbidden();
    }
    note.remove();
}
