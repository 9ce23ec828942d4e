//! The contents of the access report. `access_report_page` tests it in a browser.

use auth_runtime::routing::AccessTable;
use auth_runtime::routing::{any, get};
use auth_runtime::{GuardedRouter, Identity, ProtectedRouter, public, requires};
use auth_runtime_audit::{AccessMatrix, AccessReport, Persona};
use auth_tests::{space, token};
use axum::Router;
use axum::http::header::AUTHORIZATION;
use axum::middleware::map_response;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

#[public(reason = "</script><script>alert(1)</script> \"'")]
async fn healthz() {}

#[requires(scope = "repo:read", hide_as = 404, hide_unless = permission("audit"))]
async fn show() {}

#[requires(any(role = "<admin>", network = "192.0.2.0/24"))]
async fn everything() {}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/<img src=x onerror=alert(1)>", get(healthz))
        .route("/{{style}}", get(healthz))
        .route("/repos/{id}", get(show))
        .route("/all", any(everything))
        .merge_unguarded("'\"</title>", &["/*"], Router::new())
}

/// Returns the page, without the places to break a line.
fn page(table: &AccessTable) -> String {
    AccessReport::new(table).to_html().replace("<wbr>", "")
}

/// Returns the text between two others, which occur once each.
fn between<'t>(page: &'t str, start: &str, end: &str) -> &'t str {
    let mut parts = page.split(start);
    let after = parts.nth(1).expect("a start");
    assert_eq!(parts.next(), None, "{start} twice");
    after.split(end).next().expect("an end")
}

#[test]
fn page_policy_allows_own_script_only() {
    let page = page(&routes().access_table());
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    assert_eq!(
        between(&page, "Content-Security-Policy\" content=\"", "\">"),
        format!(
            "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
            hash(between(&page, "<style>", "</style>")),
            hash(between(&page, "<script>", "</script>")),
        )
    );
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
    assert!(!page.contains('\r'));
}

#[test]
fn source_text_is_escaped() {
    let page = page(&routes().access_table());
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("<img").count(), 0);
    assert_eq!(page.matches("</title>").count(), 1);
    for text in [
        "public(reason = &quot;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; \\&quot;'&quot;)",
        "<code>/&lt;img\\u{20}src=x\\u{20}onerror=alert(1)&gt;</code>",
        "<code>/{{style}}</code>",
        "<option value=\"role = &quot;&lt;admin&gt;&quot;\" data-index=\"1\">role = \
         &quot;&lt;admin&gt;&quot;</option>",
        "unguarded(reason = &quot;'\\&quot;&lt;/title&gt;&quot;)",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
}

#[test]
fn every_row_is_in_the_page() {
    let table = routes().access_table();
    let page = page(&table);
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("<tr role=\"row\" data-"))
        .collect();
    assert_eq!(rows.len(), table.rows().len());
    assert!(page.contains("<p>5 rows: 2 public, 1 hidden, 1 unguarded.</p>"));
    let show = rows
        .iter()
        .find(|row| row.contains("integration::access_report::show"))
        .expect("a row");
    for text in [
        "data-method=\"GET\"",
        "data-text=\"/repos/{id} integration::access_report::show\"",
        // The indices of the options, in the order permission, role, scope.
        "data-asks=\"0 2\"",
        "data-access=\"guarded hidden\"",
        "<span class=\"hidden\">hidden</span>",
        "<code>requires(scope = &quot;repo:read&quot;, hide_as = 404, hide_unless = \
         permission(&quot;audit&quot;))</code>",
        "<code class=\"source\">tests/integration/access_report.rs:",
    ] {
        assert!(show.contains(text), "{text}\n{show}");
    }
    // The denials are hidden, shown, or none, and can be filtered.
    let denials = |handler: &str| {
        let row = rows.iter().find(|row| row.contains(handler));
        let cell = "<td role=\"cell\" data-label=\"Denials\">";
        between(row.expect("a row"), cell, "</td>")
    };
    assert_eq!(denials("access_report::everything"), "shown");
    assert_eq!(denials("access_report::healthz"), "none");
    assert_eq!(denials("unguarded("), "none");
    let filter = |name: &str| {
        let select = format!("<select id=\"{name}\" name=\"{name}\">");
        between(&page, &select, "</select>")
    };
    assert_eq!(
        filter("method"),
        "<option value=\"\">all</option><option value=\"GET\" data-index=\"0\">GET</option><option \
         value=\"any\" data-index=\"1\">any</option>"
    );
    assert_eq!(
        filter("access"),
        "<option value=\"\">all</option><option value=\"public\">public</option><option \
         value=\"guarded\">guarded</option><option value=\"hidden\">hidden</option><option \
         value=\"shown\">guarded, not hidden</option><option value=\"unguarded\">unguarded</option>"
    );
    // Without a matrix, no persona can be selected.
    assert_eq!(
        between(&page, "<caption>", "</caption>"),
        "Every route and its policy"
    );
    assert!(!page.contains("id=\"persona\"") && !page.contains("Responses"));
}

