//! Decisions that are remembered: never others than the engine's, and never older than their lifetime.

use std::collections::BTreeMap;
use std::time::SystemTime;

use auth_runtime::clock::ManualClock;
use auth_runtime::objects::{DecisionCache, DecisionCacheError, Permitted, PermittedFuture};
use auth_runtime::requires;
use auth_runtime::routing::get;
use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;

const LIFETIME: Duration = Duration::from_secs(10);

/// A grant: subject, action, id.
type Grant = (String, String, String);

/// Decides by a table that tests change, and counts the questions.
#[derive(Clone, Default)]
struct ByTable {
    table: Arc<Mutex<BTreeMap<Grant, bool>>>,
    asked: Arc<Mutex<Vec<String>>>,
    lists: Arc<Mutex<usize>>,
    failure: Arc<Mutex<Option<Failure>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Failure {
    Error,
    TooFew,
}

impl ByTable {
    fn set(&self, subject: &str, action: &str, id: &str, is_allowed: bool) {
        let grant = (subject.into(), action.into(), id.into());
        self.table.lock().unwrap().insert(grant, is_allowed);
    }

    fn decide(&self, subject: &str, action: &str, id: &str) -> bool {
        let grant = (subject.into(), action.into(), id.into());
        let table = self.table.lock().unwrap();
        table.get(&grant).copied().unwrap_or_default()
    }

    /// The questions since the last call of this function.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn fail(&self, failure: Option<Failure>) {
        *self.failure.lock().unwrap() = failure;
    }
}

impl DecisionPoint for ByTable {
    fn name(&self) -> &'static str {
        "table"
    }

    fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let subject = request.identity.subject();
        let mut decisions = Vec::new();
        for Evaluation {
            action, resource, ..
        } in request.evaluations
        {
            let question = format!("{subject} {action} {}", resource.id());
            self.asked.lock().unwrap().push(question);
            let is_allowed = self.decide(subject, action, resource.id());
            decisions.push(ObjectDecision::from(is_allowed));
        }
        let result = match *self.failure.lock().unwrap() {
            Some(Failure::Error) => Err(DecisionPointError::new("down")),
            Some(Failure::TooFew) => {
                decisions.pop();
                Ok(decisions)
            }
            None => Ok(decisions),
        };
        Box::pin(async { result })
    }

    fn permitted<'r>(
        &'r self,
        _: &'r str,
        _: &'r str,
        _: EvaluationRequest<'r>,
    ) -> PermittedFuture<'r> {
        *self.lists.lock().unwrap() += 1;
        Box::pin(async { Ok(Permitted::Ids(Vec::new())) })
    }

    fn decides_about(&self, action: &str, _: &str) -> bool {
        action != "fly"
    }
}

struct World {
    engine: ByTable,
    cache: DecisionCache<ByTable>,
    clock: ManualClock,
}

fn world(capacity: usize) -> World {
    let engine = ByTable::default();
    let clock = ManualClock::new(SystemTime::now());
    let cache = DecisionCache::builder(engine.clone())
        .capacity(capacity)
        .lifetime(LIFETIME)
        .clock(clock.clock())
        .build();
    let cache = cache.expect("valid settings");
    World {
        engine,
        cache,
        clock,
    }
}

fn read(id: &str) -> Evaluation {
    Evaluation::new("read", Resource::new("Repository", id))
}

impl World {
    fn result(
        &self,
        identity: &Identity,
        evaluations: &[Evaluation],
    ) -> Result<Vec<bool>, DecisionPointError> {
        let request = EvaluationRequest::new(identity, evaluations);
        let decisions = self.cache.evaluate(request).now_or_never();
        let decisions = decisions.expect("no wait")?;
        Ok(decisions.iter().map(ObjectDecision::is_allowed).collect())
    }

    fn ask(&self, subject: &str, ids: &[&str]) -> Vec<bool> {
        let evaluations: Vec<Evaluation> = ids.iter().map(|id| read(id)).collect();
        let result = self.result(&Identity::new(subject), &evaluations);
        result.expect("the engine decides")
    }

