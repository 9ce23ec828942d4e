//! Questions of handlers about objects that they loaded.

use auth_runtime::routing::{KnowsCaller, get};
use auth_runtime::{ClientAddress, Denied, Guard, requires};
use axum::extract::{ConnectInfo, Path};
use axum::middleware::map_request;

use super::*;

struct Document {
    id: String,
    text: &'static str,
}

impl From<&Document> for Resource {
    fn from(document: &Document) -> Self {
        Self::new("Document", &document.id)
    }
}

fn find(id: String) -> Option<Document> {
    let exists = !id.ends_with("missing");
    exists.then_some(Document {
        id,
        text: "the text",
    })
}

#[requires(authenticated, hide_as = 404)]
async fn hidden(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    let document = guard.load(READ, find(id)).await?;
    Ok(document.text)
}

#[requires(scope = "write", hide_as = 404, hide_unless = scope("repo"))]
async fn hidden_unless(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    let document = guard.load(READ, find(id)).await?;
    Ok(document.text)
}

#[requires(scope = "write", hide_as = 404, hide_unless = scope("repo"))]
async fn permitted_unless(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    let own = find(id).filter(|document| document.id.starts_with(guard.identity().subject()));
    guard.permit(own.is_some())?;
    Ok("the text")
}

#[requires(authenticated)]
async fn shown(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    let document = guard.load(READ, find(id)).await?;
    Ok(document.text)
}

#[requires(authenticated)]
async fn update(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    guard.can(UPDATE, Resource::new("Document", id)).await?;
    Ok("updated")
}

/// A function for the guards of several handlers.
async fn text_of<P: KnowsCaller>(guard: &Guard<P>, id: String) -> Result<&'static str, Denied> {
    guard.permit(guard.identity().subject() != "eve")?;
    guard.can(READ, Resource::new("Document", &id)).await?;
    Ok(guard.load(READ, find(id)).await?.text)
}

#[requires(authenticated)]
async fn shown_by_function(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    text_of(&guard, id).await
}

#[requires(authenticated, hide_as = 404)]
async fn hidden_by_function(guard: Guard, Path(id): Path<String>) -> Result<&'static str, Denied> {
    text_of(&guard, id).await
}

fn ids() -> Vec<Document> {
    let ids = ["ann/1", "bob/2", "ann/3", "bob/4-public"];
    ids.map(|id| Document {
        id: id.to_owned(),
        text: "",
    })
    .into()
}

#[requires(authenticated)]
async fn list(guard: Guard) -> Result<String, Denied> {
    let documents = guard.filter(READ, ids()).await?;
    let ids: Vec<&str> = documents
        .iter()
        .map(|document| document.id.as_str())
        .collect();
    Ok(ids.join(" "))
}

#[requires(authenticated)]
async fn flags(guard: Guard) -> Result<String, Denied> {
    Ok(format!("{:?}", guard.can_each(UPDATE, &ids()).await?))
}

#[requires(authenticated)]
async fn nothing(guard: Guard) -> Result<String, Denied> {
    Ok(format!(
        "{:?}",
        guard.can_each(UPDATE, Vec::<Resource>::new()).await?
    ))
}

#[requires(authenticated)]
async fn too_many(guard: Guard, Path(count): Path<usize>) -> Result<String, Denied> {
    let objects = (0..count).map(|id| Resource::new("Document", format!("ann/{id}")));
    Ok(guard.can_each(READ, objects).await?.len().to_string())
}

fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .route("/hidden/{id}", get(hidden))
        .route("/unless/{id}", get(hidden_unless))
        .route("/permit/{id}", get(permitted_unless))
        .route("/shown/{id}", get(shown))
        .route("/update/{id}", get(update))
        .route("/list", get(list))
        .route("/flags", get(flags))
        .route("/nothing", get(nothing))
        .route("/many/{count}", get(too_many))
        .route("/function/shown/{id}", get(shown_by_function))
        .route("/function/hidden/{id}", get(hidden_by_function))
}

