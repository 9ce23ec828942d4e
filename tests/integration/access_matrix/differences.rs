//! Responses that differ from the policies.

use axum::http::header::WWW_AUTHENTICATE;

use super::*;

#[tokio::test]
async fn responding_layer_is_found() {
    let intercept = from_fn(async |request: Request, next: axum::middleware::Next| {
        if request.uri().path() == "/repos" {
            return StatusCode::OK.into_response();
        }
        next.run(request).await
    });
    let found = differences(
        short_app().layer(intercept),
        short_matrix()
            .persona(Persona::anonymous())
            .persona(reader()),
    );
    assert_eq!(
        found.await,
        [
            "POST /repos, anonymous: the policy denies with 401 without credentials (rule 2: \
             unknown: scope = \"repo:write\"), but a layer, or a router around this one, \
             responded with 200",
            "POST /repos, reader: the policy denies with 403 without the scopes \"repo:write\" \
             (rule 3c: no: scope = \"repo:write\"), but a layer, or a router around this one, \
             responded with 200",
        ]
    );
}

#[tokio::test]
async fn rewriting_layer_is_found() {
    let without_challenge = map_response(async |mut response: Response| {
        response.headers_mut().remove(WWW_AUTHENTICATE);
        response
    });
    let builder = || {
        short_matrix()
            .persona(Persona::anonymous())
            .persona(admin())
    };
    assert_eq!(
        differences(short_app().layer(without_challenge), builder()).await,
        [
            "POST /repos, anonymous: the policy denies with 401 without credentials (rule 2: \
             unknown: scope = \"repo:write\"), but a layer changed 401 with a challenge of \
             Bearer to 401 without a challenge, or the route has another protection space than the matrix"
        ]
    );
    let with_status = |status: StatusCode| {
        map_response(move |mut response: Response| {
            *response.status_mut() = status;
            std::future::ready(response)
        })
    };
    let found = differences(
        short_app().layer(with_status(StatusCode::FORBIDDEN)),
        builder(),
    )
    .await;
    // A concealed response still matches that of unknown paths.
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found[0].ends_with("but a layer changed the handler's 200 to 403"),
        "{found:#?}"
    );
    // A 500 in place of a 200 does not grant more, but a denial has to be visible as one.
    let found = differences(
        short_app().layer(with_status(StatusCode::INTERNAL_SERVER_ERROR)),
        builder(),
    );
    let found = found.await;
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[tokio::test]
async fn denials_replacing_grants_are_found() {
    for status in [401, 403, 404] {
        let denying = map_response(move |mut response: Response| {
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            std::future::ready(response)
        });
        let found = differences(short_app().layer(denying), short_matrix().persona(admin()));
        let found = found.await;
        assert_eq!(found.len(), 3, "{found:#?}");
        for (line, own) in found.iter().zip([200, 201, 200]) {
            let expected = format!("but a layer changed the handler's {own} to {status}");
            assert!(line.ends_with(&expected), "{found:#?}");
        }
    }
}

#[tokio::test]
async fn excessive_grant_is_found() {
    let generous = Bearer::new(async |_token| {
        Caller::known(Identity::new("rita").with_scopes(["repo:read", "repo:write"]))
    });
    let space = ProtectionSpace::builder().realm("api").scheme(generous);
    let app = short().protect(space.build().expect("a space"));
    let found = differences(
        app.expect("a router"),
        short_matrix().persona(reader()).persona(expired()),
    );
    assert_eq!(
        found.await,
        [
            "POST /repos, reader: the policy denies with 403 without the scopes \"repo:write\" \
             (rule 3c: no: scope = \"repo:write\"), but the request was granted: 201",
            "POST /repos, expired: the policy denies with 401 with rejected credentials (rule 2: \
             unknown: scope = \"repo:write\"), but the request was granted: 201",
            "GET /repos/{id}, expired: the policy conceals the route (rule 2: unknown: scope = \
             \"repo:read\"), but the request was granted: 200",
        ]
    );
}