    fn seconds_later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[test]
fn only_open_questions_reach_the_engine() {
    let world = world(1000);
    world.engine.set("ann", "read", "b", true);
    assert_eq!(world.ask("ann", &["a", "b"]), [false, true]);
    assert_eq!(world.engine.asked(), ["ann read a", "ann read b"]);
    assert_eq!(world.ask("ann", &["b", "c", "a"]), [true, false, false]);
    assert_eq!(world.engine.asked(), ["ann read c"]);
    assert_eq!(world.ask("bob", &["b"]), [false]);
    assert_eq!(world.engine.asked(), ["bob read b"]);
    assert!(world.ask("ann", &[]).is_empty());
    assert!(world.engine.asked().is_empty());
}

#[test]
fn grants_and_denials_expire_together() {
    let world = world(1000);
    world.engine.set("ann", "read", "a", true);
    world.seconds_later(7);
    assert_eq!(world.ask("ann", &["a", "b"]), [true, false]);
    world.engine.set("ann", "read", "a", false);
    world.engine.set("ann", "read", "b", true);
    world.seconds_later(9);
    assert_eq!(
        world.ask("ann", &["a", "b"]),
        [true, false],
        "9 seconds old"
    );
    world.seconds_later(1);
    assert_eq!(
        world.ask("ann", &["a", "b"]),
        [false, true],
        "10 seconds old"
    );
}

#[test]
fn failures_are_not_remembered() {
    let world = world(1000);
    world.engine.set("ann", "read", "a", true);
    assert_eq!(world.ask("ann", &["a"]), [true]);
    for failure in [Failure::Error, Failure::TooFew] {
        world.engine.fail(Some(failure));
        let both = [read("a"), read("b")];
        assert!(world.result(&Identity::new("ann"), &both).is_err());
    }
    world.engine.fail(None);
    world.engine.asked();
    assert_eq!(world.ask("ann", &["a", "b"]), [true, false]);
    assert_eq!(world.engine.asked(), ["ann read b"]);
}

#[test]
fn forgotten_decisions_are_asked_again() {
    let world = world(1000);
    let ask_all = || {
        for subject in ["ann", "bob"] {
            world.ask(subject, &["a"]);
        }
        world.engine.asked()
    };
    ask_all();
    world
        .cache
        .forget_where(|identity| identity.subject() == "bob");
    assert_eq!(ask_all(), ["bob read a"]);
    world.cache.clone().clear();
    assert_eq!(ask_all(), ["ann read a", "bob read a"]);
}

#[tokio::test]
async fn decisions_under_way_are_forgotten_too() {
    /// Decides when it is told to.
    struct Waiting(Arc<tokio::sync::Semaphore>, ByTable);

    impl DecisionPoint for Waiting {
        fn name(&self) -> &'static str {
            "waiting"
        }

        fn evaluate<'r>(&'r self, request: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
            // Decided by the data from before the change.
            let decided = self.1.evaluate(request);
            Box::pin(async move {
                self.0.acquire().await.expect("open").forget();
                decided.await
            })
        }
    }

    let (places, table) = (Arc::new(tokio::sync::Semaphore::new(0)), ByTable::default());
    table.set("ann", "read", "a", true);
    let engine = Waiting(places.clone(), table.clone());
    let cache = DecisionCache::builder(engine)
        .build()
        .expect("valid settings");
    let ann = Identity::new("ann");
    let questions = [read("a")];
    let ask = || cache.evaluate(EvaluationRequest::new(&ann, &questions));
    let mut under_way = ask();
    assert_eq!((&mut under_way).now_or_never(), None, "it waits");
    table.set("ann", "read", "a", false);
    cache.forget_where(|identity| identity.subject() == "ann");
    places.add_permits(2);
    assert_eq!(under_way.await, Ok(vec![ObjectDecision::allow()]));
    assert_eq!(ask().await, Ok(vec![ObjectDecision::deny()]));
}

#[test]
fn a_greedy_caller_leaves_the_decisions_of_others() {
    let world = world(160);
    world.ask("ann", &["a"]);
    for number in 0..1000 {
        world.ask("mallory", &[&format!("x{number}")]);
    }
    world.ask("bob", &["b"]);
    world.engine.asked();
    world.ask("ann", &["a"]);
    world.ask("bob", &["b"]);
    assert!(world.engine.asked().is_empty(), "still remembered");
    let of_mallory = (0..1000).filter(|number| {
        world.ask("mallory", &[&format!("x{number}")]);
        world.engine.asked().is_empty()
    });
    assert_eq!(of_mallory.count(), 20, "an eighth");
}