#[tokio::test]
async fn a_guard_asks_about_loaded_objects() {
    let app = protect(routes(), &Engine::default());
    for (caller, target, expected) in [
        ("ann", "/hidden/ann%2F1", 200),
        ("bob", "/hidden/ann%2F1", 404),
        ("ann", "/hidden/missing", 404),
        ("ann", "/shown/ann%2F1", 200),
        ("bob", "/shown/ann%2F1", 403),
        ("ann", "/shown/missing", 404),
        ("ann", "/update/ann%2F1", 200),
        ("bob", "/update/ann%2F1-public", 403),
    ] {
        assert_eq!(
            status(&app, by(caller, target)).await,
            expected,
            "{caller} {target}"
        );
    }
}

#[tokio::test]
async fn functions_deny_as_their_calling_handler() {
    let app = protect(routes(), &Engine::default());
    for (caller, id, shown, hidden) in [
        ("ann", "ann%2F1", 200, 200),
        ("bob", "ann%2F1", 403, 404),
        ("ann", "ann%2Fmissing", 404, 404),
        ("eve", "eve%2F1", 403, 404),
    ] {
        for (path, expected) in [("shown", shown), ("hidden", hidden)] {
            let target = format!("/function/{path}/{id}");
            assert_eq!(
                status(&app, by(caller, &target)).await,
                expected,
                "{caller} {target}"
            );
        }
    }
    assert_hidden(app, by("eve", "/function/hidden/eve%2F1")).await;
}

#[tokio::test]
async fn missing_and_denied_objects_are_equal() {
    let app = protect(routes(), &Engine::default());
    assert_hidden(app.clone(), by("bob", "/hidden/ann%2F1")).await;
    assert_hidden(app, by("bob", "/hidden/missing")).await;
}

