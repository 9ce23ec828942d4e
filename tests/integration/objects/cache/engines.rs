//! Questions that are left to the engine, behind a cache, a deadline and a pointer.

use super::*;

#[test]
fn lists_and_start_check_reach_engine() {
    let world = world(1000);
    let ann = Identity::new("ann");
    for _ in 0..2 {
        let request = EvaluationRequest::new(&ann, &[]);
        let permitted = world.cache.permitted("read", "Repository", request);
        let permitted = permitted.now_or_never().expect("no wait");
        assert_eq!(permitted, Ok(Permitted::Ids(Vec::new())));
    }
    assert_eq!(*world.engine.lists.lock().unwrap(), 2);
    assert!(world.cache.decides_about("read", "Repository"));
    assert!(!world.cache.decides_about("fly", "Repository"));
    assert_eq!(world.cache.resource_types(), ["Repository"]);
    assert_eq!(world.cache.name(), "table");
    let scope = world.cache.token_scope().expect("the scope of a token");
    assert_eq!(scope(&read("a")).as_deref(), Some("a:read"));
}

#[test]
fn deadline_leaves_rest_to_engine() {
    let time = Duration::from_secs(1);
    let limited = DecisionDeadline::new(ByTable::default(), time, tokio::time::sleep);
    assert_eq!(limited.name(), "table");
    assert!(limited.decides_about("read", "Repository"));
    assert!(!limited.decides_about("fly", "Repository"));
    assert_eq!(limited.resource_types(), ["Repository"]);
    let scope = limited.token_scope().expect("the scope of a token");
    assert_eq!(scope(&read("a")).as_deref(), Some("a:read"));
}

#[test]
fn a_shared_engine_is_the_engine() {
    let engine = ByTable::default();
    let shared: Arc<dyn DecisionPoint> = Arc::new(engine.clone());
    assert_eq!(shared.name(), "table");
    assert!(shared.decides_about("read", "Repository"));
    assert!(!shared.decides_about("fly", "Repository"));
    assert_eq!(shared.resource_types(), ["Repository"]);
    let scope = shared.token_scope().expect("the scope of a token");
    assert_eq!(scope(&read("a")).as_deref(), Some("a:read"));
    let (ann, questions) = (Identity::new("ann"), [read("a")]);
    let permitted = shared.permitted("read", "Repository", EvaluationRequest::new(&ann, &[]));
    let permitted = permitted.now_or_never().expect("no wait");
    assert_eq!(permitted, Ok(Permitted::Ids(Vec::new())));
    let decisions = shared.evaluate(EvaluationRequest::new(&ann, &questions));
    decisions
        .now_or_never()
        .expect("no wait")
        .expect("a decision");
    assert_eq!(engine.asked(), ["ann read a"]);
}
