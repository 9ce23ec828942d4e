//! Hidden paths, and differences from unknown paths.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn distinguishable_hidden_path_is_found() {
    let telltale = from_fn(async |request: Request, next: axum::middleware::Next| {
        let is_there = request.uri().path() == "/repos/7";
        let mut response = next.run(request).await;
        if is_there {
            let soon = HeaderValue::from_static("soon");
            response.headers_mut().insert("x-archived", soon);
        }
        response
    });
    let builder = short_matrix()
        .persona(Persona::anonymous())
        .persona(expired())
        .persona(reader());
    let matrix = builder.send(&short_app().layer(telltale)).await;
    let matrix = matrix.expect("a matrix");
    let found: Vec<_> = matrix.differences().collect();
    assert_eq!(found.len(), 2, "{found:#?}");
    let (row, persona, difference) = found[0];
    assert_eq!(
        (row.row().path(), persona.name()),
        ("/repos/{id}", "anonymous")
    );
    assert!(
        difference.starts_with(
            "the policy conceals the route, but the response differs from an unknown \
             path; its response is\n      HTTP/1.1 404 Not Found\n"
        ) && difference.contains("      x-archived: soon\n"),
        "{difference}"
    );
    assert!(
        matrix
            .to_markdown()
            .contains("| ≠ 404 hidden | ≠ 401 hidden | 200 |")
    );
}

#[public(reason = "it responds by itself")]
struct Elsewhere;

#[tokio::test]
async fn concealed_object_is_its_own_response() {
    let space = space();
    let routes = || {
        let inner = GuardedRouter::new().route("/{id}", get(show));
        let inner = inner.layer(map_response(async |response: Response| response));
        // The fallback is a router with authorizers of its own.
        let elsewhere = GuardedRouter::new()
            .fallback(no_repo)
            .protect(auth_tests::space());
        GuardedRouter::new()
            .nest("/n", inner)
            .fallback_service(Elsewhere, elsewhere.expect("a router"))
    };
    let table = routes().access_table();
    let app = routes().protect(space.clone()).expect("a router");
    let stranger = Identity::new("stranger").with_scopes(["repo:read"]);
    let matrix = AccessMatrix::builder(&table, &space)
        .path_value("id", "7")
        .persona(known("stranger", stranger))
        .persona(Persona::anonymous());
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let markdown = matrix.to_markdown();
    let row = "| GET | `/n/{id}` | 404 own | 404 hidden |";
    assert!(markdown.contains(row), "{markdown}");
}

#[tokio::test]
async fn changing_fields_are_ignored() {
    let count = Arc::new(AtomicUsize::new(0));
    let numbered = map_response(move |mut response: Response| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        response.headers_mut().insert("x-number", number.into());
        std::future::ready(response)
    });
    let space = || {
        let dpop = Dpop::jwt(verifier()).origin("https://api.example").nonces();
        ProtectionSpace::builder()
            .realm("api")
            .scheme(dpop.build().expect("it is in order"))
            .build()
            .expect("a space")
    };
    let app = short().protect(space()).expect("a router").layer(numbered);
    let matrix = AccessMatrix::builder(&short().access_table(), &space()).path_value("id", "7");
    let forged = Persona::rejected("forged").header(AUTHORIZATION, "DPoP forged");
    let found = differences(app, matrix.persona(Persona::anonymous()).persona(forged)).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn a_clock_that_ticks_tells_nothing() {
    // For every state of the counter.
    for start in 0..5 {
        let count = Arc::new(AtomicUsize::new(start));
        let dated = map_response(move |mut response: Response| {
            let now = count.fetch_add(1, Ordering::Relaxed) / 5;
            response.headers_mut().insert("x-now", now.into());
            std::future::ready(response)
        });
        let builder = short_matrix().persona(Persona::anonymous());
        let found = differences(short_app().layer(dated), builder).await;
        assert!(found.is_empty(), "{start}: {found:#?}");
    }
}