/// A caller that meets `hide_unless` receives the denial itself.
#[tokio::test]
async fn hide_unless_distinguishes_missing_objects() {
    let app = protect(routes(), &Engine::default());
    for (scopes, path, own, denied, missing) in [
        (&["write", "repo"][..], "unless", 200, 403, 404),
        (&["write", "repo"], "permit", 200, 403, 403),
        (&["write"], "unless", 200, 404, 404),
        (&["write"], "permit", 200, 404, 404),
    ] {
        for (id, expected) in [("bob", own), ("ann%2F1", denied), ("missing", missing)] {
            let target = format!("/{path}/{id}");
            let bob = Identity::new("bob").with_scopes(scopes.iter().copied());
            let response = send(&app, with_identity(request(&target), bob.clone())).await;
            assert_eq!(response.status(), expected, "{scopes:?} {target}");
            if scopes == ["write"] && expected == 404 {
                assert_hidden(app.clone(), with_identity(request(&target), bob)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_list_is_one_call() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    assert_eq!(
        body(send(&app, by("ann", "/list")).await).await,
        "ann/1 ann/3 bob/4-public"
    );
    assert_eq!(engine.calls().len(), 1);
    let flags = body(send(&app, by("ann", "/flags")).await).await;
    assert_eq!(flags, "[true, false, true, false]");
    assert_eq!(engine.calls().len(), 2);
    assert_eq!(body(send(&app, by("ann", "/nothing")).await).await, "[]");
    assert_eq!(engine.calls().len(), 2, "an empty list asks nothing");
}

#[tokio::test]
async fn a_list_is_bounded() {
    let engine = Engine::default();
    let app = protect(routes(), &engine);
    assert_eq!(
        body(send(&app, by("ann", "/many/10000")).await).await,
        "10000"
    );
    assert_eq!(status(&app, by("ann", "/many/10001")).await, 500);
    assert_eq!(engine.calls().len(), 1);
}

/// On a plain router, the guard has the same methods.
#[tokio::test]
async fn guards_of_plain_routers_ask_too() {
    let engine = Engine::default();
    let space = with(&engine).build().expect("a space");
    let app = axum::Router::new()
        .route("/hidden/{id}", axum::routing::get(hidden))
        .route("/own/{id}", axum::routing::get(own))
        .layer(axum::Extension(space));
    for (caller, target, expected) in [
        ("ann", "/hidden/ann%2F1", 200),
        ("bob", "/hidden/ann%2F1", 404),
        ("ann", "/own/ann", 200),
        ("bob", "/own/ann", 403),
    ] {
        let Ok(response) = app.clone().oneshot(by(caller, target)).await;
        assert_eq!(response.status().as_u16(), expected, "{caller} {target}");
    }
}

#[requires(can = "read", on = "Person::{id}")]
async fn own() -> &'static str {
    "own"
}

/// An engine keeps data from the question of the policy to those of the handler.
#[tokio::test]
async fn engine_keeps_data_for_one_request() {
    /// Notes the method of each question, with the number of earlier ones about the request.
    #[derive(Clone, Default)]
    struct Counting(Arc<Mutex<Vec<String>>>);

    impl DecisionPoint for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }

        fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            let data = request.data.expect("data of the request");
            let earlier: usize = data.get();
            data.set(earlier + 1);
            // Data of another type are none.
            assert_eq!(data.get::<String>(), "");
            let note = format!("{} {} {earlier}", request.method, request.path);
            self.0.lock().expect("no panic").push(note);
            Box::pin(async { Ok(vec![ObjectDecision::allow()]) })
        }
    }

    #[requires(can = "read", on = "Document::{id}")]
    async fn twice(guard: Guard, Path(id): Path<String>) -> Result<(), Denied> {
        guard.can(UPDATE, Resource::new("Document", id)).await
    }

    let engine = Counting::default();
    let space = space_builder().decision_point(engine.clone());
    let routes = GuardedRouter::new().route("/{id}", get(twice).put(twice));
    let app = routes.protect(space.build().expect("a space"));
    let app = app.expect("routes");
    for method in [http::Method::PUT, http::Method::GET] {
        let mut request = by("ann", "/a");
        *request.method_mut() = method;
        assert_eq!(status(&app, request).await, 200);
    }
    let notes = engine.0.lock().expect("no panic");
    assert_eq!(*notes, ["PUT /a 0", "PUT /a 1", "GET /a 0", "GET /a 1"]);
}

