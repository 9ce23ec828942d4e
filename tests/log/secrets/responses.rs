//! Denials, and the log of a whole service.

use auth_runtime::routing::post;
use auth_runtime::testing::with_identity;
use auth_tests::serve;
use axum::Router;

use super::*;

/// Valid and invalid credentials in every place, with all events on every thread, from this crate and its
/// dependencies.
#[tokio::test(flavor = "multi_thread")]
async fn denials_and_log_show_no_secret() {
    #[requires(authenticated)]
    async fn page() {}
    #[requires(role = "admin", hide_as = 404)]
    async fn hidden() {}
    async fn breaks(_: CheckRequest<'_>) -> Result<bool, &'static str> {
        Err("the database is down")
    }
    #[requires(check = breaks)]
    async fn checked() {}

    listen();

    // An authorization server that fails when it is asked.
    let server = Router::new().route(
        "/introspect",
        axum::routing::post(async |body: String| {
            assert!(body.contains(MARKER));
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }),
    );
    let server = serve(server).await;
    let introspection = Introspection::builder()
        .endpoint(format!("http://{server}/introspect"))
        .client_secret("client", MARKER)
        .any_audience()
        .build()
        .expect("in order");

    let key = JwtKey::hs256(MARKER).expect("it is long enough");
    let jwt = Jwt::builder().issuer(ISSUER).audience(AUDIENCE).key(key);
    let jwt = jwt.build().expect("in order");
    let hashes = PasswordHashes::builder().user("ann", hash_of_marker(), Identity::new("ann"));
    let keys = ApiKeys::builder().key(MARKER, Identity::new("job")).build();
    let dpop = Dpop::jwt(jwt.clone())
        .origin("https://api.example")
        .nonces()
        .build();
    let space = |bearer: Bearer| {
        ProtectionSpace::builder()
            .realm("api")
            .scheme(bearer.accept_query().accept_form())
            .trace_subjects(true)
    };
    let by_jwt = space(Bearer::jwt(jwt))
        .scheme(dpop.expect("in order"))
        .scheme(Basic::password_hashes(hashes.build().expect("in order")))
        .scheme(keys.expect("in order"))
        .build();
    let by_introspection = space(Bearer::introspection(introspection)).build();
    let token = signed(json!({}));
    let login = |login: String| format!("Basic {}", STANDARD.encode(login));
    let logins = [format!("bob:{MARKER}"), format!("ann:not {MARKER}")];
    let wrong_key = format!("not {MARKER}");
    let mut secrets = traces();
    secrets.extend(parts_of(&token));
    for secret in logins.iter().chain([&wrong_key]) {
        secrets.extend(traces_of(secret));
    }
    let form = "application/x-www-form-urlencoded".to_owned();
    let body: &str = format!("access_token={MARKER}").leak();
    let mut statuses = Vec::new();
    for space in [by_jwt, by_introspection] {
        let app = GuardedRouter::new()
            .route("/page", get(page).merge(post(page)))
            .route("/hidden", get(hidden))
            .route("/checked", get(checked))
            .protect(space.expect("in order"))
            .expect("in order");
        for path in ["/page", "/hidden", "/checked", "/nowhere"] {
            let with_query = format!("{path}?access_token={MARKER}");
            let authorization = |value: String| ("authorization", value);
            for (target, fields) in [
                (path, vec![authorization(format!("Bearer {MARKER}"))]),
                (path, vec![authorization(format!("Bearer {token}"))]),
                (path, vec![authorization(format!("Bearer {token}{MARKER}"))]),
                (path, vec![authorization(format!("Bearer \"{MARKER}\""))]),
                (
                    path,
                    vec![
                        authorization(format!("DPoP {token}")),
                        ("dpop", MARKER.to_owned()),
                    ],
                ),
                (path, vec![authorization(login(format!("ann:{MARKER}")))]),
                (path, vec![authorization(login(logins[0].clone()))]),
                (path, vec![authorization(login(logins[1].clone()))]),
                (path, vec![authorization(format!("Basic {MARKER}"))]),
                (path, vec![("x-api-key", MARKER.to_owned())]),
                (path, vec![("x-api-key", wrong_key.clone())]),
                (path, vec![("cookie", format!("session={MARKER}"))]),
                (&with_query, vec![]),
            ] {
                let values = fields.iter().map(|(_, value)| value.as_str());
                for sent in values.chain((fields.is_empty()).then_some(target)) {
                    assert!(!leaks(sent, &secrets).is_empty(), "{sent} is not searched");
                }
                for accept in ["application/json", "text/html", "text/plain"] {
                    let mut fields = fields.clone();
                    fields.push(("accept", accept.to_owned()));
                    let (status, told) = send(&app, "GET", target, &fields, "").await;
                    let shown = leaks(&told, &secrets);
                    assert_eq!(shown, Vec::<String>::new(), "{target} with {fields:?}");
                    statuses.push(status.as_u16());
                }
            }
        }
        let fields = [("content-type", form.clone())];
        let (status, told) = send(&app, "POST", "/page", &fields, body).await;
        assert_silent(&format!("a form, {status},"), &told);
        statuses.push(status.as_u16());
        let request = Request::get("/hidden").header("x-api-key", MARKER);
        let request = request.body(Body::empty()).expect("a request");
        let ann = Identity::new("ann").with_extension(MARKER.to_owned());
        app.oneshot(with_identity(request, ann))
            .await
            .expect("infallible");
    }
    // All expected statuses occurred.
    for status in [200, 401, 404, 503] {
        assert!(statuses.contains(&status), "{status}: {statuses:?}");
    }
    let events = [
        "auth_runtime::decision",
        "tokens cannot be introspected",
        "a function failed",
        "rejection=\"malformed\"",
        "subject=\"ann\"",
        "TRACE",
    ];
    assert_log(&events, &secrets);
}
