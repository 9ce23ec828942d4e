//! The request of a cell.

use std::sync::{Arc, Mutex};

use axum::Extension;

use super::*;

#[tokio::test]
async fn login_redirect_is_a_denial() {
    let sessions = Sessions::builder().login_page("/login").build();
    let sessions = sessions.expect("sessions");
    let space = ProtectionSpace::builder().realm("shop").scheme(sessions);
    let space = space.build().expect("a space");
    let routes = || GuardedRouter::new().route("/account", get(account).post(create));
    let app = routes().protect(space.clone()).expect("a router");
    let browser = Persona::named("browser", Caller::Anonymous)
        .header(ACCEPT, "text/html")
        .header(SEC_FETCH_MODE, "navigate");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space)
        .persona(Persona::anonymous())
        .persona(browser);
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(!matrix.rows()[0].responses()[1].is_granted());
    let markdown = matrix.to_markdown();
    assert!(
        markdown.contains("| GET | `/account` | 401 | 303 login |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| POST | `/account` | 401 | 401 |"),
        "{markdown}"
    );
}

async fn any_is_denied(routes: fn() -> GuardedRouter) {
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(matrix.to_markdown().contains("| any | `/x` | 401 |"));
}

#[tokio::test]
async fn service_at_root_is_asked_there() {
    let routes = || GuardedRouter::new().nest_service("/", Files, Router::new());
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let markdown = matrix.to_markdown();
    assert!(markdown.contains("| any | `/*` | 401 |"), "{markdown}");
}

#[tokio::test]
async fn any_row_uses_an_unlisted_method() {
    let routes = || GuardedRouter::new().route("/x", any(account).get(healthz).put(healthz));
    any_is_denied(routes).await;
}

#[tokio::test]
async fn any_row_without_an_unlisted_method() {
    let routes = || {
        let all = any(account).get(healthz).post(healthz).put(healthz);
        let all = all.patch(healthz).delete(healthz).options(healthz);
        GuardedRouter::new().route("/x", all.head(healthz).trace(healthz))
    };
    any_is_denied(routes).await;
}

/// It is one that browsers and clients send, if the path has no other handler for it.
#[tokio::test]
async fn any_row_uses_an_ordinary_method() {
    #[public(reason = "a test")]
    async fn note(Extension(seen): Extension<Arc<Mutex<Vec<String>>>>, request: Request) {
        let note = format!("{} {}", request.method(), request.uri());
        seen.lock().expect("a list").push(note);
    }
    let routes = || {
        GuardedRouter::new()
            .route("/alone", any(note))
            .route("/beside", any(note).get(healthz).put(healthz))
    };
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let app = routes().protect(space()).expect("a router");
    let app = app.layer(Extension(Arc::clone(&seen)));
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    assert_eq!(matrix.expect("a matrix").differences().count(), 0);
    let seen = seen.lock().expect("a list").clone();
    assert_eq!(seen, ["GET /alone", "POST /beside"]);
}

#[tokio::test]
async fn each_route_receives_its_own_body() {
    #[public(reason = "a test")]
    async fn compare(request: Request) -> StatusCode {
        let expected = format!("{} {}", request.method(), request.uri());
        let body = axum::body::to_bytes(request.into_body(), 1 << 10).await;
        match body.expect("a body") == expected {
            true => StatusCode::OK,
            false => StatusCode::CONFLICT,
        }
    }
    let routes = || {
        GuardedRouter::new()
            .route("/a", post(compare).put(compare))
            .route("/b", post(compare).put(compare))
    };
    let app = routes().protect(space()).expect("a router");
    let mut matrix = AccessMatrix::builder(&routes().access_table(), &space());
    for path in ["/b", "/a"] {
        for method in [Method::PUT, Method::POST] {
            let body = format!("{method} {path}");
            matrix = matrix.body(method, path, "text/plain", body);
        }
    }
    let matrix = matrix.persona(Persona::anonymous()).send(&app).await;
    let matrix = matrix.expect("a matrix");
    for row in matrix.rows() {
        assert_eq!(row.responses()[0].to_string(), "200", "{row}");
    }
}