/// An engine that decides by the request has the same one for the policy and for the handler: the path with the
/// prefixes of all routers, and the address of the client.
#[tokio::test]
async fn engine_sees_request_that_was_sent() {
    #[derive(Clone, Default)]
    struct Requests(Arc<Mutex<Vec<String>>>);

    impl DecisionPoint for Requests {
        fn name(&self) -> &'static str {
            "requests"
        }

        fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            let address = request.address.map(|address| address.to_string());
            let address = address.unwrap_or_default();
            let [Evaluation { action, .. }] = request.evaluations else {
                unreachable!("each call has one question")
            };
            let note = format!("{action} {} {} {address}", request.method, request.path);
            self.0.lock().expect("no panic").push(note);
            Box::pin(async { Ok(vec![ObjectDecision::allow()]) })
        }
    }

    #[requires(can = "read", on = "Document::{id}")]
    async fn twice(guard: Guard, Path(id): Path<String>) -> Result<(), Denied> {
        guard.can(UPDATE, Resource::new("Document", id)).await
    }
    #[requires(can = "read", on = "Document::{id}", hide_as = 404)]
    async fn hidden(guard: Guard, Path(id): Path<String>) -> Result<(), Denied> {
        guard.can(UPDATE, Resource::new("Document", id)).await
    }

    let proxies = ["192.0.2.7/32".parse().expect("a network")];
    let proxied = ClientAddress::x_forwarded_for(proxies).expect("in order");
    // Behind this layer, the request seems to come from the proxy itself.
    let forgetful = map_request(async |mut request: Request| {
        request.headers_mut().remove("x-forwarded-for");
        request
    });
    let engine = Requests::default();
    let space = space_builder().decision_point(engine.clone());
    let space = space.client_address(proxied);
    let routes = GuardedRouter::new()
        .route("/{id}", get(twice))
        .route("/{id}/hidden", get(hidden))
        .route("/{id}/layered", get(hidden).layer(forgetful));
    let routes = GuardedRouter::new().nest("/documents", routes);
    let routes = GuardedRouter::new().nest("/v1", routes);
    let app = routes.protect(space.build().expect("a space"));
    let app = app.expect("routes");
    for below in ["", "/hidden", "/layered"] {
        let path = format!("/v1/documents/a{below}");
        let mut request = by("ann", &path);
        let peer: std::net::SocketAddr = "192.0.2.7:443".parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let client = http::HeaderValue::from_static("203.0.113.9");
        request.headers_mut().insert("x-forwarded-for", client);
        assert_eq!(status(&app, request).await, 200, "{path}");
        let notes = std::mem::take(&mut *engine.0.lock().expect("no panic"));
        // Behind the layer, the policy is decided again, as it is there without hiding.
        let expected: &[_] = match below {
            "/layered" => &[("read", "203.0.113.9"), ("read", ""), ("update", "")],
            _ => &[("read", "203.0.113.9"), ("update", "203.0.113.9")],
        };
        let expected = expected.iter();
        let expected = expected.map(|(action, address)| format!("{action} GET {path} {address}"));
        assert_eq!(notes, expected.collect::<Vec<_>>());
    }
}

/// Rule 3a: the request for a login is disclosed on a hidden path, and a login that no scheme can ask for is not.
#[tokio::test]
async fn guard_requests_login_on_hidden_path() {
    struct AfterLogin;

    impl DecisionPoint for AfterLogin {
        fn name(&self) -> &'static str {
            "after login"
        }

        fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            let decisions =
                request
                    .evaluations
                    .iter()
                    .map(|evaluation| match evaluation.resource.id() {
                        "vault" => ObjectDecision::deny_until_login(["gold"]),
                        _ => ObjectDecision::deny(),
                    });
            let decisions = decisions.collect();
            Box::pin(async move { Ok(decisions) })
        }
    }

    let routes = || {
        let layer = tower_http::set_header::SetResponseHeaderLayer::appending(
            http::HeaderName::from_static("x-layered"),
            http::HeaderValue::from_static("layer"),
        );
        GuardedRouter::new()
            .route("/{id}", get(hidden))
            .route("/{id}/layered", get(hidden).layer(layer))
    };
    let space = space_builder().decision_point(AfterLogin).build();
    let app = routes().protect(space.expect("a space")).expect("routes");
    for (path, expected) in [
        ("/vault", 401),
        ("/vault/layered", 401),
        ("/cellar", 404),
        ("/cellar/layered", 404),
    ] {
        let response = send(&app, by("ann", path)).await;
        assert_eq!(response.status(), expected, "{path}");
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.map(|value| value.to_str().expect("ASCII"));
        let asks = challenge.is_some_and(|it| it.contains(r#"acr_values="gold""#));
        assert_eq!(asks, expected == 401, "{path} {challenge:?}");
    }
    let keys = auth_runtime::schemes::ApiKeys::builder();
    let keys = keys.key("a-long-random-key-of-a-job", Identity::new("job"));
    let space = auth_runtime::ProtectionSpace::builder().realm("api");
    let space = space.scheme(keys.build().expect("a key"));
    let space = space.decision_point(AfterLogin).build();
    let app = routes().protect(space.expect("a space")).expect("routes");
    for path in ["/vault", "/vault/layered"] {
        assert_hidden(app.clone(), by("job", path)).await;
    }
}
