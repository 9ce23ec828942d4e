//! Any sequence of questions and changes.

use proptest::prelude::*;

use super::*;

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
    fn decisions_are_those_of_last_seconds(
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
