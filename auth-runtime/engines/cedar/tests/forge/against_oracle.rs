//! The decisions about random data, compared with the rules in Rust.

use std::collections::BTreeSet;

use auth_runtime::objects::{DecisionPoint, EvaluationRequest};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{ACTIONS, Database, Repository, User, World};

pub(crate) const USERS: usize = 5;
const TEAMS: usize = 4;
const ORGANIZATIONS: usize = 3;

/// Ids that are code in some language.
const IDS: [&str; USERS] = ["ann", "b\"ob", "User::\"ann\"", "d\0\n\\é", ""];

fn members(count: usize, most: usize) -> impl Strategy<Value = BTreeSet<usize>> {
    btree_set(0..count, 0..=most)
}

fn user(id: &'static str) -> impl Strategy<Value = User> {
    let acr = select(vec![None, Some("gold"), Some("silver")]);
    (members(TEAMS, 2), any::<bool>(), any::<bool>(), acr).prop_map(
        move |(teams, is_admin, can_write, acr)| User {
            id: id.to_owned(),
            teams,
            is_admin,
            can_write,
            acr,
        },
    )
}

fn repository() -> impl Strategy<Value = Repository> {
    let flags = (any::<bool>(), any::<bool>());
    let team = option::of(0..TEAMS);
    let organization = option::of(0..ORGANIZATIONS);
    (flags, 0..USERS, members(USERS, 3), team, organization).prop_map(
        |((is_public, is_archived), owner, collaborators, maintainers, organization)| Repository {
            id: String::new(),
            owner,
            is_public,
            is_archived,
            collaborators,
            maintainers,
            organization,
        },
    )
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let users = IDS.map(user);
    (
        users,
        vec(0..ORGANIZATIONS, TEAMS),
        vec(any::<bool>(), ORGANIZATIONS),
        vec(repository(), 1..8),
    )
        .prop_map(|(users, teams, organizations, mut repositories)| {
            for (number, repository) in repositories.iter_mut().enumerate() {
                repository.id = format!("{}/{number}", IDS[repository.owner]);
            }
            World {
                users: users.into(),
                teams,
                organizations,
                repositories,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decisions_and_policies_match_the_rules(
        world in world(),
        is_in_office in option::of(any::<bool>()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let database = Database::new(world.clone());
        let cedar = database.cedar();
        let questions = world.questions();
        for user in 0..USERS {
            let identity = world.identity(user);
            let mut request = EvaluationRequest::new(&identity, &questions);
            request.address = is_in_office.map(|is_in_office| match is_in_office {
                true => "10.1.2.3".parse().unwrap(),
                false => "2001:db8::1".parse().unwrap(),
            });
            let decisions = runtime.block_on(cedar.evaluate(request)).unwrap();
            prop_assert_eq!(decisions.len(), questions.len());
            let expected = world.repositories.iter().flat_map(|repository| {
                ACTIONS.map(|action| world.decide(user, action, repository, is_in_office))
            });
            for ((decision, expected), question) in decisions.iter().zip(expected).zip(&questions) {
                let found = (decision.is_allowed(), decision.policy().map(str::to_owned));
                prop_assert_eq!(found, expected, "{} {}", identity.subject(), question.resource);
            }
        }
    }
}
