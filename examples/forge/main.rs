//! A small code forge: `cargo run --example forge`, and then paste its `curl` lines; or `cargo run
//! --example forge -- --tour`, which sends them, or `-- --table`, which says who may call what.

mod tour;

use std::net::SocketAddr;

use auth_examples::Authority;
use auth_forge::{Forge, personas, routes};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| argument == "--table") {
        print!("{}", routes().access_table());
        return Ok(());
    }
    let authority = Authority::new()?;
    let forge = Forge::new()?;
    let people = personas(&forge, &authority).await?;
    let (listener, base) = auth_examples::listen().await?;
    let app = forge
        .app(&authority)?
        // The staff's network is known by the connection.
        .into_make_service_with_connect_info::<SocketAddr>();

    if auth_examples::is_tour() {
        tokio::spawn(async move { axum::serve(listener, app).await });
        return tokio::task::block_in_place(|| tour::go(&base, &people));
    }
    tour::print(&base, &people);
    println!("serving on {base}; Ctrl-C stops it");
    axum::serve(listener, app).await?;
    Ok(())
}
