//! The same input to this framework and to a reference that others wrote and many use.
//!
//! | module | reference | comparison |
//! |---|---|---|
//! | `jwt` | `jose` (npm), PyJWT | 2 000 tokens, most of them odd: accepted or rejected, and the subject |
//! | `dpop` | `oauth4webapi` | proofs of its client, and odd proofs as its resource server judges them |
//! | `digest` | Apache httpd's `mod_auth_digest` | odd `Authorization: Digest` fields |
//! | `basic` | Apache httpd's `mod_auth_basic`, curl, `http-auth` | odd `Authorization: Basic` fields, and those of clients |
//! | `challenges` | `http-auth` | the challenges that this framework writes |
//! | `forwarded` | nginx's `realip` | lists in `X-Forwarded-For` |
//!
//! A specification decides each disagreement. Those in which this framework is right, or free to choose, stand in
//! the table of the module with their reason. A disagreement that is not in the table fails the test, and so
//! does a row of the table without one.
//!
//! Not part of `cargo test --workspace`, since it needs more than Rust: `cargo test -p auth-tests --test
//! differential` installs the references (npm, pip, Debian packages).

mod apache;
mod basic;
mod challenges;
mod digest;
mod dpop;
mod forwarded;
mod jwt;
mod known;
mod server;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use auth_tests::programs::set_up;

/// Returns the folder with the references from npm and pip, and their scripts.
fn lab() -> &'static Path {
    static LAB: OnceLock<PathBuf> = OnceLock::new();
    LAB.get_or_init(|| set_up(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients")))
}