#[test]
fn debug_of_builder_has_no_credentials() {
    let secret = Persona::anonymous().header(AUTHORIZATION, "Bearer a-secret");
    let builder = short_matrix().persona(secret);
    assert_eq!(
        format!("{builder:?}"),
        r#"AccessMatrixBuilder { rows: 3, personas: [Persona { name: "anonymous", is: "no credentials", .. }], .. }"#
    );
}

#[tokio::test]
async fn removals_run_last() {
    #[public(reason = "a test")]
    async fn note(Extension(seen): Extension<Arc<Mutex<Vec<String>>>>, method: Method) {
        seen.lock().expect("a list").push(method.to_string());
    }
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let routes =
        || GuardedRouter::new().route("/x", get(note).delete(note).post(note).options(note));
    let table = routes().route("/a", auth_runtime::routing::delete(note).put(note));
    let app = table.access_table();
    let service = routes().route("/a", auth_runtime::routing::delete(note).put(note));
    let service = service.protect(space()).expect("a router");
    let service = service.layer(Extension(Arc::clone(&seen)));
    let matrix = AccessMatrix::builder(&app, &space()).persona(Persona::anonymous());
    let matrix = matrix.send(&service).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    let seen = seen.lock().expect("a list").clone();
    assert_eq!(seen, ["GET", "OPTIONS", "PUT", "POST", "DELETE", "DELETE"]);
}

