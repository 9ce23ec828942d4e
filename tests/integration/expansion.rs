//! The expansion of the attributes: each key reaches each kind of item.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use auth_runtime::__private1::{HasPolicy, ResourcePattern};
use auth_runtime::objects::Resource;
use auth_runtime::policy::{IpNet, Network};
use auth_runtime::{CheckRequest, Guard, Policy, Requirement, public, requires};
use auth_tests::policy_of;

use crate::decision::atoms::{variant, variants};

async fn allowed(_: CheckRequest<'_>) -> bool {
    true
}

async fn the_page(_: CheckRequest<'_>) -> Option<Resource> {
    None
}

/// Declares items with an attribute, and a function that returns their policies.
macro_rules! on_each_item {
    ($name:ident: $($arguments:tt)*) => {
        mod $name {
            #![allow(dead_code, reason = "the items are not mounted")]

            use super::*;

            #[requires($($arguments)*)]
            async fn plain() {}

            /// A handler with lifetimes, a type and a parameter that is not compiled.
            #[inline]
            #[requires($($arguments)*)]
            #[must_use]
            async fn generic<'a: 'a, T: Send + 'static>(
                _guard: Guard,
                #[cfg(any())] _removed: Missing,
                _kept: T,
            ) -> Cow<'a, str> {
                Cow::Borrowed("text")
            }

            #[requires($($arguments)*)]
            struct Unit;

            #[requires($($arguments)*)]
            mod module {
                pub(super) async fn plain() {}

                pub(super) mod inner {
                    #[auth_runtime::requires]
                    pub(crate) async fn plain() {}
                }
            }

            pub(super) fn policies() -> [(&'static str, &'static Policy); 5] {
                [
                    ("plain", policy_of::<policy_of_plain>()),
                    ("generic", policy_of::<policy_of_generic>()),
                    ("Unit", policy_of::<Unit>()),
                    ("module::plain", policy_of::<module::policy_of_plain>()),
                    ("inner::plain", policy_of::<module::inner::policy_of_plain>()),
                ]
            }
        }
    };
}

on_each_item! { known: authenticated, hide_as = 404 }
on_each_item! {
    names: scope = "a", role = "b", permission = "c", acr = "d", amr = "e", setting = "f"
}
on_each_item! {
    conditions: any(network = "10.0.0.0/8", network = "2001:db8::/32"), max_age = "15m",
    sender_constrained, check = crate::expansion::allowed
}
on_each_item! {
    lists: any(all(scope = "a", role = "b"), permission = "c"), any(role = "d", role = "e")
}
on_each_item! {
    objects: can = "read", can("update", on = "Page", resource = crate::expansion::the_page),
    on = "Page::{id}"
}
on_each_item! {
    settings: role = "a", hide_as = 404, hide_unless = any(scope = "b", role = "c"),
    schemes(Basic, Bearer), realm = "d", says = "e"
}

fn block(text: &'static str) -> Requirement {
    let block: IpNet = text.parse().expect("a block");
    Requirement::network(Network::owned(text, vec![block]))
}

#[test]
fn every_key_reaches_every_item() {
    let all = |parts: &[Requirement]| Policy::requires(Requirement::all(parts.to_vec()));
    let any = |parts: &[Requirement]| Requirement::any(parts.to_vec());
    let [a, b] = [Requirement::scope("a"), Requirement::role("b")];
    let mut seen = BTreeSet::new();
    for (policies, expected) in [
        (
            known::policies(),
            Policy::requires(Requirement::authenticated()).hide_as_not_found(),
        ),
        (
            names::policies(),
            all(&[
                a.clone(),
                b.clone(),
                Requirement::permission("c"),
                Requirement::acr("d"),
                Requirement::amr("e"),
                Requirement::setting("f"),
            ]),
        ),
        (
            conditions::policies(),
            all(&[
                any(&[block("10.0.0.0/8"), block("2001:db8::/32")]),
                Requirement::max_age(Duration::from_secs(15 * 60)),
                Requirement::sender_constrained(),
                Requirement::check("crate::expansion::allowed"),
            ]),
        ),
        (
            lists::policies(),
            all(&[
                any(&[Requirement::all([a, b]), Requirement::permission("c")]),
                any(&[Requirement::role("d"), Requirement::role("e")]),
            ]),
        ),
        (
            objects::policies(),
            all(&[
                Requirement::can_on("read", ResourcePattern::checked("Page::{id}")),
                Requirement::can_by("update", "Page", "crate::expansion::the_page"),
            ]),
        ),
        (
            settings::policies(),
            Policy::requires(Requirement::role("a"))
                .hide_unless(any(&[Requirement::scope("b"), Requirement::role("c")]))
                .schemes(["Basic", "Bearer"])
                .realm("d")
                .says("e"),
        ),
    ] {
        let atoms = expected
            .requirement()
            .into_iter()
            .flat_map(Requirement::atoms);
        seen.extend(atoms.map(variant));
        for (item, policy) in policies {
            assert_eq!(*policy, expected, "{item}");
        }
    }
    assert_eq!(seen, variants());
}

#[public(reason = "a", identity = optional, schemes(Basic, Bearer))]
async fn optional() {}

#[public(reason = "a", identity = optional, schemes(Basic, Bearer))]
struct Optional;

#[requires(role = "admin", schemes(Digest), realm = "b", says = "c")]
mod around {
    #[auth_runtime::public(reason = "a")]
    pub(super) async fn open() {}

    #[auth_runtime::public(reason = "a")]
    pub(super) struct Open;
}

#[test]
fn public_items_have_own_keys_only() {
    let expected = Policy::public_with_identity("a").schemes(["Basic", "Bearer"]);
    assert_eq!(*policy_of::<policy_of_optional>(), expected);
    assert_eq!(*policy_of::<Optional>(), expected);
    let expected = Policy::public("a");
    assert_eq!(*policy_of::<around::policy_of_open>(), expected);
    assert_eq!(*policy_of::<around::Open>(), expected);
}

/// A handler that names its guard can deny objects, by whatever path the guard is written.
#[test]
fn a_written_guard_is_used() {
    #[requires(role = "admin")]
    async fn unwritten() {}
    #[requires(role = "admin")]
    async fn by_name(_: Guard) {}
    #[requires(role = "admin")]
    async fn by_path(_: auth_runtime::Guard) {}
    #[requires(role = "admin")]
    async fn by_absolute_path(_guard: ::auth_runtime::Guard, _: String) {}
    #[requires(role = "admin", crate = ::auth_runtime)]
    async fn by_path_of_the_runtime(_: ::auth_runtime::Guard) {}

    for (handler, uses_guard, expected) in [
        ("unwritten", policy_of_unwritten::USES_GUARD, false),
        ("by_name", policy_of_by_name::USES_GUARD, true),
        ("by_path", policy_of_by_path::USES_GUARD, true),
        (
            "by_absolute_path",
            policy_of_by_absolute_path::USES_GUARD,
            true,
        ),
        (
            "by_path_of_the_runtime",
            policy_of_by_path_of_the_runtime::USES_GUARD,
            true,
        ),
    ] {
        assert_eq!(uses_guard, expected, "{handler}");
    }
}
