//! A tour of the forge: the requests of several callers, with the expected responses.

use auth_tour::Rows;
use ureq::Agent;
use ureq::http::Request;

use crate::support::people::Person;

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

struct Stop {
    who: &'static str,
    method: &'static str,
    path: &'static str,
    /// JSON; empty without a body.
    body: &'static str,
    /// The status, and the first challenge, if any.
    expected: &'static str,
}

#[rustfmt::skip]
const TOUR: &[Stop] = &[
    // Public routes.
    stop("anonymous", "GET", "/explore", "", "200"),
    stop("anonymous", "GET", "/users/ann", "", "200"),
    stop("anonymous", "GET", "/user", "", r#"401 Bearer realm="forge", scope="user:read""#),
    stop("late", "GET", "/user", "", r#"401 Bearer realm="forge", scope="user:read", error="invalid_token", error_description="the access token expired""#),
    stop("ann", "GET", "/user", "", "200"),
    // A suspended account: another login would change nothing.
    stop("sue", "GET", "/user", "", r#"403 Bearer realm="forge""#),

    // A private repository is visible to its readers only.
    stop("ann", "GET", "/repos/ann/vault", "", "200"),
    stop("rae", "GET", "/repos/ann/vault", "", "200"),
    stop("bot", "GET", "/repos/ann/vault", "", "200"),
    stop("stu", "GET", "/repos/ann/vault", "", "404"),
    stop("stu", "GET", "/repos/ann/nowhere", "", "404"),
    stop("sue", "GET", "/repos/ann/vault", "", "404"),
    stop("anonymous", "GET", "/repos/ann/vault", "", "404"),
    stop("stu", "GET", "/search/issues?q=door", "", "200"),

    // A reader receives the reason of a denial, and the missing scope of the token.
    stop("rae", "POST", "/repos/ann/vault/issues", r#"{"title": "The hinges squeak"}"#, "201"),
    stop("rae", "PUT", "/repos/ann/vault/pulls/2/merge", "", r#"403 Bearer realm="forge""#),
    stop("reading", "PUT", "/repos/ann/vault/pulls/2/merge", "", r#"403 Bearer realm="forge", scope="repo:write", error="insufficient_scope", error_description="the access token lacks a required scope""#),
    stop("stu", "PUT", "/repos/ann/vault/pulls/2/merge", "", "404"),
    stop("wes", "PUT", "/repos/ann/vault/pulls/2/merge", "", "204"),
    stop("wes", "PUT", "/repos/ann/vault/pulls/2/merge", "", "409"),
    stop("rae", "PATCH", "/repos/ann/vault/comments/1", r#"{"body": "It is open."}"#, r#"403 Bearer realm="forge""#),
    stop("wes", "PUT", "/repos/ann/vault/collaborators/stu", r#"{"level": "read"}"#, r#"403 Bearer realm="forge""#),
    stop("ann", "PUT", "/repos/ann/vault/collaborators/stu", r#"{"level": "read"}"#, "204"),
    stop("stu", "GET", "/repos/ann/vault", "", "200"),
    stop("ann", "GET", "/repos/ann/vault/issues/99", "", "404"),

    // A team of an organization.
    stop("tim", "GET", "/repos/guild/ledger", "", "200"),
    stop("tim", "POST", "/orgs/guild/teams", r#"{"slug": "smiths"}"#, r#"403 Bearer realm="forge""#),

    // A secret gist, and a missing one.
    stop("stu", "GET", "/gists/1", "", "200"),
    stop("stu", "GET", "/gists/2", "", "404"),
    stop("stu", "GET", "/gists/3", "", "404"),

    // A personal token is not a login.
    stop("bot", "POST", "/user/tokens", r#"{"name": "more", "scopes": ["gist"], "days": 1}"#, r#"401 Bearer realm="forge", scope="user:write""#),
    stop("ann", "POST", "/user/tokens", r#"{"name": "more", "scopes": ["gist"], "days": 1}"#, "201"),

    // The staff.
    stop("ann", "GET", "/admin/users", "", "404"),
    stop("mo", "GET", "/admin/users", "", "200"),
    stop("mo", "GET", "/admin/settings", "", "404"),
    stop("mo", "PUT", "/admin/users/stu/suspension", "", "204"),
    stop("stu", "GET", "/user", "", r#"403 Bearer realm="forge""#),
    stop("stale", "GET", "/admin/settings", "", "200"),
    stop("stale", "PUT", "/admin/settings/maintenance", r#"{"on": true}"#, r#"401 Bearer realm="forge", error="insufficient_user_authentication", max_age="900", error_description="the login is too old or too weak""#),
    stop("root", "PUT", "/admin/settings/maintenance", r#"{"on": true}"#, "204"),
    stop("root", "GET", "/admin/actions", "", "200"),
];

const fn stop(
    who: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    expected: &'static str,
) -> Stop {
    Stop {
        who,
        method,
        path,
        body,
        expected,
    }
}

/// The field that a proxy adds for a caller in the office.
const OFFICE: (&str, &str) = ("x-forwarded-for", "10.20.0.7");

/// Prints the `curl` lines of the tour.
pub(crate) fn print(base: &str, people: &[Person]) {
    for person in people {
        println!("# {}: {}", person.name(), person.about());
        if let Some(authorization) = person.authorization() {
            println!("{}='authorization: {authorization}'", person.name());
        }
    }
    for stop in TOUR {
        let method = match stop.method {
            "GET" => String::new(),
            method => format!(" -X {method}"),
        };
        let who = match stop.who {
            "anonymous" => String::new(),
            who => format!(" -H \"${who}\""),
        };
        let from = if stop.path.starts_with("/admin/") {
            format!(" -H '{}: {}'", OFFICE.0, OFFICE.1)
        } else {
            String::new()
        };
        let body = match stop.body {
            "" => String::new(),
            body => format!(" --json '{body}'"),
        };
        println!("\n# {}", stop.expected);
        println!("curl -i{method}{who}{from}{body} '{base}{}'", stop.path);
    }
    println!();
}

/// Sends the requests, and compares the responses.
pub(crate) fn go(base: &str, people: &[Person]) -> Result<()> {
    let client: Agent = Agent::config_builder()
        .http_status_as_error(false)
        // A server may close a connection without reading a body. A client that reuses the
        // connection may detect that too late (RFC 9112 §9.5).
        .max_idle_connections(0)
        .build()
        .into();
    let request_of = |stop: &Stop| format!("{} {}", stop.method, stop.path);
    let mut rows = Rows::new(TOUR.iter().map(|stop| (request_of(stop), stop.who)));
    for stop in TOUR {
        let seen = send(&client, base, people, stop)?;
        rows.print(&request_of(stop), stop.who, &seen, stop.expected);
    }
    rows.finish()
}

fn send(client: &Agent, base: &str, people: &[Person], stop: &Stop) -> Result<String> {
    let mut request = Request::builder()
        .method(stop.method)
        .uri(format!("{base}{}", stop.path))
        .header(OFFICE.0, OFFICE.1);
    let person = people.iter().find(|person| person.name() == stop.who);
    let person = person.ok_or("unknown caller in the tour")?;
    if let Some(authorization) = person.authorization() {
        request = request.header("authorization", authorization);
    }
    let response = match stop.body {
        "" => client.run(request.body(())?)?,
        body => {
            let request = request.header("content-type", "application/json");
            client.run(request.body(body)?)?
        }
    };
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate");
    Ok(match challenge {
        Some(challenge) => format!("{status} {}", challenge.to_str()?),
        None => status.to_string(),
    })
}
