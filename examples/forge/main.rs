//! A small code forge. Run `cargo run --example forge` and paste its `curl` lines.
//!
//! - `cargo run --example forge -- --tour` sends them.
//! - `-- --table` prints the access table, `-- --matrix` the access matrix.
//! - `-- --report > access.html` writes a page of both.
//! - `-- --openapi` writes an OpenAPI document, with the hidden operations.

#[path = "tests/support/mod.rs"]
mod support;
mod tour;

use std::net::SocketAddr;

use auth_forge::routes;
use auth_runtime_audit::{AccessMatrix, AccessReport};
use utoipa::openapi::{InfoBuilder, OpenApi, Paths};

use crate::support::Demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let option = std::env::args().nth(1);
    let table = routes().access_table();
    match option.as_deref() {
        None | Some("--tour") => {}
        Some("--table") => {
            print!("{table}");
            return Ok(());
        }
        Some("--matrix") => {
            print!("{}", matrix().await?);
            return Ok(());
        }
        Some("--report") => {
            let matrix = matrix().await?;
            let report = AccessReport::new(&table).with_matrix(&matrix);
            println!("{}", report.to_html());
            return Ok(());
        }
        Some("--openapi") => {
            let demo = Demo::new()?;
            let space = demo.space(demo.forge.cedar()?)?;
            let info = InfoBuilder::new().title("A small forge").version("1");
            let document = OpenApi::new(info.build(), Paths::new());
            let document = auth_runtime_audit::internal_openapi(&table, &space, document)?;
            println!("{document:#}");
            return Ok(());
        }
        Some(unknown) => {
            return Err(format!(
                "there is no `{unknown}`; there are --tour, --table, --matrix, --report and --openapi"
            )
            .into());
        }
    }
    let demo = Demo::new()?;
    let (listener, base) = auth_tour::listen().await?;
    let space = demo.space(demo.forge.cedar()?)?;
    let app = demo
        .forge
        .app(space)?
        // The address of the connection is that of the proxy. Without it, no caller is in the network of the staff.
        .into_make_service_with_connect_info::<SocketAddr>();

    if auth_tour::is_tour() {
        tokio::spawn(async move { axum::serve(listener, app).await });
        return tokio::task::block_in_place(|| tour::go(&base, &demo.people));
    }
    tour::print(&base, &demo.people);
    println!("serving on {base}; Ctrl-C stops it");
    axum::serve(listener, app).await?;
    Ok(())
}

async fn matrix() -> Result<AccessMatrix, Box<dyn std::error::Error>> {
    let demo = Demo::new()?;
    demo.access_matrix(demo.forge.cedar()?).await
}
