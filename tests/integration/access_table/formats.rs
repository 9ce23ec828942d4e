//! The table as text, Markdown and JSON.

use super::*;

/// The line numbers change with this file. Another test compares them.
fn without_lines(text: &str) -> String {
    let line = regex_lite::Regex::new(r"\.rs:[0-9]+").expect("a pattern");
    line.replace_all(text, ".rs:_").into_owned()
}

#[test]
fn text_has_columns() {
    let expected = r#"
METHOD    PATH                   POLICY                                                       DENIALS  HANDLER                   SOURCE
fallback  /*                     public(reason = "tells \"nothing\" | not even `why`")        none     integration::access_table::not_found   tests/integration/access_table.rs:_
GET       /healthz               public(reason = "liveness probe")                            none     integration::access_table::healthz     tests/integration/access_table.rs:_
POST      /log                   requires(role = "auditor")                                   shown    integration::access_table::Log         tests/integration/access_table.rs:_
any       /ops/*                 unguarded(reason = "for the scraper")                        none     -                         tests/integration/access_table.rs:_
any       /v1/repos              requires(any(role = "admin", network = "192.0.2.0/24"))      shown    integration::access_table::everything  tests/integration/access_table.rs:_
fallback  /v1/repos/*            public(reason = "another 404")                               none     integration::access_table::Elsewhere (service)   tests/integration/access_table.rs:_
GET       /v1/repos/{id}         requires(scope = "repo:read", hide_as = 404)                 hidden   integration::access_table::show        tests/integration/access_table.rs:_
PUT       /v1/repos/{id}         requires(scope = "repo:write")                               hidden   integration::access_table::change      tests/integration/access_table.rs:_
any       /v1/repos/{id}/files/* requires(authenticated)                                      shown    integration::access_table::Files (service)      tests/integration/access_table.rs:_

note: fallback /v1/repos/* also responds to percent-encoded spellings of /v1/repos/{id}/files/*, for more callers
"#;
    let shown = without_lines(&router().access_table().to_string());
    let squeeze = |text: &str| {
        let lines = text.trim().lines();
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        words.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(squeeze(&shown), squeeze(expected), "\n{shown}");
    let columns = |line: &str| line.find("tests/integration").or(line.find("SOURCE"));
    let first = shown.lines().next().and_then(columns);
    assert!(first.is_some());
    for line in shown.lines().take_while(|line| !line.is_empty()) {
        assert_eq!(columns(line), first, "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn markdown_has_no_foreign_markup() {
    let markdown = without_lines(&router().access_table().to_markdown());
    assert_eq!(
        markdown,
        r##"| method | path | policy | denials | handler | source |
|---|---|---|---|---|---|
| fallback | `/*` | <code>public&#40;reason &#61; &#34;tells &#92;&#34;nothing&#92;&#34; &#124; not even &#96;why&#96;&#34;&#41;</code> | none | `integration::access_table::not_found` | `tests/integration/access_table.rs:_` |
| GET | `/healthz` | `public(reason = "liveness probe")` | none | `integration::access_table::healthz` | `tests/integration/access_table.rs:_` |
| POST | `/log` | `requires(role = "auditor")` | shown | `integration::access_table::Log` | `tests/integration/access_table.rs:_` |
| any | `/ops/*` | `unguarded(reason = "for the scraper")` | none | `-` | `tests/integration/access_table.rs:_` |
| any | `/v1/repos` | `requires(any(role = "admin", network = "192.0.2.0/24"))` | shown | `integration::access_table::everything` | `tests/integration/access_table.rs:_` |
| fallback | `/v1/repos/*` | `public(reason = "another 404")` | none | `integration::access_table::Elsewhere (service)` | `tests/integration/access_table.rs:_` |
| GET | `/v1/repos/{id}` | `requires(scope = "repo:read", hide_as = 404)` | hidden | `integration::access_table::show` | `tests/integration/access_table.rs:_` |
| PUT | `/v1/repos/{id}` | `requires(scope = "repo:write")` | hidden | `integration::access_table::change` | `tests/integration/access_table.rs:_` |
| any | `/v1/repos/{id}/files/*` | `requires(authenticated)` | shown | `integration::access_table::Files (service)` | `tests/integration/access_table.rs:_` |

- `fallback /v1/repos/*` also responds to percent-encoded spellings of `/v1/repos/{id}/files/*`, for more callers
"##
    );
}

#[test]
fn json_is_complete() {
    let table = router().access_table();
    let count = serde_json::to_value(&table).expect("JSON");
    assert_eq!(count.as_array().expect("a list").len(), 9);
    let line = |path: &str, method| row(&table, method, path)["line"].clone();
    assert_eq!(
        row(&table, Some("GET"), "/v1/repos/{id}"),
        json!({
            "kind": "route",
            "method": "GET",
            "path": "/v1/repos/{id}",
            "written": "requires(scope = \"repo:read\", hide_as = 404)",
            "policy": "requires(scope = \"repo:read\", hide_as = 404)",
            "hidden": true,
            "public_reason": null,
            "unguarded_reason": null,
            "handler": "integration::access_table::show",
            "endpoint_kind": "handler",
            "covers": [],
            "file": "tests/integration/access_table.rs",
            "line": line("/v1/repos/{id}", Some("GET")),
        })
    );
    assert_eq!(
        row(&table, None, "/ops/*"),
        json!({
            "kind": "unguarded",
            "method": null,
            "path": "/ops/*",
            "written": "unguarded(reason = \"for the scraper\")",
            "policy": null,
            "hidden": false,
            "public_reason": null,
            "unguarded_reason": "for the scraper",
            "handler": null,
            "endpoint_kind": null,
            "covers": [],
            "file": "tests/integration/access_table.rs",
            "line": MERGED,
        })
    );
    assert_eq!(
        row(&table, Some("GET"), "/healthz")["public_reason"],
        "liveness probe"
    );
    assert_eq!(row(&table, None, "/*")["kind"], "fallback");
    assert_eq!(
        row(&table, None, "/v1/repos/{id}/files/*")["kind"],
        "subtree"
    );
}

#[test]
fn rows_name_the_location() {
    let table = router().access_table();
    let source = include_str!("../access_table.rs");
    let mut guarded = 0;
    for row in table.rows() {
        let Some(location) = row.location() else {
            continue;
        };
        guarded += 1;
        let name = location.handler().rsplit("::").next().expect("a name");
        let at = usize::try_from(row.line()).expect("a line") - 1;
        let line = source.lines().nth(at).expect("a line");
        assert!(
            line.contains(&format!("fn {name}(")) || line == format!("struct {name};"),
            "{location}: {line}"
        );
    }
    assert_eq!(guarded, 8);
}

#[test]
fn paths_cannot_imitate_rows() {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/a  requires(role = \"admin\")", get(healthz))
        .route("/b\nGET /c", get(healthz));
    let table = router.access_table().to_string();
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(
        table.contains(r#" /a\u{20}\u{20}requires(role\u{20}=\u{20}"admin")  public("#),
        "{table}"
    );
    assert!(table.contains(r" /b\u{a}GET\u{20}/c "), "{table}");
}