#[requires(role = "admin")]
struct Files;

#[requires(role = "admin")]
struct Api;

#[requires(authenticated)]
async fn listing() {}

/// The report has each fact of the table as text.
#[test]
fn page_contains_notes_and_services() {
    let fixed = axum::routing::any(async || "a file");
    let routes: GuardedRouter = GuardedRouter::new()
        .nest_service("/<b>", Files, fixed)
        .nest_service("/api", Api, Router::new())
        .route("/{*path}", get(healthz))
        .route("/repos/secret", get(show))
        .route("/repos/{id}", get(listing));
    let table = routes.access_table();
    let page = page(&table);
    for text in [
        "<code>GET /{*path}</code> also responds to percent-encoded spellings of <code>/&lt;b&gt;/*</code>",
        "the hidden path <code>/repos/secret</code> is revealed: without it, <code>GET \
         /repos/{id}</code> would respond",
        "<code>integration::access_report::Files (service)</code>",
        "<code>integration::access_report::Api (router)</code>",
        "<code>integration::access_report::listing</code>",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let notes = between(&page, "<ul class=\"notes\" aria-label=\"Notes\">", "</ul>");
    let of_text = table.to_string().matches("\nnote: ").count();
    assert_eq!(notes.matches("<li>").count(), of_text);
    let summary = page.find("5 rows: ").expect("a summary");
    assert!(
        (summary..page.find("<table").expect("a table"))
            .contains(&page.find("<ul").expect("notes"))
    );
}

#[test]
fn table_without_rows_is_page() {
    let empty: GuardedRouter = GuardedRouter::new();
    let page = page(&empty.access_table());
    assert!(page.contains("<p>0 rows: 0 public, 0 hidden, 0 unguarded.</p>"));
    assert!(!page.contains("<ul"));
}

fn routes_to_ask() -> GuardedRouter {
    GuardedRouter::new()
        .route("/all", any(everything))
        .route("/repos/{id}", get(show))
}

async fn matrix(app: ProtectedRouter) -> AccessMatrix {
    let token = token(json!({ "scope": "repo:read" }));
    let reader = Identity::new("rita").with_scopes(["repo:read"]);
    let reader = Persona::known("<i>reader", reader);
    AccessMatrix::builder(&routes_to_ask().access_table(), &space())
        .path_value("id", "7")
        .persona(Persona::anonymous())
        .persona(reader.header(AUTHORIZATION, format!("Bearer {token}")))
        .send(&app)
        .await
        .expect("a matrix")
}

#[tokio::test]
async fn page_shows_all_responses() {
    let app = routes_to_ask().protect(space()).expect("a router");
    let matrix = matrix(app).await;
    // The matrix does not have this route yet.
    let table = routes_to_ask().route("/new", get(healthz)).access_table();
    let page = AccessReport::new(&table).with_matrix(&matrix).to_html();
    for text in [
        "<li class=\"out\" data-persona=\"0\">anonymous <b>401</b></li>\
         <li class=\"out\" data-persona=\"1\">&lt;i&gt;reader <b>403</b></li>",
        "<li class=\"out hidden\" data-persona=\"0\">anonymous <b>404 hidden</b></li>\
         <li class=\"in\" data-persona=\"1\">&lt;i&gt;reader <b>200</b></li>",
        "<td role=\"cell\" data-label=\"Responses\">not requested</td>",
        "<option value=\"&lt;i&gt;reader\" data-index=\"1\">&lt;i&gt;reader</option>",
        "<dt>&lt;i&gt;reader</dt><dd>known: scope &quot;repo:read&quot;</dd>",
        "<dt>hidden</dt><dd>denied: concealed by the response of an unknown path</dd>",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert_eq!(
        between(&page, "<caption>", "</caption>"),
        "Every route and its policy, and the response to each persona"
    );
    assert!(page.contains("<th scope=\"col\" role=\"columnheader\">Responses</th>"));
    assert!(!page.contains("class=\"differences\""));
    assert!(!page.contains("<i>"));
}

#[tokio::test]
async fn page_starts_with_the_exceptions() {
    let app = routes_to_ask().protect(space()).expect("a router");
    let app = app.layer(map_response(async |response: Response| {
        (axum::http::StatusCode::BAD_GATEWAY, response.into_body())
    }));
    let matrix = matrix(app).await;
    let table = routes_to_ask().access_table();
    let page = AccessReport::new(&table).with_matrix(&matrix).to_html();
    let list = between(&page, "<section class=\"differences\"", "</section>");
    assert_eq!(list.matches("<li>").count(), 2, "{list}");
    assert!(
        list.contains(
            "<li>any /all, anonymous: <pre>the policy denies with 401 without credentials"
        )
    );
    assert!(
        list.contains("<li>any /all, &lt;i&gt;reader: <pre>the policy denies with 403"),
        "{list}"
    );
    assert!(list.contains("role = &quot;&lt;admin&gt;&quot;") && !list.contains("<admin>"));
    assert!(
        page.contains("<li class=\"out differs\" data-persona=\"0\">anonymous <b>≠ 502</b></li>")
    );
}

#[tokio::test]
async fn each_method_has_its_own_responses() {
    let routes = || GuardedRouter::new().route("/both", get(healthz).put(everything));
    let table = routes().access_table();
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&table, &space())
        .persona(Persona::anonymous())
        .send(&app)
        .await
        .expect("a matrix");
    let page = AccessReport::new(&table).with_matrix(&matrix).to_html();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("<tr role=\"row\" data-"));
    let responses = rows.map(|row| {
        let method = between(row, " data-method=\"", "\"");
        (method, between(row, "anonymous <b>", "</b>"))
    });
    let responses: Vec<_> = responses.collect();
    assert_eq!(responses, [("GET", "200"), ("PUT", "401")]);
}

