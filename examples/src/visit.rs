//! A tour of pages: the requests of a browser, and the expected responses.

use auth_runtime::ProtectedRouter;
use auth_tour::Rows;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use ureq::Agent;
use ureq::http::Response;

use crate::Result;

/// An action in a browser.
#[derive(Clone, Copy)]
pub enum Visit {
    /// Navigates to a page.
    Page,
    /// Fetches a URL from the script of a page.
    Script,
    /// Submits a form of a page.
    Form(&'static str),
    /// Opens a page of another site, which submits a form.
    ElsewhereForm(&'static str),
}

/// Serves `app` on a free port and takes the tour. Each step has a person, an action and the
/// expected response: a status, followed by the challenge or the target of a redirect.
///
/// Each person keeps the received cookies.
///
/// # Errors
///
/// A response differs from the expected one.
pub async fn visit(app: ProtectedRouter, tour: &[(&str, Visit, &str, &str)]) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    tokio::task::block_in_place(|| go(address, tour))
}

fn go(address: SocketAddr, tour: &[(&str, Visit, &str, &str)]) -> Result<()> {
    let client: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A server may close a connection without reading a body. A client that reuses the
        // connection may detect that too late (RFC 9112 §9.5).
        .max_idle_connections(0)
        .build()
        .into();
    let mut cookies: BTreeMap<&str, String> = BTreeMap::new();
    let request_of = |(_, visit, path, _): &(&str, Visit, &str, &str)| {
        let action = match visit {
            Visit::Page => "page",
            Visit::Script => "script of a page",
            Visit::Form(_) => "form",
            Visit::ElsewhereForm(_) => "form of another site",
        };
        format!("{action}: {path}")
    };
    let mut rows = Rows::new(tour.iter().map(|row| (request_of(row), row.0)));
    for row in tour {
        let (who, visit, path, expected) = row;
        let url = format!("http://{address}{path}");
        let cookie = cookies.get(who).map_or("", String::as_str);
        let response = send(&client, *visit, &url, cookie)?;
        if let Some(line) = field(&response, "set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let is_removed = line.contains("Max-Age=0");
            cookies.insert(who, if is_removed { "" } else { pair }.to_owned());
        }
        rows.print(&request_of(row), who, &show(&response), expected);
    }
    rows.finish()
}

fn send(
    client: &Agent,
    visit: Visit,
    url: &str,
    cookie: &str,
) -> Result<Response<ureq::Body>, ureq::Error> {
    let (mode, site) = match visit {
        Visit::Page => ("navigate", "none"),
        Visit::Script => ("cors", "same-origin"),
        Visit::Form(_) => ("navigate", "same-origin"),
        Visit::ElsewhereForm(_) => ("navigate", "cross-site"),
    };
    match visit {
        Visit::Page | Visit::Script => client
            .get(url)
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-site", site)
            .header("cookie", cookie)
            .call(),
        Visit::Form(form) | Visit::ElsewhereForm(form) => client
            .post(url)
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-site", site)
            .header("cookie", cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form),
    }
}

fn show(response: &Response<ureq::Body>) -> String {
    let status = response.status().as_u16();
    match (
        field(response, "location"),
        field(response, "www-authenticate"),
    ) {
        (Some(place), _) => format!("{status} to {place}"),
        (None, Some(challenge)) => format!("{status} {challenge}"),
        (None, None) => status.to_string(),
    }
}

fn field<'r>(response: &'r Response<ureq::Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}
