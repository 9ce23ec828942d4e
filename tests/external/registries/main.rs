//! Clients of registries: curl in the steps of docker, skopeo, and cargo, each with a service of its own.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust: `cargo test -p auth-tests --test registries`
//! installs curl and skopeo (Debian packages).

mod cargo;
mod container;
mod curl;
mod skopeo;

use std::process::Command;

use axum::response::Response;
use tokio::runtime::Runtime;

/// Serves as long as the runtime lives, and returns its base URL.
fn serve(runtime: &Runtime, app: impl auth_tests::App) -> String {
    format!("http://{}", runtime.block_on(auth_tests::serve(app)))
}

/// The output of a command, with its errors, and whether it succeeded.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let texts = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    (output.status.success(), texts.concat())
}

/// The path with its query, of a response that moves the client.
fn location(status: u16, target: &str) -> Response {
    let response = http::Response::builder()
        .status(status)
        .header("location", target);
    response
        .body(axum::body::Body::empty())
        .expect("a response")
}