#[test]
fn all_callers_together_have_a_bound() {
    let world = world(160);
    let of_subject = |number| format!("user {number}");
    for number in 0..500 {
        world.ask(&of_subject(number), &["a"]);
    }
    world.engine.asked();
    let remembered = (0..500).filter(|number| {
        world.ask(&of_subject(*number), &["a"]);
        world.engine.asked().is_empty()
    });
    assert_eq!(remembered.count(), 80, "of one period");
    world.seconds_later(10);
    world.ask("later", &["a"]);
    world.engine.asked();
    world.ask("later", &["a"]);
    assert!(world.engine.asked().is_empty(), "there is room again");
}

#[test]
fn extensions_are_compared_by_the_identity_that_has_them() {
    #[derive(Clone)]
    struct Tenant(#[expect(dead_code, reason = "an engine could read it")] u32);

    let with_tenant = |tenant| Identity::new("ann").with_extension(Tenant(tenant));
    let world = world(1000);
    let (seven, eight) = (with_tenant(7), with_tenant(8));
    for (identity, expected, name) in [
        (&seven, 1, "the first"),
        (&eight, 1, "another extension"),
        (&seven.clone(), 0, "a clone"),
        (&with_tenant(7), 1, "an equal one cannot be recognized"),
        (&Identity::new("ann"), 1, "none"),
    ] {
        world.result(identity, &[read("a")]).expect("a decision");
        assert_eq!(world.engine.asked().len(), expected, "{name}");
    }
    let engine = ByTable::default();
    let cache = DecisionCache::builder(engine.clone()).ignore_extensions();
    let cache = cache.build().expect("valid settings");
    for (tenant, expected) in [(7, 1), (8, 0)] {
        let (identity, questions) = (with_tenant(tenant), [read("a")]);
        let request = EvaluationRequest::new(&identity, &questions);
        let decisions = cache.evaluate(request).now_or_never();
        decisions.expect("no wait").expect("a decision");
        assert_eq!(engine.asked().len(), expected, "{tenant}");
    }
}

#[test]
fn lists_and_the_check_at_start_are_the_engines() {
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
    assert_eq!(world.cache.name(), "table");
}

#[test]
fn settings_have_bounds() {
    let builder = || DecisionCache::builder(ByTable::default());
    let error = builder().capacity(15).build().expect_err("too small");
    assert_eq!(error, DecisionCacheError::Capacity(15));
    for lifetime in [Duration::ZERO, Duration::from_secs(3601)] {
        let error = builder().lifetime(lifetime).build();
        let error = error.expect_err("out of bounds");
        assert_eq!(error, DecisionCacheError::Lifetime(lifetime));
    }
}

#[tokio::test]
async fn requests_of_one_path_share_a_decision() {
    #[requires(can = "read", on = "Repository::{repo}")]
    async fn read() -> &'static str {
        "read"
    }

    let world = world(1000);
    world.engine.set("ann", "read", "garden", true);
    let space = space_builder().decision_point(world.cache.clone());
    let space = space.build().expect("the space is in order");
    let routes = GuardedRouter::new().route("/{repo}", get(read));
    let app = routes.protect(space).expect("the routes are in order");
    for _ in 0..3 {
        assert_eq!(status(&app, by("ann", "/garden")).await, 200);
        assert_eq!(status(&app, by("bob", "/garden")).await, 403);
    }
    let asked = ["ann read garden", "bob read garden"];
    assert_eq!(world.engine.asked(), asked);
    world.engine.set("ann", "read", "garden", false);
    world.cache.clear();
    assert_eq!(status(&app, by("ann", "/garden")).await, 403);
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Change(u8, u8, u8, bool),
    Ask(u8, Vec<(u8, u8)>),
    Forget(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let question = (0..2_u8, 0..3_u8);
    prop_oneof![
        1 => (0..9_u64).prop_map(Step::Wait),
        2 => (0..3_u8, 0..2_u8, 0..3_u8, any::<bool>())
            .prop_map(|(who, action, id, value)| Step::Change(who, action, id, value)),
        4 => (0..3_u8, proptest::collection::vec(question, 0..5))
            .prop_map(|(who, questions)| Step::Ask(who, questions)),
        1 => (0..3_u8).prop_map(Step::Forget),
    ]
}

proptest! {
    /// The oracle is the history of the table: each decision was the one of the engine at some time within
    /// the last lifetime, and since the caller was forgotten.
    #[test]
    fn decisions_are_those_of_the_last_seconds(
        steps in proptest::collection::vec(step(), 1..120),
        capacity in 16..64_usize,
    ) {
        const ACTIONS: [&str; 2] = ["read", "update"];
        let world = world(capacity);
        let subject = |who: u8| format!("user {who}");
        // The end of each former value, by the grant.
        let mut former: BTreeMap<Grant, Vec<(u64, bool)>> = BTreeMap::new();
        let mut forgotten: BTreeMap<u8, u64> = BTreeMap::new();
        let mut now = 0;
        // Each step is a millisecond, so that a change after `forget` is not at the same time.
        let mut later = |millis: u64| {
            world.clock.advance(Duration::from_millis(millis));
            now += millis;
            now
        };
        for step in steps {
            let now = later(1);
            match step {
                Step::Wait(seconds) => _ = later(seconds * 1000),
                Step::Change(who, action, id, value) => {
                    let (who, action, id) = (subject(who), ACTIONS[usize::from(action)], id.to_string());
                    let before = world.engine.decide(&who, action, &id);
                    world.engine.set(&who, action, &id, value);
                    let grant = (who, action.to_owned(), id);
                    former.entry(grant).or_default().push((now, before));
                }
                Step::Forget(who) => {
                    let name = subject(who);
                    world.cache.forget_where(|identity| identity.subject() == name);
                    forgotten.insert(who, now);
                }
                Step::Ask(who, questions) => {
                    let name = subject(who);
                    let evaluations: Vec<Evaluation> = questions
                        .iter()
                        .map(|(action, id)| {
                            let resource = Resource::new("Repository", id.to_string());
                            Evaluation::new(ACTIONS[usize::from(*action)], resource)
                        })
                        .collect();
                    let decisions = world.result(&Identity::new(name.as_str()), &evaluations);
                    let decisions = decisions.expect("the engine decides");
                    prop_assert_eq!(decisions.len(), questions.len());
                    let earliest = (now + 1).saturating_sub(LIFETIME.as_secs() * 1000);
                    let earliest = earliest.max(forgotten.get(&who).copied().unwrap_or_default());
                    for (decision, (action, id)) in decisions.into_iter().zip(questions) {
                        let action = ACTIONS[usize::from(action)];
                        let current = world.engine.decide(&name, action, &id.to_string());
                        let grant = (name.clone(), action.to_owned(), id.to_string());
                        let mut former = former.get(&grant).into_iter().flatten();
                        let was_recent = former.any(|(end, value)| *end > earliest && *value == decision);
                        prop_assert!(
                            decision == current || was_recent,
                            "{:?} is not the decision of the last {:?}", grant, LIFETIME,
                        );
                    }
                }
            }
        }
    }
}

/// Decides by a flag at the time of the question. The first decision arrives when the test allows it.
#[derive(Clone, Default)]
struct SlowAtFirst {
    is_allowed: Arc<Mutex<bool>>,
    calls: Arc<Mutex<usize>>,
    first: Arc<tokio::sync::Notify>,
}

impl DecisionPoint for SlowAtFirst {
    fn name(&self) -> &'static str {
        "slow at first"
    }

    fn evaluate<'r>(&'r self, _: EvaluationRequest<'r>) -> EvaluationFuture<'r> {
        let decision = ObjectDecision::from(*self.is_allowed.lock().unwrap());
        let is_first = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls == 1
        };
        Box::pin(async move {
            if is_first {
                self.first.notified().await;
            }
            Ok(vec![decision])
        })
    }
}

/// A grant that arrives late does not replace the denial of a later question.
#[tokio::test]
async fn a_late_decision_replaces_no_later_one() {
    let engine = SlowAtFirst::default();
    *engine.is_allowed.lock().unwrap() = true;
    let clock = ManualClock::new(SystemTime::now());
    let cache = DecisionCache::builder(engine.clone()).clock(clock.clock());
    let cache = cache.build().expect("a cache");
    let identity = Identity::new("ann");
    let questions = [Evaluation::new("read", Resource::new("Repository", "a"))];
    let ask = || cache.evaluate(EvaluationRequest::new(&identity, &questions));
    let mut first = ask();
    assert!((&mut first).now_or_never().is_none(), "it waits");
    clock.advance(Duration::from_secs(1));
    *engine.is_allowed.lock().unwrap() = false;
    assert_eq!(ask().await, Ok(vec![ObjectDecision::deny()]));
    engine.first.notify_one();
    assert_eq!(first.await, Ok(vec![ObjectDecision::allow()]));
    assert_eq!(ask().await, Ok(vec![ObjectDecision::deny()]));
    assert_eq!(*engine.calls.lock().unwrap(), 2);
}
