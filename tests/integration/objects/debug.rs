//! The output of `Debug` names types and settings. It has no caller, no object and no state.

use auth_runtime::objects::{
    DecisionCache, DecisionDeadline, ObjectRequest, ObjectRules, RequestData,
};

use super::*;

const SECRET: &str = "5up3r-s3cr3t";

/// A state without `Debug`.
#[derive(Clone)]
struct State(#[expect(dead_code, reason = "it is not printed")] &'static str);

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

async fn rule(request: ObjectRequest<'_, State>) -> bool {
    SEEN.lock().expect("no panic").push(format!("{request:?}"));
    true
}

#[tokio::test]
async fn debug_hides_caller_object_and_state() {
    let rules = || ObjectRules::new(State(SECRET)).on("Repository", rule);
    let identity = Identity::new(SECRET);
    let questions = [Evaluation::new("read", Resource::new("Repository", SECRET))];
    let request = EvaluationRequest::new(&identity, &questions);
    let data = RequestData::default();
    data.set(SECRET);
    let cache = || DecisionCache::builder(rules()).capacity(77);
    let time = Duration::from_secs(7);
    let limited = DecisionDeadline::new(rules(), time, tokio::time::sleep);
    rules().evaluate(request).await.expect("decisions");
    let of_rule = SEEN.lock().expect("no panic").join(" ");
    for (text, parts) in [
        (format!("{:?}", rules()), &["ObjectRules", "Repository"][..]),
        (of_rule, &["ObjectRequest", "read"]),
        (format!("{request:?}"), &["EvaluationRequest", "1", "GET"]),
        (format!("{data:?}"), &["RequestData"]),
        (format!("{:?}", cache()), &["DecisionCacheBuilder", "77"]),
        (
            format!("{:?}", cache().build().expect("a cache")),
            &["DecisionCache", "functions"],
        ),
        (
            format!("{limited:?}"),
            &["DecisionDeadline", "functions", "7s"],
        ),
    ] {
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains(SECRET), "{text}");
    }
}
