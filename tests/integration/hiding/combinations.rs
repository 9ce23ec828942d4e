//! Every combination of service, method, stranger and path.

use std::collections::BTreeSet;

use super::*;

/// A hidden path, and an unknown one of the same length beside it.
const HIDDEN: [(&str, &str); 21] = [
    ("/secret", "/zzzzzz"),
    ("/secret?a=b", "/zzzzzz?a=b"),
    ("/object", "/zzzzzz"),
    ("/numbered/7", "/zzzzzzzz/7"),
    ("/numbered/no-number", "/zzzzzzzz/no-number"),
    ("/layered", "/zzzzzzz"),
    ("/layered-object", "/zzzzzzzzzzzzzz"),
    ("/mixed", "/zzzzz"),
    ("/mixed-layered", "/zzzzzzzzzzzzz"),
    ("/all", "/zzz"),
    ("/others", "/zzzzzz"),
    ("/route-layered", "/zzzzzzzzzzzzz"),
    ("/n/1/secret", "/z/1/secret"),
    ("/n/1/77", "/z/1/77"),
    ("/n/1", "/z/1"),
    ("/plain/secret", "/plain/zzzzzz"),
    ("/own/before", "/own/zzzzzz"),
    ("/own/after", "/own/zzzzz"),
    ("/own/deep/secret", "/own/deep/zzzzzz"),
    ("/files/a/b", "/zzzzz/a/b"),
    ("/merged", "/zzzzzz"),
];

/// Returns whether a method of a mixed path is public, and therefore visible.
fn is_open(target: &str, method: &Method) -> bool {
    target.starts_with("/mixed") && *method == Method::PUT
}

#[tokio::test]
async fn no_combination_leaks_in_process() {
    let mut compared = 0;
    for (name, app) in services() {
        for (hidden, _) in HIDDEN {
            for (caller, authorization) in strangers() {
                for method in methods() {
                    if is_open(hidden, &method) || name == "within another router" {
                        continue;
                    }
                    println!("{name}: {method} {hidden} by {caller}");
                    let request = request(&method, hidden, authorization.as_deref());
                    assert_hidden(app.clone(), request).await;
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 10_000, "only {compared} were compared");
}

#[tokio::test]
async fn no_combination_leaks_over_a_socket() {
    // In turn, since each request has a connection of its own. The number of requests to a service is not a multiple
    // of that of the strangers, so another stranger sends a request to the next service.
    let all = strangers();
    let mut strangers = all.iter().cycle();
    let mut compared = BTreeSet::new();
    for (name, app) in services() {
        let prefix = if name == "within another router" {
            "/outer"
        } else {
            ""
        };
        let address = serve(app).await;
        for (hidden, unknown) in HIDDEN {
            for method in methods() {
                let (caller, authorization) = strangers.next().expect("a cycle");
                if is_open(hidden, &method) {
                    continue;
                }
                let raw = |target| raw(&method, prefix, target, authorization.as_deref());
                let subject = send_raw(address, raw(hidden)).await;
                let control = send_raw(address, raw(unknown)).await;
                assert!(!control.is_empty());
                assert_eq!(
                    moved(&subject, hidden, unknown),
                    control,
                    "{name}: {method} {hidden} by {caller}"
                );
                compared.insert((hidden, method.to_string(), caller));
            }
        }
    }
    let requests = HIDDEN
        .iter()
        .flat_map(|(hidden, _)| methods().into_iter().map(move |method| (hidden, method)));
    let hidden = requests.filter(|(hidden, method)| !is_open(hidden, method));
    assert_eq!(compared.len(), hidden.count() * all.len());
}

#[tokio::test]
async fn permitted_callers_see_hidden_pages() {
    let admin = format!("Bearer {}", token(json!({ "scope": "admin" })));
    for (name, app) in services() {
        for (hidden, _) in HIDDEN {
            if hidden.contains("object") || hidden.contains("no-number") || name.contains("within")
            {
                continue;
            }
            let request = request(&Method::GET, hidden, Some(&admin));
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert_eq!(response.status(), 200, "{name}: {hidden}");
        }
    }
}