/// The first persona removes the order, and the second one finds it again.
#[tokio::test]
async fn state_is_restored_for_each_cell() {
    #[public(reason = "a test")]
    async fn remove(Extension(orders): Extension<Arc<Mutex<Vec<u32>>>>) -> StatusCode {
        match orders.lock().expect("a list").pop() {
            Some(_) => StatusCode::OK,
            None => StatusCode::GONE,
        }
    }
    let routes = || {
        let one = auth_runtime::routing::delete(remove).post(remove);
        GuardedRouter::new().route("/orders/7", one)
    };
    for (restores, expected) in [(true, ["200", "200"]), (false, ["200", "410 own"])] {
        let orders = Arc::new(Mutex::new(vec![7_u32]));
        let app = routes().protect(space()).expect("a router");
        let app = app.layer(Extension(Arc::clone(&orders)));
        let matrix = AccessMatrix::builder(&routes().access_table(), &space())
            .persona(Persona::anonymous())
            .persona(admin());
        let matrix = if restores {
            matrix.before_each(move || {
                let orders = Arc::clone(&orders);
                async move { *orders.lock().expect("a list") = vec![7] }
            })
        } else {
            matrix
        };
        let matrix = matrix.send(&app).await.expect("a matrix");
        // `POST` comes first.
        let row = matrix
            .rows()
            .iter()
            .find(|row| row.to_string().starts_with("POST"));
        let responses = row
            .expect("a row")
            .responses()
            .iter()
            .map(ToString::to_string);
        assert_eq!(responses.collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn all_builder_mistakes_are_reported_together() {
    let routes = GuardedRouter::new()
        .route("/a/{id}/{other}", get(healthz))
        .route("/b/{id}", get(healthz))
        .route("/c d", get(healthz))
        .route("/e/{empty}", get(healthz));
    let builder = AccessMatrix::builder(&routes.access_table(), &space())
        .persona(Persona::anonymous())
        .persona(Persona::rejected("anonymous").header(AUTHORIZATION, "a\nb"))
        .persona(Persona::rejected(" "))
        .path_value("empty", "")
        .path_value("stale", "1")
        .target("/gone", "/gone")
        .target("/b/{id}", "no path")
        .body(Method::POST, "/b/{id}", "text/plain", "x")
        .body(Method::GET, "/b/{id}", "text\n", "x");
    let app = routes.protect(space()).expect("a router");
    let error = builder.send(&app).await.expect_err("mistakes");
    assert!(!error.is_difference());
    assert_eq!(
        error.to_string(),
        r#"the matrix cannot be requested
  two personas have the name "anonymous"
  "anonymous" sends a `authorization` with an invalid field value
  a persona has no name
  no path has the parameter "stale"
  the table has no path `/gone`, so it needs no target
  the table has no route POST `/b/{id}`
  the media type for GET `/b/{id}` is invalid
  `/a/{id}/{other}` has a parameter without a value: add `.path_value("id", …)`
  `/a/{id}/{other}` has a parameter without a value: add `.path_value("other", …)`
  `/b/{id}` cannot be requested: `no\u{20}path` is not a request target
  `/c\u{20}d` cannot be requested: `/c\u{20}d` is not a request target
  `/e/{empty}` has a parameter without a value: add `.path_value("empty", …)`"#
    );
    assert_eq!(format!("{error:?}"), error.to_string());
    let nobody = AccessMatrix::builder(&short().access_table(), &space()).path_value("id", "7");
    let error = nobody.send(&short_app()).await.expect_err("nobody");
    assert!(
        error.to_string().contains("the matrix has no persona"),
        "{error}"
    );
}

#[tokio::test]
async fn names_that_look_alike_are_duplicates() {
    let matrix = short_matrix()
        .persona(Persona::anonymous())
        .persona(Persona::named("a\nb", Caller::Anonymous))
        .persona(Persona::named("a b", Caller::Anonymous));
    let error = matrix.send(&short_app()).await.expect_err("a mistake");
    assert!(
        error
            .to_string()
            .ends_with("two personas have the name \"a b\""),
        "{error}"
    );
}

#[tokio::test]
async fn configured_target_is_requested() {
    #[public(reason = "tells its target")]
    async fn tell(request: Request) -> Response {
        let matches = request.uri() == "/a/%C3%A9%2F/b/c?d=e";
        if matches {
            StatusCode::OK
        } else {
            StatusCode::CONFLICT
        }
        .into_response()
    }
    #[public(reason = "tells its target")]
    async fn tell_filled(request: Request) -> Response {
        let matches = request.uri() == "/f/%C3%A9%2F/b/c%20d";
        if matches {
            StatusCode::OK
        } else {
            StatusCode::CONFLICT
        }
        .into_response()
    }
    let routes = || {
        GuardedRouter::new()
            .route("/a/{x}/{*rest}", get(tell))
            .route("/f/{x}/{*rest}", get(tell_filled))
    };
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space())
        .persona(Persona::anonymous())
        .path_value("x", "é/")
        .path_value("rest", "b/c d")
        .target("/a/{x}/{*rest}", "/a/%C3%A9%2F/b/c?d=e");
    let matrix = matrix.send(&app).await.expect("a matrix");
    let shown: Vec<_> = matrix
        .rows()
        .iter()
        .map(|row| row.responses()[0].to_string())
        .collect();
    assert_eq!(shown, ["200", "200"]);
}

#[tokio::test]
async fn fallback_authenticates_beside_hidden_paths() {
    #[public(reason = "the application itself")]
    async fn application() -> &'static str {
        "the application"
    }
    let plain = || GuardedRouter::new().fallback(application);
    for (is_hiding, shown) in [(false, "200 unknown"), (true, "401 unknown")] {
        let routes = || match is_hiding {
            false => plain(),
            true => plain().route("/repos", get(show)),
        };
        let app = routes().protect(space()).expect("a router");
        let matrix = AccessMatrix::builder(&routes().access_table(), &space());
        let matrix = matrix.persona(expired()).send(&app).await;
        let matrix = matrix.expect("a matrix");
        assert_eq!(matrix.differences().count(), 0);
        let rows = matrix.rows();
        let row = rows.iter().find(|row| row.row().path() == "/*");
        let response = &row.expect("a row").responses()[0];
        assert_eq!(response.to_string(), shown);
    }
}

/// The other methods of a hidden path have a row of their own.
#[tokio::test]
async fn hidden_paths_get_other_methods_too() {
    #[requires(role = "admin", hide_as = 404)]
    async fn others() {}

    let routes = || GuardedRouter::new().route("/both", any(others).get(healthz));
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space())
        .persona(Persona::anonymous())
        .persona(admin());
    let matrix = matrix.send(&app).await.expect("a matrix");
    let differences: Vec<_> = matrix.differences().collect();
    assert!(differences.is_empty(), "{differences:#?}");
    let shown = matrix.to_markdown();
    for row in [
        "| GET | `/both` | 200 | 200 |\n",
        "| any | `/both` | 404 hidden | 200 |\n",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
}
