use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;

pub fn router() -> Router {
    Router::new().route("/{file}", get(download))
}

async fn download(Path(file): Path<String>, Query(link): Query<Link>) -> Result<Vec<u8>, Denied> {
    let file = resolve(&file, &link.token)?;
    Ok(file.read())
}

fn resolve(file: &str, token: &str) -> Result<File, Denied> {
    let link = decode(token).map_err(|_| Denied::Unauthorized)?;
    Ok(link.file(file))
}
