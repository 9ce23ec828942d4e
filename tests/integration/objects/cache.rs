//! Decisions that are remembered: never others than the engine's, and never older than their lifetime.

mod engines;
mod history;

use std::collections::BTreeMap;
use std::time::SystemTime;

use auth_runtime::clock::ManualClock;
use auth_runtime::objects::{
    DecisionCache, DecisionCacheError, DecisionDeadline, Permitted, PermittedFuture, TokenScope,
};
use auth_runtime::requires;
use auth_runtime::routing::get;
use futures_util::FutureExt;

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

    fn resource_types(&self) -> Vec<&str> {
        vec!["Repository"]
    }

    fn token_scope(&self) -> Option<TokenScope> {
        Some(|evaluation| {
            Some(format!(
                "{}:{}",
                evaluation.resource.id(),
                evaluation.action
            ))
        })
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

/// A decision is kept until the end of the period after its own.
#[test]
fn decisions_of_period_before_are_forgotten() {
    let world = world(1000);
    world.seconds_later(7);
    world.ask("ann", &["a"]);
    world.ask("bob", &["a"]);
    world.seconds_later(5);
    world.ask("ann", &["b"]);
    world.engine.asked();
    world
        .cache
        .forget_where(|identity| identity.subject() == "bob");
    world.ask("ann", &["a"]);
    world.ask("bob", &["a"]);
    assert_eq!(world.engine.asked(), ["bob read a"]);
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
fn greedy_caller_leaves_decisions_of_others() {
    let world = world(160);
    world.ask("ann", &["a"]);
    for number in 0..1000 {
        world.ask("mallory", &[&format!("x{number}")]);
    }
    // Its share is the same after decisions of others were forgotten.
    world
        .cache
        .forget_where(|identity| identity.subject() == "bob");
    for number in 0..1000 {
        world.ask("mallory", &[&format!("y{number}")]);
    }
    world.ask("bob", &["b"]);
    world.engine.asked();
    world.ask("ann", &["a"]);
    world.ask("bob", &["b"]);
    assert!(world.engine.asked().is_empty(), "still remembered");
    let questions = ["x", "y"].into_iter();
    let questions =
        questions.flat_map(|name| (0..1000).map(move |number| format!("{name}{number}")));
    let of_mallory = questions.filter(|question| {
        world.ask("mallory", &[question]);
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
fn extensions_are_compared_by_identity() {
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
fn settings_have_bounds() {
    let builder = || DecisionCache::builder(ByTable::default());
    let error = builder().capacity(15).build().expect_err("too small");
    assert_eq!(error, DecisionCacheError::Capacity(15));
    for lifetime in [Duration::ZERO, Duration::from_secs(3601)] {
        let error = builder().lifetime(lifetime).build();
        let error = error.expect_err("out of bounds");
        assert_eq!(error, DecisionCacheError::Lifetime(lifetime));
    }
    let hour = Duration::from_secs(3600);
    assert!(builder().capacity(16).lifetime(hour).build().is_ok());
    for (error, expected) in [
        (
            DecisionCacheError::Capacity(15),
            "the capacity is 15; the minimum is 16 decisions",
        ),
        (
            DecisionCacheError::Lifetime(Duration::from_secs(3601)),
            "the lifetime is 3601s; it has to be positive, and an hour at most",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn requests_of_one_path_share_decision() {
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
async fn late_decision_replaces_no_later_one() {
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
