//! The file of an access matrix: each input is one, in which `{matrix}` is the right one.

use std::collections::BTreeSet;

use auth_runtime::routing::get;
use auth_runtime::schemes::ApiKeys;
use auth_runtime::{GuardedRouter, Identity, ProtectionSpace, public, requires};
use auth_runtime_audit::{AccessMatrix, Persona};
use http::HeaderName;
use tokio::runtime::Builder;

use super::requests::fill;
use crate::{Check, Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "access_matrix",
    cost: 5,
    dictionary: &[
        "{matrix}",
        "| method | path | anonymous | ann |\n",
        "|---|---|---|---|\n",
        "| GET | `/secret` | 404 hidden | 404 hidden |\n",
        "| GET | `/secret` | 200 | 200 |\n",
        "| GET | `/own` | 401 | 200 |\n",
        "| GET | `/own` | 200 | 200 |\n",
        "- anonymous: no credentials\n",
        "- ann: known\n",
        "| ",
        " | ",
        " |",
        "401",
        "200",
        "`/own`",
        "anonymous",
        "<<<<<<< HEAD\n",
        "=======\n",
        ">>>>>>> other\n",
        "\r\n",
    ],
    start,
};

/// The key of Ann.
const KEY: &str = "k-4f1c0b6e9a8d47d2";

#[public(reason = "liveness probe")]
async fn health() {}

#[requires(authenticated)]
async fn own() {}

#[requires(scope = "admin", hide_as = 404)]
async fn secret() {}

fn start() -> Check {
    let keys = ApiKeys::builder().key(KEY, Identity::new("ann"));
    let space = ProtectionSpace::builder()
        .realm("fuzz")
        .scheme(keys.build().expect("a key"));
    let space = space.build().expect("a space");
    let routes = GuardedRouter::new()
        .route("/health", get(health))
        .route("/own", get(own).post(own))
        .route("/secret", get(secret));
    let ann = Persona::known("ann", Identity::new("ann"));
    let matrix = AccessMatrix::builder(&routes.access_table(), &space)
        .persona(Persona::anonymous())
        .persona(ann.header(HeaderName::from_static("x-api-key"), KEY));
    let app = routes.protect(space).expect("a router");
    let runtime = Builder::new_current_thread().enable_all().build();
    let matrix = runtime.expect("a runtime").block_on(matrix.send(&app));
    let matrix = matrix.expect("a matrix");
    let markdown = matrix.to_markdown();
    let expected = cells(&markdown);
    let folder = tempfile::tempdir().expect("a folder");
    Box::new(move |input| {
        let file = folder.path().join("access.md");
        let text = fill(input, &[("matrix", &markdown)]);
        let check = |text: &[u8]| {
            std::fs::write(&file, text).expect("it can be written");
            matrix.check(&file)
        };
        let checked = check(&text);
        if checked.is_ok() {
            let text = String::from_utf8_lossy(&text);
            assert_eq!(cells(&text), expected, "{text}");
        }
        // A comment changes nothing.
        let with_comment = [&text[..], b"\n\nA comment.\n"].concat();
        assert_eq!(check(&with_comment).is_ok(), checked.is_ok());
        let is_granted = checked.is_ok();
        let message = checked.err().map(|error| error.to_string());
        let headings = message.iter().flat_map(|text| text.lines());
        let headings = headings.filter(|line| !line.starts_with(' ') && !line.contains('`'));
        Outcome::of(headings.collect::<Vec<_>>()).of_decision(is_granted)
    })
}

/// The personas and the cells of a file, each with its row and its column.
fn cells(text: &str) -> BTreeSet<Vec<String>> {
    let mut cells = BTreeSet::new();
    let mut heading: Option<Vec<&str>> = None;
    for line in text.lines() {
        let line = line.trim_end();
        if let Some((name, about)) = line
            .strip_prefix("- ")
            .and_then(|line| line.split_once(": "))
        {
            cells.insert(vec![name.to_owned(), about.to_owned()]);
        }
        if !line.starts_with("| ") {
            continue;
        }
        let row: Vec<&str> = line.trim_matches('|').trim().split(" | ").collect();
        match &heading {
            None => heading = Some(row),
            Some(heading) => {
                for (name, cell) in heading.iter().zip(&row).skip(2) {
                    let cell = [row[0], row.get(1).unwrap_or(&""), name, cell];
                    cells.insert(cell.map(str::to_owned).to_vec());
                }
            }
        }
    }
    cells
}