#[tokio::test]
async fn leak_beside_changing_fields_is_found() {
    let count = Arc::new(AtomicUsize::new(0));
    let described = from_fn(move |request: Request, next: axum::middleware::Next| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        async move {
            let error = match request.uri().path() {
                "/repos/7" => "not yours",
                _ => "not there",
            };
            match next.run(request).await {
                response if response.status() == StatusCode::NOT_FOUND => {
                    let body = Json(json!({ "error": error, "request": number }));
                    (StatusCode::NOT_FOUND, body).into_response()
                }
                response => response,
            }
        }
    });
    let builder = short_matrix().persona(Persona::anonymous());
    let found = differences(short_app().layer(described), builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[tokio::test]
async fn hidden_path_of_parameters_has_neighbour() {
    let routes = || {
        GuardedRouter::new()
            .route("/{owner}", get(show))
            .route("/{owner}/{repo}", get(show).put(change))
            .route("/{owner}/{repo}/{branch}", get(show))
    };
    let matrix = AccessMatrix::builder(&routes().access_table(), &space())
        .path_value("owner", "ann")
        .path_value("repo", "maps")
        .path_value("branch", "main");
    let app = routes().protect(space()).expect("a router");
    let found = differences(app, matrix.persona(Persona::anonymous())).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn no_unknown_path_means_no_hiding() {
    let routes = || {
        GuardedRouter::new()
            .route("/{*rest}", get(show))
            .route("/", get(healthz))
    };
    let matrix =
        AccessMatrix::builder(&routes().access_table(), &space()).path_value("rest", "a/b c");
    let app = routes().protect(space()).expect("a router");
    assert_eq!(
        differences(app, matrix.persona(Persona::anonymous())).await,
        [
            "GET /{*rest}, anonymous: the policy conceals the route, but every path beside it is \
             routed"
        ]
    );
}

#[tokio::test]
async fn hidden_paths_match_unknown_path_setting() {
    let space = || {
        let builder = space_builder().unknown_paths(UnknownPaths::Challenge);
        builder.build().expect("a space")
    };
    let routes = || short().fallback(not_found);
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space()).path_value("id", "7");
    let matrix = matrix
        .persona(Persona::anonymous())
        .persona(known("nobody", Identity::new("bob")));
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let markdown = matrix.to_markdown();
    assert!(markdown.contains("| GET | `/repos/{id}` | 401 hidden | 404 hidden |"));
    assert!(markdown.contains("| fallback | `/*` | 401 unknown | 404 unknown |"));
    // A matrix for a space without challenges on unknown paths.
    let matrix = AccessMatrix::builder(&routes().access_table(), &auth_tests::space());
    let matrix = matrix.path_value("id", "7").persona(Persona::anonymous());
    let found = differences(app, matrix).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("fallback /*, anonymous"), "{found:#?}");
}

#[tokio::test]
async fn a_longer_body_is_found() {
    let longer = from_fn(async |request: Request, next: axum::middleware::Next| {
        let is_there = request.uri().path() == "/repos/7";
        let response = next.run(request).await;
        if !is_there {
            return response;
        }
        let (mut head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 4096).await.expect("a body");
        head.headers.remove("content-length");
        let body = [&body[..], b"\nnot yours"].concat();
        Response::from_parts(head, axum::body::Body::from(body))
    });
    let builder = short_matrix().persona(Persona::anonymous());
    let found = differences(short_app().layer(longer), builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("GET /repos/{id}, anonymous: the policy conceals the route, but"),
        "{found:#?}"
    );
}

/// The fallback may be a large page.
#[tokio::test]
async fn bodies_of_a_megabyte_are_compared() {
    const MIB: usize = 1 << 20;
    for (length, last, expected) in [
        (MIB, "x", None),
        (MIB, "y", Some("differs from an unknown path")),
        (MIB + 1, "x", Some("has a body that cannot be read")),
    ] {
        let enlarge = from_fn(move |request: Request, next: axum::middleware::Next| {
            let last = if request.uri().path() == "/repos/7" {
                last
            } else {
                "x"
            };
            async move {
                let response = next.run(request).await;
                if response.status() != StatusCode::NOT_FOUND {
                    return response;
                }
                let mut head = response.into_parts().0;
                head.headers.remove("content-length");
                let body = "x".repeat(length - 1) + last;
                Response::from_parts(head, axum::body::Body::from(body))
            }
        });
        let builder = short_matrix().persona(Persona::anonymous());
        let found = differences(short_app().layer(enlarge), builder).await;
        let shown = found.first().map(String::as_str).unwrap_or_default();
        assert_eq!(
            found.len(),
            usize::from(expected.is_some()),
            "{length}: {shown}"
        );
        assert!(
            shown.contains(expected.unwrap_or_default()),
            "{length}: {shown}"
        );
    }
}

/// A difference that does not occur again is a coincidence.
#[tokio::test]
async fn a_difference_has_to_occur_again() {
    for (times, expected) in [(1, 0), (2, 0), (3, 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let late = from_fn(move |request: Request, next: axum::middleware::Next| {
            let is_there = request.uri().path() == "/repos/7" && request.method() == Method::GET;
            let is_late = is_there && count.fetch_add(1, Ordering::Relaxed) < times;
            async move {
                let mut response = next.run(request).await;
                if is_late {
                    let field = HeaderValue::from_static("1");
                    response.headers_mut().insert("x-late", field);
                }
                response
            }
        });
        let builder = short_matrix().persona(Persona::anonymous());
        let found = differences(short_app().layer(late), builder).await;
        assert_eq!(found.len(), expected, "{times}: {found:#?}");
    }
}
