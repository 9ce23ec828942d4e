//! Every requirement of the RFCs as a vector: a request with certain credentials against a policy,
//! and the expected response over a socket.
//!
//! Runs `vectors.json` in this folder, or the file in `CONFORMANCE_VECTORS`. Vectors in
//! `skipped.json` are reported as ignored, with the reason.

mod certificates;
mod compile;
mod credentials;
mod digest;
mod expect;
mod header;
mod http_vectors;
mod introspection;
mod metadata;
mod policies;
mod proofs;
mod sessions;
mod skipped;
mod vector;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::skipped::Skipped;
use crate::vector::{Kind, Vectors};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let vectors: &'static Vectors = Box::leak(Box::new(Vectors::read()));
    let skipped = Skipped::read();
    skipped.assert_used(vectors);

    let trials = vectors.vectors.iter().map(|vector| {
        if let Some(reason) = skipped.reason(vector, vectors) {
            let name = format!("{} skipped: {reason}", vector.id);
            return Trial::test(name, || Ok(())).with_ignored_flag(true);
        }
        let run = move || {
            let outcome = match &vector.kind {
                Kind::Http(http) => http_vectors::run(vector, http, vectors),
                Kind::Header(header) => header::run(header),
                Kind::Metadata(metadata) => metadata::run(metadata),
                Kind::Compile(compile) => compile::run(vector, compile, vectors),
                Kind::Compute(compute) => digest::compute(compute),
                Kind::Gateway { .. } => Err("no runner for vectors of this kind".to_owned()),
            };
            outcome.map_err(|difference| {
                Failed::from(format!("{}: {}\n{difference}", vector.id, vector.about))
            })
        };
        Trial::test(format!("{} {}", vector.id, vector.about), run)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