#[tokio::test]
async fn rejected_valid_credentials_are_found() {
    let strict = Bearer::new(async |_token| Caller::rejected());
    let space = ProtectionSpace::builder().realm("api").scheme(strict);
    let app = short().protect(space.build().expect("a space"));
    let found = differences(app.expect("a router"), short_matrix().persona(admin())).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].ends_with("but the response was 401 with rejected credentials"),
        "{found:#?}"
    );
    assert!(
        found[1].ends_with("but the response was that of an unknown path: 401"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn unexpected_403_for_anonymous_is_found() {
    // Credentials would not help from the wrong network. The persona should have been in the right
    // one.
    let routes = || GuardedRouter::new().route("/x", get(office_only));
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let lost = from_fn(async |mut request: Request, next: axum::middleware::Next| {
        let elsewhere = std::net::SocketAddr::from(([198, 51, 100, 1], 0));
        let elsewhere = axum::extract::ConnectInfo(elsewhere);
        request.extensions_mut().insert(elsewhere);
        next.run(request).await
    });
    let app = routes().protect(space()).expect("a router").layer(lost);
    let office = Persona::named("office", Caller::Anonymous).with_address([192, 0, 2, 7].into());
    assert_eq!(
        differences(app, matrix.persona(office)).await,
        [
            "GET /x, office: the policy denies with 401 without credentials (rule 2: unknown: \
             all(unknown: authenticated, yes: network = \"192.0.2.0/24\")), but the response was \
             403"
        ]
    );
}

#[requires(authenticated, network = "192.0.2.0/24")]
async fn office_only() {}

#[requires(scope = "repo:write")]
async fn another() {}

#[tokio::test]
async fn replaced_handler_is_found() {
    let routes = GuardedRouter::new()
        .route("/repos", post(another))
        .route("/repos/{id}", get(show));
    let app = routes.protect(space()).expect("a router");
    let found = differences(app, short_matrix().persona(admin())).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    // `/healthz` has no route.
    assert!(
        found[0].starts_with("GET /healthz, admin: the policy grants (rule 1: public")
            && found[0].ends_with("but the fallback for unknown paths responded with 404"),
        "{found:#?}"
    );
    assert!(
        found[1].contains(
            "but integration::access_matrix::differences::another (tests/integration/access_matrix/differences.rs:"
        ) && found[1].ends_with(") responded with 200"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn replaced_fallback_is_found() {
    let nested = |inner: GuardedRouter| {
        GuardedRouter::new()
            .nest("/a", inner.route("/x", get(healthz)))
            .fallback(not_found)
    };
    let table = nested(GuardedRouter::new().fallback(no_repo)).access_table();
    let app = nested(GuardedRouter::new()).protect(space());
    let matrix = AccessMatrix::builder(&table, &space()).persona(Persona::anonymous());
    let found = differences(app.expect("a router"), matrix).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].contains(
            "fallback /a/*, anonymous: the policy grants, but integration::access_matrix::not_found ("
        ) && found[0].ends_with("responded with 404"),
        "{found:#?}"
    );
}

async fn fails(_request: CheckRequest<'_>) -> Result<bool, std::io::Error> {
    Err(std::io::Error::other("the database is down"))
}

#[requires(check = fails)]
async fn checked() {}

#[tokio::test]
async fn a_check_that_fails_is_found() {
    let routes = || GuardedRouter::new().route("/x", get(checked));
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let found = differences(app, matrix.persona(reader()).persona(Persona::anonymous())).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("GET /x, reader: the policy grants or denies with 403")
            && found[0].ends_with("but the response was 503"),
        "{found:#?}"
    );
}

/// Each decision is named once, however many results of the checks lead to it.
#[tokio::test]
async fn possible_decisions_are_named_once() {
    #[requires(any(check = is_ann, check = fails))]
    async fn checked_twice() {}

    let routes = || GuardedRouter::new().route("/x", get(checked_twice));
    let app = routes().protect(space()).expect("a router");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space());
    let found = differences(app, matrix.persona(reader())).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let (decisions, _) = found[0].split_once(" (").expect("a reason");
    assert_eq!(
        decisions,
        "GET /x, reader: the policy grants or denies with 403"
    );
}

/// A login page is the response to a visitor in place of the denial.
#[tokio::test]
async fn denials_with_two_statuses_name_both() {
    let sessions = Sessions::builder().login_page("/login");
    let space = ProtectionSpace::builder()
        .realm("pages")
        .scheme(sessions.build().expect("sessions"))
        .build()
        .expect("a space");
    let routes = || GuardedRouter::new().route("/account", get(account));
    let cached = from_fn(async |_: Request, _: axum::middleware::Next| "from a cache");
    let app = routes()
        .protect(space.clone())
        .expect("a router")
        .layer(cached);
    let visitor = Persona::anonymous().header(SEC_FETCH_MODE, "navigate");
    let matrix = AccessMatrix::builder(&routes().access_table(), &space).persona(visitor);
    let found = differences(app, matrix).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let expected =
        "GET /account, anonymous: the policy denies with 401 without credentials, as 303 (";
    assert!(found[0].starts_with(expected), "{found:#?}");
}

#[tokio::test]
async fn unverifiable_persona_receives_503() {
    let down = Bearer::new(async |_token| Caller::Unverifiable {
        retry_after: Some(Duration::from_secs(30)),
    });
    let space = ProtectionSpace::builder().realm("api").scheme(down).build();
    let space = space.expect("a space");
    let app = short().protect(space.clone()).expect("a router");
    let matrix = AccessMatrix::builder(&short().access_table(), &space).path_value("id", "7");
    let persona = Persona::named("unlucky", Caller::unverifiable());
    let matrix = matrix.persona(persona.header(AUTHORIZATION, "Bearer x"));
    let matrix = matrix.send(&app).await.expect("a matrix");
    assert_eq!(matrix.differences().count(), 0);
    assert!(matrix.to_markdown().contains("| POST | `/repos` | 503 |"));
}

/// A gateway may pass on only the first challenge.
#[tokio::test]
async fn lost_challenge_of_several_is_found() {
    let first_only = map_response(async |mut response: Response| {
        if let Some(first) = response.headers().get(WWW_AUTHENTICATE).cloned() {
            response.headers_mut().insert(WWW_AUTHENTICATE, first);
        }
        response
    });
    let routes = || GuardedRouter::new().route("/account", get(account));
    let app = routes().protect(service_space()).expect("a router");
    let builder = AccessMatrix::builder(&routes().access_table(), &service_space());
    let builder = builder.persona(Persona::anonymous());
    let found = differences(app.layer(first_only), builder).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].ends_with(
            "but a layer changed 401 with a challenge of Bearer, DPoP, Basic to 401 with a \
             challenge of Bearer, or the route has another protection space than the matrix"
        ),
        "{found:#?}"
    );
}

/// A gateway may ask for a password in place of a token, or also for one.
#[tokio::test]
async fn another_challenge_is_found() {
    let basic = HeaderValue::from_static("Basic realm=\"gateway\"");
    for (replaces, expected) in [(true, "Basic"), (false, "Bearer, Basic")] {
        let basic = basic.clone();
        let asking = map_response(move |mut response: Response| {
            if response.status() == StatusCode::UNAUTHORIZED {
                if replaces {
                    response.headers_mut().remove(WWW_AUTHENTICATE);
                }
                response
                    .headers_mut()
                    .append(WWW_AUTHENTICATE, basic.clone());
            }
            std::future::ready(response)
        });
        let builder = short_matrix().persona(Persona::anonymous());
        let found = differences(short_app().layer(asking), builder).await;
        assert_eq!(found.len(), 1, "{found:#?}");
        let expected = format!(
            "but a layer changed 401 with a challenge of Bearer to 401 with a challenge of {expected}"
        );
        assert!(found[0].contains(&expected), "{found:#?}");
    }
}
