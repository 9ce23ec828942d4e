//! Documents of a service with settings: they describe it with its own values.

use super::*;

#[requires(any(setting = "open", scope = "pull"))]
async fn pull() {}

#[requires(setting = "beta", role = "tester")]
async fn beta() {}

#[requires(role = "owner", hide_as = 404, hide_unless = setting("open"))]
async fn statistics() {}

fn operations(open: bool) -> Value {
    let router: GuardedRouter = GuardedRouter::new()
        .route("/pull", get(pull))
        .route("/beta", get(beta))
        .route("/statistics", get(statistics));
    let space = auth_tests::space_builder()
        .setting("open", open)
        .setting("beta", open);
    let space = space.build().expect("the space is in order");
    let empty = OpenApi::new(info(), Paths::new());
    internal(&router.access_table(), &space, empty)["paths"].clone()
}

fn statuses(operation: &Value) -> Vec<&str> {
    let responses = operation["responses"].as_object().expect("responses");
    let statuses = responses.keys().map(String::as_str);
    statuses.filter(|status| *status != "default").collect()
}

#[test]
fn settings_that_are_on_require_nothing() {
    let paths = operations(true);
    let (pull, beta) = (&paths["/pull"]["get"], &paths["/beta"]["get"]);
    assert_eq!(pull["security"], json!([]));
    assert_eq!(statuses(pull), Vec::<&str>::new());
    assert_eq!(beta["security"], json!([{ "Bearer": [] }]));
    let forbidden = &beta["responses"]["403"]["description"];
    assert_eq!(*forbidden, "Not allowed: it takes `role = \"tester\"`.");
    // The access data has the policy as written.
    let policy = "requires(any(setting = \"open\", scope = \"pull\"))";
    assert_eq!(pull["x-access"]["policy"], policy);
    let statistics = &paths["/statistics"]["get"];
    assert_eq!(statuses(statistics), ["400", "401", "403", "503"]);
}

#[test]
fn setting_that_is_off_closes_operations() {
    let paths = operations(false);
    let (pull, beta) = (&paths["/pull"]["get"], &paths["/beta"]["get"]);
    assert_eq!(pull["security"], json!([{ "Bearer": ["pull"] }]));
    assert_eq!(statuses(pull), ["400", "401", "403", "503"]);
    assert_eq!(statuses(beta), ["400", "403"]);
    let forbidden = &beta["responses"]["403"]["description"];
    assert_eq!(
        *forbidden,
        "Not allowed: the service does not offer this operation."
    );
    let statistics = &paths["/statistics"]["get"];
    assert_eq!(statuses(statistics), ["400", "401", "404", "503"]);
}