/// A denial of another method of a hidden path is concealed as well.
#[test]
fn methods_of_hidden_paths_are_hidden() {
    let routes: GuardedRouter =
        GuardedRouter::new().route("/both", get(show).put(everything).post(healthz));
    let page = page(&routes.access_table());
    let rows = page
        .lines()
        .filter(|line| line.starts_with("<tr role=\"row\" data-"));
    let accesses = rows.map(|row| {
        let method = between(row, " data-method=\"", "\"");
        (method, between(row, " data-access=\"", "\""))
    });
    let mut accesses: Vec<_> = accesses.collect();
    accesses.sort_unstable();
    assert_eq!(
        accesses,
        [
            ("GET", "guarded hidden"),
            ("POST", "public"),
            ("PUT", "guarded hidden"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn missing_response_is_not_denial() {
    let app = routes_to_ask().protect(space()).expect("a router");
    let silent = axum::middleware::from_fn(
        async |_: axum::extract::Request, _: axum::middleware::Next| -> Response {
            std::future::pending().await
        },
    );
    let matrix = matrix(app.layer(silent)).await;
    let table = routes_to_ask().access_table();
    let page = AccessReport::new(&table).with_matrix(&matrix).to_html();
    let cell = "<li class=\"none differs\" data-persona=\"0\">anonymous <b>≠ unanswered</b></li>";
    assert!(page.contains(cell), "{page}");
}
