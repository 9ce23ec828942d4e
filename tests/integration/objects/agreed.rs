//! Several questions about one object: they have the same properties, and an object has an id.

use auth_runtime::objects::DecisionCache;
use auth_runtime::routing::get;
use auth_runtime::{CheckRequest, Denied, Guard, requires};

use super::*;

/// Decides by the property `owner`, and keeps the questions.
#[derive(Clone, Default)]
struct ByOwner(Arc<Mutex<Vec<Vec<Evaluation>>>>);

impl ByOwner {
    /// The objects of each call since the last call of this function.
    fn asked(&self) -> Vec<Vec<Resource>> {
        let calls = std::mem::take(&mut *self.0.lock().expect("no panic"));
        let objects = |call: Vec<Evaluation>| call.into_iter().map(|one| one.resource).collect();
        calls.into_iter().map(objects).collect()
    }
}

impl DecisionPoint for ByOwner {
    fn name(&self) -> &'static str {
        "owner"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let mut calls = self.0.lock().expect("no panic");
        calls.push(request.evaluations.to_vec());
        let owner = request.identity.subject().into();
        let decisions = request.evaluations.iter().map(|evaluation| {
            let mut properties = evaluation.resource.properties();
            ObjectDecision::from(properties.any(|(name, value)| name == "owner" && *value == owner))
        });
        let decisions = decisions.collect();
        Box::pin(async { Ok(decisions) })
    }
}

/// Reads `d1+owner=ann+size=7`: an id and properties.
fn document(text: &str) -> Resource {
    let mut parts = text.split('+');
    let id = Resource::new("Document", parts.next().unwrap_or_default());
    parts.fold(id, |document, property| {
        let (name, value) = property.split_once('=').expect("a property");
        document.with_property(name.to_owned(), value)
    })
}

/// Reads the documents of the query, with commas between them.
fn documents(query: &str) -> Vec<Resource> {
    query.split(',').map(document).collect()
}

#[requires(authenticated)]
async fn each(guard: Guard, uri: http::Uri) -> Result<String, Denied> {
    let documents = documents(uri.query().unwrap_or_default());
    Ok(format!("{:?}", guard.can_each(READ, documents).await?))
}

#[requires(authenticated)]
async fn service(guard: Guard) -> Result<(), Denied> {
    guard.can(READ, Resource::new(Resource::SERVICE, "")).await
}

/// The first document of the query.
async fn first(request: CheckRequest<'_>) -> Option<Resource> {
    documents(request.query()?).into_iter().next()
}

async fn second(request: CheckRequest<'_>) -> Option<Resource> {
    documents(request.query()?).into_iter().nth(1)
}

#[requires(
    can("read", on = "Document", resource = first),
    can("update", on = "Document", resource = second)
)]
async fn both() {}

fn app(engine: impl DecisionPoint) -> ProtectedRouter {
    let space = space_builder().decision_point(engine).build();
    GuardedRouter::new()
        .route("/each", get(each))
        .route("/both", get(both))
        .route("/service", get(service))
        .protect(space.expect("the space is in order"))
        .expect("the routes are in order")
}

/// The questions that the engine receives have the properties of all questions about their object.
#[tokio::test]
async fn one_object_has_the_same_properties() {
    let engine = ByOwner::default();
    let app = app(engine.clone());
    for (query, asked, decided) in [
        (
            "d1+owner=ann,d1",
            "d1+owner=ann,d1+owner=ann",
            "[true, true]",
        ),
        (
            "d1,d1+owner=ann",
            "d1+owner=ann,d1+owner=ann",
            "[true, true]",
        ),
        (
            "d1+owner=ann,d2+owner=bob,d1+size=7",
            "d1+owner=ann+size=7,d2+owner=bob,d1+owner=ann+size=7",
            "[true, false, true]",
        ),
        ("d1+owner=ann,d2", "d1+owner=ann,d2", "[true, false]"),
        ("d1,d1", "d1,d1", "[false, false]"),
    ] {
        let response = send(&app, by("ann", &format!("/each?{query}"))).await;
        assert_eq!(body(response).await, decided, "{query}");
        assert_eq!(engine.asked(), [documents(asked)], "{query}");
    }
    assert_eq!(status(&app, by("ann", "/both?d1+owner=ann,d1")).await, 200);
}

/// Engines that send all questions at once decide by the properties of one of them.
#[tokio::test]
async fn contradicting_property_values_are_outages() {
    let engine = ByOwner::default();
    let app = app(engine.clone());
    for query in [
        "d1+owner=ann,d1+owner=bob",
        "d1+owner=bob,d2,d1+owner=ann",
        "d1+owner=ann,d1+size=7,d1+size=8",
    ] {
        let target = format!("/each?{query}");
        assert_eq!(status(&app, by("ann", &target)).await, 503, "{query}");
    }
    let target = "/both?d1+owner=ann,d1+owner=bob";
    assert_eq!(status(&app, by("ann", target)).await, 503);
    assert!(engine.asked().is_empty());
    let target = "/both?d1+owner=ann,d2+owner=ann";
    assert_eq!(status(&app, by("ann", target)).await, 200);
}

/// A decision by the properties of another question is not used for the question without them.
#[tokio::test]
async fn the_cache_compares_all_properties() {
    let engine = ByOwner::default();
    let cache = DecisionCache::builder(engine.clone()).build();
    let app = app(cache.expect("valid settings"));
    for (query, decided) in [
        ("d1,d1+owner=ann", "[true, true]"),
        ("d1", "[false]"),
        ("d1,d1+owner=ann", "[true, true]"),
    ] {
        let response = send(&app, by("ann", &format!("/each?{query}"))).await;
        assert_eq!(body(response).await, decided, "{query}");
    }
    assert_eq!(engine.asked().len(), 2, "the last one is remembered");
}

/// Servers refuse an empty id, and with it all questions of a request.
#[tokio::test]
async fn no_object_has_an_empty_id() {
    let engine = ByOwner::default();
    let app = app(engine.clone());
    for (query, asked, decided) in [
        ("+owner=ann", None, "[false]"),
        (
            "d1+owner=ann,+owner=ann,d2+owner=bob,d3+owner=ann",
            Some("d1+owner=ann,d2+owner=bob,d3+owner=ann"),
            "[true, false, false, true]",
        ),
        ("+owner=ann,+owner=bob", None, "[false, false]"),
    ] {
        let response = send(&app, by("ann", &format!("/each?{query}"))).await;
        assert_eq!(body(response).await, decided, "{query}");
        let expected: Vec<_> = asked.into_iter().map(documents).collect();
        assert_eq!(engine.asked(), expected, "{query}");
    }
    for (query, asked) in [
        ("+owner=ann,d1+owner=ann", None),
        ("d1+owner=ann,+owner=ann", Some("d1+owner=ann")),
    ] {
        let target = format!("/both?{query}");
        assert_eq!(status(&app, by("ann", &target)).await, 403, "{query}");
        let expected: Vec<_> = asked.into_iter().map(documents).collect();
        assert_eq!(engine.asked(), expected, "{query}");
    }
    // Except the service of a space without a realm.
    assert_eq!(status(&app, by("ann", "/service")).await, 403);
    assert_eq!(engine.asked(), [[Resource::new(Resource::SERVICE, "")]]);
}
